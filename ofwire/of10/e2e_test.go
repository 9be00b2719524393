package of10

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	for range 200 {
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
