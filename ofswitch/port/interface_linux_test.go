package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inNamespace runs the test in a network namespace of its own, which goes away
// with the thread.
func inNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread is not reused
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		if os.Getenv("GOVISOR_E2E") == "required" {
			t.Fatalf("needs root: %v", err)
		}
		t.Skipf("needs root: %v", err)
	}
}

// sh runs commands in the test's namespace.
func sh(t *testing.T, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if out, err := exec.Command("sh", "-c", l).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", l, err, out)
		}
	}
}

const noIPv6 = "echo 1 > /proc/self/net/../../sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || true"

func veth(t *testing.T) (*Packet, *Packet) {
	t.Helper()
	inNamespace(t)
	sh(t, noIPv6, "ip link add va type veth peer name vb", "ip link set va up", "ip link set vb up")
	awaitRunning(t, "va", "vb")
	open := func(name string) *Packet {
		p, err := OpenPacket(name, false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return p
	}
	return open("va"), open("vb")
}

// awaitRunning waits until the kernel has attached queues to interfaces that just
// came up; what is sent before is lost without a word.
func awaitRunning(t *testing.T, names ...string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for _, name := range names {
		for {
			link, err := netlink.LinkByName(name)
			if err != nil {
				t.Fatal(err)
			}
			if link.Attrs().RawFlags&unix.IFF_RUNNING != 0 && link.Attrs().OperState != netlink.OperDown {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not come up", name)
			}
			runtime.Gosched()
		}
	}
}

// readOwn reads until n frames of ethertype 0x88b5 (or what want is) have come;
// others are the kernel's.
func readOwn(t *testing.T, p Port, n int, own func([]byte) bool) []Frame {
	t.Helper()
	type result struct {
		list []Frame
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		batch := make([]Frame, 8)
		for len(r.list) < n && r.err == nil {
			var got int
			got, r.err = p.Read(batch)
			for _, f := range batch[:got] {
				if own(f.Data) {
					r.list = append(r.list, Frame{append([]byte(nil), f.Data...), f.Offload})
				}
			}
		}
		done <- r
	}()
	select {
	case r := <-done:
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.list
	case <-time.After(time.Minute):
		p.Close()
		t.Fatal("frames do not arrive")
	}
	return nil
}

func marked(b []byte) bool { return bytes.Contains(b, []byte("govisor")) }

// test frames of every size the kernel has something to say about.
func testFrame(size int) []byte {
	b := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, "govisor"...)
	return append(b, make([]byte, max(0, size-len(b)))...)
}

func TestPacketFrames(t *testing.T) {
	a, b := veth(t)
	tagged := testFrame(100)
	tagged = append(append(append([]byte(nil), tagged[:12]...), 0x81, 0, 0xa0, 0x0c), tagged[12:]...)
	double := append(append(append([]byte(nil), tagged[:12]...), 0x81, 0, 0, 5), tagged[12:]...)
	full := testFrame(1514)
	fullTagged := append(append(append([]byte(nil), full[:12]...), 0x81, 0, 0, 9), full[12:]...)
	for name, f := range map[string][]byte{
		"21 bytes": testFrame(0), "60 bytes": testFrame(60), "1514 bytes": full,
		"tagged": tagged, "double tagged": double, "MTU and a tag": fullTagged,
	} {
		mustWrite(t, a, f)
		got := readOwn(t, b, 1, marked)
		if !bytes.Equal(f, got[0].Data) {
			t.Errorf("%s:\ngot  %x\nwant %x", name, got[0].Data, f)
		}
	}
	// Over the MTU the frame is refused, and the next one passes.
	n, err := a.Write(frames(testFrame(3000), testFrame(61)))
	if n != 1 || err != nil {
		t.Errorf("took %d of 2 (%v), want the short one only", n, err)
	}
	if got := readOwn(t, b, 1, marked); len(got[0].Data) != 61 {
		t.Errorf("got %d bytes", len(got[0].Data))
	}
	// A runt of less than a header is refused without harm.
	if n, err := a.Write(frames([]byte{1, 2, 3})); n != 0 || err != nil {
		t.Errorf("runt: %d, %v", n, err)
	}
	// Own transmissions are not seen: what a reads next is b's frame.
	mustWrite(t, a, testFrame(62))
	mustWrite(t, b, testFrame(63))
	if got := readOwn(t, a, 1, marked); len(got[0].Data) != 63 {
		t.Errorf("a hears itself: %d bytes", len(got[0].Data))
	}
}

