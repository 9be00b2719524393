package ofconn_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// relay forwards every message to another connection, as a proxy that looks at
// nothing would.
type relay struct{ to *ofconn.Conn }

func (r *relay) HandleFrame(frame []byte) error {
	r.to.Append(frame, ofconn.Required)
	return r.to.WaitRoom(context.Background(), nil)
}

func (r *relay) BatchDone(out *ofconn.Batch) { out.Flush(r.to) }

func tcpPair(b *testing.B) (net.Conn, net.Conn) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	x, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	y, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = x.Close(); _ = y.Close() })
	return x, y
}

// BenchmarkRelay moves 128-byte messages through two connections over loopback
// TCP: pipelined, and one at a time (there and back).
func BenchmarkRelay(b *testing.B) {
	start := func(b *testing.B) (left, right net.Conn) {
		left, a := tcpPair(b)
		c, right := tcpPair(b)
		h1, h2 := &relay{}, &relay{}
		c1 := ofconn.New(a, ofconn.Config{Handler: h1})
		c2 := ofconn.New(c, ofconn.Config{Handler: h2})
		h1.to, h2.to = c2, c1
		go func() { _ = c1.Run(b.Context()) }()
		go func() { _ = c2.Run(b.Context()) }()
		return left, right
	}
	m := msg(typePacketIn, 1, 128)
	b.Run("pipelined", func(b *testing.B) {
		left, right := start(b)
		batch := make([]byte, 0, 64*len(m))
		for range 64 {
			batch = append(batch, m...)
		}
		go func() {
			for {
				if _, err := left.Write(batch); err != nil {
					return
				}
			}
		}()
		r := ofwire.NewReader(right, 64<<10)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one at a time", func(b *testing.B) {
		left, right := start(b)
		go func() { _, _ = io.Copy(right, right) }()
		buf := make([]byte, len(m))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := left.Write(m); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(left, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
