package of10

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// flowText is everything the flow syntax can say.
type flowText struct {
	stats      FlowStats // match, priority, cookie, timeouts, counters, actions
	outPort    Port
	bufferID   uint32
	flags      FlowModFlags
	given      map[string]bool
	hasActions bool
}

// ParseFlow reads a flow in the syntax of `ovs-ofctl add-flow` into a FlowMod with the
// given command. Adding and modifying need "actions=", which must be last; deleting may
// have out_port instead. Lines of `ovs-ofctl dump-flows` are read too, counters ignored.
func (p *Parser) ParseFlow(s string, command FlowModCommand) (*FlowMod, error) {
	f, err := p.flowText(s)
	if err != nil {
		return nil, err
	}
	deleting := command == FlowDelete || command == FlowDeleteStrict
	switch {
	case !f.hasActions && !deleting:
		return nil, fmt.Errorf("must specify an action")
	case f.given["table"] && f.stats.TableID != 0 && f.stats.TableID != TableAll:
		return nil, fmt.Errorf("table=%d: OpenFlow 1.0 cannot choose a table; for the emergency table add emerg", f.stats.TableID)
	}
	return &FlowMod{
		Match: f.stats.Match, Cookie: f.stats.Cookie, Command: command,
		IdleTimeout: f.stats.IdleTimeout, HardTimeout: f.stats.HardTimeout, Priority: f.stats.Priority,
		BufferID: f.bufferID, OutPort: f.outPort, Flags: f.flags, Actions: f.stats.Actions,
	}, nil
}

// ParseFlow is Parser.ParseFlow without port names.
func ParseFlow(s string, command FlowModCommand) (*FlowMod, error) {
	return new(Parser).ParseFlow(s, command)
}

var flowCommands = map[string]FlowModCommand{
	"add": FlowAdd, "modify": FlowModify, "modify_strict": FlowModifyStrict,
	"delete": FlowDelete, "delete_strict": FlowDeleteStrict,
}

// ParseFlowLine reads one line of a file for `ovs-ofctl add-flows`, which may begin with
// add, modify, modify_strict, delete or delete_strict; command is the one to use without.
func (p *Parser) ParseFlowLine(s string, command FlowModCommand) (*FlowMod, error) {
	s = strings.TrimSpace(s)
	word, rest, _ := strings.Cut(strings.ReplaceAll(s, "\t", " "), " ")
	if c, ok := flowCommands[word]; ok {
		s, command = rest, c
	}
	return p.ParseFlow(s, command)
}

// ParseFlows reads a file of flows, one a line; "#" starts a comment. Errors name the
// line.
func (p *Parser) ParseFlows(r io.Reader, command FlowModCommand) ([]*FlowMod, error) {
	var flows []*FlowMod
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		f, err := p.ParseFlowLine(line, command)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		flows = append(flows, f)
	}
	return flows, lines.Err()
}

// ParseFlowStatsRequest reads the FLOW of `ovs-ofctl dump-flows` and `dump-aggregate`: a
// match, table and out_port.
func (p *Parser) ParseFlowStatsRequest(s string) (FlowStatsRequest, error) {
	f, err := p.flowText(s)
	if err != nil {
		return FlowStatsRequest{}, err
	}
	for key := range f.given {
		if key != "table" && key != "out_port" {
			return FlowStatsRequest{}, fmt.Errorf("%s: OpenFlow 1.0 cannot select flows by it", key)
		}
	}
	r := FlowStatsRequest{Match: f.stats.Match, TableID: TableAll, OutPort: f.outPort}
	if f.given["table"] {
		r.TableID = f.stats.TableID
	}
	return r, nil
}

// ParseFlowStatsRequest is Parser.ParseFlowStatsRequest without port names.
func ParseFlowStatsRequest(s string) (FlowStatsRequest, error) {
	return new(Parser).ParseFlowStatsRequest(s)
}

