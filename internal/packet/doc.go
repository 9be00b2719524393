// Package packet turns an Ethernet frame into the twelve header fields of
// OpenFlow 1.0 and rewrites single fields of a frame with correct checksums.
//
// It allocates nothing (except when a VLAN tag has to be added to a slice
// without room), accepts any bytes, and never panics.
package packet
