package slicing

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// Row "slice breakout": frames that leave, or arrive, outside the slice's space.
var breakoutAttacks = []attack{
	{"set-field alone", setFieldAlone},
	{"set-fields in combination", setFieldsCombined}, // more: TestHole03Rewriting
	{"push and pop VLAN", pushAndPopVLAN},
	{"set, output, set", setOutputSet},
	{"reserved output ports in flows", reservedOutputs},
	{"reserved output ports in packet_outs", reservedPacketOuts},
	{"queue of somebody else", foreignQueue}, // more: TestQueues
	{"frames parsers disagree on", ambiguousFrames},
}

func setFieldAlone(t *testing.T) {
	for _, c := range []struct{ within, alice, bob, action string }{
		{"", "dl_vlan=10", "dl_vlan=20", "mod_vlan_vid:20"},
		{"dl_vlan=10,", "dl_vlan_pcp=1", "dl_vlan_pcp=2", "mod_vlan_pcp:2"},
		{"", "dl_src=00:00:00:00:00:01", "dl_src=00:00:00:00:00:02", "mod_dl_src:00:00:00:00:00:02"},
		{"", "dl_dst=00:00:00:00:00:01", "dl_dst=00:00:00:00:00:02", "mod_dl_dst:00:00:00:00:00:02"},
		{"dl_type=0x800,", "nw_src=10.0.0.0/8", "nw_src=11.0.0.0/8", "mod_nw_src:11.0.0.1"},
		{"dl_type=0x800,", "nw_dst=10.0.0.0/8", "nw_dst=11.0.0.0/8", "mod_nw_dst:11.0.0.1"},
		{"dl_type=0x800,", "nw_tos=32", "nw_tos=64", "mod_nw_tos:64"},
		{"dl_type=0x800,nw_proto=6,", "tp_src=80", "tp_src=443", "mod_tp_src:443"},
		{"dl_type=0x800,nw_proto=6,", "tp_dst=80", "tp_dst=443", "mod_tp_dst:443"},
	} {
		r := newRig(t, 4, "100 "+c.within+c.alice+" alice=7", "100 "+c.within+c.bob+" bob=7")
		r.wantError("alice", flowMod(t, c.within+c.alice+" actions="+c.action+",output:2"), of10.ErrorBadAction, of10.BadActionEPerm)
		r.add("bob", c.within+c.bob+" actions="+c.action+",output:2") // to itself it may
	}
}

func setFieldsCombined(t *testing.T) {
	r := newRig(t, 4, "100 dl_vlan=20,dl_dst=00:00:00:00:00:07 bob=7", "50 dl_vlan=10|20 alice=7")
	r.add("alice", "priority=1,dl_vlan=10 actions=mod_dl_dst:00:00:00:00:00:07,output:2")
	r.add("alice", "priority=2,dl_vlan=10,dl_dst=00:00:00:00:00:01 actions=mod_vlan_vid:20,output:2")
	for _, actions := range []string{"mod_dl_dst:00:00:00:00:00:07,mod_vlan_vid:20,output:2", "mod_vlan_vid:20,mod_dl_dst:00:00:00:00:00:07,output:2"} {
		r.wantError("alice", flowMod(t, "dl_vlan=10 actions="+actions), of10.ErrorBadAction, of10.BadActionEPerm)
	}
}

