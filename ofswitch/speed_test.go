package ofswitch

import (
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// TestHandleFrameAllocates: forwarding, flooding, rewriting and learning allocate
// nothing once the switch is warm.
func TestHandleFrameAllocates(t *testing.T) {
	for _, tt := range []struct {
		name    string
		actions []of10.Action
	}{
		{"output", []of10.Action{output(2)}},
		{"flood", []of10.Action{output(of10.PortFlood)}},
		{"normal", []of10.Action{output(of10.PortNormal)}},
		{"rewrite", []of10.Action{of10.SetNWDst(1), of10.SetTPDst(2), output(2), of10.SetVLANVID(3), output(3)}},
		{"controller", []of10.Action{of10.Output(of10.PortController, 64)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, Config{})
			r.must(add(1, of10.MatchAll(), tt.actions...))
			f := tcpFrame(1, 2, 3, 4, 100)
			for range 600 { // the buffers' memory and the arena
				r.frame(1, f)
				r.now = r.now.Add(bufferLife)
			}
			if n := testing.AllocsPerRun(200, func() {
				r.now = r.now.Add(bufferLife)
				r.frame(1, f)
			}); n != 0 {
				t.Errorf("%.1f allocations a frame", n)
			}
		})
	}
}

func BenchmarkHandleFrame(b *testing.B) {
	for _, bb := range []struct {
		name    string
		flows   int // distinct headers
		actions []of10.Action
	}{
		{"output", 1, []of10.Action{output(2)}},
		{"output 1000 headers", 1000, []of10.Action{output(2)}},
		{"output 100000 headers", 100000, []of10.Action{output(2)}},
		{"flood", 1, []of10.Action{output(of10.PortFlood)}},
		{"normal", 1, []of10.Action{output(of10.PortNormal)}},
		{"rewrite", 1, []of10.Action{of10.SetNWDst(1), of10.SetTPDst(2), output(2)}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r := newRig(b, Config{})
			r.must(add(1, matchType(0x800), bb.actions...))
			for i := range 20 { // other tuples to search when the cache misses
				m := matchType(0x800)
				m.SetNWSrcBits(i)
				m.NWSrc = 0xc0000000
				r.must(add(2, m))
			}
			frames := make([][]byte, bb.flows)
			for i := range frames {
				frames[i] = tcpFrame(1, 2, uint16(i), uint16(i>>16), 0)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.out.Reset()
				r.p.HandleFrame(r.now, 1, InFrame{Data: frames[i%len(frames)]}, &r.out)
			}
		})
	}
}
