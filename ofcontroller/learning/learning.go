// Package learning is a learning switch, for any number of switches: it learns
// behind which port each station is and makes a flow for each pair that talks.
package learning

import (
	"cmp"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Config is how the application behaves. The zero value is ready for use.
type Config struct {
	// IdleTimeout of the flows, in seconds. 0 means 60.
	IdleTimeout uint16
	// HardTimeout of the flows, in seconds. 0 means none.
	HardTimeout uint16
	// Priority of the flows. 0 means of10.DefaultPriority.
	Priority uint16
	// Age is how long a station that is not heard is remembered. 0 means 5 minutes.
	Age time.Duration
	// MaxStations bounds what is remembered for one switch. 0 means 65536.
	MaxStations int
	// Exact makes a flow match every field of the frame it was made for, instead
	// of its ports, addresses and VLAN.
	Exact bool
}

func (c Config) withDefaults() Config {
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 60)
	c.Priority = cmp.Or(c.Priority, of10.DefaultPriority)
	c.Age = cmp.Or(c.Age, 5*time.Minute)
	c.MaxStations = cmp.Or(c.MaxStations, 1<<16)
	return c
}

// App is the application.
type App struct {
	cfg    Config
	tables sync.Map // of *ofcontroller.Switch to *table
}

var _ ofcontroller.App = (*App)(nil)

// New returns a learning switch.
func New(cfg Config) *App { return &App{cfg: cfg.withDefaults()} }

// Open makes it from the parameters idle, hard, priority, age (in seconds) and
// exact (yes or no).
func Open(params ofcontroller.Params) (ofcontroller.App, error) {
	var cfg Config
	for key, value := range params {
		if key == "exact" {
			if value != "yes" && value != "no" {
				return nil, fmt.Errorf("exact=%q; want yes or no", value)
			}
			cfg.Exact = value == "yes"
			continue
		}
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%s=%q; want a number from 1 to 65535", key, value)
		}
		switch key {
		case "idle":
			cfg.IdleTimeout = uint16(n)
		case "hard":
			cfg.HardTimeout = uint16(n)
		case "priority":
			cfg.Priority = uint16(n)
		case "age":
			cfg.Age = time.Duration(n) * time.Second
		default:
			return nil, fmt.Errorf("unknown parameter %q; there are idle, hard, priority, age and exact", key)
		}
	}
	return New(cfg), nil
}

// Attach adds the application's handlers.
func (a *App) Attach(c *ofcontroller.Controller) error {
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		a.tables.Store(sw, newTable(a.cfg.MaxStations, a.cfg.Age))
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchDown) ofcontroller.Verdict {
		a.tables.Delete(sw)
		return ofcontroller.Continue
	})
	ofcontroller.OnInline(c, a.packetIn)
	ofcontroller.On(c, a.portChange)
	return nil
}

// Station is where a MAC address was heard last.
type Station struct {
	VLAN uint16 // of10.VLANNone if untagged
	MAC  ofwire.MAC
	Port of10.Port
}

// Stations returns what is known of one switch, in no order.
func (a *App) Stations(sw *ofcontroller.Switch) []Station {
	t, ok := a.tables.Load(sw)
	if !ok {
		return nil
	}
	return t.(*table).stations(time.Now())
}

func (a *App) packetIn(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
	v, ok := a.tables.Load(sw)
	if !ok {
		return ofcontroller.Continue
	}
	t := v.(*table)
	h := packet.Parse(in.Data, uint32(in.InPort))
	src, dst := ofwire.MAC(h.DLSrc), ofwire.MAC(h.DLDst)
	if src.IsMulticast() || reserved(dst) || h.DLType == packet.TypeLLDP {
		a.release(sw, in) // not for a bridge to forward
		return ofcontroller.Continue
	}
	now := time.Now()
	if moved := t.learn(h.DLVLAN, src, in.InPort, now); moved {
		a.forget(sw, h.DLVLAN, src)
	}
	out, known := of10.PortFlood, false
	if !dst.IsMulticast() {
		if port, ok := t.find(h.DLVLAN, dst, now); ok {
			out, known = port, true
		}
	}
	switch {
	case !known:
		a.forward(sw, in, of10.PortFlood)
	case out == in.InPort:
		a.release(sw, in) // its segment has delivered it already
	default:
		a.install(sw, in, &h, out)
	}
	return ofcontroller.Continue
}

