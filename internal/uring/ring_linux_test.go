package uring_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/govisor/govisor/internal/uring"
)

// ring is nil, and the test over, where the system has none.
func ring(t *testing.T, entries int) *uring.Ring {
	t.Helper()
	r, err := uring.New(entries)
	if err != nil {
		if !errors.Is(err, uring.ErrUnsupported) {
			t.Fatal(err)
		}
		t.Logf("nothing to see here: %v", err)
		return nil
	}
	t.Cleanup(r.Close)
	return r
}

func pair(t *testing.T) (ours, theirs int) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(p[0]), unix.Close(p[1]) })
	return p[0], p[1]
}

func read(t *testing.T, fd int) []byte {
	t.Helper()
	b := make([]byte, 1<<20)
	n, err := unix.Read(fd, b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

func TestSend(t *testing.T) {
	r := ring(t, 16)
	if r == nil {
		return
	}
	if r.Len() != 16 {
		t.Errorf("Len is %d, want 16", r.Len())
	}
	var ours, theirs [16]int
	for i := range ours {
		ours[i], theirs[i] = pair(t)
	}
	for round := range 100 { // the queues go round some times
		n := round%16 + 1
		sends := make([]uring.Send, n)
		want := make([][]byte, n)
		for i := range sends {
			want[i] = fmt.Appendf(nil, "%d to %d", round, i)
			sends[i] = uring.Send{FD: ours[i], Bytes: bytes.Clone(want[i]), N: 77, Err: unix.EIO}
		}
		r.Send(sends)
		for i, s := range sends {
			if s.Err != nil || s.N != len(want[i]) {
				t.Fatalf("round %d, send %d: took %d of %d, %v", round, i, s.N, len(want[i]), s.Err)
			}
			if got := read(t, theirs[i]); !bytes.Equal(got, want[i]) {
				t.Fatalf("round %d, send %d: read %q, want %q", round, i, got, want[i])
			}
		}
	}
}

// Nothing is waited for, and what happens to one send happens to no other.
func TestSendsThatFail(t *testing.T) {
	r := ring(t, 8)
	if r == nil {
		return
	}
	full, _ := pair(t)
	for {
		if _, err := unix.Write(full, make([]byte, 4096)); err != nil {
			break
		}
	}
	half, halfPeer := pair(t)
	much := make([]byte, 16<<20)
	gone, peer := pair(t)
	_ = unix.Close(peer)
	fine, finePeer := pair(t)
	file, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)

	sends := []uring.Send{{FD: full, Bytes: much}, {FD: half, Bytes: much}, {FD: gone, Bytes: much}, {FD: -1, Bytes: much}, {FD: file, Bytes: much}, {FD: fine, Bytes: []byte("fine")}}
	r.Send(sends)
	for i, want := range []error{unix.EAGAIN, nil, unix.EPIPE, unix.EBADF, unix.ENOTSOCK, nil} {
		if !errors.Is(sends[i].Err, want) {
			t.Errorf("send %d: %v, want %v", i, sends[i].Err, want)
		}
		if want != nil && sends[i].N != 0 {
			t.Errorf("send %d: took %d bytes, and %v", i, sends[i].N, want)
		}
	}
	if n := sends[1].N; n == 0 || n == len(much) {
		t.Errorf("a socket took %d bytes of %d", n, len(much))
	}
	if got := len(read(t, halfPeer)); got != sends[1].N {
		t.Errorf("a socket took %d bytes, and gave %d", sends[1].N, got)
	}
	if got := read(t, finePeer); string(got) != "fine" {
		t.Errorf("read %q beside the failures", got)
	}
}

func TestNoRing(t *testing.T) {
	if _, err := uring.New(0); !errors.Is(err, uring.ErrUnsupported) {
		t.Errorf("a ring of no entries: %v", err)
	}
}
