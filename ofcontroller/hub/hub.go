// Package hub is a hub: it sends every frame out of every other port.
package hub

import (
	"fmt"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire/of10"
)

// App is the application.
type App struct {
	// Flow makes one flow per switch do the work, instead of a packet_out per frame.
	Flow bool
}

var _ ofcontroller.App = App{}

// Open makes it from the parameter mode (packet, the default, or flow).
func Open(params ofcontroller.Params) (ofcontroller.App, error) {
	var a App
	for key, value := range params {
		switch {
		case key == "mode" && (value == "packet" || value == "flow"):
			a.Flow = value == "flow"
		default:
			return nil, fmt.Errorf("unknown parameter %s=%s; there are mode=packet and mode=flow", key, value)
		}
	}
	return a, nil
}

// Attach adds the application's handlers.
func (a App) Attach(c *ofcontroller.Controller) error {
	flood := []of10.Action{of10.Output(of10.PortFlood, 0)}
	if a.Flow {
		ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
			_ = sw.Send(&of10.FlowMod{ // fails only if the switch is gone, which SwitchDown tells
				Match: of10.MatchAll(), Command: of10.FlowAdd, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: flood,
			})
			return ofcontroller.Continue
		})
	}
	ofcontroller.OnInline(c, func(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
		out := of10.PacketOut{BufferID: in.BufferID, InPort: in.InPort, Actions: flood}
		if in.BufferID == of10.NoBuffer {
			out.Data = in.Data
		}
		_ = sw.Send(&out)
		return ofcontroller.Continue
	})
	return nil
}
