package of10

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// frameOf is a frame of the given type around a hexadecimal body; spaces are ignored.
func frameOf(t *testing.T, typ Type, body string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(body, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	h := ofwire.Header{Version: 1, Type: uint8(typ), Length: uint16(headerLen + len(b)), XID: 0xabcd}
	return append(h.Append(nil), b...)
}

// TestDecodeErrors: what the peer is told about each kind of nonsense.
func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	match := strings.Repeat("00", MatchLen)
	flowMod := match + strings.Repeat("00", flowModLen-headerLen-MatchLen)
	flowStats := func(length string, actions string) string {
		return "0001 0000" + length + "0000" + match + strings.Repeat("00", 44) + actions
	}
	type code = struct {
		typ  ErrorType
		code uint16
	}
	badLen := code{ErrorBadRequest, BadRequestBadLen}
	badAction := code{ErrorBadAction, BadActionBadLen}
	for _, c := range []struct {
		name string
		typ  Type
		body string
		want code
	}{
		{"features_request with a body", TypeFeaturesRequest, "00", badLen},
		{"get_config_request with a body", TypeGetConfigRequest, "00", badLen},
		{"barrier_request with a body", TypeBarrierRequest, "0000", badLen},
		{"barrier_reply with a body", TypeBarrierReply, "00", badLen},
		{"set_config too long", TypeSetConfig, "0000 0000 00", badLen},
		{"set_config too short", TypeSetConfig, "0000 00", badLen},
		{"get_config_reply too long", TypeGetConfigReply, "0000 0000 00", badLen},
		{"error without code", TypeError, "0000", badLen},
		{"vendor without id", TypeVendor, "000023", badLen},
		{"features_reply with half a port", TypeFeaturesReply, strings.Repeat("00", 24+47), badLen},
		{"packet_in without reason", TypePacketIn, strings.Repeat("00", 8), badLen},
		{"flow_removed too long", TypeFlowRemoved, strings.Repeat("00", 81), badLen},
		{"port_status too long", TypePortStatus, strings.Repeat("00", 57), badLen},
		{"port_mod too short", TypePortMod, strings.Repeat("00", 23), badLen},
		{"packet_out with actions_len over the end", TypePacketOut, "ffffffff 0001 0009 0000000800010000", badLen},
		{"packet_out with an unaligned list", TypePacketOut, "ffffffff 0001 0007 0000000800010000", badAction},
		{"action length 0", TypeFlowMod, flowMod + "0000 0000 0001 0000", badAction},
		{"action length 4", TypeFlowMod, flowMod + "0000 0004 0001 0000", badAction},
		{"action length 12", TypeFlowMod, flowMod + "0000 000c 0001 0000 00000000", badAction},
		{"output of 16 bytes", TypeFlowMod, flowMod + "0000 0010 0001 0000 0000000000000000", badAction},
		{"set_dl_src of 8 bytes", TypeFlowMod, flowMod + "0004 0008 0001 0000", badAction},
		{"action over the end", TypeFlowMod, flowMod + "0000 0010 0001 0000", badAction},
		{"unknown action of 12 bytes", TypeFlowMod, flowMod + "1234 000c 0001 0000 00000000", badAction},
		{"second action bad", TypeFlowMod, flowMod + "0003 0008 0000 0000 0000 0000 0000 0000", badAction},
		{"half an action", TypeFlowMod, flowMod + "0000 0008", badAction},
		{"desc request with a body", TypeStatsRequest, "0000 0000 00", badLen},
		{"table request with a body", TypeStatsRequest, "0003 0000 00", badLen},
		{"flow request too short", TypeStatsRequest, "0001 0000" + match + "ff0000", badLen},
		{"aggregate request too long", TypeStatsRequest, "0002 0000" + match + "ff00000000", badLen},
		{"port request too short", TypeStatsRequest, "0004 0000 0001", badLen},
		{"queue request too long", TypeStatsRequest, "0005 0000 0001 0000 00000001 00", badLen},
		{"vendor request without id", TypeStatsRequest, "ffff 0000 0000", badLen},
		{"desc reply too short", TypeStatsReply, "0000 0000" + strings.Repeat("00", descStatsLen-1), badLen},
		{"aggregate reply too short", TypeStatsReply, "0002 0000" + strings.Repeat("00", 23), badLen},
		{"table reply with half a table", TypeStatsReply, "0003 0000" + strings.Repeat("00", 96), badLen},
		{"port reply with half a port", TypeStatsReply, "0004 0000" + strings.Repeat("00", 103), badLen},
		{"queue reply with half a queue", TypeStatsReply, "0005 0000" + strings.Repeat("00", 33), badLen},
		{"vendor reply without id", TypeStatsReply, "ffff 0000", badLen},
		{"flow reply with half a flow", TypeStatsReply, "0001 0000" + strings.Repeat("00", 87), badLen},
		{"flow of 87 bytes", TypeStatsReply, flowStats("0057", ""), badLen},
		{"flow over the end", TypeStatsReply, flowStats("0059", ""), badLen},
		{"flow with a bad action", TypeStatsReply, flowStats("0060", "0000 0000 0001 0000"), badAction},
		{"queue request without pad", TypeQueueGetConfigRequest, "0001", badLen},
		{"queue shorter than its header", TypeQueueGetConfigReply, "0001 000000000000 00000007 0007 0000", badLen},
		{"queue over the end", TypeQueueGetConfigReply, "0001 000000000000 00000007 0009 0000", badLen},
		{"half a queue", TypeQueueGetConfigReply, "0001 000000000000 00000007", badLen},
		{"half a property", TypeQueueGetConfigReply, "0001 000000000000 00000007 000c 0000 00010010", badLen},
		{"property shorter than its header", TypeQueueGetConfigReply, "0001 000000000000 00000007 0010 0000 0009000700000000", badLen},
		{"property of length 0", TypeQueueGetConfigReply, "0001 000000000000 00000007 0010 0000 0009000000000000", badLen},
		{"property over the end", TypeQueueGetConfigReply, "0001 000000000000 00000007 0010 0000 0009000900000000", badLen},
		{"min_rate of 8 bytes", TypeQueueGetConfigReply, "0001 000000000000 00000007 0010 0000 0001000800000000", badLen},
	} {
		b := frameOf(t, c.typ, c.body)
		m, err := Parse(b)
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("%s: %v, %v; want an *Error", c.name, m, err)
			continue
		}
		want := &Error{XID: 0xabcd, ErrType: c.want.typ, Code: c.want.code, Data: b}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
		if !ofwire.SpoilsMessage(err) {
			t.Errorf("%s: spoils the connection", c.name)
		}
		b[4] ^= 0xff
		if got.Data[4] == b[4] {
			t.Errorf("%s: the error aliases the frame", c.name)
		}
	}
}

