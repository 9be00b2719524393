package of10

import "encoding/hex"

// actionWords are ovs-ofctl's names of the actions, in the order of their types.
var actionWords = [numActions]string{
	"output", "mod_vlan_vid", "mod_vlan_pcp", "strip_vlan", "mod_dl_src", "mod_dl_dst",
	"mod_nw_src", "mod_nw_dst", "mod_nw_tos", "mod_tp_src", "mod_tp_dst", "enqueue",
}

// String returns ovs-ofctl's name of the action.
func (t ActionType) String() string {
	if t < numActions {
		return actionWords[t]
	}
	if t == ActionVendor {
		return "vendor"
	}
	var s text
	s.pair("action", int(t))
	return s.String()
}

// supportedActions are the words of `ovs-ofctl show`, in its order.
var supportedActions = []struct {
	bit  ActionType
	word string
}{
	{ActionOutput, "output"}, {ActionEnqueue, "enqueue"}, {ActionSetVLANVID, "set_vlan_vid"},
	{ActionSetVLANPCP, "set_vlan_pcp"}, {ActionStripVLAN, "strip_vlan"}, {ActionSetDLSrc, "mod_dl_src"},
	{ActionSetDLDst, "mod_dl_dst"}, {ActionSetNWSrc, "mod_nw_src"}, {ActionSetNWDst, "mod_nw_dst"},
	{ActionSetNWTos, "mod_nw_tos"}, {ActionSetTPSrc, "mod_tp_src"}, {ActionSetTPDst, "mod_tp_dst"},
}

// String returns the names of the actions, as `ovs-ofctl show` does.
func (s ActionSet) String() string {
	var t text
	for _, a := range supportedActions {
		if s.Has(a.bit) {
			t.str(" ")
			t.str(a.word)
		}
	}
	if rest := s &^ AllActions; rest != 0 {
		t.str(" ")
		t.hex(uint64(rest))
	}
	if len(t.b) == 0 {
		return ""
	}
	return string(t.b[1:])
}

// String returns the action as ovs-ofctl writes it. Vendor actions are
// "vendor:ID:HEX" and unknown ones "raw:HEX".
func (a Action) String() string {
	var t text
	t.action(&a)
	return t.String()
}

// ActionsString returns a list as ovs-ofctl writes it; "drop" for an empty one.
func ActionsString(list []Action) string {
	var t text
	t.actions(list)
	return t.String()
}

func (t *text) actions(list []Action) {
	if len(list) == 0 {
		t.str("drop")
	}
	for i := range list {
		if i > 0 {
			t.str(",")
		}
		t.action(&list[i])
	}
}

func (t *text) action(a *Action) {
	if a.Type >= numActions {
		t.rawAction(a)
		return
	}
	if a.Type == ActionOutput {
		t.output(a)
		return
	}
	t.str(actionWords[a.Type])
	if a.Type != ActionStripVLAN {
		t.str(":")
	}
	switch a.Type {
	case ActionSetVLANVID:
		t.dec(uint64(a.VLANVID))
	case ActionSetVLANPCP:
		t.dec(uint64(a.VLANPCP))
	case ActionSetDLSrc, ActionSetDLDst:
		t.b = a.DLAddr.Append(t.b)
	case ActionSetNWSrc, ActionSetNWDst:
		t.ipv4(a.NWAddr)
	case ActionSetNWTos:
		t.dec(uint64(a.NWTos))
	case ActionSetTPSrc, ActionSetTPDst:
		t.dec(uint64(a.TPPort))
	case ActionEnqueue:
		t.port(a.Port)
		t.str(":")
		t.dec(uint64(a.QueueID))
	}
}

func (t *text) output(a *Action) {
	switch {
	case a.Port == PortController:
		t.pair("CONTROLLER:", int(a.MaxLen))
	case a.Port == PortNone:
		t.str("output:NONE")
	case a.Port > PortMax && portNames[a.Port] != "":
		t.str(portNames[a.Port])
	default:
		t.str("output:")
		t.port(a.Port)
	}
}

func (t *text) rawAction(a *Action) {
	if a.Type == ActionVendor && len(a.Raw) >= 8 {
		t.str("vendor:")
		t.hex(uint64(a.Vendor()))
		t.str(":")
		t.b = hex.AppendEncode(t.b, a.Raw[8:])
		return
	}
	t.str("raw:")
	t.b = hex.AppendEncode(t.b, a.Raw)
}
