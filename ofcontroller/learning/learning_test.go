package learning_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/learning"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

func station(n byte) ofwire.MAC { return ofwire.MAC{0, 0, 0, 0, 0, n} }

func frame(dst, src ofwire.MAC) []byte {
	f := append(append([]byte(nil), dst[:]...), src[:]...)
	return append(f, 0x88, 0xb5, 'd', 'a', 't', 'a')
}

func packetIn(port of10.Port, dst, src ofwire.MAC) *of10.PacketIn {
	data := frame(dst, src)
	return &of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(data)), InPort: port, Data: data}
}

func attach(t *testing.T, cfg learning.Config) (*ofcontroller.Controller, *learning.App) {
	t.Helper()
	c := ofcontroller.New(ofcontroller.Config{EchoInterval: -1})
	app := learning.New(cfg)
	if err := app.Attach(c); err != nil {
		t.Fatal(err)
	}
	return c, app
}

// summary says what a message does, for comparison.
func summary(m of10.Message) string {
	switch m := m.(type) {
	case *of10.PacketOut:
		s := fmt.Sprintf("out from %d buffer %#x %d bytes to", m.InPort, m.BufferID, len(m.Data))
		for _, a := range m.Actions {
			s += fmt.Sprintf(" %d", a.Port)
		}
		return s
	case *of10.FlowMod:
		s := fmt.Sprintf("flow %v port %d %v>%v idle %d buffer %#x to", m.Command, m.Match.InPort, m.Match.DLSrc, m.Match.DLDst, m.IdleTimeout, m.BufferID)
		for _, a := range m.Actions {
			s += fmt.Sprintf(" %d", a.Port)
		}
		if m.OutPort != of10.PortNone {
			s += fmt.Sprintf(" out_port %d", m.OutPort)
		}
		return s
	}
	return m.String()
}

func TestLearning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, app := attach(t, learning.Config{})
		s := switchtest.Connect(t, c, switchtest.Features(1, 3))
		other := switchtest.Connect(t, c, switchtest.Features(2, 3))
		flood := fmt.Sprint(uint16(of10.PortFlood))
		buffered := packetIn(1, station(2), station(1))
		buffered.BufferID = 0x17
		down := switchtest.Port(1, 3)
		down.State = of10.PortStateLinkDown
		for _, step := range []struct {
			name string
			send of10.Message
			want []string
		}{
			{"unknown destination", packetIn(1, station(2), station(1)), []string{"out from 1 buffer 0xffffffff 18 bytes to " + flood}},
			{"broadcast", packetIn(1, ofwire.Broadcast, station(1)), []string{"out from 1 buffer 0xffffffff 18 bytes to " + flood}},
			{"known destination", packetIn(2, station(1), station(2)), []string{
				"flow " + of10.FlowAdd.String() + " port 2 00:00:00:00:00:02>00:00:00:00:00:01 idle 60 buffer 0xffffffff to 1",
				"out from 2 buffer 0xffffffff 18 bytes to 1",
			}},
			{"in the switch's buffer", buffered, []string{
				"flow " + of10.FlowAdd.String() + " port 1 00:00:00:00:00:01>00:00:00:00:00:02 idle 60 buffer 0x17 to 2",
			}},
			{"same segment", packetIn(2, station(2), station(9)), nil},
			{"bridge protocol", packetIn(2, ofwire.MAC{1, 0x80, 0xc2, 0, 0, 0}, station(9)), nil},
			{"forged source", packetIn(2, station(1), ofwire.Broadcast), nil},
			{"moved station", packetIn(3, station(2), station(1)), []string{
				"flow " + of10.FlowDelete.String() + " port 0 00:00:00:00:00:00>00:00:00:00:00:01 idle 0 buffer 0xffffffff to",
				"flow " + of10.FlowAdd.String() + " port 3 00:00:00:00:00:01>00:00:00:00:00:02 idle 60 buffer 0xffffffff to 2",
				"out from 3 buffer 0xffffffff 18 bytes to 2",
			}},
			{"port down", &of10.PortStatus{Reason: of10.PortModified, Desc: down}, []string{
				"flow " + of10.FlowDelete.String() + " port 0 00:00:00:00:00:00>00:00:00:00:00:00 idle 0 buffer 0xffffffff to out_port 3",
			}},
			{"to the station behind it", packetIn(2, station(1), station(2)), []string{"out from 2 buffer 0xffffffff 18 bytes to " + flood}},
		} {
			s.Send(step.send)
			for _, want := range step.want {
				if got := summary(s.Next()); got != want {
					t.Fatalf("%s:\n got %s\nwant %s", step.name, got, want)
				}
			}
			s.Quiet(time.Second)
		}
		// Each switch has a table of its own.
		other.Send(packetIn(1, station(2), station(5)))
		if got, want := summary(other.Next()), "out from 1 buffer 0xffffffff 18 bytes to "+flood; got != want {
			t.Errorf("the other switch:\n got %s\nwant %s", got, want)
		}
		want := []learning.Station{{VLAN: of10.VLANNone, MAC: station(5), Port: 1}}
		if diff := cmp.Diff(want, app.Stations(c.Switch(2))); diff != "" {
			t.Errorf("stations (-want +got):\n%s", diff)
		}
	})
}

