package ofswitch

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// peer is the controller's end of a control connection.
type peer struct {
	t    *testing.T
	conn net.Conn
	r    *ofwire.Reader
}

// greet exchanges HELLOs.
func greet(t *testing.T, conn net.Conn) *peer {
	t.Helper()
	p := &peer{t, conn, ofwire.NewReader(conn, 4096)}
	p.write(&of10.Hello{})
	if m := p.read(); m.Type() != of10.TypeHello {
		t.Fatalf("greeted with %v", m)
	}
	return p
}

func (p *peer) write(m of10.Message) {
	p.t.Helper()
	if _, err := p.conn.Write(encode(m)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) read() of10.Message {
	p.t.Helper()
	b, err := p.r.Next()
	if err != nil {
		p.t.Fatal(err)
	}
	m, err := of10.Parse(append([]byte(nil), b...))
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// lab is a running switch in a synctest bubble with two in-memory ports.
type lab struct {
	sw    *Switch
	hosts []*port.Memory
	stop  func()
}

func startLab(t *testing.T, cfg SwitchConfig) *lab {
	t.Helper()
	sw, err := NewSwitch(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{sw: sw}
	for i, name := range []string{"a", "b"} {
		in, out := port.Pipe("s-"+name, "h-"+name)
		if err := sw.AttachPort(of10.Port(i+1), in); err != nil {
			t.Fatal(err)
		}
		l.hosts = append(l.hosts, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := sw.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	l.stop = func() {
		cancel()
		wg.Wait()
		for _, h := range l.hosts {
			h.Close()
		}
	}
	synctest.Wait()
	return l
}

// received reads what has arrived at host i so far, without waiting.
func (l *lab) received(i int) int {
	synctest.Wait()
	done := make(chan int)
	h := l.hosts[i]
	go func() {
		batch := make([]port.Frame, 64)
		n, _ := h.Read(batch)
		done <- n
	}()
	synctest.Wait()
	select {
	case n := <-done:
		return n
	default:
	}
	// Nothing there: let the reader go by a frame of our own.
	_, _ = l.sw.attachment(of10.Port(i + 1)).port.Write([]port.Frame{{Data: make([]byte, 60)}})
	return <-done - 1
}

func (l *lab) flows() []*flowtable.Flow {
	l.sw.mu.Lock()
	defer l.sw.mu.Unlock()
	return l.sw.pipe.table.Flows()
}

func (l *lab) inject(i int, f []byte) {
	_, _ = l.hosts[i].Write([]port.Frame{{Data: f}})
	synctest.Wait()
}

// pipeController makes module: targets reach the test through memory pipes.
type pipeController struct {
	down  atomic.Bool
	conns chan net.Conn
}

func (c *pipeController) dial(context.Context, string) (net.Conn, error) {
	if c.down.Load() {
		return nil, errors.New("nobody there")
	}
	a, b := ofwire.Pipe()
	c.conns <- b
	return a, nil
}

var moduleTarget = ofwire.Target{Scheme: "module", Name: "test"}

func TestSwitchStandalone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{FailMode: FailStandalone})
		defer l.stop()
		l.inject(0, tcpFrame(1, 2, 3, 4, 0))
		if n := l.received(1); n != 1 {
			t.Errorf("%d frames, want 1: without a controller the switch learns", n)
		}
		if f := l.flows(); len(f) != 1 || f[0].Priority != 0 {
			t.Errorf("flows %v, want one NORMAL flow of priority 0", f)
		}
	})
}

func TestSwitchSecure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{FailMode: FailSecure})
		defer l.stop()
		l.inject(0, tcpFrame(1, 2, 3, 4, 0))
		if n := l.received(1); n != 0 {
			t.Errorf("%d frames, want none", n)
		}
	})
}

