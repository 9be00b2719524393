package slicing

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A flow that is put in again begins anew everywhere, also where it had idled out.
func TestSuccessorOfAFlowThatIdledOutInPart(t *testing.T) {
	t.Parallel()
	const flow = "dl_vlan=0xffff,priority=9,idle_timeout=5 actions=output:3"
	r := newRig(t, 4, "10 in_port=1 alice=7", "20 in_port=2 alice=7", "10 in_port=3 alice=7", "5 any bob=7")
	r.add("alice", flow)
	before := r.table()
	for range 3 {
		r.frame(1, pkt{}.bytes())
		r.pass(3 * time.Second)
	}
	if n := strings.Count(strings.Join(r.table(), "\n"), "output:3"); n != 1 {
		t.Fatalf("%d pieces are left, want the one that is used:\n%s", n, strings.Join(r.table(), "\n"))
	}
	r.add("alice", flow)
	if diff := cmp.Diff(before, r.table()); diff != "" {
		t.Errorf("the flow put in again is another (-first +again):\n%s", diff)
	}
}

// Of two flows of one priority the older one goes before the other. Put in again it is the
// younger one.
func TestSuccessorIsYounger(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, "10 any alice=7,bob=7")
	r.add("bob", "in_port=1,priority=100 actions=output:2")
	r.add("alice", "in_port=1,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02,dl_vlan=0xffff,dl_type=0x1234,priority=100 actions=output:3")
	theirs := func() bool { return strings.Contains(strings.Join(r.table(), "\n"), "output:3") }
	if theirs() {
		t.Fatalf("the younger flow is in:\n%s", strings.Join(r.table(), "\n"))
	}
	r.add("bob", "in_port=1,priority=100 actions=output:2")
	if !theirs() {
		t.Errorf("the flow that was put in again still goes before the other:\n%s", strings.Join(r.table(), "\n"))
	}
}
