package slicing

import (
	"sync"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire/of10"
)

// The fast path runs beside everything else; the race detector watches.
func TestFastPacketInBesideEverythingElse(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "100 in_port=1 alice=7", "50 any bob=7,carol=2")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	seen := make(chan uint32, 4096)
	wg.Go(func() {
		var out Out
		for {
			select {
			case <-stop:
				return
			default:
			}
			out.Reset()
			frame := encode(t, &of10.PacketIn{BufferID: 9, TotalLen: 60, InPort: 1, Data: pkt{}.bytes()})
			if r.d.FastPacketIn(frame, &out) {
				for m := range out.Deliveries() {
					select {
					case seen <- of10.PacketInBufferID(m.Frame):
					default:
					}
				}
			}
		}
	})
	views := []*flowspace.View{r.fs.View(testDPID), space(t, "70 in_port=1 bob=7", "60 any alice=7").View(testDPID)}
	for n := range 300 {
		var out Out
		r.d.SetView(r.now, views[n%2], &out)
		r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, &of10.SetConfig{MissSendLen: uint16(n)}), &out)
		r.d.FromController(r.now, "bob", Conn{ID: 1}, encode(t, flowMod(t, "dl_type=0x806 actions=output:2")), &out)
		for range 10 {
			select {
			case id := <-seen:
				po := &of10.PacketOut{BufferID: id, InPort: 1, Actions: []of10.Action{of10.Output(1, 0)}}
				r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, po), &out)
			default:
			}
		}
		r.d.ControllerDown(r.now, "bob")
		r.d.ControllerUp(r.now, "bob", &out)
	}
	close(stop)
	wg.Wait()
}

// Virtual buffers are used once, and the oldest make room.
func TestBuffers(t *testing.T) {
	t.Parallel()
	b := buffers{real: newRealBuffers(256)}
	h := pktHeader(1)
	b.real.seen(77)
	first := b.store(77, 1, 60, &h, nil)
	if f, _, ok := b.take(first); !ok || f.real != 77 || f.inPort != 1 || f.total != 60 || f.header != h.Header() {
		t.Errorf("took %+v %v", f, ok)
	}
	if _, code, ok := b.take(first); ok || code != of10.BadRequestBufferEmpty {
		t.Errorf("second use: %d %v", code, ok)
	}
	for _, id := range []uint32{0, first + 1, 4711, of10.NoBuffer - 1} {
		if _, code, ok := b.take(id); ok || code != of10.BadRequestBufferUnknown {
			t.Errorf("id %d: %d %v", id, code, ok)
		}
	}
	old := b.store(1, 1, 60, &h, nil)
	for n := range uint32(bufferSlots) {
		b.store(2+n, 1, 60, &h, nil)
	}
	if _, code, ok := b.take(old); ok || code != of10.BadRequestBufferUnknown {
		t.Errorf("overwritten: %d %v", code, ok)
	}
	b.next.Store(of10.NoBuffer - 1)
	if id := b.store(3, 1, 60, &h, nil); id == of10.NoBuffer || id == 0 {
		t.Errorf("id %x is no id", id)
	}
}

// A buffer of the switch is used by one slice only, and what stood for its former
// frame is gone when the switch uses the id again.
func TestRealBuffers(t *testing.T) {
	t.Parallel()
	real := newRealBuffers(5000)
	if len(real.ids) != 8192 || len(newRealBuffers(0).ids) != minRealBuffers || len(newRealBuffers(1<<31).ids) != maxRealBuffers {
		t.Errorf("%d places for 5000 buffers", len(real.ids))
	}
	a, b := buffers{real: real}, buffers{real: real}
	h := pktHeader(1)
	take := func(name string, from *buffers, id uint32, wantOK bool, wantCode uint16) {
		t.Helper()
		if _, code, ok := from.take(id); ok != wantOK || code != wantCode {
			t.Errorf("%s: %v, code %d, want %v, %d", name, ok, code, wantOK, wantCode)
		}
	}
	real.seen(7)
	first, shared := a.store(7, 1, 60, &h, nil), b.store(7, 1, 60, &h, nil)
	take("the first of two", &a, first, true, 0)
	take("the second of two", &b, shared, false, of10.BadRequestBufferEmpty)
	real.seen(7)
	old := a.store(7, 1, 60, &h, nil)
	real.seen(7)
	again := b.store(7, 2, 60, &h, nil)
	take("of the frame before", &a, old, false, of10.BadRequestBufferUnknown)
	take("of the frame before, once more", &a, old, false, of10.BadRequestBufferUnknown)
	take("of the frame now", &b, again, true, 0)
	kept := []byte("frame")
	own := a.store(of10.NoBuffer, 1, 60, &h, &kept)
	real.seen(of10.NoBuffer)
	take("kept by govisor", &a, own, true, 0)
	real.seen(8)
	old = a.store(8, 1, 60, &h, nil)
	real.seen(8 + 8192)
	take("whose place another id has taken", &a, old, false, of10.BadRequestBufferUnknown)
}

// Requests that a switch never answers are bounded, and answered all the same.
func TestUnansweredRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=7")
	r.add("alice", "actions=output:2")
	var out Out
	refused := 0
	for n := range 2 * maxStatsJobs {
		m := &of10.StatsRequest{XID: uint32(n + 1), StatsType: of10.StatsDesc}
		out.Reset()
		r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, m), &out)
		refused += out.Len()
	}
	if refused != maxStatsJobs {
		t.Errorf("%d refused, want %d", refused, maxStatsJobs)
	}
	out.Reset()
	r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, &of10.BarrierRequest{XID: 99999}), &out)
	xid := r.d.xid
	out.Reset()
	r.d.FromSwitch(r.now, encode(t, &of10.BarrierReply{XID: xid}), &out)
	if out.Len() != maxStatsJobs+1 {
		t.Errorf("after the barrier %d answers, want %d", out.Len(), maxStatsJobs+1)
	}
}

// A packet_out that is checked, sent and confirmed costs no memory once the records
// of earlier ones can be used again.
func TestPacketOutAllocatesNothing(t *testing.T) {
	r := newRig(t, 4, benchRules(1000)...)
	frame := encode(t, &of10.PacketOut{XID: 5, BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{of10.Output(2, 0)}, Data: pkt{}.bytes()})
	barrier := encode(t, &of10.BarrierReply{})
	var out Out
	one := func() {
		out.Reset()
		r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out)
		if out.Len() != 0 || len(out.Switch()) == 0 {
			t.Fatal("not sent")
		}
		sent := out.Switch()
		if last := sent[len(sent)-8:]; of10.PeekType(last) == of10.TypeBarrierRequest && last[3] == 8 {
			of10.PutXID(barrier, of10.XID(last))
			r.d.FromSwitch(r.now, barrier, &out)
		}
	}
	for range 4 * confirmEvery {
		one()
	}
	if a := testing.AllocsPerRun(4*confirmEvery, one); a != 0 {
		t.Errorf("%v allocations per packet_out", a)
	}
}

func BenchmarkPacketOut(b *testing.B) {
	r := newRig(b, 4, benchRules(1000)...)
	frame := encode(b, &of10.PacketOut{XID: 5, BufferID: of10.NoBuffer, InPort: 1, Actions: []of10.Action{of10.Output(2, 0)}, Data: pkt{}.bytes()})
	var out Out
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		r.d.FromController(r.now, "alice", Conn{ID: 1}, frame, &out)
		if n++; n%confirmEvery == 0 {
			r.d.passed(r.now, r.d.xid, &out)
		}
	}
}
