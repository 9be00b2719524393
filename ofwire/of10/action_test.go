package of10

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// TestActionWire is every action type: bytes, text and constructor.
func TestActionWire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a    Action
		wire string
		text string
	}{
		{Output(1, 0), "00 00 # OUTPUT\n00 08 # length\n00 01 # port\n00 00 # max_len", "output:1"},
		{Output(PortController, 0xffff), "00 00 # OUTPUT\n00 08 # length\nff fd # port\nff ff # max_len", "CONTROLLER:65535"},
		{Output(PortInPort, 0), "00 00 # OUTPUT\n00 08 # length\nff f8 # port\n00 00 # max_len", "IN_PORT"},
		{Output(PortTable, 0), "00 00 # OUTPUT\n00 08 # length\nff f9 # port\n00 00 # max_len", "TABLE"},
		{Output(PortNormal, 0), "00 00 # OUTPUT\n00 08 # length\nff fa # port\n00 00 # max_len", "NORMAL"},
		{Output(PortFlood, 0), "00 00 # OUTPUT\n00 08 # length\nff fb # port\n00 00 # max_len", "FLOOD"},
		{Output(PortAll, 0), "00 00 # OUTPUT\n00 08 # length\nff fc # port\n00 00 # max_len", "ALL"},
		{Output(PortLocal, 0), "00 00 # OUTPUT\n00 08 # length\nff fe # port\n00 00 # max_len", "LOCAL"},
		{Output(PortNone, 0), "00 00 # OUTPUT\n00 08 # length\nff ff # port\n00 00 # max_len", "output:NONE"},
		{Output(0xff01, 0), "00 00 # OUTPUT\n00 08 # length\nff 01 # port, reserved without a name\n00 00 # max_len", "output:65281"},
		{SetVLANVID(0x0fff), "00 01 # SET_VLAN_VID\n00 08 # length\n0f ff # vlan_vid\n00 00 # pad", "mod_vlan_vid:4095"},
		{SetVLANPCP(7), "00 02 # SET_VLAN_PCP\n00 08 # length\n07 # vlan_pcp\n00 00 00 # pad", "mod_vlan_pcp:7"},
		{StripVLAN(), "00 03 # STRIP_VLAN\n00 08 # length\n00 00 00 00 # pad", "strip_vlan"},
		{SetDLSrc(mac(1)), "00 04 # SET_DL_SRC\n00 10 # length\n02 00 00 00 00 01 # dl_addr\n00 00 00 00 00 00 # pad", "mod_dl_src:02:00:00:00:00:01"},
		{SetDLDst(ofwire.Broadcast), "00 05 # SET_DL_DST\n00 10 # length\nff ff ff ff ff ff # dl_addr\n00 00 00 00 00 00 # pad", "mod_dl_dst:ff:ff:ff:ff:ff:ff"},
		{SetNWSrc(0x0a000001), "00 06 # SET_NW_SRC\n00 08 # length\n0a 00 00 01 # nw_addr", "mod_nw_src:10.0.0.1"},
		{SetNWDst(0xffffffff), "00 07 # SET_NW_DST\n00 08 # length\nff ff ff ff # nw_addr", "mod_nw_dst:255.255.255.255"},
		{SetNWTos(0xfc), "00 08 # SET_NW_TOS\n00 08 # length\nfc # nw_tos\n00 00 00 # pad", "mod_nw_tos:252"},
		{SetTPSrc(0xffff), "00 09 # SET_TP_SRC\n00 08 # length\nff ff # tp_port\n00 00 # pad", "mod_tp_src:65535"},
		{SetTPDst(0), "00 0a # SET_TP_DST\n00 08 # length\n00 00 # tp_port\n00 00 # pad", "mod_tp_dst:0"},
		{Enqueue(3, 0xffffffff), "00 0b # ENQUEUE\n00 10 # length\n00 03 # port\n00 00 00 00 00 00 # pad\nff ff ff ff # queue_id", "enqueue:3:4294967295"},
		{VendorAction(VendorNicira, nil), "ff ff # VENDOR\n00 08 # length\n00 00 23 20 # vendor", "vendor:0x2320:"},
		{VendorAction(0xffffffff, []byte{1, 2, 3, 4, 5, 6, 7, 8}), "ff ff # VENDOR\n00 10 # length\nff ff ff ff # vendor\n01 02 03 04 05 06 07 08 # body", "vendor:0xffffffff:0102030405060708"},
		{Action{Type: 12, Raw: []byte{0, 12, 0, 8, 1, 2, 3, 4}}, "00 0c # first unknown type\n00 08 # length\n01 02 03 04 # body", "raw:000c000801020304"},
		{Action{Type: 0xfffe, Raw: []byte{0xff, 0xfe, 0, 8, 0, 0, 0, 0}}, "ff fe # last unknown type\n00 08 # length\n00 00 00 00 # body", "raw:fffe000800000000"},
	} {
		b := unannotate(t, c.wire)
		if got, err := AppendActions(nil, []Action{c.a}); err != nil || !bytes.Equal(b, got) {
			t.Errorf("%s: encodes to %x, %v, want %x", c.text, got, err, b)
		}
		if c.a.Len() != len(b) {
			t.Errorf("%s: Len %d, want %d", c.text, c.a.Len(), len(b))
		}
		got, err := ParseActions(b, nil)
		if d := cmp.Diff([]Action{c.a}, got); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got)\n%s", c.text, err, d)
		}
		if c.a.String() != c.text {
			t.Errorf("%s: prints %q", c.text, c.a)
		}
		if back, err := ParseActionList(c.text); err != nil || !ActionsEqual(got, back) {
			t.Errorf("%s: reads as %v, %v", c.text, back, err)
		}
		for n := 1; n < len(b); n++ {
			if list, err := ParseActions(b[:n], nil); !errors.Is(err, NewError(ErrorBadAction, BadActionBadLen, nil)) || list != nil {
				t.Errorf("%s: %d of %d bytes: %v, %v", c.text, n, len(b), list, err)
			}
		}
	}
}

