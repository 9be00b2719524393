package uring

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Ring sends on many sockets with one system call. It is for one goroutine at a
// time.
type Ring struct {
	fd    int
	rings []byte // both queues, shared with the kernel
	slots []byte // the entries of the submission queue, likewise

	head, tail *uint32 // of the submission queue: the kernel takes at head
	mask       uint32

	doneHead, doneTail *uint32 // of the completion queue: the kernel adds at tail
	doneMask           uint32
	done               []completion

	sends []Send // while the kernel has their addresses; also keeps them off the stack, which moves
}

// Send is one send: what is to be done, and after Ring.Send how it went.
type Send struct {
	FD    int
	Bytes []byte // the caller's; not empty
	N     int    // how many of them the socket has taken
	Err   error  // a unix.Errno: EAGAIN when it took none and would have waited
}

// The kernel's structures (linux/io_uring.h).
type (
	params struct {
		sqEntries, cqEntries, flags, cpu, idle, features, wq uint32
		_                                                    [3]uint32
		sq                                                   struct {
			head, tail, mask, entries, flags, dropped, array, _ uint32
			_                                                   uint64
		}
		cq struct {
			head, tail, mask, entries, overflow, cqes, flags, _ uint32
			_                                                   uint64
		}
	}
	submission struct {
		opcode, flags uint8
		ioprio        uint16
		fd            int32
		off           uint64
		addr          uint64
		length        uint32
		msgFlags      uint32
		data          uint64
		_             [3]uint64
	}
	completion struct {
		data  uint64
		res   int32
		flags uint32
	}
)

const (
	opSend         = 26
	enterGetEvents = 1
	featSingleMmap = 1
	offsetEntries  = 0x10000000
)

// New makes a ring for up to entries sends with one call, and sends a byte to itself
// to see that it works. An error wraps ErrUnsupported.
func New(entries int) (*Ring, error) {
	r, err := open(uint32(entries))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if err := r.try(); err != nil {
		r.Close()
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return r, nil
}

func open(entries uint32) (*Ring, error) {
	var p params
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(entries), uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, errno
	}
	r := &Ring{fd: int(fd)}
	if p.features&featSingleMmap == 0 {
		r.Close()
		return nil, unix.ENOSYS
	}
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+uint32(unsafe.Sizeof(completion{}))*p.cqEntries)
	var err error
	if r.rings, err = r.share(0, int(size)); err == nil {
		r.slots, err = r.share(offsetEntries, int(p.sqEntries)*int(unsafe.Sizeof(submission{})))
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	word := func(at uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[at])) }
	r.head, r.tail, r.mask = word(p.sq.head), word(p.sq.tail), *word(p.sq.mask)
	r.doneHead, r.doneTail, r.doneMask = word(p.cq.head), word(p.cq.tail), *word(p.cq.mask)
	r.done = unsafe.Slice((*completion)(unsafe.Pointer(&r.rings[p.cq.cqes])), p.cqEntries)
	for i := range p.sqEntries {
		*word(p.sq.array + 4*i) = i // entry i is always in place i
	}
	return r, nil
}

func (r *Ring) share(offset int64, size int) ([]byte, error) {
	return unix.Mmap(r.fd, offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
}

// Close gives everything back. r must not be used any more.
func (r *Ring) Close() {
	for _, m := range [][]byte{r.rings, r.slots} {
		if m != nil {
			_ = unix.Munmap(m)
		}
	}
	_ = unix.Close(r.fd)
}

// Len is how many sends one call takes.
func (r *Ring) Len() int { return int(r.mask) + 1 }

// try sends one byte through a pair of sockets, which tells what no version number
// does.
func (r *Ring) try() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	s := []Send{{FD: pair[0], Bytes: []byte{1}}}
	r.Send(s)
	return s[0].Err
}

// Send does all sends, Len at most, without waiting. The bytes are the caller's again
// when it returns.
func (r *Ring) Send(sends []Send) {
	r.sends = sends
	tail := *r.tail
	for i := range sends {
		s := &sends[i]
		s.N, s.Err = 0, unix.EAGAIN
		*r.slot(tail + uint32(i)) = submission{
			opcode: opSend, fd: int32(s.FD), addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(s.Bytes)))), length: uint32(len(s.Bytes)),
			msgFlags: unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL, data: uint64(i),
		}
	}
	atomic.StoreUint32(r.tail, tail+uint32(len(sends)))
	for left := len(sends); left > 0; {
		waiting := atomic.LoadUint32(r.tail) - atomic.LoadUint32(r.head)
		_, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(waiting), uintptr(left), enterGetEvents, 0, 0)
		left -= r.collect()
		if errno != 0 && errno != unix.EINTR {
			left -= r.takeBack()
		}
	}
	r.sends = nil
}

func (r *Ring) slot(n uint32) *submission {
	return &unsafe.Slice((*submission)(unsafe.Pointer(unsafe.SliceData(r.slots))), r.mask+1)[n&r.mask]
}

// collect notes what the kernel has done, and returns how many sends that was.
func (r *Ring) collect() int {
	head, tail := *r.doneHead, atomic.LoadUint32(r.doneTail)
	for i := head; i != tail; i++ {
		c := r.done[i&r.doneMask]
		s := &r.sends[c.data]
		if s.Err = nil; c.res < 0 {
			s.Err = unix.Errno(-c.res)
		} else {
			s.N = int(c.res)
		}
	}
	atomic.StoreUint32(r.doneHead, tail)
	return int(tail - head)
}

// takeBack withdraws what the kernel did not take, and returns how many sends that
// was.
func (r *Ring) takeBack() int {
	head := atomic.LoadUint32(r.head)
	n := int(*r.tail - head)
	atomic.StoreUint32(r.tail, head)
	return n
}
