package discovery_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/discovery"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// network is switches and the wires between their ports. Probes that leave by a
// wire come in at its other end.
type network struct {
	t   *testing.T
	c   *ofcontroller.Controller
	app *discovery.App

	mu       sync.Mutex
	switches map[ofwire.DatapathID]*switchtest.Switch
	wires    map[discovery.Endpoint]discovery.Endpoint
	sent     map[discovery.Endpoint][][]byte // probes, by the port they left
}

func end(id ofwire.DatapathID, port of10.Port) discovery.Endpoint {
	return discovery.Endpoint{ID: id, Port: port}
}

func newNetwork(t *testing.T, cfg discovery.Config, ids ...ofwire.DatapathID) *network {
	t.Helper()
	n := &network{
		t: t, c: ofcontroller.New(ofcontroller.Config{EchoInterval: -1}), app: discovery.New(cfg),
		switches: make(map[ofwire.DatapathID]*switchtest.Switch),
		wires:    make(map[discovery.Endpoint]discovery.Endpoint),
		sent:     make(map[discovery.Endpoint][][]byte),
	}
	if err := n.app.Attach(n.c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.c.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	for _, id := range ids {
		n.connect(id)
	}
	return n
}

func (n *network) connect(id ofwire.DatapathID) {
	s := switchtest.Connect(n.t, n.c, switchtest.Features(id, 3))
	n.mu.Lock()
	n.switches[id] = s
	n.mu.Unlock()
	go n.carry(id, s)
}

// carry takes what the controller sends out of the ports of a switch.
func (n *network) carry(id ofwire.DatapathID, s *switchtest.Switch) {
	s.Each(func(m of10.Message) {
		out, ok := m.(*of10.PacketOut)
		if !ok {
			return
		}
		from := end(id, out.Actions[0].Port)
		n.mu.Lock()
		n.sent[from] = append(n.sent[from], out.Data)
		to, wired := n.wires[from]
		n.mu.Unlock()
		if wired {
			n.deliver(to, out.Data)
		}
	})
}

func (n *network) deliver(to discovery.Endpoint, frame []byte) {
	b, _ := (&of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(frame)), InPort: to.Port, Data: frame}).AppendBinary(nil)
	if s := n.peer(to.ID); s != nil {
		s.Conn.Write(b)
	}
}

func (n *network) peer(id ofwire.DatapathID) *switchtest.Switch {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.switches[id]
}

func (n *network) wire(a, b discovery.Endpoint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.wires[a], n.wires[b] = b, a
}

func (n *network) cut(a discovery.Endpoint) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.wires, n.wires[a])
	delete(n.wires, a)
}

func (n *network) probes(from discovery.Endpoint) [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([][]byte(nil), n.sent[from]...)
}

func (n *network) want(when string, links ...discovery.Link) {
	n.t.Helper()
	synctest.Wait()
	if links == nil {
		links = []discovery.Link{}
	}
	if diff := cmp.Diff(links, n.app.Links()); diff != "" {
		n.t.Errorf("links %s (-want +got):\n%s", when, diff)
	}
}

func both(a, b discovery.Endpoint) []discovery.Link {
	return []discovery.Link{{From: a, To: b}, {From: b, To: a}}
}

func TestLinksComeAndGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var changes []string
		n := newNetwork(t, discovery.Config{Interval: 10 * time.Second, Changed: func(c discovery.LinkChange) {
			mu.Lock()
			defer mu.Unlock()
			changes = append(changes, fmt.Sprint(c.Link, c.Up))
		}})
		var told []string
		ofcontroller.On(n.c, func(sw *ofcontroller.Switch, e discovery.LinkChange) ofcontroller.Verdict {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(e.Link, e.Up))
			return ofcontroller.Continue
		})
		n.wire(end(1, 2), end(2, 3))
		n.connect(1)
		n.connect(2)
		bubble.Sleep(30 * time.Second)
		n.want("at first", both(end(1, 2), end(2, 3))...)

		n.cut(end(1, 2))
		bubble.Sleep(18 * time.Second) // a link heard of within the last interval lives for 20 s at least
		n.want("before the expiry", both(end(1, 2), end(2, 3))...)
		bubble.Sleep(20 * time.Second)
		n.want("after the expiry")

		n.wire(end(1, 1), end(2, 1))
		bubble.Sleep(11 * time.Second)
		n.want("of another wire", both(end(1, 1), end(2, 1))...)
		down := switchtest.Port(2, 1)
		down.State = of10.PortStateLinkDown
		n.peer(2).Send(&of10.PortStatus{Reason: of10.PortModified, Desc: down})
		bubble.Sleep(200 * time.Millisecond)
		n.want("with a port down")
		n.peer(2).Send(&of10.PortStatus{Reason: of10.PortModified, Desc: switchtest.Port(2, 1)})
		bubble.Sleep(11 * time.Second)
		n.want("with the port up again", both(end(1, 1), end(2, 1))...)

		n.peer(1).Conn.Close()
		synctest.Wait()
		n.want("with a switch gone")
		n.connect(1)
		bubble.Sleep(11 * time.Second)
		n.want("with the switch back", both(end(1, 1), end(2, 1))...)

		mu.Lock()
		defer mu.Unlock()
		if len(changes) != 4*2+3*2 {
			t.Errorf("%d changes: %q, want 14", len(changes), changes)
		}
		// Those of a switch that has gone may be told to nobody.
		if len(told) < len(changes)-2 {
			t.Errorf("%d of %d changes told as events", len(told), len(changes))
		}
	})
}

