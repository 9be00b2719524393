package hypervisor

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
)

// Trace is what happens to a packet, or what a flow_mod becomes.
type Trace struct {
	Header     flowspace.Match
	Rule       *flowspace.Rule   // the owner, nil if none
	Considered []*flowspace.Rule // that match, strongest first
	Slice      string            // who controls it
	Readers    []string
	Verdict    string
	Reason     string
	Flows      []apitype.Flow
}

// TracePacket tells who owns a packet on a datapath, and which flows of the
// switch match it. It is for who may see the whole flowspace.
func (s *Service) TracePacket(ctx context.Context, p Principal, id ofwire.DatapathID, h flowspace.Header) (Trace, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadShared, "") || !p.seesAll() {
		return Trace{}, denied(p, "trace packets")
	}
	view := st.flows.View(uint64(id))
	t := Trace{Header: flowspace.PointMatch(&h), Rule: view.Owner(&h), Flows: []apitype.Flow{}}
	t.Considered = view.Overlapping(t.Header, nil)
	if t.Rule == nil {
		t.Verdict, t.Reason = "dropped", "no rule of the flowspace matches"
	} else {
		t.explain(st)
	}
	sess := s.session(id)
	if sess == nil {
		t.Reason += "; the datapath is not connected, so there are no flows to look at"
		return t, nil
	}
	flows, err := sess.Flows(ctx)
	if err != nil {
		return t, &Error{Kind: apitype.KindUnavailable, Detail: "the switch did not tell its flows: " + err.Error(), Index: -1, Err: err}
	}
	for _, f := range flows {
		m, err := flowspace.ParseMatch(f.Match)
		if err == nil && m.Matches(&h) {
			t.Flows = append(t.Flows, f)
		}
	}
	slices.SortStableFunc(t.Flows, func(a, b apitype.Flow) int { return int(b.Priority) - int(a.Priority) })
	return t, nil
}

// explain says what the owning rule means for the packet.
func (t *Trace) explain(st *state) {
	var writers, off []string
	for _, g := range t.Rule.Grants {
		sl := st.slices[g.Slice]
		if sl == nil || !sl.Enabled {
			off = append(off, g.Slice)
			continue
		}
		if g.Perm&flowspace.Write != 0 {
			writers = append(writers, g.Slice)
		}
		if g.Perm&(flowspace.Read|flowspace.Write) != 0 {
			t.Readers = append(t.Readers, g.Slice)
		}
	}
	t.Slice = strings.Join(writers, ",")
	t.Reason = fmt.Sprintf("rule %s (priority %d) is the strongest of %d that match", t.Rule.Name, t.Rule.Priority, len(t.Considered))
	if len(off) > 0 {
		t.Reason += "; disabled: " + strings.Join(off, ", ")
	}
	switch {
	case len(writers) > 0:
		t.Verdict = "handled by the flows of slice " + t.Slice + ", or a packet_in to " + strings.Join(t.Readers, ", ")
	case len(t.Readers) > 0:
		t.Verdict = "packet_in to " + strings.Join(t.Readers, ", ") + "; no slice may forward it"
	default:
		t.Verdict = "dropped"
		t.Reason += "; no enabled slice may handle it"
	}
}

// TraceFlowMod tells what a flow_mod of a slice would become in the switch.
func (s *Service) TraceFlowMod(p Principal, id ofwire.DatapathID, slice, flow string) (Trace, error) {
	if _, err := s.Slice(p, slice); err != nil {
		return Trace{}, err
	}
	sess, err := s.connectedTo(p, id)
	if err != nil {
		return Trace{}, err
	}
	flows, err := sess.TraceFlowMod(slice, flow)
	if err != nil {
		return Trace{}, &Error{Kind: apitype.KindInvalid, Field: "flow_mod", Value: clip(flow), Detail: err.Error(), Index: -1, Err: err}
	}
	t := Trace{Slice: slice, Flows: append([]apitype.Flow{}, flows...), Verdict: fmt.Sprintf("becomes %d flows", len(flows)), Reason: "cut to the space of slice " + slice}
	if len(flows) == 0 {
		t.Verdict = "becomes nothing"
	}
	return t, nil
}

// ParseHeader reads a packet header as text of one value per field, or as the
// hexadecimal frame that came in on a port.
func ParseHeader(text, frame string, inPort uint32) (flowspace.Header, error) {
	if frame != "" {
		b, err := hex.DecodeString(strings.NewReplacer(" ", "", ":", "", "\n", "").Replace(frame))
		if err != nil || len(b) < 14 {
			return flowspace.Header{}, invalid("packet", frame, "the packet is not the hexadecimal text of a frame", "at least 14 bytes, such as ffffffffffff0000000000010806...")
		}
		return packet.Parse(b, inPort), nil
	}
	m, err := flowspace.ParseMatch(text)
	if err != nil {
		return flowspace.Header{}, FromFlowspace(err)
	}
	h := flowspace.Header{DLVLAN: 0xffff, DLSrc: m.DLSrc.MAC(), DLDst: m.DLDst.MAC(), NWSrc: m.NWSrc.Addr, NWDst: m.NWDst.Addr, InPort: inPort}
	for _, f := range []struct {
		name string
		set  flowspace.Set
		put  func(uint32)
	}{
		{"in_port", m.InPort, func(v uint32) { h.InPort = v }},
		{"dl_vlan", m.DLVLAN, func(v uint32) { h.DLVLAN = uint16(v) }},
		{"dl_vlan_pcp", m.DLVLANPCP, func(v uint32) { h.DLVLANPCP = uint8(v) }},
		{"dl_type", m.DLType, func(v uint32) { h.DLType = uint16(v) }},
		{"nw_tos", m.NWTos, func(v uint32) { h.NWTos = uint8(v) }},
		{"nw_proto", m.NWProto, func(v uint32) { h.NWProto = uint8(v) }},
		{"tp_src", m.TPSrc, func(v uint32) { h.TPSrc = uint16(v) }},
		{"tp_dst", m.TPDst, func(v uint32) { h.TPDst = uint16(v) }},
	} {
		if f.set.IsAny() {
			continue
		}
		v, ok := f.set.Value()
		if !ok {
			return h, invalid("header."+f.name, "", f.name+" of a packet is one value, not several", "")
		}
		f.put(v)
	}
	return h, nil
}
