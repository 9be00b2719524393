package ofcontroller_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// journal notes events as lines.
type journal struct{ lines chan string }

func newJournal() *journal { return &journal{make(chan string, 1000)} }

func (j *journal) note(format string, args ...any) { j.lines <- fmt.Sprintf(format, args...) }

// taken returns what was noted, after everybody has come to rest.
func (j *journal) taken() []string {
	synctest.Wait()
	var all []string
	for {
		select {
		case line := <-j.lines:
			all = append(all, line)
		default:
			return all
		}
	}
}

func noteEverything(c *ofcontroller.Controller, j *journal) {
	note := func(sw *ofcontroller.Switch, format string, args ...any) ofcontroller.Verdict {
		j.note("%d: "+format, append([]any{uint64(sw.ID())}, args...)...)
		return ofcontroller.Continue
	}
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.SwitchUp) ofcontroller.Verdict {
		return note(sw, "up, %d ports", len(e.Features.Ports))
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.SwitchDown) ofcontroller.Verdict {
		return note(sw, "down")
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
		return note(sw, "packet_in port %d %q", in.InPort, in.Data)
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, m *of10.FlowRemoved) ofcontroller.Verdict {
		return note(sw, "flow_removed %d", m.Cookie)
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, m *of10.PortStatus) ofcontroller.Verdict {
		return note(sw, "port_status %v %d", m.Reason, m.Desc.PortNo)
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.PortChange) ofcontroller.Verdict {
		return note(sw, "port %v %d up=%v", e.Reason, e.Port.PortNo, e.Up())
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, m *of10.Error) ofcontroller.Verdict {
		return note(sw, "error %v", m.Error())
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, m *of10.StatsReply) ofcontroller.Verdict {
		return note(sw, "stats part %v more=%v", m.StatsType, m.Flags == of10.StatsReplyMore)
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, s of10.PortStatsReply) ofcontroller.Verdict {
		return note(sw, "port stats of %d ports", len(s))
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.Unexpected) ofcontroller.Verdict {
		return note(sw, "unexpected %v", e.Message.Type())
	})
}

func TestEventsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		j := newJournal()
		noteEverything(c, j)
		s := switchtest.Connect(t, c, switchtest.Features(7, 2))
		down := switchtest.Port(7, 2)
		down.State = of10.PortStateLinkDown
		s.Send(
			&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 1, Data: []byte("a")},
			&of10.PortStatus{Reason: of10.PortModified, Desc: down},
			&of10.PortStatus{Reason: of10.PortModified, Desc: down},
			&of10.FlowRemoved{Cookie: 5},
			&of10.Error{ErrType: of10.ErrorBadRequest, Code: of10.BadRequestBadType},
			&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 2, Data: []byte("b")},
			&of10.BarrierReply{XID: 4711},
			&of10.PacketOut{BufferID: of10.NoBuffer},
		)
		bubble.Sleep(time.Second) // in the bubble: past the debouncing
		want := []string{
			"7: up, 2 ports",
			`7: packet_in port 1 "a"`,
			"7: port_status " + of10.PortModified.String() + " 2",
			"7: port_status " + of10.PortModified.String() + " 2",
			"7: flow_removed 5",
			"7: error " + (&of10.Error{ErrType: of10.ErrorBadRequest, Code: of10.BadRequestBadType}).Error(),
			`7: packet_in port 2 "b"`,
			"7: unexpected " + of10.TypeBarrierReply.String(),
			"7: unexpected " + of10.TypePacketOut.String(),
			"7: port " + of10.PortModified.String() + " 2 up=false",
		}
		if diff := cmp.Diff(want, j.taken()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		sw := c.Switch(7)
		if got := sw.Counters(); got != (ofcontroller.Counters{Unexpected: 2}) {
			t.Errorf("counters %+v, want 2 unexpected", got)
		}
		if p, _ := sw.Port(2); p != down {
			t.Errorf("port 2 is %+v, want %+v", p, down)
		}
		s.Conn.Close()
		s.Ended()
		if diff := cmp.Diff([]string{"7: down"}, j.taken()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if c.Switch(7) != nil {
			t.Error("the switch is still known")
		}
		if err := sw.Send(&of10.BarrierRequest{}); !errors.Is(err, ofcontroller.ErrGone) {
			t.Errorf("sending to a switch that has gone: %v, want ErrGone", err)
		}
	})
}

