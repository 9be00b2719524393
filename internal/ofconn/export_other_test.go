//go:build !linux

package ofconn

// Parked is true where there are no loops.
func Parked(*Conn) bool { return true }

// Running is false where there are no loops.
func Running(*Loop) bool { return false }

// PlainLoop is a loop, of which there are none here.
func PlainLoop() *Loop { return new(Loop) }
