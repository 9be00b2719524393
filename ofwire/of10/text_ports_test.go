package of10

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPortNameText: which names are quoted, and that each is read back as the port it stands for.
func TestPortNameText(t *testing.T) {
	t.Parallel()
	for name, printed := range map[string]string{
		"eth0": "eth0", "br0": "br0", "A": "A", "veth123": "veth123", "drop": "drop",
		"s1-p1": `"s1-p1"`, "vif-1234abcd": `"vif-1234abcd"`, "eth0.100": `"eth0.100"`, "eth_0": `"eth_0"`, "10g": `"10g"`, "7": `"7"`,
		"local": `"local"`, "LOCAL": `"LOCAL"`, "Flood": `"Flood"`, "any": `"any"`, "none": `"none"`, "in_port": `"in_port"`, "controller": `"controller"`,
		"a b": `"a b"`, "a,b": `"a,b"`, "a:b": `"a:b"`, "a=b": `"a=b"`, "(x)": `"(x)"`,
	} {
		names := func(p Port) string { return map[Port]string{9: name}[p] }
		line := FlowStats{Match: with(WildInPort, func(m *Match) { m.InPort = 9 }), Priority: DefaultPriority, Actions: []Action{Output(9, 0), Enqueue(9, 1), Output(8, 0), Output(PortLocal, 0)}}
		want := "in_port=" + printed + " actions=output:" + printed + ",enqueue:" + printed + ":1,output:8,LOCAL"
		if got := line.Format(FlowFormat{NoStats: true, PortName: names}); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		p := Parser{PortByName: func(s string) (Port, bool) { return 9, s == name }}
		quoted, err := p.ParsePort(`"` + name + `"`)
		if err != nil || quoted != 9 {
			t.Errorf("%q in quotes is port %v, %v", name, quoted, err)
		}
		if _, reserved := reservedPorts[strings.ToLower(name)]; !reserved && name != "7" {
			if plain, err := p.ParsePort(name); err != nil || plain != 9 {
				t.Errorf("%q is port %v, %v", name, plain, err)
			}
		}
		// Reserved ports and unknown numbers have no name, whatever the switch says.
		for _, reserved := range []Port{0, PortMax + 1, PortInPort, PortLocal, PortNone} {
			s := text{portName: func(Port) string { return name }}
			s.port(reserved)
			if s.String() != reserved.String() {
				t.Errorf("port %d prints %q for the name %q", reserved, s.String(), name)
			}
		}
	}
	for port, want := range map[Port]string{0: "0", 1: "1", PortMax: "65280", PortMax + 1: "65281", 0xfff7: "65527", PortInPort: "IN_PORT", PortTable: "TABLE",
		PortNormal: "NORMAL", PortFlood: "FLOOD", PortAll: "ALL", PortController: "CONTROLLER", PortLocal: "LOCAL", PortNone: "ANY"} {
		if port.String() != want {
			t.Errorf("port %d prints %q, want %q", uint16(port), port, want)
		}
	}
}

// TestFlowLineCommands: the word a line of an add-flows file may begin with.
func TestFlowLineCommands(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]FlowModCommand{"": FlowModify, "add": FlowAdd, "modify": FlowModify, "modify_strict": FlowModifyStrict, "delete": FlowDelete, "delete_strict": FlowDeleteStrict} {
		for _, sep := range []string{" ", "\t", "   "} {
			line := word + sep + "priority=7,in_port=s1-p3,actions=s1-p1"
			got, err := testPorts.ParseFlowLine(line, FlowModify)
			expected := flow(want, func(m *FlowMod) {
				m.Priority, m.Match, m.Actions = 7, with(WildInPort, func(m *Match) { m.InPort = 3 }), []Action{Output(1, 0)}
			})
			if d := cmp.Diff(expected, got); err != nil || d != "" {
				t.Errorf("%q: %v (-want +got)\n%s", line, err, d)
			}
		}
	}
	checkRefusals(t, []refusal{
		{"ADD in_port=1,actions=1", "unknown keyword ADD"},
		{"remove in_port=1,actions=1", "unknown keyword remove"},
		{"add,in_port=1,actions=1", "unknown keyword add"},
		{"add in_port=1", "must specify an action"},
		{"modify_strict", "must specify an action"},
	}, func(s string) error { _, err := new(Parser).ParseFlowLine(s, FlowAdd); return err })
	checkRefusals(t, []refusal{
		{"actions=1\nactions=1\nnosuch=1,actions=1", "line 3: unknown keyword nosuch"},
		{"# text\n\n  # more\nin_port=1", "line 4: must specify an action"},
		{"tp_dst=80,actions=1 # lost", "line 1: tp_dst=80 would be ignored: add tcp, udp or icmp"},
		{"actions=1\r\ndelete table=9\r\n", "line 2: table=9: OpenFlow 1.0 cannot choose a table; for the emergency table add emerg"},
	}, func(s string) error { _, err := new(Parser).ParseFlows(strings.NewReader(s), FlowAdd); return err })
}

