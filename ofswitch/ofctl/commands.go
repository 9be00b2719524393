package ofctl

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// printMessage prints a message and ends the line.
func printMessage(w io.Writer, m fmt.Stringer) {
	fmt.Fprintln(w, strings.TrimSuffix(m.String(), "\n"))
}

// Show prints the switch's features and configuration.
func (c *Client) Show(w io.Writer) error {
	f, err := c.Features()
	if err != nil {
		return err
	}
	printMessage(w, f)
	cfg, err := c.Ask(&of10.GetConfigRequest{})
	if err != nil {
		return err
	}
	printMessage(w, cfg)
	return nil
}

// DumpPortsDesc prints the ports in the form of the newer protocol's message.
func (c *Client) DumpPortsDesc(w io.Writer) error {
	f, err := c.Features()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "OFPST_PORT_DESC reply (xid=%#x):\n", f.XID)
	for _, p := range f.Ports {
		fmt.Fprintf(w, " %s\n", strings.TrimSuffix(p.String(), "\n"))
	}
	return nil
}

// DumpStats prints a statistics reply.
func (c *Client) DumpStats(w io.Writer, t of10.StatsType, body of10.StatsBody) error {
	m, err := c.Stats(t, body)
	if err != nil {
		return err
	}
	printMessage(w, m)
	return nil
}

// DumpPorts prints the counters of one port, by number or name, or of all.
func (c *Client) DumpPorts(w io.Writer, port string) error {
	no := of10.PortNone
	if port != "" {
		var err error
		if no, err = c.Parser().ParsePort(port); err != nil {
			return fmt.Errorf("%s: couldn't find port `%s'", c.Name, port)
		}
	}
	return c.DumpStats(w, of10.StatsPort, of10.PortStatsRequest{PortNo: no})
}

// DumpAggregate prints the sum over the selected flows.
func (c *Client) DumpAggregate(w io.Writer, selection string) error {
	req, err := c.Parser().ParseFlowStatsRequest(selection)
	if err != nil {
		return err
	}
	return c.DumpStats(w, of10.StatsAggregate, of10.AggregateStatsRequest(req))
}

// portQueue reads "[PORT [QUEUE]]", with ALL for either.
func (c *Client) portQueue(args []string) (of10.Port, uint32, error) {
	no, q := of10.PortAll, of10.QueueAll
	if len(args) > 0 && !strings.EqualFold(args[0], "all") {
		p, err := c.Parser().ParsePort(args[0])
		if err != nil {
			return 0, 0, err
		}
		no = p
	}
	if len(args) > 1 && !strings.EqualFold(args[1], "all") {
		n, err := strconv.ParseUint(args[1], 0, 32)
		if err != nil {
			return 0, 0, fmt.Errorf("queue %q: not a number", args[1])
		}
		q = uint32(n)
	}
	return no, q, nil
}

// QueueStats prints the counters of queues.
func (c *Client) QueueStats(w io.Writer, args []string) error {
	no, q, err := c.portQueue(args)
	if err != nil {
		return err
	}
	return c.DumpStats(w, of10.StatsQueue, of10.QueueStatsRequest{PortNo: no, QueueID: q})
}

// QueueConfig prints the queues of one port, or of each.
func (c *Client) QueueConfig(w io.Writer, args []string) error {
	no, only, err := c.portQueue(args)
	if err != nil {
		return err
	}
	ports := []of10.Port{no}
	if no == of10.PortAll {
		f, err := c.Features()
		if err != nil {
			return err
		}
		ports = ports[:0]
		for _, p := range f.Ports {
			if p.PortNo != of10.PortLocal {
				ports = append(ports, p.PortNo)
			}
		}
	}
	for _, p := range ports {
		m, err := c.Ask(&of10.QueueGetConfigRequest{Port: p})
		if err != nil {
			return err
		}
		r, ok := m.(*of10.QueueGetConfigReply)
		if !ok {
			return fmt.Errorf("the switch answered a queue request with %v", m.Type())
		}
		if only != of10.QueueAll {
			kept := r.Queues[:0]
			for _, q := range r.Queues {
				if q.QueueID == only {
					kept = append(kept, q)
				}
			}
			r.Queues = kept
		}
		printMessage(w, r)
	}
	return nil
}

// portActions are what mod-port can do: the bit and whether it gets set.
var portActions = map[string]struct {
	bit of10.PortConfig
	set bool
}{
	"up": {of10.PortConfigDown, false}, "down": {of10.PortConfigDown, true},
	"stp": {of10.PortConfigNoSTP, false}, "no-stp": {of10.PortConfigNoSTP, true},
	"receive": {of10.PortConfigNoRecv, false}, "no-receive": {of10.PortConfigNoRecv, true},
	"receive-stp": {of10.PortConfigNoRecvSTP, false}, "no-receive-stp": {of10.PortConfigNoRecvSTP, true},
	"flood": {of10.PortConfigNoFlood, false}, "no-flood": {of10.PortConfigNoFlood, true}, "noflood": {of10.PortConfigNoFlood, true},
	"forward": {of10.PortConfigNoFwd, false}, "no-forward": {of10.PortConfigNoFwd, true},
	"packet-in": {of10.PortConfigNoPacketIn, false}, "no-packet-in": {of10.PortConfigNoPacketIn, true},
}