// TestPacketOffload sends TCP from the kernel through a pair of ports, as a
// switch would pass it on: giants and partial checksums included.
func TestPacketOffload(t *testing.T) {
	inNamespace(t)
	sh(t, "ip link add va type veth peer name sa", "ip link add vb type veth peer name sb",
		"ip link set sa up", "ip link set sb up", "ip link set lo up",
		fmt.Sprintf("ip netns add gvport%d", os.Getpid()))
	ns := fmt.Sprintf("gvport%d", os.Getpid())
	t.Cleanup(func() { sh(t, "ip netns del "+ns) })
	sh(t, "ip link set vb netns "+ns, "ip addr add 10.77.0.1/24 dev va", "ip link set va up",
		"ip -n "+ns+" addr add 10.77.0.2/24 dev vb", "ip -n "+ns+" link set vb up")
	var ports [2]*Packet
	for i, name := range []string{"sa", "sb"} {
		p, err := OpenPacket(name, false)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		ports[i] = p
	}
	longest := make(chan int, 2)
	relay := func(from, to *Packet) {
		batch := make([]Frame, 32)
		most := 0
		for {
			n, err := from.Read(batch)
			if err != nil {
				longest <- most
				return
			}
			for _, f := range batch[:n] {
				most = max(most, len(f.Data))
			}
			_, _ = to.Write(batch[:n])
		}
	}
	go relay(ports[0], ports[1])
	go relay(ports[1], ports[0])
	ln := listenIn(t, ns, "10.77.0.2:5555")
	defer ln.Close()
	const size = 8 << 20
	got := make(chan int, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			got <- -1
			return
		}
		defer c.Close()
		buf := make([]byte, 1<<16)
		n := 0
		for {
			k, err := c.Read(buf)
			n += k
			if err != nil {
				got <- n
				return
			}
		}
	}()
	c := dialHere(t, "10.77.0.2:5555")
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	select {
	case n := <-got:
		if n != size {
			t.Errorf("%d bytes arrived, want %d", n, size)
		}
	case <-time.After(time.Minute):
		t.Fatal("the transfer does not end")
	}
	ports[0].Close()
	ports[1].Close()
	if most := max(<-longest, <-longest); most <= 1514 {
		t.Errorf("longest frame %d: the test saw no segmentation offload", most)
	}
}

// dialHere connects from this thread's namespace, with a socket made by hand so
// that no other thread makes it.
func dialHere(t *testing.T, addr string) net.Conn {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "tcp")
	defer f.Close()
	ap := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: ap.Port, Addr: [4]byte(ap.IP.To4())}); err != nil {
		t.Fatal(err)
	}
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inside runs do in another namespace and comes back.
func inside(t *testing.T, ns string, do func()) {
	t.Helper()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	there, err := os.Open("/run/netns/" + ns)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); err != nil {
			t.Fatal(err)
		}
	}()
	do()
}

func listenIn(t *testing.T, ns, addr string) (ln net.Listener) {
	t.Helper()
	inside(t, ns, func() { ln = listenHere(t, addr) })
	return ln
}

func listenHere(t *testing.T, addr string) net.Listener {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "tcp")
	defer f.Close()
	ap := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: ap.Port, Addr: [4]byte(ap.IP.To4())}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 8); err != nil {
		t.Fatal(err)
	}
	ln, err := net.FileListener(f)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// TestPacketState: link changes are reported, and the interface is promiscuous
// exactly as long as the port is open.
func TestPacketState(t *testing.T) {
	inNamespace(t)
	sh(t, "ip link add va type veth peer name vb", "ip link set va up", "ip link set vb up")
	promiscuous := func() bool {
		link, err := netlink.LinkByName("va")
		if err != nil {
			t.Fatal(err)
		}
		return link.Attrs().Promisc > 0
	}
	a, err := OpenPacket("va", false)
	if err != nil {
		t.Fatal(err)
	}
	link := func(down bool) { // the kernel tells a moment later
		t.Helper()
		for end := time.Now().Add(time.Minute); a.Info().LinkDown != down; runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("the link is not reported as down=%v", down)
			}
		}
	}
	link(false)
	if i := a.Info(); i.Name != "va" || i.IfIndex == 0 || i.HWAddr == [6]byte{} {
		t.Errorf("%+v", i)
	}
	if !promiscuous() {
		t.Error("not promiscuous")
	}
	sh(t, "ip link set vb down")
	link(true)
	sh(t, "ip link set vb up")
	wantClosed(t, a)
	if promiscuous() {
		t.Error("still promiscuous after Close")
	}
}

