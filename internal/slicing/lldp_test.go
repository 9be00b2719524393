package slicing

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// Two controllers in two slices, divided by VLAN, discover the same physical links
// of three switches in a row, each with its own probes only.
func TestLinkDiscoveryOfTwoSlices(t *testing.T) {
	t.Parallel()
	type end struct {
		sw   int
		port of10.Port
	}
	wires := map[end]end{{0, 3}: {1, 2}, {1, 2}: {0, 3}, {1, 3}: {2, 2}, {2, 2}: {1, 3}}
	var sw []*rig
	for range 3 {
		sw = append(sw, newRig(t, 3, "100 dl_vlan=10 alice=7", "100 dl_vlan=20 bob=7", "1 dl_vlan=0xffff carol=7"))
	}
	for n, r := range sw {
		r.add("alice", "priority=1 actions=drop") // flows that take everything must not take probes
		r.add("bob", "priority=65535 actions=flood")
		if n > 0 {
			r.add("carol", "actions=flood")
		}
	}
	want := []string{"0:3-1:2", "1:2-0:3", "1:3-2:2", "2:2-1:3"}
	for _, slice := range []string{"alice", "bob"} {
		var links []string
		for n, r := range sw {
			for _, p := range testPorts(3) {
				// Chassis and port id say where the probe comes from.
				frame := lldpFrame(byte(p.PortNo))
				frame[17] = byte(n)
				m := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Data: frame, Actions: []of10.Action{of10.Output(p.PortNo, 0)}}
				if got := r.send(slice, m); len(got) != 0 {
					t.Fatalf("%s on switch %d: %v", slice, n, got)
				}
				for _, f := range r.takeSent() {
					to, ok := wires[end{n, f.port}]
					if !ok {
						continue
					}
					sw[to.sw].frame(to.port, []byte(f.data))
					for _, other := range []string{"alice", "bob", "carol"} {
						for _, in := range packetIns(sw[to.sw].take(other)) {
							if other != slice || !slices.Equal(in.Data, frame) {
								t.Errorf("a probe of %s reached %s as %x", slice, other, in.Data)
								continue
							}
							links = append(links, fmt.Sprintf("%d:%d-%d:%d", in.Data[17], in.Data[22], to.sw, in.InPort))
						}
					}
				}
			}
		}
		slices.Sort(links)
		if slice == "alice" {
			// Alice's own flow drops untagged probes, as it would on a switch of her own.
			if len(links) != 0 {
				t.Errorf("alice, whose flow drops everything, found %v", links)
			}
			for _, r := range sw {
				r.flow("alice", of10.FlowDelete, "actions=drop")
				r.take("alice")
			}
			continue
		}
		if len(links) != 0 {
			t.Errorf("bob, whose flow floods everything, found %v", links)
		}
		for _, r := range sw {
			r.flow("bob", of10.FlowDelete, "actions=drop")
			r.take("bob")
		}
	}
	for _, slice := range []string{"alice", "bob"} {
		var links []string
		for n, r := range sw {
			for _, p := range testPorts(3) {
				frame := lldpFrame(byte(p.PortNo))
				frame[17] = byte(n)
				r.send(slice, &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Data: frame, Actions: []of10.Action{of10.Output(p.PortNo, 0)}})
				for _, f := range r.takeSent() {
					to, ok := wires[end{n, f.port}]
					if !ok {
						continue
					}
					sw[to.sw].frame(to.port, []byte(f.data))
					for _, in := range packetIns(sw[to.sw].take(slice)) {
						links = append(links, fmt.Sprintf("%d:%d-%d:%d", in.Data[17], in.Data[22], to.sw, in.InPort))
					}
					for _, other := range []string{"alice", "bob", "carol"} {
						if got := sw[to.sw].take(other); len(got) != 0 {
							t.Errorf("a probe of %s reached %s", slice, other)
						}
					}
				}
			}
		}
		slices.Sort(links)
		if diff := cmp.Diff(want, links); diff != "" {
			t.Errorf("links %s found:\n%s", slice, diff)
		}
	}
}

// The mark is behind the TTL TLV, in front of frames that are no TLVs, and behind a
// VLAN tag; taking it off gives the frame back byte for byte, padding or not.
func TestMark(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1, "100 any alice=7")
	tagged := append([]byte{1, 0x80, 0xc2, 0, 0, 0x0e, 0, 0, 0, 0, 0, 9, 0x81, 0, 0, 5, 0x88, 0xcc}, lldpFrame(1)[14:]...)
	strange := append(lldpFrame(1)[:12:12], 0x89, 0x99, 1, 2, 3)
	for _, frame := range [][]byte{lldpFrame(1), tagged, strange, append(lldpFrame(2), make([]byte, 600)...)} {
		marked := r.d.markLLDP(r.d.slices["alice"], frame)
		if len(marked) <= len(frame) {
			t.Fatalf("%x is not marked", frame)
		}
		for _, pad := range []int{0, 7} {
			clean, name := r.d.unmarkLLDP(append(slices.Clone(marked), make([]byte, pad)...))
			if name != "alice" || !slices.Equal(clean, frame) {
				t.Errorf("pad %d: %q %x, want %x", pad, name, clean, frame)
			}
		}
		for n := range marked {
			if clean, name := r.d.unmarkLLDP(marked[:n]); name != "" || len(clean) != n {
				t.Errorf("cut to %d bytes: %q", n, name)
			}
		}
	}
}
