package hypervisor_test

import (
	"encoding/hex"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// The scenarios of reference/flowvisor-core.md, appendix C, that need live sessions;
// the others are in internal/slicing.

// Scenario 10: a controller that was away for a minute, came back and then hangs is
// noticed by the keep-alive, and connected to again.
func TestScenario10KeepAliveAfterOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: 10 * time.Second})
		w.controller("red", flood)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 2)
		sw.connect()
		status := func() (state string, connects uint64) {
			synctest.Wait()
			d, err := w.svc.Datapath(hypervisor.Local(), 1)
			if err != nil || len(d.Connections) != 1 {
				t.Fatalf("datapath is %+v, %v", d, err)
			}
			return d.Connections[0].State, d.Connections[0].Connects
		}
		w.mu.Lock()
		gone := w.controllers["red"]
		delete(w.controllers, "red")
		w.mu.Unlock()
		gone.close()
		bubble.Sleep(time.Minute)
		if state, _ := status(); state == "connected" {
			t.Fatal("connected to a controller that is away")
		}
		hang := make(chan struct{})
		defer close(hang)
		back := w.controller("red", func(c *fakeController, m of10.Message) {
			if p, ok := m.(*of10.PacketIn); ok && p.InPort == 2 {
				<-hang // reads and answers nothing any more
			}
			flood(c, m)
		})
		bubble.Sleep(30 * time.Second)
		if state, n := status(); state != "connected" || n != 2 {
			t.Fatalf("after the outage the session is %s, connected %d times", state, n)
		}
		sw.inject(1, ethernet(1, 2))
		if diff := cmp.Diff(map[int]int{2: 1}, sw.received()); diff != "" {
			t.Errorf("frame arrived (-want +got):\n%s", diff)
		}
		bubble.Sleep(5 * time.Minute)
		if state, n := status(); state != "connected" || n != 2 {
			t.Fatalf("a silent, living controller's session is %s, connected %d times", state, n)
		}
		sw.inject(2, ethernet(2, 1))
		bubble.Sleep(time.Minute)
		if state, n := status(); state != "connected" || n != 3 {
			t.Errorf("a minute after the controller hung its session is %s, connected %d times", state, n)
		}
		sw.received()
		sw.inject(1, ethernet(1, 2))
		if diff := cmp.Diff(map[int]int{2: 1}, sw.received()); diff != "" {
			t.Errorf("frame over the new connection arrived (-want +got):\n%s", diff)
		}
		if back.connections() == 0 {
			t.Error("no connection")
		}
	})
}

// Scenario 11: a rule that was removed stays removed on a connected switch when
// another is added.
func TestScenario11RemovedRuleStaysRemoved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", learn)
		w.slice("red")
		w.rule("a", 100, "in_port=1|2", "red")
		sw := w.newSwitch(1, 4)
		sw.connect()
		sw.inject(1, ethernet(1, 2))
		if got := sw.flows(); len(got) != 1 || got[0].Match.InPort != 1 {
			t.Fatalf("flows in the switch: %v", got)
		}
		w.change(hypervisor.RuleChange{Op: flowspace.Remove, Ref: "a"})
		w.rule("b", 100, "in_port=3|4", "red")
		synctest.Wait()
		sw.received()
		take[*of10.PacketIn](red)
		if got := sw.flows(); len(got) != 0 {
			t.Errorf("flows in the switch after removing the rule: %v", got)
		}
		for _, p := range []int{1, 2} {
			sw.inject(p, ethernet(1, 2))
		}
		if in, got := take[*of10.PacketIn](red), sw.received(); len(in) != 0 || len(got) != 0 {
			t.Errorf("the removed rule's space: %d packet_ins, frames arrived at %v", len(in), got)
		}
		sw.inject(3, ethernet(3, 4))
		if diff := cmp.Diff(map[int]int{4: 1}, sw.received()); diff != "" {
			t.Errorf("frame in the added rule arrived (-want +got):\n%s", diff)
		}
		red.send(&of10.FeaturesRequest{XID: 5})
		synctest.Wait()
		if f := take[*of10.FeaturesReply](red); len(f) != 1 || len(f[0].Ports) != 2 || f[0].Ports[0].PortNo != 3 {
			t.Errorf("features: %v, want ports 3 and 4", f)
		}
	})
}

