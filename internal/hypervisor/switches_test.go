package hypervisor_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

func TestTwoSlicesOnOneSwitch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red, blue := w.controller("red", flood), w.controller("blue", flood)
		w.slice("red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1|2", "red")
		w.rule("b", 100, "in_port=3|4", "blue")
		sw := w.newSwitch(1, 4)
		sw.connect()
		if red.connections() != 1 || blue.connections() != 1 {
			t.Fatalf("%d and %d controller connections, want 1 and 1", red.connections(), blue.connections())
		}
		sw.inject(1, ethernet(1, 2))
		if diff := cmp.Diff(map[int]int{2: 1}, sw.received()); diff != "" {
			t.Errorf("frame from port 1 arrived (-want +got):\n%s", diff)
		}
		sw.inject(4, ethernet(4, 3))
		if diff := cmp.Diff(map[int]int{3: 1}, sw.received()); diff != "" {
			t.Errorf("frame from port 4 arrived (-want +got):\n%s", diff)
		}
		if r, b := len(take[*of10.PacketIn](red)), len(take[*of10.PacketIn](blue)); r != 1 || b != 1 {
			t.Errorf("red heard %d and blue %d packet_ins, want 1 and 1", r, b)
		}
		red.send(&of10.FeaturesRequest{XID: 5}, &of10.BarrierRequest{XID: 6})
		synctest.Wait()
		features := take[*of10.FeaturesReply](red)
		if len(features) != 1 || features[0].XID != 5 || features[0].DatapathID != 1 || len(features[0].Ports) != 2 {
			t.Errorf("features for red: %v", features)
		}
	})
}

// learn installs a flow for each packet_in: everything from its port to the other.
func learn(c *fakeController, m of10.Message) {
	p, ok := m.(*of10.PacketIn)
	if !ok {
		return
	}
	match := of10.MatchAll()
	match.Wildcards &^= of10.WildInPort
	match.InPort = p.InPort
	other := p.InPort ^ 3 // 1 and 2
	if p.InPort > 2 {
		other = 7 - p.InPort // 3 and 4
	}
	c.send(&of10.FlowMod{XID: 11, Match: match, Command: of10.FlowAdd, Priority: 10, BufferID: p.BufferID, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(other, 0)}})
}

func TestSliceRemovedWhileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red, blue := w.controller("red", learn), w.controller("blue", learn)
		w.slice("red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1|2", "red")
		w.rule("b", 100, "in_port=3|4", "blue")
		sw := w.newSwitch(1, 4)
		sw.connect()
		sw.inject(1, ethernet(1, 2))
		sw.inject(3, ethernet(3, 4))
		if got := len(sw.flows()); got != 2 {
			t.Fatalf("%d flows in the switch, want 2", got)
		}
		if err := w.svc.RemoveSlice(t.Context(), hypervisor.Local(), "red", nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if red.connections() != 0 || red.closed != 1 {
			t.Errorf("the removed slice's controller has %d connections", red.connections())
		}
		if got := sw.flows(); len(got) != 1 || got[0].Match.InPort != 3 {
			t.Errorf("flows in the switch: %v, want blue's only", got)
		}
		sw.received()
		sw.inject(3, ethernet(3, 4))
		if diff := cmp.Diff(map[int]int{4: 1}, sw.received()); diff != "" {
			t.Errorf("the other slice's frame arrived (-want +got):\n%s", diff)
		}
		if blue.connections() != 1 || blue.closed != 0 {
			t.Error("the other slice's controller was disturbed")
		}
	})
}

func TestSliceDisabledAndEnabled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", learn)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 2)
		sw.connect()
		sw.inject(1, ethernet(1, 2))
		off, on := false, true
		if _, err := w.svc.UpdateSlice(t.Context(), hypervisor.Local(), "red", hypervisor.SlicePatch{Enabled: &off}, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if red.connections() != 0 || len(sw.flows()) != 0 {
			t.Errorf("a disabled slice has %d connections and %d flows", red.connections(), len(sw.flows()))
		}
		if _, err := w.svc.UpdateSlice(t.Context(), hypervisor.Local(), "red", hypervisor.SlicePatch{Enabled: &on}, nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if red.connections() != 1 {
			t.Error("an enabled slice's controller is not connected")
		}
		sw.inject(2, ethernet(2, 1))
		if got := sw.received(); got[1] != 1 {
			t.Errorf("frame arrived at %v", got)
		}
	})
}

func TestFlowspaceChangeReachesTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", flood)
		w.slice("red")
		w.rule("r", 100, "in_port=1|2", "red")
		sw := w.newSwitch(1, 4)
		sw.connect()
		red.send(&of10.FeaturesRequest{XID: 5})
		w.rule("more", 90, "in_port=3", "red")
		synctest.Wait()
		if got := take[*of10.PortStatus](red); len(got) != 1 || got[0].Reason != of10.PortAdded || got[0].Desc.PortNo != 3 {
			t.Errorf("port_status: %v, want port 3 added", got)
		}
		sw.inject(3, ethernet(3, 1))
		if diff := cmp.Diff(map[int]int{1: 1, 2: 1}, sw.received()); diff != "" {
			t.Errorf("frame from the new port arrived (-want +got):\n%s", diff)
		}
		w.change(hypervisor.RuleChange{Op: flowspace.Remove, Ref: "more"})
		synctest.Wait()
		if got := take[*of10.PortStatus](red); len(got) != 1 || got[0].Reason != of10.PortDeleted {
			t.Errorf("port_status: %v, want port 3 deleted", got)
		}
	})
}

func TestSecondSwitchWithTheSameID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: time.Hour})
		red := w.controller("red", flood)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		first := w.newSwitch(1, 2)
		first.connect()
		second := w.newSwitch(1, 2)
		second.connect()
		if second.sw.Connected() != 0 || first.sw.Connected() != 1 {
			t.Errorf("connections: first %d, second %d; want the newcomer refused", first.sw.Connected(), second.sw.Connected())
		}
		if !logged(w, "newcomer refused") {
			t.Error("nothing in the log about it")
		}
		for _, e := range w.logs.AllEntries() {
			if err, _ := e.Data[logrus.ErrorKey].(error); e.Message == "newcomer refused" && (err == nil || !strings.Contains(err.Error(), "already connected, at ")) {
				t.Errorf("%v: does not say where the other switch is", err)
			}
		}
		if red.closed != 0 {
			t.Error("the first switch's controller was disturbed")
		}
	})
}

func TestDeadSwitchIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: time.Hour})
		w.controller("red", flood)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		// A switch that goes silent, as if its cable were cut.
		ours, theirs := ofwire.Pipe()
		w.wg.Go(func() { _ = w.switches.ServeConn(w.ctx, ours) })
		hello, _ := hex.DecodeString("0100000800000001" + "010600200000000200000000000000010000010001000000000000c700000fff")
		if _, err := theirs.Write(hello); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		sw := w.newSwitch(1, 2)
		begin := time.Now()
		sw.connect()
		bubble.Sleep(3 * time.Second)
		synctest.Wait()
		if sw.sw.Connected() != 1 {
			t.Error("the switch could not come back")
		}
		if b, err := io.ReadAll(theirs); err != nil || len(b) == 0 {
			t.Errorf("the dead connection was not closed: %v", err)
		}
		if got := time.Since(begin); got > 3*time.Second {
			t.Errorf("took %v", got)
		}
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 {
			t.Errorf("frame arrived at %v", got)
		}
	})
}

func logged(w *world, text string) bool {
	for _, e := range w.logs.AllEntries() {
		if strings.Contains(e.Message, text) {
			return true
		}
	}
	return false
}

