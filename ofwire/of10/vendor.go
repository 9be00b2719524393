package of10

const vendorLen = 12

// Vendor carries an extension (section 5.5.4). Data is kept as it is.
type Vendor struct {
	XID    uint32
	Vendor uint32 // most significant byte 0: an IEEE OUI
	Data   []byte // aliases the input after decoding
}

// Vendor ids seen in the field.
const (
	VendorOpenFlow uint32 = 0x000026e1
	VendorNicira   uint32 = 0x00002320
)

// Type returns TypeVendor.
func (m *Vendor) Type() Type { return TypeVendor }

// TransactionID returns the xid.
func (m *Vendor) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *Vendor) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *Vendor) Len() int { return vendorLen + len(m.Data) }

// AppendBinary adds the encoded message to b.
func (m *Vendor) AppendBinary(b []byte) ([]byte, error) {
	b, err := appendHeader(b, TypeVendor, m.Len(), m.XID)
	if err != nil {
		return b, err
	}
	return append(be.AppendUint32(b, m.Vendor), m.Data...), nil
}

// UnmarshalBinary decodes one whole message.
func (m *Vendor) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeVendor, vendorLen); err != nil {
		return err
	}
	*m = Vendor{XID: frameXID(b), Vendor: be.Uint32(b[8:]), Data: tail(b, vendorLen)}
	return nil
}