func TestPortFlapsAreDebounced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{PortDebounce: time.Second})
		j := newJournal()
		ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.PortChange) ofcontroller.Verdict {
			j.note("%v %d %v", e.Reason, e.Port.PortNo, e.Up())
			return ofcontroller.Continue
		})
		s := switchtest.Connect(t, c, switchtest.Features(1, 3))
		up, down, added := switchtest.Port(1, 1), switchtest.Port(1, 1), switchtest.Port(1, 9)
		down.State = of10.PortStateLinkDown
		s.Send(
			&of10.PortStatus{Reason: of10.PortModified, Desc: down},
			&of10.PortStatus{Reason: of10.PortModified, Desc: up}, // back as it was: nothing to tell
			&of10.PortStatus{Reason: of10.PortAdded, Desc: added},
			&of10.PortStatus{Reason: of10.PortDeleted, Desc: switchtest.Port(1, 2)},
			&of10.PortStatus{Reason: of10.PortAdded, Desc: switchtest.Port(1, 8)},
			&of10.PortStatus{Reason: of10.PortDeleted, Desc: switchtest.Port(1, 8)},
		)
		bubble.Sleep(999 * time.Millisecond)
		if got := j.taken(); len(got) > 0 {
			t.Fatalf("told %q too early", got)
		}
		bubble.Sleep(2 * time.Millisecond)
		want := []string{fmt.Sprintf("%v 2 false", of10.PortDeleted), fmt.Sprintf("%v 9 true", of10.PortAdded)}
		if diff := cmp.Diff(want, j.taken()); diff != "" {
			t.Errorf("port changes (-want +got):\n%s", diff)
		}
	})
}

