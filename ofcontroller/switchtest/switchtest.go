// Package switchtest is a switch for the tests of controller applications: it
// says and hears what the test writes down, over an in-memory pipe.
package switchtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"net"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Switch is the switch's end of a connection.
type Switch struct {
	Conn net.Conn

	t     testing.TB
	r     *ofwire.Reader
	done  chan struct{}
	ended error // of Attach, once done is closed
}

// Features describes a switch with ports 1 to n, all up, named eth1 and so on,
// the address of port p of datapath d being 02:00:00:00:0d:0p.
func Features(id ofwire.DatapathID, n int) *of10.FeaturesReply {
	f := &of10.FeaturesReply{DatapathID: id, NBuffers: 256, NTables: 1, Actions: of10.AllActions}
	for i := 1; i <= n; i++ {
		f.Ports = append(f.Ports, Port(id, of10.Port(i)))
	}
	return f
}

// Port is one port of Features.
func Port(id ofwire.DatapathID, n of10.Port) of10.PhyPort {
	return of10.PhyPort{PortNo: n, HWAddr: ofwire.MAC{2, 0, 0, 0, byte(id), byte(n)}, Name: "eth" + string(rune('0'+n))}
}

// Dial hands the controller a connection that has exchanged no message yet. It
// ends with the test.
func Dial(t testing.TB, c *ofcontroller.Controller) *Switch {
	t.Helper()
	near, far := ofwire.Pipe()
	s := &Switch{Conn: near, t: t, r: ofwire.NewReader(near, 4096), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		s.ended = c.Attach(ctx, far)
		close(s.done)
	})
	t.Cleanup(func() {
		cancel()
		near.Close()
		wg.Wait()
	})
	return s
}

// Connect is Dial with the handshake, up to the controller's SET_CONFIG.
func Connect(t testing.TB, c *ofcontroller.Controller, features *of10.FeaturesReply) *Switch {
	t.Helper()
	s := Dial(t, c)
	s.Greet(features)
	Receive[*of10.SetConfig](s)
	return s
}

// Greet does the handshake up to the switch's features.
func (s *Switch) Greet(features *of10.FeaturesReply) {
	s.t.Helper()
	s.Send(&of10.Hello{})
	Receive[*of10.Hello](s)
	request := Receive[*of10.FeaturesRequest](s)
	reply := *features
	reply.XID = request.XID
	s.Send(&reply)
}

// Ended waits until the controller has ended the connection and returns why.
func (s *Switch) Ended() error {
	<-s.done
	return s.ended
}

// Send sends messages to the controller.
func (s *Switch) Send(messages ...of10.Message) {
	s.t.Helper()
	for _, m := range messages {
		b, err := m.AppendBinary(nil)
		if err != nil {
			s.t.Fatalf("encoding %v: %v", m, err)
		}
		if _, err := s.Conn.Write(b); err != nil {
			s.t.Fatalf("sending %v: %v", m.Type(), err)
		}
	}
}

// Next waits for the controller's next message. Echo requests are answered and
// not returned.
func (s *Switch) Next() of10.Message {
	s.t.Helper()
	m, err := s.next(30 * time.Second)
	if err != nil {
		s.t.Fatalf("waiting for the controller: %v", err)
	}
	return m
}

// Quiet fails the test if the controller sends anything within d.
func (s *Switch) Quiet(d time.Duration) {
	s.t.Helper()
	m, err := s.next(d)
	if err == nil {
		s.t.Fatalf("the controller sent %v, want nothing", m)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Fatalf("waiting for nothing: %v", err)
	}
}

func (s *Switch) next(limit time.Duration) (of10.Message, error) {
	if err := s.Conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	defer func() { _ = s.Conn.SetReadDeadline(time.Time{}) }()
	return s.read()
}

func (s *Switch) read() (of10.Message, error) {
	for {
		frame, err := s.r.Next()
		if err != nil {
			return nil, err
		}
		m, err := of10.Parse(append([]byte(nil), frame...))
		if err != nil {
			return nil, err
		}
		echo, ok := m.(*of10.EchoRequest)
		if !ok {
			return m, nil
		}
		s.Send(&of10.EchoReply{XID: echo.XID, Data: echo.Data})
	}
}

// Each calls f for each message of the controller until the connection ends.
func (s *Switch) Each(f func(of10.Message)) {
	for {
		m, err := s.read()
		if err != nil {
			return
		}
		f(m)
	}
}

// Receive waits for the controller's next message, which must be an M.
func Receive[M of10.Message](s *Switch) M {
	s.t.Helper()
	m := s.Next()
	got, ok := m.(M)
	if !ok {
		s.t.Fatalf("the controller sent %v, want a %T", m, got)
	}
	return got
}

// Ready waits until the controller's handlers have seen what was sent before:
// it asks for an echo, which comes back in order with what they send.
func (s *Switch) Ready() {
	s.t.Helper()
	const mark = 0x72656164
	s.Send(&of10.EchoRequest{XID: mark})
	if reply := Receive[*of10.EchoReply](s); reply.XID != mark {
		s.t.Fatalf("echo reply %x, want %x", reply.XID, mark)
	}
}
