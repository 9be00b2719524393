package bundled_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/bundled"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire/of10"
)

func TestRegister(t *testing.T) {
	bundled.Register()
	bundled.Register() // again does no harm
	want := []string{"discovery", "firewall", "hub", "learning", "shortest-path", "static"}
	if got := ofcontroller.Registered(); !slices.Equal(got, want) {
		t.Errorf("registered are %v, want %v", got, want)
	}
}

// everything attaches all applications to one controller.
func everything(t testing.TB) *ofcontroller.Controller {
	t.Helper()
	bundled.Register()
	dir := t.TempDir()
	flows, rules := filepath.Join(dir, "flows"), filepath.Join(dir, "rules")
	if err := errors.Join(os.WriteFile(flows, []byte("actions=normal\n"), 0o600), os.WriteFile(rules, []byte("default allow\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	c := ofcontroller.New(ofcontroller.Config{EchoInterval: -1})
	for _, spec := range []string{"static?file=" + flows, "firewall?rules=" + rules, "shortest-path", "learning", "hub", "discovery"} {
		app, err := ofcontroller.Open(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := app.Attach(c); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// FuzzSwitch lets a switch say anything after the handshake. It may cost its
// connection, but never by a panic.
func FuzzSwitch(f *testing.F) {
	add := func(messages ...of10.Message) {
		var b []byte
		for _, m := range messages {
			b, _ = m.AppendBinary(b)
		}
		f.Add(b)
	}
	frame := []byte("\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x01\x08\x00\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x01\x00\x02\x00\x08\x00\x00")
	add(&of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(frame)), InPort: 1, Data: frame}, &of10.PacketIn{BufferID: 7, InPort: 2, Data: frame[:20]})
	add(&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 1, Data: []byte("\x01\x80\xc2\x00\x00\x0e\x02\x00\x00\x00\x00\x01\x88\xcc\x02\x07\x04\x02")})
	add(&of10.PortStatus{Reason: of10.PortDeleted, Desc: switchtest.Port(1, 1)}, &of10.PortStatus{Reason: of10.PortAdded, Desc: switchtest.Port(1, 9)})
	add(&of10.StatsReply{XID: 5, StatsType: of10.StatsFlow, Flags: of10.StatsReplyMore, Body: of10.FlowStatsReply{{Match: of10.MatchAll()}}})
	add(&of10.FlowRemoved{Match: of10.MatchAll()}, &of10.Error{XID: 3}, &of10.BarrierReply{XID: 4}, &of10.Vendor{Vendor: 1})
	add(&of10.FeaturesReply{DatapathID: 2}, &of10.PacketOut{}, &of10.FlowMod{}, &of10.Hello{})
	f.Fuzz(func(t *testing.T, input []byte) {
		c := everything(t)
		s := switchtest.Connect(t, c, switchtest.Features(1, 4))
		go s.Each(func(m of10.Message) {
			if b, ok := m.(*of10.BarrierRequest); ok {
				reply, _ := (&of10.BarrierReply{XID: b.XID}).AppendBinary(nil)
				s.Conn.Write(reply)
			}
		})
		s.Conn.Write(input)
		s.Conn.Close()
		err := s.Ended()
		var panicked *ofcontroller.PanicError
		if errors.As(err, &panicked) {
			t.Fatalf("%v\n%s", panicked, panicked.Stack)
		}
		if errors.Is(err, ofconn.ErrPanic) || strings.Contains(err.Error(), "panic") {
			t.Fatal(err)
		}
	})
}
