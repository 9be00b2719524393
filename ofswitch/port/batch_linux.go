package port

import (
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchMax is how many frames one system call moves.
const batchMax = 32

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// headroom is kept free before a received frame, and as much behind it, so that a
// VLAN tag can be put back without moving the frame elsewhere.
const headroom = 8

// rxRing receives a batch of packets, each with a virtio_net_hdr in front, from
// a packet socket. It is used by one goroutine.
type rxRing struct {
	msgs [batchMax]mmsghdr
	iovs [batchMax][2]unix.Iovec
	vnet [batchMax][offloadLen]byte
	ctrl [batchMax][64]byte
	from [batchMax]unix.RawSockaddrLinklayer
	bufs [batchMax][]byte

	want, got int
	errn      syscall.Errno
	recv      func(fd uintptr) bool // made once: a closure per batch would be garbage
}

func newRxRing() *rxRing {
	r := &rxRing{}
	for i := range r.msgs {
		r.bufs[i] = make([]byte, headroom+MaxFrame+headroom)
		r.iovs[i][0].Base = &r.vnet[i][0]
		r.iovs[i][0].SetLen(offloadLen)
		r.iovs[i][1].Base = &r.bufs[i][headroom]
		r.iovs[i][1].SetLen(MaxFrame)
		h := &r.msgs[i].hdr
		h.Iov = &r.iovs[i][0]
		h.SetIovlen(2)
	}
	r.recv = func(fd uintptr) bool {
		for {
			n, _, e := syscall.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.msgs[0])), uintptr(r.want), unix.MSG_DONTWAIT, 0, 0)
			if e != unix.EINTR {
				r.got, r.errn = int(n), e
				return e != unix.EAGAIN
			}
		}
	}
	return r
}

// read fills the ring with at most want messages, waiting for the first.
func (r *rxRing) read(conn syscall.RawConn, want int) (int, error) {
	want = min(want, batchMax)
	for i := range r.msgs[:want] {
		h := &r.msgs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&r.from[i]))
		h.Namelen = unix.SizeofSockaddrLinklayer
		h.Control = &r.ctrl[i][0]
		h.SetControllen(len(r.ctrl[i]))
	}
	r.want = want
	err := conn.Read(r.recv)
	runtime.KeepAlive(r)
	switch {
	case err != nil:
		return 0, err
	case r.errn != 0:
		return 0, r.errn
	}
	return r.got, nil
}

// txRing sends a batch; rings are pooled because several goroutines send.
type txRing struct {
	msgs [batchMax]mmsghdr
	iovs [batchMax][2]unix.Iovec
	vnet [batchMax][offloadLen]byte

	from, want int
	sent       int
	errn       syscall.Errno
	send       func(fd uintptr) bool
}

var txRings = sync.Pool{New: func() any {
	t := &txRing{}
	for i := range t.msgs {
		t.iovs[i][0].Base = &t.vnet[i][0]
		t.iovs[i][0].SetLen(offloadLen)
		h := &t.msgs[i].hdr
		h.Iov = &t.iovs[i][0]
		h.SetIovlen(2)
	}
	t.send = func(fd uintptr) bool {
		n, _, e := syscall.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&t.msgs[t.from])), uintptr(t.want), unix.MSG_DONTWAIT, 0, 0)
		t.sent, t.errn = int(n), e
		if e != 0 {
			t.sent = 0
		}
		return true
	}
	return t
}}

// writeBatch sends frames with their offload headers. A frame the kernel refuses
// (too long for the interface, say) is skipped; a full queue ends the batch.
func writeBatch(conn syscall.RawConn, frames []Frame) (int, error) {
	t := txRings.Get().(*txRing)
	defer txRings.Put(t)
	taken := 0
	for len(frames) > 0 {
		n := min(len(frames), batchMax)
		for i := range frames[:n] {
			frames[i].Offload.put(t.vnet[i][:])
			t.iovs[i][1].Base = unsafe.SliceData(frames[i].Data)
			t.iovs[i][1].SetLen(len(frames[i].Data))
		}
		t.from = 0
		for t.from < n {
			t.want = n - t.from
			if err := conn.Write(t.send); err != nil {
				return taken, err
			}
			taken += t.sent
			t.from += t.sent
			if t.sent > 0 {
				continue
			}
			switch t.errn {
			case unix.EINTR:
			case unix.EAGAIN, unix.ENOBUFS:
				return taken, nil
			case unix.ENXIO, unix.ENODEV:
				return taken, t.errn
			default:
				t.from++ // this frame cannot be sent: EMSGSIZE, EINVAL, ENETDOWN
			}
		}
		for i := range frames[:n] {
			t.iovs[i][1].Base = nil
		}
		runtime.KeepAlive(frames)
		frames = frames[n:]
	}
	return taken, nil
}
