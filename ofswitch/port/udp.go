package port

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// vxlanPort is the port VXLAN (RFC 7348) is assigned.
const vxlanPort = 4789

const vxlanHeader = 8

// Tunnel carries frames in UDP datagrams with VXLAN framing, so that Open
// vSwitch or a Linux vxlan device can be the other end.
type Tunnel struct {
	name   string
	conn   *net.UDPConn
	remote netip.AddrPort
	vni    uint32
	buf    []byte
}

var _ Port = (*Tunnel)(nil)

// OpenTunnel parses "remote[:port][,local=addr:port][,vni=N]" and binds. Without
// local the tunnel listens on the remote's port, as VXLAN peers expect.
func OpenTunnel(spec string) (*Tunnel, error) {
	t := &Tunnel{name: "udp:" + spec, buf: make([]byte, 65535)}
	fail := func(err error) (*Tunnel, error) { return nil, fmt.Errorf("port udp:%s: %w", spec, err) }
	parts := strings.Split(spec, ",")
	remote, err := addrPort(parts[0])
	if err != nil {
		return fail(err)
	}
	t.remote = remote
	local := netip.AddrPortFrom(netip.IPv4Unspecified(), remote.Port())
	if remote.Addr().Is6() {
		local = netip.AddrPortFrom(netip.IPv6Unspecified(), remote.Port())
	}
	for _, p := range parts[1:] {
		k, v, _ := strings.Cut(p, "=")
		switch k {
		case "local":
			if local, err = addrPort(v); err != nil {
				return fail(err)
			}
		case "vni":
			n, err := strconv.ParseUint(v, 0, 24)
			if err != nil {
				return fail(fmt.Errorf("vni %q: not a number below 2^24", v))
			}
			t.vni = uint32(n)
		default:
			return fail(fmt.Errorf("unknown option %q (local, vni)", k))
		}
	}
	if t.conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(local)); err != nil {
		return fail(err)
	}
	_ = t.conn.SetReadBuffer(4 << 20)
	return t, nil
}

func addrPort(s string) (netip.AddrPort, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap, nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, vxlanPort), nil
	}
	ua, err := net.ResolveUDPAddr("udp", s)
	if err != nil || ua.IP == nil || ua.Port == 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", s)
	}
	ap := ua.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// LocalAddr is where the tunnel receives.
func (t *Tunnel) LocalAddr() netip.AddrPort {
	return t.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Read implements Port. Datagrams of others, and of other VNIs, are ignored.
func (t *Tunnel) Read(batch []Frame) (int, error) {
	for {
		n, from, err := t.conn.ReadFromUDPAddrPort(t.buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				err = ErrClosed
			}
			return 0, fmt.Errorf("port %s: %w", t.name, err)
		}
		if n < vxlanHeader || from.Addr().Unmap() != t.remote.Addr().Unmap() {
			continue
		}
		const validVNI = 0x08
		if t.buf[0]&validVNI == 0 || binary.BigEndian.Uint32(t.buf[4:])>>8 != t.vni {
			continue
		}
		batch[0] = Frame{Data: t.buf[vxlanHeader:n]}
		return 1, nil
	}
}

// Write implements Port.
func (t *Tunnel) Write(batch []Frame) (int, error) {
	taken := 0
	buf := make([]byte, vxlanHeader, 2048)
	buf[0] = 0x08
	binary.BigEndian.PutUint32(buf[4:], t.vni<<8)
	for i := range batch {
		var werr error
		ok := batch[i].Plain(func(b []byte) {
			buf = append(buf[:vxlanHeader], b...)
			if _, err := t.conn.WriteToUDPAddrPort(buf, t.remote); err != nil {
				werr = err
			}
		})
		if errors.Is(werr, net.ErrClosed) {
			return taken, fmt.Errorf("port %s: %w", t.name, ErrClosed)
		}
		if ok && werr == nil {
			taken++
		}
	}
	return taken, nil
}

// Info implements Port.
func (t *Tunnel) Info() Info {
	return Info{Name: fmt.Sprintf("udp%d", t.vni), HWAddr: nameMAC(t.name, 0x0d), Curr: Feature10GFull}
}

// Close implements Port.
func (t *Tunnel) Close() error { return t.conn.Close() }
