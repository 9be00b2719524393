package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofswitch/sflow"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// switchFlags are the options of "govisor switch".
type switchFlags struct {
	dpid        string
	controllers []string
	listen      []string
	snoop       []string
	ports       []string
	queues      []string
	rates       []string
	socket      string
	failMode    string
	failAfter   time.Duration
	probe       time.Duration
	maxBackoff  time.Duration
	miss        string
	ageing      time.Duration
	rate, burst int
	slow        time.Duration
	force       bool
	desc        string
	serial      string
	cert        ofconn.TLSFiles
	sflowTo     []string
	sflowAgent  string
	sflow       sflow.Config
	logLevel    string
}

func switchCommand() *cobra.Command {
	var f switchFlags
	cmd := &cobra.Command{
		Use:   "switch",
		Short: "Run the bundled OpenFlow 1.0 switch",
		Long: `Run an OpenFlow 1.0 switch on existing interfaces, TAP devices, UDP tunnels and
capture files. Without a controller it behaves as a learning switch.

Ports are given as NUMBER=WHAT, with "local" for the port of the host itself:
  1=veth0                              an existing interface
  local=tap:br0                        a TAP device
  3=udp:192.0.2.1:4789,vni=7           a tunnel with VXLAN framing
  4=pcap:in=a.pcap,out=b.pcap          capture files (",timed" keeps the distances)
Ports are added and removed while it runs by the subcommands, over --socket.`,
		Example: `  govisor switch --dpid 1 --controller tcp:127.0.0.1:6633 --port 1=veth0 --port 2=tap:t0`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.dpid, "dpid", "1", "datapath id: a decimal number, 0x and hexadecimal digits, or eight bytes with colons")
	fl.StringArrayVarP(&f.controllers, "controller", "c", nil, "controller (tcp:, ssl:, unix:), or where to wait for one (ptcp:, pssl:, punix:); repeatable")
	fl.StringArrayVar(&f.listen, "listen", nil, "where to listen for management connections such as ofctl's (ptcp:, pssl:, punix:); repeatable")
	fl.StringArrayVar(&f.snoop, "snoop", nil, "where to listen for those that want a copy of all OpenFlow messages; repeatable")
	fl.StringArrayVarP(&f.ports, "port", "p", nil, "port, as NUMBER=WHAT; repeatable")
	fl.StringArrayVar(&f.queues, "queue", nil, "output queue of a port, as PORT:QUEUE or PORT:QUEUE:PERCENT of guaranteed rate; repeatable")
	fl.StringArrayVar(&f.rates, "port-rate", nil, "rate a port sends at, as PORT=RATE in bits a second (K, M, G); queues share it by their guarantees; repeatable")
	fl.StringVar(&f.socket, "socket", "", "unix socket for adding and removing ports")
	fl.StringVar(&f.failMode, "fail-mode", "", "without a controller: standalone (learn) or secure (keep the flows); default secure if there are controllers")
	fl.DurationVar(&f.failAfter, "fail-after", 0, "how long controllers must be away for standalone (default three probes)")
	fl.DurationVar(&f.probe, "inactivity-probe", 5*time.Second, "silence before an echo request; 0 turns it off")
	fl.DurationVar(&f.maxBackoff, "max-backoff", 8*time.Second, "longest pause between attempts to connect")
	fl.StringVar(&f.miss, "miss", "controller", "what happens to a frame no flow matches: controller, normal or drop")
	fl.DurationVar(&f.ageing, "mac-ageing", 300*time.Second, "ageing time of the NORMAL action")
	fl.IntVar(&f.rate, "rate-limit", 0, "packet_ins a second, misses and actions each; 0 for no limit")
	fl.IntVar(&f.burst, "burst-limit", 0, "packet_ins at once (default a quarter of the rate)")
	fl.DurationVar(&f.slow, "slow", 0, "time each flow_mod takes, to imitate slow hardware")
	fl.BoolVar(&f.force, "force", false, "attach interfaces that carry the default route as well")
	fl.StringVar(&f.desc, "dp-desc", "", "datapath description")
	fl.StringVar(&f.serial, "serial", "", "serial number")
	fl.StringVar(&f.cert.Cert, "certificate", "", "certificate (PEM)")
	fl.StringVar(&f.cert.Key, "private-key", "", "private key (PEM)")
	fl.StringVar(&f.cert.CA, "ca-cert", "", "certificates that may sign the peer's (PEM)")
	fl.StringArrayVar(&f.sflowTo, "sflow-target", nil, "sFlow collector, HOST[:PORT]; repeatable")
	fl.Uint32Var(&f.sflow.Rate, "sflow-rate", 400, "one frame in so many is sampled")
	fl.StringVar(&f.sflowAgent, "sflow-agent", "127.0.0.1", "address of the sFlow agent")
	fl.DurationVar(&f.sflow.Polling, "sflow-polling", 30*time.Second, "time between counter samples")
	fl.IntVar(&f.sflow.Header, "sflow-header", 128, "bytes of each frame in a sample")
	fl.StringVar(&f.logLevel, "log-level", "info", "error, warn, info or debug")
	cmd.AddCommand(switchAdminCommands()...)
	return cmd
}