func TestHandlerOrderAndStop(t *testing.T) {
	t.Parallel()
	type custom struct{ n int }
	for _, inline := range []bool{false, true} {
		t.Run(fmt.Sprint("inline ", inline), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := ofcontroller.New(ofcontroller.Config{})
				j := newJournal()
				on := ofcontroller.On[*of10.PacketIn]
				if inline {
					on = ofcontroller.OnInline[*of10.PacketIn]
				}
				on(c, func(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
					j.note("first %d", in.InPort)
					ofcontroller.Emit(sw, custom{int(in.InPort)})
					if in.InPort == 2 {
						return ofcontroller.Stop
					}
					return ofcontroller.Continue
				})
				on(c, func(_ *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
					j.note("second %d", in.InPort)
					return ofcontroller.Continue
				})
				ofcontroller.On(c, func(_ *ofcontroller.Switch, e custom) ofcontroller.Verdict {
					j.note("custom %d", e.n)
					return ofcontroller.Continue
				})
				s := switchtest.Connect(t, c, switchtest.Features(1, 2))
				s.Send(&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 1}, &of10.PacketIn{BufferID: of10.NoBuffer, InPort: 2})
				synctest.Wait()
				if err := ofcontroller.Post(c.Switch(1), custom{99}); err != nil {
					t.Error(err)
				}
				want := []string{"first 1", "custom 1", "second 1", "first 2", "custom 2", "custom 99"}
				if diff := cmp.Diff(want, j.taken()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		s := switchtest.Connect(t, c, switchtest.Features(1, 2))
		synctest.Wait()
		sw := c.Switch(1)
		type outcome struct {
			m   of10.Message
			err error
		}
		request := func(m of10.Message) chan outcome {
			done := make(chan outcome, 1)
			go func() {
				reply, err := sw.Request(t.Context(), m)
				done <- outcome{reply, err}
			}()
			return done
		}

		// In parts, another reply and a refused one in between.
		stats := request(&of10.StatsRequest{StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: of10.PortNone}})
		first := switchtest.Receive[*of10.StatsRequest](s)
		config := request(&of10.GetConfigRequest{})
		second := switchtest.Receive[*of10.GetConfigRequest](s)
		if first.XID == second.XID {
			t.Fatalf("two requests have the xid %d", first.XID)
		}
		s.Send(
			&of10.StatsReply{XID: first.XID, StatsType: of10.StatsPort, Flags: of10.StatsReplyMore, Body: of10.PortStatsReply{{PortNo: 1}}},
			&of10.GetConfigReply{XID: second.XID, MissSendLen: 99},
			&of10.StatsReply{XID: first.XID, StatsType: of10.StatsPort, Body: of10.PortStatsReply{{PortNo: 2}}},
		)
		if got := <-config; got.err != nil || got.m.(*of10.GetConfigReply).MissSendLen != 99 {
			t.Errorf("get_config: %v, %v", got.m, got.err)
		}
		want := of10.PortStatsReply{{PortNo: 1}, {PortNo: 2}}
		if got := <-stats; got.err != nil {
			t.Error(got.err)
		} else if diff := cmp.Diff(of10.StatsBody(want), got.m.(*of10.StatsReply).Body); diff != "" {
			t.Errorf("joined statistics (-want +got):\n%s", diff)
		}

		refused := request(&of10.QueueGetConfigRequest{Port: 77})
		third := switchtest.Receive[*of10.QueueGetConfigRequest](s)
		s.Send(&of10.Error{XID: third.XID, ErrType: of10.ErrorQueueOpFailed, Code: of10.QueueOpFailedBadPort})
		got := <-refused
		if !errors.Is(got.err, &of10.Error{ErrType: of10.ErrorQueueOpFailed, Code: of10.QueueOpFailedBadPort}) {
			t.Errorf("refused request: %v", got.err)
		}

		// A switch that answers nothing, then with the wrong thing, then too late and twice.
		began := time.Now()
		silent := request(&of10.BarrierRequest{})
		fourth := switchtest.Receive[*of10.BarrierRequest](s)
		s.Send(&of10.GetConfigReply{XID: fourth.XID})
		if got := <-silent; !errors.Is(got.err, ofcontroller.ErrNoAnswer) || time.Since(began) != 10*time.Second {
			t.Errorf("silence: %v after %v, want ErrNoAnswer after 10s", got.err, time.Since(began))
		}
		s.Send(&of10.BarrierReply{XID: fourth.XID}, &of10.BarrierReply{XID: fourth.XID})
		synctest.Wait()
		if got := sw.Counters().Unexpected; got != 3 {
			t.Errorf("%d unexpected replies, want 3", got)
		}

		// The connection ends meanwhile.
		lost := request(&of10.BarrierRequest{})
		switchtest.Receive[*of10.BarrierRequest](s)
		s.Conn.Close()
		if got := <-lost; !errors.Is(got.err, ofcontroller.ErrGone) {
			t.Errorf("request on a lost connection: %v, want ErrGone", got.err)
		}
		if _, err := sw.Request(t.Context(), &of10.BarrierRequest{}); !errors.Is(err, ofcontroller.ErrGone) {
			t.Errorf("request after it: %v, want ErrGone", err)
		}
	})
}

func TestRequestFromHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		got := make(chan error, 1)
		ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
			got <- sw.Barrier(t.Context())
			return ofcontroller.Continue
		})
		s := switchtest.Connect(t, c, switchtest.Features(1, 1))
		s.Send(&of10.BarrierReply{XID: switchtest.Receive[*of10.BarrierRequest](s).XID})
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}

