package slicing

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire/of10"
)

// What a flow may rewrite depends on rules that its own match has nothing to do with.
func TestRuleThatAFlowRewritesIntoGoes(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "10 dl_vlan=10 alice=7", "10 dl_vlan=20 alice=7", "10 dl_vlan=30 bob=7")
	r.add("alice", "dl_vlan=10 actions=mod_vlan_vid:20,output:2")
	r.add("alice", "priority=40000,dl_vlan=10,in_port=3 actions=output:2")
	frame := pkt{src: 1, dst: 2, vlan: 10}.bytes()
	if got := ports(r.frame(1, frame)); !slices.Equal(got, []int{2}) {
		t.Fatalf("left by %v, want 2", got)
	}
	into := r.d.view.Rules()[slices.IndexFunc(r.d.view.Rules(), func(x *flowspace.Rule) bool { return x.Match.DLVLAN == flowspace.One(20) })]
	r.respace(flowspace.Change{Op: flowspace.Remove, Rule: &flowspace.Rule{ID: into.ID}})
	if got := ports(r.frame(1, frame)); len(got) != 0 {
		t.Errorf("left by %v in a VLAN that is no longer the slice's", got)
	}
	if got := ports(r.frame(3, frame)); !slices.Equal(got, []int{2}) {
		t.Errorf("another flow's frame left by %v, want 2", got)
	}
	if err := (&world{r: r}).invariants(); err != nil {
		t.Error(err)
	}
}

// A change of a few rules looks at no other flow; which those are is what comparing
// every flow with every rule would say.
func TestConcernedFlows(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, benchRules(200)...)
	for i := range 100 {
		r.add([]string{"alice", "bob"}[i%2], fmt.Sprintf("priority=%d,ip,nw_dst=10.0.%d.%d actions=output:2", i%5, i, i%7))
	}
	r.add("alice", "priority=9,ip actions=output:3")
	changed := []*flowspace.Rule{r.d.view.Rules()[4], r.d.view.Rules()[9]}
	got := r.d.concerned(changed, map[*slice]bool{})
	var want []*vflow
	for _, f := range r.d.placed() {
		region := f.region()
		if changed[0].Match.Overlaps(&region) || changed[1].Match.Overlaps(&region) {
			want = append(want, f)
		}
	}
	if !slices.Equal(got, want) || len(want) < 2 {
		t.Errorf("%d flows concerned, want %d", len(got), len(want))
	}
}

// The pieces of a flow depend on its actions where some frames need a look each.
func TestModifyCarves(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "10 dl_vlan=10 alice=7", "10 dl_vlan=0xffff alice=7", "5 in_port=1 bob=7")
	check := func(what string) {
		t.Helper()
		if err := (&world{r: r}).invariants(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	r.add("alice", "dl_vlan=10 actions=output:2")
	one := len(r.table())
	for _, actions := range []string{"strip_vlan,output:3", "output:3", "strip_vlan,output:2", "drop", "output:2"} {
		if got := r.flow("alice", of10.FlowModify, "dl_vlan=10 actions="+actions); len(got) != 0 {
			t.Fatalf("%s: %v", actions, got)
		}
		check(actions)
		if n := len(r.table()); (n > one) != strings.HasPrefix(actions, "strip") {
			t.Errorf("%s: %d physical flows, %d without a look", actions, n, one)
		}
	}
}

// A switch keeps a miss_send_len for each connection: who comes next, perhaps another
// of the slice's controllers, begins with the default. How fragments are handled is
// the switch's and stays.
func TestMissSendLenOfTheControllerBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "1 any alice=7", "1 dl_vlan=9 bob=7")
	r.send("alice", &of10.SetConfig{Flags: of10.FragDrop, MissSendLen: 20})
	config := func() [2]uint16 {
		t.Helper()
		got := r.send("alice", &of10.GetConfigRequest{})
		if len(got) != 1 {
			t.Fatalf("answers are %v", got)
		}
		c := got[0].(*of10.GetConfigReply)
		return [2]uint16{uint16(c.Flags), c.MissSendLen}
	}
	again := func() {
		var out Out
		r.d.ControllerDown(r.now, "alice")
		r.d.ControllerUp(r.now, "alice", &out)
		r.pump(&out)
	}
	miss := func() int {
		r.frame(1, pkt{}.bytes())
		in := packetIns(r.take("alice"))
		if len(in) != 1 {
			t.Fatalf("%d packet_ins, want 1", len(in))
		}
		return len(in[0].Data)
	}
	if got := miss(); got != 20 {
		t.Errorf("%d bytes of the frame, want 20", got)
	}
	var out Out
	r.d.ControllerUp(r.now, "alice", &out) // there already
	if got, want := config(), ([2]uint16{uint16(of10.FragDrop), 20}); got != want {
		t.Errorf("config is %v, want %v", got, want)
	}
	again()
	if got, want := config(), ([2]uint16{uint16(of10.FragDrop), of10.DefaultMissSendLen}); got != want {
		t.Errorf("the next controller's config is %v, want %v", got, want)
	}
	if got, want := miss(), min(len(pkt{}.bytes()), int(of10.DefaultMissSendLen)); got != want {
		t.Errorf("the next controller gets %d bytes of the frame, want %d", got, want)
	}
	r.send("alice", &of10.SetConfig{MissSendLen: 2000})
	again()
	if last := r.log[len(r.log)-1]; !strings.Contains(last, "SET_CONFIG") || !strings.Contains(last, "512") {
		t.Errorf("the switch was told last %s, want the short miss_send_len", last)
	}
}
