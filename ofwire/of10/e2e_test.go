package of10

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// needTool skips the test without the tool, or fails it under GOVISOR_E2E=required.
func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("GOVISOR_E2E") == "required" {
			t.Fatalf("%s is required: %v", name, err)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// TestOVSPrints has Open vSwitch print the messages of a random conversation and compares
// with String.
func TestOVSPrints(t *testing.T) {
	t.Parallel()
	ovsOfctl := needTool(t, "ovs-ofctl")
	messages := ovsMessages(4000)
	var stream []byte
	end := &BarrierRequest{XID: 0xdeadbeef}
	for _, m := range messages {
		stream = append(stream, encode(t, m)...)
		stream = append(stream, encode(t, end)...)
	}
	file := filepath.Join(t.TempDir(), "stream")
	if err := os.WriteFile(file, stream, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), ovsOfctl, "ofp-parse", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ofp-parse: %v\n%s", err, stderr.String())
	}
	texts := strings.Split(string(out), end.String())
	if len(texts) != len(messages)+1 {
		t.Fatalf("ovs-ofctl printed %d messages, want %d", len(texts)-1, len(messages))
	}
	for i, m := range messages {
		if d := cmp.Diff(strings.Trim(ovsText(texts[i]), " \n"), strings.Trim(ovsStyle(m), " \n")); d != "" {
			t.Errorf("message %d, %x (-ovs +govisor)\n%s", i, encode(t, m), d)
		}
	}
}

