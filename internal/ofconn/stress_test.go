package ofconn_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// Many connections of all kinds relay to each other, and end in every way and at any
// moment. What arrives is what was sent, from its beginning on and without a gap; all
// of it where nobody hung up; and nothing is left over.
//
// It is not parallel: it counts the goroutines and the file descriptors of the process.
func TestStress(t *testing.T) {
	const workers, rounds = 12, 10
	seed := rand.Uint64()
	for name, loops := range map[string][]*ofconn.Loop{"goroutines": {nil}, "loops": ofconn.NewLoops(2), "plain loop": {ofconn.PlainLoop()}} {
		t.Run(name, func(t *testing.T) {
			net := newStressNet(t)
			goroutines, files := runtime.NumGoroutine(), openFiles()
			var wg sync.WaitGroup
			for w := range workers {
				rnd := rand.New(rand.NewPCG(seed, uint64(w)))
				wg.Go(func() {
					for range rounds {
						if t.Failed() {
							return
						}
						newStressRelay(t, net, rnd, loops[rnd.IntN(len(loops))]).run()
					}
				})
			}
			wg.Wait()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
			eventually(t, "all files are closed", func() bool { return openFiles() <= files })
		})
	}
}

// openFiles is how many file descriptors this process has, where it can tell.
func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// stressNet makes connections.
type stressNet struct {
	t              *testing.T
	server, client *tls.Config
	listeners      [2]net.Listener // TCP and unix
	mu             [2]sync.Mutex   // so that who dials also accepts
}

func newStressNet(t *testing.T) *stressNet {
	files := pki(t)
	n := &stressNet{t: t}
	var errs [4]error
	n.server, errs[0] = ofconn.ServerTLS(files)
	n.client, errs[1] = ofconn.ClientTLS(files)
	n.listeners[0], errs[2] = net.Listen("tcp", "127.0.0.1:0")
	n.listeners[1], errs[3] = net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, ln := range n.listeners {
			_ = ln.Close()
		}
	})
	return n
}

// pair makes a connection of a random kind.
func (n *stressNet) pair(rnd *rand.Rand) (ours, peer net.Conn) {
	kind := rnd.IntN(4) // TCP, unix, TLS, TCP that stalls soon
	i := kind % 2
	ln := n.listeners[i]
	if kind == 2 || kind == 3 {
		i, ln = 0, n.listeners[0]
	}
	n.mu[i].Lock()
	defer n.mu[i].Unlock()
	peer, err := net.Dial(ln.Addr().Network(), ln.Addr().String())
	if err != nil {
		n.t.Error(err)
		return nil, nil
	}
	if ours, err = ln.Accept(); err != nil {
		n.t.Error(err)
		return nil, nil
	}
	switch kind {
	case 2:
		return tls.Server(ours, n.server), tls.Client(peer, n.client)
	case 3:
		if err := ours.(*net.TCPConn).SetWriteBuffer(16 << 10); err != nil {
			n.t.Error(err)
		}
	}
	return ours, peer
}

// stressRelay is two connections that relay to each other.
type stressRelay struct {
	t     *testing.T
	rnd   *rand.Rand
	conns [2]*ofconn.Conn
	peers [2]net.Conn
	sizes [2][]int // of the messages from each peer to the other
	stop  context.CancelFunc
}

func newStressRelay(t *testing.T, n *stressNet, rnd *rand.Rand, loop *ofconn.Loop) *stressRelay {
	r := &stressRelay{t: t, rnd: rnd}
	var hoses [2]*hose
	for i := range r.conns {
		ours, peer := n.pair(rnd)
		if ours == nil {
			t.FailNow()
		}
		hoses[i] = &hose{}
		r.peers[i] = peer
		r.conns[i] = ofconn.New(ours, ofconn.Config{
			Handler: hoses[i], Loop: loop, EchoInterval: -1, Source: i == 1, SoftLimit: 1 << (9 + rnd.IntN(10)), ReadBuffer: 1 << (9 + rnd.IntN(7)),
		})
		r.sizes[i] = make([]int, rnd.IntN(400))
		for k := range r.sizes[i] {
			r.sizes[i][k] = 8 + rnd.IntN(1<<(4+rnd.IntN(8)))
			if rnd.IntN(100) == 0 {
				r.sizes[i][k] = 0xffff
			}
		}
	}
	for i, h := range hoses {
		h.from.Store(r.conns[i])
		h.to.Store(r.conns[1-i])
	}
	return r
}