func TestApply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		s := switchtest.Connect(t, c, switchtest.Features(1, 2))
		synctest.Wait()
		apply := func(refuse ...int) error {
			done := make(chan error, 1)
			go func() {
				done <- c.Switch(1).Apply(t.Context(), &of10.FlowMod{Cookie: 1}, &of10.FlowMod{Cookie: 2})
			}()
			mods := []*of10.FlowMod{switchtest.Receive[*of10.FlowMod](s), switchtest.Receive[*of10.FlowMod](s)}
			barrier := switchtest.Receive[*of10.BarrierRequest](s)
			for _, i := range refuse {
				s.Send(&of10.Error{XID: mods[i].XID, ErrType: of10.ErrorFlowModFailed, Code: uint16(i)})
			}
			synctest.Wait()
			select {
			case err := <-done:
				t.Fatalf("Apply returned %v before the barrier", err)
			default:
			}
			s.Send(&of10.BarrierReply{XID: barrier.XID})
			return <-done
		}
		if err := apply(); err != nil {
			t.Error(err)
		}
		if err := apply(1); !errors.Is(err, &of10.Error{ErrType: of10.ErrorFlowModFailed, Code: 1}) {
			t.Errorf("second refused: %v", err)
		}
		if err := apply(0, 1); !errors.Is(err, &of10.Error{ErrType: of10.ErrorFlowModFailed, Code: 0}) {
			t.Errorf("both refused: %v, want the first", err)
		}
		if n := c.Switch(1).Counters().Unexpected; n != 0 {
			t.Errorf("%d unexpected messages", n)
		}
	})
}

// TestStatsAsEvents: a program may also send the request and hear of the answer.
func TestStatsAsEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		j := newJournal()
		noteEverything(c, j)
		s := switchtest.Connect(t, c, switchtest.Features(1, 1))
		j.taken()
		if err := c.Switch(1).Send(&of10.StatsRequest{StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: of10.PortNone}}); err != nil {
			t.Fatal(err)
		}
		xid := switchtest.Receive[*of10.StatsRequest](s).XID
		s.Send(
			&of10.StatsReply{XID: xid, StatsType: of10.StatsPort, Flags: of10.StatsReplyMore, Body: of10.PortStatsReply{{PortNo: 1}}},
			&of10.StatsReply{XID: xid, StatsType: of10.StatsPort, Body: of10.PortStatsReply{{PortNo: 2}}},
			&of10.StatsReply{XID: xid, StatsType: of10.StatsPort, Body: of10.PortStatsReply{{PortNo: 2}}},
		)
		part := "1: stats part " + of10.StatsPort.String()
		want := []string{part + " more=true", part + " more=false", "1: port stats of 2 ports", "1: unexpected " + of10.TypeStatsReply.String()}
		if diff := cmp.Diff(want, j.taken()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestPanicEndsTheConnectionOnly(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]func(*ofcontroller.Controller, func(*ofcontroller.Switch, *of10.PacketIn) ofcontroller.Verdict){
		"queued": ofcontroller.On[*of10.PacketIn],
		"inline": ofcontroller.OnInline[*of10.PacketIn],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := ofcontroller.New(ofcontroller.Config{})
				j := newJournal()
				on(c, func(_ *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
					if in.InPort == 1 {
						panic("boom")
					}
					j.note("packet_in %d", in.InPort)
					return ofcontroller.Continue
				})
				ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.SwitchDown) ofcontroller.Verdict {
					j.note("down, told of the panic: %v", strings.Contains(e.Err.Error(), "boom"))
					return ofcontroller.Continue
				})
				bad := switchtest.Connect(t, c, switchtest.Features(1, 2))
				good := switchtest.Connect(t, c, switchtest.Features(2, 2))
				bad.Send(&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 1}, &of10.PacketIn{BufferID: of10.NoBuffer, InPort: 2})
				if err := bad.Ended(); err == nil || !strings.Contains(err.Error(), "boom") {
					t.Errorf("the connection ended with %v, want the panic", err)
				}
				good.Send(&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 2})
				want := []string{"down, told of the panic: true", "packet_in 2"}
				if diff := cmp.Diff(want, j.taken()); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSlowHandlerDropsPacketInsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{QueueLimit: 10})
		block := make(chan struct{})
		packets, removed := 0, 0
		ofcontroller.On(c, func(*ofcontroller.Switch, *of10.PacketIn) ofcontroller.Verdict {
			<-block
			packets++
			return ofcontroller.Continue
		})
		ofcontroller.On(c, func(*ofcontroller.Switch, *of10.FlowRemoved) ofcontroller.Verdict {
			removed++
			return ofcontroller.Continue
		})
		s := switchtest.Connect(t, c, switchtest.Features(1, 2))
		synctest.Wait()
		for range 100 {
			s.Send(&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 1}, &of10.FlowRemoved{})
		}
		synctest.Wait()
		dropped := c.Switch(1).Counters().PacketInsDropped
		close(block)
		synctest.Wait()
		if removed != 100 || packets+int(dropped) != 100 || packets < 5 || packets > 10 {
			t.Errorf("%d packet_ins handled and %d dropped, %d flow_removed; want at most 10 waiting, no flow_removed lost", packets, dropped, removed)
		}
	})
}

