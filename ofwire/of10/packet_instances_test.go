package of10

import (
	"testing"
)

// Frames for packet_in and packet_out, one header a line.
const (
	// arpRequestWire is an ARP request in an untagged frame of 42 bytes.
	arpRequestWire = `
ffffffffffff 020000000001 0806  # to all, from 02:..:01, ARP
0001 0800 06 04 0001            # Ethernet and IPv4, addresses of 6 and 4 bytes, request
020000000001 0a000001           # sender 10.0.0.1
000000000000 0a000002           # target 10.0.0.2
`
	// lldpWire is the LLDP frame a controller sends to find links.
	lldpWire = `
0180c200000e 020000000101 88cc  # to the nearest bridge, LLDP
0207 04 020000000101            # chassis id, 7 bytes: MAC address
0405 07 00000001                # port id, 5 bytes: local, 1
0602 0078                       # ttl, 2 bytes: 120 s
0000                            # end
`
	// taggedEchoWire is an ICMP echo request with a VLAN tag.
	taggedEchoWire = `
020000000002 020000000001                         # Ethernet
8100 a064 0800                                    # 802.1Q, pcp 5, vid 100, then IPv4
45 00 001c 0001 0000 40 01 66dd 0a000001 0a000002 # 28 bytes, ttl 64, ICMP, 10.0.0.1 to 10.0.0.2
08 00 f7fd 0001 0001                              # echo request, id 1, sequence 1
`
	// dhcpStartWire is the first 60 bytes of a DHCP discover.
	dhcpStartWire = `
ffffffffffff 020000000003 0800                        # Ethernet, IPv4
45 10 0148 0000 0000 80 11 3996 00000000 ffffffff     # 328 bytes, ttl 128, UDP, 0.0.0.0 to all
0044 0043 0134 0000                                   # from port 68 to 67, 308 bytes
01 01 06 00 12345678 0000 8000 000000000000           # BOOTREQUEST, Ethernet, transaction, broadcast, 6 bytes of the client
`
	// synWire is a TCP SYN.
	synWire = `
020000000002 020000000001 0800                     # Ethernet, IPv4
45 00 0028 0001 4000 40 06 26cd 0a000001 0a000002  # 40 bytes, do not fragment, ttl 64, TCP, 10.0.0.1 to 10.0.0.2
a9fc 0050 00000000 00000000 50 02 7210 0000 0000   # from port 43516 to 80, 5 words, SYN
`
)

// TestPacketInsOfSwitches: what Open vSwitch (never buffered) and the reference (buffered, cut) send.
func TestPacketInsOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPacketIn,
		onWire("OVS, ARP miss", &PacketIn{BufferID: NoBuffer, TotalLen: 42, InPort: 1, Data: unannotate(t, arpRequestWire)},
			`01 0a 003c 00000000; packet_in buffer_id=ffffffff total_len=2a in_port=01`+arpRequestWire),
		onWire("reference, ARP buffered as 0x101", &PacketIn{BufferID: 0x101, TotalLen: 42, InPort: 1, Data: unannotate(t, arpRequestWire)},
			`01 0a 003c 00000000; packet_in buffer_id=0101 total_len=2a in_port=01`+arpRequestWire),
		onWire("OVS, LLDP by action", &PacketIn{BufferID: NoBuffer, TotalLen: 33, InPort: 2, Reason: 1, Data: unannotate(t, lldpWire)},
			`01 0a 0036 00000000; packet_in buffer_id=ffffffff total_len=21 in_port=02 reason=01`+lldpWire),
		onWire("reference, DHCP cut to 60 of 342", &PacketIn{BufferID: 0x1ff, TotalLen: 342, InPort: 3, Data: unannotate(t, dhcpStartWire)},
			`01 0a 004e 00000000; packet_in buffer_id=01ff total_len=0156 in_port=03`+dhcpStartWire),
		onWire("tagged echo from LOCAL", &PacketIn{BufferID: NoBuffer, TotalLen: 46, InPort: PortLocal, Reason: 1, Data: unannotate(t, taggedEchoWire)},
			`01 0a 0040 00000000; packet_in buffer_id=ffffffff total_len=2e in_port=fffe reason=01`+taggedEchoWire),
		onWire("SYN from the highest port", &PacketIn{BufferID: 0xfffffffe, TotalLen: 54, InPort: PortMax, Data: unannotate(t, synWire)},
			`01 0a 0048 00000000; packet_in buffer_id=fffffffe total_len=36 in_port=ff00`+synWire),
		onWire("buffered without bytes, max_len 0", &PacketIn{BufferID: 0x7, TotalLen: 1514, InPort: 4, Reason: 1},
			`01 0a 0012 00000000; packet_in buffer_id=07 total_len=05ea in_port=04 reason=01`),
		onWire("total_len below the data", &PacketIn{BufferID: NoBuffer, TotalLen: 1, InPort: 4, Data: unannotate(t, synWire)},
			`01 0a 0048 00000000; packet_in buffer_id=ffffffff total_len=01 in_port=04`+synWire),
		onWire("reason 2 of later versions", &PacketIn{XID: 9, BufferID: NoBuffer, TotalLen: 54, InPort: 4, Reason: 2, Data: unannotate(t, synWire)},
			`01 0a 0048 00000009; packet_in buffer_id=ffffffff total_len=36 in_port=04 reason=02`+synWire),
		onWire("jumbo frame, cut", &PacketIn{TotalLen: 65535, Data: unannotate(t, dhcpStartWire)}, `01 0a 004e 00000000; packet_in total_len=ffff`+dhcpStartWire),
		onWire("in_port NONE and an xid", &PacketIn{XID: 1<<32 - 1, TotalLen: 33, InPort: PortNone, Reason: 1, Data: unannotate(t, lldpWire)},
			`01 0a 0036 ffffffff; packet_in total_len=21 in_port=ffff reason=01`+lldpWire),
	)
}

