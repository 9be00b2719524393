package topology_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/topology"
	"github.com/govisor/govisor/ofcontroller/discovery"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// lab is datapaths with wires between them. What the service sends out of a port
// comes in at the other end of its wire, whose tap is shown it.
type lab struct {
	t   *testing.T
	svc *topology.Service

	mu      sync.Mutex
	taps    map[ofwire.DatapathID]*topology.Tap
	wires   map[discovery.Endpoint]discovery.Endpoint
	probes  int
	leaked  int // frames that a tap did not claim
	changes []string
}

func end(id ofwire.DatapathID, port of10.Port) discovery.Endpoint {
	return discovery.Endpoint{ID: id, Port: port}
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, taps: make(map[ofwire.DatapathID]*topology.Tap), wires: make(map[discovery.Endpoint]discovery.Endpoint)}
	l.svc = topology.New(topology.Config{Interval: 10 * time.Second, Changed: func(link discovery.Link, up bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changes = append(l.changes, fmt.Sprint(link, up))
	}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.svc.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return l
}

func port(id ofwire.DatapathID, n of10.Port) of10.PhyPort {
	return of10.PhyPort{PortNo: n, HWAddr: ofwire.MAC{2, 0, 0, 0, byte(id), byte(n)}}
}

func (l *lab) attach(id ofwire.DatapathID) *topology.Tap {
	tap := l.svc.Attach(id, []of10.PhyPort{port(id, 1), port(id, 2), {PortNo: of10.PortLocal}}, func(frame []byte) {
		m, err := of10.Parse(bytes.Clone(frame))
		out, ok := m.(*of10.PacketOut)
		if err != nil || !ok {
			l.t.Errorf("datapath %v is sent %v, %v; want packet_outs only", id, m, err)
			return
		}
		l.mu.Lock()
		l.probes++
		to, wired := l.wires[end(id, out.Actions[0].Port)]
		tap := l.taps[to.ID]
		l.mu.Unlock()
		if wired && tap != nil {
			l.deliver(tap, to.Port, out.Data)
		}
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taps[id] = tap
	return tap
}

func (l *lab) deliver(tap *topology.Tap, in of10.Port, frame []byte) {
	b, _ := (&of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(frame)), InPort: in, Data: frame}).AppendBinary(nil)
	if !tap.PacketIn(b) {
		l.mu.Lock()
		l.leaked++
		l.mu.Unlock()
	}
}

func (l *lab) wire(a, b discovery.Endpoint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wires[a], l.wires[b] = b, a
}

func (l *lab) want(when string, links ...discovery.Link) {
	l.t.Helper()
	synctest.Wait()
	if len(links) == 0 {
		links = []discovery.Link{}
	}
	if diff := cmp.Diff(links, l.svc.Links()); diff != "" {
		l.t.Errorf("links %s (-want +got):\n%s", when, diff)
	}
}

func (l *lab) probesIn(d time.Duration) int {
	l.mu.Lock()
	before := l.probes
	l.mu.Unlock()
	bubble.Sleep(d)
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.probes - before
}

func TestTopology(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		link := []discovery.Link{{From: end(1, 1), To: end(2, 2)}, {From: end(2, 2), To: end(1, 1)}}
		l.wire(end(1, 1), end(2, 2))
		one, two := l.attach(1), l.attach(2)
		if n := l.probesIn(time.Minute); n != 0 {
			t.Errorf("%d probes while disabled", n)
		}
		l.want("while disabled")

		l.svc.SetEnabled(true)
		if n := l.probesIn(100 * time.Second); n < 40 || n > 60 {
			t.Errorf("%d probes in ten intervals from four ports", n)
		}
		l.want("when enabled", link...)
		if since := l.svc.Since(link[0]); time.Since(since) < 80*time.Second {
			t.Errorf("the link is known since %v", since)
		}

		one.PortStatus(&of10.PortStatus{Reason: of10.PortDeleted, Desc: port(1, 1)})
		bubble.Sleep(time.Second)
		l.want("without the port")
		one.PortStatus(&of10.PortStatus{Reason: of10.PortAdded, Desc: port(1, 1)})
		bubble.Sleep(11 * time.Second)
		l.want("with the port back", link...)

		two.Close()
		l.want("with a datapath gone")
		l.attach(2)
		bubble.Sleep(11 * time.Second)
		l.want("with the datapath back", link...)

		l.svc.SetEnabled(false)
		l.want("when disabled again")
		if n := l.probesIn(time.Minute); n != 0 {
			t.Errorf("%d probes when disabled again", n)
		}
		l.svc.SetEnabled(true)
		bubble.Sleep(11 * time.Second)
		l.want("when enabled again", link...)

		l.mu.Lock()
		defer l.mu.Unlock()
		if l.leaked != 0 {
			t.Errorf("%d probes were left to the slices", l.leaked)
		}
		if len(l.changes) != 14 {
			t.Errorf("%d changes told, want 14: %q", len(l.changes), l.changes)
		}
	})
}

func TestOthersFramesAreNotClaimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		tap := l.attach(1)
		l.svc.SetEnabled(true)
		bubble.Sleep(time.Second)
		lldp := []byte("\x01\x80\xc2\x00\x00\x0e\x00\x00\x00\x00\x00\x01\x88\xcc\x02\x02\x07a\x00\x00")
		tagged := append(append(bytes.Clone(lldp[:12]), 0x81, 0, 0, 7), lldp[12:]...)
		ip := append(bytes.Clone(lldp[:12]), 0x08, 0, 0x45)
		for i, frame := range [][]byte{lldp, tagged, ip, lldp[:14], lldp[:6], nil} {
			before := l.leaked
			l.deliver(tap, 1, frame)
			if l.leaked != before+1 {
				t.Errorf("frame %d is claimed", i)
			}
		}
	})
}

func BenchmarkPacketInNotLLDP(b *testing.B) {
	svc := topology.New(topology.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		svc.Run(ctx)
	}()
	defer func() {
		cancel()
		<-done
	}()
	svc.SetEnabled(true)
	tap := svc.Attach(1, nil, func([]byte) {})
	frame, _ := (&of10.PacketIn{BufferID: of10.NoBuffer, Data: make([]byte, 64)}).AppendBinary(nil)
	b.ReportAllocs()
	for b.Loop() {
		if tap.PacketIn(frame) {
			b.Fatal("claimed")
		}
	}
}
