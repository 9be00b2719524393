//go:build !linux

package uring

// A Ring is for Linux.
type Ring struct{}

// New says that there is none.
func New(int) (*Ring, error) { return nil, ErrUnsupported }
