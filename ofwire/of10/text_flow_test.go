package of10

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flow is what ParseFlow makes of nothing but actions.
func flow(command FlowModCommand, set func(m *FlowMod)) *FlowMod {
	m := &FlowMod{Match: MatchAll(), Command: command, Priority: DefaultPriority, BufferID: NoBuffer, OutPort: PortNone}
	set(m)
	return m
}

func TestFlowText(t *testing.T) {
	t.Parallel()
	web := with(WildDLType|WildNWProto|WildTPDst, func(m *Match) { m.DLType, m.NWProto, m.TPDst = EtherTypeIPv4, ProtoTCP, 80 })
	one := []Action{Output(1, 0)}
	for _, c := range []struct {
		in, out string
		command FlowModCommand
		want    *FlowMod
	}{
		{"actions=drop", "", FlowAdd, flow(FlowAdd, func(*FlowMod) {})},
		{"actions=", "actions=drop", FlowAdd, flow(FlowAdd, func(*FlowMod) {})},
		{"priority=0,action=normal", "priority=0,actions=NORMAL", FlowAdd,
			flow(FlowAdd, func(m *FlowMod) { m.Priority, m.Actions = 0, []Action{Output(PortNormal, 0)} })},
		{"action:1", "actions=output:1", FlowModify, flow(FlowModify, func(m *FlowMod) { m.Actions = one })},
		{"tcp tp_dst=80 priority=7 actions=1", "priority=7,tcp,tp_dst=80,actions=output:1", FlowAdd,
			flow(FlowAdd, func(m *FlowMod) { m.Match, m.Priority, m.Actions = web, 7, one })},
		{"cookie=0xabc,idle_timeout=60,hard_timeout=300,send_flow_rem,check_overlap,actions=1",
			"cookie=0xabc,idle_timeout=60,hard_timeout=300,send_flow_rem,check_overlap,actions=output:1", FlowAdd,
			flow(FlowAdd, func(m *FlowMod) {
				m.Cookie, m.IdleTimeout, m.HardTimeout, m.Flags, m.Actions = 0xabc, 60, 300, FlowModSendFlowRem|FlowModCheckOverlap, one
			})},
		{"emerg,flags=0x80,buffer_id=5,actions=1", "buffer_id=0x5,emerg,flags=0x80,actions=output:1", FlowAdd,
			flow(FlowAdd, func(m *FlowMod) { m.BufferID, m.Flags, m.Actions = 5, FlowModEmerg|0x80, one })},
		{"cookie:1 idle:2 hard:3 buf:0x4 out_port:5 actions=drop", "cookie=0x1,idle_timeout=2,hard_timeout=3,buffer_id=0x4,out_port=5,actions=drop", FlowModifyStrict,
			flow(FlowModifyStrict, func(m *FlowMod) { m.Cookie, m.IdleTimeout, m.HardTimeout, m.BufferID, m.OutPort = 1, 2, 3, 4, 5 })},
		{"out_port=2", "out_port=2,actions=drop", FlowDelete, flow(FlowDelete, func(m *FlowMod) { m.OutPort = 2 })},
		{"", "actions=drop", FlowDeleteStrict, flow(FlowDeleteStrict, func(*FlowMod) {})},
		{"table=0,actions=1", "actions=output:1", FlowAdd, flow(FlowAdd, func(m *FlowMod) { m.Actions = one })},
		{"cookie=0x0, duration=0.003s, table=0, n_packets=5, n_bytes=6, idle_age=0, priority=7,tcp,tp_dst=80 actions=output:1",
			"priority=7,tcp,tp_dst=80,actions=output:1", FlowAdd, flow(FlowAdd, func(m *FlowMod) { m.Match, m.Priority, m.Actions = web, 7, one })},
	} {
		got, err := ParseFlow(c.in, c.command)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%q (-want +got)\n%s", c.in, d)
		}
		out := c.out
		if out == "" {
			out = c.in
		}
		if got.FlowText() != out {
			t.Errorf("%q: prints %q, want %q", c.in, got.FlowText(), out)
		}
		_, snooped, _ := strings.Cut(got.String(), "): "+c.command.String()+" ")
		for _, text := range []string{out, snooped} {
			back, err := ParseFlow(text, c.command)
			if d := cmp.Diff(c.want, back); err != nil || d != "" {
				t.Errorf("%q: reads back as %v\n%s", text, err, d)
			}
		}
	}
}

