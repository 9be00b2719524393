package hypervisor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// overload is govisor between one switch that floods and the controllers of two
// slices: red has port 1 and does not keep up, blue has port 2 and does.
type overload struct {
	t    *testing.T
	svc  *hypervisor.Service
	sw   *crowdedSwitch
	pair func() (ours, theirs net.Conn)
	over atomic.Bool // connections are being closed

	red, blue *askingController
}

// A flooding switch, a controller that stops reading and goes on later, and another
// slice beside it: packet_ins are shed and counted, every one, answers and flow_mods
// are not, the other slice loses nothing, and afterwards all is as it was.
func TestOverload(t *testing.T) {
	t.Parallel()
	withPeers(t, func(t *testing.T, o *overload) {
		red, blue, sw := o.red, o.blue, o.sw
		red.stall()
		sw.packetIns(redPort, flooded)
		o.wait("red's queue to be full", func() bool { return o.dropped(red) > 0 })
		asked := red.askBeside(300, frameLen)
		for range 20 { // while red is stalled
			sw.packetIns(redPort, flooded/20)
			blue.ask(10, 60)
			sw.packetIns(bluePort, 5)
			o.settled(blue)
		}
		o.wait("red's queue to be full still", func() bool { return o.dropped(red) > flooded })
		if h := red.heard(); h != (conversation{}) {
			t.Errorf("red is stalled and hears %+v", h)
		}
		if n := o.slice(red).Queued; n > 600<<10 {
			t.Errorf("%d bytes wait for red: it is not slowed", n)
		}
		red.resume()
		for range 20 {
			sw.packetIns(redPort, flooded/20)
		}
		<-asked
		o.settled(red)

		before := o.dropped(red)
		for range 50 { // it has recovered
			sw.packetIns(redPort, 5)
			red.ask(1, 60)
			o.settled(red)
		}
		if n := o.dropped(red) - before; n != 0 {
			t.Errorf("%d packet_ins were dropped after the overload", n)
		}
		o.settled(blue)
		if n := o.dropped(blue); n != 0 {
			t.Errorf("blue lost %d packet_ins", n)
		}
	})
}

// A switch that reads nothing for a while, and floods: its slices are slowed, what it
// sends goes on arriving, and nothing is lost, although one controller reads nothing
// either.
func TestOverloadOfASwitchThatDoesNotRead(t *testing.T) {
	t.Parallel()
	withPeers(t, func(t *testing.T, o *overload) {
		red, blue, sw := o.red, o.blue, o.sw
		red.stall()
		sw.stall()
		redAsked, blueAsked := red.askBeside(800, frameLen), blue.askBeside(800, frameLen)
		o.wait("the switch's queue to be full", func() bool { return o.metrics().Queued > 128<<10 })
		sw.packetIns(redPort, flooded)
		for range 20 {
			sw.packetIns(bluePort, 5)
			o.arrived(blue)
		}
		o.wait("red's queue to be full", func() bool { return o.dropped(red) > 0 })
		if n := o.metrics().Queued; n > 160<<10 {
			t.Errorf("%d bytes wait for the switch: its slices are not slowed", n)
		}
		if n := sw.seen(bluePort).packetOuts; n > 0 {
			t.Errorf("the switch is stalled and hears %d packet_outs", n)
		}
		sw.resume()
		o.wait("blue's packet_outs", func() bool { return sw.seen(bluePort).packetOuts == 800 })
		red.resume()
		<-redAsked
		<-blueAsked
		o.settled(red)
		o.settled(blue)
		if n := o.dropped(blue); n != 0 {
			t.Errorf("blue lost %d packet_ins", n)
		}
	})
}

const (
	redPort, bluePort of10.Port = 1, 2
	frameLen                    = 1400
	// flooded packet_ins are more than there is room for before a controller.
	flooded = 2000
)

