package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

// ServeXMLRPC answers FlowVisor's XML-RPC of before 1.0 on a listener of its
// own until ctx ends. All arguments are strings, methods are called api.NAME.
func (s *Server) ServeXMLRPC(ctx context.Context, ln net.Listener, cfg *tls.Config) error {
	ln = &limitListener{ln, make(chan struct{}, maxConnections)}
	if cfg != nil {
		cfg = cfg.Clone()
		cfg.NextProtos = []string{"http/1.1"}
		ln = tls.NewListener(ln, cfg)
	}
	return s.serve(ctx, ln, s.XMLRPCHandler())
}

// XMLRPCHandler answers XML-RPC at any path; a login is needed.
func (s *Server) XMLRPCHandler() http.Handler {
	inner := http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.serveXML))
	return s.guarded(s.authenticate, inner)
}

type xmlCall struct {
	XMLName xml.Name   `xml:"methodCall"`
	Method  string     `xml:"methodName"`
	Params  []xmlValue `xml:"params>param>value"`
}

// xmlValue is any value of XML-RPC that FlowVisor's clients send.
type xmlValue struct {
	Text    string      `xml:",chardata"`
	String  *string     `xml:"string"`
	Int     *string     `xml:"int"`
	I4      *string     `xml:"i4"`
	Boolean *string     `xml:"boolean"`
	Array   []xmlValue  `xml:"array>data>value"`
	Members []xmlMember `xml:"struct>member"`
}

type xmlMember struct {
	Name  string   `xml:"name"`
	Value xmlValue `xml:"value"`
}

// plain reports whether v is one value, not a list or a map.
func (v *xmlValue) plain() bool { return len(v.Array) == 0 && len(v.Members) == 0 }

func (v *xmlValue) text() string {
	for _, p := range []*string{v.String, v.Int, v.I4, v.Boolean} {
		if p != nil {
			return *p
		}
	}
	return v.Text
}

func (s *Server) serveXML(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "XML-RPC wants POST", http.StatusMethodNotAllowed)
		return
	}
	text, err := readBody(w, r, true)
	if err != nil {
		http.Error(w, problemOf(err).Error(), problemOf(err).Status)
		return
	}
	var call xmlCall
	var result any
	if err = xml.Unmarshal(text, &call); err != nil {
		err = rpcErrorf(rpcParse, "the body is not an XML-RPC call")
	} else {
		result, err = s.xmlMethod(r, &call)
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	var b strings.Builder
	b.WriteString(xml.Header + "<methodResponse>")
	if err != nil {
		message := s.rpcErrorOf(r, call.Method, err).Message
		b.WriteString("<fault>")
		writeXML(&b, map[string]any{"faultCode": 0, "faultString": shorten(message)})
		b.WriteString("</fault>")
	} else {
		b.WriteString("<params><param>")
		writeXML(&b, result)
		b.WriteString("</param></params>")
	}
	b.WriteString("</methodResponse>\n")
	_, _ = w.Write([]byte(b.String())) // the caller may be gone
}

// writeXML writes a value as XML-RPC.
func writeXML(b *strings.Builder, v any) {
	b.WriteString("<value>")
	switch v := v.(type) {
	case bool:
		fmt.Fprintf(b, "<boolean>%d</boolean>", map[bool]int{true: 1}[v])
	case int:
		fmt.Fprintf(b, "<int>%d</int>", v)
	case string:
		b.WriteString("<string>")
		_ = xml.EscapeText(b, []byte(v)) // a Builder never fails
		b.WriteString("</string>")
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		writeXMLArray(b, list)
	case []any:
		writeXMLArray(b, v)
	case map[string]any:
		b.WriteString("<struct>")
		for _, k := range sortedKeys(v) {
			b.WriteString("<member><name>")
			_ = xml.EscapeText(b, []byte(k)) // likewise
			b.WriteString("</name>")
			writeXML(b, v[k])
			b.WriteString("</member>")
		}
		b.WriteString("</struct>")
	}
	b.WriteString("</value>")
}

func writeXMLArray(b *strings.Builder, list []any) {
	b.WriteString("<array><data>")
	for _, v := range list {
		writeXML(b, v)
	}
	b.WriteString("</data></array>")
}

// xmlArgs are the names of a method's arguments; overloads differ in number.
type xmlArgs struct {
	run  func(*Server, *rpcCall, []string) (any, error)
	args []int // possible numbers of arguments
}

func (s *Server) xmlMethod(r *http.Request, call *xmlCall) (any, error) {
	name, ok := strings.CutPrefix(call.Method, "api.")
	m, known := xmlMethods()[name]
	if !ok || !known {
		return nil, rpcErrorf(rpcMethod, "No such handler: %s", call.Method)
	}
	c := &rpcCall{ctx: r.Context(), by: principal(r), name: name}
	if name == "changeFlowSpace" {
		if len(call.Params) != 1 || len(call.Params[0].Array) == 0 && strings.TrimSpace(call.Params[0].text()) != "" {
			return nil, rpcErrorf(rpcParams, "changeFlowSpace takes a list of changes")
		}
		return s.xmlChangeFlowSpace(c, call.Params[0].Array)
	}
	args := make([]string, len(call.Params))
	for i := range args {
		if !call.Params[i].plain() {
			return nil, rpcErrorf(rpcParams, "%s: argument %d is not text", name, i+1)
		}
		args[i] = call.Params[i].text()
	}
	for _, n := range m.args {
		if n == len(args) {
			return m.run(s, c, args)
		}
	}
	var counts []string
	for _, n := range m.args {
		counts = append(counts, strconv.Itoa(n))
	}
	return nil, rpcErrorf(rpcParams, "%s takes %s arguments, %d given", name, strings.Join(counts, " or "), len(args))
}

