package of10

import (
	"bytes"
	"fmt"

	"github.com/govisor/govisor/ofwire"
)

// ActionType is the kind of an Action (section 5.2.4).
type ActionType uint16

// Action types.
const (
	ActionOutput ActionType = iota
	ActionSetVLANVID
	ActionSetVLANPCP
	ActionStripVLAN
	ActionSetDLSrc
	ActionSetDLDst
	ActionSetNWSrc
	ActionSetNWDst
	ActionSetNWTos
	ActionSetTPSrc
	ActionSetTPDst
	ActionEnqueue
	numActions
	ActionVendor ActionType = 0xffff
)

// Action is one action. It is one flat struct, so that lists decode without allocating;
// the comment of each field names the types that use it. The others are zero.
type Action struct {
	Type    ActionType
	Port    Port       // Output, Enqueue
	MaxLen  uint16     // Output to PortController: bytes to send
	VLANVID uint16     // SetVLANVID
	TPPort  uint16     // SetTPSrc, SetTPDst
	DLAddr  ofwire.MAC // SetDLSrc, SetDLDst
	VLANPCP uint8      // SetVLANPCP
	NWTos   uint8      // SetNWTos, upper six bits in place
	QueueID uint32     // Enqueue
	NWAddr  uint32     // SetNWSrc, SetNWDst
	// Raw is the whole action, header included, of ActionVendor and of unknown types. It
	// aliases the input after decoding.
	Raw []byte
}

// Output sends the frame out of a port; maxLen counts only for PortController.
func Output(port Port, maxLen uint16) Action {
	return Action{Type: ActionOutput, Port: port, MaxLen: maxLen}
}

// SetVLANVID sets the VLAN id, with a new tag if there is none.
func SetVLANVID(vid uint16) Action { return Action{Type: ActionSetVLANVID, VLANVID: vid} }

// SetVLANPCP sets the VLAN priority, with a new tag if there is none.
func SetVLANPCP(pcp uint8) Action { return Action{Type: ActionSetVLANPCP, VLANPCP: pcp} }

// StripVLAN removes the VLAN tag.
func StripVLAN() Action { return Action{Type: ActionStripVLAN} }

// SetDLSrc sets the Ethernet source.
func SetDLSrc(a ofwire.MAC) Action { return Action{Type: ActionSetDLSrc, DLAddr: a} }

// SetDLDst sets the Ethernet destination.
func SetDLDst(a ofwire.MAC) Action { return Action{Type: ActionSetDLDst, DLAddr: a} }

// SetNWSrc sets the IPv4 source.
func SetNWSrc(a uint32) Action { return Action{Type: ActionSetNWSrc, NWAddr: a} }

// SetNWDst sets the IPv4 destination.
func SetNWDst(a uint32) Action { return Action{Type: ActionSetNWDst, NWAddr: a} }

// SetNWTos sets the DSCP; the value is the ToS byte with its two low bits zero.
func SetNWTos(tos uint8) Action { return Action{Type: ActionSetNWTos, NWTos: tos} }

// SetTPSrc sets the TCP or UDP source port.
func SetTPSrc(p uint16) Action { return Action{Type: ActionSetTPSrc, TPPort: p} }

// SetTPDst sets the TCP or UDP destination port.
func SetTPDst(p uint16) Action { return Action{Type: ActionSetTPDst, TPPort: p} }

// Enqueue sends the frame through a queue of a port.
func Enqueue(port Port, queue uint32) Action {
	return Action{Type: ActionEnqueue, Port: port, QueueID: queue}
}

// VendorAction makes a vendor action; body follows the vendor id and must make the whole
// a multiple of eight bytes.
func VendorAction(vendor uint32, body []byte) Action {
	raw := be.AppendUint16(nil, uint16(ActionVendor))
	raw = be.AppendUint16(raw, uint16(8+len(body)))
	raw = be.AppendUint32(raw, vendor)
	return Action{Type: ActionVendor, Raw: append(raw, body...)}
}

// Vendor is the vendor id of an ActionVendor, 0 of others.
func (a *Action) Vendor() uint32 {
	if a.Type != ActionVendor || len(a.Raw) < 8 {
		return 0
	}
	return be.Uint32(a.Raw[4:])
}

// Equal reports whether both encode to the same bytes.
func (a *Action) Equal(o *Action) bool {
	return a.Type == o.Type && a.Port == o.Port && a.MaxLen == o.MaxLen && a.VLANVID == o.VLANVID &&
		a.TPPort == o.TPPort && a.DLAddr == o.DLAddr && a.VLANPCP == o.VLANPCP && a.NWTos == o.NWTos &&
		a.QueueID == o.QueueID && a.NWAddr == o.NWAddr && bytes.Equal(a.Raw, o.Raw)
}

// ActionsEqual reports whether two lists are equal, action by action.
func ActionsEqual(a, b []Action) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].Equal(&b[i]) {
			return false
		}
	}
	return true
}

// CloneActions copies a list with its raw actions, so that it no longer aliases a frame.
func CloneActions(list []Action) []Action {
	if len(list) == 0 {
		return nil
	}
	c := append([]Action(nil), list...)
	for i := range c {
		c[i].Raw = bytes.Clone(c[i].Raw)
	}
	return c
}