// TestSwitchHandOver: no controller for 15 s, a learning switch; the controller
// comes, it rules; it goes, and after 15 s the switch learns again.
func TestSwitchHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctl := &pipeController{conns: make(chan net.Conn, 1)}
		ctl.down.Store(true)
		l := startLab(t, SwitchConfig{
			FailMode: FailStandalone, Controllers: []ofwire.Target{moduleTarget}, Module: ctl.dial, Probe: -1,
		})
		defer l.stop()
		forwards := func() bool {
			l.inject(0, tcpFrame(1, 2, 3, 4, 0))
			return l.received(1) == 1
		}
		if forwards() {
			t.Error("forwards at once, before the controllers had their chance")
		}
		bubble.Sleep(16 * time.Second)
		if !forwards() {
			t.Error("does not forward after 16 s without a controller")
		}
		ctl.down.Store(false)
		p := greet(t, <-ctl.conns)
		synctest.Wait()
		if forwards() {
			t.Error("forwards although a controller is connected and said nothing")
		}
		if m, ok := p.read().(*of10.PacketIn); !ok || m.InPort != 1 {
			t.Errorf("the controller got %v", m)
		}
		p.write(add(5, inPort(1), output(2)))
		p.write(&of10.BarrierRequest{XID: 9})
		if m := p.read(); m.Type() != of10.TypeBarrierReply {
			t.Errorf("got %v", m)
		}
		if !forwards() {
			t.Error("the controller's flow does nothing")
		}
		ctl.down.Store(true)
		p.conn.Close()
		bubble.Sleep(time.Second)
		if !forwards() || len(l.flows()) != 1 || l.flows()[0].Priority != 5 {
			t.Error("the flow is gone a second after the controller")
		}
		bubble.Sleep(16 * time.Second)
		if !forwards() || l.flows()[0].Priority != 0 {
			t.Error("not a learning switch again")
		}
	})
}

// TestSwitchKeepAlive: a controller that stops answering is given up and dialled
// again.
func TestSwitchKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctl := &pipeController{conns: make(chan net.Conn, 1)}
		l := startLab(t, SwitchConfig{Controllers: []ofwire.Target{moduleTarget}, Module: ctl.dial, Probe: 5 * time.Second})
		defer l.stop()
		p := greet(t, <-ctl.conns)
		start := time.Now()
		if m := p.read(); m.Type() != of10.TypeEchoRequest {
			t.Fatalf("got %v", m)
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("probed after %v", d)
		}
		if _, err := p.r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("not given up: %v", err)
		}
		again := greet(t, <-ctl.conns)
		again.write(&of10.FeaturesRequest{XID: 4})
		if m := again.read(); m.TransactionID() != 4 {
			t.Errorf("got %v", m)
		}
	})
}

// TestSwitchSeveralControllers: every controller hears packets and port changes,
// and gets the answers to its own requests only.
func TestSwitchSeveralControllers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{Probe: -1})
		defer l.stop()
		var peers []*peer
		for range 2 {
			a, b := ofwire.Pipe()
			go l.sw.Serve(t.Context(), a, Primary)
			peers = append(peers, greet(t, b))
			defer b.Close()
		}
		synctest.Wait()
		if n := l.sw.Connected(); n != 2 {
			t.Fatalf("%d connected", n)
		}
		l.inject(0, tcpFrame(1, 2, 3, 4, 0))
		peers[0].write(&of10.EchoRequest{XID: 77})
		for i, p := range peers {
			if m := p.read(); m.Type() != of10.TypePacketIn {
				t.Errorf("controller %d got %v", i, m)
			}
		}
		if m := peers[0].read(); m.TransactionID() != 77 {
			t.Errorf("got %v", m)
		}
		in, _ := port.Pipe("x", "y")
		if err := l.sw.AttachPort(9, in); err != nil {
			t.Fatal(err)
		}
		for _, p := range peers {
			if m, ok := p.read().(*of10.PortStatus); !ok || m.Reason != of10.PortAdded || m.Desc.Name != "x" {
				t.Errorf("got %v", m)
			}
		}
		if err := l.sw.AttachPort(9, in); err == nil {
			t.Error("port 9 attached twice")
		}
		if err := l.sw.DetachPort(9); err != nil {
			t.Error(err)
		}
		if m, ok := peers[1].read().(*of10.PortStatus); !ok || m.Reason != of10.PortDeleted {
			t.Errorf("got %v", m)
		}
		if err := l.sw.DetachPort(9); err == nil {
			t.Error("detached twice")
		}
	})
}

