package slicing

import (
	"testing"
	"time"

	"github.com/govisor/govisor/flowspace"
)

// A flow that is moved ends no earlier than it would have, and later by no more than
// its idle timeout behind the last move.
func TestIdleTimeOfMovedFlow(t *testing.T) {
	t.Parallel()
	const idle = 5 * time.Second
	for seconds := range 4 {
		used := time.Duration(seconds) * time.Second
		r := newRig(t, 3, "20 dl_vlan=5 bob=7", "10 any alice=7")
		r.add("alice", "in_port=1,priority=65535,idle_timeout=5 actions=output:2")
		began := r.now
		r.pass(used)
		r.frame(1, pkt{}.bytes())
		last := r.now
		r.pass(began.Add(4 * time.Second).Sub(r.now))
		above := parseRules(t, "30 any alice=7")[0]
		above.Op, above.Rule.ID = flowspace.Update, r.fs.View(testDPID).Rules()[1].ID
		r.respace(above)
		moved := r.now
		if r.d.restarted == 0 {
			t.Fatalf("the flow was not moved: %v", r.table())
		}
		for len(r.take("alice")) == 0 {
			if r.pass(time.Second); r.now.Sub(began) > time.Minute {
				t.Fatal("the flow does not end")
			}
		}
		if r.now.Before(last.Add(idle)) || r.now.After(moved.Add(idle)) {
			t.Errorf("used %v and moved %v after its beginning, the flow ended at %v", last.Sub(began), moved.Sub(began), r.now.Sub(began))
		}
	}
}