// TestPacketOutsOfControllers: release of a buffer, flood, discovery, injection.
func TestPacketOutsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPacketOut,
		onWire("NOX floods a buffer", &PacketOut{XID: 32, BufferID: 0x101, InPort: 1, Actions: []Action{Output(PortFlood, 0)}},
			`01 0d 0018 00000020; packet_out buffer_id=0101 in_port=01 actions_len=08; output port=fffb`),
		onWire("POX discards a buffer", &PacketOut{XID: 1, BufferID: 0x105, InPort: 2}, `01 0d 0010 00000001; packet_out buffer_id=0105 in_port=02`),
		onWire("Floodlight link discovery", &PacketOut{BufferID: NoBuffer, InPort: PortNone, Actions: []Action{Output(3, 65535)}, Data: unannotate(t, lldpWire)},
			`01 0d 003c 00000000; packet_out buffer_id=ffffffff in_port=ffff actions_len=08; output port=03 max_len=ffff`+lldpWire),
		onWire("Ryu floods an ARP", &PacketOut{XID: 20977, BufferID: NoBuffer, InPort: 1, Actions: []Action{Output(PortFlood, 65509)}, Data: unannotate(t, arpRequestWire)},
			`01 0d 0042 000051f1; packet_out buffer_id=ffffffff in_port=01 actions_len=08; output port=fffb max_len=ffe5`+arpRequestWire),
		onWire("ovs-ofctl packet-out through the table", &PacketOut{XID: 4, BufferID: NoBuffer, InPort: PortController, Actions: []Action{Output(PortTable, 0)}, Data: unannotate(t, synWire)},
			`01 0d 004e 00000004; packet_out buffer_id=ffffffff in_port=fffd actions_len=08; output port=fff9`+synWire),
		onWire("out of the port it came in by", &PacketOut{XID: 1, BufferID: NoBuffer, InPort: 5, Actions: []Action{Output(PortInPort, 0)}, Data: unannotate(t, taggedEchoWire)},
			`01 0d 0046 00000001; packet_out buffer_id=ffffffff in_port=05 actions_len=08; output port=fff8`+taggedEchoWire),
		onWire("retag and send to two", &PacketOut{XID: 1, BufferID: NoBuffer, InPort: PortLocal, Actions: []Action{SetVLANVID(200), SetVLANPCP(0), Output(1, 0), StripVLAN(), Output(2, 0)}, Data: unannotate(t, taggedEchoWire)},
			`01 0d 0066 00000001; packet_out buffer_id=ffffffff in_port=fffe actions_len=28; set_vlan_vid vlan_vid=c8; set_vlan_pcp; output port=01; strip_vlan; output port=02`+taggedEchoWire),
		onWire("answer with rewritten addresses", &PacketOut{XID: 1, BufferID: NoBuffer, InPort: PortNone, Actions: []Action{SetDLSrc(macOf(0x20000000002)), SetDLDst(macOf(0x20000000001)), SetNWSrc(0x0a000002), SetNWDst(0x0a000001), Output(1, 0)}, Data: unannotate(t, synWire)}, `
01 0d 007e 00000001  # PACKET_OUT
packet_out buffer_id=ffffffff in_port=ffff actions_len=38
set_dl_src dl_addr=020000000002
set_dl_dst dl_addr=020000000001
set_nw_src nw_addr=0a000002
set_nw_dst nw_addr=0a000001
output port=01`+synWire),
		onWire("back to the controller", &PacketOut{XID: 1, BufferID: NoBuffer, InPort: PortNone, Actions: []Action{Output(PortController, 128)}, Data: unannotate(t, dhcpStartWire)},
			`01 0d 0054 00000001; packet_out buffer_id=ffffffff in_port=ffff actions_len=08; output port=fffd max_len=80`+dhcpStartWire),
		onWire("enqueue and a vendor action", &PacketOut{XID: 1, BufferID: NoBuffer, InPort: 1, Actions: []Action{VendorAction(0x00002320, unannotate(t, "00010003 00000000")), Enqueue(2, 1)}, Data: unannotate(t, synWire)}, `
01 0d 0066 00000001  # PACKET_OUT
packet_out buffer_id=ffffffff in_port=01 actions_len=20
vendor_action length=10 vendor=00002320
0001000300000000  # action: NXAST_RESUBMIT in_port 3
enqueue port=02 queue_id=01`+synWire),
		onWire("neither buffer nor data", &PacketOut{XID: 1, BufferID: NoBuffer, InPort: PortNone, Actions: []Action{Output(PortFlood, 0)}},
			`01 0d 0018 00000001; packet_out buffer_id=ffffffff in_port=ffff actions_len=08; output port=fffb`),
		onWire("buffer and data", &PacketOut{XID: 1, BufferID: 0x3, InPort: 1, Actions: []Action{Output(2, 0)}, Data: unannotate(t, lldpWire)},
			`01 0d 003c 00000001; packet_out buffer_id=03 in_port=01 actions_len=08; output port=02`+lldpWire),
		onWire("action of an unknown type", &PacketOut{XID: 1, BufferID: NoBuffer, InPort: 1, Actions: []Action{{Type: 32, Raw: unannotate(t, "00200010 00000001 00000002 00000003")}}, Data: unannotate(t, lldpWire)},
			`01 0d 0044 00000001; packet_out buffer_id=ffffffff in_port=01 actions_len=10; 0020 0010 000000010000000200000003  # action: type 32, unknown, length 16, body`+lldpWire),
	)
}