// run lets both peers talk and ends the relay, sometimes before they have finished.
func (r *stressRelay) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.stop = cancel
	var conns, peers, talk sync.WaitGroup
	for i, c := range r.conns {
		conns.Go(func() {
			_ = c.Run(ctx)
			r.conns[1-i].Shutdown(20 * time.Second) // as there is nobody to relay to
		})
		conns.Go(func() { r.chat(c) })
	}
	at, way := -1, r.rnd.IntN(5) // how much peer 0 has read when the end comes, and how it comes
	if n := len(r.sizes[1]); n > 0 && r.rnd.IntN(2) == 0 {
		at = r.rnd.IntN(n)
	}
	var got [2]int
	for i, peer := range r.peers {
		writes, reads := rand.New(rand.NewPCG(r.rnd.Uint64(), 0)), rand.New(rand.NewPCG(r.rnd.Uint64(), 1))
		talk.Go(func() { r.write(peer, r.sizes[i], writes) })
		talk.Add(1)
		peers.Go(func() {
			got[i] = r.read(peer, r.sizes[1-i], reads, func(n int) {
				if i == 0 && n == at {
					r.end(way)
				}
			})
			talk.Done()
			_, _ = io.Copy(io.Discard, peer) // until it is hung up
			_ = peer.Close()
		})
	}
	talk.Wait()
	if at < 0 {
		for i, n := range got {
			if n != len(r.sizes[1-i]) {
				r.t.Errorf("peer %d got %d of %d messages", i, n, len(r.sizes[1-i]))
			}
		}
		r.end(way)
	}
	conns.Wait()
	peers.Wait()
}

func (r *stressRelay) end(way int) {
	switch way {
	case 0:
		_ = r.peers[0].Close()
	case 1:
		_ = r.peers[1].Close()
	case 2:
		r.conns[0].Close(nil)
	case 3:
		r.conns[0].Shutdown(time.Second)
	case 4:
		r.stop()
	}
}

// chat sends packet_ins beside what is relayed, until there are enough or c has ended.
func (r *stressRelay) chat(c *ofconn.Conn) {
	for i := range 300 {
		if c.Err() != nil {
			return
		}
		b := filled(i, 8+i)
		b[1] = typePacketIn
		c.Append(b, ofconn.Droppable)
		c.Flush()
	}
}

// write sends messages in pieces that have nothing to do with their limits.
func (r *stressRelay) write(peer net.Conn, sizes []int, rnd *rand.Rand) {
	var out bytes.Buffer
	for i, size := range sizes {
		out.Write(filled(i, size))
		for out.Len() > 1<<14 || i == len(sizes)-1 && out.Len() > 0 {
			if _, err := peer.Write(out.Next(1 + rnd.IntN(1<<rnd.IntN(16)))); err != nil {
				return // it was hung up
			}
		}
	}
}

// read judges what comes, now and then after a pause, and returns how many whole
// messages it was.
func (r *stressRelay) read(peer net.Conn, sizes []int, rnd *rand.Rand, reached func(n int)) int {
	in := ofwire.NewReader(slowReader{peer, rnd}, 1<<(9+rnd.IntN(8)))
	chatted := -1
	_ = peer.SetReadDeadline(time.Now().Add(stuck))
	reached(0)
	for i := 0; i < len(sizes); {
		frame, err := in.Next()
		if errors.Is(err, ofwire.ErrLength) || errors.Is(err, os.ErrDeadlineExceeded) {
			r.t.Errorf("message %d: %v", i, err)
		}
		if err != nil {
			return i
		}
		n, size := i, sizes[i]
		chat := frame[1] == typePacketIn
		if chat {
			n, size = int(xid(frame)), 8+int(xid(frame))
			if n <= chatted {
				r.t.Errorf("packet_in %d after %d", n, chatted)
			}
			chatted, frame[1] = n, typeFlowMod
		}
		if !bytes.Equal(frame, filled(n, size)) {
			r.t.Errorf("message %d of %d bytes: got % .40x..., %d bytes", n, size, frame, len(frame))
			return i
		}
		if !chat {
			i++
			reached(i)
		}
	}
	_ = peer.SetReadDeadline(time.Time{})
	return len(sizes)
}

// stuck is how long a whole conversation may take at most.
const stuck = 2 * time.Minute

type slowReader struct {
	r   io.Reader
	rnd *rand.Rand
}

func (s slowReader) Read(b []byte) (int, error) {
	for range s.rnd.IntN(20) {
		runtime.Gosched()
	}
	return s.r.Read(b[:1+s.rnd.IntN(len(b))])
}

// filled is message i.
func filled(i, size int) []byte {
	b := msg(typeFlowMod, uint32(i), size)
	for k := 8; k < size; k++ {
		b[k] = byte(i*31 + k)
	}
	return b
}