// TestFrameErrors: what cannot be answered spoils the connection.
func TestFrameErrors(t *testing.T) {
	t.Parallel()
	echo := encodeOrPanic(&EchoRequest{XID: 1, Data: []byte{1, 2}})
	version := func(v byte, b []byte) []byte {
		b = bytes.Clone(b)
		b[0] = v
		return b
	}
	short := bytes.Clone(echo)
	short[3] = 7
	for _, c := range []struct {
		name  string
		frame []byte
		want  error
		scope ofwire.Scope
	}{
		{"nothing", nil, ofwire.ErrShort, ofwire.ScopeConnection},
		{"seven bytes", echo[:7], ofwire.ErrShort, ofwire.ScopeConnection},
		{"cut", echo[:9], ofwire.ErrShort, ofwire.ScopeConnection},
		{"too long", append(bytes.Clone(echo), 0), ofwire.ErrLength, ofwire.ScopeConnection},
		{"length 7", short, ofwire.ErrLength, ofwire.ScopeConnection},
		{"version 4", version(4, echo), &Error{ErrType: ErrorBadRequest, Code: BadRequestBadVersion}, ofwire.ScopeMessage},
		{"unknown type of version 4", version(4, encodeOrPanic(&Unknown{RawType: 40})), &Error{ErrType: ErrorBadRequest, Code: BadRequestBadVersion}, ofwire.ScopeMessage},
		{"hello of version 0", version(0, encodeOrPanic(&Hello{})), &Error{ErrType: ErrorHelloFailed, Code: HelloFailedIncompatible}, ofwire.ScopeConnection},
	} {
		m, err := Parse(c.frame)
		if !errors.Is(err, c.want) || m != nil {
			t.Errorf("%s: %v, %v; want %v", c.name, m, err, c.want)
		}
		if got := ofwire.ScopeOf(err); got != c.scope {
			t.Errorf("%s: spoils the %v, want the %v", c.name, got, c.scope)
		}
	}
	var request EchoReply
	if err := request.UnmarshalBinary(echo); !errors.Is(err, &Error{ErrType: ErrorBadRequest, Code: BadRequestBadType}) {
		t.Errorf("an echo_request decodes as an echo_reply: %v", err)
	}
}

