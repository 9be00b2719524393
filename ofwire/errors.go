package ofwire

import "errors"

var (
	// ErrShort reports input that ends before the message does.
	ErrShort = errors.New("message is cut short")
	// ErrLength reports a length field that cannot be true.
	ErrLength = errors.New("bad length field")
	// ErrTooLong reports a message that does not fit the 16-bit length field.
	ErrTooLong = errors.New("message is longer than 65535 bytes")
	// ErrVersion reports that two peers have no version in common.
	ErrVersion = errors.New("no common OpenFlow version")
)

// Scope says how much an error spoils.
type Scope uint8

const (
	// ScopeConnection is the scope of errors after which the byte stream cannot be
	// trusted: the connection has to be closed. Errors that do not say are of this scope.
	ScopeConnection Scope = iota
	// ScopeMessage is the scope of errors that spoil one message: it is answered with
	// an OpenFlow error and the connection goes on.
	ScopeMessage
)

func (s Scope) String() string {
	if s == ScopeMessage {
		return "message"
	}
	return "connection"
}

// ScopeOf returns the scope that err, or an error it wraps, states by a method
// `Scope() Scope`.
func ScopeOf(err error) Scope {
	var scoped interface {
		error
		Scope() Scope
	}
	if errors.As(err, &scoped) {
		return scoped.Scope()
	}
	return ScopeConnection
}

// SpoilsMessage reports whether err spoils only the message it was found in.
func SpoilsMessage(err error) bool { return err != nil && ScopeOf(err) == ScopeMessage }