// TestSendDoesNotBlockForever: the switch reads nothing.
func TestSendDoesNotBlockForever(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{SendTimeout: 3 * time.Second, EchoInterval: -1})
		switchtest.Connect(t, c, switchtest.Features(1, 2))
		synctest.Wait()
		sw := c.Switch(1)
		big := &of10.PacketOut{BufferID: of10.NoBuffer, InPort: of10.PortNone, Data: make([]byte, 60000)}
		began := time.Now()
		var err error
		for range 1000 {
			if err = sw.Send(big); err != nil {
				break
			}
		}
		if !errors.Is(err, ofcontroller.ErrSlow) || time.Since(began) != 3*time.Second {
			t.Errorf("Send: %v after %v, want ErrSlow after 3s", err, time.Since(began))
		}
	})
}

func TestDuplicateDatapath(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		first := switchtest.Connect(t, c, switchtest.Features(1, 2))
		alive := make(chan struct{})
		go func() {
			defer close(alive)
			first.Quiet(5 * time.Second) // answers the probe
		}()
		second := switchtest.Dial(t, c)
		second.Greet(switchtest.Features(1, 2))
		if err := second.Ended(); !errors.Is(err, ofcontroller.ErrDuplicate) {
			t.Errorf("second connection: %v, want ErrDuplicate", err)
		}
		<-alive
		// The first is silent from here on: the third takes its place.
		third := switchtest.Connect(t, c, switchtest.Features(1, 2))
		if err := first.Ended(); !errors.Is(err, ofcontroller.ErrGone) {
			t.Errorf("first connection: %v, want ErrGone", err)
		}
		third.Quiet(time.Second)
		synctest.Wait()
		if c.Switch(1) == nil {
			t.Error("the third connection did not take over")
		}
	})
}