// TestActionLengths: each standard type has one length, the others any multiple of eight.
func TestActionLengths(t *testing.T) {
	t.Parallel()
	long := map[ActionType]int{ActionSetDLSrc: 16, ActionSetDLDst: 16, ActionEnqueue: 16}
	for typ := range ActionType(14) {
		for length := range 40 {
			b := make([]byte, max(length, 8))
			be.PutUint16(b, uint16(typ))
			be.PutUint16(b[2:], uint16(length))
			want := length == max(long[typ], 8)
			if typ >= numActions {
				want = length >= 8 && length%8 == 0
			}
			list, err := ParseActions(b, nil)
			if (err == nil) != want {
				t.Errorf("%v of %d bytes: %v, %v", typ, length, list, err)
			}
			if err != nil && !errors.Is(err, NewError(ErrorBadAction, BadActionBadLen, nil)) {
				t.Errorf("%v of %d bytes: %v, want BAD_LEN", typ, length, err)
			}
		}
	}
}

// TestActionPadding: ones in the padding change nothing and are not sent on.
func TestActionPadding(t *testing.T) {
	t.Parallel()
	pad := map[ActionType]gap{ActionSetVLANVID: {6, 2}, ActionSetVLANPCP: {5, 3}, ActionStripVLAN: {4, 4}, ActionSetDLSrc: {10, 6}, ActionSetDLDst: {10, 6},
		ActionSetNWTos: {5, 3}, ActionSetTPSrc: {6, 2}, ActionSetTPDst: {6, 2}, ActionEnqueue: {6, 6}}
	for _, a := range everyAction() {
		clean, err := AppendActions(nil, []Action{a})
		if err != nil {
			t.Fatal(err)
		}
		dirty := bytes.Clone(clean)
		g := pad[a.Type]
		for i := g.at; i < g.at+g.size; i++ {
			dirty[i] = 0xff
		}
		list, err := ParseActions(dirty, nil)
		if d := cmp.Diff([]Action{a}, list); err != nil || d != "" {
			t.Errorf("%v: %v (-want +got)\n%s", a, err, d)
		}
	}
}

// TestActionEqual: every action equals itself and no other, and each field counts.
func TestActionEqual(t *testing.T) {
	t.Parallel()
	list := append(everyAction(), Output(PortController, 129), Output(1, 128), SetVLANVID(21), SetVLANPCP(6), SetDLSrc(mac(4)), SetDLDst(mac(3)), SetNWSrc(1),
		SetNWDst(1), SetNWTos(4), SetTPSrc(81), SetTPDst(81), Enqueue(2, 8), Enqueue(3, 7), VendorAction(VendorNicira, nil), VendorAction(1, nil), Action{})
	for i := range list {
		for j := range list {
			if got := list[i].Equal(&list[j]); got != (i == j) {
				t.Errorf("%v equals %v: %v", list[i], list[j], got)
			}
			same := bytes.Equal(mustAppend(t, list[i]), mustAppend(t, list[j]))
			if same != (i == j) {
				t.Errorf("%v and %v have the same bytes: %v", list[i], list[j], same)
			}
		}
		if c := CloneActions(list[i : i+1]); !ActionsEqual(c, list[i:i+1]) {
			t.Errorf("the clone of %v is %v", list[i], c)
		}
	}
}

