package port

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// TAP is a network interface this program is the other side of. It is made by
// OpenTAP and goes away with Close, unless it existed before.
type TAP struct {
	name  string
	index int
	file  *os.File
	conn  syscall.RawConn
	bufs  [][]byte
	read  func(fd uintptr) bool
	got   int
	want  int
	err   error

	closed atomic.Bool
}

var (
	_ Port    = (*TAP)(nil)
	_ Watcher = (*TAP)(nil)
)

// OpenTAP creates the interface name, or attaches to a persistent one, and
// brings it up.
func OpenTAP(name string) (*TAP, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("port tap:%s: /dev/net/tun: %w", name, err)
	}
	fail := func(what string, err error) (*TAP, error) {
		unix.Close(fd)
		return nil, fmt.Errorf("port tap:%s: %s: %w", name, what, err)
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return fail("name", err)
	}
	req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return fail("TUNSETIFF", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, offloadLen); err != nil {
		return fail("TUNSETVNETHDRSZ", err)
	}
	const offloads = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
	if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloads); err != nil {
		return fail("TUNSETOFFLOAD", err)
	}
	if err := setUp(req.Name()); err != nil {
		return fail("bring up", err)
	}
	ifi, err := net.InterfaceByName(req.Name())
	if err != nil {
		return fail("look up", err)
	}
	t := &TAP{name: req.Name(), index: ifi.Index, file: os.NewFile(uintptr(fd), req.Name())}
	if t.conn, err = t.file.SyscallConn(); err != nil {
		t.file.Close()
		return nil, fmt.Errorf("port tap:%s: %w", name, err)
	}
	for range batchMax {
		t.bufs = append(t.bufs, make([]byte, offloadLen+MaxFrame+headroom))
	}
	t.read = t.readReady
	return t, nil
}

// setUp sets IFF_UP.
func setUp(name string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	req, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, req); err != nil {
		return err
	}
	req.SetUint16(req.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, req)
}

// readReady reads until the device has no more or the batch is full.
func (t *TAP) readReady(fd uintptr) bool {
	for t.got < t.want {
		buf := t.bufs[t.got]
		n, err := unix.Read(int(fd), buf[:offloadLen+MaxFrame])
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return t.got > 0
		case err != nil:
			t.err = err
			return true
		case n < offloadLen:
			continue
		}
		t.bufs[t.got] = buf[:n]
		t.got++
	}
	return true
}

// Read implements Port.
func (t *TAP) Read(batch []Frame) (int, error) {
	for i := range t.bufs {
		t.bufs[i] = t.bufs[i][:cap(t.bufs[i])]
	}
	t.got, t.want, t.err = 0, min(len(batch), len(t.bufs)), nil
	if err := t.conn.Read(t.read); err != nil {
		return 0, fmt.Errorf("port tap:%s: %w", t.name, errClosed(err, &t.closed))
	}
	if t.got == 0 && t.err != nil {
		return 0, fmt.Errorf("port tap:%s: %w", t.name, t.err)
	}
	for i, b := range t.bufs[:t.got] {
		batch[i] = Frame{Data: b[offloadLen:]}
		batch[i].Offload.get(b)
	}
	return t.got, nil
}

// Write implements Port.
func (t *TAP) Write(batch []Frame) (int, error) {
	taken := 0
	var hdr [offloadLen]byte
	iov := make([][]byte, 2)
	for i := range batch {
		batch[i].Offload.put(hdr[:])
		iov[0], iov[1] = hdr[:], batch[i].Data
		var werr error
		err := t.conn.Write(func(fd uintptr) bool {
			_, werr = unix.Writev(int(fd), iov)
			return true
		})
		switch {
		case err != nil:
			return taken, fmt.Errorf("port tap:%s: %w", t.name, errClosed(err, &t.closed))
		case errors.Is(werr, unix.EAGAIN), errors.Is(werr, unix.ENOBUFS):
			return taken, nil
		case werr == nil:
			taken++
		}
	}
	return taken, nil
}

// Info implements Port.
func (t *TAP) Info() Info {
	info := Info{Name: t.name, IfIndex: uint32(t.index), LinkDown: true, Curr: Feature10GFull | FeatureCopper}
	if ifi, err := net.InterfaceByIndex(t.index); err == nil {
		copy(info.HWAddr[:], ifi.HardwareAddr)
		info.LinkDown = ifi.Flags&net.FlagUp == 0
	}
	return info
}

// Close implements Port; the kernel removes the interface it made.
func (t *TAP) Close() error {
	t.closed.Store(true)
	return t.file.Close()
}

// Watch implements Watcher.
func (t *TAP) Watch(ctx context.Context, changed func(Info)) error {
	return watchLink(ctx, t.index, func() { changed(t.Info()) })
}
