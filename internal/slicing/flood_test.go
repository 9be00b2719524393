package slicing

import (
	"slices"
	"strings"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire/of10"
)

// permit gives a slice the flood permission.
func (r *rig) permit(slice string, flood bool) {
	r.t.Helper()
	var out Out
	r.d.SetSlice(r.now, SliceConfig{Name: slice, MaxFlows: -1, Flood: flood}, &out)
	r.pump(&out)
}

// inTable reports whether the switch has a flow with these actions.
func (r *rig) inTable(actions string) bool {
	return slices.ContainsFunc(r.table(), func(l string) bool { return strings.HasSuffix(l, "actions="+actions) })
}

// A slice that has the flood permission and may use every port there can be leaves
// flooding to the switch, for as long as the outcome is the same.
func TestNativeFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 dl_vlan=10 alice=7", "50 in_port=1-3 bob=7", "10 dl_type=0x88b5 carol=7 force=1")
	for _, s := range []string{"alice", "bob", "carol"} {
		r.permit(s, true)
	}
	r.add("alice", "dl_vlan=10 actions=flood,all")
	native := "[FLOOD ALL]"
	if !r.inTable(native) {
		t.Fatalf("alice floods by %v", r.table())
	}
	r.add("bob", "in_port=1 actions=flood")
	if !r.inTable("[output:2 output:3]") {
		t.Errorf("bob, who has all ports there are now, floods by %v", r.table())
	}
	r.add("carol", "dl_type=0x88b5 actions=flood")
	if r.inTable("[FLOOD]") {
		t.Errorf("a forced queue is left out: %v", r.table())
	}
	frame := pkt{vlan: 10}.bytes()
	if got := ports(r.frame(2, frame)); !slices.Equal(got, []int{1, 1, 3, 3}) {
		t.Errorf("alice's frame left by %v", got)
	}
	noFlood := &of10.PortMod{PortNo: 3, HWAddr: [6]byte{2, 0, 0, 0, 0, 3}, Mask: of10.PortConfigNoFlood, Config: of10.PortConfigNoFlood}
	r.send("alice", noFlood)
	if got := ports(r.frame(2, frame)); r.inTable(native) || !slices.Equal(got, []int{1, 1, 3}) {
		t.Errorf("with NO_FLOOD on port 3 alice's frame left by %v: %v", got, r.table())
	}
	noFlood.Config, noFlood.XID = 0, 0
	r.send("alice", noFlood)
	if !r.inTable(native) {
		t.Errorf("without NO_FLOOD alice floods by %v", r.table())
	}
	r.respace(parseRules(t, "200 in_port=2,dl_vlan=10 bob=7")...)
	if !r.inTable(native) {
		t.Errorf("a frame of hers may still leave by port 2, which is in her rule: %v", r.table())
	}
	one := r.fs.View(testDPID).SliceRules("alice")[0]
	r.respace(flowspace.Change{Op: flowspace.Update, Rule: &flowspace.Rule{
		ID: one.ID, DPIDs: one.DPIDs, Priority: one.Priority, Grants: one.Grants, Match: parseRules(t, "1 in_port=1-2,dl_vlan=10 x=7")[0].Rule.Match,
	}})
	if r.inTable(native) {
		t.Errorf("alice has lost port 3 and floods by %v", r.table())
	}
}

func TestNativeFloodWithoutPermission(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 any alice=7")
	r.add("alice", "in_port=1 actions=flood")
	normal := flowMod(t, "in_port=2 actions=normal")
	if r.inTable("[FLOOD]") {
		t.Errorf("floods by %v", r.table())
	}
	r.wantError("alice", normal, of10.ErrorBadAction, of10.BadActionBadOutPort)
	r.permit("alice", true)
	r.add("alice", "in_port=2 actions=normal")
	if !r.inTable("[FLOOD]") || !r.inTable("[NORMAL]") {
		t.Errorf("with the permission: %v", r.table())
	}
	r.send("alice", &of10.PortMod{PortNo: 3, HWAddr: [6]byte{2, 0, 0, 0, 0, 3}, Mask: of10.PortConfigNoFwd, Config: of10.PortConfigNoFwd})
	if r.inTable("[NORMAL]") {
		t.Errorf("NORMAL does not know that port 3 must not be used: %v", r.table())
	}
	r.permit("alice", false)
	if r.inTable("[FLOOD]") || r.inTable("[NORMAL]") {
		t.Errorf("permission withdrawn: %v", r.table())
	}
	r.respace(parseRules(t, "50 dl_vlan=7 bob=7", "200 in_port=3 carol=7")...)
	r.permit("carol", true)
	r.wantError("carol", flowMod(t, "actions=normal"), of10.ErrorBadAction, of10.BadActionBadOutPort)
}
