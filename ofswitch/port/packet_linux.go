package port

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Packet is an existing network interface, opened as an AF_PACKET socket. It
// passes segmentation and checksum offloads through from one interface to the
// next, puts VLAN tags the kernel took out back into the frame, and does not see
// its own transmissions.
type Packet struct {
	name  string
	index int
	file  *os.File
	conn  syscall.RawConn
	rx    *rxRing

	closed atomic.Bool
	downed atomic.Bool // by SetAdmin
}

var (
	_ Port    = (*Packet)(nil)
	_ Watcher = (*Packet)(nil)

	_ Administered = (*Packet)(nil)
)

// OpenPacket attaches the interface name. Unless force is set, an interface with
// the default route is refused with ErrDefaultRoute.
func OpenPacket(name string, force bool) (*Packet, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("port %s: no such interface", name)
	}
	if !force && hasDefaultRoute(name) {
		return nil, fmt.Errorf("port %s: %w", name, ErrDefaultRoute)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("port %s: packet socket: %w", name, err)
	}
	if err := setupPacket(fd, ifi.Index); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("port %s: %w", name, err)
	}
	p := &Packet{name: name, index: ifi.Index, file: os.NewFile(uintptr(fd), name), rx: newRxRing()}
	if p.conn, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, fmt.Errorf("port %s: %w", name, err)
	}
	return p, nil
}

// setupPacket sets the socket's options before it is bound, so that no frame
// arrives without them.
func setupPacket(fd, index int) error {
	for _, opt := range []struct {
		name string
		opt  int
	}{
		{"PACKET_VNET_HDR", unix.PACKET_VNET_HDR},
		{"PACKET_AUXDATA", unix.PACKET_AUXDATA},
		{"PACKET_IGNORE_OUTGOING", unix.PACKET_IGNORE_OUTGOING},
	} {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, opt.opt, 1); err != nil {
			return fmt.Errorf("%s: %w", opt.name, err)
		}
	}
	const buffer = 4 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, buffer)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, buffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, buffer)
	}
	const all = unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8 // network order
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	mreq := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
		return fmt.Errorf("promiscuous mode: %w", err)
	}
	return nil
}

// Read implements Port.
func (p *Packet) Read(batch []Frame) (int, error) {
	for {
		n, err := p.rx.read(p.conn, len(batch))
		switch {
		case errors.Is(err, unix.ENETDOWN), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EINTR):
			continue // the link went down: the socket reports it once and lives on
		case err != nil:
			return 0, fmt.Errorf("port %s: %w", p.name, errClosed(err, &p.closed))
		}
		out := 0
		for i := range n {
			if p.rx.from[i].Pkttype == unix.PACKET_OUTGOING {
				continue
			}
			batch[out] = p.rx.frame(i)
			out++
		}
		if out > 0 {
			return out, nil
		}
	}
}

// frame assembles message i: offload header, VLAN tag from the auxiliary data.
func (r *rxRing) frame(i int) Frame {
	size := max(0, int(r.msgs[i].n)-offloadLen)
	buf := r.bufs[i]
	f := Frame{Data: buf[headroom : headroom+size]}
	f.Offload.get(r.vnet[i][:])
	tpid, tci, ok := vlanOf(r.ctrl[i][:r.msgs[i].hdr.Controllen])
	if !ok || size < ethHeader {
		return f
	}
	f.Data = buf[headroom-vlanTag : headroom+size]
	copy(f.Data[:12], f.Data[vlanTag:])
	binary.BigEndian.PutUint16(f.Data[12:], tpid)
	binary.BigEndian.PutUint16(f.Data[14:], tci)
	f.Offload.Shift(vlanTag)
	return f
}

// vlanOf reads the tag out of the control message PACKET_AUXDATA.
func vlanOf(ctrl []byte) (tpid, tci uint16, ok bool) {
	const (
		tciValid  = 0x10
		tpidValid = 0x40
	)
	if len(ctrl) < unix.CmsgLen(int(unsafe.Sizeof(unix.TpacketAuxdata{}))) {
		return 0, 0, false
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&ctrl[0]))
	if h.Level != unix.SOL_PACKET || h.Type != unix.PACKET_AUXDATA {
		return 0, 0, false
	}
	aux := (*unix.TpacketAuxdata)(unsafe.Pointer(&ctrl[unix.CmsgLen(0)]))
	if aux.Status&tciValid == 0 {
		return 0, 0, false
	}
	if aux.Status&tpidValid == 0 {
		return unix.ETH_P_8021Q, aux.Vlan_tci, true
	}
	return aux.Vlan_tpid, aux.Vlan_tci, true
}

