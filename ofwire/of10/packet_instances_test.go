package of10

import (
	"testing"

	"github.com/govisor/govisor/ofwire"
)

// Frames for packet_in and packet_out, one field a line.
const (
	// arpRequestWire is an ARP request in an untagged frame of 42 bytes.
	arpRequestWire = `
ff ff ff ff ff ff        # frame: dl_dst broadcast
02 00 00 00 00 01        # frame: dl_src
08 06                    # frame: ARP
00 01                    # frame: hardware Ethernet
08 00                    # frame: protocol IPv4
06                       # frame: hardware length
04                       # frame: protocol length
00 01                    # frame: opcode request
02 00 00 00 00 01        # frame: sender
0a 00 00 01              # frame: sender 10.0.0.1
00 00 00 00 00 00        # frame: target
0a 00 00 02              # frame: target 10.0.0.2
`
	// lldpWire is the LLDP frame a controller sends to find links.
	lldpWire = `
01 80 c2 00 00 0e        # frame: dl_dst nearest bridge
02 00 00 00 01 01        # frame: dl_src
88 cc                    # frame: LLDP
02 07                    # frame: chassis id, 7 bytes
04 02 00 00 00 01 01     # frame: MAC address
04 05                    # frame: port id, 5 bytes
07 00 00 00 01           # frame: local, port 1
06 02                    # frame: ttl, 2 bytes
00 78                    # frame: 120 s
00 00                    # frame: end
`
	// taggedEchoWire is an ICMP echo request with a VLAN tag.
	taggedEchoWire = `
02 00 00 00 00 02        # frame: dl_dst
02 00 00 00 00 01        # frame: dl_src
81 00                    # frame: 802.1Q
a0 64                    # frame: pcp 5, vid 100
08 00                    # frame: IPv4
45                       # frame: version 4, 5 words
00                       # frame: tos
00 1c                    # frame: length 28
00 01                    # frame: id
00 00                    # frame: fragment
40                       # frame: ttl
01                       # frame: ICMP
66 dd                    # frame: checksum
0a 00 00 01              # frame: source
0a 00 00 02              # frame: destination
08                       # frame: echo request
00                       # frame: code
f7 fd                    # frame: checksum
00 01                    # frame: id
00 01                    # frame: sequence
`
	// dhcpStartWire is the first 60 bytes of a DHCP discover.
	dhcpStartWire = `
ff ff ff ff ff ff        # frame: dl_dst broadcast
02 00 00 00 00 03        # frame: dl_src
08 00                    # frame: IPv4
45                       # frame: version 4, 5 words
10                       # frame: tos
01 48                    # frame: length 328
00 00 00 00              # frame: id, fragment
80                       # frame: ttl
11                       # frame: UDP
39 96                    # frame: checksum
00 00 00 00              # frame: source
ff ff ff ff              # frame: destination
00 44                    # frame: source port 68
00 43                    # frame: destination port 67
01 34                    # frame: length 308
00 00                    # frame: checksum
01                       # frame: BOOTREQUEST
01                       # frame: Ethernet
06                       # frame: address length
00                       # frame: hops
12 34 56 78              # frame: transaction
00 00                    # frame: seconds
80 00                    # frame: broadcast
00 00 00 00 00 00        # frame: client, first part
`
	// synWire is a TCP SYN.
	synWire = `
02 00 00 00 00 02        # frame: dl_dst
02 00 00 00 00 01        # frame: dl_src
08 00                    # frame: IPv4
45                       # frame: version 4, 5 words
00                       # frame: tos
00 28                    # frame: length 40
00 01                    # frame: id
40 00                    # frame: do not fragment
40                       # frame: ttl
06                       # frame: TCP
26 cd                    # frame: checksum
0a 00 00 01              # frame: source
0a 00 00 02              # frame: destination
a9 fc                    # frame: source port 43516
00 50                    # frame: destination port 80
00 00 00 00              # frame: sequence
00 00 00 00              # frame: acknowledgement
50                       # frame: 5 words
02                       # frame: SYN
72 10                    # frame: window
00 00                    # frame: checksum
00 00                    # frame: urgent
`
)