func mustAppend(t *testing.T, a Action) []byte {
	t.Helper()
	b, err := AppendActions(nil, []Action{a})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRawActionRefused: what a raw action states has to be what it is.
func TestRawActionRefused(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]Action{
		"no bytes":          {Type: 100},
		"empty":             {Type: 100, Raw: []byte{}},
		"four bytes":        {Type: 100, Raw: []byte{0, 100, 0, 4}},
		"twelve bytes":      {Type: 100, Raw: []byte{0, 100, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0}},
		"another type":      {Type: 100, Raw: []byte{0, 101, 0, 8, 0, 0, 0, 0}},
		"a standard type":   {Type: 100, Raw: []byte{0, 0, 0, 8, 0, 1, 0, 0}},
		"length too long":   {Type: 100, Raw: []byte{0, 100, 0, 16, 0, 0, 0, 0}},
		"length too short":  {Type: 100, Raw: []byte{0, 100, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"unaligned vendor":  VendorAction(1, []byte{1}),
		"vendor too long":   VendorAction(1, make([]byte, 0x10000-8)),
		"vendor of 4 bytes": {Type: ActionVendor, Raw: []byte{0xff, 0xff, 0, 4}},
	} {
		before := []byte("before")
		if b, err := AppendActions(before, []Action{Output(1, 0), a}); err == nil || string(b) != "before" {
			t.Errorf("%s: encodes to %x, %v", name, b, err)
		}
	}
}

func TestActionTypeText(t *testing.T) {
	t.Parallel()
	for typ, want := range map[ActionType]string{0: "output", 1: "mod_vlan_vid", 2: "mod_vlan_pcp", 3: "strip_vlan", 4: "mod_dl_src", 5: "mod_dl_dst",
		6: "mod_nw_src", 7: "mod_nw_dst", 8: "mod_nw_tos", 9: "mod_tp_src", 10: "mod_tp_dst", 11: "enqueue", 12: "action12", 0xfffe: "action65534", 0xffff: "vendor"} {
		if typ.String() != want {
			t.Errorf("%d: %q, want %q", uint16(typ), typ, want)
		}
	}
}

// TestActionValueText: each value an action's field can have in text comes back.
func TestActionValueText(t *testing.T) {
	t.Parallel()
	for v := range 1 << 16 {
		if v > 4200 && v < 0xfe00 && v%97 != 0 {
			continue
		}
		list := []Action{SetTPSrc(uint16(v)), SetTPDst(uint16(v)), Output(Port(v), 0), Output(PortController, uint16(v)), Enqueue(Port(v), uint32(v)<<16), SetNWSrc(uint32(v) * 65537)}
		if Port(v) == PortController {
			list[2].MaxLen = 0xffff
		}
		if v < 4096 {
			list = append(list, SetVLANVID(uint16(v)), SetVLANPCP(uint8(v&7)), SetNWTos(uint8(v&0xfc)))
		}
		text := ActionsString(list)
		if back, err := ParseActionList(text); err != nil || !ActionsEqual(list, back) {
			t.Fatalf("%s reads as %v, %v", text, back, err)
		}
	}
	for _, bad := range []string{"mod_vlan_vid:4096", "mod_vlan_pcp:8", "mod_nw_tos:1", "mod_nw_tos:2", "mod_nw_tos:255", "mod_tp_src:-1", "enqueue:1:4294967296",
		"enqueue:65536:1", "CONTROLLER:65536", "mod_nw_src:1.2.3", "mod_nw_dst:1.2.3.256", "mod_dl_src:1:2:3:4:5:100"} {
		if list, err := ParseActionList(bad); err == nil {
			t.Errorf("%s reads as %v", bad, list)
		}
	}
}

func TestEveryPortText(t *testing.T) {
	t.Parallel()
	for p := range 1 << 16 {
		s := Port(p).String()
		if back, err := ParsePort(s); err != nil || back != Port(p) {
			t.Fatalf("%d prints %q, which reads as %v, %v", p, s, back, err)
		}
		if want := p >= 1 && p <= 0xff00; Port(p).IsPhysical() != want {
			t.Fatalf("%d: physical %v", p, !want)
		}
		if hex, err := ParsePort(fmt.Sprintf("%#x", p)); err != nil || hex != Port(p) {
			t.Fatalf("%#x reads as %v, %v", p, hex, err)
		}
	}
	for _, bad := range []string{"", "65536", "-1", "+1", "1.0", "0x", "0x10000", "localhost", `""`, `"`, "IN PORT", " 1"} {
		if p, err := ParsePort(bad); err == nil {
			t.Errorf("%q reads as %v", bad, p)
		}
	}
}
