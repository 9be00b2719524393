package ofconn_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
)

// Who does not read its answers is given up like who does not answer, although what it
// has said is not read either; who reads them slowly is not.
func TestKeepAliveOfAPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		reads time.Duration // between two times of 10,000 bytes; 0: nothing at all
	}{{"slow", 2 * time.Second}, {"stalled", 0}} {
		synctest.Test(t, func(t *testing.T) {
			var c *ofconn.Conn
			h := &recorder{each: func([]byte) error { // answers more than there is room for
				for range 20 {
					c.Append(msg(typeFlowMod, 1, 10000), ofconn.Required)
				}
				return c.WaitRoom(context.Background(), c)
			}}
			var peer net.Conn
			var wait func() error
			c, peer, wait = start(t, 100, ofconn.Config{Handler: h, SoftLimit: 10000, EchoInterval: 10 * time.Second})
			send(t, peer, msg(typeFlowMod, 1, 72), msg(typeFlowMod, 2, 72))
			if tt.reads == 0 {
				begin := time.Now()
				time.AfterFunc(time.Hour, func() { c.Close(nil) })
				if err := wait(); !errors.Is(err, ofconn.ErrKeepAlive) || time.Since(begin) != 30*time.Second {
					t.Errorf("Run = %v after %v, want ErrKeepAlive after 30s", err, time.Since(begin))
				}
				return
			}
			for range 30 {
				<-time.After(tt.reads)
				if _, err := io.ReadFull(peer, make([]byte, 10000)); err != nil {
					t.Fatalf("the peer reads %v", err)
				}
			}
			if err := c.Err(); err != nil {
				t.Errorf("a slow peer is given up: %v", err)
			}
		})
	}
}

// Echo requests whose replies are not taken slow their sender.
func TestEchoFlood(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		const n = 20000 // so that the answers are more than the sockets take
		for name, request := range map[string]func(i uint32) []byte{
			"echo": func(i uint32) []byte { return msg(typeEchoReq, i, 100) },
			"another version": func(i uint32) []byte {
				b := msg(typeFlowMod, i, 100)
				b[0] = 4
				return b
			},
		} {
			ours, peer := unixPair(t)
			c, _ := r.run(t, ours, ofconn.Config{SoftLimit: 10 << 10, HardLimit: 100 << 10})
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for i := range uint32(n) {
					if _, err := peer.Write(request(i)); err != nil {
						return // reading tells
					}
				}
			}()
			eventually(t, "replies wait", func() bool { return c.Queued() > 10<<10 })
			for i := range uint32(n) {
				if got := xid(readFrame(t, peer)); got != i {
					t.Fatalf("%s: answer %d in place of %d", name, got, i)
				}
			}
			<-sent
		}
	})
}

// What a connection was to be sent does not wait with its reader.
func TestTCPAnswersAreSentBeforeTheWait(t *testing.T) {
	overTCP(t, func(t *testing.T, r *tcpRig) {
		full, _, _ := r.start(t, ofconn.Config{SoftLimit: 10 << 10})
		for range 60 { // much more than the sockets take
			full.Append(msg(typeFlowMod, 1, 60000), ofconn.Required)
		}
		full.Flush()
		ended := make(chan error, 1)
		var c atomic.Pointer[ofconn.Conn]
		conn, peer, _ := r.start(t, ofconn.Config{Handler: &recorder{each: func(frame []byte) error {
			c.Load().Append(frame, ofconn.Required)
			err := full.WaitRoom(context.Background(), c.Load())
			ended <- err
			return err
		}}})
		c.Store(conn)
		ask(t, peer, 7)
		select {
		case err := <-ended:
			t.Errorf("WaitRoom = %v, with %d bytes queued", err, full.Queued())
		default:
		}
	})
}

// Every packet_in is delivered or counted, those for a connection that has ended too.
func TestDropsOfAClosedConnectionAreCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _, wait := start(t, 100, ofconn.Config{EchoInterval: -1})
		c.Close(nil)
		_ = wait()
		if c.Append(msg(typePacketIn, 1, 100), ofconn.Droppable) || c.Counters().Dropped(typePacketIn) != 1 {
			t.Errorf("%d packet_ins are counted as dropped, want 1", c.Counters().Dropped(typePacketIn))
		}
	})
}
