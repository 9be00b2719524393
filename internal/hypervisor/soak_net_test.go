package hypervisor

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/learning"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// soakNetwork is what the changes are made under: switches and controllers, all
// connected over TCP, and hosts that talk all the time.
type soakNetwork struct {
	t        *testing.T
	svc      *Service
	switches *Switches
	targets  map[string]string // of each slice's controller
	hosts    [][]*port.Memory  // by switch, then by port
	ctx      context.Context   // as long as there is the network
	stop     context.CancelFunc
	wg       sync.WaitGroup

	pings  atomic.Int64 // answered, in the slice nobody changes
	frames atomic.Int64 // sent into the space that changes
}

// startSoakNetwork connects n switches of four ports with ids 1 to n. Ports 1 and 2
// are the slice anchor's, which no change touches; anything may happen to the
// rest. The controllers of anchor and of the other slices are ready.
func startSoakNetwork(t *testing.T, svc *Service, n int, slices ...string) *soakNetwork {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &soakNetwork{t: t, svc: svc, switches: svc.NewSwitches(SwitchOptions{}), targets: map[string]string{}, ctx: ctx, stop: cancel}
	for _, name := range append(slices, "anchor") {
		ln := listenLoopback(t)
		w.targets[name] = "tcp:" + ln.Addr().String()
		c := ofcontroller.New(ofcontroller.Config{})
		if err := learning.New(learning.Config{}).Attach(c); err != nil {
			t.Fatal(err)
		}
		w.wg.Go(func() { _ = c.Serve(ctx, ln) })
	}
	if _, err := svc.CreateSlice(t.Context(), Local(), SliceSpec{Name: "anchor", SlicePatch: SlicePatch{Controllers: []string{w.targets["anchor"]}}}); err != nil {
		t.Fatal(err)
	}
	mustPrioRule(t, svc, "anchor-ports", 2000, "in_port=1|2", "anchor")
	ln := listenLoopback(t)
	w.wg.Go(func() { _ = w.switches.Serve(ctx, ln) })
	for id := range n {
		w.addSwitch(ctx, ofwire.DatapathID(id+1), ln.Addr().String())
	}
	return w
}

