package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

func (s *Server) flowspaceRoutes() []route {
	one := typeOf[apitype.Rule]()
	filters := append([]param{{"slice", "string", "only rules granting this slice anything"}, {"dpid", "string", "only rules of this datapath"},
		{"name", "string", "only the rule with this name"}}, pageParams...)
	return []route{
		{method: http.MethodGet, path: "/flowspace", summary: "rules the caller may see, highest priority first", query: filters, out: typeOf[apitype.List[apitype.Rule]](), serve: s.listRules},
		{method: http.MethodPost, path: "/flowspace", summary: "add a rule; If-Match is honoured, with the ETag of the list", query: []param{dryParam}, in: typeOf[apitype.RuleCreate](), out: one, status: http.StatusCreated, serve: s.createRule},
		{method: http.MethodPost, path: "/flowspace/bulk", summary: "make many changes, all or none; If-Match is honoured, with the ETag of the list of rules", query: []param{dryParam}, in: typeOf[apitype.Bulk](), out: typeOf[apitype.BulkResult](), bulk: true, serve: s.bulkRules},
		{method: http.MethodGet, path: "/flowspace/{rule}", summary: "one rule, by name or id:N", out: one, serve: s.getRule},
		{method: http.MethodPatch, path: "/flowspace/{rule}", summary: "change a rule; If-Match is honoured", query: []param{dryParam}, in: typeOf[apitype.RuleUpdate](), out: one, serve: s.patchRule},
		{method: http.MethodDelete, path: "/flowspace/{rule}", summary: "remove a rule; If-Match is honoured", query: []param{dryParam}, serve: s.deleteRule},
	}
}

func ruleTag(r *flowspace.Rule) string { return etagOf(r.String()) }

// flowspaceTag is the ETag of all rules together.
func flowspaceTag(v hypervisor.Version) string { return versionTag("f", v) }

func ruleAnswer(r *flowspace.Rule) answer { return answer{body: ruleOut(r), etag: ruleTag(r)} }

func (s *Server) listRules(c *call) (answer, error) {
	f := hypervisor.RuleFilter{Slice: c.query("slice"), Name: c.query("name"), ShowDisabled: true}
	if text := c.query("dpid"); text != "" {
		id, err := ofwire.ParseDatapathID(text)
		if err != nil {
			return answer{}, bad("dpid", text, err.Error(), "")
		}
		f.DPID = &id
	}
	return s.rulePage(c, f)
}

// rulePage cuts a page out of the rules, in order. The cursor is PRIORITY-ID of the
// last rule, so that changes between two pages neither skip nor repeat others; the
// ETag tells whether there were any.
func (s *Server) rulePage(c *call, f hypervisor.RuleFilter) (answer, error) {
	tag := flowspaceTag(s.svc.RulesVersion()) // before reading, so that it is never too new
	rules, err := s.svc.Rules(c.by, f)
	if err != nil {
		return answer{}, err
	}
	limit, err := c.number("limit", 5000, maxPage)
	if err != nil {
		return answer{}, err
	}
	total := len(rules)
	if after := c.query("after"); after != "" {
		last, err := cursor(after, rules)
		if err != nil {
			return answer{}, err
		}
		i := 0
		for i < len(rules) && !last.Before(rules[i]) {
			i++
		}
		rules = rules[i:]
	}
	out := apitype.List[apitype.Rule]{Total: total}
	if n := int(max(limit, 1)); n < len(rules) {
		rules = rules[:n]
		last := rules[n-1]
		out.Next = fmt.Sprintf("%d-%d", last.Priority, last.ID)
	}
	out.Items = rulesOut(rules)
	return answer{body: out, etag: tag}, nil
}