func TestBadPeers(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]func(s *switchtest.Switch){
		"nothing":            func(*switchtest.Switch) {},
		"HTTP":               func(s *switchtest.Switch) { s.Conn.Write([]byte("GET / HTTP/1.0\r\n\r\n")) },
		"half a header":      func(s *switchtest.Switch) { s.Conn.Write([]byte{1, 0, 0}) },
		"length below 8":     func(s *switchtest.Switch) { s.Conn.Write([]byte{1, 0, 0, 8, 0, 0, 0, 0, 1, 6, 0, 3, 0, 0, 0, 0}) },
		"no features":        func(s *switchtest.Switch) { s.Send(&of10.Hello{}) },
		"features not asked": func(s *switchtest.Switch) { s.Send(&of10.Hello{}, &of10.FeaturesReply{XID: 999999, DatapathID: 1}) },
		"features cut short": func(s *switchtest.Switch) {
			s.Conn.Write([]byte{1, 0, 0, 8, 0, 0, 0, 0, 1, 6, 0, 12, 0, 0, 0, 1, 0, 0, 0, 0})
		},
		"version 1.3 offered": func(s *switchtest.Switch) { s.Conn.Write([]byte{4, 0, 0, 16, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0x10}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := ofcontroller.New(ofcontroller.Config{})
				j := newJournal()
				noteEverything(c, j)
				s := switchtest.Dial(t, c)
				say(s)
				began := time.Now()
				if err := s.Ended(); err == nil || time.Since(began) > 20*time.Second {
					t.Errorf("ended with %v after %v", err, time.Since(began))
				}
				if got := j.taken(); len(got) > 0 {
					t.Errorf("told of %q, want nothing", got)
				}
			})
		})
	}
}

func TestMalformedAndBadPort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		j := newJournal()
		noteEverything(c, j)
		s := switchtest.Connect(t, c, switchtest.Features(1, 2))
		j.taken()
		s.Conn.Write([]byte{1, 12, 0, 12, 0, 0, 0, 9, 0, 0, 0, 0}) // PORT_STATUS cut short
		if got := switchtest.Receive[*of10.Error](s); got.XID != 9 || got.ErrType != of10.ErrorBadRequest {
			t.Errorf("answer %v, want BAD_REQUEST with xid 9", got)
		}
		s.Send(
			&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 44, Data: []byte("unknown")},
			&of10.PacketIn{BufferID: of10.NoBuffer, InPort: of10.PortFlood, Data: []byte("impossible")},
			&of10.PacketIn{BufferID: of10.NoBuffer, InPort: of10.PortLocal, Data: []byte("local")},
		)
		want := []string{`1: packet_in port 44 "unknown"`, fmt.Sprintf(`1: packet_in port %d "local"`, of10.PortLocal)}
		if diff := cmp.Diff(want, j.taken()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if got := c.Switch(1).Counters(); got != (ofcontroller.Counters{Malformed: 1, BadPorts: 2}) {
			t.Errorf("counters %+v", got)
		}
	})
}

func TestSwitchesAreSorted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := ofcontroller.New(ofcontroller.Config{})
		for _, id := range []ofwire.DatapathID{5, 1 << 63, 2} {
			switchtest.Connect(t, c, switchtest.Features(id, 1))
		}
		synctest.Wait()
		var got []ofwire.DatapathID
		for _, sw := range c.Switches() {
			got = append(got, sw.ID())
		}
		if diff := cmp.Diff([]ofwire.DatapathID{2, 5, 1 << 63}, got); diff != "" {
			t.Errorf("switches (-want +got):\n%s", diff)
		}
	})
}

func TestRunReturnsOnBadTarget(t *testing.T) {
	t.Parallel()
	c := ofcontroller.New(ofcontroller.Config{})
	for _, target := range []string{"udp:1.2.3.4", "ptcp:1:999.999.999.999", "pssl:0"} {
		if err := c.Run(t.Context(), target); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("Run(%s) = %v, want an error about it", target, err)
		}
	}
}

// A switch that hangs up is no cause for a warning: a slice that leaves a datapath looks the same to its module.
func TestHangingUpIsNoWarning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, hook := logtest.NewNullLogger()
		c := ofcontroller.New(ofcontroller.Config{Log: logrus.NewEntry(log)})
		sw := switchtest.Connect(t, c, switchtest.Features(1, 2))
		sw.Ready()
		_ = sw.Conn.Close()
		_ = sw.Ended()
		last := hook.LastEntry()
		if last == nil || last.Message != "connection to the switch ended" || last.Level != logrus.InfoLevel {
			t.Errorf("logged %+v", last)
		}
	})
}