// TestPacketInsOfSwitches: what Open vSwitch (never buffered) and the reference (buffered, cut) send.
func TestPacketInsOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPacketIn,
		wireCase{"OVS, ARP miss", &PacketIn{XID: 0, BufferID: 0xffffffff, TotalLen: 42, InPort: 1, Reason: 0, Data: unannotate(t, arpRequestWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 3c                    # length 60
00 00 00 00              # xid
ff ff ff ff              # buffer_id none
00 2a                    # total_len 42
00 01                    # in_port 1
00                       # reason NO_MATCH
00                       # pad` + arpRequestWire, ""},
		wireCase{"reference, ARP buffered as 0x101", &PacketIn{XID: 0, BufferID: 0x101, TotalLen: 42, InPort: 1, Reason: 0, Data: unannotate(t, arpRequestWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 3c                    # length 60
00 00 00 00              # xid
00 00 01 01              # buffer_id
00 2a                    # total_len 42
00 01                    # in_port 1
00                       # reason NO_MATCH
00                       # pad` + arpRequestWire, ""},
		wireCase{"OVS, LLDP by action", &PacketIn{XID: 0, BufferID: 0xffffffff, TotalLen: 33, InPort: 2, Reason: 1, Data: unannotate(t, lldpWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 36                    # length 54
00 00 00 00              # xid
ff ff ff ff              # buffer_id none
00 21                    # total_len 33
00 02                    # in_port 2
01                       # reason ACTION
00                       # pad` + lldpWire, ""},
		wireCase{"reference, DHCP cut to 60 of 342", &PacketIn{XID: 0, BufferID: 0x1ff, TotalLen: 342, InPort: 3, Reason: 0, Data: unannotate(t, dhcpStartWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 4e                    # length 78
00 00 00 00              # xid
00 00 01 ff              # buffer_id
01 56                    # total_len 342
00 03                    # in_port 3
00                       # reason NO_MATCH
00                       # pad` + dhcpStartWire, ""},
		wireCase{"tagged echo from LOCAL", &PacketIn{XID: 0, BufferID: 0xffffffff, TotalLen: 46, InPort: PortLocal, Reason: 1, Data: unannotate(t, taggedEchoWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 40                    # length 64
00 00 00 00              # xid
ff ff ff ff              # buffer_id none
00 2e                    # total_len 46
ff fe                    # in_port LOCAL
01                       # reason ACTION
00                       # pad` + taggedEchoWire, ""},
		wireCase{"SYN from the highest port", &PacketIn{XID: 0, BufferID: 0xfffffffe, TotalLen: 54, InPort: PortMax, Reason: 0, Data: unannotate(t, synWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 48                    # length 72
00 00 00 00              # xid
ff ff ff fe              # buffer_id
00 36                    # total_len 54
ff 00                    # in_port MAX
00                       # reason NO_MATCH
00                       # pad` + synWire, ""},
		wireCase{"buffered without bytes, max_len 0", &PacketIn{XID: 0, BufferID: 0x7, TotalLen: 1514, InPort: 4, Reason: 1, Data: nil}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 12                    # length 18
00 00 00 00              # xid
00 00 00 07              # buffer_id
05 ea                    # total_len 1514
00 04                    # in_port 4
01                       # reason ACTION
00                       # pad
`, ""},
		wireCase{"total_len below the data", &PacketIn{XID: 0, BufferID: 0xffffffff, TotalLen: 1, InPort: 4, Reason: 0, Data: unannotate(t, synWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 48                    # length 72
00 00 00 00              # xid
ff ff ff ff              # buffer_id none
00 01                    # total_len 1
00 04                    # in_port 4
00                       # reason NO_MATCH
00                       # pad` + synWire, ""},
		wireCase{"reason 2 of later versions", &PacketIn{XID: 9, BufferID: 0xffffffff, TotalLen: 54, InPort: 4, Reason: 2, Data: unannotate(t, synWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 48                    # length 72
00 00 00 09              # xid
ff ff ff ff              # buffer_id none
00 36                    # total_len 54
00 04                    # in_port 4
02                       # reason 2, unknown
00                       # pad` + synWire, ""},
		wireCase{"jumbo frame, cut", &PacketIn{XID: 0, BufferID: 0x0, TotalLen: 65535, InPort: 0, Reason: 0, Data: unannotate(t, dhcpStartWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 4e                    # length 78
00 00 00 00              # xid
00 00 00 00              # buffer_id
ff ff                    # total_len 65535
00 00                    # in_port 0
00                       # reason NO_MATCH
00                       # pad` + dhcpStartWire, ""},
		wireCase{"in_port NONE and an xid", &PacketIn{XID: 4294967295, BufferID: 0x0, TotalLen: 33, InPort: PortNone, Reason: 1, Data: unannotate(t, lldpWire)}, `
01                       # version 1.0
0a                       # type PACKET_IN
00 36                    # length 54
ff ff ff ff              # xid
00 00 00 00              # buffer_id
00 21                    # total_len 33
ff ff                    # in_port NONE
01                       # reason ACTION
00                       # pad` + lldpWire, ""},
	)
}

// TestPacketOutsOfControllers: release of a buffer, flood, discovery, injection.
func TestPacketOutsOfControllers(t *testing.T) {
	t.Parallel()
	checkWire(t, usedPacketOut,
		wireCase{"NOX floods a buffer", &PacketOut{XID: 32, BufferID: 0x101, InPort: 1, Actions: []Action{Output(PortFlood, 0)}, Data: nil}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 18                    # length 24
00 00 00 20              # xid
00 00 01 01              # buffer_id
00 01                    # in_port 1
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fb                    # action: port FLOOD
00 00                    # action: max_len
`, ""},
		wireCase{"POX discards a buffer", &PacketOut{XID: 1, BufferID: 0x105, InPort: 2, Actions: nil, Data: nil}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 10                    # length 16
00 00 00 01              # xid
00 00 01 05              # buffer_id
00 02                    # in_port 2
00 00                    # actions_len 0
`, ""},
		wireCase{"Floodlight link discovery", &PacketOut{XID: 0, BufferID: 0xffffffff, InPort: PortNone, Actions: []Action{Output(3, 65535)}, Data: unannotate(t, lldpWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 3c                    # length 60
00 00 00 00              # xid
ff ff ff ff              # buffer_id none
ff ff                    # in_port NONE
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 03                    # action: port 3
ff ff                    # action: max_len` + lldpWire, ""},
		wireCase{"Ryu floods an ARP", &PacketOut{XID: 20977, BufferID: 0xffffffff, InPort: 1, Actions: []Action{Output(PortFlood, 65509)}, Data: unannotate(t, arpRequestWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 42                    # length 66
00 00 51 f1              # xid
ff ff ff ff              # buffer_id none
00 01                    # in_port 1
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fb                    # action: port FLOOD
ff e5                    # action: max_len` + arpRequestWire, ""},
		wireCase{"ovs-ofctl packet-out through the table", &PacketOut{XID: 4, BufferID: 0xffffffff, InPort: PortController, Actions: []Action{Output(PortTable, 0)}, Data: unannotate(t, synWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 4e                    # length 78
00 00 00 04              # xid
ff ff ff ff              # buffer_id none
ff fd                    # in_port CONTROLLER
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff f9                    # action: port TABLE
00 00                    # action: max_len` + synWire, ""},
		wireCase{"out of the port it came in by", &PacketOut{XID: 1, BufferID: 0xffffffff, InPort: 5, Actions: []Action{Output(PortInPort, 0)}, Data: unannotate(t, taggedEchoWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 46                    # length 70
00 00 00 01              # xid
ff ff ff ff              # buffer_id none
00 05                    # in_port 5
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff f8                    # action: port INPORT
00 00                    # action: max_len` + taggedEchoWire, ""},
		wireCase{"retag and send to two", &PacketOut{XID: 1, BufferID: 0xffffffff, InPort: PortLocal, Actions: []Action{SetVLANVID(200), SetVLANPCP(0), Output(1, 0), StripVLAN(), Output(2, 0)}, Data: unannotate(t, taggedEchoWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 66                    # length 102
00 00 00 01              # xid
ff ff ff ff              # buffer_id none
ff fe                    # in_port LOCAL
00 28                    # actions_len 40
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
00 c8                    # action: vlan_vid 200
00 00                    # pad
00 02                    # action: type SET_VLAN_PCP
00 08                    # action: length 8
00                       # action: vlan_pcp 0
00 00 00                 # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len
00 03                    # action: type STRIP_VLAN
00 08                    # action: length 8
00 00 00 00              # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len` + taggedEchoWire, ""},
		wireCase{"answer with rewritten addresses", &PacketOut{XID: 1, BufferID: 0xffffffff, InPort: PortNone, Actions: []Action{SetDLSrc(ofwire.MAC{0x02, 0, 0, 0, 0, 0x02}), SetDLDst(ofwire.MAC{0x02, 0, 0, 0, 0, 0x01}), SetNWSrc(0x0a000002), SetNWDst(0x0a000001), Output(1, 0)}, Data: unannotate(t, synWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 7e                    # length 126
00 00 00 01              # xid
ff ff ff ff              # buffer_id none
ff ff                    # in_port NONE
00 38                    # actions_len 56
00 04                    # action: type SET_DL_SRC
00 10                    # action: length 16
02 00 00 00 00 02        # action: dl_addr
00 00 00 00 00 00        # pad
00 05                    # action: type SET_DL_DST
00 10                    # action: length 16
02 00 00 00 00 01        # action: dl_addr
00 00 00 00 00 00        # pad
00 06                    # action: type SET_NW_SRC
00 08                    # action: length 8
0a 00 00 02              # action: nw_addr 10.0.0.2
00 07                    # action: type SET_NW_DST
00 08                    # action: length 8
0a 00 00 01              # action: nw_addr 10.0.0.1
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 01                    # action: port 1
00 00                    # action: max_len` + synWire, ""},
		wireCase{"back to the controller", &PacketOut{XID: 1, BufferID: 0xffffffff, InPort: PortNone, Actions: []Action{Output(PortController, 128)}, Data: unannotate(t, dhcpStartWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 54                    # length 84
00 00 00 01              # xid
ff ff ff ff              # buffer_id none
ff ff                    # in_port NONE
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
00 80                    # action: max_len` + dhcpStartWire, ""},
		wireCase{"enqueue and a vendor action", &PacketOut{XID: 1, BufferID: 0xffffffff, InPort: 1, Actions: []Action{VendorAction(0x00002320, []byte{0x00, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00}), Enqueue(2, 1)}, Data: unannotate(t, synWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 66                    # length 102
00 00 00 01              # xid
ff ff ff ff              # buffer_id none
00 01                    # in_port 1
00 20                    # actions_len 32
ff ff                    # action: type VENDOR
00 10                    # action: length 16
00 00 23 20              # action: vendor
00 01 00 03 00 00 00 00  # action: NXAST_RESUBMIT in_port 3
00 0b                    # action: type ENQUEUE
00 10                    # action: length 16
00 02                    # action: port 2
00 00 00 00 00 00        # pad
00 00 00 01              # action: queue_id 1` + synWire, ""},
		wireCase{"neither buffer nor data", &PacketOut{XID: 1, BufferID: 0xffffffff, InPort: PortNone, Actions: []Action{Output(PortFlood, 0)}, Data: nil}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 18                    # length 24
00 00 00 01              # xid
ff ff ff ff              # buffer_id none
ff ff                    # in_port NONE
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fb                    # action: port FLOOD
00 00                    # action: max_len
`, ""},
		wireCase{"buffer and data", &PacketOut{XID: 1, BufferID: 0x3, InPort: 1, Actions: []Action{Output(2, 0)}, Data: unannotate(t, lldpWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 3c                    # length 60
00 00 00 01              # xid
00 00 00 03              # buffer_id
00 01                    # in_port 1
00 08                    # actions_len 8
00 00                    # action: type OUTPUT
00 08                    # action: length 8
00 02                    # action: port 2
00 00                    # action: max_len` + lldpWire, ""},
		wireCase{"action of an unknown type", &PacketOut{XID: 1, BufferID: 0xffffffff, InPort: 1, Actions: []Action{{Type: 32, Raw: []byte{0x00, 0x20, 0x00, 0x10, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03}}}, Data: unannotate(t, lldpWire)}, `
01                       # version 1.0
0d                       # type PACKET_OUT
00 44                    # length 68
00 00 00 01              # xid
ff ff ff ff              # buffer_id none
00 01                    # in_port 1
00 10                    # actions_len 16
00 20                    # action: type 32, unknown
00 10                    # action: length 16
00 00 00 01 00 00 00 02 00 00 00 03 # action: body` + lldpWire, ""},
	)
}
