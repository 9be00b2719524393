// Package ofctl asks and changes OpenFlow 1.0 switches from outside, with
// ovs-ofctl's commands, syntax and output.
package ofctl

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Refused is an error message of the switch. It prints like ovs-ofctl prints it:
// the error, then the message that failed.
type Refused struct{ Msg *of10.Error }

func (e *Refused) Error() string { return strings.TrimSuffix(e.Msg.String(), "\n") }

func (e *Refused) Unwrap() error { return e.Msg }

// Client is one connection to a switch, used by one goroutine.
type Client struct {
	Name string // as the user gave it

	nc    net.Conn
	r     *ofwire.Reader
	xid   uint32
	ports []of10.PhyPort // once asked for
	size  int            // of the message that came last

	mostBytes, mostParts int // of an answer
}

// Limits of one answer, many times what a switch has: some never come to an end.
const (
	mostBytes = 128 << 20
	mostParts = 1 << 20
)

// ParseTarget reads where a switch is: tcp:, ssl:, unix:, the passive ptcp:,
// pssl:, punix: to wait for one connection, HOST:PORT, or the bare name of a socket file.
func ParseTarget(text string) (ofwire.Target, error) {
	if !strings.Contains(text, ":") {
		return ofwire.Target{Scheme: "unix", Path: text}, nil
	}
	t, err := ofwire.ParseAddress(text)
	if err == nil && t.Scheme == "module" {
		err = fmt.Errorf("target %q: want tcp:, ssl:, unix: or a socket file", text)
	}
	return t, err
}

