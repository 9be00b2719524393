// Package sflow is an sFlow version 5 agent: it samples frames and counters and
// sends them to collectors over UDP (sflow.org, sFlow Version 5).
package sflow

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Output interface values of a sample that did not go to one port.
const (
	Dropped  uint32 = 1<<30 | 256 // discarded, reason "unknown"
	Multiple uint32 = 1 << 31     // plus the number of ports
)

// Config says what to sample and where to send it.
type Config struct {
	Collectors []string      // host:port; port 6343 by default
	Agent      netip.Addr    // the address the agent goes by; the zero value means 127.0.0.1
	SubAgent   uint32        // to tell several switches of one agent apart
	Rate       uint32        // one frame in Rate is sampled; 0 means 400
	Header     int           // bytes of each frame; 0 means 128
	Polling    time.Duration // between counter samples; 0 means 30 s
}

// Interface is a counter sample.
type Interface struct {
	Index                                   uint32
	SpeedMbps                               uint64
	Up                                      bool
	RxBytes, RxPackets, RxDropped, RxErrors uint64
	TxBytes, TxPackets, TxDropped, TxErrors uint64
}

// maxDatagram keeps datagrams within an Ethernet frame.
const maxDatagram = 1400

// Agent collects samples. It is safe for concurrent use.
type Agent struct {
	cfg   Config
	conns []net.Conn
	start time.Time

	mu       sync.Mutex
	skip     uint32            // frames until the next sample
	pool     map[uint32]uint32 // frames seen per interface
	sequence uint32
	sampleNo map[uint32]uint32
	buf      []byte // samples waiting
	samples  uint32
}

// NewAgent opens the sockets to the collectors.
func NewAgent(cfg Config) (*Agent, error) {
	if cfg.Rate == 0 {
		cfg.Rate = 400
	}
	if cfg.Header == 0 {
		cfg.Header = 128
	}
	if cfg.Polling == 0 {
		cfg.Polling = 30 * time.Second
	}
	if !cfg.Agent.IsValid() {
		cfg.Agent = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	a := &Agent{cfg: cfg, start: time.Now(), pool: map[uint32]uint32{}, sampleNo: map[uint32]uint32{}}
	for _, to := range cfg.Collectors {
		if _, _, err := net.SplitHostPort(to); err != nil {
			to = net.JoinHostPort(to, "6343")
		}
		c, err := net.Dial("udp", to)
		if err != nil {
			a.close()
			return nil, fmt.Errorf("sFlow collector: %w", err)
		}
		a.conns = append(a.conns, c)
	}
	a.skip = a.nextSkip()
	return a, nil
}

// nextSkip is random with the mean Rate, so that periodic traffic is sampled fairly.
func (a *Agent) nextSkip() uint32 { return 1 + rand.Uint32N(2*a.cfg.Rate-1) }

// Take counts a frame received on an interface and reports whether it is to be
// sampled.
func (a *Agent) Take(index uint32) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pool[index]++
	if a.skip--; a.skip > 0 {
		return false
	}
	a.skip = a.nextSkip()
	return true
}

// Sample adds a flow sample of a frame that came in by one interface and left by
// another (or Dropped, or Multiple).
func (a *Agent) Sample(now time.Time, in, out uint32, frame []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	header := frame[:min(len(frame), a.cfg.Header)]
	a.sampleNo[in]++
	body := appendWords(nil, a.sampleNo[in], in&0xffffff, a.cfg.Rate, a.pool[in], 0, in, out, 2)

	const ethernet, stripped = 1, 4
	padded := (len(header) + 3) &^ 3
	body = appendWords(body, 1, uint32(16+padded), ethernet, uint32(len(frame)+stripped), stripped, uint32(len(header)))
	body = append(body, header...)
	body = append(body, make([]byte, padded-len(header))...)

	vlan, prio := vlanOf(frame)
	body = appendWords(body, 1001, 16, vlan, prio, vlan, prio) // extended switch data
	a.add(now, 1, body)
}

func vlanOf(frame []byte) (vlan, prio uint32) {
	if len(frame) >= 18 && frame[12] == 0x81 && frame[13] == 0 {
		tci := binary.BigEndian.Uint16(frame[14:])
		return uint32(tci & 0xfff), uint32(tci >> 13)
	}
	return 0, 0
}

// counters adds a counter sample with the generic interface record.
func (a *Agent) counters(now time.Time, i Interface) {
	a.mu.Lock()
	defer a.mu.Unlock()
	source := i.Index & 0xffffff
	a.sampleNo[source|1<<31]++
	status := uint32(0)
	if i.Up {
		status = 3
	}
	const ethernetCSMACD, fullDuplex, unknown = 6, 1, 0xffffffff
	body := appendWords(nil, a.sampleNo[source|1<<31], source, 1, 1, 88, i.Index, ethernetCSMACD)
	body = binary.BigEndian.AppendUint64(body, i.SpeedMbps*1_000_000)
	body = appendWords(body, fullDuplex, status)
	body = binary.BigEndian.AppendUint64(body, i.RxBytes)
	body = appendWords(body, uint32(i.RxPackets), unknown, unknown, uint32(i.RxDropped), uint32(i.RxErrors), unknown)
	body = binary.BigEndian.AppendUint64(body, i.TxBytes)
	body = appendWords(body, uint32(i.TxPackets), unknown, unknown, uint32(i.TxDropped), uint32(i.TxErrors), 0)
	a.add(now, 2, body)
}

// add queues one sample record, sending what waits if it would not fit.
func (a *Agent) add(now time.Time, kind uint32, body []byte) {
	if len(a.buf)+8+len(body) > maxDatagram {
		a.flush(now)
	}
	a.buf = appendWords(a.buf, kind, uint32(len(body)))
	a.buf = append(a.buf, body...)
	a.samples++
}

// flush sends the waiting samples as one datagram.
func (a *Agent) flush(now time.Time) {
	if a.samples == 0 {
		return
	}
	a.sequence++
	d := appendWords(make([]byte, 0, maxDatagram+64), 5)
	if ip := a.cfg.Agent.Unmap(); ip.Is4() {
		d = append(appendWords(d, 1), ip.AsSlice()...)
	} else {
		d = append(appendWords(d, 2), ip.AsSlice()...)
	}
	d = appendWords(d, a.cfg.SubAgent, a.sequence, uint32(now.Sub(a.start).Milliseconds()), a.samples)
	d = append(d, a.buf...)
	for _, c := range a.conns {
		_, _ = c.Write(d) // a collector that is away misses samples
	}
	a.buf, a.samples = a.buf[:0], 0
}

// Run sends counter samples and what has waited for a second, until ctx is done.
// It closes the sockets.
func (a *Agent) Run(ctx context.Context, interfaces func() []Interface) {
	defer a.close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	poll := time.NewTicker(a.cfg.Polling)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			a.mu.Lock()
			a.flush(time.Now())
			a.mu.Unlock()
			return
		case now := <-poll.C:
			for _, i := range interfaces() {
				a.counters(now, i)
			}
		case now := <-tick.C:
			a.mu.Lock()
			a.flush(now)
			a.mu.Unlock()
		}
	}
}

func (a *Agent) close() {
	for _, c := range a.conns {
		_ = c.Close()
	}
}

func appendWords(b []byte, words ...uint32) []byte {
	for _, w := range words {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return b
}
