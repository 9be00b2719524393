package of10

import (
	"fmt"

	"github.com/govisor/govisor/ofwire"
)

// headerText is the text of a message that has only a header.
func headerText(t Type, xid uint32) string {
	var s text
	s.header(t.String(), xid)
	return s.String()
}

// String returns the message's name and xid, as `ovs-ofctl snoop` prints it.
func (m *FeaturesRequest) String() string { return headerText(TypeFeaturesRequest, m.XID) }

// String returns the message's name and xid, as `ovs-ofctl snoop` prints it.
func (m *GetConfigRequest) String() string { return headerText(TypeGetConfigRequest, m.XID) }

// String returns the message's name and xid, as `ovs-ofctl snoop` prints it.
func (m *BarrierRequest) String() string { return headerText(TypeBarrierRequest, m.XID) }

// String returns the message's name and xid, as `ovs-ofctl snoop` prints it.
func (m *BarrierReply) String() string { return headerText(TypeBarrierReply, m.XID) }

// String returns the version, if it is not 1.0, and the version bitmap, if there is one.
func (m *Hello) String() string {
	var t text
	t.str("OFPT_HELLO")
	switch {
	case m.Version >= ofwire.Version11 && m.Version <= ofwire.Version15:
		t.pair(" (OF1.", int(m.Version)-1)
		t.str(")")
	case m.Version > ofwire.Version15:
		t.str(" (OF ")
		t.hexWidth(uint64(m.Version), 2)
		t.str(")")
	}
	t.header("", m.XID)
	if versions, ok := ofwire.HelloVersions(m.Body); ok {
		t.str("\n version bitmap:")
		for i, v := range versions {
			if i > 0 {
				t.str(",")
			}
			t.str(" ")
			t.hexWidth(uint64(v), 2)
		}
	}
	return t.String()
}

// String returns the error's name and the message that failed, decoded if possible.
func (m *Error) String() string {
	var t text
	t.header("OFPT_ERROR", m.XID)
	t.str(" ")
	t.str(ErrorName(m.ErrType, m.Code))
	t.str("\n")
	t.errorData(m)
	return t.String()
}

func (t *text) errorData(m *Error) {
	switch {
	case m.ErrType == ErrorHelloFailed:
		t.escaped(m.Data)
		return
	case len(m.Data) < headerLen || m.Data[0] != ofwire.Version10:
		t.hexDump(m.Data)
		return
	}
	typ := Type(m.Data[1])
	// An error about an error is answered by nobody, and could nest for ever.
	if typ != TypeError {
		if failed, err := Parse(m.Data); err == nil {
			t.str(failed.String())
			return
		}
	}
	t.header(typ.String(), frameXID(m.Data))
	if length := int(be.Uint16(m.Data[2:])); length > len(m.Data) {
		t.str(fmt.Sprintf("\n(***truncated to %d bytes from %d***)", len(m.Data), length))
	}
	t.str("\n")
	t.hexDump(m.Data)
}

func payloadText(name string, xid uint32, data []byte) string {
	var t text
	t.header(name, xid)
	t.pair(" ", len(data))
	t.str(" bytes of payload\n")
	t.hexDump(data)
	return t.String()
}

// String returns a dump of the data.
func (m *EchoRequest) String() string { return payloadText("OFPT_ECHO_REQUEST", m.XID, m.Data) }

// String returns a dump of the data.
func (m *EchoReply) String() string { return payloadText("OFPT_ECHO_REPLY", m.XID, m.Data) }

// String returns a dump of the body.
func (m *Unknown) String() string { return payloadText(m.RawType.String(), m.XID, m.Body) }

// String returns the vendor id and a dump of the data.
func (m *Vendor) String() string {
	var t text
	t.header("OFPT_VENDOR", m.XID)
	t.str(" vendor=")
	t.hexWidth(uint64(m.Vendor), 8)
	t.pair(" ", len(m.Data))
	t.str(" bytes of payload\n")
	t.hexDump(m.Data)
	return t.String()
}

// String returns what `ovs-ofctl show` prints.
func (m *FeaturesReply) String() string {
	var t text
	t.header("OFPT_FEATURES_REPLY", m.XID)
	t.str(fmt.Sprintf(" dpid:%016x\nn_tables:%d, n_buffers:%d\ncapabilities: %v\n",
		uint64(m.DatapathID), m.NTables, m.NBuffers, m.Capabilities))
	if m.Actions != 0 {
		t.str("actions: ")
		t.str(m.Actions.String())
		t.str("\n")
	}
	for i := range m.Ports {
		t.str(" ")
		t.phyPort(&m.Ports[i])
	}
	return t.String()
}