// Scenario 12: a switch that offers 1.3 is spoken to in 1.0, unless it says that it
// cannot.
func TestScenario12HelloOf13(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hello string
		want  of10.Type
	}{
		"no bitmap":       {"0400000800000001", of10.TypeFeaturesRequest},
		"1.0 and 1.3":     {"04000010000000010001000800000012", of10.TypeFeaturesRequest},
		"1.3 and no else": {"04000010000000010001000800000010", of10.TypeError},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, hypervisor.SwitchOptions{})
				ours, theirs := ofwire.Pipe()
				defer theirs.Close()
				w.wg.Go(func() { _ = w.switches.ServeConn(w.ctx, ours) })
				hello, err := hex.DecodeString(c.hello)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := theirs.Write(hello); err != nil {
					t.Fatal(err)
				}
				r := ofwire.NewReader(theirs, 4096)
				var got []of10.Type
				for range 2 {
					frame, err := r.Next()
					if err != nil {
						t.Fatalf("after %v: %v", got, err)
					}
					if frame[0] != ofwire.Version10 {
						t.Errorf("a message of version %d: %x", frame[0], frame)
					}
					got = append(got, of10.Type(frame[1]))
				}
				if diff := cmp.Diff([]of10.Type{of10.TypeHello, c.want}, got); diff != "" {
					t.Errorf("messages (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// connectVia connects the switch through somebody who can say things in its name.
func (f *fakeSwitch) connectVia() (say net.Conn) {
	ours, up := ofwire.Pipe()
	down, theirs := ofwire.Pipe()
	f.w.wg.Go(func() { _ = f.sw.Serve(f.w.ctx, theirs, ofswitch.Primary) })
	f.w.wg.Go(func() { _ = f.w.switches.ServeConn(f.w.ctx, ours) })
	f.w.wg.Go(func() { _, _ = io.Copy(up, down); _ = up.Close() })
	f.w.wg.Go(func() { _, _ = io.Copy(down, up); _ = down.Close() })
	synctest.Wait()
	return up
}

// Scenario 13: truncated and random frames in packet_ins and messages of unknown
// types cost themselves, broken framing costs its connection, and no other switch or
// slice notices.
func TestScenario13GarbageInFrames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red, blue := w.controller("red", flood), w.controller("blue", flood)
		w.slice("red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1|2", "red")
		w.rule("b", 100, "in_port=3|4", "blue")
		sick, sound := w.newSwitch(1, 4), w.newSwitch(2, 4)
		say := sick.connectVia()
		sound.connect()
		tell := func(b []byte) {
			t.Helper()
			if _, err := say.Write(b); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		alive := func(after string, sw *fakeSwitch) {
			t.Helper()
			sw.received()
			sw.inject(1, ethernet(1, 2))
			sw.inject(3, ethernet(3, 4))
			if diff := cmp.Diff(map[int]int{2: 1, 4: 1}, sw.received()); diff != "" {
				t.Errorf("%s frames arrived (-want +got):\n%s", after, diff)
			}
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		for n := range 200 {
			data := make([]byte, n%70)
			for i := range data {
				data[i] = byte(rnd.Uint32())
			}
			if len(data) > 14 && n%2 == 0 {
				copy(data[12:], [][]byte{{8, 0}, {0x81, 0}, {8, 6}, {0x88, 0xcc}, {0, 40}}[n/2%5])
			}
			b, err := (&of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(data)), InPort: 1, Data: data}).AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			tell(b)
			if n == 0 {
				tell([]byte{1, byte(of10.TypePacketIn), 0, 12, 0, 0, 0, 1, 0, 0, 0, 1}) // itself cut short
			}
		}
		for typ := 22; typ < 256; typ++ {
			tell([]byte{1, byte(typ), 0, 12, 0, 0, 0, 1, 9, 9, 9, 9})
		}
		alive("after garbage", sick)
		alive("after garbage of the other switch", sound)
		if n := red.connections() + blue.connections(); n != 4 || red.closed+blue.closed != 0 {
			t.Errorf("%d controller connections, %d ended; want 4 and none", n, red.closed+blue.closed)
		}
		tell([]byte{1, byte(of10.TypeEchoRequest), 0, 3, 0, 0, 0, 1})
		alive("after broken framing of the other switch", sound)
		if red.connections() != 1 || blue.connections() != 1 {
			t.Errorf("%d and %d controller connections, want those of the sound switch", red.connections(), blue.connections())
		}
	})
}
