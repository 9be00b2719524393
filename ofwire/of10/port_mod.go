package of10

import "github.com/govisor/govisor/ofwire"

const portModLen = 32

// PortMod changes a port's behaviour (section 5.3.4).
type PortMod struct {
	XID       uint32
	PortNo    Port
	HWAddr    ofwire.MAC   // must be the port's own
	Config    PortConfig   // new values of the bits in Mask
	Mask      PortConfig   // bits to change
	Advertise PortFeatures // 0: leave as it is
}

// Type returns TypePortMod.
func (m *PortMod) Type() Type { return TypePortMod }

// TransactionID returns the xid.
func (m *PortMod) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *PortMod) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *PortMod) Len() int { return portModLen }

// AppendBinary adds the encoded message to b.
func (m *PortMod) AppendBinary(b []byte) ([]byte, error) {
	b, _ = appendHeader(b, TypePortMod, portModLen, m.XID)
	b = be.AppendUint16(b, uint16(m.PortNo))
	b = append(b, m.HWAddr[:]...)
	b = be.AppendUint32(b, uint32(m.Config))
	b = be.AppendUint32(b, uint32(m.Mask))
	b = be.AppendUint32(b, uint32(m.Advertise))
	return append(b, pads[:4]...), nil
}

// UnmarshalBinary decodes one whole message; trailing bytes are an error.
func (m *PortMod) UnmarshalBinary(b []byte) error {
	if err := checkExact(b, TypePortMod, portModLen); err != nil {
		return err
	}
	*m = PortMod{
		XID:       frameXID(b),
		PortNo:    Port(be.Uint16(b[8:])),
		HWAddr:    ofwire.MAC(b[10:16]),
		Config:    PortConfig(be.Uint32(b[16:])),
		Mask:      PortConfig(be.Uint32(b[20:])),
		Advertise: PortFeatures(be.Uint32(b[24:])),
	}
	return nil
}