func TestFlowRefusals(t *testing.T) {
	t.Parallel()
	for in, hint := range map[string]string{
		"priority=10,in_port=1":            "must specify an action",
		"in_port=1,vlan=12,action=1":       "unknown keyword vlan",
		"priority=65536,actions=1":         "invalid priority",
		"idle_timeout=70000,actions=1":     "invalid idle_timeout",
		"hard_timeout=x,actions=1":         "invalid hard_timeout",
		"priority=5,priority=6,actions=1":  "priority is given twice",
		"idle_timeout=5,idle:6,actions=1":  "idle=6: idle_timeout is given twice",
		"hard_timeout,actions=1":           "missing value",
		"cookie=5/7,actions=1":             "cannot match on cookies",
		"cookie=zz,actions=1":              "invalid cookie",
		"table=1,actions=1":                "cannot choose a table",
		"table=254,actions=1":              "emerg",
		"table=256,actions=1":              "invalid table",
		"out_port=x,actions=1":             "unknown port",
		"send_flow_rem=1,actions=1":        "takes no value",
		"nw_src=10.0.0.1,actions=1":        "would be ignored",
		"actions=mod_vlan_vid:5000":        "not a valid VLAN VID",
		"duration=1.0000000001s,actions=1": "invalid duration",
		"duration=1.xs,actions=1":          "invalid duration",
		"duration=xs,actions=1":            "invalid duration",
		"n_packets=x,actions=1":            "invalid n_packets",
		"idle_age=x,actions=1":             "invalid idle_age",
		"flags=65536,actions=1":            "invalid flags",
		"buffer_id=x,actions=1":            "invalid buffer_id",
		"in_port(,actions=1":               "closing parenthesis",
		"actions":                          "unknown keyword actions",
	} {
		if got, err := ParseFlow(in, FlowAdd); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, %v; want an error that says %q", in, got, err, hint)
		}
	}
}

func TestParseFlows(t *testing.T) {
	t.Parallel()
	file := `# a file for add-flows
in_port=1,actions=2   # forward

modify	in_port=2,actions=1
delete in_port=3
	delete_strict priority=5,in_port=4
modify_strict in_port=5 actions=drop
add in_port=6 actions=drop
`
	flows, err := new(Parser).ParseFlows(strings.NewReader(file), FlowAdd)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range flows {
		got = append(got, f.Command.String()+" "+f.FlowText())
	}
	want := []string{"ADD in_port=1,actions=output:2", "MOD in_port=2,actions=output:1", "DEL in_port=3,actions=drop",
		"DEL_STRICT priority=5,in_port=4,actions=drop", "MOD_STRICT in_port=5,actions=drop", "ADD in_port=6,actions=drop"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if _, err := new(Parser).ParseFlows(strings.NewReader("actions=1\n\nactions=bogus\n"), FlowAdd); err == nil || err.Error() != "line 3: unknown action bogus" {
		t.Errorf("got %v, want the line number", err)
	}
}

// dumped are lines of ovs-ofctl -F OpenFlow10 dump-flows, as recorded from Open vSwitch.
var dumped = []string{
	"cookie=0x0, duration=0.031s, table=0, n_packets=0, n_bytes=0, priority=200,tcp,in_port=3,dl_dst=00:1e:0b:ea:fb:7e,nw_dst=169.254.169.254,tp_dst=80 actions=drop",
	"cookie=0x0, duration=0.017s, table=0, n_packets=0, n_bytes=0, priority=6,icmp,dl_vlan=12,dl_vlan_pcp=3,nw_tos=32,icmp_type=8,icmp_code=0 actions=mod_vlan_vid:20,mod_vlan_pcp:5,strip_vlan,mod_nw_tos:40,ALL,IN_PORT,CONTROLLER:128,TABLE",
	"cookie=0xabc, duration=0.021s, table=0, n_packets=0, n_bytes=0, hard_timeout=600, priority=5,arp,arp_tpa=10.0.0.0/24 actions=FLOOD,enqueue:1:7",
	"cookie=0x0, duration=0.035s, table=0, n_packets=0, n_bytes=0, priority=0 actions=NORMAL",
	"cookie=0x0, duration=12.000000005s, table=1, n_packets=?, n_bytes=700, idle_timeout=60, hard_timeout=300, actions=drop",
	"cookie=0x0, duration=0.003s, table=0, n_packets=0, n_bytes=0, priority=65535,tcp,in_port=1,dl_vlan=0,dl_vlan_pcp=0,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,tp_src=1,tp_dst=2 actions=output:2",
	"cookie=0x0, duration=0.013s, table=0, n_packets=0, n_bytes=0, priority=12,arp,arp_spa=10.0.0.1,arp_op=1 actions=drop",
	"cookie=0x0, duration=0.036s, table=0, n_packets=0, n_bytes=0, priority=100,tcp,in_port=LOCAL,tp_src=9002 actions=mod_nw_src:169.254.169.254,mod_tp_src:80",
}

func TestFlowStatsText(t *testing.T) {
	t.Parallel()
	for _, line := range dumped {
		f, err := ParseFlowStats(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if d := cmp.Diff(line, f.String()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	}
	if _, err := ParseFlowStats("priority=5"); err == nil {
		t.Error("a line without actions is taken")
	}
}

func TestFlowFormat(t *testing.T) {
	t.Parallel()
	names := func(p Port) string { return map[Port]string{1: "s1-p1", 3: "s1-p3"}[p] }
	for i, want := range []string{
		"priority=200,tcp,in_port=3,dl_dst=00:1e:0b:ea:fb:7e,nw_dst=169.254.169.254,tp_dst=80 actions=drop",
		"",
		"cookie=0xabc, hard_timeout=600, priority=5,arp,arp_tpa=10.0.0.0/24 actions=FLOOD,enqueue:1:7",
		"priority=0 actions=NORMAL",
		"table=1, idle_timeout=60, hard_timeout=300, actions=drop",
	} {
		f, err := ParseFlowStats(dumped[i])
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Format(FlowFormat{NoStats: true}); want != "" && got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	f, err := ParseFlowStats("in_port=3 actions=1,2,enqueue:1:7,LOCAL")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Format(FlowFormat{NoStats: true, PortName: names}), `in_port="s1-p3" actions=output:"s1-p1",output:2,enqueue:"s1-p1":7,LOCAL`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if back, err := testPorts.ParseFlowStats(f.Format(FlowFormat{PortName: names})); err != nil || !cmp.Equal(f, back) {
		t.Errorf("names read back as %v, %v", back, err)
	}
}

// TestPortNamesReadBack: whatever a switch calls its ports, they are not taken for others.
func TestPortNamesReadBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"eth0", "s1-p1", "all", "LOCAL", "10", "0x5", "drop", "a b", "a,b", "a=b", "a(b"} {
		want := FlowStats{Match: with(WildInPort, func(m *Match) { m.InPort = 3 }), Priority: 7, Actions: []Action{Output(3, 0), Enqueue(3, 4), Output(4, 0)}}
		line := want.Format(FlowFormat{NoStats: true, PortName: func(p Port) string { return map[Port]string{3: name}[p] }})
		p := Parser{PortByName: func(s string) (Port, bool) { return 3, s == name }}
		got, err := p.ParseFlowStats(line)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got)\n%s", line, err, d)
		}
	}
}

