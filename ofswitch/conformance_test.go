package ofswitch

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// The subtests carry the names of the OpenFlow 1.0 reference distribution's
// black-box tests.
func TestConformance(t *testing.T) {
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *rig)
	}{
		{"hello", func(t *testing.T, r *rig) { r.must(&of10.Hello{}) }},
		{"barrier", conformBarrier},
		{"echo", conformEcho},
		{"packet_in", conformPacketIn},
		{"packet_out", conformPacketOut},
		{"switch_config", conformConfig},
		{"flow_expired idle", conformExpiry},
		{"miss_send_length", conformMissSendLen},
		{"stats_desc", conformDesc},
		{"port_stats", conformPortStats},
		{"flow_stats and aggregate", conformFlowStats},
		{"table_stats", conformTableStats},
		{"forward", conformForward},
		{"after_expiration", conformAfterExpiration},
		{"overlapping", conformOverlap},
		{"delete", conformDelete},
		{"delete emergency and out_port", conformOutPort},
		{"drop", conformDrop},
		{"modify_action", conformModify},
		{"flow_mod_check", conformIdentical},
		{"set fields", conformSetFields},
		{"dl_nw_flip", conformFlip},
		{"ICMP", conformICMP},
		{"ARP", conformARP},
		{"cookies", conformCookies},
		{"queue_config and queue_forward", conformQueues},
		{"ip_options, ip_offset, tcp_options", conformOptions},
		{"fragments", conformFragments},
		{"exact before wildcard", conformExact},
		{"priority as given", conformPriority},
		{"buffers", conformBuffers},
		{"flow_mod with buffer", conformFlowModBuffer},
		{"port config", conformPortConfig},
		{"port status", conformPortStatus},
		{"controller_disconnect", conformEmergency},
		{"large replies", conformLargeReplies},
		{"table full", conformTableFull},
		{"roles", conformRoles},
		{"service connection", conformService},
		{"rate limit", conformRate},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, newRig(t, Config{DatapathID: 1, MaxFlows: 2000})) })
	}
}

func one[M of10.Message](t *testing.T, got []of10.Message) M {
	t.Helper()
	if len(got) == 1 {
		if m, ok := got[0].(M); ok {
			return m
		}
	}
	var want M
	t.Fatalf("got %v, want one %T", got, want)
	return want
}