func pushAndPopVLAN(t *testing.T) {
	r := newRig(t, 4, "100 dl_vlan=10 alice=7", "100 dl_vlan=20 bob=7", "100 dl_vlan=0xffff carol=7")
	r.wantError("alice", flowMod(t, "dl_vlan=10 actions=strip_vlan,output:2"), of10.ErrorBadAction, of10.BadActionEPerm)
	r.wantError("carol", flowMod(t, "actions=mod_vlan_vid:20,output:2"), of10.ErrorBadAction, of10.BadActionEPerm)
	r.wantError("carol", flowMod(t, "actions=mod_vlan_pcp:3,output:2"), of10.ErrorBadAction, of10.BadActionEPerm)
	r.add("alice", "dl_vlan=10 actions=strip_vlan,mod_vlan_vid:10,output:2")
	got := r.frame(1, pkt{vlan: 10}.bytes())
	if diff := cmp.Diff([]int{2}, ports(got)); diff != "" {
		t.Fatalf("left by (-want +got):\n%s", diff)
	}
	if b := got[0].data; b[12:16] != "\x81\x00\x00\x0a" {
		t.Errorf("popped and pushed again: %x", b)
	}
	double := pkt{vlan: 10, typ: 0x8100, payload: []byte{0, 20, 8, 0}}.bytes()
	for _, f := range r.frame(1, double) {
		if f.data[12:16] != "\x81\x00\x00\x0a" {
			t.Errorf("of two tags the inner one came out: %x", f.data)
		}
	}
}

func setOutputSet(t *testing.T) {
	r := newRig(t, 4, "100 dl_vlan=10 alice=7", "100 dl_vlan=20 bob=7")
	for actions, ok := range map[string]bool{
		"mod_vlan_vid:20,output:1,mod_vlan_vid:10,output:2": false,
		"output:1,mod_vlan_vid:20,output:2":                 false,
		"mod_vlan_vid:20,mod_vlan_vid:10,output:2":          true,
		"output:2,mod_vlan_vid:20":                          true,
	} {
		m := flowMod(t, "dl_vlan=10 actions="+actions)
		po := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: m.Actions, Data: pkt{vlan: 10}.bytes()}
		if ok {
			if got := append(r.send("alice", m), r.send("alice", po)...); len(got) != 0 {
				t.Errorf("%s: %v", actions, got)
			}
			continue
		}
		r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
		r.wantError("alice", po, of10.ErrorBadAction, of10.BadActionEPerm)
	}
}

func reservedOutputs(t *testing.T) {
	r := divided(t)
	for _, p := range []of10.Port{of10.PortTable, of10.PortNormal, of10.PortLocal, of10.PortNone, 3, 4} {
		m := flowMod(t, "actions=drop")
		m.Actions = []of10.Action{of10.Output(p, 0)}
		r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionBadOutPort)
	}
	for actions, want := range map[string][]int{"in_port": {1}, "all": {2}, "flood": {2}, "all,flood,in_port": {1, 2, 2}} {
		r.add("alice", "actions="+actions)
		if diff := cmp.Diff(want, ports(r.frame(1, pkt{}.bytes()))); diff != "" {
			t.Errorf("%s: left by (-want +got):\n%s", actions, diff)
		}
	}
	r.add("alice", "actions=controller:65535")
	r.frame(1, pkt{}.bytes())
	if n := len(packetIns(r.take("alice"))); n != 1 {
		t.Errorf("controller: alice got %d packet_ins, want 1", n)
	}
	r.bobWell()
}

func reservedPacketOuts(t *testing.T) {
	r := divided(t)
	out := func(in, to of10.Port) *of10.PacketOut {
		return &of10.PacketOut{BufferID: of10.NoBuffer, InPort: in, Actions: []of10.Action{of10.Output(to, 0)}, Data: pkt{}.bytes()}
	}
	for _, to := range []of10.Port{of10.PortNormal, of10.PortLocal, 3} {
		r.wantError("alice", out(1, to), of10.ErrorBadAction, of10.BadActionBadOutPort)
	}
	for _, to := range []of10.Port{of10.PortInPort, of10.PortAll, of10.PortFlood, of10.PortTable} {
		r.wantError("alice", out(3, to), of10.ErrorBadAction, of10.BadActionEPerm) // as if from bob's port
	}
	for to, want := range map[of10.Port][]int{of10.PortInPort: {1}, of10.PortAll: {2}, of10.PortFlood: {2}, of10.PortTable: nil, of10.PortController: nil} {
		got := r.send("alice", out(1, to))
		if diff := cmp.Diff(want, ports(r.takeSent())); diff != "" {
			t.Errorf("%v: left by (-want +got):\n%s", to, diff)
		}
		for _, m := range got {
			if m.Type() != of10.TypePacketIn {
				t.Errorf("%v: %v", to, m)
			}
		}
	}
	r.bobWell()
}