// cursor reads PRIORITY-ID, or the id of a rule that is still there.
func cursor(text string, rules []*flowspace.Rule) (*flowspace.Rule, error) {
	prio, id, both := strings.Cut(text, "-")
	if both {
		p, err1 := strconv.ParseUint(prio, 10, 32)
		n, err2 := strconv.ParseUint(id, 10, 64)
		if err1 == nil && err2 == nil {
			return &flowspace.Rule{Priority: uint32(p), ID: n}, nil
		}
	} else if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		for _, r := range rules {
			if r.ID == n {
				return r, nil
			}
		}
	}
	return nil, bad("after", text, fmt.Sprintf("%q is no place in this listing", text), "use next of the page before")
}

// change makes one change; check is of the whole flowspace, or nil.
func (s *Server) change(c *call, ch hypervisor.RuleChange, check func(hypervisor.Version) error) (*flowspace.Rule, error) {
	dry, err := c.flag("dry_run")
	if err != nil {
		return nil, err
	}
	res, err := s.svc.ChangeRulesIf(c.r.Context(), c.by, []hypervisor.RuleChange{ch}, dry, check)
	if err != nil {
		return nil, single(err)
	}
	return res.Rules[0], nil
}

// single drops the index of an error about the only change there is.
func single(err error) error {
	if e, ok := err.(*hypervisor.Error); ok && e.Index >= 0 { //nolint:errorlint // the service's own
		at := *e
		at.Index = -1
		return &at
	}
	return err
}

func (s *Server) createRule(c *call) (answer, error) {
	var in apitype.RuleCreate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	r, err := hypervisor.RuleFromConfig(&in)
	if err != nil {
		return answer{}, err
	}
	r, err = s.change(c, hypervisor.RuleChange{Op: flowspace.Add, Rule: r}, ifMatch(c, flowspaceTag))
	if err != nil {
		return answer{}, err
	}
	a := ruleAnswer(r)
	a.status = http.StatusCreated
	return a, nil
}

func (s *Server) getRule(c *call) (answer, error) {
	r, err := s.svc.Rule(c.by, c.path("rule"))
	if err != nil {
		return answer{}, err
	}
	return ruleAnswer(r), nil
}

func (s *Server) patchRule(c *call) (answer, error) {
	var in apitype.RuleUpdate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	patch, err := rulePatchIn(&in)
	if err != nil {
		return answer{}, err
	}
	r, err := s.change(c, hypervisor.RuleChange{Op: flowspace.Update, Ref: c.path("rule"), Patch: patch, Check: ifMatch(c, ruleTag)}, nil)
	if err != nil {
		return answer{}, err
	}
	return ruleAnswer(r), nil
}

func (s *Server) deleteRule(c *call) (answer, error) {
	_, err := s.change(c, hypervisor.RuleChange{Op: flowspace.Remove, Ref: c.path("rule"), Check: ifMatch(c, ruleTag)}, nil)
	return answer{}, err
}

func (s *Server) bulkRules(c *call) (answer, error) {
	dry, err := c.flag("dry_run")
	if err != nil {
		return answer{}, err
	}
	var in apitype.Bulk
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	changes, err := changesIn(in.Changes)
	if err != nil {
		return answer{}, err
	}
	check := ifMatch(c, flowspaceTag)
	if len(changes) == 0 {
		if check != nil {
			if err := check(s.svc.RulesVersion()); err != nil {
				return answer{}, err
			}
		}
		return answer{body: apitype.BulkResult{Applied: !dry, IDs: []uint64{}, Datapaths: []string{}, Slices: []string{}}}, nil
	}
	res, err := s.svc.ChangeRulesIf(c.r.Context(), c.by, changes, dry, check)
	if err != nil {
		return answer{}, err
	}
	out := apitype.BulkResult{Applied: !dry, IDs: make([]uint64, len(res.Rules))}
	for i, r := range res.Rules {
		out.IDs[i] = r.ID
	}
	out.Datapaths, out.Slices = affectedOut(res.Affected)
	if dry {
		return answer{body: out}, nil
	}
	return answer{body: out, etag: flowspaceTag(res.Version)}, nil
}
