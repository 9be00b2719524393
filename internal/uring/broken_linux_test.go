package uring

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// When the kernel takes nothing any more, each send is one that would have waited, and
// nobody waits for it.
func TestKernelTakesNothing(t *testing.T) {
	t.Parallel()
	r, err := New(8)
	if err != nil {
		t.Logf("nothing to see here: %v", err)
		return
	}
	defer r.Close()
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(null)
	if err := unix.Dup3(null, r.fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	for range 3 { // more than the ring has places for
		sends := make([]Send, 5)
		for i := range sends {
			sends[i] = Send{FD: null, Bytes: []byte{1}, N: 1}
		}
		r.Send(sends)
		for i, s := range sends {
			if s.N != 0 || !errors.Is(s.Err, unix.EAGAIN) {
				t.Fatalf("send %d: took %d, %v", i, s.N, s.Err)
			}
		}
	}
}
