package slicing

import (
	"bytes"
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// Row "LLDP/topology": links that are not there.
var discoveryAttacks = []attack{
	{"probe forged by a host", forgedProbe}, // every byte of the mark: TestHole02LLDP
	{"relay to a port of another slice", relayedProbe},
	{"oversize and cut TLVs", oddTLVs}, // cut marks: TestMark
}

// probe lets alice send a probe by port 1 and returns it as it left.
func (r *rig) probe(frame []byte) []byte {
	r.t.Helper()
	got := r.send("alice", &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Data: frame, Actions: []of10.Action{of10.Output(1, 0)}})
	sent := r.takeSent()
	if len(got) != 0 || len(sent) != 1 {
		r.t.Fatalf("probe: answers %v, left %v", got, sent)
	}
	return []byte(sent[0].data)
}

func forgedProbe(t *testing.T) {
	r := newRig(t, 4, "100 dl_vlan=10 alice=7", "100 dl_vlan=20 bob=7")
	r.frame(2, r.probe(lldpFrame(1)))
	if n := len(packetIns(r.take("alice"))); n != 1 {
		t.Fatalf("alice got %d of her own probes", n)
	}
	other := newRig(t, 4, "100 dl_vlan=10 alice=7")
	other.d.cfg.Key = []byte("a guess")
	for name, frame := range map[string][]byte{"without mark": lldpFrame(1), "with a mark made with another key": other.probe(lldpFrame(1))} {
		r.frame(2, frame)
		if a, b := r.take("alice"), r.take("bob"); len(a)+len(b) != 0 {
			t.Errorf("%s: alice got %v, bob %v", name, a, b)
		}
	}
}

func relayedProbe(t *testing.T) {
	r := newRig(t, 4, "100 in_port=1-2 alice=7", "100 in_port=3-4 bob=7")
	probe := r.probe(lldpFrame(1))
	r.frame(3, probe)
	if a, b := r.take("alice"), r.take("bob"); len(a)+len(b) != 0 {
		t.Errorf("on bob's port: alice got %v, bob %v", a, b)
	}
	// Nor can bob send it on as alice's.
	got := r.send("bob", &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Data: probe, Actions: []of10.Action{of10.Output(4, 0)}})
	for _, f := range append(r.takeSent(), wireFrame{4, string(probe)}) {
		if len(got) == 0 && f.data != string(probe) {
			r.frame(2, []byte(f.data))
			for _, in := range packetIns(r.take("alice")) {
				if bytes.Equal(in.Data, lldpFrame(1)) {
					t.Error("bob's relay was taken for alice's own probe")
				}
			}
		}
	}
}

func oddTLVs(t *testing.T) {
	head := lldpFrame(1)[:14]
	for name, payload := range map[string][]byte{
		"longer than the frame": {2, 7, 4, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 1},
		"type without length":   {2}, "empty": {}, "end at once": {0, 0}, "nothing but zeros": make([]byte, 40),
		"of 511 bytes": append([]byte{0xff, 0xff}, make([]byte, 511)...), "TTL without end": {6, 2, 0, 120},
		"largest frame": bytes.Repeat([]byte{0xfe, 0}, 4000),
	} {
		r := newRig(t, 2, "100 in_port=1-2 alice=7")
		frame := append(append([]byte(nil), head...), payload...)
		r.send("alice", &of10.SetConfig{MissSendLen: 0xffff})
		r.frame(2, frame)
		if in := packetIns(r.take("alice")); len(in) != 1 || !bytes.Equal(in[0].Data, frame) {
			t.Errorf("%s: a foreign frame came as %v", name, in)
		}
		r.frame(2, r.probe(frame))
		if in := packetIns(r.take("alice")); len(in) != 1 || !bytes.Equal(in[0].Data, frame) {
			t.Errorf("%s: the slice's own probe came as %v", name, in)
		}
	}
}