// TestPacketWatch watches from the namespace's own thread, as a switch in its
// namespace does.
func TestPacketWatch(t *testing.T) {
	inNamespace(t)
	sh(t, "ip link add va type veth peer name vb", "ip link set va up", "ip link set vb up")
	awaitRunning(t, "va", "vb")
	a, err := OpenPacket("va", false)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var seen []bool
	err = a.Watch(ctx, func(i Info) {
		if len(seen) == 0 || seen[len(seen)-1] != i.LinkDown {
			seen = append(seen, i.LinkDown)
		}
		switch len(seen) {
		case 1:
			go exec.Command("nsenter", fmt.Sprintf("--net=/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid()), "ip", "link", "set", "vb", "down").Run()
		case 2:
			go exec.Command("nsenter", fmt.Sprintf("--net=/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid()), "ip", "link", "set", "vb", "up").Run()
		case 3:
			cancel()
		}
	})
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]bool{false, true, false}, seen); diff != "" {
		t.Errorf("link down (-want +got):\n%s", diff)
	}
}

func TestPacketDefaultRoute(t *testing.T) {
	inNamespace(t)
	sh(t, "ip link add va type veth peer name vb", "ip link set va up", "ip link set vb up",
		"ip addr add 10.77.0.1/24 dev va", "ip route add default via 10.77.0.2")
	if p, err := OpenPacket("va", false); !errors.Is(err, ErrDefaultRoute) {
		if err == nil {
			p.Close()
		}
		t.Errorf("got %v, want ErrDefaultRoute", err)
	}
	p, err := OpenPacket("va", true)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	p, err = OpenPacket("vb", false)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
}

func TestTAP(t *testing.T) {
	inNamespace(t)
	sh(t, noIPv6)
	tap, err := OpenTAP("gvtap0")
	if err != nil {
		t.Fatal(err)
	}
	if i := tap.Info(); i.LinkDown || i.Name != "gvtap0" {
		t.Errorf("%+v", i)
	}
	host, err := OpenPacket("gvtap0", false) // the host's side of the device
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	wantCarried(t, host, tap, 60, 1514)
	wantClosed(t, tap)
	if _, err := OpenTAP("a-name-that-is-too-long"); err == nil {
		t.Error("a long name was accepted")
	}
	for end := time.Now().Add(time.Minute); ; { // the device goes with its file
		if out, _ := exec.Command("ip", "link", "show", "gvtap0").CombinedOutput(); strings.Contains(string(out), "does not exist") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the device is still there")
		}
		runtime.Gosched()
	}
}

// wantCarried sends frames of these sizes both ways.
func wantCarried(t *testing.T, host, port Port, sizes ...int) {
	t.Helper()
	for _, size := range sizes {
		mustWrite(t, host, testFrame(size))
		if got := readOwn(t, port, 1, marked); !bytes.Equal(got[0].Data, testFrame(size)) {
			t.Errorf("to the switch: %d bytes became %d", size, len(got[0].Data))
		}
		mustWrite(t, port, testFrame(size))
		if got := readOwn(t, host, 1, marked); !bytes.Equal(got[0].Data, testFrame(size)) {
			t.Errorf("from the switch: %d bytes became %d", size, len(got[0].Data))
		}
	}
}

// TestTunnelPeer: the kernel's own VXLAN device is the other end.
func TestTunnelPeer(t *testing.T) {
	inNamespace(t)
	ns := fmt.Sprintf("gvvx%d", os.Getpid())
	sh(t, "ip netns add "+ns, "ip link add ua type veth peer name ub netns "+ns,
		"ip addr add 10.78.0.1/24 dev ua", "ip link set ua up",
		"ip -n "+ns+" addr add 10.78.0.2/24 dev ub", "ip -n "+ns+" link set ub up",
		"ip -n "+ns+" link add vx type vxlan id 77 remote 10.78.0.1 local 10.78.0.2 dstport 4789 dev ub",
		"ip -n "+ns+" link set vx up")
	t.Cleanup(func() { sh(t, "ip netns del "+ns) })
	tunnel, err := OpenTunnel("10.78.0.2,vni=77")
	if err != nil {
		t.Fatal(err)
	}
	defer tunnel.Close()
	awaitRunning(t, "ua")
	var host *Packet
	inside(t, ns, func() {
		awaitRunning(t, "ub")
		host, err = OpenPacket("vx", false)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	wantCarried(t, host, tunnel, 60, 1400)
}

// TestPacketAllocates: a batch through the kernel and back makes no garbage.
func TestPacketAllocates(t *testing.T) {
	a, b := veth(t)
	out, in := frames(testFrame(60), testFrame(61)), make([]Frame, 8)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := a.Write(out); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < 2; {
			n, err := b.Read(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range in[:n] {
				if bytes.Contains(f.Data, out[0].Data[14:21]) {
					got++
				}
			}
		}
	}); n >= 1 {
		t.Errorf("%.2f allocations a batch", n)
	}
}
