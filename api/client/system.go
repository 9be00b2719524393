package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
)

// ListDatapaths returns the connected and the configured datapaths.
func (c *Client) ListDatapaths(ctx context.Context) ([]apitype.Datapath, error) {
	return all[apitype.Datapath](ctx, c, "/datapaths", nil)
}

// GetDatapath returns one datapath.
func (c *Client) GetDatapath(ctx context.Context, dpid string) (apitype.Datapath, error) {
	return get[apitype.Datapath](ctx, c, "/datapaths"+seg(dpid), nil)
}

// UpdateDatapath changes the configuration of a datapath.
func (c *Client) UpdateDatapath(ctx context.Context, dpid string, u apitype.DatapathUpdate) (apitype.Datapath, error) {
	return send[apitype.Datapath](ctx, c, http.MethodPatch, "/datapaths"+seg(dpid), nil, u)
}

// SetLimits sets what a slice may do on a datapath.
func (c *Client) SetLimits(ctx context.Context, dpid, slice string, u apitype.LimitsUpdate) (apitype.SliceLimit, error) {
	return send[apitype.SliceLimit](ctx, c, http.MethodPut, "/datapaths"+seg(dpid)+"/limits"+seg(slice), nil, u)
}

// DatapathStats returns the message counters of a datapath.
func (c *Client) DatapathStats(ctx context.Context, dpid string) (apitype.MessageStats, error) {
	return get[apitype.MessageStats](ctx, c, "/datapaths"+seg(dpid)+"/stats", nil)
}

// DatapathFlows returns the physical flows govisor holds on a datapath.
func (c *Client) DatapathFlows(ctx context.Context, dpid string) ([]apitype.Flow, error) {
	return all[apitype.Flow](ctx, c, "/datapaths"+seg(dpid)+"/flows", nil)
}

// SliceFlows returns the virtual flows of a slice on a datapath.
func (c *Client) SliceFlows(ctx context.Context, dpid, slice string) ([]apitype.Flow, error) {
	return all[apitype.Flow](ctx, c, "/datapaths"+seg(dpid)+"/slices"+seg(slice)+"/flows", nil)
}

// Links returns the discovered links.
func (c *Client) Links(ctx context.Context) ([]apitype.Link, error) {
	return all[apitype.Link](ctx, c, "/links", nil)
}

// Health returns the state of the hypervisor.
func (c *Client) Health(ctx context.Context) (apitype.Health, error) {
	return get[apitype.Health](ctx, c, "/health", nil)
}

// Version returns the server's version.
func (c *Client) Version(ctx context.Context) (apitype.Version, error) {
	return get[apitype.Version](ctx, c, "/version", nil)
}

// Whoami returns the caller as the server sees it.
func (c *Client) Whoami(ctx context.Context) (apitype.Whoami, error) {
	return get[apitype.Whoami](ctx, c, "/whoami", nil)
}

// GetSettings returns the settings.
func (c *Client) GetSettings(ctx context.Context) (apitype.Settings, error) {
	return get[apitype.Settings](ctx, c, "/settings", nil)
}

// Configure changes settings, flood permissions and flow limits, all or none.
func (c *Client) Configure(ctx context.Context, u apitype.ConfigUpdate) (apitype.Settings, error) {
	return send[apitype.Settings](ctx, c, http.MethodPatch, "/settings", nil, u)
}

// ExportConfig returns the configuration as text; format is govisor or
// flowvisor. Password hashes, callbacks and tokens are included only when asked
// for. notes say what the format cannot carry.
func (c *Client) ExportConfig(ctx context.Context, format string, hashes bool) (text []byte, notes []string, err error) {
	q := url.Values{"format": {format}}
	if hashes {
		q.Set("hashes", "true")
	}
	var h http.Header
	_, err = c.do(ctx, request{method: http.MethodGet, path: "/config", query: q, out: &text, header: &h})
	return text, h.Values("X-Govisor-Note"), err
}

// ImportConfig replaces the configuration with text of either format.
func (c *Client) ImportConfig(ctx context.Context, text []byte, dryRun bool) (apitype.ImportReport, error) {
	return send[apitype.ImportReport](ctx, c, http.MethodPut, "/config", dry(dryRun), text)
}

// Apply makes the sections present in cfg so; dryRun only tells the difference.
// Without prune nothing is removed.
func (c *Client) Apply(ctx context.Context, cfg apitype.Config, dryRun, prune bool) (apitype.Diff, error) {
	q := url.Values{}
	if dryRun {
		q.Set("dry_run", "true")
	}
	if prune {
		q.Set("prune", "true")
	}
	return send[apitype.Diff](ctx, c, http.MethodPost, "/apply", q, cfg)
}