func TestNewError(t *testing.T) {
	t.Parallel()
	if d := cmp.Diff(&Error{ErrType: ErrorBadAction, Code: BadActionEPerm}, NewError(ErrorBadAction, BadActionEPerm, nil)); d != "" {
		t.Errorf("without a message (-want +got)\n%s", d)
	}
	whole := make([]byte, ofwire.MaxFrameLen)
	whole[0], whole[2], whole[3], whole[7] = 1, 0xff, 0xff, 9
	e := NewError(ErrorBadRequest, BadRequestBadLen, whole)
	if e.XID != 9 || len(e.Data) != ofwire.MaxFrameLen-errorLen || e.Len() != ofwire.MaxFrameLen {
		t.Errorf("xid %d, %d bytes of data", e.XID, len(e.Data))
	}
	encode(t, e)
	wrapped := fmt.Errorf("slice blue: %w", e)
	if !errors.Is(wrapped, NewError(ErrorBadRequest, BadRequestBadLen, nil)) || errors.Is(wrapped, NewError(ErrorBadRequest, BadRequestBadStat, nil)) {
		t.Error("errors.Is does not go by type and code")
	}
	if got, want := e.Error(), "of10: OFPBRC_BAD_LEN"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestErrorNames holds the names to the evidence: type/code and what Open vSwitch prints.
func TestErrorNames(t *testing.T) {
	t.Parallel()
	for _, line := range strings.Split(`0/0 OFPHFC_INCOMPATIBLE;0/1 OFPHFC_EPERM;1/0 OFPBRC_BAD_VERSION;1/1 OFPBRC_BAD_TYPE;
1/2 OFPBRC_BAD_STAT;1/3 OFPBRC_BAD_VENDOR;1/4 OFPBRC_BAD_SUBTYPE;1/5 OFPBRC_EPERM;1/6 OFPBRC_BAD_LEN;1/7 OFPBRC_BUFFER_EMPTY;
1/8 OFPBRC_BUFFER_UNKNOWN;2/0 OFPBAC_BAD_TYPE;2/1 OFPBAC_BAD_LEN;2/2 OFPBAC_BAD_VENDOR;2/3 OFPBAC_BAD_VENDOR_TYPE;
2/4 OFPBAC_BAD_OUT_PORT;2/5 OFPBAC_BAD_ARGUMENT;2/6 OFPBAC_EPERM;2/7 OFPBAC_TOO_MANY;2/8 OFPBAC_BAD_QUEUE;3/0 OFPFMFC_TABLE_FULL;
3/1 OFPFMFC_OVERLAP;3/2 OFPFMFC_EPERM;3/3 OFPFMFC_BAD_EMERG_TIMEOUT;3/4 OFPFMFC_BAD_COMMAND;3/5 OFPFMFC_UNSUPPORTED;
4/0 OFPPMFC_BAD_PORT;4/1 OFPPMFC_BAD_HW_ADDR;5/0 OFPQOFC_BAD_PORT;5/1 OFPQOFC_BAD_QUEUE;5/2 OFPQOFC_EPERM;
1/9 error type 1 code 9;9/9 error type 9 code 9;65535/65535 error type 65535 code 65535`, ";") {
		var typ ErrorType
		var code uint16
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, err := fmt.Sscanf(number, "%d/%d", &typ, &code); err != nil {
			t.Fatal(err)
		}
		if got := ErrorName(typ, code); got != name {
			t.Errorf("%d/%d: %s, want %s", typ, code, got, name)
		}
	}
}

// TestEncodeErrors: what cannot be put on the wire is refused, and the buffer comes back
// as it was.
func TestEncodeErrors(t *testing.T) {
	t.Parallel()
	long := make([]byte, ofwire.MaxFrameLen)
	many := make([]Action, 9000)
	reply := func(body StatsBody) Message { return &StatsReply{StatsType: body.statsType(), Body: body} }
	badRaw := []Action{Output(1, 0), {Type: 0x1234, Raw: []byte{0x12, 0x35, 0, 8, 0, 0, 0, 0}}}
	for name, c := range map[string]struct {
		m    Message
		want string
	}{
		"hello too long":           {&Hello{Body: long}, "longer than 65535"},
		"error too long":           {&Error{Data: long}, "longer than 65535"},
		"echo_request too long":    {&EchoRequest{Data: long}, "longer than 65535"},
		"echo_reply too long":      {&EchoReply{Data: long}, "longer than 65535"},
		"vendor too long":          {&Vendor{Data: long}, "longer than 65535"},
		"unknown too long":         {&Unknown{RawType: 40, Body: long}, "longer than 65535"},
		"packet_in too long":       {&PacketIn{Data: long}, "longer than 65535"},
		"packet_out too long":      {&PacketOut{Data: long}, "longer than 65535"},
		"flow_mod too long":        {&FlowMod{Actions: many}, "longer than 65535"},
		"features_reply too long":  {&FeaturesReply{Ports: make([]PhyPort, 1365)}, "longer than 65535"},
		"queues too long":          {&QueueGetConfigReply{Queues: make([]PacketQueue, 9000)}, "longer than 65535"},
		"stats_request too long":   {&StatsRequest{StatsType: 9, Body: RawStats(long)}, "longer than 65535"},
		"stats_reply too long":     {reply(make(QueueStatsReply, 3000)), "longer than 65535"},
		"port name too long":       {&FeaturesReply{Ports: []PhyPort{{Name: "seventeen-bytes-x"}}}, "longer than 16"},
		"port name with a NUL":     {&PortStatus{Desc: PhyPort{Name: "a\x00b"}}, "contains a NUL"},
		"table name too long":      {reply(TableStatsReply{{Name: strings.Repeat("x", 33)}}), "longer than 32"},
		"description too long":     {reply(DescStats{SerialNum: strings.Repeat("x", 33)}), "longer than 32"},
		"body of another type":     {&StatsReply{StatsType: StatsFlow, Body: PortStatsReply{}}, "does not belong to OFPST_FLOW"},
		"request of another type":  {&StatsRequest{StatsType: StatsAggregate, Body: FlowStatsRequest{}}, "does not belong to OFPST_AGGREGATE"},
		"raw action of other type": {&FlowMod{Actions: badRaw}, "action 1 of type 4660"},
		"raw action too short":     {&PacketOut{Actions: []Action{{Type: ActionVendor, Raw: []byte{0xff, 0xff, 0, 4}}}}, "raw bytes"},
		"raw action without bytes": {&FlowMod{Actions: []Action{{Type: ActionVendor}}}, "raw bytes"},
		"raw action in flow stats": {reply(FlowStatsReply{{Actions: badRaw}}), "flow stats 0"},
		"raw property":             {&QueueGetConfigReply{Queues: []PacketQueue{{Properties: []QueueProperty{{Property: 9, Raw: []byte{0, 9, 0, 9, 0, 0, 0, 0}}}}}}, "raw bytes"},
	} {
		b, err := c.m.AppendBinary([]byte{42})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.want)
		}
		if !bytes.Equal(b, []byte{42}) {
			t.Errorf("%s: the buffer came back with %d bytes", name, len(b))
		}
	}
}