// Write implements Port.
func (p *Packet) Write(batch []Frame) (int, error) {
	n, err := writeBatch(p.conn, batch)
	if err != nil {
		return n, fmt.Errorf("port %s: %w", p.name, errClosed(err, &p.closed))
	}
	return n, nil
}

// Info implements Port.
func (p *Packet) Info() Info {
	info := Info{Name: p.name, IfIndex: uint32(p.index), LinkDown: true}
	link, err := netlink.LinkByIndex(p.index)
	if err != nil {
		return info
	}
	// LOWER_UP is the carrier itself; RUNNING follows up to a second later.
	const up = unix.IFF_UP | unix.IFF_LOWER_UP
	copy(info.HWAddr[:], link.Attrs().HardwareAddr)
	info.LinkDown = link.Attrs().RawFlags&up != up
	info.Curr = speedFeatures(p.name)
	return info
}

// Close implements Port. The kernel ends promiscuous mode with the socket.
func (p *Packet) Close() error {
	p.closed.Store(true)
	if p.downed.Load() {
		_ = p.SetAdmin(true)
	}
	return p.file.Close()
}

// SetAdmin implements Administered with the interface's own up and down.
func (p *Packet) SetAdmin(up bool) error {
	p.downed.Store(!up)
	link := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: p.index}}
	set := netlink.LinkSetDown
	if up {
		set = netlink.LinkSetUp
	}
	if err := set(link); err != nil {
		return fmt.Errorf("port %s: %w", p.name, err)
	}
	return nil
}

// Watch implements Watcher by listening to the kernel's link messages.
func (p *Packet) Watch(ctx context.Context, changed func(Info)) error {
	return watchLink(ctx, p.index, func() { changed(p.Info()) })
}

func watchLink(ctx context.Context, index int, changed func()) error {
	updates := make(chan netlink.LinkUpdate, 64)
	done := make(chan struct{})
	defer close(done)
	if err := netlink.LinkSubscribe(updates, done); err != nil {
		return fmt.Errorf("watch links: %w", err)
	}
	changed() // what happened before the subscription
	for {
		select {
		case <-ctx.Done():
			return nil
		case u, ok := <-updates:
			if !ok {
				return errors.New("watch links: the kernel closed the subscription")
			}
			if int(u.Index) != index {
				continue
			}
			changed()
			if u.Header.Type == unix.RTM_DELLINK {
				return nil
			}
		}
	}
}

// speedFeatures reads the speed the driver states. Virtual interfaces without
// one count as 10 Gb/s copper, as veth does.
func speedFeatures(name string) uint32 {
	speed := 10000
	if b, err := os.ReadFile("/sys/class/net/" + name + "/speed"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && n > 0 {
			speed = n
		}
	}
	switch {
	case speed >= 10000:
		return Feature10GFull | FeatureCopper
	case speed >= 1000:
		return Feature1GFull | FeatureCopper
	case speed >= 100:
		return Feature100MFull | FeatureCopper
	}
	return Feature10MFull | FeatureCopper
}

// hasDefaultRoute looks for the interface in the kernel's IPv4 and IPv6 tables.
func hasDefaultRoute(name string) bool {
	v4, _ := os.ReadFile("/proc/thread-self/net/route")
	lines := bufio.NewScanner(bytes.NewReader(v4))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) > 7 && f[0] == name && f[1] == "00000000" && f[7] == "00000000" {
			return true
		}
	}
	v6, _ := os.ReadFile("/proc/thread-self/net/ipv6_route")
	lines = bufio.NewScanner(bytes.NewReader(v6))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) > 9 && f[9] == name && f[1] == "00" && strings.Trim(f[0], "0") == "" {
			return true
		}
	}
	return false
}

// errClosed tells the end we wanted from the others; the runtime's own error for
// it is not exported.
func errClosed(err error, closed *atomic.Bool) error {
	if closed.Load() {
		return ErrClosed
	}
	return err
}
