package bench

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// serve starts a responder on a loopback port and stops it with the test.
func serve(t *testing.T, r *Responder) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("responder: %v", err)
		}
	})
	return l.Addr().String()
}

// short is a load that takes no longer than it must; a switch on a slow machine takes nothing for lost.
func short(addr string) GeneratorConfig {
	return GeneratorConfig{Network: "tcp", Address: addr, Switches: 3, MACs: 50, Slices: 2, Nets: 300, WarmUp: 20 * time.Millisecond, Duration: 50 * time.Millisecond, SetUp: time.Minute, stall: time.Minute}
}

// generate measures again, for longer each time, until the machine has had the time for enough.
func generate(t *testing.T, cfg GeneratorConfig, enough func(*GeneratorResult) bool) *GeneratorResult {
	t.Helper()
	for {
		res, err := Generate(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if enough(res) || cfg.Duration > 30*time.Second {
			return res
		}
		cfg.Duration *= 2
	}
}

// everySlice is enough when each slice has had an answer.
func everySlice(res *GeneratorResult) bool {
	return res.Responses > 0 && !slices.ContainsFunc(res.PerSlice, func(d Delays) bool { return d.Count == 0 })
}

func TestEveryPacketInIsAnsweredAndCounted(t *testing.T) {
	t.Parallel()
	for _, answer := range []Answer{AnswerPacketOut, AnswerFlowMod} {
		for _, window := range []int{1, 32} {
			t.Run(answer.String(), func(t *testing.T) {
				r := &Responder{Answer: answer}
				cfg := short(serve(t, r))
				cfg.Window = window
				res := generate(t, cfg, everySlice)
				if res.Responses == 0 || res.Lost != 0 || res.Errors != 0 {
					t.Errorf("responses %d, lost %d, errors %d", res.Responses, res.Lost, res.Errors)
				}
				if got := r.PacketIns.Load(); got < res.Responses {
					t.Errorf("controller saw %d packet_ins, generator counted %d answers", got, res.Responses)
				}
				if res.Delay.Count != res.Responses || len(res.PerSwitch) != 3 || len(res.PerSlice) != 2 {
					t.Errorf("delay count %d, switches %d, slices %d", res.Delay.Count, len(res.PerSwitch), len(res.PerSlice))
				}
				for i, s := range res.PerSlice {
					if s.Count == 0 {
						t.Errorf("slice %d got no answer", i)
					}
				}
			})
		}
	}
}

// A proxy that drops what is for a controller it has not reached yet has not answered.
func TestDropsAreNoAnswers(t *testing.T) {
	t.Parallel()
	second := of10.MatchAll()
	second.Wildcards &^= of10.WildDLSrc
	second.DLSrc[5] = 1 // its slot
	drop, err := (&of10.FlowMod{Match: second, BufferID: of10.NoBuffer, OutPort: of10.PortNone}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := (&of10.FlowMod{Match: of10.MatchAll(), BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: []of10.Action{of10.Output(of10.PortFlood, 0)}}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newFakeSwitch(&GeneratorConfig{Slices: 1, MACs: 10, Nets: 1, Window: 4, Ports: 1}, 1)
	s.fill()
	for _, step := range []struct {
		name string
		msg  []byte
		want uint64
	}{{"a drop", drop, 0}, {"a hub's flow", hub, 1}} {
		if err := s.handle(step.msg); err != nil {
			t.Fatal(err)
		}
		if n := s.answers.Load(); n != step.want {
			t.Errorf("after %s %d answers, want %d", step.name, n, step.want)
		}
	}
}

func TestSandwichMeasuresEveryKind(t *testing.T) {
	t.Parallel()
	for _, answer := range []Answer{AnswerPacketOut, AnswerFlowMod} {
		clock := NewClockwork()
		cfg := short(serve(t, &Responder{Answer: answer, Clock: clock, Probe: 5 * time.Millisecond}))
		cfg.Clock = clock
		want := []string{"packet_in", "barrier_request", "barrier_reply", "stats_request", "stats_reply", "echo"}
		if answer == AnswerFlowMod {
			want = append(want, "flow_mod")
		} else {
			want = append(want, "packet_out")
		}
		res := generate(t, cfg, func(res *GeneratorResult) bool {
			return !slices.ContainsFunc(want, func(k string) bool { return res.OneWay[k].Count == 0 })
		})
		// An echo is answered by whoever is next to the responder; here that is the generator itself.
		for _, k := range want {
			if res.OneWay[k].Count == 0 {
				t.Errorf("%v: no delay of %s measured: %v", answer, k, res.OneWay)
			}
		}
	}
}

// falseController answers packet_ins with a packet_out until it is silent.
func falseController(t *testing.T, silent *atomic.Bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Write([]byte{1, 0, 0, 8, 0, 0, 0, 1, 1, 5, 0, 8, 0, 0, 0, 2})
		c := &responderConn{r: &Responder{}, conn: conn, in: ofwire.NewReader(conn, 4096)}
		for {
			b, err := c.in.Next()
			if err != nil {
				return
			}
			if of10.Type(b[1]) == of10.TypePacketIn && !silent.Load() {
				if c.packetIn(b, true) != nil {
					return
				}
				conn.Write(c.out)
				c.out = c.out[:0]
			}
		}
	}()
	return l.Addr().String()
}

func TestIdleSwitchesSendNothing(t *testing.T) {
	t.Parallel()
	r := &Responder{}
	cfg := short(serve(t, r))
	cfg.Idle = true
	res, err := Generate(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if res.Responses != 0 || r.PacketIns.Load() != 0 || len(res.PerSwitch) != 3 {
		t.Errorf("%d responses, %d packet_ins, %d switches", res.Responses, r.PacketIns.Load(), len(res.PerSwitch))
	}
}

// A controller that falls silent must show up as lost packet_ins, not as a hang.
func TestLostPacketInsAreCounted(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	cfg := GeneratorConfig{Network: "tcp", Address: falseController(t, &silent), Window: 4, WarmUp: time.Millisecond, Duration: 2500 * time.Millisecond, SetUp: time.Minute}
	f, err := Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.StartAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	silent.Store(true)
	res := measure(t, f, func(s *fakeSwitch) bool { return s.figures.lost >= 4 })
	if res.Responses > 4 || res.Lost < 4 {
		t.Errorf("responses %d, lost %d; want at most 4, which were under way, and at least 4", res.Responses, res.Lost)
	}
}

func TestControllerThatNeverAnswersIsNamed(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	silent.Store(true)
	f, err := Connect(t.Context(), GeneratorConfig{Network: "tcp", Address: falseController(t, &silent), SetUp: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.cfg.SetUp = 300 * time.Millisecond // it has been welcomed
	if err := f.StartAll(t.Context()); err == nil || !strings.Contains(err.Error(), "has not answered any packet_in of switch 1") {
		t.Errorf("error %v", err)
	}
}

func TestBadTargetsAndNumbersAreNamed(t *testing.T) {
	t.Parallel()
	const nobody = "127.0.0.1:1" // no program is given this port by chance
	hangsUp := speak(t, "", true)
	const notOpenFlow = "is it an OpenFlow 1.0 controller?"

	tests := []struct {
		name string
		cfg  GeneratorConfig
		want string
	}{
		{"nobody listens", GeneratorConfig{Network: "tcp", Address: nobody}, "is a controller listening there?"},
		{"nobody listens for many", GeneratorConfig{Network: "tcp", Address: nobody, Switches: 50, Retry: true, SetUp: 200 * time.Millisecond}, nobody},
		{"HTTP", GeneratorConfig{Network: "tcp", Address: speak(t, "HTTP/1.1 400 Bad Request\r\n\r\n", true)}, notOpenFlow},
		{"garbage", GeneratorConfig{Network: "tcp", Address: speak(t, strings.Repeat("\x00\xff\x01", 1000), false), SetUp: time.Second}, notOpenFlow},
		{"another version only", GeneratorConfig{Network: "tcp", Address: speak(t, "\x04\x00\x00\x08\x00\x00\x00\x01\x04\x05\x00\x08\x00\x00\x00\x02", false), SetUp: time.Second}, notOpenFlow},
		{"silence", GeneratorConfig{Network: "tcp", Address: speak(t, "", false), SetUp: 100 * time.Millisecond}, notOpenFlow},
		{"hangs up", GeneratorConfig{Network: "tcp", Address: hangsUp}, notOpenFlow},
		{"hangs up again and again", GeneratorConfig{Network: "tcp", Address: hangsUp, Retry: true, SetUp: 200 * time.Millisecond}, notOpenFlow},
		{"negative duration", GeneratorConfig{Network: "tcp", Address: nobody, Duration: -time.Second}, "duration -1s"},
		{"negative warm-up", GeneratorConfig{Network: "tcp", Address: nobody, WarmUp: -time.Second}, "warm-up -1s"},
		{"windows for other slices", GeneratorConfig{Network: "tcp", Address: nobody, Slices: 2, Windows: []int{1}}, "1 windows for 2 slices"},
		{"too many MACs together", GeneratorConfig{Network: "tcp", Address: nobody, MACs: 1 << 20, Switches: 1000}, "switches times macs is"},
		{"negative switches", GeneratorConfig{Network: "tcp", Address: nobody, Switches: -1}, "switches is -1"},
		{"too many MACs", GeneratorConfig{Network: "tcp", Address: nobody, MACs: 1 << 30}, "macs is 1073741824"},
		{"no address", GeneratorConfig{}, "no address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Generate(t.Context(), tt.cfg)
			for tt.cfg.SetUp > 0 && tt.cfg.SetUp < time.Minute && err != nil && !strings.Contains(err.Error(), tt.want) {
				tt.cfg.SetUp *= 4 // it may not have been enough for a connection
				_, err = Generate(t.Context(), tt.cfg)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// The flows that a load asks for must not depend on how it is spread over slices and networks: a table that grows for as long as the load lasts measures
// the table.
func TestOneFlowASourceAddress(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ macs, slices, nets, window, wantNets int }{
		{macs: 50, slices: 1, nets: 1, window: 5, wantNets: 1},
		{macs: 50, slices: 1, nets: 70, window: 5, wantNets: 70},
		{macs: 48, slices: 16, nets: 7, window: 48, wantNets: 6},
		{macs: 64, slices: 4, nets: 300, window: 3, wantNets: 32},
	} {
		flows, nets := map[string]bool{}, map[string]bool{}
		cfg := GeneratorConfig{MACs: tc.macs, Slices: tc.slices, Nets: tc.nets, Window: tc.window}.withDefaults()
		for dpid := range uint64(2) {
			s := newFakeSwitch(&cfg, cfg.FirstDPID+dpid)
			for n := range 40 * tc.macs {
				s.fill()
				for b := s.out; len(b) > 0; b = b[packetInLen:] {
					f := b[packetInHead:]
					flows[fmt.Sprintf("%d %x %x", dpid, b[14:16], f[:ipDstAt+4])] = true
					nets[fmt.Sprintf("%x", f[ipDstAt:ipDstAt+3])] = true
				}
				s.out = s.out[:0]
				s.answered(uint32(n*n)%uint32(tc.macs), true) // in any order
				s.answered(0, false)
			}
		}
		if want := 2 * tc.macs; len(flows) != want || len(nets) != tc.wantNets {
			t.Errorf("%+v: %d flows over %d networks, want %d over %d", tc, len(flows), len(nets), want, tc.wantNets)
		}
	}
}

// speak listens, says a text to everybody who connects and then hangs up or waits.
func speak(t *testing.T, text string, hangUp bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(text))
			if hangUp {
				c.Close()
			} else {
				t.Cleanup(func() { c.Close() })
			}
		}
	}()
	return l.Addr().String()
}

func TestAMillionMACs(t *testing.T) {
	t.Parallel()
	cfg := short(serve(t, &Responder{}))
	cfg.Switches, cfg.MACs, cfg.Window = 1, 1_000_000, 1000
	if res := generate(t, cfg, everySlice); res.Responses == 0 || res.Lost != 0 {
		t.Errorf("%+v", res)
	}
}
