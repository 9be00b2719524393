package api

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

// analysisRoutes must come before those of single rules: the names of these
// paths mean no rule.
func (s *Server) analysisRoutes() []route {
	scope := append([]param{{"slice", "string", "only rules granting this slice anything"}, {"dpid", "string", "only on this datapath"}}, pageParams...)
	return []route{
		{method: http.MethodGet, path: "/flowspace/conflicts", summary: "rules that overlap or are shadowed", query: scope, out: typeOf[apitype.Conflicts](), serve: s.listConflicts},
		{method: http.MethodGet, path: "/flowspace/free", summary: "values of a field no rule names", out: typeOf[apitype.Free](), serve: s.getFree,
			query: []param{{"field", "string", "dl_vlan or in_port"}, {"dpids", "string", "datapaths, separated by commas; none means all"}}},
		{method: http.MethodPost, path: "/trace", summary: "who owns a packet, or what a flow_mod becomes", in: typeOf[apitype.TraceRequest](), out: typeOf[apitype.TraceResult](), serve: s.postTrace},
	}
}

func (s *Server) listConflicts(c *call) (answer, error) {
	var dpid *ofwire.DatapathID
	if text := c.query("dpid"); text != "" {
		id, err := ofwire.ParseDatapathID(text)
		if err != nil {
			return answer{}, bad("dpid", text, err.Error(), "")
		}
		dpid = &id
	}
	all, more, err := s.svc.Conflicts(c.r.Context(), c.by, c.query("slice"), dpid)
	if err != nil {
		return answer{}, err
	}
	out := make([]apitype.Conflict, len(all))
	for i, k := range all {
		out[i] = apitype.Conflict{Kind: "overlap", Rule: ruleOut(k.Rule), Other: ruleOut(k.Other), Region: matchOut(k.Region),
			Detail: fmt.Sprintf("%s wins over %s on %s", ruleName(k.Other), ruleName(k.Rule), k.DPID)}
		if k.Shadowed {
			out[i].Kind, out[i].Detail = "shadowed", fmt.Sprintf("%s never gets a packet on %s: stronger rules, first %s, take all of it", ruleName(k.Rule), k.DPID, ruleName(k.Other))
		}
	}
	a, err := page(c, out)
	if err != nil {
		return a, err
	}
	a.body = apitype.Conflicts{List: a.body.(apitype.List[apitype.Conflict]), Truncated: more} //nolint:forcetypeassert // page made it
	return a, nil
}

func ruleName(r *flowspace.Rule) string {
	if r.Name == "" {
		return "a rule of another slice"
	}
	return r.Name
}

func (s *Server) getFree(c *call) (answer, error) {
	out := apitype.Free{Field: c.query("field"), DPIDs: []string{}}
	var ids []ofwire.DatapathID
	for text := range strings.SplitSeq(cmp.Or(c.query("dpids"), "any"), ",") {
		if isAll(text) {
			continue
		}
		id, err := ofwire.ParseDatapathID(text)
		if err != nil {
			return answer{}, bad("dpids", text, err.Error(), "")
		}
		ids = append(ids, id)
		out.DPIDs = append(out.DPIDs, id.String())
	}
	set, some, err := s.svc.Free(c.by, out.Field, ids)
	if err != nil {
		return answer{}, err
	}
	if some {
		out.Count = set.Size()
		var parts []string
		for r := range set.Ranges() {
			if r.Lo == r.Hi {
				parts = append(parts, fmt.Sprint(r.Lo))
			} else {
				parts = append(parts, fmt.Sprintf("%d-%d", r.Lo, r.Hi))
			}
		}
		out.Values = strings.Join(parts, "|")
	}
	return answer{body: out}, nil
}

func (s *Server) postTrace(c *call) (answer, error) {
	var in apitype.TraceRequest
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	id, err := ofwire.ParseDatapathID(in.DPID)
	if err != nil {
		return answer{}, bad("dpid", in.DPID, err.Error(), "")
	}
	var t hypervisor.Trace
	switch {
	case in.FlowMod != "" && in.Slice != "":
		t, err = s.svc.TraceFlowMod(c.by, id, in.Slice, in.FlowMod)
	case in.FlowMod == "" && (in.Header != "" || in.Packet != ""):
		var h flowspace.Header
		if h, err = hypervisor.ParseHeader(in.Header, in.Packet, in.InPort); err == nil {
			t, err = s.svc.TracePacket(c.r.Context(), c.by, id, h)
		}
	default:
		err = bad("header", "", "there is nothing to trace", "give header or packet, or slice and flow_mod")
	}
	if err != nil {
		return answer{}, err
	}
	out := apitype.TraceResult{DPID: id.String(), Considered: rulesOut(t.Considered), Slice: t.Slice, Readers: append([]string{}, t.Readers...),
		Verdict: t.Verdict, Reason: t.Reason, Flows: t.Flows}
	if in.FlowMod == "" {
		out.Header = t.Header.String()
	}
	if t.Rule != nil {
		out.Rule = new(ruleOut(t.Rule))
	}
	return answer{body: out}, nil
}
