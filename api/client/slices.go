package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/govisor/govisor/api/apitype"
)

func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	var out T
	_, err := c.do(ctx, request{method: http.MethodGet, path: path, query: q, out: &out})
	return out, err
}

func send[T any](ctx context.Context, c *Client, method, path string, q url.Values, body any) (T, error) {
	var out T
	_, err := c.do(ctx, request{method: method, path: path, query: q, body: body, out: &out})
	return out, err
}

func (c *Client) plain(ctx context.Context, method, path string, body any) error {
	_, err := c.do(ctx, request{method: method, path: path, body: body})
	return err
}

// seg makes one path segment of any text.
func seg(s string) string { return "/" + url.PathEscape(s) }

// all reads every page of a listing.
func all[T any](ctx context.Context, c *Client, path string, q url.Values) ([]T, error) {
	if q == nil {
		q = url.Values{}
	}
	items := []T{}
	for {
		page, err := get[apitype.List[T]](ctx, c, path, q)
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if page.Next == "" {
			return items, nil
		}
		q.Set("after", page.Next)
	}
}

// ListSlices returns the slices the caller may see, in order of creation.
func (c *Client) ListSlices(ctx context.Context) ([]apitype.Slice, error) {
	return all[apitype.Slice](ctx, c, "/slices", nil)
}

// GetSlice returns one slice and its ETag.
func (c *Client) GetSlice(ctx context.Context, name string) (apitype.Slice, string, error) {
	var s apitype.Slice
	tag, err := c.do(ctx, request{method: http.MethodGet, path: "/slices" + seg(name), out: &s})
	return s, tag, err
}

// CreateSlice makes a slice.
func (c *Client) CreateSlice(ctx context.Context, s apitype.SliceCreate) (apitype.Slice, error) {
	return send[apitype.Slice](ctx, c, http.MethodPost, "/slices", nil, s)
}

// UpdateSlice changes a slice; ifMatch is an ETag or empty.
func (c *Client) UpdateSlice(ctx context.Context, name string, u apitype.SliceUpdate, ifMatch string) (apitype.Slice, error) {
	var s apitype.Slice
	_, err := c.do(ctx, request{method: http.MethodPatch, path: "/slices" + seg(name), body: u, ifMatch: ifMatch, out: &s})
	return s, err
}

// DeleteSlice removes a slice with its grants, limits, account and tokens.
func (c *Client) DeleteSlice(ctx context.Context, name string) error {
	return c.plain(ctx, http.MethodDelete, "/slices"+seg(name), nil)
}

// EnableSlice and DisableSlice start and stop a slice.
func (c *Client) EnableSlice(ctx context.Context, name string) error {
	return c.plain(ctx, http.MethodPost, "/slices"+seg(name)+"/enable", nil)
}

// DisableSlice stops a slice; its configuration stays.
func (c *Client) DisableSlice(ctx context.Context, name string) error {
	return c.plain(ctx, http.MethodPost, "/slices"+seg(name)+"/disable", nil)
}

// SetPassword sets the password of a slice, of fvadmin or of a viewer.
func (c *Client) SetPassword(ctx context.Context, account, password string) error {
	return c.plain(ctx, http.MethodPut, "/accounts"+seg(account)+"/password", apitype.PasswordUpdate{Password: password})
}

// SliceStats returns the message counters of a slice.
func (c *Client) SliceStats(ctx context.Context, name string) (apitype.MessageStats, error) {
	return get[apitype.MessageStats](ctx, c, "/slices"+seg(name)+"/stats", nil)
}

// SliceHealth returns the state of a slice's sessions.
func (c *Client) SliceHealth(ctx context.Context, name string) (apitype.SliceHealth, error) {
	return get[apitype.SliceHealth](ctx, c, "/slices"+seg(name)+"/health", nil)
}

// SliceFlowspace returns the rules that grant a slice anything.
func (c *Client) SliceFlowspace(ctx context.Context, name string) ([]apitype.Rule, error) {
	return all[apitype.Rule](ctx, c, "/slices"+seg(name)+"/flowspace", nil)
}