var (
	timestamp = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: `)
	plainBits = regexp.MustCompile(`(OFPT_HELLO \(xid=0x[0-9a-f]+\):)\n version bitmap: 0x01$`)
	oddState  = regexp.MustCompile(`(STP_[A-Z]+)LINK_DOWN`)
	oddCounts = regexp.MustCompile(`( duration)([0-9.]+s idle)(\d+ pkts)(\d+ bytes)(\d+)`)
	noMatch   = regexp.MustCompile(`(OFPT_FLOW_REMOVED \(xid=0x[0-9a-f]+\):)  `)
)

// ovsText removes from Open vSwitch's text what we do better on purpose.
func ovsText(s string) string {
	s = timestamp.ReplaceAllString(strings.Trim(s, "\n"), "")
	s = plainBits.ReplaceAllString(strings.TrimRight(s, " \n"), "$1")
	s = oddState.ReplaceAllString(s, "$1 LINK_DOWN")
	s = oddCounts.ReplaceAllString(s, "$1:$2:$3:$4:$5")
	return noMatch.ReplaceAllString(s, "$1 ")
}

// ovsStyle is our text with "untagged, priority wild" as Open vSwitch has it, which knows
// no difference to "untagged, priority 0".
func ovsStyle(m Message) string {
	return strings.ReplaceAll(m.String(), "dl_vlan=0xffff", "vlan_tci=0x0000")
}

// ovsMessages are messages that Open vSwitch decodes to what they are.
func ovsMessages(n int) []Message {
	g := newGen(7)
	g.ovs = true
	var list []Message
	for i := range n {
		list = append(list, g.message(i))
	}
	return list
}

// TestOVSParses feeds the flows we print to ovs-ofctl, and what it understood back to us.
func TestOVSParses(t *testing.T) {
	t.Parallel()
	ovsOfctl := needTool(t, "ovs-ofctl")
	g := newGen(8)
	g.ovs = true
	var flows []*FlowMod
	var file bytes.Buffer
	for range 1000 {
		m := g.flowMod()
		m.Command, m.BufferID, m.OutPort, m.XID, m.Flags = FlowAdd, NoBuffer, PortNone, 0, m.Flags&^FlowModEmerg
		if m.Match.DLVLAN == VLANNone && m.Match.Wildcards&WildDLVLAN == 0 {
			m.Match.Wildcards &^= WildDLVLANPCP // all that ovs-ofctl sends
		}
		flows = append(flows, m)
		fmt.Fprintln(&file, m.FlowText())
	}
	cmd := exec.CommandContext(t.Context(), ovsOfctl, "-OOpenFlow10", "-FOpenFlow10", "parse-flows", "-")
	cmd.Stdin = &file
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("parse-flows: %v\n%s", err, stderr.String())
	}
	i := 0
	for line := range strings.Lines(string(out)) {
		_, text, ok := strings.Cut(strings.TrimSpace(line), ": ADD ")
		if !ok {
			continue
		}
		got, err := ParseFlow(text, FlowAdd)
		if err != nil {
			t.Fatalf("flow %d, %s: %v", i, text, err)
		}
		if d := cmp.Diff(flows[i], got); d != "" {
			t.Errorf("flow %d, %s (-sent +understood)\n%s", i, text, d)
		}
		i++
	}
	if i != len(flows) {
		t.Errorf("ovs-ofctl understood %d flows of %d:\n%s", i, len(flows), out)
	}
}

// pcap makes a capture file with one message a record, of link type USER0.
func pcap(frames [][]byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = le.AppendUint32(b, 1<<18)
	b = le.AppendUint32(b, 147)
	for i, f := range frames {
		b = le.AppendUint32(b, uint32(i))
		b = le.AppendUint32(b, 0)
		b = le.AppendUint32(b, uint32(len(f)))
		b = le.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// TestWiresharkReads has tshark's dissector read our bytes and compares the fields.
func TestWiresharkReads(t *testing.T) {
	t.Parallel()
	tshark := needTool(t, "tshark")
	var frames [][]byte
	messages := ovsMessages(1000)
	for _, m := range messages {
		frames = append(frames, encode(t, m))
	}
	file := filepath.Join(t.TempDir(), "messages.pcap")
	if err := os.WriteFile(file, pcap(frames), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-n", "-r", file, "-o", `uat:user_dlts:"User 0 (DLT=147)","openflow","0","","0",""`, "-T", "json", "--no-duplicate-keys"}
	cmd := exec.CommandContext(t.Context(), tshark, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, stderr.String())
	}
	var packets []struct {
		Source struct {
			Layers map[string]json.RawMessage `json:"layers"`
		} `json:"_source"`
	}
	if err := json.Unmarshal(out, &packets); err != nil {
		t.Fatal(err)
	}
	if len(packets) != len(messages) {
		t.Fatalf("tshark read %d messages, want %d", len(packets), len(messages))
	}
	for i, p := range packets {
		layer := p.Source.Layers["openflow_v1"]
		if _, bad := p.Source.Layers["_ws.malformed"]; layer == nil || bad && !dissectorFails(messages[i]) {
			t.Errorf("message %d, %v: tshark finds it malformed", i, messages[i])
			continue
		}
		got := map[string][]string{}
		var tree any
		if err := json.Unmarshal(layer, &tree); err != nil {
			t.Fatal(err)
		}
		collectFields(tree, got)
		for name, want := range wiresharkFields(messages[i]) {
			if !contains(got[name], want) {
				t.Errorf("message %d, %v: tshark has %s=%v, want %s", i, messages[i], name, got[name], want)
			}
		}
	}
}

func contains(list []string, want string) bool {
	for _, s := range list {
		if v, err := strconv.ParseUint(s, 0, 64); s == want || err == nil && strconv.FormatUint(v, 10) == want {
			return true
		}
	}
	return false
}

func collectFields(v any, into map[string][]string) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			if s, ok := v[k].(string); ok {
				into[k] = append(into[k], s)
				continue
			}
			if list, ok := v[k].([]any); ok {
				for _, e := range list {
					if s, ok := e.(string); ok {
						into[k] = append(into[k], s)
					}
				}
			}
			collectFields(v[k], into)
		}
	case []any:
		for _, e := range v {
			collectFields(e, into)
		}
	}
}

// wiresharkFields are fields of the dissector and the values they must have. It does not
// look into every message of version 1.0.
func wiresharkFields(m Message) map[string]string {
	dec := func(v uint64) string { return strconv.FormatUint(v, 10) }
	f := map[string]string{
		"openflow.version":  "1",
		"openflow_1_0.type": dec(uint64(m.Type())),
		"openflow.length":   dec(uint64(m.Len())),
		"openflow.xid":      dec(uint64(m.TransactionID())),
	}
	match := func(m *Match) {
		f["openflow.wildcards"] = dec(uint64(m.Wildcards))
		f["openflow.in_port"] = dec(uint64(m.InPort))
		f["openflow.eth_src"] = m.DLSrc.String()
		f["openflow.eth_dst"] = m.DLDst.String()
		f["openflow.dl_vlan"] = dec(uint64(m.DLVLAN))
		f["openflow.dl_vlan_pcp"] = dec(uint64(m.DLVLANPCP))
		f["openflow.ofp_match.dl_type"] = dec(uint64(m.DLType))
		f["openflow.ofp_match.tos"] = dec(uint64(m.NWTos))
		f["openflow.ofp_match.nw_proto"] = dec(uint64(m.NWProto))
		f["openflow.ofp_match.source_addr"] = ipString(m.NWSrc)
		f["openflow.ofp_match.dest_addr"] = ipString(m.NWDst)
		f["openflow.ofp_match.source_port"] = dec(uint64(m.TPSrc))
		f["openflow.ofp_match.dest_port"] = dec(uint64(m.TPDst))
	}
	switch m := m.(type) {
	case *FlowMod:
		match(&m.Match)
		f["openflow.cookie"] = dec(m.Cookie)
		f["openflow.command"] = dec(uint64(m.Command))
		f["openflow.idle_timeout"] = dec(uint64(m.IdleTimeout))
		f["openflow.hard_timeout"] = dec(uint64(m.HardTimeout))
		f["openflow.priority"] = dec(uint64(m.Priority))
		f["openflow.buffer_id"] = dec(uint64(m.BufferID))
		f["openflow.out_port"] = dec(uint64(m.OutPort))
		f["openflow.flags"] = dec(uint64(m.Flags))
		if len(m.Actions) > 0 {
			f["openflow.action_typ"] = dec(uint64(m.Actions[0].Type))
			f["openflow.action_len"] = dec(uint64(m.Actions[0].Len()))
		}
	case *PacketIn:
		f["openflow.buffer_id"] = dec(uint64(m.BufferID))
		f["openflow.total_len"] = dec(uint64(m.TotalLen))
		f["openflow.in_port"] = dec(uint64(m.InPort))
		f["openflow.reason"] = dec(uint64(m.Reason))
		f["eth.src"] = ofwire.MAC(m.Data[6:12]).String()
	case *PacketOut:
		f["openflow.buffer_id"] = dec(uint64(m.BufferID))
		f["openflow.in_port"] = dec(uint64(m.InPort))
		f["openflow.actions_len"] = dec(uint64(ActionsLen(m.Actions)))
	case *SetConfig:
		f["openflow.config_flags"] = dec(uint64(m.Flags))
		f["openflow.miss_send_len"] = dec(uint64(m.MissSendLen))
	case *StatsRequest:
		f["openflow.stats.type"] = dec(uint64(m.StatsType))
		if body, ok := m.Body.(FlowStatsRequest); ok {
			match(&body.Match)
			f["openflow.table_id"] = dec(uint64(body.TableID))
			f["openflow.out_port"] = dec(uint64(body.OutPort))
		}
	case *StatsReply:
		f["openflow.stats.type"] = dec(uint64(m.StatsType))
		f["openflow.flags"] = dec(uint64(m.Flags))
	case *FeaturesReply:
		f["openflow.datapath_id"] = dec(uint64(m.DatapathID))
		f["openflow.n_buffers"] = dec(uint64(m.NBuffers))
		f["openflow.n_tables"] = dec(uint64(m.NTables))
		f["openflow.capabilities"] = dec(uint64(m.Capabilities))
		f["openflow.actions"] = dec(uint64(m.Actions))
		if len(m.Ports) > 0 {
			p := &m.Ports[0]
			f["openflow.port_no"] = dec(uint64(p.PortNo))
			f["openflow.hw_add"] = p.HWAddr.String()
			f["openflow.port_name"] = p.Name
			f["openflow.port_config"] = dec(uint64(p.Config))
			f["openflow.port_state"] = dec(uint64(p.State))
			f["openflow.port_curr"] = dec(uint64(p.Curr))
		}
	}
	return f
}

func ipString(a uint32) string {
	var t text
	t.ipv4(a)
	return t.String()
}

// dissectorFails tells what tshark calls malformed though it is not: a flow_mod without
// actions, whose first action it reads all the same, and random bytes inside a frame.
func dissectorFails(m Message) bool {
	switch m := m.(type) {
	case *FlowMod:
		return len(m.Actions) == 0
	case *PacketIn, *PacketOut:
		return true
	}
	return false
}

func execOutput(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	return string(out), err
}
