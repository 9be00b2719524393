package of10

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func usedFlowMod() Message {
	return &FlowMod{XID: 99, Match: tcpMatch(), Cookie: 99, Command: 99, IdleTimeout: 99, HardTimeout: 99, Priority: 99,
		BufferID: 99, OutPort: 99, Flags: 99, Actions: everyAction()}
}

func TestFlowModWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFlowMod,
		wireCase{"add, drop", &FlowMod{XID: 0x01020304, Match: MatchAll(), Priority: DefaultPriority, BufferID: NoBuffer, OutPort: PortNone}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
01 02 03 04              # xid` + wildMatchWire + `
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout
00 00                    # hard_timeout
80 00                    # priority 32768
ff ff ff ff              # buffer_id none
ff ff                    # out_port NONE
00 00                    # flags
`, "OFPT_FLOW_MOD (xid=0x1020304): ADD actions=drop"},
		wireCase{"modify, every field", &FlowMod{XID: 1, Match: dnsMatch(), Cookie: 0x0102030405060708, Command: FlowModify, IdleTimeout: 10,
			HardTimeout: 0x0203, Priority: 0x0405, BufferID: 0x06070809, OutPort: 7, Flags: FlowModCheckOverlap | FlowModEmerg,
			Actions: []Action{SetVLANVID(9), Output(PortController, 64)}}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 58                    # length 88
00 00 00 01              # xid` + dnsMatchWire + `
01 02 03 04 05 06 07 08  # cookie
00 01                    # command MODIFY
00 0a                    # idle_timeout 10
02 03                    # hard_timeout 515
04 05                    # priority 1029
06 07 08 09              # buffer_id
00 07                    # out_port 7
00 06                    # flags CHECK_OVERLAP, EMERG
00 01                    # action: type SET_VLAN_VID
00 08                    # action: length 8
00 09                    # action: vlan_vid 9
00 00                    # pad
00 00                    # action: type OUTPUT
00 08                    # action: length 8
ff fd                    # action: port CONTROLLER
00 40                    # action: max_len 64
`, "OFPT_FLOW_MOD (xid=0x1): MOD priority=1029,udp,in_port=LOCAL,dl_vlan_pcp=5,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02," +
			"nw_src=10.0.0.1,nw_dst=10.0.0.2/31,tp_dst=53 cookie:0x102030405060708 idle:10 hard:515 buf:0x6070809 out_port:7 " +
			"check_overlap emerg actions=mod_vlan_vid:9,CONTROLLER:64"},
		wireCase{"delete_strict of an exact flow", &FlowMod{XID: 2, Match: tcpMatch(), Command: FlowDeleteStrict, BufferID: NoBuffer, OutPort: PortController}, `
01                       # version 1.0
0e                       # type FLOW_MOD
00 48                    # length 72
00 00 00 02              # xid
00 00 00 00              # match: wildcards none
00 01                    # match: in_port 1
02 00 00 00 00 01        # match: dl_src
02 00 00 00 00 02        # match: dl_dst
ff ff                    # match: dl_vlan untagged
00                       # match: dl_vlan_pcp
00                       # pad
08 00                    # match: dl_type IPv4
00                       # match: nw_tos
06                       # match: nw_proto TCP
00 00                    # pad
0a 00 00 01              # match: nw_src
0a 00 00 02              # match: nw_dst
00 01                    # match: tp_src
00 02                    # match: tp_dst
00 00 00 00 00 00 00 00  # cookie
00 04                    # command DELETE_STRICT
00 00                    # idle_timeout
00 00                    # hard_timeout
00 00                    # priority 0
ff ff ff ff              # buffer_id none
ff fd                    # out_port CONTROLLER
00 00                    # flags
`, "OFPT_FLOW_MOD (xid=0x2): DEL_STRICT priority=0,tcp,in_port=1,vlan_tci=0x0000,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02," +
			"nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,tp_src=1,tp_dst=2 out_port:CONTROLLER actions=drop"},
	)
}

func TestFlowModFields(t *testing.T) {
	t.Parallel()
	gaps, fields := matchFieldsAt(8, func(m *FlowMod) *Match { return &m.Match })
	checkFields(t, &FlowMod{}, gaps, append(fields,
		wireField[*FlowMod]{"cookie", 48, 8, func(m *FlowMod, v uint64) { m.Cookie = v }},
		wireField[*FlowMod]{"command", 56, 2, func(m *FlowMod, v uint64) { m.Command = FlowModCommand(v) }},
		wireField[*FlowMod]{"idle_timeout", 58, 2, func(m *FlowMod, v uint64) { m.IdleTimeout = uint16(v) }},
		wireField[*FlowMod]{"hard_timeout", 60, 2, func(m *FlowMod, v uint64) { m.HardTimeout = uint16(v) }},
		wireField[*FlowMod]{"priority", 62, 2, func(m *FlowMod, v uint64) { m.Priority = uint16(v) }},
		wireField[*FlowMod]{"buffer_id", 64, 4, func(m *FlowMod, v uint64) { m.BufferID = uint32(v) }},
		wireField[*FlowMod]{"out_port", 68, 2, func(m *FlowMod, v uint64) { m.OutPort = Port(v) }},
		wireField[*FlowMod]{"flags", 70, 2, func(m *FlowMod, v uint64) { m.Flags = FlowModFlags(v) }},
	)...)
}

