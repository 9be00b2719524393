package of10

import (
	"fmt"

	"github.com/govisor/govisor/ofwire"
)

const errorLen = 12

// Error tells the peer that a message failed (section 5.4.4). It is also the Go error
// of a decode that the peer should hear about: set nothing, send it.
type Error struct {
	XID     uint32 // of the message that failed
	ErrType ErrorType
	Code    uint16
	// Data is the failed message, at least its first 64 bytes, or text for
	// ErrorHelloFailed. It aliases the input after decoding.
	Data []byte
}

var _ error = (*Error)(nil)

// NewError makes the answer to the offending message, which is copied whole, with its
// transaction id. Without an offending message it has xid 0 and no data.
func NewError(t ErrorType, code uint16, offending []byte) *Error {
	e := &Error{ErrType: t, Code: code}
	if len(offending) >= headerLen {
		e.XID = frameXID(offending)
	}
	if len(offending) > 0 {
		n := min(len(offending), ofwire.MaxFrameLen-errorLen)
		e.Data = append([]byte(nil), offending[:n]...)
	}
	return e
}

// Error returns the names of type and code.
func (m *Error) Error() string { return "of10: " + ErrorName(m.ErrType, m.Code) }

// Is makes errors.Is compare type and code only.
func (m *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.ErrType == m.ErrType && t.Code == m.Code
}

// Scope is the message: the connection goes on after the error was sent. A failed HELLO
// ends the connection.
func (m *Error) Scope() ofwire.Scope {
	if m.ErrType == ErrorHelloFailed {
		return ofwire.ScopeConnection
	}
	return ofwire.ScopeMessage
}

// Type returns TypeError.
func (m *Error) Type() Type { return TypeError }

// TransactionID returns the xid.
func (m *Error) TransactionID() uint32 { return m.XID }

// SetTransactionID sets the xid.
func (m *Error) SetTransactionID(xid uint32) { m.XID = xid }

// Len returns the encoded size in bytes.
func (m *Error) Len() int { return errorLen + len(m.Data) }

// AppendBinary adds the encoded message to b.
func (m *Error) AppendBinary(b []byte) ([]byte, error) {
	b, err := appendHeader(b, TypeError, m.Len(), m.XID)
	if err != nil {
		return b, err
	}
	b = be.AppendUint16(b, uint16(m.ErrType))
	b = be.AppendUint16(b, m.Code)
	return append(b, m.Data...), nil
}

// UnmarshalBinary decodes one whole message; unknown types and codes are kept.
func (m *Error) UnmarshalBinary(b []byte) error {
	if err := checkFrame(b, TypeError, errorLen); err != nil {
		return err
	}
	*m = Error{
		XID:     frameXID(b),
		ErrType: ErrorType(be.Uint16(b[8:])),
		Code:    be.Uint16(b[10:]),
		Data:    tail(b, errorLen),
	}
	return nil
}

// ErrorName returns the specification's name of a code, or numbers.
func ErrorName(t ErrorType, code uint16) string {
	if int(t) < len(errorNames) && int(code) < len(errorNames[t]) {
		return errorNames[t][code]
	}
	return fmt.Sprintf("error type %d code %d", uint16(t), code)
}