func foreignQueue(t *testing.T) {
	r := newRig(t, 4, "100 in_port=1-2 alice=7 queue=1", "100 in_port=3-4 bob=7 queue=2")
	m := flowMod(t, "actions=drop")
	for _, c := range []struct {
		a    of10.Action
		code uint16
	}{{of10.Enqueue(2, 2), of10.BadActionBadQueue}, {of10.Enqueue(3, 1), of10.BadActionBadOutPort}, {of10.Enqueue(3, 2), of10.BadActionBadOutPort}} {
		m.XID, m.Actions = 0, []of10.Action{c.a}
		r.wantError("alice", m, of10.ErrorBadAction, c.code)
		r.wantError("alice", &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: m.Actions, Data: pkt{}.bytes()}, of10.ErrorBadAction, c.code)
	}
	r.add("alice", "in_port=1 actions=enqueue:2:1")
}

// ambiguousFrames: whose a frame is must be told as the specification tells a switch
// to read it, whatever another reading would say.
func ambiguousFrames(t *testing.T) {
	tcp := pkt{tpDst: 80}.bytes()
	options := append(append([]byte(nil), tcp[:34]...), 1, 1, 1, 1) // the options look like ports
	options[14] = 0x46
	options = append(options, tcp[34:]...)
	fragment := append([]byte(nil), tcp...)
	fragment[20], fragment[21] = 0x20, 0
	later := append([]byte(nil), tcp...)
	later[20], later[21] = 0, 9
	snap := append(append([]byte(nil), tcp[:12]...), 0, 48, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0)
	snap = append(snap, tcp[14:]...)
	oui := append([]byte(nil), snap...)
	oui[17] = 9 // of somebody's own protocols
	arp := pkt{typ: 0x806, payload: []byte{0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 1, 10, 0, 0, 1}}.bytes()
	for _, c := range []struct {
		name  string
		frame []byte
		owner string
	}{
		{"plain", tcp, "web"},
		{"VLAN in VLAN", pkt{vlan: 10, typ: 0x8100, payload: []byte{0, 20, 8, 0}}.bytes(), "outer"},
		{"IP options", options, "web"},
		{"first fragment", fragment, "rest"},
		{"later fragment", later, "rest"},
		{"SNAP", snap, "web"},
		{"SNAP of another OUI", oui, "rest"},
		{"ARP cut short", arp[:30], "rest"},
		{"IP cut short", tcp[:24], "rest"},
		{"TCP cut short", tcp[:35], "rest"},
		{"Ethernet only", tcp[:14], "rest"},
	} {
		r := newRig(t, 2, "100 dl_vlan=10 outer=7", "100 dl_vlan=20 inner=7", "90 dl_type=0x800,nw_proto=6,tp_dst=80 web=7", "80 dl_type=0x800,nw_proto=6,tp_dst=257 options=7", "10 any rest=7")
		slices := []string{"outer", "inner", "web", "options", "rest"}
		r.frame(1, c.frame)
		for _, s := range slices {
			if n := len(packetIns(r.take(s))); (n == 1) != (s == c.owner) {
				t.Errorf("%s: %s got %d packet_ins; it is %s's", c.name, s, n, c.owner)
			}
			got := r.send(s, &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{of10.Output(2, 0)}, Data: c.frame})
			if left := r.takeSent(); (len(left) == 1 && len(got) == 0) != (s == c.owner) {
				t.Errorf("%s: sent by %s: answered %v, %d left; it is %s's", c.name, s, got, len(left), c.owner)
			}
		}
	}
}