// withPeers runs a test over memory pipes and over sockets, which govisor handles in
// different ways.
func withPeers(t *testing.T, f func(t *testing.T, o *overload)) {
	t.Helper()
	run := func(t *testing.T, pair func() (ours, theirs net.Conn)) {
		dir := t.TempDir()
		svc, err := hypervisor.Open(t.Context(), hypervisor.Options{Dir: dir, AdminPassword: "correct horse"})
		if err != nil {
			t.Fatal(err)
		}
		o := &overload{t: t, svc: svc, pair: pair}
		o.red, o.blue = newAskingController(o, "red", redPort), newAskingController(o, "blue", bluePort)
		w := &world{t: t, svc: svc}
		for _, c := range []*askingController{o.red, o.blue} {
			w.slice(c.name, "module:"+c.name)
			w.rule(c.name, 100, fmt.Sprintf("in_port=%d", c.port), c.name)
		}
		log, _ := logtest.NewNullLogger()
		switches := svc.NewSwitches(hypervisor.SwitchOptions{EchoInterval: -1, Log: logrus.NewEntry(log), Module: o.dial})
		ours, theirs := pair()
		o.sw = newCrowdedSwitch(o, theirs)
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { _ = switches.ServeConn(ctx, ours) })
		wg.Go(o.sw.read)
		wg.Go(o.sw.write)
		defer func() {
			o.over.Store(true)
			o.sw.close()
			o.red.close()
			o.blue.close()
			cancel()
			wg.Wait()
			if err := svc.Close(); err != nil {
				t.Error(err)
			}
		}()
		o.red.begin()
		o.blue.begin()
		f(t, o)
	}
	t.Run("pipes", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			run(t, func() (ours, theirs net.Conn) { return ofwire.PipeSize(16 << 10) })
		})
	})
	t.Run("sockets", func(t *testing.T) {
		t.Parallel()
		run(t, func() (ours, theirs net.Conn) {
			ours, theirs, err := socketPair()
			if err != nil {
				t.Error(err)
			}
			return ours, theirs
		})
	})
}

func socketPair() (ours, theirs net.Conn, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if theirs, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		return nil, nil, err
	}
	if ours, err = ln.Accept(); err != nil {
		return nil, nil, err
	}
	// Larger buffers only mean a longer flood.
	return ours, theirs, errors.Join(ours.(*net.TCPConn).SetWriteBuffer(64<<10), theirs.(*net.TCPConn).SetReadBuffer(64<<10)) //nolint:forcetypeassert // they are
}

// dial connects a slice to its controller.
func (o *overload) dial(_ context.Context, _, name string) (net.Conn, error) {
	c := map[string]*askingController{"red": o.red, "blue": o.blue}[name]
	ours, theirs := o.pair()
	if c == nil || !c.accept(theirs) {
		return nil, errors.New("connection refused")
	}
	return ours, nil
}

func (o *overload) metrics() hypervisor.DatapathMetrics {
	all, err := o.svc.Metrics(hypervisor.Local())
	if err != nil || len(all) != 1 {
		o.t.Fatalf("metrics of %d datapaths, %v", len(all), err)
	}
	return all[0]
}

func (o *overload) slice(c *askingController) hypervisor.SliceMetrics {
	for _, s := range o.metrics().Slices {
		if s.Name == c.name {
			return s
		}
	}
	o.t.Fatalf("no metrics of %s", c.name)
	return hypervisor.SliceMetrics{}
}

// dropped is how many packet_ins govisor says to have dropped of a slice.
func (o *overload) dropped(c *askingController) int {
	return int(o.slice(c).Messages.Dropped(uint8(of10.TypePacketIn)))
}

// waitLimit is for a test that fails.
const waitLimit = 2 * time.Minute

// wait waits for a condition.
func (o *overload) wait(what string, ok func() bool) {
	o.t.Helper()
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			o.t.Fatalf("waited in vain for %s\nred %+v asked %d, blue %+v asked %d\nswitch %+v", what, o.red.heard(), o.red.asked.Load(), o.blue.heard(), o.blue.asked.Load(), []arrivals{o.sw.seen(redPort), o.sw.seen(bluePort)})
		}
	}
}

// arrived waits until every packet_in for a slice has arrived or been counted.
func (o *overload) arrived(c *askingController) {
	o.t.Helper()
	o.wait("every packet_in of "+c.name, func() bool {
		return o.sw.sent(c.port) == c.heard().packetIns+o.dropped(c)
	})
}

// settled waits until nothing of a slice is on its way any more, and judges it.
func (o *overload) settled(c *askingController) {
	o.t.Helper()
	n := int(c.asked.Load())
	stats := (n + statsEach - 1) / statsEach
	o.wait("every answer to "+c.name, func() bool {
		h := c.heard()
		return h.barriers >= n && h.stats >= stats && h.echoes >= n
	})
	o.arrived(c)
	o.wait("every packet_out of "+c.name, func() bool { return o.sw.seen(c.port).packetOuts >= n })
	for reason, n := range o.metrics().Drops {
		if n > 0 {
			o.t.Errorf("%d dropped because of %s", n, reason)
		}
	}
	h, sw := c.heard(), o.sw.seen(c.port)
	if want := (conversation{packetIns: h.packetIns, barriers: n, stats: stats, echoes: n}); h != want {
		o.t.Errorf("%s hears %+v, want %+v", c.name, h, want)
	}
	if want := (arrivals{flowMods: n, packetOuts: n}); sw != want {
		o.t.Errorf("%s: the switch hears %+v, want %+v", c.name, sw, want)
	}
}