func TestFlowModBad(t *testing.T) {
	t.Parallel()
	const fixed = `00 00 00 07` + wildMatchWire + `
00 00 00 00 00 00 00 00  # cookie
00 00                    # command ADD
00 00                    # idle_timeout
00 00                    # hard_timeout
80 00                    # priority
ff ff ff ff              # buffer_id
ff ff                    # out_port
00 00                    # flags
`
	checkBad(t,
		badCase{"a byte short", "01 0e 00 47\n" + fixed[:len(fixed)-len("00                    # flags\n")], ErrorBadRequest, BadRequestBadLen},
		badCase{"version 2", "02 0e 00 48\n" + fixed, ErrorBadRequest, BadRequestBadVersion},
		badCase{"one byte of an action", "01 0e 00 49\n" + fixed + "00", ErrorBadAction, BadActionBadLen},
		badCase{"seven bytes of an action", "01 0e 00 4f\n" + fixed + "00 00 00 08 00 01 00", ErrorBadAction, BadActionBadLen},
		badCase{"an action of no length", "01 0e 00 50\n" + fixed + "00 00 00 00 00 01 00 00", ErrorBadAction, BadActionBadLen},
		badCase{"an action that ends behind the message", "01 0e 00 50\n" + fixed + "00 00 00 10 00 01 00 00", ErrorBadAction, BadActionBadLen},
		badCase{"an action of 65528 bytes", "01 0e 00 50\n" + fixed + "77 77 ff f8 00 01 00 00", ErrorBadAction, BadActionBadLen},
		badCase{"a good action, then a bad one", "01 0e 00 58\n" + fixed + "00 03 00 08 00 00 00 00  00 0b 00 08 00 01 00 00", ErrorBadAction, BadActionBadLen},
		badCase{"a vendor action without a vendor", "01 0e 00 4c\n" + fixed + "ff ff 00 04", ErrorBadAction, BadActionBadLen},
	)
}

// TestFlowModReuse: the action list of a used value is reused, and holds nothing of what
// was in it.
func TestFlowModReuse(t *testing.T) {
	t.Parallel()
	m := usedFlowMod().(*FlowMod)
	before := &m.Actions[0]
	want := []Action{StripVLAN(), Output(3, 4)}
	if err := m.UnmarshalBinary(encode(t, &FlowMod{Actions: want})); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, m.Actions); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if &m.Actions[0] != before {
		t.Error("a list that is long enough was not reused")
	}
	m.Actions = slices.Clip(m.Actions)
	if err := m.UnmarshalBinary(encode(t, &FlowMod{Actions: everyAction()})); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(everyAction(), m.Actions); d != "" {
		t.Errorf("a list that is too short (-want +got)\n%s", d)
	}
}

// TestFlowModLen: Len agrees with the sum of the actions at every number of them.
func TestFlowModLen(t *testing.T) {
	t.Parallel()
	all := everyAction()
	want := 72
	for n := range all {
		m := &FlowMod{Actions: all[:n]}
		if m.Len() != want || len(encode(t, m)) != want {
			t.Errorf("%d actions: Len %d, encoded %d, want %d", n, m.Len(), len(encode(t, m)), want)
		}
		want += []int{8, 8, 8, 8, 16, 16, 8, 8, 8, 8, 8, 16, 16, 8}[n]
	}
}

func TestFlowModCommandText(t *testing.T) {
	t.Parallel()
	for c, want := range map[FlowModCommand]string{FlowAdd: "ADD", FlowModify: "MOD", FlowModifyStrict: "MOD_STRICT", FlowDelete: "DEL",
		FlowDeleteStrict: "DEL_STRICT", 5: "cmd:5", 65535: "cmd:65535"} {
		if c.String() != want {
			t.Errorf("%d: %q, want %q", uint16(c), c, want)
		}
	}
}

// TestFlowModMostActions: the longest flow_mod goes through, one action more does not.
func TestFlowModMostActions(t *testing.T) {
	t.Parallel()
	list := make([]Action, (0xffff-flowModLen)/8)
	for i := range list {
		list[i] = SetTPSrc(uint16(i))
	}
	b := encode(t, &FlowMod{Actions: list})
	var m FlowMod
	if err := m.UnmarshalBinary(b); err != nil || !ActionsEqual(list, m.Actions) {
		t.Errorf("%d actions in %d bytes: %v", len(list), len(b), err)
	}
	if b, err := (&FlowMod{Actions: append(list, StripVLAN())}).AppendBinary(nil); err == nil {
		t.Errorf("%d actions encode to %d bytes", len(list)+1, len(b))
	}
}