// ParseFlowStats reads a line of `ovs-ofctl dump-flows`.
func (p *Parser) ParseFlowStats(s string) (FlowStats, error) {
	f, err := p.flowText(s)
	if err != nil {
		return FlowStats{}, err
	}
	if !f.hasActions {
		return FlowStats{}, fmt.Errorf("must specify an action")
	}
	return f.stats, nil
}

// ParseFlowStats is Parser.ParseFlowStats without port names.
func ParseFlowStats(s string) (FlowStats, error) { return new(Parser).ParseFlowStats(s) }

func (p *Parser) flowText(s string) (*flowText, error) {
	f := &flowText{outPort: PortNone, bufferID: NoBuffer, given: map[string]bool{}}
	f.stats.Priority = DefaultPriority
	match := newMatchBuilder(p)
	for rest := s; ; {
		it, after, ok, err := nextItem(rest)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if (it.key == "actions" || it.key == "action") && it.hasValue {
			if f.stats.Actions, err = p.ParseActionList(afterKey(rest, it)); err != nil {
				return nil, err
			}
			f.given["actions"], f.hasActions = true, true
			break
		}
		known, err := f.add(p, it)
		if err == nil && !known {
			known, err = match.add(it)
		}
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, unknownKeyword(it.key)
		}
		rest = after
	}
	m, err := match.finish()
	f.stats.Match = m
	return f, err
}

// afterKey is the rest of the text behind "actions=", commas and all.
func afterKey(rest string, it item) string {
	rest = strings.TrimLeft(rest, separators)[len(it.key):]
	return rest[min(1, len(rest)):]
}

// add takes one item and reports whether it is a flow's field but not a match's.
func (f *flowText) add(p *Parser, it item) (known bool, err error) {
	key := it.key
	switch key {
	case "send_flow_rem":
		f.flags |= FlowModSendFlowRem
	case "check_overlap":
		f.flags |= FlowModCheckOverlap
	case "emerg":
		f.flags |= FlowModEmerg
	default:
		if alias := flowAliases[key]; alias != "" {
			key = alias
		}
		set := flowFields[key]
		if set == nil {
			return false, nil
		}
		if !it.hasValue || it.value == "" {
			return true, fmt.Errorf("field %s missing value", it.key)
		}
		if f.given[key] && key != "flags" {
			return true, fmt.Errorf("%v: %s is given twice", it, key)
		}
		if err := set(f, p, it.value); err != nil {
			return true, err
		}
		f.given[key] = true
		return true, nil
	}
	if it.hasValue {
		return true, fmt.Errorf("%v: %s takes no value", it, it.key)
	}
	f.given[key] = true
	return true, nil
}

// flowAliases are the short names that messages are printed with.
var flowAliases = map[string]string{"idle": "idle_timeout", "hard": "hard_timeout", "buf": "buffer_id", "pri": "priority"}