func TestFlowStatsRequestText(t *testing.T) {
	t.Parallel()
	got, err := ParseFlowStatsRequest("table=1,in_port=1,out_port=LOCAL")
	want := FlowStatsRequest{Match: with(WildInPort, func(m *Match) { m.InPort = 1 }), TableID: 1, OutPort: PortLocal}
	if err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := ParseFlowStatsRequest(""); err != nil || got != (FlowStatsRequest{Match: MatchAll(), TableID: TableAll, OutPort: PortNone}) {
		t.Errorf("empty: %v, %v", got, err)
	}
	for _, in := range []string{"priority=5", "cookie=0/-1", "cookie=0", "actions=drop", "nosuch", "send_flow_rem"} {
		if got, err := ParseFlowStatsRequest(in); err == nil {
			t.Errorf("%q: taken as %v", in, got)
		}
	}
}

func TestPacketOutText(t *testing.T) {
	t.Parallel()
	got, err := ParsePacketOut("in_port=1 packet=0102ff actions=2,mod_vlan_vid:5,output:3")
	want := &PacketOut{BufferID: NoBuffer, InPort: 1, Data: []byte{1, 2, 0xff}, Actions: []Action{Output(2, 0), SetVLANVID(5), Output(3, 0)}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	got, err = ParsePacketOut("buffer_id=0x105,actions=drop")
	if d := cmp.Diff(&PacketOut{BufferID: 0x105, InPort: PortNone}, got); err != nil || d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	for in, hint := range map[string]string{
		"in_port=1,packet=01":                    "must specify an action",
		"actions=1":                              "add packet=HEX",
		"packet=01,buffer_id=1,actions=1":        "give one of them",
		"packet=0,actions=1":                     "packet: ",
		"in_port=x,packet=01,actions=1":          "unknown port",
		"buffer_id=x,actions=1":                  "invalid buffer_id",
		"nosuch=1,packet=01,actions=1":           "unknown keyword nosuch",
		"packet=01,actions=bogus":                "unknown action bogus",
		"packet=01,in_port(1,actions=1":          "closing parenthesis",
		"in_port=1,packet=01,actions=output:1,(": "closing parenthesis",
	} {
		if got, err := ParsePacketOut(in); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, %v; want an error that says %q", in, got, err, hint)
		}
	}
}

// TestRandomTextRoundTrip prints what a controller could send and reads it back.
func TestRandomTextRoundTrip(t *testing.T) {
	t.Parallel()
	g := newGen(1)
	for i := range 1500 {
		want := g.flowMod()
		want.XID = 0
		got, err := ParseFlow(want.FlowText(), want.Command)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("flow %d, %s: %v (-want +got)\n%s", i, want.FlowText(), err, d)
		}
		stats := g.flowStats()
		back, err := ParseFlowStats(stats.String())
		if d := cmp.Diff(stats, back); err != nil || d != "" {
			t.Fatalf("stats %d, %v: %v (-want +got)\n%s", i, stats, err, d)
		}
	}
}
