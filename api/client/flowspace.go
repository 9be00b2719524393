package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
)

// RuleID is the reference of a rule by its id.
func RuleID(id uint64) string { return "id:" + strconv.FormatUint(id, 10) }

// ruleSeg is the part of a path that means a rule. Some names mean something else there.
func ruleSeg(ref string) string {
	switch ref {
	case ".", "..", "bulk", "conflicts", "free":
		ref = "name:" + ref
	}
	return seg(ref)
}

// ListRules returns the rules the caller may see, highest priority first. With
// f.Limit set it returns one page.
func (c *Client) ListRules(ctx context.Context, f apitype.RuleFilter) ([]apitype.Rule, error) {
	q := url.Values{}
	for k, v := range map[string]string{"slice": f.Slice, "dpid": f.DPID, "name": f.Name} {
		if v != "" {
			q.Set(k, v)
		}
	}
	if f.After != 0 {
		q.Set("after", strconv.FormatUint(f.After, 10))
	}
	if f.Limit != 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
		page, err := get[apitype.List[apitype.Rule]](ctx, c, "/flowspace", q)
		return page.Items, err
	}
	return all[apitype.Rule](ctx, c, "/flowspace", q)
}

// GetRule returns one rule by name, or by RuleID.
func (c *Client) GetRule(ctx context.Context, ref string) (apitype.Rule, string, error) {
	var r apitype.Rule
	tag, err := c.do(ctx, request{method: http.MethodGet, path: "/flowspace" + ruleSeg(ref), out: &r})
	return r, tag, err
}

// CreateRule adds one rule.
func (c *Client) CreateRule(ctx context.Context, r apitype.RuleCreate) (apitype.Rule, error) {
	return send[apitype.Rule](ctx, c, http.MethodPost, "/flowspace", nil, r)
}

// UpdateRule changes one rule by name or RuleID; ifMatch is an ETag or empty.
func (c *Client) UpdateRule(ctx context.Context, ref string, u apitype.RuleUpdate, ifMatch string) (apitype.Rule, error) {
	var r apitype.Rule
	_, err := c.do(ctx, request{method: http.MethodPatch, path: "/flowspace" + ruleSeg(ref), body: u, ifMatch: ifMatch, out: &r})
	return r, err
}

// DeleteRule removes one rule by name or RuleID.
func (c *Client) DeleteRule(ctx context.Context, ref string) error {
	return c.plain(ctx, http.MethodDelete, "/flowspace"+ruleSeg(ref), nil)
}

// BulkRules does all changes or none; with dryRun it only says what it would do.
func (c *Client) BulkRules(ctx context.Context, changes []apitype.Change, dryRun bool) (apitype.BulkResult, error) {
	return send[apitype.BulkResult](ctx, c, http.MethodPost, "/flowspace/bulk", dry(dryRun), apitype.Bulk{Changes: changes})
}

func dry(on bool) url.Values {
	if !on {
		return nil
	}
	return url.Values{"dry_run": {"true"}}
}

// Conflicts returns overlapping and shadowed rules, up to 10,000; truncated says that
// there are more. slice and dpid may be empty.
func (c *Client) Conflicts(ctx context.Context, slice, dpid string) (list []apitype.Conflict, truncated bool, err error) {
	q := url.Values{"limit": {"10000"}} // each page looks through all rules again
	if slice != "" {
		q.Set("slice", slice)
	}
	if dpid != "" {
		q.Set("dpid", dpid)
	}
	page, err := get[apitype.Conflicts](ctx, c, "/flowspace/conflicts", q)
	return page.Items, page.Truncated, err
}

// Free returns the values of field (dl_vlan, in_port) no rule uses on the datapaths.
func (c *Client) Free(ctx context.Context, field string, dpids []string) (apitype.Free, error) {
	q := url.Values{"field": {field}}
	if len(dpids) > 0 {
		q.Set("dpids", strings.Join(dpids, ","))
	}
	return get[apitype.Free](ctx, c, "/flowspace/free", q)
}
