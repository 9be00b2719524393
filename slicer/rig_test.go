package slicer_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
	"github.com/govisor/govisor/slicer"
)

// datapath is the session's other side; it answers each message with itself.
type datapath struct {
	mu   sync.Mutex
	sess *slicer.Session
	got  []of10.Type
	ids  []slicing.Conn
	up   int
	peak int
	sw   *ofconn.Conn // nil: always room
}

func (d *datapath) FromController(from slicing.Conn, frame []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, of10.Type(frame[1]))
	d.ids = append(d.ids, from)
	d.sess.Send(from.ID, 0, frame)
	if d.sw != nil {
		d.sw.Append(frame, ofconn.Required)
	}
	return nil
}

func (d *datapath) ControllerUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up++
	d.peak = max(d.peak, d.up)
}

func (d *datapath) ControllerDown() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.up--
}

func (d *datapath) Flush(out *ofconn.Batch) {
	d.sess.Flush(out)
	if d.sw != nil {
		d.sw.Flush()
	}
}

func (d *datapath) WaitRoom(ctx context.Context, from *ofconn.Conn) error {
	if d.sw != nil {
		return d.sw.WaitRoom(ctx, from)
	}
	return nil
}

func (d *datapath) received() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.got)
}

// network hands out pipes to controllers by name.
type network struct {
	mu       sync.Mutex
	down     map[string]bool
	dials    []string
	accepted map[string]chan net.Conn
	size     int
}

func newNetwork(names ...string) *network {
	n := &network{down: map[string]bool{}, accepted: map[string]chan net.Conn{}, size: 1 << 18}
	for _, name := range names {
		n.accepted[name] = make(chan net.Conn, 100)
	}
	return n
}

func (n *network) dial(_ context.Context, t ofwire.Target) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, t.Name)
	if n.down[t.Name] {
		return nil, errors.New("connection refused")
	}
	ours, theirs := ofwire.PipeSize(n.size)
	n.accepted[t.Name] <- theirs
	return ours, nil
}

func (n *network) set(name string, down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down[name] = down
}

func (n *network) dialled() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.dials...)
}

// accept takes the next connection to a controller and says hello.
func (n *network) accept(t *testing.T, name string) net.Conn {
	t.Helper()
	nc := <-n.accepted[name]
	t.Cleanup(func() { _ = nc.Close() })
	send(t, nc, msg(of10.TypeHello, 1, 8))
	if got := receive(t, nc); of10.Type(got[1]) != of10.TypeHello {
		t.Fatalf("first message is %x", got)
	}
	return nc
}

func msg(typ of10.Type, xid uint32, n int) []byte {
	b := make([]byte, n)
	b[0], b[1] = ofwire.Version10, uint8(typ)
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	binary.BigEndian.PutUint32(b[4:], xid)
	return b
}

func send(t *testing.T, nc net.Conn, b []byte) {
	t.Helper()
	if _, err := nc.Write(b); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, nc net.Conn) []byte {
	t.Helper()
	b := make([]byte, 8)
	if _, err := io.ReadFull(nc, b); err != nil {
		t.Fatalf("reading: %v", err)
	}
	b = append(b, make([]byte, binary.BigEndian.Uint16(b[2:])-8)...)
	if _, err := io.ReadFull(nc, b[8:]); err != nil {
		t.Fatalf("reading: %v", err)
	}
	return b
}

func controllers(names ...string) *slicer.Config {
	cfg := &slicer.Config{}
	for _, n := range names {
		c := slicer.Controller{}
		if n[0] == '!' {
			c.ReadOnly, n = true, n[1:]
		}
		c.Target = ofwire.Target{Scheme: "module", Name: n}
		cfg.Controllers = append(cfg.Controllers, c)
	}
	return cfg
}

func quiet() *logrus.Entry {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return logrus.NewEntry(l)
}

// start runs a session in a bubble and ends it with the test.
func start(t *testing.T, n *network, cfg *slicer.Config) (*slicer.Session, *datapath) {
	t.Helper()
	d := &datapath{}
	s := slicer.New(slicer.Options{
		Slice: "s1", Datapath: d, Dial: n.dial, Log: quiet(),
		Conn: ofconn.Config{EchoInterval: -1, SoftLimit: 2000},
	}, cfg)
	d.sess = s
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s, d
}
