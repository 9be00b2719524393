// Package ofwire holds what every OpenFlow version has in common on the wire: the
// header, framing, version negotiation, datapath ids, MAC addresses, connection
// targets and in-memory pipes. Messages of one version live in a sub-package.
//
// Frames are byte slices that hold one whole message, header included. A frame
// returned by [Reader.Next] aliases the reader's buffer and is valid until the next
// call; who keeps it longer copies it.
package ofwire
