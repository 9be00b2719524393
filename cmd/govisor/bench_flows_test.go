package main

import (
	"net"
	"testing"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// A slice's connection that was given up before anybody accepted it is not taken for the slice: it has come again.
func TestAskerPassesOverWhoHasGone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hello := []byte{1, 0, 0, 8, 0, 0, 0, 1}
	come := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(hello); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range 2 {
		come().Close()
	}
	stays := come()
	defer stays.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := ofwire.NewReader(stays, 4096)
		for {
			b, err := r.Next()
			if err != nil {
				return
			}
			if of10.Type(b[1]) == of10.TypeEchoRequest {
				b[1] = byte(of10.TypeEchoReply)
				if _, err := stays.Write(b); err != nil {
					return
				}
			}
		}
	}()
	a, err := acceptAsker(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.conn.RemoteAddr().String(), stays.LocalAddr().String(); got != want {
		t.Errorf("the asker is connected with %s, want %s", got, want)
	}
	a.conn.Close()
	stays.Close()
	<-done
}
