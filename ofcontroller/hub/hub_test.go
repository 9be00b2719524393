package hub_test

import (
	"testing"
	"testing/synctest"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/hub"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire/of10"
)

func TestHub(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"packet", "flow"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				app, err := hub.Open(ofcontroller.Params{"mode": mode})
				if err != nil {
					t.Fatal(err)
				}
				c := ofcontroller.New(ofcontroller.Config{})
				if err := app.Attach(c); err != nil {
					t.Fatal(err)
				}
				s := switchtest.Connect(t, c, switchtest.Features(1, 3))
				if mode == "flow" {
					flow := switchtest.Receive[*of10.FlowMod](s)
					if flow.Match != of10.MatchAll() || len(flow.Actions) != 1 || flow.Actions[0].Port != of10.PortFlood {
						t.Errorf("flow %v", flow)
					}
				}
				s.Send(&of10.PacketIn{BufferID: of10.NoBuffer, InPort: 2, Data: []byte("frame")}, &of10.PacketIn{BufferID: 5, InPort: 3, Data: []byte("fra")})
				out := switchtest.Receive[*of10.PacketOut](s)
				if out.InPort != 2 || string(out.Data) != "frame" || len(out.Actions) != 1 || out.Actions[0].Port != of10.PortFlood {
					t.Errorf("packet_out %v", out)
				}
				out = switchtest.Receive[*of10.PacketOut](s)
				if out.InPort != 3 || out.BufferID != 5 || len(out.Data) != 0 {
					t.Errorf("packet_out of a buffer %v", out)
				}
			})
		})
	}
	if _, err := hub.Open(ofcontroller.Params{"mode": "loud"}); err == nil {
		t.Error("Open accepts an unknown mode")
	}
}
