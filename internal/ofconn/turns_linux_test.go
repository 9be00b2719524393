package ofconn

import (
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/govisor/govisor/ofwire"
)

// visitor notes by its name each time its connection's messages are handled.
type visitor struct {
	name   string
	visits *[]string
	n      int
}

func (v *visitor) HandleFrame([]byte) error {
	v.n++
	if last := len(*v.visits) - 1; last < 0 || (*v.visits)[last] != v.name {
		*v.visits = append(*v.visits, v.name)
	}
	return nil
}

func (v *visitor) BatchDone(*Batch) {}

// A round handles a buffer full of each connection; those that keep filling it take
// turns elsewhere, in order, until they have nothing more.
func TestHeavyConnectionsTakeTurns(t *testing.T) {
	var visits []string
	l := loopLedByTest(t)
	const perBuffer = 64
	message := make([]byte, 128)
	message[0], message[1], message[3] = ofwire.Version10, 14, 128
	var conns []*Conn
	var peers []net.Conn
	send := func(i, n int) {
		if _, err := peers[i].Write([]byte(strings.Repeat(string(message), n))); err != nil {
			t.Fatal(err)
		}
		for there := 0; there < n*len(message); { // on a busy machine even the loopback delivers later
			var err error
			if there, err = unix.IoctlGetInt(conns[i].sock.fd, unix.TIOCINQ); err != nil {
				t.Fatal(err)
			}
			runtime.Gosched()
		}
	}
	round := func(who ...int) {
		l.next, l.count = 0, 0
		for _, i := range who {
			l.events[l.count] = conns[i].event(unix.EPOLLIN)
			l.count++
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.roundLocked(l.term) {
			t.Fatal("the loop was passed on")
		}
	}
	for _, name := range []string{"a", "b", "c", "modest"} {
		c, peer := l.join(t, Config{Handler: &visitor{name: name, visits: &visits}, ReadBuffer: perBuffer * len(message)})
		t.Cleanup(c.sock.close)
		conns, peers = append(conns, c), append(peers, peer)
	}
	l.carrying = true // this test will
	const buffers = 8
	for i := range 3 {
		send(i, buffers*perBuffer+1)
	}
	send(3, 1)
	round(0, 1, 2, 3)
	for range heavyFrom - 1 {
		if n := len(l.turns[0].heavy); n > 0 {
			t.Errorf("%d are heavy too soon", n)
		}
		round(0, 1, 2)
	}
	for _, c := range conns {
		if want := c != conns[3]; c.link.heavy != want || c.link.detached != want || c.link.interest&unix.EPOLLIN == 0 != want {
			t.Errorf("connection %s: %+v", c.cfg.Handler.(*visitor).name, c.link)
		}
	}
	l.carry(l.shift)
	want := strings.Fields("a b c modest" + strings.Repeat(" a b c", buffers))
	if d := cmp.Diff(want, visits); d != "" {
		t.Errorf("order of visits (-want +got):\n%s", d)
	}
	for i, n := range []int{buffers*perBuffer + 1, buffers*perBuffer + 1, buffers*perBuffer + 1, 1} {
		c := conns[i]
		if got := c.cfg.Handler.(*visitor).n; got != n {
			t.Errorf("connection %d: %d messages handled, want %d", i, got, n)
		}
		if c.link.heavy || c.link.detached || c.link.interest&unix.EPOLLIN == 0 {
			t.Errorf("connection %d is not back: %+v", i, c.link)
		}
	}
	if l.carrying {
		t.Error("a carrier without anything to carry")
	}
}

// Heavy connections rest for as long as the light ones would take with such turns, a
// millisecond at most, and controllers do not wait for switches.
func TestHeavyConnectionsRest(t *testing.T) {
	start := time.Unix(1000, 0)
	const turn = 100 * time.Microsecond
	for _, tt := range []struct {
		name         string
		heavy, light int
		want         time.Duration
	}{
		{"nobody else", 2, 0, 0},
		{"as many others", 2, 2, 2 * turn},
		{"few others", 4, 1, turn},
		{"very many others", 1, 100, maxRest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := new(Loop)
			ts := &l.turns[0]
			for range tt.heavy {
				ts.heavy = append(ts.heavy, new(Conn))
			}
			ts.light[0], ts.since = tt.light, start
			now := start
			for range tt.heavy {
				c, rest := l.nextLocked(now)
				if c == nil || rest != 0 {
					t.Fatalf("no turn but a rest of %v", rest)
				}
				now = now.Add(turn)
				ts.heavy = append(ts.heavy, c) // as it still has more
				l.restLocked(ts, now)
			}
			if tt.want == 0 {
				if c, _ := l.nextLocked(now); c == nil {
					t.Error("no turn although nobody else has anything to say")
				}
				return
			}
			if c, rest := l.nextLocked(now); c != nil || rest != tt.want {
				t.Errorf("a rest of %v, want %v", rest, tt.want)
			}
			l.turns[1].heavy = []*Conn{{cfg: Config{Source: true}}}
			if c, _ := l.nextLocked(now); c == nil || !c.cfg.Source {
				t.Error("a switch has no turn while controllers rest")
			}
			if c, rest := l.nextLocked(now.Add(tt.want)); c == nil {
				t.Errorf("after the rest another one of %v", rest)
			}
			for range 2 {
				now = now.Add(2 * minEpoch)
				l.restLocked(ts, now)
			}
			if ts.light != [2]int{} {
				t.Error("who was light is remembered for ever")
			}
		})
	}
}