// TestSwitchSlow: with FlowModDelay a barrier behind n flow_mods takes that long.
func TestSwitchSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{Probe: -1, FlowModDelay: 10 * time.Millisecond})
		defer l.stop()
		a, b := ofwire.Pipe()
		go l.sw.Serve(t.Context(), a, Primary)
		defer b.Close()
		p := greet(t, b)
		start := time.Now()
		for i := range 20 {
			p.write(add(uint16(i), inPort(1), output(2)))
		}
		p.write(&of10.BarrierRequest{XID: 1})
		if m := p.read(); m.Type() != of10.TypeBarrierReply {
			t.Fatalf("got %v", m)
		}
		if d := time.Since(start); d != 200*time.Millisecond {
			t.Errorf("20 flow_mods took %v, want 200 ms", d)
		}
	})
}

// TestSwitchSilentController: one that never reads neither stops the switch nor
// the other controller.
func TestSwitchSilentController(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{Probe: -1})
		defer l.stop()
		var peers []*peer
		for range 2 {
			a, b := ofwire.Pipe()
			go l.sw.Serve(t.Context(), a, Primary)
			peers = append(peers, greet(t, b))
			defer b.Close()
		}
		go func() { // asks without end and reads nothing
			req := encode(&of10.FeaturesRequest{})
			for {
				if _, err := peers[0].conn.Write(req); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		big := tcpFrame(1, 2, 3, 4, 1400)
		for range 200 {
			l.inject(0, big)
			if m := peers[1].read(); m.Type() != of10.TypePacketIn {
				t.Fatalf("got %v", m)
			}
		}
	})
}

// TestSwitchRefusesPeers: what does not begin with a usable HELLO is closed.
func TestSwitchRefusesPeers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		send   []byte
		accept bool
	}{
		{"version 0", message(0, 0), false},
		{"version 2", message(2, 0), true},
		{"version 4", message(4, 0), true},
		{"hello with a body", message(1, 0, 1, 2, 3, 4), true},
		{"features_request first", message(1, 5), false},
		{"header length 4", []byte{1, 0, 0, 4, 0, 0, 0, 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := startLab(t, SwitchConfig{Probe: -1})
				defer l.stop()
				a, b := ofwire.Pipe()
				go l.sw.Serve(t.Context(), a, Primary)
				defer b.Close()
				if _, err := b.Write(append(append([]byte(nil), tt.send...), message(1, 18)...)); err != nil {
					t.Fatal(err)
				}
				r := ofwire.NewReader(b, 4096)
				var last byte
				var err error
				for range 2 {
					var m []byte
					if m, err = r.Next(); err != nil {
						break
					}
					last = m[1]
				}
				if accepted := err == nil && last == byte(of10.TypeBarrierReply); accepted != tt.accept {
					t.Errorf("accepted %v (last type %d, %v), want %v", accepted, last, err, tt.accept)
				}
			})
		})
	}
}

// TestSwitchQueues: frames enqueued with a guarantee pass a port that is flooded.
func TestSwitchQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{Probe: -1})
		defer l.stop()
		in, host := port.Pipe("slow", "h")
		shaped := port.NewShaper(in, 800_000, []port.QueueRate{{ID: 7, MinRate: 900}}) // 100,000 bytes a second
		if err := l.sw.AttachPort(3, shaped, QueueConfig{ID: 7, MinRate: 900}); err != nil {
			t.Fatal(err)
		}
		defer host.Close()
		for _, fm := range []*of10.FlowMod{add(1, inPort(1), output(3)), add(1, inPort(2), of10.Enqueue(3, 7))} {
			if err := l.sw.AddFlow(fm); err != nil {
				t.Fatal(err)
			}
		}
		got := map[byte]int{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			batch := make([]port.Frame, 64)
			for {
				n, err := host.Read(batch)
				if err != nil {
					return
				}
				for _, f := range batch[:n] {
					got[f.Data[11]]++
				}
			}
		}()
		for range 100 { // each way 1,000 bytes every 10 ms: together twice the rate
			l.inject(0, ethFrame(1, 9, 0x88b5, 1000))
			l.inject(1, ethFrame(2, 9, 0x88b5, 1000))
			bubble.Sleep(10 * time.Millisecond)
		}
		host.Close()
		<-done
		if got[2] < 85 || got[1] > 20 || got[1]+got[2] > 105 {
			t.Errorf("%d with and %d without a guarantee of 90 %%, of 100 each in one second", got[2], got[1])
		}
	})
}

// watched is a port whose link goes up and down.
type watched struct {
	*port.Memory
	link chan bool
}