var flowFields = map[string]func(f *flowText, p *Parser, s string) error{
	"priority": func(f *flowText, _ *Parser, s string) (err error) {
		f.stats.Priority, err = number16("priority", s)
		return err
	},
	"idle_timeout": func(f *flowText, _ *Parser, s string) (err error) {
		f.stats.IdleTimeout, err = number16("idle_timeout", s)
		return err
	},
	"hard_timeout": func(f *flowText, _ *Parser, s string) (err error) {
		f.stats.HardTimeout, err = number16("hard_timeout", s)
		return err
	},
	"cookie": func(f *flowText, _ *Parser, s string) (err error) {
		if strings.Contains(s, "/") {
			return fmt.Errorf("cookie=%s: OpenFlow 1.0 cannot match on cookies", s)
		}
		f.stats.Cookie, err = number("cookie", s, 1<<64-1)
		return err
	},
	"table": func(f *flowText, _ *Parser, s string) error {
		v, err := number("table", s, 0xff)
		f.stats.TableID = uint8(v)
		return err
	},
	"out_port": func(f *flowText, p *Parser, s string) (err error) {
		f.outPort, err = p.ParsePort(s)
		return err
	},
	"buffer_id": func(f *flowText, _ *Parser, s string) error {
		v, err := number("buffer_id", s, 1<<32-1)
		f.bufferID = uint32(v)
		return err
	},
	"flags": func(f *flowText, _ *Parser, s string) error {
		v, err := number16("flags", s)
		f.flags |= FlowModFlags(v)
		return err
	},
	"duration": func(f *flowText, _ *Parser, s string) (err error) {
		f.stats.DurationSec, f.stats.DurationNsec, err = parseDuration(s)
		return err
	},
	"n_packets": func(f *flowText, _ *Parser, s string) (err error) {
		f.stats.PacketCount, err = parseCounter("n_packets", s)
		return err
	},
	"n_bytes": func(f *flowText, _ *Parser, s string) (err error) {
		f.stats.ByteCount, err = parseCounter("n_bytes", s)
		return err
	},
	"idle_age": func(_ *flowText, _ *Parser, s string) error { return ignoredNumber("idle_age", s) },
	"hard_age": func(_ *flowText, _ *Parser, s string) error { return ignoredNumber("hard_age", s) },
}

func ignoredNumber(what, s string) error {
	_, err := number(what, s, 1<<64-1)
	return err
}

func parseCounter(what, s string) (uint64, error) {
	if s == "?" {
		return CounterUnsupported, nil
	}
	return number(what, s, 1<<64-1)
}

// parseDuration reads seconds with up to nine decimals and an "s".
func parseDuration(s string) (sec, nsec uint32, err error) {
	whole, frac, _ := strings.Cut(strings.TrimSuffix(s, "s"), ".")
	v, err := number("duration", whole, 1<<32-1)
	if err != nil || len(frac) > 9 {
		return 0, 0, fmt.Errorf("invalid duration %q: want seconds like 12.5s", s)
	}
	if frac != "" {
		n, err := strconv.ParseUint(frac+strings.Repeat("0", 9-len(frac)), 10, 32)
		if err != nil {
			return 0, 0, fmt.Errorf("invalid duration %q: want seconds like 12.5s", s)
		}
		nsec = uint32(n)
	}
	return uint32(v), nsec, nil
}

// ParsePacketOut reads the argument of `ovs-ofctl packet-out`:
// "in_port=PORT,packet=HEX,actions=...", with buffer_id=N instead of a packet too.
func (p *Parser) ParsePacketOut(s string) (*PacketOut, error) {
	m := &PacketOut{BufferID: NoBuffer, InPort: PortNone}
	hasActions := false
	for rest := s; !hasActions; {
		it, after, ok, err := nextItem(rest)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		switch it.key {
		case "in_port":
			m.InPort, err = p.ParsePort(it.value)
		case "packet":
			m.Data, err = hex.DecodeString(it.value)
		case "buffer_id":
			var v uint64
			v, err = number("buffer_id", it.value, 1<<32-1)
			m.BufferID = uint32(v)
		case "actions", "action":
			hasActions = true
			m.Actions, err = p.ParseActionList(afterKey(rest, it))
		default:
			err = fmt.Errorf("unknown keyword %s", it.key)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", it.key, err)
		}
		rest = after
	}
	switch {
	case !hasActions:
		return nil, fmt.Errorf("must specify an action")
	case m.BufferID == NoBuffer && m.Data == nil:
		return nil, fmt.Errorf("packet-out without a packet: add packet=HEX or buffer_id=N")
	case m.BufferID != NoBuffer && m.Data != nil:
		return nil, fmt.Errorf("packet-out with a packet and a buffer_id: give one of them")
	}
	return m, nil
}

// ParsePacketOut is Parser.ParsePacketOut without port names.
func ParsePacketOut(s string) (*PacketOut, error) { return new(Parser).ParsePacketOut(s) }