// reserved reports addresses that bridges do not forward (IEEE 802.1D, 7.12.6).
func reserved(a ofwire.MAC) bool {
	return a[0] == 0x01 && a[1] == 0x80 && a[2] == 0xc2 && a[3] == 0 && a[4] == 0 && a[5] <= 0x0f
}

// forward sends the frame of a packet_in, from the switch's buffer if it is there.
func (a *App) forward(sw *ofcontroller.Switch, in *of10.PacketIn, to of10.Port) {
	out := of10.PacketOut{BufferID: in.BufferID, InPort: in.InPort, Actions: []of10.Action{of10.Output(to, 0)}}
	if in.BufferID == of10.NoBuffer {
		out.Data = in.Data
	}
	_ = sw.Send(&out) // fails only if the switch is gone, which SwitchDown tells
}

// release frees the switch's buffer of a frame that goes nowhere.
func (a *App) release(sw *ofcontroller.Switch, in *of10.PacketIn) {
	if in.BufferID != of10.NoBuffer {
		_ = sw.Send(&of10.PacketOut{BufferID: in.BufferID, InPort: in.InPort})
	}
}

// install makes a flow for frames like this one and sends this one along.
func (a *App) install(sw *ofcontroller.Switch, in *of10.PacketIn, h *packet.Header, to of10.Port) {
	_ = sw.Send(&of10.FlowMod{
		Match:       Match(h, a.cfg.Exact),
		Command:     of10.FlowAdd,
		IdleTimeout: a.cfg.IdleTimeout,
		HardTimeout: a.cfg.HardTimeout,
		Priority:    a.cfg.Priority,
		BufferID:    in.BufferID,
		OutPort:     of10.PortNone,
		Actions:     []of10.Action{of10.Output(to, 0)},
	})
	if in.BufferID == of10.NoBuffer {
		a.forward(sw, in, to)
	}
}

// Match is the match of a flow for frames like h: all of its fields, or its
// ingress, addresses and VLAN.
func Match(h *packet.Header, exact bool) of10.Match {
	m := of10.Match{
		InPort: of10.Port(h.InPort), DLSrc: h.DLSrc, DLDst: h.DLDst, DLVLAN: h.DLVLAN, DLVLANPCP: h.DLVLANPCP,
		DLType: h.DLType, NWTos: h.NWTos, NWProto: h.NWProto, NWSrc: h.NWSrc, NWDst: h.NWDst, TPSrc: h.TPSrc, TPDst: h.TPDst,
	}
	if !exact {
		m.Wildcards = of10.WildAllCanonical &^ (of10.WildInPort | of10.WildDLSrc | of10.WildDLDst | of10.WildDLVLAN)
	}
	return m.Normalize()
}

// forget deletes the flows towards a station that has moved.
func (a *App) forget(sw *ofcontroller.Switch, vlan uint16, station ofwire.MAC) {
	m := of10.MatchAll()
	m.Wildcards &^= of10.WildDLDst | of10.WildDLVLAN
	m.DLDst, m.DLVLAN = station, vlan
	_ = sw.Send(&of10.FlowMod{Match: m, Command: of10.FlowDelete, BufferID: of10.NoBuffer, OutPort: of10.PortNone})
}

// portChange forgets what was behind a port that went down.
func (a *App) portChange(sw *ofcontroller.Switch, change ofcontroller.PortChange) ofcontroller.Verdict {
	v, ok := a.tables.Load(sw)
	if !ok || change.Up() {
		return ofcontroller.Continue
	}
	if v.(*table).forgetPort(change.Port.PortNo) {
		_ = sw.Send(&of10.FlowMod{Match: of10.MatchAll(), Command: of10.FlowDelete, BufferID: of10.NoBuffer, OutPort: change.Port.PortNo})
	}
	return ofcontroller.Continue
}
