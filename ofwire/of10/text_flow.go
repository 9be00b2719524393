package of10

// String returns the message as `ovs-ofctl snoop` prints it.
func (m *FlowMod) String() string {
	var t text
	t.header("OFPT_FLOW_MOD", m.XID)
	t.str(" ")
	t.str(m.Command.String())
	t.str(" ")
	t.flowMod(m, " ", ":")
	return t.String()
}

// FlowText returns the flow in the syntax of `ovs-ofctl add-flow`, without the command;
// ParseFlow reads it back.
func (m *FlowMod) FlowText() string {
	var t text
	t.flowMod(m, ",", "=")
	return t.String()
}

// flowMod prints what follows the command. ovs-ofctl prints the fields after the match as
// " idle:60" and reads them as ",idle_timeout=60".
func (t *text) flowMod(m *FlowMod, sep, eq string) {
	start := len(t.b)
	t.priorityMatch(&m.Match, m.Priority)
	field := func(name, flowName string) {
		if len(t.b) > start {
			t.str(sep)
		}
		if eq == "=" {
			name = flowName
		}
		t.str(name)
		if flowName != "" {
			t.str(eq)
		}
	}
	if m.Cookie != 0 {
		field("cookie", "cookie")
		t.hex(m.Cookie)
	}
	if m.IdleTimeout != 0 {
		field("idle", "idle_timeout")
		t.dec(uint64(m.IdleTimeout))
	}
	if m.HardTimeout != 0 {
		field("hard", "hard_timeout")
		t.dec(uint64(m.HardTimeout))
	}
	if m.BufferID != NoBuffer {
		field("buf", "buffer_id")
		t.hex(uint64(m.BufferID))
	}
	if m.OutPort != PortNone {
		field("out_port", "out_port")
		t.port(m.OutPort)
	}
	flags := m.Flags
	for i, name := range [...]string{"send_flow_rem", "check_overlap", "emerg"} {
		if flags&(1<<i) != 0 {
			if len(t.b) > start {
				t.str(sep)
			}
			t.str(name)
			flags &^= 1 << i
		}
	}
	if flags != 0 {
		field("flags", "flags")
		t.hex(uint64(flags))
	}
	if len(t.b) > start {
		t.str(sep)
	}
	t.str("actions=")
	t.actions(m.Actions)
}

// FlowFormat says how FlowStats.Format writes a flow. The zero value is what `ovs-ofctl
// dump-flows` prints.
type FlowFormat struct {
	NoStats bool // as --no-stats: no duration and counters; table and cookie only if not 0
	// PortName gives a port's name or "" (as --names); nil prints numbers.
	PortName func(Port) string
}

// String returns the flow's line in the output of `ovs-ofctl dump-flows`, without the
// leading space.
func (s FlowStats) String() string { return s.Format(FlowFormat{}) }

// Format returns the flow's line, without the leading space.
func (s *FlowStats) Format(f FlowFormat) string {
	t := text{portName: f.PortName}
	t.flowStats(s, f.NoStats)
	return t.String()
}

func (t *text) flowStats(s *FlowStats, noStats bool) {
	if s.Cookie != 0 || !noStats {
		t.str("cookie=")
		t.hex(s.Cookie)
		t.str(", ")
	}
	if !noStats {
		t.str("duration=")
		t.duration(s.DurationSec, s.DurationNsec)
		t.str(", ")
	}
	if s.TableID != 0 || !noStats {
		t.pair("table=", int(s.TableID))
		t.str(", ")
	}
	if !noStats {
		t.str("n_packets=")
		t.counter(s.PacketCount)
		t.str(", n_bytes=")
		t.counter(s.ByteCount)
		t.str(", ")
	}
	if s.IdleTimeout != 0 {
		t.pair("idle_timeout=", int(s.IdleTimeout))
		t.str(", ")
	}
	if s.HardTimeout != 0 {
		t.pair("hard_timeout=", int(s.HardTimeout))
		t.str(", ")
	}
	if t.priorityMatch(&s.Match, s.Priority) {
		t.str(" ")
	}
	t.str("actions=")
	t.actions(s.Actions)
}

// String returns the message as `ovs-ofctl monitor` prints it, but with colons before the
// numbers.
func (m *FlowRemoved) String() string {
	var t text
	t.header("OFPT_FLOW_REMOVED", m.XID)
	t.str(" ")
	if t.priorityMatch(&m.Match, m.Priority) {
		t.str(" ")
	}
	t.str("reason=")
	t.str(m.Reason.String())
	if m.Cookie != 0 {
		t.str(" cookie:")
		t.hex(m.Cookie)
	}
	t.str(" duration:")
	t.duration(m.DurationSec, m.DurationNsec)
	t.pair(" idle:", int(m.IdleTimeout))
	t.str(" pkts:")
	t.counter(m.PacketCount)
	t.str(" bytes:")
	t.counter(m.ByteCount)
	return t.String()
}
