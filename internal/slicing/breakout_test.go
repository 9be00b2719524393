package slicing

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// Fragments have no ports a switch would set, so setting them does not make a frame
// one's own.
func TestFragmentsGetNoPorts(t *testing.T) {
	t.Parallel()
	const tcp = "dl_type=0x800,nw_proto=6,"
	rules := []string{"20 " + tcp + "nw_dst=10.0.0.98,tp_dst=80 alice=7", "10 " + tcp + "nw_dst=10.0.0.99 alice=7", "5 any bob=7"}
	actions := flowMod(t, "actions=mod_tp_dst:80,mod_nw_dst:10.0.0.98,output:2").Actions
	whole, fragment := pkt{tpDst: 22}.bytes(), pkt{tpDst: 22}.bytes()
	fragment[20] = 0x20 // more of them follow
	for name, c := range map[string]struct {
		match string
		frame []byte
		ok    bool
	}{
		"a flow for fragments too":  {tcp + "nw_dst=10.0.0.99", nil, false},
		"a flow for a port":         {tcp + "nw_dst=10.0.0.99,tp_dst=22", nil, true},
		"a buffered fragment":       {"", fragment, false},
		"a whole frame, buffered":   {"", whole, true},
		"a fragment brought along":  {"data", fragment, false},
		"a whole one brought along": {"data", whole, true},
	} {
		r := newRig(t, 3, rules...)
		var m of10.Message
		switch {
		case c.frame == nil:
			f := flowMod(t, c.match+" actions=drop")
			f.Actions = actions
			m = f
		case c.match == "data":
			m = &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: actions, Data: c.frame}
		default:
			r.frame(1, c.frame)
			in := packetIns(r.take("alice"))
			if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
				t.Fatalf("%s: alice got %v", name, in)
			}
			m = &of10.PacketOut{BufferID: in[0].BufferID, InPort: 1, Actions: actions}
		}
		if !c.ok {
			r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
		} else if got := r.send("alice", m); len(got) != 0 {
			t.Errorf("%s: refused: %v", name, got)
		}
		if got := ports(r.takeSent()); c.frame != nil && c.ok != slices.Equal(got, []int{2}) {
			t.Errorf("%s: left by %v", name, got)
		}
	}
}

// An IPv4 packet whose header is cut has no addresses a switch would set.
func TestCutPacketsGetNoAddresses(t *testing.T) {
	t.Parallel()
	rules := []string{"20 dl_dst=00:00:00:00:00:07,dl_type=0x800,nw_dst=10.0.0.98 alice=7", "10 dl_dst=00:00:00:00:00:02 alice=7", "5 any bob=7"}
	actions := flowMod(t, "actions=mod_nw_dst:10.0.0.98,mod_dl_dst:00:00:00:00:00:07,output:2").Actions
	whole := pkt{dst: 2}.bytes()
	for name, c := range map[string]struct {
		match string
		frame []byte
		ok    bool
	}{
		"a flow for cut ones too": {"dl_dst=00:00:00:00:00:02,dl_type=0x800", nil, false},
		"a flow for an address":   {"dl_dst=00:00:00:00:00:02,dl_type=0x800,nw_dst=10.0.0.99", nil, false}, // see TestAddressesLeftAlone
		"a flow for a protocol":   {"dl_dst=00:00:00:00:00:02,dl_type=0x800,nw_proto=6", nil, true},
		"a cut one, buffered":     {"", whole[:24], false},
		"a whole one, buffered":   {"", whole, true},
	} {
		r := newRig(t, 3, rules...)
		if c.frame == nil {
			m := flowMod(t, c.match+" actions=drop")
			m.Actions = actions
			if !c.ok {
				r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
			} else if got := r.send("alice", m); len(got) != 0 {
				t.Errorf("%s: refused: %v", name, got)
			}
			continue
		}
		r.frame(1, c.frame)
		in := packetIns(r.take("alice"))
		if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
			t.Fatalf("%s: alice got %v", name, in)
		}
		m := &of10.PacketOut{BufferID: in[0].BufferID, InPort: 1, Actions: actions}
		if !c.ok {
			r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
		} else if got := r.send("alice", m); len(got) != 0 {
			t.Errorf("%s: refused: %v", name, got)
		}
	}
}

