// Package of10 is the OpenFlow 1.0 codec: every message, match, action and statistics
// body, to and from bytes and ovs-ofctl text.
//
// Decoding checks every length before use and leaves the receiver as it was when it
// fails. Byte slices in decoded values (Data, Body, Raw) alias the input; who keeps a
// value longer than the input copies them. Decoding into a used value reuses its action
// list. What this version of the protocol does not know (message types, actions,
// statistics, vendor bodies, error types) is kept raw and encodes to the same bytes.
// Padding is written as zeros.
//
// [Parse] makes a new message; UnmarshalBinary decodes into a used one, which for
// PacketIn, PacketOut and FlowMod allocates nothing. [XID], [PutXID] and their kind read
// and overwrite fields of a frame that is not decoded at all. [ParseFlow], [ParseMatch] and
// [ParseActionList] read what String and FlowText print.
//
// A decode error that the peer should hear about is an [*Error], ready to be sent.
package of10
