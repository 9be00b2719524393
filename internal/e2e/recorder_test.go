//go:build linux

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Message types, by their numbers in the OpenFlow 1.0 specification. The
// recorder reads bytes by itself: it judges govisor's codec, so it uses none
// of it.
const (
	typeHello         = 0
	typeFeaturesReply = 6
	typePacketIn      = 10
	typeFlowRemoved   = 11
	typePortStatus    = 12
	typePacketOut     = 13
	typeFlowMod       = 14
)

// Recorder is a relay for OpenFlow connections that writes down what passes.
type Recorder struct {
	listener net.Listener
	dial     func() (net.Conn, error)

	mu     sync.Mutex
	conns  []*Conversation
	closed bool
}

// Conversation is one relayed connection.
type Conversation struct {
	mu      sync.Mutex
	down    net.Conn
	dpid    uint64
	frames  [2][]Frame // by direction
	ended   bool
	started time.Time
}

// Directions of a frame.
const (
	fromSwitch     = 0
	fromController = 1
)

// Frame is one OpenFlow message as it went over the wire.
type Frame []byte

func (f Frame) version() byte { return f[0] }
func (f Frame) kind() byte    { return f[1] }

// PacketIn is a recorded packet_in, its frame's fields read as far as they go.
type PacketIn struct {
	DPID           uint64
	InPort         uint16
	Reason         uint8
	Data           []byte
	EthSrc         string
	EthDst         string
	EthType        uint16
	Proto          uint8
	UDPSrc, UDPDst uint16
}

// Record listens on a port of the lab and relays to what dial reaches.
func (l *Lab) Record(port int, dial func() (net.Conn, error)) *Recorder {
	l.t.Helper()
	r := &Recorder{dial: dial}
	err := l.Inside(func() (err error) {
		r.listener, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { r.accept(&wg) })
	l.t.Cleanup(func() {
		r.Stop()
		wg.Wait()
	})
	return r
}

// dialLab reaches a TCP port of the lab's loopback.
func (l *Lab) dialLab(port int) func() (net.Conn, error) {
	return func() (conn net.Conn, err error) {
		err = l.Inside(func() (err error) {
			conn, err = net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
			return err
		})
		return conn, err
	}
}

// Stop closes the listener and every relayed connection.
func (r *Recorder) Stop() {
	r.listener.Close()
	r.mu.Lock()
	r.closed = true
	conns := r.conns
	r.mu.Unlock()
	for _, c := range conns {
		c.down.Close()
	}
}

func (r *Recorder) accept(wg *sync.WaitGroup) {
	for {
		down, err := r.listener.Accept()
		if err != nil {
			return
		}
		c := &Conversation{down: down, started: time.Now()}
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			down.Close()
			return
		}
		r.conns = append(r.conns, c)
		r.mu.Unlock()
		wg.Go(func() { c.relay(r.dial) })
	}
}

// relay copies both ways until either side ends, then closes both.
func (c *Conversation) relay(dial func() (net.Conn, error)) {
	defer func() {
		c.down.Close()
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
	}()
	up, err := dial()
	if err != nil {
		return
	}
	var both sync.WaitGroup
	pump := func(dst, src net.Conn, direction int) {
		defer dst.Close()
		defer src.Close()
		for {
			f, err := readFrame(src)
			if err != nil {
				return
			}
			c.note(direction, f)
			if _, err := dst.Write(f); err != nil {
				return
			}
		}
	}
	both.Go(func() { pump(up, c.down, fromSwitch) })
	both.Go(func() { pump(c.down, up, fromController) })
	both.Wait()
}

func readFrame(r io.Reader) (Frame, error) {
	f := make(Frame, 8)
	if _, err := io.ReadFull(r, f); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(f[2:]))
	if length < len(f) {
		return nil, errors.New("OpenFlow length below 8")
	}
	f = append(f, make([]byte, length-len(f))...)
	_, err := io.ReadFull(r, f[8:])
	return f, err
}

func (c *Conversation) note(direction int, f Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if direction == fromSwitch && f.kind() == typeFeaturesReply && len(f) >= 32 {
		c.dpid = binary.BigEndian.Uint64(f[8:])
	}
	c.frames[direction] = append(c.frames[direction], f)
}

