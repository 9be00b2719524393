package host

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire"
)

func address(n byte, vlan uint16) Address {
	return Address{MAC: ofwire.MAC{2, 0, 0, 0, 0, n}, IP: netip.AddrFrom4([4]byte{10, 0, 0, n}), VLAN: vlan}
}

func TestPing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name         string
		vlanA, vlanB uint16
		dst          byte
		wantErr      error
	}{
		{"untagged", 0, 0, 2, nil},
		{"tagged", 7, 7, 2, nil},
		{"other tag", 7, 8, 2, ErrNoAnswer},
		{"nobody there", 0, 0, 9, ErrNoAnswer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				la, lb := port.Pipe("a", "b")
				a, b := New("a", address(1, tt.vlanA), la), New("b", address(2, tt.vlanB), lb)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 2)
				go func() { done <- a.Run(ctx) }()
				go func() { done <- b.Run(ctx) }()
				for range 2 { // the second time without ARP
					limit, stop := context.WithTimeout(ctx, 3*time.Second)
					_, err := a.Ping(limit, address(tt.dst, 0).IP)
					stop()
					if !errors.Is(err, tt.wantErr) {
						t.Errorf("Ping: %v, want %v", err, tt.wantErr)
					}
				}
				cancel()
				for range 2 {
					if err := <-done; !errors.Is(err, context.Canceled) {
						t.Errorf("Run: %v", err)
					}
				}
			})
		})
	}
}

// TestFramesAreReal holds our frames to gopacket's idea of them.
func TestFramesAreReal(t *testing.T) {
	t.Parallel()
	for _, vlan := range []uint16{0, 42} {
		from, to := address(1, vlan), address(2, 0)
		arp := gopacket.NewPacket(appendARP(nil, from, Address{MAC: ofwire.Broadcast, IP: to.IP}, arpRequest), layers.LayerTypeEthernet, gopacket.Default)
		a, _ := arp.Layer(layers.LayerTypeARP).(*layers.ARP)
		if a == nil || a.Operation != layers.ARPRequest || netip.AddrFrom4([4]byte(a.DstProtAddress)) != to.IP || ofwire.MAC(a.SourceHwAddress) != from.MAC {
			t.Errorf("vlan %d: ARP %v", vlan, arp)
		}
		frame := appendEcho(nil, from, to, echoRequest, 7, []byte("odd"))
		echo := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
		if echo.ErrorLayer() != nil {
			t.Fatalf("vlan %d: %v", vlan, echo.ErrorLayer().Error())
		}
		ip, _ := echo.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		icmp, _ := echo.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		if ip == nil || icmp == nil || icmp.Seq != 7 || string(icmp.Payload) != "odd" || icmp.TypeCode != layers.CreateICMPv4TypeCode(8, 0) {
			t.Errorf("vlan %d: echo %v", vlan, echo)
		}
		// gopacket makes the same bytes with its own checksums.
		buf := gopacket.NewSerializeBuffer()
		ip.Checksum, icmp.Checksum = 0, 0
		err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{ComputeChecksums: true, FixLengths: true}, ip, icmp, gopacket.Payload("odd"))
		if err != nil || string(buf.Bytes()) != string(frame[len(frame)-len(buf.Bytes()):]) {
			t.Errorf("vlan %d: % x is made by gopacket (%v), % x by us", vlan, buf.Bytes(), err, frame)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	echo := appendEcho(nil, address(1, 3), address(2, 0), echoReply, 7, []byte("text"))
	if _, ok := read(echo); !ok {
		t.Fatal("a good echo is not read")
	}
	for n := range echo {
		if _, ok := read(echo[:n]); ok {
			t.Errorf("the first %d bytes are read", n)
		}
	}
	for at := 18; at < len(echo); at++ { // behind addresses, tag and ethertype
		bad := append([]byte(nil), echo...)
		bad[at] ^= 0x10
		if _, ok := read(bad); ok {
			t.Errorf("read with byte %d changed", at)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(appendEcho(nil, address(1, 3), address(2, 0), echoReply, 7, []byte("text")))
	f.Add(appendARP(nil, address(1, 0), address(2, 0), arpReply))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := read(b)
		if ok && (r.kind == 0 || !r.srcIP.Is4() || !r.dstIP.Is4()) {
			t.Errorf("read % x as %+v", b, r)
		}
	})
}