// viaRPC runs the JSON-RPC method that does the same.
func (s *Server) viaRPC(c *rpcCall, method string, fields map[string]any) (any, error) {
	inner := &rpcCall{ctx: c.ctx, by: c.by, name: method, params: params{method: method, fields: map[string]json.RawMessage{}}}
	for k, v := range fields {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", k, err)
		}
		inner.params.fields[k] = text
	}
	return s.methods[method].run(s, inner)
}

// xmlChangeFlowSpace makes the changes in order, all or none, and returns ids.
func (s *Server) xmlChangeFlowSpace(c *rpcCall, list []xmlValue) (any, error) {
	changes := make([]hypervisor.RuleChange, len(list))
	for i := range list {
		fields, err := xmlMembers(&list[i])
		if err == nil {
			changes[i], err = xmlChange(fields)
		}
		if err != nil {
			return nil, rpcErrorf(rpcParams, "change %d: %v", i, err)
		}
	}
	if len(changes) == 0 {
		return []string{}, nil
	}
	res, err := s.svc.ChangeRules(c.ctx, c.by, changes, false)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(res.Rules))
	for i, r := range res.Rules {
		ids[i] = strconv.FormatUint(r.ID, 10)
	}
	return ids, nil
}

// xmlMembers reads a change, which says everything once: what is left out or misspelt would
// mean a match of everything.
func xmlMembers(v *xmlValue) (map[string]string, error) {
	known := []string{"operation", "id", "dpid", "priority", "match", "actions"}
	fields := map[string]string{}
	for _, m := range v.Members {
		if !slices.Contains(known, m.Name) {
			return nil, fmt.Errorf("unknown member %q; known are %s", clip(m.Name), strings.Join(known, ", "))
		}
		if _, twice := fields[m.Name]; twice {
			return nil, fmt.Errorf("%s is there twice", m.Name)
		}
		fields[m.Name] = m.Value.text()
	}
	needs := map[string][]string{"ADD": {"dpid", "priority", "match", "actions"}, "CHANGE": known, "REMOVE": {"id"}}[strings.ToUpper(fields["operation"])]
	for _, name := range append([]string{"operation"}, needs...) {
		if _, there := fields[name]; !there {
			return nil, fmt.Errorf("%s is missing", name)
		}
	}
	return fields, nil
}

func xmlChange(fields map[string]string) (out hypervisor.RuleChange, err error) {
	out.Ref = "id:" + fields["id"]
	r := &flowspace.Rule{}
	switch op := strings.ToUpper(fields["operation"]); op {
	case "REMOVE":
		out.Op = flowspace.Remove
		return out, nil
	case "ADD":
		out.Op, out.Rule = flowspace.Add, r
	case "CHANGE":
		out.Op = flowspace.Update
	default:
		return out, fmt.Errorf("unknown operation %q; want ADD, CHANGE or REMOVE", op)
	}
	if r.DPIDs, err = flowspace.ParseDPIDs(fields["dpid"]); err != nil {
		return out, err
	}
	prio, err := strconv.ParseUint(fields["priority"], 10, 31)
	if err != nil {
		return out, fmt.Errorf("priority %q is not a number from 0 to %d", fields["priority"], flowspace.MaxPriority)
	}
	r.Priority = uint32(prio)
	var queues flowspace.QueueText
	if r.Match, queues, err = flowspace.ParseMatchQueues(fields["match"]); err != nil {
		return out, err
	}
	if r.Grants, err = flowspace.ParseGrants(fields["actions"]); err != nil {
		return out, err
	}
	r.Queues, r.ForcedQueue, r.HasForcedQueue = queues.Queues, queues.Forced, queues.HasForced
	if out.Op == flowspace.Update {
		forced := int64(-1)
		if r.HasForcedQueue {
			forced = int64(r.ForcedQueue)
		}
		out.Patch = hypervisor.RulePatch{DPIDs: &r.DPIDs, Priority: &r.Priority, Match: &r.Match, Grants: r.Grants, Queues: &r.Queues, ForcedQueue: &forced}
	}
	return out, nil
}

// xmlDPID reads a datapath id; all means every datapath.
func xmlDPID(text string) (id ofwire.DatapathID, all bool, err error) {
	if isAll(text) {
		return 0, true, nil
	}
	id, err = ofwire.ParseDatapathID(text)
	if err != nil {
		return 0, false, &hypervisor.Error{Kind: apitype.KindInvalid, Field: "dpid", Value: text, Detail: err.Error(), Index: -1}
	}
	return id, false, nil
}