// ModPort changes one config bit of a port.
func (c *Client) ModPort(port, action string) error {
	a, ok := portActions[strings.ToLower(action)]
	if !ok {
		return fmt.Errorf("unknown mod-port command '%s'", action)
	}
	p, err := c.port(port)
	if err != nil {
		return err
	}
	m := &of10.PortMod{PortNo: p.PortNo, HWAddr: p.HWAddr, Mask: a.bit}
	if a.set {
		m.Config = a.bit
	}
	return c.Do(m)
}

func (c *Client) config() (*of10.GetConfigReply, error) {
	m, err := c.Ask(&of10.GetConfigRequest{})
	if err != nil {
		return nil, err
	}
	cfg, ok := m.(*of10.GetConfigReply)
	if !ok {
		return nil, fmt.Errorf("the switch answered a config request with %v", m.Type())
	}
	return cfg, nil
}

// GetFrags prints the fragment handling mode.
func (c *Client) GetFrags(w io.Writer) error {
	cfg, err := c.config()
	if err == nil {
		fmt.Fprintln(w, cfg.Flags&of10.FragMask)
	}
	return err
}

// SetFrags sets the fragment handling mode and makes sure that it holds.
func (c *Client) SetFrags(mode string) error {
	modes := map[string]of10.ConfigFlags{"normal": of10.FragNormal, "drop": of10.FragDrop, "reassemble": of10.FragReasm}
	want, ok := modes[mode]
	if !ok {
		return fmt.Errorf("%s: unknown fragment handling mode (normal, drop, reassemble)", mode)
	}
	cfg, err := c.config()
	if err != nil {
		return err
	}
	refused := c.Do(&of10.SetConfig{Flags: cfg.Flags&^of10.FragMask | want, MissSendLen: cfg.MissSendLen})
	if cfg, err = c.config(); err != nil {
		return err
	}
	if refused != nil || cfg.Flags&of10.FragMask != want {
		return fmt.Errorf("%s: setting fragment handling mode failed (this switch probably doesn't support mode \"%s\")", c.Name, mode)
	}
	return nil
}

// PacketOut sends frames. args is "in_port=...,packet=HEX,actions=...", or the
// older form IN_PORT ACTIONS HEX...
func (c *Client) PacketOut(args []string) error {
	p := c.Parser()
	if len(args) == 1 {
		m, err := p.ParsePacketOut(args[0])
		if err != nil {
			return err
		}
		return c.Do(m)
	}
	if len(args) < 3 {
		return fmt.Errorf("packet-out wants in_port=PORT,packet=HEX,actions=ACTIONS, or IN_PORT ACTIONS and packets")
	}
	in, err := p.ParsePort(args[0])
	if err != nil {
		return err
	}
	actions, err := p.ParseActionList(args[1])
	if err != nil {
		return err
	}
	var ms []of10.Message
	for _, text := range args[2:] {
		data, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			return fmt.Errorf("packet %q: %w", text, err)
		}
		ms = append(ms, &of10.PacketOut{BufferID: of10.NoBuffer, InPort: in, Actions: actions, Data: data})
	}
	return c.Do(ms...)
}

// Monitor prints what the switch sends until the connection ends. missLen, if not
// negative, is set first: a switch sends nothing unasked to a management
// connection before. stamp puts the time before each message.
func (c *Client) Monitor(w io.Writer, missLen int, stamp bool) error {
	if missLen >= 0 {
		cfg, err := c.config()
		if err != nil {
			return err
		}
		if err := c.Do(&of10.SetConfig{Flags: cfg.Flags, MissSendLen: uint16(missLen)}); err != nil {
			return err
		}
	}
	for {
		m, err := c.Receive()
		if err != nil {
			return err
		}
		if stamp {
			fmt.Fprint(w, time.Now().Format("2006-01-02 15:04:05.000: "))
		}
		printMessage(w, m)
	}
}

// Probe sends one echo request.
func (c *Client) Probe() error {
	_, err := c.Ask(&of10.EchoRequest{})
	return err
}

// Ping sends ten echo requests of size bytes and prints how long each took.
func (c *Client) Ping(w io.Writer, size int) error {
	for range 10 {
		req := &of10.EchoRequest{Data: payload(size)}
		start := time.Now()
		m, err := c.Ask(req)
		if err != nil {
			return err
		}
		took := time.Since(start)
		reply, ok := m.(*of10.EchoReply)
		if !ok || string(reply.Data) != string(req.Data) {
			printMessage(w, req)
			printMessage(w, m)
			return fmt.Errorf("%s: the echo came back changed", c.Name)
		}
		fmt.Fprintf(w, "%d bytes from %s: xid=%08x time=%.1f ms\n", len(reply.Data), c.Name, reply.XID, float64(took)/1e6)
	}
	return nil
}

// Benchmark sends count echo requests of size bytes, one at a time.
func (c *Client) Benchmark(w io.Writer, size, count int) error {
	whole := size + 8
	fmt.Fprintf(w, "Sending %d packets * %d bytes (with header) = %d bytes total\n", count, whole, count*whole)
	data := payload(size)
	start := time.Now()
	for range count {
		if _, err := c.Ask(&of10.EchoRequest{Data: data}); err != nil {
			return err
		}
	}
	d := time.Since(start).Seconds()
	fmt.Fprintf(w, "Finished in %.1f ms (%.0f packets/s) (%.0f bytes/s)\n", d*1000, float64(count)/d, float64(count*whole)/d)
	return nil
}

func payload(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}
