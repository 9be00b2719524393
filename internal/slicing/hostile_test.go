package slicing

import (
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// A flow that is replaced or modified time and again keeps nothing of its past.
func TestReplacedFlowsAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, "100 in_port=1-2 alice=7")
	for n := range 4 {
		r.add("alice", "priority=5 actions=output:1")
		if n%2 == 0 {
			r.flow("alice", of10.FlowModify, "actions=output:2")
		}
		r.send("alice", &of10.BarrierRequest{})
	}
	if f := r.d.slices["alice"].table.Flows()[0].Aux.(*vflow); f.txn != nil {
		t.Error("a confirmed flow can still be undone, and holds on to what it replaced")
	}
}