// fragNames are the words of `ovs-ofctl get-frags`.
var fragNames = [...]string{"normal", "drop", "reassemble", "nx-match"}

// String returns the word of `ovs-ofctl get-frags`.
func (f ConfigFlags) String() string {
	s := fragNames[f&FragMask]
	if rest := f &^ FragMask; rest != 0 {
		s += fmt.Sprintf(" flags=%#x", uint16(rest))
	}
	return s
}

func configText(t Type, xid uint32, flags ConfigFlags, missSendLen uint16) string {
	var s text
	s.header(t.String(), xid)
	s.str(" frags=")
	s.str(flags.String())
	s.pair(" miss_send_len=", int(missSendLen))
	return s.String()
}

// String returns the line `ovs-ofctl show` ends with.
func (m *GetConfigReply) String() string {
	return configText(TypeGetConfigReply, m.XID, m.Flags, m.MissSendLen)
}

// String returns the settings.
func (m *SetConfig) String() string {
	return configText(TypeSetConfig, m.XID, m.Flags, m.MissSendLen)
}

// String returns the metadata and, on a second line, the frame's headers.
func (m *PacketIn) String() string {
	var t text
	t.header("OFPT_PACKET_IN", m.XID)
	t.pair(" total_len=", int(m.TotalLen))
	t.str(" in_port=")
	t.port(m.InPort)
	t.str(" (via ")
	t.str(m.Reason.String())
	t.pair(") data_len=", len(m.Data))
	if m.BufferID == NoBuffer {
		t.str(" (unbuffered)")
		if int(m.TotalLen) != len(m.Data) {
			t.str(" (***total_len != data_len***)")
		}
	} else {
		t.str(" buffer=")
		t.hexWidth(uint64(m.BufferID), 8)
	}
	t.str("\n")
	t.frame(m.Data)
	return t.String()
}

// String returns the actions and, if the frame is in the message, its headers.
func (m *PacketOut) String() string {
	var t text
	t.header("OFPT_PACKET_OUT", m.XID)
	t.str(" in_port=")
	t.port(m.InPort)
	t.str(" actions=")
	t.actions(m.Actions)
	if m.BufferID != NoBuffer {
		t.str(" buffer=")
		t.hexWidth(uint64(m.BufferID), 8)
		return t.String()
	}
	t.pair(" data_len=", len(m.Data))
	t.str("\n")
	t.frame(m.Data)
	return t.String()
}

// String returns what happened and the port, as `ovs-ofctl monitor` prints it.
func (m *PortStatus) String() string {
	var t text
	t.header("OFPT_PORT_STATUS", m.XID)
	t.str(" ")
	t.str(m.Reason.String())
	t.str(": ")
	t.phyPort(&m.Desc)
	return t.String()
}

// String returns the changes.
func (m *PortMod) String() string {
	advertise := "UNCHANGED"
	if m.Advertise != 0 {
		advertise = m.Advertise.String()
	}
	var t text
	t.header("OFPT_PORT_MOD", m.XID)
	// A bit that is not in the mask does not change, whatever its value.
	t.str(fmt.Sprintf(" port: %v: addr:%v\n     config: %v\n     mask:   %v\n     advertise: %s",
		m.PortNo, m.HWAddr, m.Config&m.Mask, m.Mask, advertise))
	return t.String()
}

// String returns the port.
func (m *QueueGetConfigRequest) String() string {
	var t text
	t.header("OFPT_QUEUE_GET_CONFIG_REQUEST", m.XID)
	t.str(" port=")
	t.port(m.Port)
	return t.String()
}

// String returns what `ovs-ofctl queue-get-config` prints.
func (m *QueueGetConfigReply) String() string {
	var t text
	t.header("OFPT_QUEUE_GET_CONFIG_REPLY", m.XID)
	t.str(" port=")
	t.port(m.Port)
	t.str("\n")
	for i := range m.Queues {
		t.str("queue ")
		t.dec(uint64(m.Queues[i].QueueID))
		t.str(":")
		for _, p := range m.Queues[i].Properties {
			t.queueProperty(&p)
		}
		t.str("\n")
	}
	return t.String()
}

func (t *text) queueProperty(p *QueueProperty) {
	switch {
	case p.Raw != nil:
		t.pair(" property", int(p.Property))
		t.str(fmt.Sprintf(":%x", p.Raw[min(4, len(p.Raw)):]))
	case p.Property == QueuePropertyMinRate && p.MinRate <= 1000:
		t.pair(" min_rate:", int(p.MinRate/10))
		t.pair(".", int(p.MinRate%10))
		t.str("%")
	case p.Property == QueuePropertyMinRate && p.MinRate != MinRateOff:
		t.str(" min_rate:(disabled)")
	}
}