// Open connects to the switch text names and agrees on OpenFlow 1.0. ctx bounds
// the whole life of the connection.
func Open(ctx context.Context, text string, client, server *tls.Config) (*Client, error) {
	t, err := ParseTarget(text)
	if err != nil {
		return nil, err
	}
	var nc net.Conn
	if t.Passive() {
		nc, err = accept(ctx, t, server)
	} else {
		d := ofconn.Dialer{TLS: client}
		nc, err = d.Dial(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	c, err := NewClient(ctx, nc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	c.Name = text
	return c, nil
}

func accept(ctx context.Context, t ofwire.Target, server *tls.Config) (net.Conn, error) {
	ln, err := ofconn.Listen(ctx, t, server)
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	nc, err := ln.Accept()
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nc, err
}

// NewClient is Open over a transport that is connected already.
func NewClient(ctx context.Context, nc net.Conn) (*Client, error) {
	if err := ofconn.Handshake(ctx, nc, 10*time.Second); err != nil {
		_ = nc.Close()
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = nc.Close() })
	return &Client{nc: nc, r: ofwire.NewReader(nc, 64<<10), xid: 1, mostBytes: mostBytes, mostParts: mostParts}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.nc.Close() }

// Send gives m a new xid and sends it.
func (c *Client) Send(m of10.Message) error {
	c.xid++
	m.SetTransactionID(c.xid)
	b, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	_, err = c.nc.Write(b)
	return err
}

// Receive returns the next message. Echo requests are answered on the way.
func (c *Client) Receive() (of10.Message, error) {
	for {
		b, err := c.r.Next()
		if err != nil {
			return nil, fmt.Errorf("connection to the switch ended: %w", err)
		}
		if of10.Type(b[1]) == of10.TypeEchoRequest && b[0] == ofwire.Version10 {
			b[1] = byte(of10.TypeEchoReply)
			if _, err := c.nc.Write(b); err != nil {
				return nil, err
			}
			continue
		}
		c.size = len(b)
		return of10.Parse(append([]byte(nil), b...))
	}
}

// Ask sends a request and returns its answer; a Refused error if the switch
// answers with one.
func (c *Client) Ask(request of10.Message) (of10.Message, error) {
	if err := c.Send(request); err != nil {
		return nil, err
	}
	return c.answer(request.TransactionID())
}

func (c *Client) answer(xid uint32) (of10.Message, error) {
	for {
		m, err := c.Receive()
		if err != nil {
			return nil, err
		}
		if m.TransactionID() != xid {
			continue // unasked
		}
		if e, ok := m.(*of10.Error); ok {
			return nil, &Refused{e}
		}
		return m, nil
	}
}

// Stats asks for statistics and puts the parts of the answer together, unless they are
// so many that there is no end to be expected.
func (c *Client) Stats(t of10.StatsType, body of10.StatsBody) (*of10.StatsReply, error) {
	req := &of10.StatsRequest{StatsType: t, Body: body}
	if err := c.Send(req); err != nil {
		return nil, err
	}
	var whole *of10.StatsReply
	for parts, size := 1, 0; ; parts++ {
		m, err := c.answer(req.XID)
		if err != nil {
			return nil, err
		}
		part, ok := m.(*of10.StatsReply)
		if !ok || part.StatsType != t {
			return nil, fmt.Errorf("the switch answered a statistics request with %v", m.Type())
		}
		switch size += c.size; {
		case size > c.mostBytes:
			return nil, fmt.Errorf("the switch's answer does not end: it has more than %d bytes", c.mostBytes)
		case parts > c.mostParts:
			return nil, fmt.Errorf("the switch's answer does not end: it has more than %d parts", c.mostParts)
		}
		more := part.Flags&of10.StatsReplyMore != 0
		part.Flags &^= of10.StatsReplyMore
		if whole == nil {
			whole = part
		} else {
			join(whole, part)
		}
		if !more {
			return whole, nil
		}
	}
}

func join(whole, part *of10.StatsReply) {
	switch b := part.Body.(type) {
	case of10.FlowStatsReply:
		whole.Body = append(whole.Body.(of10.FlowStatsReply), b...)
	case of10.PortStatsReply:
		whole.Body = append(whole.Body.(of10.PortStatsReply), b...)
	case of10.QueueStatsReply:
		whole.Body = append(whole.Body.(of10.QueueStatsReply), b...)
	case of10.TableStatsReply:
		whole.Body = append(whole.Body.(of10.TableStatsReply), b...)
	}
}

// Do sends messages that have no answer of their own and a barrier, and returns
// the errors they caused, joined.
func (c *Client) Do(ms ...of10.Message) error {
	first := c.xid + 1
	for _, m := range ms {
		if err := c.Send(m); err != nil {
			return err
		}
	}
	barrier := &of10.BarrierRequest{}
	if err := c.Send(barrier); err != nil {
		return err
	}
	var errs []error
	for {
		m, err := c.Receive()
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		xid := m.TransactionID()
		if e, ok := m.(*of10.Error); ok && xid >= first && xid <= barrier.XID {
			errs = append(errs, &Refused{e})
			if xid == barrier.XID {
				return errors.Join(errs...)
			}
			continue
		}
		if m.Type() == of10.TypeBarrierReply && xid == barrier.XID {
			return errors.Join(errs...)
		}
	}
}

// Features asks for the switch's description; the ports come in order of number.
func (c *Client) Features() (*of10.FeaturesReply, error) {
	m, err := c.Ask(&of10.FeaturesRequest{})
	if err != nil {
		return nil, err
	}
	f, ok := m.(*of10.FeaturesReply)
	if !ok {
		if m.Type() == of10.TypeFeaturesRequest {
			return nil, errors.New("a controller listens there, not a switch: it asks for features, too")
		}
		return nil, fmt.Errorf("the switch answered a features request with %v", m.Type())
	}
	slices.SortFunc(f.Ports, func(a, b of10.PhyPort) int { return cmp.Compare(a.PortNo, b.PortNo) })
	c.ports = f.Ports
	return f, nil
}

// port finds a port by number or name.
func (c *Client) port(text string) (of10.PhyPort, error) {
	if c.ports == nil {
		if _, err := c.Features(); err != nil {
			return of10.PhyPort{}, err
		}
	}
	no, err := of10.ParsePort(text)
	for _, p := range c.ports {
		if err == nil && p.PortNo == no || err != nil && p.Name == strings.Trim(text, `"`) {
			return p, nil
		}
	}
	return of10.PhyPort{}, fmt.Errorf("%s: couldn't find port `%s'", c.Name, text)
}

// Parser reads flows with the port names of this switch, which it asks for only
// when a name occurs.
func (c *Client) Parser() *of10.Parser {
	return &of10.Parser{PortByName: func(name string) (of10.Port, bool) {
		p, err := c.port(name)
		return p.PortNo, err == nil
	}}
}
