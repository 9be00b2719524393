package slicing

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire/of10"
)

// Frames of nearly 64 KiB leave no room for what govisor or a flow adds to them. They
// are cut, refused or counted, but never lost in silence.
func TestLongFrames(t *testing.T) {
	t.Parallel()
	out := []of10.Action{of10.Output(of10.PortController, 0xffff)}
	long := func(n int, actions ...of10.Action) *of10.PacketOut {
		frame := pkt{typ: 0x88b5}.bytes()
		size := 0
		for _, a := range actions {
			size += a.Len()
		}
		return &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: actions, Data: append(frame, make([]byte, n-16-size-len(frame))...)}
	}
	r := newRigOver(t, testPorts(3), space(t, "10 any alice=7"), -1)

	m := long(0xffff, append([]of10.Action{of10.SetVLANVID(5)}, out...)...)
	got := packetIns(r.send("alice", m))
	if len(got) != 1 || int(got[0].TotalLen) != len(m.Data)+4 || len(got[0].Data) != len(m.Data)+4 {
		t.Errorf("the longest packet_out to CONTROLLER came back as %v", got)
	}

	refused := func(m *of10.PacketOut) {
		t.Helper()
		got := r.send("alice", m)
		e, ok := got[0].(*of10.Error)
		if len(got) != 1 || !ok || e.ErrType != of10.ErrorBadRequest || e.Code != of10.BadRequestBadLen || e.XID != m.XID || len(e.Data) != 0xffff-12 {
			t.Errorf("answered with %.200v", got)
		}
	}
	refused(long(0xffff, of10.Output(of10.PortFlood, 0)))
	if n := r.d.Counters.Get(DropTooLong); n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
	r.send("alice", long(0xffff-8, of10.Output(of10.PortFlood, 0)))
	if got := ports(r.takeSent()); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("a frame that just fits left by %v", got)
	}

	probe := long(0xffff, of10.Output(2, 0))
	copy(probe.Data[12:], []byte{0x88, 0xcc})
	refused(probe)

	r.add("alice", "dl_type=0x88b5 actions=mod_vlan_vid:5,controller:65535")
	frame := append(pkt{typ: 0x88b5}.bytes(), make([]byte, 0xffff-18-60)...)
	var o Out
	r.d.FromSwitch(r.now, encode(t, &of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(frame)), InPort: 1, Reason: of10.ReasonAction, Data: frame}), &o)
	r.pump(&o)
	got = packetIns(r.take("alice"))
	if len(got) != 1 || int(got[0].TotalLen) != len(frame)+4 || len(got[0].Data) != 0xffff-18 {
		t.Errorf("a frame that grows too long came as %d packet_ins", len(got))
	}
}

// A flow whose actions no longer fit because the switch has got more ports is out of
// force, which is said once.
func TestActionsThatGrow(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "10 any alice=7")
	var events []string
	r.d.cfg.Report = func(e Event) { events = append(events, e.What) }
	r.add("alice", "in_port=1 actions="+strings.Repeat("flood,", 2000)+"flood")
	for n := 3; n <= 6; n++ {
		var out Out
		r.d.FromSwitch(r.now, encode(t, &of10.PortStatus{Reason: of10.PortAdded, Desc: of10.PhyPort{PortNo: of10.Port(n), Name: fmt.Sprint("p", n)}}), &out)
		r.pump(&out)
	}
	r.take("alice")
	if got := r.table(); !strings.HasSuffix(got[len(got)-1], "actions=[]") {
		t.Errorf("the switch has %.200v", got)
	}
	if len(events) == 0 {
		t.Error("nothing was reported")
	}
	if got := r.flowsIn("alice", "actions=drop"); len(got) != 1 || len(got[0].Actions) != 2001 {
		t.Error("the slice does not see its flow as it is")
	}
}

// A switch that tells of more ports than a features_reply has room for.
func TestPortsWithoutEnd(t *testing.T) {
	t.Parallel()
	r := newRigOver(t, testPorts(1300), space(t, "10 any alice=7"), 16)
	for n := 1301; n <= 1400; n++ {
		var out Out
		r.d.FromSwitch(r.now, encode(t, &of10.PortStatus{Reason: of10.PortAdded, Desc: of10.PhyPort{PortNo: of10.Port(n)}}), &out)
		r.pump(&out)
	}
	r.take("alice")
	got := r.send("alice", &of10.FeaturesRequest{})
	if len(got) != 1 || len(got[0].(*of10.FeaturesReply).Ports) != (0xffff-32)/48 {
		t.Errorf("alice got %.100v", got)
	}
	r.respace(flowspace.Change{Op: flowspace.Remove, Rule: r.fs.View(testDPID).Rules()[0]})
}