// A queue that is granted on one port is not granted on another by way of IN_PORT.
func TestQueuesBackToTheIngress(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "10 in_port=1 alice=7 queue=1", "10 in_port=2 alice=7 queue=2", "9 in_port=3 bob=7 queue=1")
	for _, match := range []string{"", "dl_type=0x800", "in_port=2"} {
		m := flowMod(t, match+" actions=drop")
		m.Actions = []of10.Action{of10.Enqueue(of10.PortInPort, 1)}
		if got := r.send("alice", m); len(got) != 0 {
			t.Fatalf("%q: %v", match, got)
		}
		if got := ports(r.frame(2, pkt{}.bytes())); len(got) != 0 {
			t.Errorf("%q: a frame of port 2 left by %v in a queue that alice has on port 1 only", match, got)
		}
	}
	if got := ports(r.frame(1, pkt{}.bytes())); !slices.Equal(got, []int{1}) {
		t.Errorf("a frame of port 1 left by %v", got)
	}
}

// Open vSwitch takes SET_TP_SRC and SET_TP_DST of an ICMP message for its type and code,
// which other switches leave alone: a message must be the slice's own either way.
func TestICMPTypesStayInTheSpace(t *testing.T) {
	t.Parallel()
	const icmp = "dl_type=0x800,nw_proto=1,"
	rules := []string{"20 " + icmp + "tp_src=8 alice=7", "20 " + icmp + "tp_src=3 alice=7", "20 dl_type=0x800,nw_proto=6 alice=7", "10 any bob=7"}
	echo := pkt{}.bytes()
	echo[23] = of10.ProtoICMP
	copy(echo[34:], []byte{8, 0, 0, 0})
	for list, ok := range map[string]bool{
		"mod_tp_src:3,output:2":                              true,
		"mod_tp_src:0,output:2":                              false,
		"mod_tp_src:256,output:2":                            false, // as a type it is 0
		"mod_tp_src:259,output:2":                            true,
		"output:2,mod_tp_src:0":                              true,
		"mod_tp_src:0,mod_dl_dst:00:00:00:00:00:05,output:2": false,
		"mod_tp_dst:7,output:2":                              true,
	} {
		actions := flowMod(t, "actions="+list).Actions
		for name, message := range map[string]func(r *rig) of10.Message{
			"a flow":      func(*rig) of10.Message { return &of10.FlowMod{Match: flowMod(t, icmp+"tp_src=8 actions=drop").Match} },
			"a wide flow": func(*rig) of10.Message { return &of10.FlowMod{Match: of10.MatchAll()} },
			"a frame brought along": func(*rig) of10.Message {
				return &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Data: echo}
			},
			"a buffered frame": func(r *rig) of10.Message {
				r.frame(1, echo)
				in := packetIns(r.take("alice"))
				if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
					t.Fatalf("alice got %v", in)
				}
				return &of10.PacketOut{BufferID: in[0].BufferID, InPort: 1}
			},
		} {
			r := newRig(t, 3, rules...)
			m := message(r)
			switch m := m.(type) {
			case *of10.FlowMod:
				m.BufferID, m.OutPort, m.Actions = of10.NoBuffer, of10.PortNone, actions
			case *of10.PacketOut:
				m.Actions = actions
			}
			if !ok {
				r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
			} else if got := r.send("alice", m); len(got) != 0 {
				t.Errorf("%s with %s: refused: %v", name, list, got)
			}
		}
	}
}

// Open vSwitch takes dl_vlan_pcp without dl_vlan for tagged frames only. Untagged ones,
// which have priority 0, are named besides, in pieces and in guards.
func TestPriorityOfUntaggedFrames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules []string
		flow  string
		want  string
	}{
		"guard": {[]string{"20 dl_vlan_pcp=0 bob=7", "10 any alice=7"}, "in_port=1 actions=output:2", "vlan_tci=0x0000 prio=P actions=[CONTROLLER:65535]"},
		"piece": {[]string{"20 dl_vlan_pcp=0 alice=7", "10 any bob=7"}, "in_port=1 actions=output:2", "in_port=1,vlan_tci=0x0000 prio=P actions=[output:2]"},
		"flow":  {[]string{"20 in_port=1-2 alice=7", "10 any bob=7"}, "in_port=1,dl_vlan_pcp=0 actions=output:2", "in_port=1,vlan_tci=0x0000 prio=P actions=[output:2]"},
		"whole": {[]string{"20 in_port=1 alice=7", "20 any alice=7"}, "dl_vlan_pcp=0 actions=output:2", "vlan_tci=0x0000 prio=P actions=[output:2]"},
	} {
		r := newRig(t, 3, c.rules...)
		r.add("alice", c.flow)
		found := false
		for _, l := range r.table() {
			found = found || regexp.MustCompile("prio=[0-9]+").ReplaceAllString(l, "prio=P") == c.want
		}
		if !found {
			t.Errorf("%s: no %s in\n%s", name, c.want, strings.Join(r.table(), "\n"))
		}
	}
	r := newRig(t, 3, "20 in_port=1-2 alice=7")
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: -1, Strict: true}, &out)
	r.add("alice", "in_port=1,dl_vlan_pcp=0 actions=output:2")
}

