package ofctl

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/govisor/govisor/ofwire/of10"
)

func encode(t testing.TB, ms ...of10.Message) []byte {
	t.Helper()
	var b []byte
	var err error
	for i, m := range ms {
		m.SetTransactionID(uint32(i + 1))
		if b, err = m.AppendBinary(b); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// capture puts a stream of bytes into TCP segments of a few bytes, out of order.
func capture(t *testing.T, stream []byte, port uint16) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriter(&out)
	if err := w.WriteFileHeader(65536, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	segment := func(seq uint32, syn bool, data []byte) {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
		tcp := &layers.TCP{SrcPort: 40000, DstPort: layers.TCPPort(port), Seq: seq, SYN: syn, ACK: !syn, Window: 1000}
		_ = tcp.SetNetworkLayerForChecksum(ip)
		buf := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
			&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}, ip, tcp, gopacket.Payload(data)); err != nil {
			t.Fatal(err)
		}
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(0, 0), CaptureLength: len(buf.Bytes()), Length: len(buf.Bytes())}
		if err := w.WritePacket(ci, buf.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	segment(99, true, nil)
	const size = 7
	var parts [][2]int
	for at := 0; at < len(stream); at += size {
		parts = append(parts, [2]int{at, min(at+size, len(stream))})
	}
	for i := 0; i+1 < len(parts); i += 2 {
		parts[i], parts[i+1] = parts[i+1], parts[i]
	}
	for _, p := range parts {
		segment(100+uint32(p[0]), false, stream[p[0]:p[1]])
	}
	return out.Bytes()
}

func TestDecodePcap(t *testing.T) {
	stream := encode(t, &of10.BarrierRequest{}, &of10.EchoRequest{Data: make([]byte, 40)}, &of10.BarrierReply{})
	for _, tt := range []struct {
		port uint16
		only []uint16
		want int
	}{{6633, nil, 3}, {6653, nil, 3}, {7777, nil, 0}, {7777, []uint16{7777}, 3}} {
		var out strings.Builder
		if err := DecodePcap(&out, bytes.NewReader(capture(t, stream, tt.port)), tt.only); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(out.String(), "10.0.0.1:40000 -> 10.0.0.2:"); got != tt.want {
			t.Errorf("port %d of %v: %d messages, want %d\n%s", tt.port, tt.only, got, tt.want, out.String())
		}
		if tt.want > 0 && (!strings.Contains(out.String(), "OFPT_BARRIER_REPLY (xid=0x3):") || !strings.Contains(out.String(), "40 bytes of payload")) {
			t.Errorf("got %s", out.String())
		}
	}
	if err := DecodePcap(&strings.Builder{}, strings.NewReader("nonsense"), nil); err == nil {
		t.Error("nonsense accepted")
	}
}

func TestDecodeBad(t *testing.T) {
	for _, tt := range []struct{ hex, want string }{
		{"010000", "OpenFlow packet too short (only 3 bytes)"},
		{"0112 0004 00000001", "length field says 4 of 8 bytes"},
		{"0112 0020 00000001", "length field says 32 of 8 bytes"},
		{"0112 000a 00000001 0000", "***decode error"},
		{"0412 0008 00000001", "***decode error"},
	} {
		var out strings.Builder
		if err := DecodeHex(&out, tt.hex); err != nil || !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: %v %q, want %q", tt.hex, err, out.String(), tt.want)
		}
	}
	if err := DecodeHex(&strings.Builder{}, "01xx"); err == nil {
		t.Error("accepted what is not hexadecimal")
	}
	var out strings.Builder
	if err := DecodeStream(&out, bytes.NewReader(encode(t, &of10.BarrierRequest{}, &of10.Hello{}))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("OFPT_BARRIER_REQUEST (xid=0x1):\n", out.String()[:strings.Index(out.String(), "\n")+1]); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodePcap(f *testing.F) {
	f.Add([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<16 {
			_ = DecodePcap(&strings.Builder{}, bytes.NewReader(b), nil)
			_ = DecodeStream(&strings.Builder{}, bytes.NewReader(b))
		}
	})
}