// Whoever connects and is no switch costs one line at most and a deadline, is told of or
// counted, and nobody else notices.
func TestFloodOfGarbage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{HandshakeTimeout: 3 * time.Second})
		w.controller("red", flood)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 2)
		sw.connect()
		w.logs.Reset()
		inputs := []string{"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x01", "\x01\x00\x00", "\x16\x03\x01\x02\x00\x01\x00", strings.Repeat("\xff", 5000), "\x01\x00\x00\x08\x00\x00\x00\x01" + strings.Repeat("\x01\x0a\x00\x08zzzz", 10)}
		const rounds = 20
		for range rounds {
			for _, in := range inputs {
				ours, theirs := ofwire.Pipe()
				w.wg.Go(func() { _ = w.switches.ServeConn(w.ctx, ours) })
				w.wg.Go(func() {
					_, _ = theirs.Write([]byte(in))
					_, _ = io.Copy(io.Discard, theirs)
				})
			}
		}
		bubble.Sleep(time.Second)
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 {
			t.Errorf("frame arrived at %v", got)
		}
		bubble.Sleep(13 * time.Second) // those that say too little are waited for, and then counted
		synctest.Wait()
		told := 0
		for _, e := range w.logs.AllEntries() {
			n := 1
			if _, more, sum := strings.Cut(e.Message, ": and "); sum {
				if _, err := fmt.Sscanf(more, "%d more like this in the last 10 s", &n); err != nil {
					t.Error(err)
				}
			}
			told += n
		}
		if got := len(w.logs.AllEntries()); told != rounds*len(inputs) || got > 6*len(inputs) {
			t.Errorf("%d log lines tell of %d peers, there were %d", got, told, rounds*len(inputs))
		}
		for _, e := range w.logs.AllEntries() {
			if line, err := e.String(); err != nil || strings.Count(strings.TrimSpace(line), "\n") != 0 {
				t.Errorf("not one line: %q", line)
			}
		}
	})
}

// A controller that does not read loses packet_ins, its own, and nothing else
// waits for it.
func TestDeafControllerHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: -1})
		red, blue := w.controller("red", nil), w.controller("blue", nil)
		red.deaf, red.pipe = true, 1000
		w.slice("red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1", "red")
		w.rule("b", 100, "in_port=2", "blue")
		sw := w.newSwitch(1, 2)
		sw.connect()
		big := make([]byte, 1400)
		copy(big, ethernet(1, 2))
		for range 5000 {
			sw.inject(1, big)
		}
		sw.inject(2, ethernet(2, 1))
		if got := len(take[*of10.PacketIn](blue)); got != 1 {
			t.Errorf("blue heard %d packet_ins, want 1", got)
		}
		stats, err := w.svc.SliceStats(hypervisor.Local(), "red")
		if err != nil {
			t.Fatal(err)
		}
		if got := stats.Drop["Total"]["PACKET_IN"]; got == 0 || got > 5000 {
			t.Errorf("%d of red's packet_ins counted as dropped", got)
		}
		if stats.Drop["Total"]["PACKET_IN"]+stats.Tx["Total"]["PACKET_IN"] != 5000 {
			t.Errorf("%d dropped and %d sent, want 5000 in all", stats.Drop["Total"]["PACKET_IN"], stats.Tx["Total"]["PACKET_IN"])
		}
	})
}

func TestSwitchComesBackWithItsFlows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", learn)
		w.slice("red")
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 2)
		hang := sw.connect()
		sw.inject(1, ethernet(1, 2))
		sw.received()
		hang()
		if red.connections() != 0 {
			t.Error("a controller is connected to a switch that is away")
		}
		if _, err := w.svc.Datapath(hypervisor.Local(), 1); err == nil {
			t.Log("the datapath is still known, since rules of all datapaths hold for it")
		}
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 {
			t.Errorf("the flow is gone while govisor is away: %v", got)
		}
		red.react = nil
		sw.connect()
		bubble.Sleep(5 * time.Second)
		if got := sw.flows(); len(got) != 1 {
			t.Errorf("%d flows after the switch came back, want 1: %v", len(got), got)
		}
		sw.inject(1, ethernet(1, 2))
		if got := sw.received(); got[2] != 1 {
			t.Errorf("frame arrived at %v", got)
		}
		red.send(&of10.StatsRequest{XID: 3, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: 0xff, OutPort: of10.PortNone}})
		synctest.Wait()
		replies := take[*of10.StatsReply](red)
		if len(replies) != 1 {
			t.Fatalf("%d stats replies", len(replies))
		}
	})
}