// config translates the options; errors are usage errors.
func (f *switchFlags) config(stdout, stderr io.Writer) (ofswitch.SwitchConfig, error) {
	var c ofswitch.SwitchConfig
	fail := func(err error) (ofswitch.SwitchConfig, error) { return c, usageError{err} }
	var err error
	if c.DatapathID, err = ofwire.ParseDatapathID(f.dpid); err != nil {
		return fail(err)
	}
	if err := f.targets(&c); err != nil {
		return fail(err)
	}
	switch f.failMode {
	case "standalone":
		c.FailMode = ofswitch.FailStandalone
	case "secure":
		c.FailMode = ofswitch.FailSecure
	case "":
		if len(f.controllers) == 0 {
			c.FailMode = ofswitch.FailStandalone
		}
	default:
		return fail(fmt.Errorf("fail mode %q: want standalone or secure", f.failMode))
	}
	policies := map[string]ofswitch.MissPolicy{"controller": ofswitch.MissController, "normal": ofswitch.MissNormal, "drop": ofswitch.MissDrop}
	policy, ok := policies[f.miss]
	if !ok {
		return fail(fmt.Errorf("miss policy %q: want controller, normal or drop", f.miss))
	}
	c.MissPolicy = policy
	c.FailAfter, c.MaxBackoff, c.MACAgeing = f.failAfter, f.maxBackoff, f.ageing
	if c.Probe = f.probe; f.probe == 0 {
		c.Probe = -1
	}
	c.PacketInRate, c.PacketInBurst, c.FlowModDelay = f.rate, f.burst, f.slow
	c.Desc.Datapath, c.Desc.SerialNum = f.desc, f.serial
	if c.SFlow = f.sflow; len(f.sflowTo) > 0 {
		c.SFlow.Collectors = f.sflowTo
		if c.SFlow.Agent, err = netip.ParseAddr(f.sflowAgent); err != nil {
			return fail(fmt.Errorf("sFlow agent %q is no address", f.sflowAgent))
		}
	}
	if err := f.tls(&c); err != nil {
		return c, err
	}
	log := logrus.New()
	log.SetOutput(stderr)
	level, err := logrus.ParseLevel(f.logLevel)
	if err != nil {
		return fail(fmt.Errorf("log level %q: want error, warn, info or debug", f.logLevel))
	}
	log.SetLevel(level)
	c.Log = logrus.NewEntry(log)
	c.Listening = func(t ofwire.Target, addr net.Addr) {
		fmt.Fprintf(stdout, "listening on %s %s\n", t.Scheme, addr)
	}
	return c, nil
}

// targets are where controllers are, or may come from.
func (f *switchFlags) targets(c *ofswitch.SwitchConfig) error {
	for _, list := range []struct {
		texts []string
		to    *[]ofwire.Target
		any   bool
	}{{f.controllers, &c.Controllers, true}, {f.listen, &c.Controllers, false}, {f.snoop, &c.Snoop, false}} {
		for _, text := range list.texts {
			parse := ofwire.ParseTarget
			if list.any {
				parse = ofwire.ParseAddress
			}
			t, err := parse(text)
			if err == nil && (t.Scheme == "module" || !list.any && !t.Passive()) {
				err = fmt.Errorf("target %q: want ptcp:PORT, pssl:PORT or punix:PATH", text)
			}
			if err != nil {
				return err
			}
			*list.to = append(*list.to, t)
		}
	}
	return nil
}

func (f *switchFlags) tls(c *ofswitch.SwitchConfig) (err error) {
	if f.cert.Cert == "" && f.cert.CA == "" {
		return nil
	}
	if c.ClientTLS, err = ofconn.ClientTLS(f.cert); err != nil {
		return err
	}
	if f.cert.Cert != "" {
		c.ServerTLS, err = ofconn.ServerTLS(f.cert)
	}
	return err
}

// parsePort reads NUMBER=WHAT.
func parsePort(text string) (of10.Port, string, error) {
	number, what, ok := strings.Cut(text, "=")
	if !ok || what == "" {
		return 0, "", usageError{fmt.Errorf("port %q: want NUMBER=WHAT, like 1=veth0", text)}
	}
	no, err := parsePortNumber(number)
	return no, what, err
}

