package of10

import (
	"testing"
)

func usedPacketIn() Message {
	return &PacketIn{XID: 99, BufferID: 99, TotalLen: 99, InPort: 99, Reason: 99, Data: []byte("something else")}
}

func TestPacketInWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPacketIn,
		wireCase{"buffered arp request", &PacketIn{XID: 0, BufferID: 0x0000010a, TotalLen: 60, InPort: 2, Reason: ReasonNoMatch, Data: []byte{
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6,
			0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2}}, `
01                 # version 1.0
0a                 # type PACKET_IN
00 3c              # length 60
00 00 00 00        # xid
00 00 01 0a        # buffer_id
00 3c              # total_len 60
00 02              # in_port 2
00                 # reason NO_MATCH
00                 # pad
ff ff ff ff ff ff  # data: dl_dst
02 00 00 00 00 01  # data: dl_src
08 06              # data: dl_type ARP
00 01              # data: hardware Ethernet
08 00              # data: protocol IPv4
06                 # data: hardware address length
04                 # data: protocol address length
00 01              # data: opcode request
02 00 00 00 00 01  # data: sender hardware address
0a 00 00 01        # data: sender protocol address
00 00 00 00 00 00  # data: target hardware address
0a 00 00 02        # data: target protocol address
`, "OFPT_PACKET_IN (xid=0x0): total_len=60 in_port=2 (via no_match) data_len=42 buffer=0x0000010a\n" +
			"arp,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,arp_op=1," +
			"arp_sha=02:00:00:00:00:01,arp_tha=00:00:00:00:00:00"},
		wireCase{"unbuffered udp in a tag", &PacketIn{XID: 7, BufferID: NoBuffer, TotalLen: 46, InPort: PortLocal, Reason: ReasonAction, Data: []byte{
			2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0x60, 0x0c, 8, 0,
			0x45, 0xb9, 0, 0x1c, 0, 0, 0, 0, 0x40, 0x11, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
			0, 0x35, 0x1f, 0x90, 0, 8, 0x12, 0x34}}, `
01                 # version 1.0
0a                 # type PACKET_IN
00 40              # length 64
00 00 00 07        # xid
ff ff ff ff        # buffer_id none
00 2e              # total_len 46
ff fe              # in_port LOCAL
01                 # reason ACTION
00                 # pad
02 00 00 00 00 02  # data: dl_dst
02 00 00 00 00 01  # data: dl_src
81 00              # data: 802.1Q
60 0c              # data: pcp 3, vid 12
08 00              # data: dl_type IPv4
45                 # data: version 4, 5 words
b9                 # data: tos: DSCP 46, ECN 1
00 1c              # data: total length 28
00 00              # data: identification
00 00              # data: no fragment
40                 # data: ttl 64
11                 # data: protocol UDP
00 00              # data: checksum
0a 00 00 01        # data: nw_src
0a 00 00 02        # data: nw_dst
00 35              # data: tp_src 53
1f 90              # data: tp_dst 8080
00 08              # data: length 8
12 34              # data: checksum
`, "OFPT_PACKET_IN (xid=0x7): total_len=46 in_port=LOCAL (via action) data_len=46 (unbuffered)\n" +
			"udp,dl_vlan=12,dl_vlan_pcp=3,vlan_tci1=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02," +
			"nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=184,nw_ecn=1,nw_ttl=64,nw_frag=no,tp_src=53,tp_dst=8080 udp_csum:1234"},
		wireCase{"no data", &PacketIn{XID: 0xffffffff, BufferID: 1, TotalLen: 0xffff, InPort: 0xff00}, `
01                 # version 1.0
0a                 # type PACKET_IN
00 12              # length 18
ff ff ff ff        # xid
00 00 00 01        # buffer_id
ff ff              # total_len
ff 00              # in_port 65280, the highest
00                 # reason NO_MATCH
00                 # pad
`, "OFPT_PACKET_IN (xid=0xffffffff): total_len=65535 in_port=65280 (via no_match) data_len=0 buffer=0x00000001"},
	)
}

func TestPacketInFields(t *testing.T) {
	t.Parallel()
	checkFields(t, &PacketIn{}, []gap{{17, 1}},
		wireField[*PacketIn]{"buffer_id", 8, 4, func(m *PacketIn, v uint64) { m.BufferID = uint32(v) }},
		wireField[*PacketIn]{"total_len", 12, 2, func(m *PacketIn, v uint64) { m.TotalLen = uint16(v) }},
		wireField[*PacketIn]{"in_port", 14, 2, func(m *PacketIn, v uint64) { m.InPort = Port(v) }},
		wireField[*PacketIn]{"reason", 16, 1, func(m *PacketIn, v uint64) { m.Reason = PacketInReason(v) }},
	)
}

func TestPacketInBad(t *testing.T) {
	t.Parallel()
	checkBad(t,
		badCase{"header only", "01 0a 00 08 00 00 00 09", ErrorBadRequest, BadRequestBadLen},
		badCase{"no reason", "01 0a 00 10 00 00 00 09  ff ff ff ff 00 3c 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"no pad", "01 0a 00 11 00 00 00 09  ff ff ff ff 00 3c 00 01 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"version 4", "04 0a 00 12 00 00 00 09  ff ff ff ff 00 3c 00 01 00 00", ErrorBadRequest, BadRequestBadVersion},
	)
}

// TestPacketInDataSizes: data of every small size and of the largest, which Truncate cuts
// down to every smaller one.
func TestPacketInDataSizes(t *testing.T) {
	t.Parallel()
	data := newGen(21).bytes(0xffff - packetInLen)
	for _, n := range []int{0, 1, 2, 59, 60, 127, 128, 1500, len(data)} {
		b := encode(t, &PacketIn{XID: 1, BufferID: 2, TotalLen: uint16(n), Data: data[:n]})
		var m PacketIn
		if err := m.UnmarshalBinary(b); err != nil || string(m.Data) != string(data[:n]) {
			t.Errorf("%d bytes: %d came back, %v", n, len(m.Data), err)
		}
		for _, cut := range []int{0, 1, n / 2, n - 1, n, n + 1} {
			short := TruncatePacketIn(encode(t, &m), cut)
			var got PacketIn
			if err := got.UnmarshalBinary(short); err != nil {
				t.Errorf("%d cut to %d: %v", n, cut, err)
				continue
			}
			want := min(cut, n)
			if cut < 0 {
				want = n
			}
			if string(got.Data) != string(data[:want]) || got.TotalLen != uint16(n) {
				t.Errorf("%d cut to %d: %d bytes of %d", n, cut, len(got.Data), got.TotalLen)
			}
		}
	}
	if _, err := (&PacketIn{Data: append(data, 0)}).AppendBinary(nil); err == nil {
		t.Error("a message of 65536 bytes encodes")
	}
}

func TestPacketInReasonText(t *testing.T) {
	t.Parallel()
	for r, want := range map[PacketInReason]string{ReasonNoMatch: "no_match", ReasonAction: "action", 2: "2", 255: "255"} {
		if r.String() != want {
			t.Errorf("%d: %q, want %q", uint8(r), r, want)
		}
	}
}
