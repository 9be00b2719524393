package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

func benchFlowsCommand() *cobra.Command {
	var slices, flows, rounds int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "flows",
		Short: "Install many flows in every slice of one switch and ask for their statistics",
		Long: `Starts a govisor and a bundled switch of its own. The controller of every slice installs its flows, one
slice after the other, and asks for the statistics of all its flows, through govisor. Prints how long both
take, the same without govisor for one slice's flows, and govisor's memory.`,
		Example: "  govisor bench flows --slices 16 --flows 10000",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name, n := range map[string]int{"slices": slices, "flows": flows, "rounds": rounds} {
				if n < 1 {
					return usageError{fmt.Errorf("--%s is %d: want at least 1", name, n)}
				}
			}
			if flows > 65535 {
				return usageError{fmt.Errorf("--flows is %d: want at most 65535", flows)}
			}
			r, err := benchFlows(cmd.Context(), slices, flows, rounds, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), asJSON)
		},
	}
	fl := cmd.Flags()
	fl.IntVar(&slices, "slices", 16, "number of slices")
	fl.IntVar(&flows, "flows", 10000, "flows in each slice")
	fl.IntVar(&rounds, "rounds", 5, "how often each slice asks for its statistics")
	fl.BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

func benchFlows(ctx context.Context, slices, flows, rounds int, progress io.Writer) (*report, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	r := &report{Benchmark: fmt.Sprintf("flows: %d slices, %d flows each, one switch", slices, flows)}
	var listeners []net.Listener
	var addrs []string
	for range slices {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		listeners, addrs = append(listeners, l), append(addrs, l.Addr().String())
	}
	fmt.Fprint(progress, "\rwithout govisor\x1b[K")
	alone, err := flowsWithout(ctx, flows, rounds)
	if err != nil {
		return nil, fmt.Errorf("without govisor: %w", err)
	}
	p, err := startGovisor(ctx, "", addrs, slices)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	stop, err := startSwitch(ctx, p.addr)
	if err != nil {
		return nil, err
	}
	defer stop()
	install, ask, err := flowsThrough(ctx, listeners, flows, rounds, progress)
	if err != nil {
		return nil, err
	}
	u, err := p.usage(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(progress, "\r\x1b[K")
	r.add("flows of one slice installed, without govisor", alone.install, "s")
	r.add("flows of a slice installed, through govisor", median(install), "s")
	r.add("flow statistics of one slice, without govisor", alone.ask, "ms")
	r.atMost("flow statistics of a slice, through govisor", median(ask), 100, "ms")
	r.add("memory with all flows", u.memory, "MiB")
	return r, nil
}

// flowsThrough lets every slice install its flows and then ask for them, and returns how long each took: seconds and milliseconds.
func flowsThrough(ctx context.Context, listeners []net.Listener, flows, rounds int, progress io.Writer) (install, ask []float64, err error) {
	var all []*asker
	for k, l := range listeners {
		fmt.Fprintf(progress, "\rslice %d of %d installs its flows\x1b[K", k+1, len(listeners))
		a, err := acceptAsker(ctx, l)
		if err != nil {
			return nil, nil, fmt.Errorf("slice %d: %w", k+1, err)
		}
		defer a.conn.Close()
		took, err := a.install(uint16(k+1), flows)
		if err != nil {
			return nil, nil, fmt.Errorf("slice %d: %w", k+1, err)
		}
		install, all = append(install, took.Seconds()), append(all, a)
	}
	for k, a := range all {
		fmt.Fprintf(progress, "\rslice %d of %d asks for its statistics\x1b[K", k+1, len(listeners))
		times, err := a.ask(flows, rounds)
		if err != nil {
			return nil, nil, fmt.Errorf("slice %d: %w", k+1, err)
		}
		ask = append(ask, times...)
	}
	return install, ask, nil
}

type flowTimes struct{ install, ask float64 }

// flowsWithout measures one slice's flows with the controller next to the switch.
func flowsWithout(ctx context.Context, flows, rounds int) (t flowTimes, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return t, err
	}
	defer l.Close()
	stop, err := startSwitch(ctx, l.Addr().String())
	if err != nil {
		return t, err
	}
	defer stop()
	a, err := acceptAsker(ctx, l)
	if err != nil {
		return t, err
	}
	defer a.conn.Close()
	took, err := a.install(1, flows)
	if err != nil {
		return t, err
	}
	times, err := a.ask(flows, rounds)
	if err != nil {
		return t, err
	}
	return flowTimes{took.Seconds(), median(times)}, nil
}

// startSwitch runs the bundled switch of this same binary, without ports.
func startSwitch(ctx context.Context, controller string) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "switch", "--dpid", "1", "--controller", "tcp:"+controller, "--inactivity-probe", "0", "--log-level", "error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}, nil
}

