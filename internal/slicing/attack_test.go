package slicing

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// attack is one entry of the attack list, reference/field-survey.md 5.3.
type attack struct {
	name  string
	check func(t *testing.T)
}

// TestAttackList tries what a hostile slice, host or switch may try; one file per row
// of the list. Attacks on framing, on the handshake and by peers that do not read need
// live sessions: internal/hypervisor, ofwire and slicer have them.
func TestAttackList(t *testing.T) {
	t.Parallel()
	for row, list := range map[string][]attack{
		"slice breakout": breakoutAttacks, "shared state": sharedAttacks, "state confusion": confusionAttacks,
		"link discovery": discoveryAttacks, "exhaustion": exhaustionAttacks,
	} {
		for _, a := range list {
			t.Run(row+"/"+a.name, func(t *testing.T) {
				t.Parallel()
				a.check(t)
			})
		}
	}
}

// divided is a switch with alice on ports 1 and 2 and bob on 3 and 4, who has flows.
func divided(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, 4, "100 in_port=1-2 alice=7", "100 in_port=3-4 bob=7")
	r.add("bob", "cookie=0xb,priority=7,in_port=3 actions=output:4")
	r.add("bob", "cookie=0xb,priority=7,in_port=4 actions=output:3")
	r.bobWell()
	return r
}

// bobWell checks that bob of divided has noticed nothing.
func (r *rig) bobWell() {
	r.t.Helper()
	r.takeSent()
	if got := r.take("bob"); len(got) != 0 {
		r.t.Errorf("bob heard %v", got)
	}
	for _, in := range []of10.Port{3, 4} {
		if diff := cmp.Diff([]int{int(7 - in)}, ports(r.frame(in, pkt{}.bytes()))); diff != "" {
			r.t.Errorf("bob's frame from port %d left by (-want +got):\n%s", in, diff)
		}
	}
	flows := r.flowsIn("bob", "actions=drop")
	if len(flows) != 2 || flows[0].Cookie != 0xb || flows[1].Cookie != 0xb {
		r.t.Errorf("bob's flows are %+v", flows)
	}
}

// flowsIn asks for the flows of a slice that a match covers.
func (r *rig) flowsIn(slice, match string) of10.FlowStatsReply {
	r.t.Helper()
	m := &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: flowMod(r.t, match).Match, TableID: of10.TableAll, OutPort: of10.PortNone}}
	got := r.send(slice, m)
	if len(got) != 1 {
		r.t.Fatalf("flow stats of %s: %v", slice, got)
	}
	return got[0].(*of10.StatsReply).Body.(of10.FlowStatsReply)
}

// untouched checks that nothing of one of these kinds reached the switch.
func (r *rig) untouched(kinds ...string) {
	r.t.Helper()
	for _, l := range r.log {
		for _, k := range kinds {
			if strings.Contains(l, k) {
				r.t.Errorf("reached the switch: %s", l)
			}
		}
	}
}