func wantPorts(t *testing.T, r *rig, want ...of10.Port) {
	t.Helper()
	if diff := cmp.Diff(want, r.ports()); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

func conformBarrier(t *testing.T, r *rig) {
	m := one[*of10.BarrierReply](t, r.send(&of10.BarrierRequest{}))
	if m.XID != r.xid {
		t.Errorf("xid %d, want %d", m.XID, r.xid)
	}
	// What stands before the barrier is in force for the next frame, caches included.
	f := tcpFrame(1, 2, 1000, 80, 0)
	for i, to := range []of10.Port{2, 3, 4} {
		r.must(add(5, inPort(1), output(to)))
		one[*of10.BarrierReply](t, r.send(&of10.BarrierRequest{}))
		r.frame(1, f)
		wantPorts(t, r, to)
		r.frame(1, f) // now from the cache
		wantPorts(t, r, to)
		if got := r.flows()[0].PacketCount; got != 2 {
			t.Errorf("round %d: %d packets counted, want 2", i, got)
		}
	}
}

func conformEcho(t *testing.T, r *rig) {
	m := one[*of10.EchoReply](t, r.send(&of10.EchoRequest{Data: []byte("hello")}))
	if m.XID != r.xid || string(m.Data) != "hello" {
		t.Errorf("got %v %q", m, m.Data)
	}
}

func conformConfig(t *testing.T, r *rig) {
	get := func() of10.GetConfigReply {
		m := one[*of10.GetConfigReply](t, r.send(&of10.GetConfigRequest{}))
		m.XID = 0
		return *m
	}
	if diff := cmp.Diff(of10.GetConfigReply{MissSendLen: 128}, get()); diff != "" {
		t.Error(diff)
	}
	r.must(&of10.SetConfig{Flags: of10.FragDrop, MissSendLen: 64})
	if diff := cmp.Diff(of10.GetConfigReply{Flags: of10.FragDrop, MissSendLen: 64}, get()); diff != "" {
		t.Error(diff)
	}
	r.send(&of10.SetConfig{Flags: of10.FragReasm, MissSendLen: 5})
	if diff := cmp.Diff(of10.GetConfigReply{Flags: of10.FragDrop, MissSendLen: 64}, get()); diff != "" {
		t.Errorf("a refused set_config changed something: %s", diff)
	}
}

func conformPortStatus(t *testing.T, r *rig) {
	r.out.Reset()
	r.addPort(9)
	m := one[*of10.PortStatus](t, r.messages(ctl))
	if m.Reason != of10.PortAdded || m.Desc.PortNo != 9 || m.Desc.Name != "p9" {
		t.Errorf("got %v", m)
	}
	desc := m.Desc
	desc.State = of10.PortStateLinkDown
	r.out.Reset()
	r.p.SetPortState(r.now, 9, desc, &r.out)
	r.p.SetPortState(r.now, 9, desc, &r.out) // no change, no message
	if m = one[*of10.PortStatus](t, r.messages(ctl)); m.Reason != of10.PortModified || m.Desc.State != of10.PortStateLinkDown {
		t.Errorf("got %v", m)
	}
	r.must(add(1, of10.MatchAll(), output(9)))
	r.frame(1, ethFrame(1, 2, 0x88b5, 60))
	wantPorts(t, r) // its link is down
	r.out.Reset()
	r.p.RemovePort(r.now, 9, &r.out)
	if m = one[*of10.PortStatus](t, r.messages(ctl)); m.Reason != of10.PortDeleted || m.Desc.PortNo != 9 {
		t.Errorf("got %v", m)
	}
	if r.p.RemovePort(r.now, 9, &r.out) {
		t.Error("removed twice")
	}
	if err := r.p.AddPort(r.now, of10.PhyPort{PortNo: 1, Name: "x"}, nil, &r.out); err == nil {
		t.Error("port number 1 given twice")
	}
	if err := r.p.AddPort(r.now, of10.PhyPort{PortNo: 0xff00, Name: "x"}, nil, &r.out); err == nil {
		t.Error("port number 0xff00 accepted")
	}
	f := one[*of10.FeaturesReply](t, r.send(&of10.FeaturesRequest{}))
	if len(f.Ports) != 4 || f.DatapathID != 1 || f.NBuffers != 256 || f.Actions != of10.AllActions {
		t.Errorf("features %v", f)
	}
}

func conformPortConfig(t *testing.T, r *rig) {
	r.must(add(1, of10.MatchAll(), output(of10.PortFlood)))
	r.must(add(2, matchType(0x88b6), output(of10.PortAll)))
	set := func(no of10.Port, bits of10.PortConfig) {
		r.must(&of10.PortMod{PortNo: no, HWAddr: portMAC(no), Config: bits, Mask: of10.PortConfigAll})
	}
	f, all := ethFrame(1, 2, 0x88b5, 60), ethFrame(1, 2, 0x88b6, 60)
	stp := append([]byte{1, 0x80, 0xc2, 0, 0, 0}, f[6:]...)
	in := func(frame []byte, want ...of10.Port) {
		t.Helper()
		r.frame(1, frame)
		wantPorts(t, r, want...)
	}
	set(2, of10.PortConfigNoFlood)
	in(f, 3, 4)
	in(all, 2, 3, 4)
	set(2, of10.PortConfigNoFwd)
	in(all, 3, 4)
	set(2, of10.PortConfigDown)
	in(all, 3, 4)
	set(2, 0)
	in(all, 2, 3, 4)
	set(1, of10.PortConfigDown)
	in(all)
	set(1, of10.PortConfigNoRecv)
	in(f)
	in(stp, 2, 3, 4)
	set(1, of10.PortConfigNoRecvSTP)
	in(f, 2, 3, 4)
	in(stp)
	r.must(with(add(0, of10.MatchAll()), func(m *of10.FlowMod) { m.Command = of10.FlowDelete }))
	set(1, of10.PortConfigNoPacketIn)
	r.frame(1, f)
	if got := r.messages(ctl); len(got) != 0 {
		t.Errorf("NO_PACKET_IN: got %v", got)
	}
	r.frame(2, f)
	one[*of10.PacketIn](t, r.messages(ctl))
	m := one[*of10.FeaturesReply](t, r.send(&of10.FeaturesRequest{}))
	if m.Ports[0].Config != of10.PortConfigNoPacketIn {
		t.Errorf("config reads back as %v", m.Ports[0].Config)
	}
	// Other connections hear of it, the one that did it does not.
	r.p.Connect(7, Primary)
	set(3, of10.PortConfigNoFlood)
	if got := r.messages(7); len(got) != 1 || got[0].Type() != of10.TypePortStatus {
		t.Errorf("the other controller got %v", got)
	}
}

func conformRoles(t *testing.T, r *rig) {
	r.p.Connect(2, Primary)
	role := func(id ConnID, n byte) {
		t.Helper()
		r.out.Reset()
		r.p.HandleMessage(r.now, id, message(1, 4, 0, 0, 0x23, 0x20, 0, 0, 0, 10, 0, 0, 0, n), &r.out)
		m := one[*of10.Vendor](t, r.messages(id))
		if want := []byte{0, 0, 0, 11, 0, 0, 0, n}; !bytes.Equal(want, m.Data) {
			t.Errorf("role reply %x", m.Data)
		}
	}
	role(ctl, 1)
	role(2, 1) // the second master makes the first a slave
	fm := add(1, inPort(1))
	wantError(t, r.send(fm), of10.ErrorBadRequest, of10.BadRequestEPerm, r.xid, encode(fm))
	r.frame(1, ethFrame(1, 2, 0x88b5, 60))
	if len(r.messages(ctl)) != 0 || len(r.messages(2)) != 1 {
		t.Errorf("packet_in: slave got %d, master %d", len(r.messages(ctl)), len(r.messages(2)))
	}
	role(ctl, 0)
	r.must(fm)
}

func conformService(t *testing.T, r *rig) {
	r.p.Connect(5, Service)
	f := ethFrame(1, 2, 0x88b5, 60)
	r.frame(1, f)
	if got := r.messages(5); len(got) != 0 {
		t.Errorf("unasked: %v", got)
	}
	r.out.Reset()
	r.p.HandleMessage(r.now, 5, encode(&of10.SetConfig{MissSendLen: 20}), &r.out)
	r.frame(1, f)
	if got := one[*of10.PacketIn](t, r.messages(5)); len(got.Data) != 20 {
		t.Errorf("got %d bytes", len(got.Data))
	}
	if got := one[*of10.PacketIn](t, r.messages(ctl)); len(got.Data) != 60 {
		t.Errorf("the other connection's miss_send_len changed too: %d", len(got.Data))
	}
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