func listenLoopback(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func (w *soakNetwork) addSwitch(ctx context.Context, id ofwire.DatapathID, addr string) {
	w.t.Helper()
	cfg := ofswitch.SwitchConfig{Probe: -1}
	cfg.DatapathID = id
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	hosts := make([]*port.Memory, 4)
	for i := range hosts {
		near, far := port.Pipe(fmt.Sprintf("s%d-%d", id, i), fmt.Sprintf("h%d-%d", id, i))
		hosts[i] = far
		if err := sw.AttachPort(of10.Port(i+1), near); err != nil {
			w.t.Fatal(err)
		}
		context.AfterFunc(ctx, func() { _ = far.Close() })
	}
	w.hosts = append(w.hosts, hosts)
	w.wg.Go(func() { _ = sw.Run(ctx) })
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.wg.Go(func() { _ = sw.Serve(ctx, nc, ofswitch.Primary) })
}

// await waits until the controller of anchor is connected on every switch.
func (w *soakNetwork) await() {
	w.t.Helper()
	waitUntil(w.t, "the switches and anchor's controller", func() bool {
		h, err := w.svc.SliceHealth(Local(), "anchor")
		up := 0
		for _, c := range h.Connections {
			if c.State == "connected" {
				up++
			}
		}
		return err == nil && up == len(w.hosts)
	})
}

// talk lets the hosts of every switch talk until quiet is called. A frame between the
// hosts of anchor that does not arrive fails the test: nothing that is changed
// concerns them.
func (w *soakNetwork) talk() (quiet func()) {
	ctx, quiet := context.WithCancel(w.ctx)
	for i, hosts := range w.hosts {
		arrived := [2]chan uint64{make(chan uint64, 64), make(chan uint64, 64)}
		for k := range 4 {
			w.wg.Go(func() { receive(hosts[k], func(n uint64) { deliver(arrived[:], k, n) }) })
		}
		w.wg.Go(func() {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			// A controller that has just connected may not know its switch yet, and
			// loses what comes then; from its first answer on nothing may be lost.
			const tries, first = 300, 1 << 63
			for n := 0; !awaitNumber(ctx, arrived[1], first, 200*time.Millisecond); n++ {
				if ctx.Err() != nil {
					return
				}
				if n == tries {
					w.t.Errorf("switch %d: none of %d frames of the slice that nobody changes arrived", i+1, tries)
					return
				}
				_, _ = hosts[0].Write([]port.Frame{{Data: numbered(1, 2, -1, first)}})
			}
			for n := uint64(1); ctx.Err() == nil; n++ {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
				k := int(n % 2)
				_, _ = hosts[k].Write([]port.Frame{{Data: numbered(byte(1+k), byte(2-k), -1, n)}}) // closed at the end
				if !awaitNumber(ctx, arrived[1-k], n, time.Minute) {
					if ctx.Err() == nil {
						w.t.Errorf("switch %d: frame %d from port %d of the slice that nobody changes did not arrive", i+1, n, k+1)
					}
					return
				}
				w.pings.Add(1)
			}
		})
		w.wg.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(i)))
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil {
				k := 2 + rng.IntN(2)
				_, _ = hosts[k].Write([]port.Frame{{Data: numbered(byte(1+k), byte(6-k), rng.IntN(40), 0)}}) // likewise
				w.frames.Add(1)
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	return quiet
}

func deliver(arrived []chan uint64, k int, n uint64) {
	if k < len(arrived) && n > 0 {
		select {
		case arrived[k] <- n:
		default: // nobody waits any more
		}
	}
}

// awaitNumber waits for the frame with that number; earlier ones were flooded.
func awaitNumber(ctx context.Context, arrived <-chan uint64, want uint64, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		select {
		case n := <-arrived:
			if n == want {
				return true
			}
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// receive hands on the number in each frame until the port is closed.
func receive(host *port.Memory, got func(uint64)) {
	batch := make([]port.Frame, 16)
	for {
		n, err := host.Read(batch)
		if err != nil {
			return
		}
		for _, f := range batch[:n] {
			if len(f.Data) >= 60 {
				got(binary.BigEndian.Uint64(f.Data[40:]))
			}
		}
	}
}

// numbered is a frame between two hosts, tagged unless vlan is below 0.
func numbered(src, dst byte, vlan int, n uint64) []byte {
	b := make([]byte, 64)
	b[0], b[5], b[6], b[11] = 2, dst, 2, src
	binary.BigEndian.PutUint16(b[12:], 0x88b5)
	if vlan >= 0 {
		binary.BigEndian.PutUint16(b[12:], 0x8100)
		binary.BigEndian.PutUint16(b[14:], uint16(vlan))
		binary.BigEndian.PutUint16(b[16:], 0x88b5)
	}
	binary.BigEndian.PutUint64(b[40:], n)
	return b
}

// end stops everything and waits for it.
func (w *soakNetwork) end() {
	w.stop()
	w.wg.Wait()
}

// check compares what each session runs with, and what is in each switch, with the
// configuration there is at the end.
func (w *soakNetwork) check(st *state) {
	w.t.Helper()
	for i := range w.hosts {
		id := ofwire.DatapathID(i + 1)
		d, ok := w.svc.session(id).(*datapath)
		if !ok {
			w.t.Errorf("switch %v is not connected", id)
			continue
		}
		cfg := st.flows.View(uint64(id))
		waitUntil(w.t, fmt.Sprintf("switch %v to have the last flowspace", id), func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.next == nil && len(d.waiters) == 0 && d.core.view.Same(cfg)
		})
		flows, err := d.Flows(w.t.Context())
		if err != nil {
			w.t.Errorf("flows of %v: %v", id, err)
		}
		for _, f := range flows {
			sl := st.slices[f.Slice]
			if f.Slice == "" || sl != nil && st.hasRule(f.Slice) && (sl.Enabled || f.Kind == "drop") {
				continue
			}
			w.t.Errorf("switch %v has a flow of %s, which has nothing there: %+v", id, f.Slice, f)
		}
	}
}

// waitUntil polls what other goroutines do.
func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