func TestAgeing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, app := attach(t, learning.Config{Age: time.Minute, MaxStations: 2})
		s := switchtest.Connect(t, c, switchtest.Features(1, 3))
		next := func(port of10.Port, dst, src byte) string {
			s.Send(packetIn(port, station(dst), station(src)))
			m := s.Next()
			if _, ok := m.(*of10.FlowMod); ok {
				s.Next() // the packet_out behind it
				return "flow"
			}
			return "flood"
		}
		if got := next(1, 9, 1); got != "flood" {
			t.Errorf("to a stranger: %s", got)
		}
		bubble.Sleep(59 * time.Second)
		if got := next(2, 1, 2); got != "flow" {
			t.Errorf("within the age: %s", got)
		}
		if got := next(3, 9, 3); got != "flood" || len(app.Stations(c.Switch(1))) != 2 {
			t.Errorf("a full table: %s, %v", got, app.Stations(c.Switch(1)))
		}
		bubble.Sleep(2 * time.Second)
		if got := next(2, 1, 2); got != "flood" {
			t.Errorf("past the age: %s", got)
		}
		if got := next(3, 2, 3); got != "flow" {
			t.Errorf("room after ageing: %s", got)
		}
		want := 2 // stations 2 and 3; 1 has aged
		if got := app.Stations(c.Switch(1)); len(got) != want {
			t.Errorf("stations %v, want %d", got, want)
		}
	})
}

func TestReleasesBuffers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := attach(t, learning.Config{})
		s := switchtest.Connect(t, c, switchtest.Features(1, 3))
		in := packetIn(2, ofwire.MAC{1, 0x80, 0xc2, 0, 0, 0}, station(9))
		in.BufferID = 7
		s.Send(in)
		if got, want := summary(s.Next()), "out from 2 buffer 0x7 0 bytes to"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestExact(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := attach(t, learning.Config{Exact: true, Priority: 77, IdleTimeout: 5, HardTimeout: 50})
		s := switchtest.Connect(t, c, switchtest.Features(1, 3))
		udp := append(frame(station(2), station(1))[:12],
			0x08, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x13, 0x88, 0x13, 0x89, 0, 8, 0, 0)
		s.Send(packetIn(2, station(1), station(2)), &of10.PacketIn{BufferID: of10.NoBuffer, InPort: 1, Data: udp})
		s.Next() // flood of the first
		flow := switchtest.Receive[*of10.FlowMod](s)
		want := of10.Match{
			InPort: 1, DLSrc: station(1), DLDst: station(2), DLVLAN: of10.VLANNone, DLType: 0x0800, NWProto: 17,
			NWSrc: 0x0a000001, NWDst: 0x0a000002, TPSrc: 5000, TPDst: 5001,
		}
		if diff := cmp.Diff(want, flow.Match); diff != "" {
			t.Errorf("match (-want +got):\n%s", diff)
		}
		if flow.Priority != 77 || flow.IdleTimeout != 5 || flow.HardTimeout != 50 {
			t.Errorf("priority %d, timeouts %d and %d", flow.Priority, flow.IdleTimeout, flow.HardTimeout)
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	if _, err := learning.Open(ofcontroller.Params{"idle": "5", "hard": "6", "priority": "7", "age": "8", "exact": "yes"}); err != nil {
		t.Error(err)
	}
	for _, bad := range []ofcontroller.Params{{"idle": "0"}, {"idle": "65536"}, {"age": "x"}, {"exact": "maybe"}, {"colour": "1"}} {
		if _, err := learning.Open(bad); err == nil {
			t.Errorf("Open(%v) accepts it", bad)
		}
	}
}
