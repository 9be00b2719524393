package hypervisor

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// mostCallbackFlows bounds the flows in one callback.
const mostCallbackFlows = 10_000

// callbackBody writes what a callback is sent: nil when there is nothing to tell
// any more.
func (s *Service) callbackBody(ctx context.Context, cb store.Callback, e apitype.Event) (kind string, body []byte, err error) {
	var params []any
	switch cb.Event {
	case callbackGeneral:
		return "text/xml; charset=utf-8", generalBody(cb), nil
	case callbackFlowTable:
		if params, err = s.flowParams(ctx, e); err != nil || params == nil {
			return "", nil, err
		}
	default:
		params = s.callbackParams(cb, e)
	}
	body, err = json.Marshal(map[string]any{"jsonrpc": "2.0", "method": cb.Method, "params": params, "id": e.ID, "cookie": cb.Cookie, "event": e})
	if err != nil {
		return "", nil, fmt.Errorf("encode callback: %w", err)
	}
	return "application/json", body, nil
}

// generalBody is an XML-RPC call of the method, with the cookie as its argument.
func generalBody(cb store.Callback) []byte {
	var b strings.Builder
	b.WriteString(xml.Header + "<methodCall><methodName>")
	_ = xml.EscapeText(&b, []byte(cb.Method)) // a Builder never fails
	b.WriteString("</methodName><params><param><value><string>")
	_ = xml.EscapeText(&b, []byte(cb.Cookie)) // likewise
	b.WriteString("</string></value></param></params></methodCall>\n")
	return []byte(b.String())
}

// callbackParams are what FlowVisor sent along.
func (s *Service) callbackParams(cb store.Callback, e apitype.Event) []any {
	if cb.Event == "DEVICE_CONNECTED" || cb.Event == "DEVICE_DISCONNECTED" {
		return []any{e.DPID}
	}
	out := map[string]any{"connection-status": cb.Event == "SLICE_CONNECTED", "slice-name": e.Slice, "dpid": e.DPID, "shutdown-status": false, "floodperms": false,
		"controller-host": "", "controller-port": 0}
	if sl := s.state.Load().slices[e.Slice]; sl != nil {
		out["controller-host"], out["controller-port"] = sl.Controllers[0].Target.Host, sl.Controllers[0].Target.Port
	}
	return []any{out}
}

// flowParams is a slice's flow table on a datapath, one entry a flow, with
// FlowVisor's names; nil when the datapath is away.
func (s *Service) flowParams(ctx context.Context, e apitype.Event) ([]any, error) {
	id, err := ofwire.ParseDatapathID(e.DPID)
	if err != nil {
		return nil, fmt.Errorf("callback for datapath: %w", err)
	}
	sess := s.session(id)
	if sess == nil {
		return nil, nil
	}
	flows, err := sess.SliceFlows(ctx, e.Slice)
	if err != nil {
		return nil, fmt.Errorf("read the flows: %w", err)
	}
	out := []any{}
	for i := range flows[:min(len(flows), mostCallbackFlows)] {
		f, err := flowParam(id, &flows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func flowParam(id ofwire.DatapathID, f *apitype.Flow) (map[string]any, error) {
	m, err := of10.ParseMatch(f.Match)
	if err != nil {
		return nil, fmt.Errorf("match %q: %w", f.Match, err)
	}
	list, err := of10.ParseActionList(f.Actions)
	if err != nil {
		return nil, fmt.Errorf("actions %q: %w", f.Actions, err)
	}
	match := FlowVisorMatch(m)
	if typ, ok := match["dl_type"]; ok {
		match["dl_type"] = fmt.Sprintf("%#x", typ)
	}
	actions, length := []any{}, 88 // of the entry without actions
	for i := range list {
		a := &list[i]
		name, arg, _ := strings.Cut(a.String(), ":")
		fields := map[string]any{"type": uint16(a.Type), "len": a.Len()}
		switch {
		case a.Type == of10.ActionOutput:
			name = "output" // which is printed as CONTROLLER and the like
			fields["port"], fields["max_len"] = uint16(a.Port), a.MaxLen
		case arg != "":
			fields["value"] = arg
		}
		length += a.Len()
		if rest, ok := strings.CutPrefix(name, "mod_"); ok { // as ovs-ofctl says, not OpenFlow
			name = "set_" + rest
		}
		actions = append(actions, map[string]any{"ofp_action_" + name: fields})
	}
	cookie, _ := strconv.ParseUint(f.Cookie, 0, 64) // our own writing
	return map[string]any{"ofp_match match": match, "ofp_action_header actions": actions, "dpid": uint64(id), "slice-name": f.Slice,
		"table_id": ofwire.DatapathID(f.Table).String(), "duration_sec": f.Seconds, "duraction_nsec": 0, "hard_timeout": f.HardTimeout, "idle_timeout": f.IdleTimeout,
		"cookie": cookie, "priority": strconv.FormatUint(uint64(f.Priority), 10), "packet_count": f.Packets, "byte_count": f.Bytes, "length": length}, nil
}