// Conversations returns the connections seen so far, oldest first.
func (r *Recorder) Conversations() []*Conversation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Conversation(nil), r.conns...)
}

// Datapath returns the id of the features_reply, 0 before it.
func (c *Conversation) Datapath() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dpid
}

// Frames returns the messages of one kind that went in a direction.
func (c *Conversation) Frames(direction int, kind byte) []Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	var fs []Frame
	for _, f := range c.frames[direction] {
		if f.kind() == kind {
			fs = append(fs, f)
		}
	}
	return fs
}

// Live returns the datapaths with a connection that has had its features
// reply and has not ended.
func (r *Recorder) Live() map[uint64]bool {
	live := make(map[uint64]bool)
	for _, c := range r.Conversations() {
		c.mu.Lock()
		if c.dpid != 0 && !c.ended {
			live[c.dpid] = true
		}
		c.mu.Unlock()
	}
	return live
}

// Open counts the connections that have not ended, whatever they have said.
func (r *Recorder) Open() int {
	n := 0
	for _, c := range r.Conversations() {
		c.mu.Lock()
		if !c.ended {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

// PacketIns returns every packet_in seen so far.
func (r *Recorder) PacketIns() []PacketIn {
	var ps []PacketIn
	for _, c := range r.Conversations() {
		for _, f := range c.Frames(fromSwitch, typePacketIn) {
			if p, ok := readPacketIn(f); ok {
				p.DPID = c.Datapath()
				ps = append(ps, p)
			}
		}
	}
	return ps
}

func readPacketIn(f Frame) (p PacketIn, ok bool) {
	if len(f) < 18+14 {
		return p, false
	}
	p.InPort = binary.BigEndian.Uint16(f[14:])
	p.Reason = f[16]
	p.Data = f[18:]
	p.EthDst = net.HardwareAddr(p.Data[:6]).String()
	p.EthSrc = net.HardwareAddr(p.Data[6:12]).String()
	p.EthType = binary.BigEndian.Uint16(p.Data[12:])
	if ip := p.Data[14:]; p.EthType == 0x0800 && len(ip) >= 20 {
		p.Proto = ip[9]
		if rest := ip[int(ip[0]&15)*4:]; p.Proto == 17 && len(rest) >= 8 {
			p.UDPSrc = binary.BigEndian.Uint16(rest)
			p.UDPDst = binary.BigEndian.Uint16(rest[2:])
		}
	}
	return p, true
}

func (p PacketIn) String() string {
	return fmt.Sprintf("s%d:%d %s > %s type %#04x proto %d udp %d > %d", p.DPID, p.InPort, p.EthSrc, p.EthDst, p.EthType, p.Proto, p.UDPSrc, p.UDPDst)
}

// Controller starts an ovs-testcontroller behind a recorder on a TCP port.
func (l *Lab) Controller(name string, port int, options ...string) *Recorder {
	l.t.Helper()
	socket := filepath.Join(l.Dir(), name+".sock")
	argv := append([]string{"ovs-testcontroller", "punix:" + socket, "--unixctl=" + socket + ".ctl"}, options...)
	l.Spawn(name, argv...)
	l.await("controller "+name, func() error {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		return err
	})
	return l.Record(port, func() (net.Conn, error) { return net.Dial("unix", socket) })
}

func TestReadPacketIn(t *testing.T) {
	t.Parallel()
	frame := Frame{
		1, 10, 0, 60, 0, 0, 0, 0, // header
		0xff, 0xff, 0xff, 0xff, 0, 42, 0, 3, 0, 0, // buffer, total, port 3, no match
		0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 8, 0, // Ethernet
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
		0x13, 0x88, 0x13, 0x89, 0, 8, 0, 0, // UDP 5000 > 5001
	}
	got, ok := readPacketIn(frame)
	want := "s0:3 00:00:00:00:00:01 > 00:00:00:00:00:02 type 0x0800 proto 17 udp 5000 > 5001"
	if !ok || got.String() != want {
		t.Errorf("readPacketIn = %v, %v; want %s", got, ok, want)
	}
	for n := range 18 + 14 {
		if _, ok := readPacketIn(frame[:n]); ok {
			t.Errorf("readPacketIn accepts %d bytes", n)
		}
	}
}