func parsePortNumber(text string) (of10.Port, error) {
	if strings.EqualFold(text, "local") {
		return of10.PortLocal, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 || n >= uint64(of10.PortMax) {
		return 0, usageError{fmt.Errorf("port number %q: want 1 to %d, or local", text, of10.PortMax-1)}
	}
	return of10.Port(n), nil
}

// parseQueues reads PORT:QUEUE[:PERCENT] into the queues of each port.
func parseQueues(texts []string) (map[of10.Port][]ofswitch.QueueConfig, error) {
	queues := map[of10.Port][]ofswitch.QueueConfig{}
	for _, text := range texts {
		bad := usageError{fmt.Errorf("queue %q: want PORT:QUEUE or PORT:QUEUE:PERCENT", text)}
		part := strings.Split(text, ":")
		if len(part) < 2 || len(part) > 3 {
			return nil, bad
		}
		no, err := parsePortNumber(part[0])
		if err != nil {
			return nil, err
		}
		id, err := strconv.ParseUint(part[1], 0, 32)
		if err != nil || uint32(id) == of10.QueueAll {
			return nil, bad
		}
		q := ofswitch.QueueConfig{ID: uint32(id), MinRate: of10.MinRateOff}
		if len(part) == 3 {
			percent, err := strconv.ParseFloat(strings.TrimSuffix(part[2], "%"), 64)
			if err != nil || !(percent >= 0 && percent <= 100) {
				return nil, bad
			}
			q.MinRate = uint16(percent*10 + 0.5)
		}
		queues[no] = append(queues[no], q)
	}
	return queues, nil
}

// parseRates reads PORT=RATE.
func parseRates(texts []string) (map[of10.Port]uint64, error) {
	rates := map[of10.Port]uint64{}
	for _, text := range texts {
		no, rate, err := parsePort(text)
		if err != nil {
			return nil, err
		}
		digits, unit := strings.TrimRight(rate, "KMGkmg"), uint64(1)
		switch strings.ToUpper(rate[len(digits):]) {
		case "":
		case "K":
			unit = 1e3
		case "M":
			unit = 1e6
		case "G":
			unit = 1e9
		default:
			digits = ""
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || n == 0 {
			return nil, usageError{fmt.Errorf("rate %q: want bits a second, like 100M", rate)}
		}
		rates[no] = n * unit
	}
	return rates, nil
}

// portSetup is what is known of the ports before they are opened.
type portSetup struct {
	queues map[of10.Port][]ofswitch.QueueConfig
	rates  map[of10.Port]uint64
	force  bool
}

// attach opens NUMBER=WHAT and gives it to the switch, which closes it.
func (s portSetup) attach(sw *ofswitch.Switch, text string) (port.Port, error) {
	no, what, err := parsePort(text)
	if err != nil {
		return nil, err
	}
	p, err := port.Open(what, s.force)
	if err != nil {
		return nil, explainPort(err)
	}
	if rate := s.rates[no]; rate > 0 {
		var queues []port.QueueRate
		for _, q := range s.queues[no] {
			queues = append(queues, port.QueueRate{ID: q.ID, MinRate: q.MinRate})
		}
		p = port.NewShaper(p, rate, queues)
	}
	if err := sw.AttachPort(no, p, s.queues[no]...); err != nil {
		_ = p.Close()
		return nil, usageError{err}
	}
	return p, nil
}

func (f *switchFlags) run(ctx context.Context, stdout, stderr io.Writer) error {
	cfg, err := f.config(stdout, stderr)
	if err != nil {
		return err
	}
	setup := portSetup{force: f.force}
	if setup.queues, err = parseQueues(f.queues); err != nil {
		return err
	}
	if setup.rates, err = parseRates(f.rates); err != nil {
		return err
	}
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		return err
	}
	var opened []port.Port
	defer func() { // the switch closes what it has been given; closing twice does no harm
		for _, p := range opened {
			_ = p.Close()
		}
	}()
	for _, text := range f.ports {
		p, err := setup.attach(sw, text)
		if err != nil {
			return err
		}
		opened = append(opened, p)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if f.socket != "" {
		admin, err := listenSwitchAdmin(ctx, f.socket, sw, setup)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "listening on unix %s\n", f.socket)
		wg.Go(func() { admin.serve(ctx) })
	}
	mode := "secure"
	if cfg.FailMode == ofswitch.FailStandalone {
		mode = "standalone"
	}
	fmt.Fprintf(stdout, "switch %v: %d ports, fail mode %s\n", cfg.DatapathID, len(f.ports), mode)
	return sw.Run(ctx)
}

// explainPort says what to do about a refused interface.
func explainPort(err error) error {
	if errors.Is(err, port.ErrDefaultRoute) {
		return fmt.Errorf("%w; this machine would lose its network (--force attaches it all the same)", err)
	}
	return err
}