func (w *watched) Watch(ctx context.Context, changed func(port.Info)) error {
	for {
		select {
		case up := <-w.link:
			i := w.Info()
			i.LinkDown = !up
			changed(i)
		case <-ctx.Done():
			return nil
		}
	}
}

// TestSwitchLinkChange: what a port's Watch reports becomes a port_status, once,
// and a port without link is not sent to.
func TestSwitchLinkChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{Probe: -1})
		defer l.stop()
		in, out := port.Pipe("w", "h")
		w := &watched{in, make(chan bool)}
		if err := l.sw.AttachPort(7, w); err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		a, b := ofwire.Pipe()
		go l.sw.Serve(t.Context(), a, Primary)
		defer b.Close()
		p := greet(t, b)
		p.write(add(1, inPort(1), output(7)))
		p.write(&of10.BarrierRequest{})
		if m := p.read(); m.Type() != of10.TypeBarrierReply {
			t.Fatalf("got %v", m)
		}
		for _, up := range []bool{true, false, false, true} {
			w.link <- up
		}
		for _, want := range []of10.PortState{of10.PortStateLinkDown, 0} {
			if m, ok := p.read().(*of10.PortStatus); !ok || m.Reason != of10.PortModified || m.Desc.PortNo != 7 || m.Desc.State != want {
				t.Errorf("got %v, want state %v", m, want)
			}
		}
		w.link <- false
		synctest.Wait()
		l.inject(0, ethFrame(1, 2, 0x88b5, 60))
		l.sw.mu.Lock()
		stats, _ := l.sw.pipe.PortStats(7)
		l.sw.mu.Unlock()
		if stats.TxPackets != 0 || stats.TxDropped != 1 {
			t.Errorf("without link: %+v", stats)
		}
	})
}

// TestSwitchSurvivesMalformed sends the whole malformed list down one connection,
// cut into pieces of a few bytes: one error each, in order, and the switch works on.
func TestSwitchSurvivesMalformed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{Probe: -1})
		defer l.stop()
		a, b := ofwire.Pipe()
		go l.sw.Serve(t.Context(), a, Primary)
		defer b.Close()
		p := greet(t, b)
		list := malformed()
		go func() {
			for i, m := range list {
				msg := append([]byte(nil), m.msg...)
				binary.BigEndian.PutUint32(msg[4:], uint32(i))
				for len(msg) > 0 {
					n := min(len(msg), 7)
					if _, err := b.Write(msg[:n]); err != nil {
						return
					}
					msg = msg[n:]
				}
			}
		}()
		for i, m := range list {
			e, ok := p.read().(*of10.Error)
			if !ok || e.XID != uint32(i) || e.ErrType != m.typ || e.Code != m.code || len(e.Data) < min(64, len(m.msg)) {
				t.Errorf("%s: got %v", m.name, e)
			}
		}
		p.write(add(1, inPort(1), output(2)))
		p.write(&of10.BarrierRequest{XID: 999})
		if m := p.read(); m.TransactionID() != 999 {
			t.Errorf("got %v", m)
		}
		l.inject(0, ethFrame(1, 2, 0x88b5, 60))
		if n := l.received(1); n != 1 {
			t.Errorf("%d frames forwarded afterwards", n)
		}
	})
}

// TestSwitchEmergency: when the last of two controllers is lost, the flows it
// stored for that take over, and stay until a controller comes and deletes them.
func TestSwitchEmergency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLab(t, SwitchConfig{Probe: -1, FailMode: FailSecure})
		defer l.stop()
		var peers []*peer
		for range 2 {
			a, b := ofwire.Pipe()
			go l.sw.Serve(t.Context(), a, Primary)
			peers = append(peers, greet(t, b))
		}
		peers[0].write(add(5, inPort(2), output(1)))
		peers[0].write(with(add(5, inPort(1), output(2)), func(m *of10.FlowMod) { m.Flags = of10.FlowModEmerg }))
		peers[0].write(&of10.BarrierRequest{})
		peers[0].read()
		forwards := func() bool {
			l.inject(0, ethFrame(1, 2, 0x88b5, 60))
			return l.received(1) == 1
		}
		peers[0].conn.Close()
		synctest.Wait()
		if forwards() {
			t.Error("emergency although a controller is left")
		}
		peers[1].conn.Close()
		synctest.Wait()
		if !forwards() || len(l.flows()) != 1 {
			t.Errorf("no emergency; flows %v", l.flows())
		}
	})
}