// Where pieces of one flow overlap, a switch may give a frame to the one that has idled
// out, and a miss it is not.
func TestIdlePieceThatOverlaps(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1 alice=7", "100 dl_vlan=5 alice=7", "10 any bob=7")
	r.add("alice", "idle_timeout=2 actions=output:2")
	for range 4 {
		r.pass(time.Second)
		if got := ports(r.frame(1, pkt{}.bytes())); !slices.Equal(got, []int{2}) {
			t.Fatalf("left by %v", got)
		}
	}
	frame := pkt{vlan: 5}.bytes()
	var out Out
	r.d.FromSwitch(r.now, encode(t, &of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(frame)), InPort: 1, Reason: of10.ReasonAction, Data: frame}), &out)
	r.pump(&out)
	if got := ports(r.takeSent()); !slices.Equal(got, []int{2}) {
		t.Errorf("left by %v", got)
	}
	if got := r.take("alice"); len(got) != 0 {
		t.Errorf("alice got %v", got)
	}
}

// Open vSwitch leaves the addresses of IPv4 packets alone whose protocol is 0 or whose
// length is wrong. They must be the slice's own either way.
func TestAddressesLeftAlone(t *testing.T) {
	t.Parallel()
	rules := []string{"20 dl_dst=00:00:00:00:00:07,dl_type=0x800,nw_dst=10.0.0.98 alice=7", "10 dl_dst=00:00:00:00:00:02 alice=7", "5 any bob=7"}
	actions := flowMod(t, "actions=mod_nw_dst:10.0.0.98,mod_dl_dst:00:00:00:00:00:07,output:2").Actions
	with := func(change func(b []byte)) []byte {
		b := pkt{dst: 2, bigPayload: 300}.bytes()
		b[16], b[17] = byte((len(b)-14)>>8), byte(len(b)-14)
		change(b)
		return b
	}
	for name, c := range map[string]struct {
		frame []byte
		ok    bool
	}{
		"whole":        {with(func([]byte) {}), true},
		"protocol 0":   {with(func(b []byte) { b[23] = 0 }), false},
		"much padding": {with(func(b []byte) { b[16], b[17] = 0, 40 }), false},
		"too short":    {with(func(b []byte) { b[16], b[17] = 9, 0 }), false},
		"no length":    {with(func(b []byte) { b[16], b[17] = 0, 0 }), false},
	} {
		r := newRig(t, 3, rules...)
		m := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: actions, Data: c.frame}
		if !c.ok {
			r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
		} else if got := r.send("alice", m); len(got) != 0 {
			t.Errorf("%s: refused: %v", name, got)
		}
	}
	r := newRig(t, 3, rules...)
	r.frame(1, with(func(b []byte) { b[23] = 0 }))
	in := packetIns(r.take("alice"))
	if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
		t.Fatalf("alice got %v", in)
	}
	r.wantError("alice", &of10.PacketOut{BufferID: in[0].BufferID, InPort: 1, Actions: actions}, of10.ErrorBadAction, of10.BadActionEPerm)
	for match, ok := range map[string]bool{"nw_dst=10.0.0.99": false, "nw_proto=0": false, "nw_proto=6": true, "nw_proto=2": true} {
		m := flowMod(t, "dl_dst=00:00:00:00:00:02,dl_type=0x800,"+match+" actions=drop")
		m.Actions = actions
		if got := r.send("alice", m); (len(got) == 0) != ok {
			t.Errorf("%s: %v", match, got)
		}
	}
}

// A flow for one header that lies in several rules is a point, however it is written.
func TestMergedPoints(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "20 in_port=1,dl_vlan_pcp=0 alice=7", "20 any alice=7")
	r.add("alice", "priority=3,tcp,in_port=1,dl_vlan=0xffff,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.99,nw_tos=0,tp_src=7,tp_dst=80 actions=output:2")
	for _, s := range r.d.points {
		if !s.pat.Exact() {
			t.Errorf("%v is one header and not exact", s.pat.Match())
		}
	}
	if len(r.d.points) != 1 {
		t.Errorf("%d points", len(r.d.points))
	}
}
