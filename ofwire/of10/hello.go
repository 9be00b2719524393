package of10

import (
	"fmt"

	"github.com/govisor/govisor/ofwire"
)

// Hello opens a connection (section 5.5.1). Later versions put elements into Body;
// [ofwire.Negotiate] reads them.
type Hello struct {
	XID uint32
	// Version is the one in the header, the highest the sender speaks; 0 means 1.0. It is
	// the only message that may carry another version than 1.0.
	Version uint8
	Body    []byte // aliases the input after decoding
}

// Type returns TypeHello.
func (m *Hello) Type() Type { return TypeHello }

// TransactionID returns the xid.
func (m *Hello) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *Hello) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *Hello) Len() int { return headerLen + len(m.Body) }

// AppendBinary adds the encoded message to b.
func (m *Hello) AppendBinary(b []byte) ([]byte, error) {
	if m.Len() > ofwire.MaxFrameLen {
		return b, fmt.Errorf("of10: encode %v: %w", TypeHello, ofwire.ErrTooLong)
	}
	h := ofwire.Header{Version: m.Version, Length: uint16(m.Len()), XID: m.XID}
	if h.Version == 0 {
		h.Version = ofwire.Version10
	}
	return append(h.Append(b), m.Body...), nil
}

// UnmarshalBinary decodes one whole message of any version but 0. Version 1.0 is stored
// as 0, as a caller would write it.
func (m *Hello) UnmarshalBinary(b []byte) error {
	if len(b) < headerLen || int(be.Uint16(b[2:])) != len(b) || Type(b[1]) != TypeHello {
		return frameError(b, TypeHello)
	}
	if b[0] == 0 {
		return NewError(ErrorHelloFailed, HelloFailedIncompatible, b)
	}
	v := b[0]
	if v == ofwire.Version10 {
		v = 0
	}
	*m = Hello{XID: frameXID(b), Version: v, Body: tail(b, headerLen)}
	return nil
}
