package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/govisor/govisor/api/apitype"
)

// rpcKinds turns FlowVisor's error codes into kinds.
var rpcKinds = map[int]apitype.Kind{
	-32700: apitype.KindInvalid, -32600: apitype.KindDenied, -32601: apitype.KindInvalid, -32602: apitype.KindInvalid,
}

// RPC calls one of FlowVisor's JSON-RPC methods and decodes the result into out.
func (c *Client) RPC(ctx context.Context, method string, params, out any) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": "fvctl", "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return unreachable(c.opts.URL, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return problem(resp)
	}
	var answer struct {
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
		}
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil {
		return unreachable(c.opts.URL, fmt.Errorf("read the answer: %w", err))
	}
	if e := answer.Error; e != nil {
		kind, ok := rpcKinds[e.Code]
		if !ok {
			kind = apitype.KindInternal
		}
		return &apitype.Problem{Kind: kind, Title: method + " failed", Detail: e.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, out)
}