// TestParseActions: errors carry no xid and no data, and the list stays as it was.
func TestParseActions(t *testing.T) {
	t.Parallel()
	before := []Action{StripVLAN()}
	got, err := ParseActions([]byte{0, 0, 0, 4}, before)
	if !errors.Is(err, &Error{ErrType: ErrorBadAction, Code: BadActionBadLen}) || !ActionsEqual(before, got) {
		t.Errorf("got %v, %v", got, err)
	}
	raw, err := AppendActions(nil, everyAction())
	if err != nil {
		t.Fatal(err)
	}
	if got, err = ParseActions(raw, before); err != nil || !ActionsEqual(append(before, everyAction()...), got) {
		t.Errorf("got %v, %v", got, err)
	}
	clone := CloneActions(got)
	clear(raw)
	if d := cmp.Diff(everyAction(), clone[1:]); d != "" {
		t.Errorf("the clone aliases the frame (-want +got)\n%s", d)
	}
	if CloneActions(nil) != nil || ActionsEqual(clone, clone[1:]) || ActionsEqual(clone[:1], clone[1:2]) {
		t.Error("clones and comparisons")
	}
	if v := everyAction()[12].Vendor(); v != VendorNicira || got[0].Vendor() != 0 {
		t.Errorf("vendor %#x and %#x", v, got[0].Vendor())
	}
}