// asker is a controller that installs flows and asks for them.
type asker struct {
	conn net.Conn
	in   *ofwire.Reader
}

// comeWithin is how long a switch, or what stands for it, may take to connect.
const comeWithin = 20 * time.Second

// acceptAsker waits for the switch, or what stands for it, and greets it. Who has given up waiting is passed over:
// its connection was closed while nobody had accepted it.
func acceptAsker(ctx context.Context, l net.Listener) (*asker, error) {
	limit := time.Now().Add(comeWithin)
	if d, ok := l.(*net.TCPListener); ok {
		_ = d.SetDeadline(limit)
	}
	var gone error
	for {
		conn, err := l.Accept()
		if err != nil {
			return nil, fmt.Errorf("nobody connected within %v and stayed: %w", comeWithin, errors.Join(err, gone))
		}
		_ = conn.SetDeadline(limit)
		a := &asker{conn: conn, in: ofwire.NewReader(conn, 256<<10)}
		if gone = a.greet(); gone == nil {
			forGood, _ := ctx.Deadline()
			_ = conn.SetDeadline(forGood)
			return a, nil
		}
		conn.Close()
	}
}

// greet says hello and waits for a sign of life.
func (a *asker) greet() error {
	if err := a.send(&of10.Hello{XID: 1}, &of10.EchoRequest{XID: 1}); err != nil {
		return err
	}
	m, err := a.next()
	if err != nil {
		return err
	}
	if _, ok := m.(*of10.EchoReply); !ok {
		return fmt.Errorf("a %v came instead of an echo reply", m.Type())
	}
	return nil
}

func (a *asker) send(messages ...of10.Message) error {
	var b []byte
	var err error
	for _, m := range messages {
		if b, err = m.AppendBinary(b); err != nil {
			return err
		}
	}
	_, err = a.conn.Write(b)
	return err
}

// next returns the next message but greetings; echoes it answers itself.
func (a *asker) next() (of10.Message, error) {
	for {
		b, err := a.in.Next()
		if err != nil {
			return nil, err
		}
		m, err := of10.Parse(b)
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *of10.Hello, *of10.PortStatus:
		case *of10.EchoRequest:
			if err := a.send(&of10.EchoReply{XID: m.XID, Data: m.Data}); err != nil {
				return nil, err
			}
		case *of10.Error:
			return nil, fmt.Errorf("refused: %w", m)
		default:
			return m, nil
		}
	}
}

// install adds flows of one ingress port and waits for the barrier behind them.
func (a *asker) install(port uint16, flows int) (time.Duration, error) {
	began := time.Now()
	match := of10.MatchAll()
	match.Wildcards &^= of10.WildInPort | of10.WildDLType | of10.WildNWProto | of10.WildTPDst
	match.SetNWDstBits(32)
	match.InPort, match.DLType, match.NWProto, match.NWDst = of10.Port(port), 0x800, 17, 10<<24|1
	for done := 0; done < flows; {
		var batch []of10.Message
		for ; done < flows && len(batch) < 500; done++ {
			m := match
			m.TPDst = uint16(done)
			batch = append(batch, &of10.FlowMod{XID: 2, Match: m, Priority: 100, BufferID: of10.NoBuffer, OutPort: of10.PortNone, Cookie: uint64(done)})
		}
		if err := a.send(batch...); err != nil {
			return 0, err
		}
	}
	if err := a.send(&of10.BarrierRequest{XID: 3}); err != nil {
		return 0, err
	}
	m, err := a.next()
	if err != nil {
		return 0, err
	}
	if _, ok := m.(*of10.BarrierReply); !ok {
		return 0, fmt.Errorf("a %v came instead of a barrier reply", m.Type())
	}
	return time.Since(began), nil
}

// ask returns the milliseconds that each round of asking for all flows took, and fails if they are not all there.
func (a *asker) ask(flows, rounds int) (times []float64, err error) {
	for range rounds {
		began := time.Now()
		if err := a.send(&of10.StatsRequest{XID: 4, StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}}); err != nil {
			return nil, err
		}
		got := 0
		for more := true; more; {
			m, err := a.next()
			if err != nil {
				return nil, err
			}
			re, ok := m.(*of10.StatsReply)
			if !ok {
				return nil, fmt.Errorf("a %v came instead of statistics", m.Type())
			}
			list, _ := re.Body.(of10.FlowStatsReply)
			got += len(list)
			more = re.Flags&of10.StatsReplyMore != 0
		}
		if got != flows {
			return nil, fmt.Errorf("statistics of %d flows, want %d", got, flows)
		}
		times = append(times, time.Since(began).Seconds()*1e3)
	}
	return times, nil
}
