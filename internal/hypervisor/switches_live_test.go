package hypervisor_test

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// rawSwitch connects a scripted switch without ports. It says what it is asked
// until deaf is closed, and then reads nothing any more.
func (w *world) rawSwitch(hello string, size int, deaf <-chan struct{}) {
	ours, theirs := ofwire.PipeSize(size)
	w.wg.Go(func() { _ = w.switches.ServeConn(w.ctx, ours) })
	context.AfterFunc(w.ctx, func() { _ = theirs.Close() })
	b, err := hex.DecodeString(hello)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := theirs.Write(b); err != nil {
		w.t.Fatal(err)
	}
	w.wg.Go(func() {
		r := ofwire.NewReader(theirs, 4096)
		for {
			select {
			case <-deaf:
				return
			default:
			}
			frame, err := r.Next()
			if err != nil {
				return
			}
			m, err := of10.Parse(frame)
			if err != nil {
				w.t.Errorf("govisor sent %x: %v", frame, err)
				return
			}
			var answer of10.Message
			switch m := m.(type) {
			case *of10.FeaturesRequest:
				answer = &of10.FeaturesReply{XID: m.XID, DatapathID: 2, NBuffers: 256, NTables: 1, Actions: of10.AllActions, Ports: []of10.PhyPort{{PortNo: 1, Name: "p1"}}}
			case *of10.StatsRequest:
				answer = &of10.StatsReply{XID: m.XID, StatsType: m.StatsType}
			case *of10.BarrierRequest:
				answer = &of10.BarrierReply{XID: m.XID}
			case *of10.EchoRequest:
				answer = &of10.EchoReply{XID: m.XID, Data: m.Data}
			default:
				continue
			}
			out, err := answer.AppendBinary(nil)
			if err != nil {
				w.t.Error(err)
			}
			_, _ = theirs.Write(out)
		}
	})
	synctest.Wait()
}

// A switch that does not read slows its own slices' connections; others, of the
// same slices too, go on.
func TestDeafSwitchHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: 10 * time.Second})
		red := w.controller("red", flood)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 2)
		sw.connect()
		deaf := make(chan struct{})
		w.rawSwitch("0100000800000001", 1000, deaf)
		if red.connections() != 2 {
			t.Fatalf("%d controller connections, want 2", red.connections())
		}
		close(deaf)
		red.mu.Lock()
		slow := red.conns[1]
		red.mu.Unlock()
		big := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Actions: []of10.Action{of10.Output(1, 0)}, Data: make([]byte, 60000)}
		b, err := big.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		stuck := make(chan int, 1)
		go func() {
			n := 0
			for ; ; n++ {
				_ = slow.SetWriteDeadline(time.Now().Add(time.Second))
				if _, err := slow.Write(b); err != nil {
					break
				}
			}
			stuck <- n
		}()
		synctest.Wait()
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 {
			t.Errorf("frame on the other switch arrived at %v", got)
		}
		if n := <-stuck; n > 40 {
			t.Errorf("the controller could send %d packet_outs of 60 kB to a switch that does not read", n)
		}
		bubble.Sleep(time.Minute)
		synctest.Wait()
		d, err := w.svc.Datapath(hypervisor.Local(), 2)
		if err == nil && d.Connected {
			t.Error("a switch that does not answer is still connected")
		}
		if red.connections() != 1 {
			t.Errorf("%d controller connections, want that of the living switch", red.connections())
		}
	})
}

func TestSwitchThatOffersMore(t *testing.T) {
	t.Parallel()
	for name, hello := range map[string]string{
		"with a bitmap":    "0400001000000001" + "0001000800000012",
		"without a bitmap": "0600000800000001",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, hypervisor.SwitchOptions{})
			red := w.controller("red", flood)
			w.slice("red")
			w.rule("r", 100, "any", "red")
			w.rawSwitch(hello, 1<<16, nil)
			if red.connections() != 1 {
				t.Errorf("%s: not connected", name)
			}
		})
	}
}

func TestControllerChangedWhileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		one, two := w.controller("one", flood), w.controller("two", flood)
		w.slice("red", "module:one")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 2)
		sw.connect()
		begin := time.Now()
		if _, err := w.svc.UpdateSlice(t.Context(), hypervisor.Local(), "red", hypervisor.SlicePatch{Controllers: []string{"module:two"}}, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if one.connections() != 0 || two.connections() != 1 || time.Since(begin) != 0 {
			t.Errorf("%d and %d connections after %v, want 0 and 1 at once", one.connections(), two.connections(), time.Since(begin))
		}
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 {
			t.Errorf("frame arrived at %v", got)
		}
	})
}

// Frames of a slice whose controller is away are nobody's; when it comes back they
// are its again.
func TestControllerAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		blue := w.controller("blue", flood)
		w.slice("red", "module:red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1|2", "red")
		w.rule("b", 100, "in_port=3|4", "blue")
		sw := w.newSwitch(1, 4)
		sw.connect()
		for range 5 {
			sw.inject(1, ethernet(1, 2))
		}
		if got := sw.received(); len(got) != 0 {
			t.Errorf("frames of a slice that is away arrived at %v", got)
		}
		sw.inject(3, ethernet(3, 4))
		if diff := cmp.Diff(map[int]int{4: 1}, sw.received()); diff != "" {
			t.Errorf("the other slice's frame arrived (-want +got):\n%s", diff)
		}
		if n := len(take[*of10.PacketIn](blue)); n != 1 {
			t.Errorf("blue heard %d packet_ins", n)
		}
		w.controller("red", flood)
		bubble.Sleep(20 * time.Second)
		sw.inject(1, ethernet(1, 2))
		if diff := cmp.Diff(map[int]int{2: 1}, sw.received()); diff != "" {
			t.Errorf("frame arrived (-want +got):\n%s", diff)
		}
	})
}