// ListSnapshots returns the saved configurations, oldest first.
func (c *Client) ListSnapshots(ctx context.Context) ([]apitype.Snapshot, error) {
	return all[apitype.Snapshot](ctx, c, "/snapshots", nil)
}

// CreateSnapshot saves the configuration.
func (c *Client) CreateSnapshot(ctx context.Context, note string) (apitype.Snapshot, error) {
	return send[apitype.Snapshot](ctx, c, http.MethodPost, "/snapshots", nil, apitype.SnapshotCreate{Note: note})
}

// RestoreSnapshot replaces the configuration by a saved one.
func (c *Client) RestoreSnapshot(ctx context.Context, id string) (apitype.ImportReport, error) {
	return send[apitype.ImportReport](ctx, c, http.MethodPost, "/snapshots"+seg(id)+"/restore", nil, nil)
}

// DeleteSnapshot removes a saved configuration.
func (c *Client) DeleteSnapshot(ctx context.Context, id string) error {
	return c.plain(ctx, http.MethodDelete, "/snapshots"+seg(id), nil)
}

// Audit returns the newest limit entries, oldest first; 0 means all.
func (c *Client) Audit(ctx context.Context, limit int) ([]apitype.AuditEntry, error) {
	q := url.Values{}
	if limit > 0 {
		q.Set("last", strconv.Itoa(limit))
	}
	return all[apitype.AuditEntry](ctx, c, "/audit", q)
}

// ListTokens returns the caller's tokens, the administrator's: all.
func (c *Client) ListTokens(ctx context.Context) ([]apitype.Token, error) {
	return all[apitype.Token](ctx, c, "/tokens", nil)
}

// CreateToken makes a token; its secret is only in this answer.
func (c *Client) CreateToken(ctx context.Context, t apitype.TokenCreate) (apitype.Token, error) {
	return send[apitype.Token](ctx, c, http.MethodPost, "/tokens", nil, t)
}

// DeleteToken makes a token useless.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	return c.plain(ctx, http.MethodDelete, "/tokens"+seg(id), nil)
}

// ListAccounts returns who can log in.
func (c *Client) ListAccounts(ctx context.Context) ([]apitype.Account, error) {
	return all[apitype.Account](ctx, c, "/accounts", nil)
}

// CreateAccount makes a viewer.
func (c *Client) CreateAccount(ctx context.Context, a apitype.AccountCreate) (apitype.Account, error) {
	return send[apitype.Account](ctx, c, http.MethodPost, "/accounts", nil, a)
}

// DeleteAccount removes a viewer.
func (c *Client) DeleteAccount(ctx context.Context, name string) error {
	return c.plain(ctx, http.MethodDelete, "/accounts"+seg(name), nil)
}

// ListCallbacks returns the caller's callbacks, the administrator's: all.
func (c *Client) ListCallbacks(ctx context.Context) ([]apitype.Callback, error) {
	return all[apitype.Callback](ctx, c, "/callbacks", nil)
}

// CreateCallback has a URL called when something happens.
func (c *Client) CreateCallback(ctx context.Context, cb apitype.CallbackCreate) (apitype.Callback, error) {
	return send[apitype.Callback](ctx, c, http.MethodPost, "/callbacks", nil, cb)
}

// DeleteCallback stops calling a URL.
func (c *Client) DeleteCallback(ctx context.Context, id string) error {
	return c.plain(ctx, http.MethodDelete, "/callbacks"+seg(id), nil)
}

// Trace asks what happens to a packet or a flow_mod.
func (c *Client) Trace(ctx context.Context, t apitype.TraceRequest) (apitype.TraceResult, error) {
	return send[apitype.TraceResult](ctx, c, http.MethodPost, "/trace", nil, t)
}

// Backup writes a consistent copy of the database to w.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	_, err := c.do(ctx, request{method: http.MethodGet, path: "/backup", out: w})
	return err
}

// Events calls fn for each event after the one with id after (0: from now on),
// until ctx ends, fn returns an error or the connection breaks.
func (c *Client) Events(ctx context.Context, after uint64, fn func(apitype.Event) error) error {
	q := url.Values{}
	if after > 0 {
		q.Set("after", strconv.FormatUint(after, 10))
	}
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/events", query: q})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var e apitype.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("decode event: %w", err)
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return unreachable(c.opts.URL, err)
	}
	return ctx.Err()
}

// Wait polls until the server answers or ctx ends.
func (c *Client) Wait(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := c.Version(ctx)
		if p := AsProblem(err); p == nil || p.Kind != apitype.KindUnreachable {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
