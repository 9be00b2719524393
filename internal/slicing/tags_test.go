package slicing

import (
	"fmt"
	"slices"
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// A flow that strips the outer tag must not let the inner one out unseen, however
// narrow its match, and whichever of the two kinds the tags are.
func TestInnerTagsStayInTheSpace(t *testing.T) {
	t.Parallel()
	const point = "in_port=1,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,dl_vlan=10,dl_vlan_pcp=0,dl_type=%#x"
	for _, inner := range []uint16{0x8100, 0x88a8} {
		for _, outer := range []uint16{0x8100, 0x88a8} {
			for _, match := range []string{"in_port=1", fmt.Sprintf("dl_type=%#x", inner), fmt.Sprintf(point, inner)} {
				r := newRig(t, 3, "10 dl_vlan=10 alice=7", "9 dl_vlan=30|0xffff alice=7", "5 any bob=7")
				r.add("alice", match+" actions=strip_vlan,output:2")
				frame := func(vid byte) []byte {
					return pkt{src: 1, dst: 2, vlan: 10, tpid: outer, typ: inner, payload: []byte{0, vid, 0x88, 0xb5}}.bytes()
				}
				if got := r.frame(1, frame(20)); len(got) != 0 {
					t.Errorf("%s, tags %#x %#x: bob's inner tag left: %v", match, outer, inner, got)
				}
				if n := r.d.Counters.Get(DropRewrite); n != 1 {
					t.Errorf("%s, tags %#x %#x: counted %d, want 1", match, outer, inner, n)
				}
				if got := ports(r.frame(1, frame(30))); !slices.Equal(got, []int{2}) {
					t.Errorf("%s, tags %#x %#x: alice's inner tag left by %v, want 2", match, outer, inner, got)
				}
				m := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{of10.StripVLAN(), of10.Output(2, 0)}, Data: frame(20)}
				r.wantError("alice", m, of10.ErrorBadAction, of10.BadActionEPerm)
			}
		}
	}
}

// Link discovery behind a service tag is link discovery.
func TestServiceTaggedProbes(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "10 dl_vlan=10 alice=7", "5 any bob=7")
	probe := lldpFrame(2)
	tagged := append(append(slices.Clone(probe[:12]), 0x88, 0xa8, 0, 10), probe[12:]...)
	m := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Actions: []of10.Action{of10.Output(2, 0)}, Data: tagged}
	r.send("alice", m)
	sent := r.takeSent()
	if len(sent) != 1 || sent[0].port != 2 {
		t.Fatalf("probe left as %v", sent)
	}
	r.frame(3, []byte(sent[0].data))
	if got := packetIns(r.take("alice")); len(got) != 1 || !slices.Equal(got[0].Data, tagged) {
		t.Errorf("alice got %v back", got)
	}
	if got := r.take("bob"); len(got) != 0 {
		t.Errorf("bob got %v", got)
	}
}

// A slice's own probe that its own flow handles counts without govisor's mark.
func TestProbesCountAsSent(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "10 any alice=7")
	r.add("alice", "dl_type=0x88cc actions=output:2")
	probe := lldpFrame(2)
	r.send("alice", &of10.PacketOut{BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{of10.Output(of10.PortTable, 0)}, Data: probe})
	sent := r.takeSent()
	if len(sent) != 1 {
		t.Fatalf("left: %v", sent)
	}
	if got := r.flowsIn("alice", "actions=drop"); len(got) != 1 || got[0].PacketCount != 1 || got[0].ByteCount != uint64(len(probe)) {
		t.Errorf("sent: %+v, want 1 packet of %d bytes", got, len(probe))
	}
	r.frame(3, []byte(sent[0].data))
	if got := r.flowsIn("alice", "actions=drop"); len(got) != 1 || got[0].PacketCount != 2 || got[0].ByteCount != 2*uint64(len(probe)) {
		t.Errorf("came back: %+v, want 2 packets of %d bytes", got, len(probe))
	}
}

// What govisor has to look at itself of a flow is never a point in another slice's
// space, where a switch could put it above that slice's flows.
func TestCarvedPointsStayInTheSpace(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "30 in_port=2 alice=4", "20 in_port=3|4 carol=7", "20 any bob=7")
	r.add("carol", "in_port=4 actions=output:3")
	r.add("bob", "priority=3,dl_vlan=0xffff,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,dl_type=0x88b5 actions=in_port,flood")
	r.send("bob", &of10.PortMod{PortNo: 4, HWAddr: [6]byte{2, 0, 0, 0, 0, 4}, Config: of10.PortConfigNoFwd, Mask: of10.PortConfigNoFwd})
	if err := (&world{r: r}).invariants(); err != nil {
		t.Error(err)
	}
	if got := ports(r.frame(4, pkt{src: 1, dst: 2, typ: 0x88b5}.bytes())); !slices.Equal(got, []int{3}) {
		t.Errorf("carol's frame left by %v, want 3", got)
	}
}
