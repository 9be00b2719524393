package of10

import "github.com/govisor/govisor/ofwire"

const featuresReplyLen = 32

// Capabilities is what a switch can do beyond the required (section 5.3.1).
type Capabilities uint32

// Capability bits.
const (
	CapFlowStats  Capabilities = 1 << 0
	CapTableStats Capabilities = 1 << 1
	CapPortStats  Capabilities = 1 << 2
	CapSTP        Capabilities = 1 << 3
	CapIPReasm    Capabilities = 1 << 5
	CapQueueStats Capabilities = 1 << 6
	CapARPMatchIP Capabilities = 1 << 7
)

// ActionSet is a bitmap of supported actions: bit 1<<ActionOutput and so on.
type ActionSet uint32

// Has reports whether the set contains an action type.
func (s ActionSet) Has(t ActionType) bool { return t < 32 && s>>t&1 != 0 }

// AllActions are the twelve standard actions.
const AllActions ActionSet = 1<<(ActionEnqueue+1) - 1

// FeaturesReply tells who the switch is and what it has (section 5.3.1).
type FeaturesReply struct {
	XID          uint32
	DatapathID   ofwire.DatapathID
	NBuffers     uint32
	NTables      uint8
	Capabilities Capabilities
	Actions      ActionSet
	Ports        []PhyPort
}

// Type returns TypeFeaturesReply.
func (m *FeaturesReply) Type() Type { return TypeFeaturesReply }

// TransactionID returns the xid.
func (m *FeaturesReply) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *FeaturesReply) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *FeaturesReply) Len() int { return featuresReplyLen + phyPortLen*len(m.Ports) }

// AppendBinary adds the encoded message to b. It fails for a port name that does not fit
// and for more than 1364 ports.
func (m *FeaturesReply) AppendBinary(b []byte) ([]byte, error) {
	start := b
	b, err := appendHeader(b, TypeFeaturesReply, m.Len(), m.XID)
	if err != nil {
		return start, err
	}
	b = be.AppendUint64(b, uint64(m.DatapathID))
	b = be.AppendUint32(b, m.NBuffers)
	b = append(b, m.NTables, 0, 0, 0)
	b = be.AppendUint32(b, uint32(m.Capabilities))
	b = be.AppendUint32(b, uint32(m.Actions))
	for i := range m.Ports {
		if b, err = m.Ports[i].append(b); err != nil {
			return start, err
		}
	}
	return b, nil
}

// UnmarshalBinary decodes one whole message.
func (m *FeaturesReply) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeFeaturesReply, featuresReplyLen); err != nil {
		return err
	}
	rest := b[featuresReplyLen:]
	if len(rest)%phyPortLen != 0 {
		return badRequestLen(b)
	}
	var ports []PhyPort
	if len(rest) > 0 {
		ports = make([]PhyPort, 0, len(rest)/phyPortLen)
	}
	for ; len(rest) > 0; rest = rest[phyPortLen:] {
		ports = append(ports, parsePhyPort(rest))
	}
	*m = FeaturesReply{
		XID:          frameXID(b),
		DatapathID:   ofwire.DatapathID(be.Uint64(b[8:])),
		NBuffers:     be.Uint32(b[16:]),
		NTables:      b[20],
		Capabilities: Capabilities(be.Uint32(b[24:])),
		Actions:      ActionSet(be.Uint32(b[28:])),
		Ports:        ports,
	}
	return nil
}
