// Package host is an end station on an in-memory link: it answers ARP and
// pings, and pings others. Demonstrations and tests put it behind a switch.
package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
)

// Host is one station with one address. Ping may be called by any goroutine
// while Run runs.
type Host struct {
	// Static after construction.
	name string
	addr Address
	link port.Port

	strays atomic.Uint64

	mu sync.Mutex
	// Guarded by mu.
	neighbours map[netip.Addr]ofwire.MAC
	asking     map[netip.Addr][]chan struct{} // woken when the neighbour answers
	pings      map[echoKey]chan struct{}
	sequence   uint16
}

// Address is who a host is.
type Address struct {
	MAC  ofwire.MAC
	IP   netip.Addr // IPv4
	VLAN uint16     // it sends and hears frames with this tag; 0: untagged
}

type echoKey struct {
	peer     netip.Addr
	sequence uint16
}

// ErrNoAnswer says that the peer could not be resolved, or sent no echo.
var ErrNoAnswer = errors.New("no answer")

// New returns a host behind link. It does nothing before Run, which closes link.
func New(name string, addr Address, link port.Port) *Host {
	return &Host{
		name: name, addr: addr, link: link,
		neighbours: make(map[netip.Addr]ofwire.MAC),
		asking:     make(map[netip.Addr][]chan struct{}),
		pings:      make(map[echoKey]chan struct{}),
	}
}

// Name is the host's name.
func (h *Host) Name() string { return h.name }

// Address is who the host is.
func (h *Host) Address() Address { return h.addr }

// Strays counts frames that came in although they were for another station.
func (h *Host) Strays() uint64 { return h.strays.Load() }

// Forget empties the table of neighbours.
func (h *Host) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.neighbours)
}

// Run answers what comes in until ctx is done.
func (h *Host) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { h.link.Close() })
	defer stop()
	defer h.link.Close()
	batch := make([]port.Frame, 32)
	for {
		n, err := h.link.Read(batch)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, port.ErrClosed) {
				return context.Cause(ctx)
			}
			return fmt.Errorf("host %s: %w", h.name, err)
		}
		for _, f := range batch[:n] {
			f.Plain(h.receive)
		}
	}
}

// Ping sends one echo request and waits for the answer until ctx is done. The
// error wraps ErrNoAnswer.
func (h *Host) Ping(ctx context.Context, dst netip.Addr) (time.Duration, error) {
	mac, err := h.resolve(ctx, dst)
	if err != nil {
		return 0, fmt.Errorf("%s pings %v: %w", h.name, dst, err)
	}
	answer := make(chan struct{}, 1)
	h.mu.Lock()
	h.sequence++
	key := echoKey{dst, h.sequence}
	h.pings[key] = answer
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.pings, key)
		h.mu.Unlock()
	}()
	began := time.Now()
	h.send(appendEcho(nil, h.addr, Address{MAC: mac, IP: dst}, echoRequest, key.sequence, echoText))
	select {
	case <-answer:
		return time.Since(began), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s pings %v: %w to the echo", h.name, dst, ErrNoAnswer)
	}
}

// resolve asks for the neighbour's address, once a second.
func (h *Host) resolve(ctx context.Context, ip netip.Addr) (ofwire.MAC, error) {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		h.mu.Lock()
		mac, known := h.neighbours[ip]
		if known {
			h.mu.Unlock()
			return mac, nil
		}
		told := make(chan struct{})
		h.asking[ip] = append(h.asking[ip], told)
		h.mu.Unlock()
		h.send(appendARP(nil, h.addr, Address{MAC: ofwire.Broadcast, IP: ip}, arpRequest))
		select {
		case <-told:
		case <-again.C:
		case <-ctx.Done():
			return ofwire.MAC{}, fmt.Errorf("%w to ARP", ErrNoAnswer)
		}
	}
}

func (h *Host) send(frame []byte) {
	// A frame that the link does not take is lost, as on any link.
	_, _ = h.link.Write([]port.Frame{{Data: frame}})
}

func (h *Host) receive(frame []byte) {
	p, ok := read(frame)
	if !ok || p.vlan != h.addr.VLAN {
		return
	}
	if p.dst != h.addr.MAC && !p.dst.IsMulticast() {
		h.strays.Add(1)
		return
	}
	from := Address{MAC: p.src, IP: p.srcIP}
	switch {
	case p.dstIP != h.addr.IP:
	case p.kind == arpRequest:
		h.heard(from)
		h.send(appendARP(nil, h.addr, from, arpReply))
	case p.kind == arpReply:
		h.heard(from)
	case p.kind == echoRequest:
		h.send(appendEcho(nil, h.addr, from, echoReply, p.sequence, p.text))
	case p.kind == echoReply:
		h.mu.Lock()
		answer := h.pings[echoKey{p.srcIP, p.sequence}]
		h.mu.Unlock()
		if answer != nil {
			select {
			case answer <- struct{}{}:
			default:
			}
		}
	}
}

// heard notes a neighbour and wakes those who asked for it.
func (h *Host) heard(from Address) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.neighbours[from.IP] = from.MAC
	for _, told := range h.asking[from.IP] {
		close(told)
	}
	delete(h.asking, from.IP)
}
