package of10

import "github.com/govisor/govisor/ofwire"

const (
	phyPortLen  = 48
	portNameLen = 16
)

// PortConfig says how the administrator set a port (section 5.2.1).
type PortConfig uint32

// Port config bits.
const (
	PortConfigDown PortConfig = 1 << iota
	PortConfigNoSTP
	PortConfigNoRecv    // drop all but 802.1D spanning tree frames
	PortConfigNoRecvSTP // drop 802.1D spanning tree frames
	PortConfigNoFlood
	PortConfigNoFwd
	PortConfigNoPacketIn
	PortConfigAll PortConfig = 1<<iota - 1
)

// PortState is what the switch sees at a port. The spanning tree state is the field
// PortStateSTPMask, not single bits.
type PortState uint32

// Port states.
const (
	PortStateLinkDown   PortState = 1 << 0
	PortStateSTPListen  PortState = 0 << 8
	PortStateSTPLearn   PortState = 1 << 8
	PortStateSTPForward PortState = 2 << 8
	PortStateSTPBlock   PortState = 3 << 8
	PortStateSTPMask    PortState = 3 << 8
)

// PortFeatures is a set of link modes.
type PortFeatures uint32

// Port features. HD and FD are half and full duplex.
const (
	PortFeature10MbHD PortFeatures = 1 << iota
	PortFeature10MbFD
	PortFeature100MbHD
	PortFeature100MbFD
	PortFeature1GbHD
	PortFeature1GbFD
	PortFeature10GbFD
	PortFeatureCopper
	PortFeatureFiber
	PortFeatureAutoneg
	PortFeaturePause
	PortFeaturePauseAsym
	PortFeatureAll PortFeatures = 1<<iota - 1
)

// SpeedMbps is the fastest speed in the set in megabits per second, 0 for none.
func (f PortFeatures) SpeedMbps() int {
	switch {
	case f&PortFeature10GbFD != 0:
		return 10000
	case f&(PortFeature1GbHD|PortFeature1GbFD) != 0:
		return 1000
	case f&(PortFeature100MbHD|PortFeature100MbFD) != 0:
		return 100
	case f&(PortFeature10MbHD|PortFeature10MbFD) != 0:
		return 10
	}
	return 0
}

// PhyPort describes one port (section 5.2.1).
type PhyPort struct {
	PortNo     Port
	HWAddr     ofwire.MAC
	Name       string // at most 16 bytes, 15 by the specification
	Config     PortConfig
	State      PortState
	Curr       PortFeatures
	Advertised PortFeatures
	Supported  PortFeatures
	Peer       PortFeatures
}

func (p *PhyPort) append(b []byte) ([]byte, error) {
	if err := checkFixed("port name", p.Name, portNameLen); err != nil {
		return b, err
	}
	b = be.AppendUint16(b, uint16(p.PortNo))
	b = append(b, p.HWAddr[:]...)
	b = appendFixed(b, p.Name, portNameLen)
	b = be.AppendUint32(b, uint32(p.Config))
	b = be.AppendUint32(b, uint32(p.State))
	b = be.AppendUint32(b, uint32(p.Curr))
	b = be.AppendUint32(b, uint32(p.Advertised))
	b = be.AppendUint32(b, uint32(p.Supported))
	return be.AppendUint32(b, uint32(p.Peer)), nil
}

// parsePhyPort reads the first phyPortLen bytes of b.
func parsePhyPort(b []byte) PhyPort {
	b = b[:phyPortLen]
	return PhyPort{
		PortNo:     Port(be.Uint16(b)),
		HWAddr:     ofwire.MAC(b[2:8]),
		Name:       fixedString(b[8:24]),
		Config:     PortConfig(be.Uint32(b[24:])),
		State:      PortState(be.Uint32(b[28:])),
		Curr:       PortFeatures(be.Uint32(b[32:])),
		Advertised: PortFeatures(be.Uint32(b[36:])),
		Supported:  PortFeatures(be.Uint32(b[40:])),
		Peer:       PortFeatures(be.Uint32(b[44:])),
	}
}
