package ofwire

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestPipeOrder pushes random pieces through a small pipe, both ways at once.
func TestPipeOrder(t *testing.T) {
	t.Parallel()
	a, b := PipeSize(50_000)
	data := make([]byte, 2_000_000)
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	var wg sync.WaitGroup
	send := func(c net.Conn, seed uint64) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		for rest := data; len(rest) > 0; {
			n, err := c.Write(rest[:min(1+rnd.IntN(1<<rnd.IntN(17)), len(rest))])
			if err != nil {
				t.Error(err)
				return
			}
			rest = rest[n:]
		}
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Error(err)
		}
	}
	receive := func(c net.Conn) {
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(data, got) {
			t.Errorf("received %d bytes, %v", len(got), err)
		}
	}
	wg.Go(func() { send(a, 1) })
	wg.Go(func() { send(b, 2) })
	wg.Go(func() { receive(a) })
	wg.Go(func() { receive(b) })
	wg.Wait()
}

func TestPipeClose(t *testing.T) {
	t.Parallel()
	a, b := Pipe()
	if _, err := a.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); err != nil || string(got) != "last words" {
		t.Errorf("the peer read %q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("write to a closed peer: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
}

func TestPipeDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeSize(10)
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Minute))
		_, err := a.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("read: %v, want a timeout", err)
		}
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("read waited %v", waited)
		}
		a.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := a.Write(make([]byte, 11)); n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %d bytes, %v, want 10 and a timeout", n, err)
		}
		a.SetDeadline(time.Now().Add(-time.Second))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("deadline in the past: %v", err)
		}
		// A new deadline takes the old one back.
		a.SetReadDeadline(time.Now().Add(time.Second))
		a.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { b.Write([]byte("y")) })
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("read without deadline: %d, %v", n, err)
		}
		a.Close()
		b.Close()
	})
}

// TestPipeWakes: closing wakes a blocked reader and a blocked writer.
func TestPipeWakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := PipeSize(4)
		errs := make(chan error, 2)
		go func() { _, err := a.Read(make([]byte, 1)); errs <- err }()
		go func() { _, err := a.Write(make([]byte, 5)); errs <- err }()
		synctest.Wait()
		b.Close()
		got := map[error]bool{}
		for range 2 {
			err := <-errs
			got[io.EOF] = got[io.EOF] || errors.Is(err, io.EOF)
			got[io.ErrClosedPipe] = got[io.ErrClosedPipe] || errors.Is(err, io.ErrClosedPipe)
		}
		if !got[io.EOF] || !got[io.ErrClosedPipe] {
			t.Errorf("got %v, want io.EOF for the reader and io.ErrClosedPipe for the writer", got)
		}
	})
}

// TestPipeMemory: a pipe keeps little when it is idle, and no more than its size when not.
func TestPipeMemory(t *testing.T) { // not parallel: it counts allocations
	a, b := PipeSize(100 << 10)
	ring := a.(*pipeConn).out
	if len(ring.buf) != 0 {
		t.Errorf("%d bytes before the first write", len(ring.buf))
	}
	message := make([]byte, 100)
	if _, err := a.Write(message); err != nil || len(ring.buf) != pipeStart {
		t.Errorf("%d bytes for a short message, %v", len(ring.buf), err)
	}
	if _, err := a.Write(make([]byte, 100<<10-100)); err != nil || len(ring.buf) != 100<<10 {
		t.Errorf("%d bytes when full, %v", len(ring.buf), err)
	}
	if _, err := io.ReadFull(b, make([]byte, 100<<10)); err != nil || len(ring.buf) > pipeKeep {
		t.Errorf("%d bytes when drained, %v", len(ring.buf), err)
	}
	read := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := a.Write(message); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Read(read); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a short message, want 0", n)
	}
}

func TestPipeEmptyCalls(t *testing.T) {
	t.Parallel()
	a, b := Pipe()
	if n, err := a.Write(nil); n != 0 || err != nil {
		t.Errorf("empty write: %d, %v", n, err)
	}
	if n, err := b.Read(nil); n != 0 || err != nil {
		t.Errorf("empty read: %d, %v", n, err)
	}
	if a.LocalAddr().Network() != "pipe" || a.RemoteAddr().String() != "pipe" {
		t.Errorf("addresses %v %v", a.LocalAddr(), a.RemoteAddr())
	}
}