// loopLedByTest is a loop without a leader: the test is its leader.
func loopLedByTest(t *testing.T) *Loop {
	t.Helper()
	l := &Loop{running: true, watched: true}
	var err error
	if l.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if Running(l) { // else its leader has closed them, and others may have their numbers
			_ = unix.Close(l.wake)
			_ = unix.Close(l.ep)
		}
	})
	l.watch = time.AfterFunc(time.Hour, l.look)
	t.Cleanup(func() { l.watch.Stop() })
	return l
}

// join gives the loop a connection.
func (l *Loop) join(t *testing.T, cfg Config) (c *Conn, peer net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if peer, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	ours, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Loop = l
	c = New(ours, cfg)
	if !l.take(c) {
		t.Fatal("the loop does not take a TCP connection")
	}
	return c, peer
}

// What the last wait told of a connection that has gone since is not for the next one
// that gets its file descriptor.
func TestEventsOfAConnectionThatHasGone(t *testing.T) {
	l := loopLedByTest(t)
	first, _ := l.join(t, Config{})
	second, _ := l.join(t, Config{})
	l.events[0] = first.event(unix.EPOLLHUP)
	l.next, l.count = 0, 1
	l.leave(first)
	l.events[0].Fd = int32(second.sock.fd) // as if it were the same
	l.mu.Lock()
	defer l.mu.Unlock()
	l.detachLocked(second)
	if !l.roundLocked(l.term) {
		t.Fatal("the loop was passed on")
	}
	if second.link.parked {
		t.Error("a connection without a fault is waited for no more")
	}
}

// Who leads the rest of a round after another one is watched as well.
func TestTheNextLeaderIsWatched(t *testing.T) {
	l := loopLedByTest(t)
	l.watched = false // as when nothing happens for a while before the next leader comes
	free, visited := make(chan struct{}), make(chan struct{})
	busy := handlerFunc(func([]byte) error { <-free; return nil })
	next := handlerFunc(func([]byte) error { close(visited); return nil })
	message := []byte{ofwire.Version10, 14, 0, 8, 0, 0, 0, 0}
	var peers []net.Conn
	for i, h := range []Handler{busy, next} {
		c, peer := l.join(t, Config{Handler: h})
		peers = append(peers, peer)
		if _, err := peer.Write(message); err != nil {
			t.Fatal(err)
		}
		l.events[i] = c.event(unix.EPOLLIN)
	}
	l.next, l.count = 0, 2
	go l.lead(l.term)
	select {
	case <-visited:
	case <-time.After(time.Minute):
		t.Error("the loop waits for a handler")
	}
	close(free)
	for _, p := range peers {
		_ = p.Close()
	}
	for end := time.Now().Add(time.Minute); Running(l); runtime.Gosched() { // it closes what it has by number
		if time.Now().After(end) {
			t.Fatal("the loop's leader does not end")
		}
	}
}

type handlerFunc func([]byte) error

func (f handlerFunc) HandleFrame(b []byte) error { return f(b) }
func (handlerFunc) BatchDone(*Batch)             {}