// actionLens are the sizes of the standard actions.
var actionLens = [numActions]uint8{
	ActionOutput: 8, ActionSetVLANVID: 8, ActionSetVLANPCP: 8, ActionStripVLAN: 8,
	ActionSetDLSrc: 16, ActionSetDLDst: 16, ActionSetNWSrc: 8, ActionSetNWDst: 8,
	ActionSetNWTos: 8, ActionSetTPSrc: 8, ActionSetTPDst: 8, ActionEnqueue: 16,
}

// Len returns the encoded size in bytes.
func (a *Action) Len() int {
	if a.Type < numActions {
		return int(actionLens[a.Type])
	}
	return len(a.Raw)
}

// ActionsLen returns the encoded size of a list in bytes.
func ActionsLen(list []Action) int {
	n := 0
	for i := range list {
		n += list[i].Len()
	}
	return n
}

// AppendActions adds the encoded list to b. It fails if a raw action's bytes do not state
// its type and length.
func AppendActions(b []byte, list []Action) ([]byte, error) {
	start := b
	for i := range list {
		a := &list[i]
		if a.Type >= numActions {
			if n := len(a.Raw); n < 8 || n%8 != 0 || be.Uint16(a.Raw) != uint16(a.Type) || int(be.Uint16(a.Raw[2:])) != n {
				return start, fmt.Errorf("action %d of type %d: raw bytes do not state this type and length", i, a.Type)
			}
			b = append(b, a.Raw...)
			continue
		}
		b = a.append(b)
	}
	return b, nil
}

// append encodes a standard action.
func (a *Action) append(b []byte) []byte {
	b = be.AppendUint16(b, uint16(a.Type))
	b = be.AppendUint16(b, uint16(actionLens[a.Type]))
	switch a.Type {
	case ActionOutput:
		b = be.AppendUint16(b, uint16(a.Port))
		b = be.AppendUint16(b, a.MaxLen)
	case ActionSetVLANVID:
		b = be.AppendUint16(b, a.VLANVID)
		b = append(b, 0, 0)
	case ActionSetVLANPCP:
		b = append(b, a.VLANPCP, 0, 0, 0)
	case ActionStripVLAN:
		b = append(b, 0, 0, 0, 0)
	case ActionSetDLSrc, ActionSetDLDst:
		b = append(b, a.DLAddr[:]...)
		b = append(b, pads[:6]...)
	case ActionSetNWSrc, ActionSetNWDst:
		b = be.AppendUint32(b, a.NWAddr)
	case ActionSetNWTos:
		b = append(b, a.NWTos, 0, 0, 0)
	case ActionSetTPSrc, ActionSetTPDst:
		b = be.AppendUint16(b, a.TPPort)
		b = append(b, 0, 0)
	case ActionEnqueue:
		b = be.AppendUint16(b, uint16(a.Port))
		b = append(b, pads[:6]...)
		b = be.AppendUint32(b, a.QueueID)
	}
	return b
}

// ParseActions decodes a whole list and appends it to dst. The error is an *Error without
// xid and data; dst is returned as it was. Raw actions alias b.
func ParseActions(b []byte, dst []Action) ([]Action, error) {
	if code, ok := checkActions(b); !ok {
		return dst, NewError(ErrorBadAction, code, nil)
	}
	return appendParsed(dst, b), nil
}

// checkActions walks a list and returns the code of ErrorBadAction when a length is wrong.
func checkActions(b []byte) (code uint16, ok bool) {
	for len(b) > 0 {
		if len(b) < 8 {
			return BadActionBadLen, false
		}
		n := int(be.Uint16(b[2:]))
		if n < 8 || n%8 != 0 || n > len(b) {
			return BadActionBadLen, false
		}
		if t := be.Uint16(b); t < uint16(numActions) && n != int(actionLens[t]) {
			return BadActionBadLen, false
		}
		b = b[n:]
	}
	return 0, true
}

// appendParsed decodes a list that checkActions has passed.
func appendParsed(dst []Action, b []byte) []Action {
	for len(b) >= 8 {
		n := int(be.Uint16(b[2:]))
		dst = append(dst, Action{Type: ActionType(be.Uint16(b))})
		dst[len(dst)-1].decode(b[:n:n])
		b = b[n:]
	}
	return dst
}

// decode fills a, whose type is set, from an action of the right length.
func (a *Action) decode(b []byte) {
	switch a.Type {
	case ActionOutput:
		a.Port, a.MaxLen = Port(be.Uint16(b[4:])), be.Uint16(b[6:])
	case ActionSetVLANVID:
		a.VLANVID = be.Uint16(b[4:])
	case ActionSetVLANPCP:
		a.VLANPCP = b[4]
	case ActionStripVLAN:
	case ActionSetDLSrc, ActionSetDLDst:
		a.DLAddr = ofwire.MAC(b[4:10])
	case ActionSetNWSrc, ActionSetNWDst:
		a.NWAddr = be.Uint32(b[4:])
	case ActionSetNWTos:
		a.NWTos = b[4]
	case ActionSetTPSrc, ActionSetTPDst:
		a.TPPort = be.Uint16(b[4:])
	case ActionEnqueue:
		a.Port, a.QueueID = Port(be.Uint16(b[4:])), be.Uint32(b[12:])
	default:
		a.Raw = b
	}
}