// After a restart of govisor a switch comes with flows; those that the journal
// knows stay, counters included, and strangers go.
func TestRestartKeepsFlows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w := newWorldIn(t, dir, hypervisor.SwitchOptions{})
		w.controller("red", learn)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 4)
		hang := sw.connect()
		sw.inject(1, ethernet(1, 2))
		sw.inject(3, ethernet(3, 4))
		bubble.Sleep(10 * time.Second)
		before := sw.flows()
		if len(before) != 2 {
			t.Fatalf("%d flows, want 2", len(before))
		}
		hang()
		stranger := &of10.FlowMod{Match: of10.MatchAll(), Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone}
		if err := sw.sw.AddFlow(stranger); err != nil {
			t.Fatal(err)
		}
		w.restart(dir, hypervisor.SwitchOptions{})
		red := w.controller("red", nil)
		sw.connect()
		bubble.Sleep(5 * time.Second)
		after := sw.flows()
		if len(after) != 2 {
			t.Fatalf("%d flows after the restart, want 2: %v", len(after), after)
		}
		for _, f := range after {
			if f.DurationSec < 10 {
				t.Errorf("flow was put in anew: %v", f)
			}
		}
		red.send(&of10.StatsRequest{XID: 3, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}})
		synctest.Wait()
		replies := take[*of10.StatsReply](red)
		if len(replies) != 1 || len(replies[0].Body.(of10.FlowStatsReply)) != 2 {
			t.Errorf("the slice is told %v", replies)
		}
	})
}

func TestFlowsAreShownWithTheirOwner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		w.controller("red", learn)
		w.slice("red")
		w.rule("r", 100, "in_port=1|2", "red")
		sw := w.newSwitch(1, 2)
		sw.connect()
		sw.inject(1, ethernet(1, 2))
		sw.inject(1, ethernet(1, 2))
		flows, err := w.svc.DatapathFlows(t.Context(), hypervisor.Local(), 1)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range flows {
			if f.Slice == "red" && f.Kind == "piece" && strings.Contains(f.Match, "in_port=1") && f.Actions == "output:2" && f.Packets == 2 {
				found = true
			}
		}
		if !found {
			t.Errorf("physical flows: %+v", flows)
		}
		trace, err := w.svc.TraceFlowMod(hypervisor.Local(), 1, "red", "priority=5,actions=output:1")
		pieces := slices.DeleteFunc(trace.Flows, func(f apitype.Flow) bool { return f.Kind != "piece" })
		if err != nil || len(pieces) != 2 || pieces[0].Match != "in_port=1" || pieces[1].Actions != "output:1" || pieces[1].Priority != 5 {
			t.Errorf("trace of a flow_mod: %+v, %v", trace, err)
		}
		if _, err := w.svc.TraceFlowMod(hypervisor.Local(), 1, "red", "in_port=9,actions=output:1"); err == nil {
			t.Error("a flow outside of the slice's space is not refused")
		}
		virtual, err := w.svc.SliceFlows(t.Context(), hypervisor.Local(), 1, "red")
		if err != nil {
			t.Fatal(err)
		}
		if len(virtual) != 1 || virtual[0].Kind != "virtual" || virtual[0].Priority != 10 || virtual[0].Packets != 2 {
			t.Errorf("virtual flows: %+v", virtual)
		}
	})
}

// Whoever opens connections and says nothing cannot keep a switch out for long, nor
// use up the process.
func TestCrowdOfSilentConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{HandshakeTimeout: 5 * time.Second})
		w.controller("red", flood)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		const crowd = 5000
		var refused atomic.Int32
		for range crowd {
			ours, theirs := ofwire.PipeSize(64)
			w.wg.Go(func() {
				if err := w.switches.ServeConn(w.ctx, ours); strings.Contains(err.Error(), "too many") {
					refused.Add(1)
				}
			})
			context.AfterFunc(w.ctx, func() { _ = theirs.Close() })
		}
		synctest.Wait()
		if got := refused.Load(); got != crowd-4096 {
			t.Errorf("%d connections refused, want %d", got, crowd-4096)
		}
		bubble.Sleep(6 * time.Second)
		sw := w.newSwitch(1, 2)
		sw.connect()
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 {
			t.Errorf("frame arrived at %v", got)
		}
	})
}

// What a slice's flows count against its limit stays as long as they may come back,
// and not longer.
func TestLimitsWhileASwitchIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", learn)
		w.slice("red")
		one := 1
		if _, err := w.svc.UpdateSlice(t.Context(), hypervisor.Local(), "red", hypervisor.SlicePatch{LimitsPatch: hypervisor.LimitsPatch{FlowModLimit: &one}}, nil); err != nil {
			t.Fatal(err)
		}
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 4)
		hang := sw.connect()
		sw.inject(1, ethernet(1, 2))
		hang()
		other := w.newSwitch(2, 4)
		other.connect()
		other.inject(1, ethernet(1, 2))
		if got := take[*of10.Error](red); len(got) != 1 {
			t.Errorf("%d errors, want one: the flow on the switch that is away counts", len(got))
		}
		hang = sw.connect()
		all := &of10.FlowMod{Match: of10.MatchAll(), Command: of10.FlowDelete, BufferID: of10.NoBuffer, OutPort: of10.PortNone}
		red.send(all)
		synctest.Wait()
		hang()
		other.inject(1, ethernet(1, 2))
		if got := take[*of10.Error](red); len(got) != 0 {
			t.Errorf("errors after all flows were deleted: %v", got)
		}
		if got := other.flows(); len(got) != 1 {
			t.Errorf("%d flows on the other switch, want 1", len(got))
		}
	})
}
