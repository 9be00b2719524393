package firewall_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/firewall"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire/of10"
)

const rules = `
allow arp
deny tcp,nw_src=10.0.0.7,tp_dst=22      # this one may not log in
allow tcp,tp_dst=22
allow icmp,nw_dst=10.0.0.0/24
default deny
`

func udpFrame(tpDst byte) []byte {
	return []byte{
		0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 8, 0,
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, tpDst, 0, 8, 0, 0,
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	list, allow, err := firewall.Parse(strings.NewReader(rules))
	if err != nil {
		t.Fatal(err)
	}
	app := firewall.New(list, allow)
	tcp := packet.Header{DLVLAN: packet.VLANNone, DLType: 0x0800, NWProto: 6, NWSrc: 0x0a000001, NWDst: 0x0a000002, TPDst: 22}
	for _, tt := range []struct {
		name   string
		change func(*packet.Header)
		want   bool
	}{
		{"log in", func(*packet.Header) {}, true},
		{"log in from 7", func(h *packet.Header) { h.NWSrc = 0x0a000007 }, false},
		{"web", func(h *packet.Header) { h.TPDst = 80 }, false},
		{"ARP", func(h *packet.Header) { h.DLType, h.NWProto, h.TPDst = 0x0806, 1, 0 }, true},
		{"ping inside", func(h *packet.Header) { h.NWProto = 1 }, true},
		{"ping outside", func(h *packet.Header) { h.NWProto, h.NWDst = 1, 0x0b000001 }, false},
	} {
		h := tcp
		tt.change(&h)
		if got := app.Allows(&h); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	open := firewall.New(nil, true)
	if !open.Allows(&tcp) {
		t.Error("default allow denies")
	}
}

func TestDropsInTheSwitch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		list, allow, err := firewall.Parse(strings.NewReader("allow udp,tp_dst=53"))
		if err != nil {
			t.Fatal(err)
		}
		c := ofcontroller.New(ofcontroller.Config{})
		app := firewall.New(list, allow)
		if err := app.Attach(c); err != nil {
			t.Fatal(err)
		}
		s := switchtest.Connect(t, c, switchtest.Features(1, 3))
		if m := switchtest.Receive[*of10.FlowMod](s); m.Command != of10.FlowDelete || m.Match != of10.MatchAll() {
			t.Errorf("at first %v, want the table emptied", m)
		}
		s.Send(&of10.PacketIn{BufferID: 9, TotalLen: 42, InPort: 1, Data: udpFrame(54)})
		drop := switchtest.Receive[*of10.FlowMod](s)
		if len(drop.Actions) != 0 || !drop.Match.Exact() || drop.Match.TPDst != 54 || drop.IdleTimeout == 0 || drop.BufferID != 9 {
			t.Errorf("denied: %v, want an exact flow that drops, and the buffer with it", drop)
		}
		s.Send(&of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: 42, InPort: 1, Data: udpFrame(53)})
		out := switchtest.Receive[*of10.PacketOut](s)
		if len(out.Actions) != 1 || out.Actions[0].Port != of10.PortFlood {
			t.Errorf("allowed: %v, want it flooded", out)
		}
		// The denied frame taught nothing, the allowed one did; a flow back is exact.
		s.Send(&of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: 42, InPort: 2, Data: append([]byte{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2}, udpFrame(53)[12:]...)})
		flow := switchtest.Receive[*of10.FlowMod](s)
		if !flow.Match.Exact() || flow.Actions[0].Port != 1 {
			t.Errorf("back: %v, want an exact flow to port 1", flow)
		}
		if got := app.Denied(); got != 1 {
			t.Errorf("%d denied, want 1", got)
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(name, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := firewall.Open(ofcontroller.Params{"rules": name}); err != nil {
		t.Error(err)
	}
	for _, bad := range []ofcontroller.Params{{}, {"rules": name + "x"}, {"rules": name, "colour": "1"}} {
		if _, err := firewall.Open(bad); err == nil {
			t.Errorf("Open(%v) accepts it", bad)
		}
	}
	for text, want := range map[string]string{
		"allow arp\npermit ip": "line 2",
		"default maybe":        "line 1",
		"deny":                 "line 1",
		"deny tp_dst=22":       "line 1", // of which protocol?
	} {
		if _, _, err := firewall.Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want %q", text, err, want)
		}
	}
}
