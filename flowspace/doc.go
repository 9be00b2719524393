// Package flowspace says which part of the header space on which datapath
// belongs to which slice: the algebra of matches, the rules, their text, and
// the immutable, indexed snapshots that sessions look frames up in.
//
// Nothing in here knows OpenFlow on the wire; package fs10 converts to and from
// OpenFlow 1.0.
//
// The zero value of every match field means "any value": there are no sentinel
// values, so VLAN 0xffff, port 65535 and the broadcast MAC are ordinary ones.
package flowspace