// TestNoLinkIsMadeUp: nothing but a fresh probe of ours makes a link.
func TestNoLinkIsMadeUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, discovery.Config{Interval: 10 * time.Second}, 1, 2)
		stranger := newNetwork(t, discovery.Config{Interval: 10 * time.Second}, 1)
		bubble.Sleep(time.Second)
		synctest.Wait()
		mine, theirs := n.probes(end(1, 1)), stranger.probes(end(1, 1))
		if len(mine) != 1 || len(theirs) != 1 {
			t.Fatalf("%d and %d probes, want one each", len(mine), len(theirs))
		}
		for at := 34; at < 74; at++ { // our TLV, behind chassis, port and TTL
			forged := bytes.Clone(mine[0])
			forged[at] ^= 1
			n.deliver(end(2, 2), forged)
			n.want(fmt.Sprint("with byte ", at, " forged"))
		}
		bubble.Sleep(time.Minute)
		n.want("after a minute")

		n.deliver(end(2, 2), theirs[0])
		n.want("of another installation")
		n.deliver(end(2, 2), mine[0])
		n.want("of an old probe sent again")
		n.deliver(end(1, 1), n.probes(end(1, 1))[len(n.probes(end(1, 1)))-1])
		n.want("of a port to itself")
		n.deliver(end(2, 9), n.probes(end(1, 1))[len(n.probes(end(1, 1)))-1])
		n.want("to a port that does not exist")
		if got := n.app.Ignored(); got.Foreign == 0 || got.Stale == 0 {
			t.Errorf("ignored %+v, want both kinds", got)
		}
		// The same frame, fresh, is good.
		n.deliver(end(2, 2), n.probes(end(1, 1))[len(n.probes(end(1, 1)))-1])
		n.want("of a fresh probe", discovery.Link{From: end(1, 1), To: end(2, 2)})
	})
}

// TestForeignLLDPPassesOn: frames of others go to the next application, ours do
// not.
func TestForeignLLDPPassesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, discovery.Config{})
		seen := make(chan string, 10)
		ofcontroller.OnInline(n.c, func(_ *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
			seen <- string(in.Data[14:])
			return ofcontroller.Continue
		})
		n.wire(end(1, 1), end(2, 1))
		n.connect(1)
		n.connect(2)
		bubble.Sleep(20 * time.Second)
		lldp := []byte("\x01\x80\xc2\x00\x00\x0e\x00\x00\x00\x00\x00\x01\x88\xccforeign")
		n.deliver(end(1, 1), lldp)
		synctest.Wait()
		if len(seen) != 1 || <-seen != "foreign" {
			t.Errorf("%d frames passed on, want the foreign one", len(seen))
		}
	})
}

// TestProbeIsLLDP holds the frame to gopacket's idea of LLDP.
func TestProbeIsLLDP(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, discovery.Config{Interval: 20 * time.Second}, 7)
		bubble.Sleep(time.Second)
		synctest.Wait()
		frames := n.probes(end(7, 2))
		if len(frames) != 1 {
			t.Fatalf("%d probes", len(frames))
		}
		p := gopacket.NewPacket(frames[0], layers.LayerTypeEthernet, gopacket.Default)
		eth, _ := p.Layer(layers.LayerTypeEthernet).(*layers.Ethernet)
		lldp, _ := p.Layer(layers.LayerTypeLinkLayerDiscovery).(*layers.LinkLayerDiscovery)
		if eth == nil || lldp == nil || p.ErrorLayer() != nil {
			t.Fatalf("not LLDP: %v", p)
		}
		addr := switchtest.Port(7, 2).HWAddr
		if !bytes.Equal(eth.SrcMAC, addr[:]) || eth.DstMAC.String() != "01:80:c2:00:00:0e" {
			t.Errorf("from %v to %v", eth.SrcMAC, eth.DstMAC)
		}
		if lldp.TTL != 60 || !bytes.Equal(lldp.ChassisID.ID, []byte{0, 0, 0, 0, 0, 0, 0, 7}) || !bytes.Equal(lldp.PortID.ID, []byte{0, 2}) {
			t.Errorf("LLDP %+v", lldp)
		}
	})
}

// TestProbesArePaced: every port once an interval, not all at once.
func TestProbesArePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t, discovery.Config{Interval: 10 * time.Second}, 1, 2, 3, 4)
		bubble.Sleep(100 * time.Second)
		synctest.Wait()
		for id := ofwire.DatapathID(1); id <= 4; id++ {
			for port := of10.Port(1); port <= 3; port++ {
				if got := len(n.probes(end(id, port))); got < 10 || got > 15 {
					t.Errorf("%d probes in ten intervals from %v", got, end(id, port))
				}
			}
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	if _, err := discovery.Open(ofcontroller.Params{"interval": "5"}); err != nil {
		t.Error(err)
	}
	for _, bad := range []ofcontroller.Params{{"interval": "0"}, {"interval": "x"}, {"colour": "1"}} {
		if _, err := discovery.Open(bad); err == nil {
			t.Errorf("Open(%v) accepts it", bad)
		}
	}
}