// TestSelections is the FLOW of dump-flows and dump-aggregate, with the text of the request it makes.
func TestSelections(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                          "",
		"table=255":                 "",
		"table=0":                   " table=0",
		"table=254":                 " table=254",
		"table=0xfe,out_port=2":     " table=254 out_port=2",
		"out_port=none":             "",
		"out_port=LOCAL":            " out_port=LOCAL",
		"out_port:s1-p3":            " out_port=3",
		"tcp,out_port=2":            " out_port=2 tcp",
		"tcp tp_dst=80 in_port=10g": " tcp,in_port=5,tp_dst=80",
		"arp,nw_dst=10.0.0.0/8":     " arp,arp_tpa=10.0.0.0/8",
	} {
		r, err := testPorts.ParseFlowStatsRequest(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		for _, m := range []*StatsRequest{{StatsType: StatsFlow, Body: r}, {StatsType: StatsAggregate, Body: AggregateStatsRequest(r)}} {
			name := m.StatsType.String() + " request (xid=0x0):"
			back, err := Parse(encode(t, m))
			if m.String() != name+want || err != nil || back.String() != name+want {
				t.Errorf("%q: %q, %v after the wire (%v), want %q", in, m, back, err, name+want)
			}
		}
	}
	checkRefusals(t, []refusal{
		{"priority=5", "priority: OpenFlow 1.0 cannot select flows by it"},
		{"cookie=5", "cookie: OpenFlow 1.0 cannot select flows by it"},
		{"cookie=5/-1", "cookie=5/-1: OpenFlow 1.0 cannot match on cookies"},
		{"idle_timeout=5", "idle_timeout: OpenFlow 1.0 cannot select flows by it"},
		{"buffer_id=5", "buffer_id: OpenFlow 1.0 cannot select flows by it"},
		{"emerg", "emerg: OpenFlow 1.0 cannot select flows by it"},
		{"actions=1", "actions: OpenFlow 1.0 cannot select flows by it"},
		{"table=256", `invalid table "256": more than 255`},
		{"nw_dst=10.0.0.1", "nw_dst=10.0.0.1 would be ignored: add ip or arp (dl_type=0x0800 or 0x0806)"},
		{"metadata=1", "metadata: OpenFlow 1.0 cannot match on it"},
	}, func(s string) error { _, err := ParseFlowStatsRequest(s); return err })
}

// TestFlagText is every bit with its word, unknown ones in hexadecimal.
func TestFlagText(t *testing.T) {
	t.Parallel()
	words := func(list string) []string { return strings.Fields(list) }
	for name, c := range map[string]struct {
		words []string
		text  func(bit int) string
	}{
		"config":       {words("PORT_DOWN NO_STP NO_RECV NO_RECV_STP NO_FLOOD NO_FWD NO_PACKET_IN 0x80 0x100"), func(i int) string { return PortConfig(1 << i).String() }},
		"features":     {words("10MB-HD 10MB-FD 100MB-HD 100MB-FD 1GB-HD 1GB-FD 10GB-FD COPPER FIBER AUTO_NEG AUTO_PAUSE AUTO_PAUSE_ASYM 0x1000"), func(i int) string { return PortFeatures(1 << i).String() }},
		"capabilities": {words("FLOW_STATS TABLE_STATS PORT_STATS STP 0x10 IP_REASM QUEUE_STATS ARP_MATCH_IP 0x100"), func(i int) string { return Capabilities(1 << i).String() }},
		"state":        {words("LINK_DOWN 0x2 0x4 0x8"), func(i int) string { return PortState(1 << i).String() }},
		"actions": {words("output set_vlan_vid set_vlan_pcp strip_vlan mod_dl_src mod_dl_dst mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst enqueue 0x1000"),
			func(i int) string { return ActionSet(1 << i).String() }},
	} {
		for bit, want := range c.words {
			if got := c.text(bit); got != want {
				t.Errorf("%s bit %d prints %q, want %q", name, bit, got, want)
			}
		}
	}
	for state, want := range map[PortState]string{0: "0", PortStateSTPLearn: "STP_LEARN", PortStateSTPForward: "STP_FORWARD", PortStateSTPBlock: "STP_BLOCK",
		PortStateSTPLearn | PortStateLinkDown: "STP_LEARN LINK_DOWN", PortStateSTPBlock | 2: "STP_BLOCK 0x2", PortStateLinkDown | 4: "LINK_DOWN 0x4"} {
		if state.String() != want {
			t.Errorf("state %#x prints %q, want %q", uint32(state), state, want)
		}
	}
	for flags, want := range map[ConfigFlags]string{0: "normal", 1: "drop", 2: "reassemble", 3: "nx-match", 4: "normal flags=0x4", 0x8001: "drop flags=0x8000"} {
		if flags.String() != want {
			t.Errorf("flags %#x print %q, want %q", uint16(flags), flags, want)
		}
	}
}
