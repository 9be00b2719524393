package ofcontroller_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// A whole learning switch, for any number of switches: it learns behind which
// port each station is, and makes a flow to a station it knows.
func Example() {
	c := ofcontroller.New(ofcontroller.Config{})
	var mu sync.Mutex
	stations := make(map[*ofcontroller.Switch]map[ofwire.MAC]of10.Port)

	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		mu.Lock()
		defer mu.Unlock()
		stations[sw] = make(map[ofwire.MAC]of10.Port)
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchDown) ofcontroller.Verdict {
		mu.Lock()
		defer mu.Unlock()
		delete(stations, sw)
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
		if len(in.Data) < 14 {
			return ofcontroller.Continue
		}
		dst, src := ofwire.MAC(in.Data[0:6]), ofwire.MAC(in.Data[6:12])
		mu.Lock()
		stations[sw][src] = in.InPort
		port, known := stations[sw][dst]
		mu.Unlock()

		out := &of10.PacketOut{BufferID: in.BufferID, InPort: in.InPort}
		if in.BufferID == of10.NoBuffer {
			out.Data = in.Data
		}
		if !known {
			port = of10.PortFlood
		}
		out.Actions = []of10.Action{of10.Output(port, 0)}
		if known {
			match := of10.MatchAll()
			match.Wildcards &^= of10.WildInPort | of10.WildDLSrc | of10.WildDLDst
			match.InPort, match.DLSrc, match.DLDst = in.InPort, src, dst
			flow := &of10.FlowMod{
				Match: match, Command: of10.FlowAdd, Priority: of10.DefaultPriority, IdleTimeout: 60,
				BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: out.Actions,
			}
			if err := sw.Send(flow); err != nil {
				return ofcontroller.Stop
			}
		}
		if err := sw.Send(out); err != nil {
			return ofcontroller.Stop
		}
		return ofcontroller.Continue
	})

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Println(c.Run(ctx, "ptcp:6633"))
}

// blink is an application: it tells which links of a switch change.
type blink struct{ prefix string }

func (b blink) Attach(c *ofcontroller.Controller) error {
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e ofcontroller.PortChange) ofcontroller.Verdict {
		fmt.Printf("%s%v port %s up=%v\n", b.prefix, sw.ID(), e.Port.Name, e.Up())
		return ofcontroller.Continue
	})
	return nil
}

// An application gets a name, and is then the controller of a slice with
// fvctl add-slice s1 'module:blink?prefix=look:' ...
func ExampleRegister() {
	ofcontroller.Register("blink", func(p ofcontroller.Params) (ofcontroller.App, error) {
		for key := range p {
			if key != "prefix" {
				return nil, fmt.Errorf("unknown parameter %q; there is prefix", key)
			}
		}
		return blink{prefix: p["prefix"]}, nil
	})
}

// A handler may ask its switch and wait: here, for the flows that are there when
// it connects.
func ExampleSwitch_Request() {
	c := ofcontroller.New(ofcontroller.Config{})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		reply, err := sw.Request(context.Background(), &of10.StatsRequest{
			StatsType: of10.StatsFlow,
			Body:      of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone},
		})
		if err != nil {
			fmt.Println(sw, err)
			return ofcontroller.Continue
		}
		flows, _ := reply.(*of10.StatsReply).Body.(of10.FlowStatsReply)
		fmt.Println(sw, "has", len(flows), "flows")
		return ofcontroller.Continue
	})
}