// A session tells when the flows of a slice are others than they were, some time
// after they have changed, and not for counters or for who changed nothing.
func TestFlowTableChangesAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", nil)
		w.controller("blue", nil)
		w.slice("red")
		w.slice("blue")
		w.rule("r", 100, "in_port=1", "red")
		w.rule("b", 100, "in_port=2", "blue")
		sw := w.newSwitch(1, 2)
		sw.connect()
		if _, err := w.svc.UpdateSettings(t.Context(), hypervisor.Local(), hypervisor.SettingsPatch{CallbackAllow: new("h")}); err != nil {
			t.Fatal(err)
		}
		cb := hypervisor.Callback{URL: "http://h/", Method: "m", Event: "FLOWTABLE_CALLBACK"}
		if err := w.svc.RegisterCallback(t.Context(), hypervisor.Local(), cb, false); err != nil {
			t.Fatal(err)
		}
		in1 := of10.MatchAll()
		in1.Wildcards &^= of10.WildInPort
		in1.InPort = 1
		mod := func(command of10.FlowModCommand, out of10.Port) *of10.FlowMod {
			return &of10.FlowMod{Match: in1, Command: command, Priority: 5, BufferID: of10.NoBuffer, OutPort: of10.PortNone, IdleTimeout: 30, Actions: []of10.Action{of10.Output(out, 0)}}
		}
		told := []string{"00:00:00:00:00:00:00:01 red"}
		for _, step := range []struct {
			what string
			do   func()
			want []string
		}{
			{"nothing", func() {}, nil},
			{"a flow", func() { red.send(mod(of10.FlowAdd, 1)) }, told},
			{"nothing again", func() {}, nil},
			{"a frame", func() { sw.inject(1, ethernet(1, 2)) }, nil},
			{"the same flow", func() { red.send(mod(of10.FlowModifyStrict, 1)) }, nil},
			{"another action", func() { red.send(mod(of10.FlowModifyStrict, of10.PortInPort)) }, told},
			{"gone by itself", func() { bubble.Sleep(time.Minute) }, told},
		} {
			step.do()
			bubble.Sleep(2 * time.Second)
			synctest.Wait()
			if got := w.svc.FlowTablesChanged(); !slices.Equal(got, step.want) {
				t.Errorf("%s: %v, want %v", step.what, got, step.want)
			}
		}
	})
}

// A change of a switch's ports is an event, one for a burst, that the slices there hear of.
func TestPortChangesAreEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		for _, name := range []string{"red", "blue"} {
			w.controller(name, nil)
			w.slice(name)
		}
		w.rule("r", 100, "any", "red")
		sw := w.newSwitch(1, 3)
		sw.connect()
		bubble.Sleep(5 * time.Second)
		heard := map[string]int{}
		for _, p := range []hypervisor.Principal{hypervisor.Local(), {Account: "red", Role: hypervisor.RoleSlice, Scope: hypervisor.ScopeFull}, {Account: "blue", Role: hypervisor.RoleSlice, Scope: hypervisor.ScopeFull}} {
			_, sub, filter, err := w.svc.Subscribe(p, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			w.wg.Go(func() {
				for e := range sub.C {
					if filter(e) && e.Type == hypervisor.EventDatapathUpdated && e.DPID == "00:00:00:00:00:00:00:01" {
						w.mu.Lock()
						heard[p.Account]++
						w.mu.Unlock()
					}
				}
			})
		}
		for _, no := range []of10.Port{2, 3} {
			if err := sw.sw.DetachPort(no); err != nil {
				t.Fatal(err)
			}
		}
		bubble.Sleep(5 * time.Second)
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if diff := cmp.Diff(map[string]int{"fvadmin": 1, "red": 1}, heard); diff != "" {
			t.Errorf("heard (-want +got):\n%s", diff)
		}
	})
}

