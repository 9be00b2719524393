package of10

// Port is a port number: 1 to PortMax are physical, the rest are reserved (section
// 5.2.1).
type Port uint16

// Reserved ports.
const (
	PortMax        Port = 0xff00 // highest physical port
	PortInPort     Port = 0xfff8 // out of the port the frame came in by
	PortTable      Port = 0xfff9 // through the flow table; packet_out only
	PortNormal     Port = 0xfffa // as a switch without OpenFlow would
	PortFlood      Port = 0xfffb // all ports but the input port and those with NO_FLOOD
	PortAll        Port = 0xfffc // all ports but the input port
	PortController Port = 0xfffd
	PortLocal      Port = 0xfffe // the switch's own network stack
	PortNone       Port = 0xffff
)

// IsPhysical reports whether p is the number of a physical port.
func (p Port) IsPhysical() bool { return p >= 1 && p <= PortMax }

// NoBuffer is the buffer id of a frame that is not buffered in the switch.
const NoBuffer uint32 = 0xffffffff

// VLANNone is the dl_vlan of a frame without a VLAN tag.
const VLANNone uint16 = 0xffff

// QueueAll stands for all queues of a port in a statistics request.
const QueueAll uint32 = 0xffffffff

// DefaultPriority is the priority ovs-ofctl gives a flow when none is said.
const DefaultPriority uint16 = 0x8000

// DefaultMissSendLen is a switch's miss_send_len before anyone sets it.
const DefaultMissSendLen uint16 = 128
