package port

import (
	"bytes"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func serialize(t testing.TB, l ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, l...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func ethernet(typ layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: typ}
}

func tcpGiant(t testing.TB, v6 bool, payload []byte, tagged bool) []byte {
	tcp := &layers.TCP{SrcPort: 1000, DstPort: 80, Seq: 4_294_967_000, ACK: true, PSH: true, FIN: true, Window: 500}
	var ip gopacket.SerializableLayer
	var typ layers.EthernetType
	if v6 {
		h := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolTCP, HopLimit: 64, SrcIP: bytes.Repeat([]byte{0xfd}, 16), DstIP: bytes.Repeat([]byte{0xfe}, 16)}
		_ = tcp.SetNetworkLayerForChecksum(h)
		ip, typ = h, layers.EthernetTypeIPv6
	} else {
		h := &layers.IPv4{Version: 4, Id: 65534, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
		_ = tcp.SetNetworkLayerForChecksum(h)
		ip, typ = h, layers.EthernetTypeIPv4
	}
	if tagged {
		return serialize(t, ethernet(layers.EthernetTypeDot1Q), &layers.Dot1Q{VLANIdentifier: 7, Type: typ}, ip, tcp, gopacket.Payload(payload))
	}
	return serialize(t, ethernet(typ), ip, tcp, gopacket.Payload(payload))
}

// valid recomputes every checksum of a frame with gopacket.
func valid(t *testing.T, frame []byte) (payload []byte, tcp *layers.TCP) {
	t.Helper()
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	if e := p.ErrorLayer(); e != nil {
		t.Fatalf("%v in %x", e.Error(), frame)
	}
	var rest []gopacket.SerializableLayer
	for _, l := range p.Layers() {
		switch l := l.(type) {
		case *layers.TCP:
			tcp = l
			_ = l.SetNetworkLayerForChecksum(p.NetworkLayer())
			rest = append(rest, l)
		case *layers.UDP:
			_ = l.SetNetworkLayerForChecksum(p.NetworkLayer())
			rest = append(rest, l)
		case gopacket.Payload:
			rest = append(rest, l)
		case *gopacket.Payload:
			rest = append(rest, *l)
		case gopacket.SerializableLayer:
			rest = append(rest, l)
		}
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, rest...); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(buf.Bytes(), frame) {
		t.Fatalf("lengths or checksums are wrong\ngot  %x\nwant %x", frame, buf.Bytes())
	}
	if a := p.ApplicationLayer(); a != nil {
		payload = a.Payload()
	}
	return payload, tcp
}

func TestSegment(t *testing.T) {
	payload := make([]byte, 4000)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	for _, tt := range []struct {
		name       string
		v6, tagged bool
	}{{"v4", false, false}, {"v4 tagged", false, true}, {"v6", true, false}, {"v6 tagged", true, true}} {
		t.Run(tt.name, func(t *testing.T) {
			frame := tcpGiant(t, tt.v6, payload, tt.tagged)
			l4 := len(frame) - len(payload) - 20
			o := Offload{Flags: flagNeedsCsum, GSOType: gsoTCPv4, GSOSize: 1400, HdrLen: uint16(l4 + 20), CsumStart: uint16(l4), CsumOffset: 16}
			if tt.v6 {
				o.GSOType = gsoTCPv6
			}
			frame[l4+16], frame[l4+17] = 0xde, 0xad // unfinished
			f := Frame{Data: frame, Offload: o}
			var got []byte
			n := 0
			if !f.Plain(func(b []byte) {
				part, tcp := valid(t, append([]byte(nil), b...))
				if want := uint32(4_294_967_000 + uint64(len(got))); tcp.Seq != want {
					t.Errorf("segment %d: seq %d, want %d", n, tcp.Seq, want)
				}
				got = append(got, part...)
				if last := len(got) == len(payload); tcp.FIN != last || tcp.PSH != last {
					t.Errorf("segment %d: FIN %v PSH %v", n, tcp.FIN, tcp.PSH)
				}
				n++
			}) {
				t.Fatal("not segmented")
			}
			if n != 3 || !bytes.Equal(got, payload) {
				t.Errorf("%d segments with %d bytes, want 3 with %d", n, len(got), len(payload))
			}
		})
	}
}

func TestFinish(t *testing.T) {
	for _, odd := range []int{100, 101, 0, 1} {
		want := tcpGiant(t, false, make([]byte, odd), false)
		got := append([]byte(nil), want...)
		o := Offload{Flags: flagNeedsCsum, CsumStart: 34, CsumOffset: 16}
		o.Reseed(got)
		if bytes.Equal(want, got) {
			t.Fatal("the seed equals the checksum")
		}
		f := Frame{Data: got, Offload: o}
		f.Plain(func(b []byte) {
			if !bytes.Equal(want, b) {
				t.Errorf("payload of %d: got %x want %x", odd, b[50:52], want[50:52])
			}
		})
		if f.Offload != o {
			t.Error("Plain changed the frame")
		}
	}
}

func TestShift(t *testing.T) {
	o := Offload{Flags: flagNeedsCsum, GSOType: gsoTCPv4, HdrLen: 54, CsumStart: 34, CsumOffset: 16}
	o.Shift(4)
	if o.CsumStart != 38 || o.HdrLen != 58 || o.CsumOffset != 16 {
		t.Errorf("%+v", o)
	}
	var none Offload
	none.Shift(4)
	if none != (Offload{}) {
		t.Errorf("%+v", none)
	}
}

// FuzzPlain: offload headers come from the kernel, but frames from anywhere; no
// combination panics, and segments are never longer than asked.
func FuzzPlain(f *testing.F) {
	f.Add(tcpGiant(f, false, make([]byte, 3000), false), uint8(1), uint16(1000), uint16(34))
	f.Add(tcpGiant(f, true, make([]byte, 3000), true), uint8(4), uint16(1000), uint16(58))
	f.Fuzz(func(t *testing.T, b []byte, gso uint8, size, start uint16) {
		if len(b) > 70000 {
			return
		}
		fr := Frame{Data: b, Offload: Offload{Flags: flagNeedsCsum, GSOType: gso, GSOSize: size, CsumStart: start, CsumOffset: 16}}
		fr.Offload.Reseed(append([]byte(nil), b...))
		n := 0
		fr.Plain(func(s []byte) {
			if n++; len(s) > len(b) {
				t.Fatalf("a segment of %d bytes out of %d", len(s), len(b))
			}
		})
		if n > len(b)+1 {
			t.Fatalf("%d segments of %d bytes", n, len(b))
		}
	})
}

func TestPartial(t *testing.T) {
	b := make([]byte, 1500)
	for i := range b {
		b[i] = byte(i*31 + 7)
	}
	for n := range len(b) {
		var want uint32
		for i := 0; i < n; i += 2 {
			w := uint32(b[i]) << 8
			if i+1 < n {
				w |= uint32(b[i+1])
			}
			want += w
		}
		if got, want := fold(partial(5, b[:n])), fold(want+5); got != want {
			t.Fatalf("%d bytes: %#x, want %#x", n, got, want)
		}
	}
}