// A slice's flow comes with what it became in the switch.
func TestSliceFlowsTellTheirPieces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		red := w.controller("red", nil)
		w.slice("red")
		w.rule("one", 100, "in_port=1", "red")
		w.rule("two", 100, "in_port=2,dl_vlan=5", "red")
		w.newSwitch(1, 3).connect()
		red.send(&of10.FlowMod{Match: of10.MatchAll(), Priority: 5, Cookie: 0xabc, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(2, 0)}})
		synctest.Wait()
		flows, err := w.svc.SliceFlows(t.Context(), hypervisor.Local(), 1, "red")
		if err != nil || len(flows) != 1 {
			t.Fatalf("%v, %v", flows, err)
		}
		f := flows[0]
		if f.Kind != "virtual" || f.Match != "" || f.Priority != 5 || f.Cookie != "0xabc" || len(f.Rewritten) != 2 {
			t.Fatalf("flow is %+v", f)
		}
		var got []string
		for _, p := range f.Rewritten {
			got = append(got, p.Kind+" "+p.Match+" "+p.Actions)
		}
		slices.Sort(got)
		if want := []string{"piece in_port=1 output:2", "piece in_port=2,dl_vlan=5 drop"}; !slices.Equal(got, want) {
			t.Errorf("pieces %q, want %q", got, want)
		}
	})
}

func TestStatusAndStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{})
		w.controller("red", learn)
		w.slice("red")
		w.slice("away", "module:nobody")
		w.rule("r", 100, "in_port=1|2", "red")
		w.rule("a", 100, "in_port=3", "away")
		sw := w.newSwitch(0xabc, 3)
		sw.connect()
		sw.inject(1, ethernet(1, 2))
		d, err := w.svc.Datapath(hypervisor.Local(), 0xabc)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Connected || d.Version != "1.0" || len(d.Ports) != 3 || d.Ports[0].Number != 1 || len(d.Connections) != 2 || d.FlowMods["red"] != 1 {
			t.Errorf("status is %+v", d)
		}
		if c := d.Connections[0]; c.Slice != "red" || c.State != "connected" || c.Controller != "module:red" || c.Connects != 1 || len(c.Ports) != 2 {
			t.Errorf("connection of red is %+v", c)
		}
		if c := d.Connections[1]; c.Slice != "away" || c.State != "backoff" || !strings.Contains(c.LastError, "connection refused") || c.Retry.IsZero() {
			t.Errorf("connection of away is %+v", c)
		}
		stats, err := w.svc.DatapathStats(hypervisor.Local(), 0xabc)
		if err != nil {
			t.Fatal(err)
		}
		if got := stats.Rx["classifier-dpid=00:00:00:00:00:00:0a:bc"]["PACKET_IN"]; got != 1 {
			t.Errorf("counters: %+v", stats)
		}
	})
}

// A slice whose controller is govisor's own port for switches must not make
// connections without end.
func TestControllerThatIsOurselves(t *testing.T) {
	t.Parallel()
	ln, err := ofconn.Listen(t.Context(), ofwire.Target{Scheme: "ptcp"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, portText, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, hypervisor.SwitchOptions{})
	w.wg.Go(func() { _ = w.switches.Serve(w.ctx, ln) })
	w.slice("self", "tcp:127.0.0.1:"+portText)
	w.rule("r", 100, "any", "self")
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	cfg := ofswitch.SwitchConfig{}
	cfg.DatapathID = 1
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.wg.Go(func() { _ = sw.Run(w.ctx) })
	w.wg.Go(func() { _ = sw.Serve(w.ctx, nc, ofswitch.Primary) })
	deadline := time.Now().Add(time.Minute)
	for {
		d, err := w.svc.Datapath(hypervisor.Local(), 1)
		if err == nil && len(d.Connections) == 1 && strings.Contains(d.Connections[0].LastError, "govisor's own address") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("datapath is %+v, %v", d, err)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}
