package slicing

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire/of10"
)

// inSwitch are the switch's flows by cookie.
func (r *rig) inSwitch() map[uint64]string {
	var po ofswitch.Out
	m := &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}}
	r.phys.HandleMessage(r.now, 1, encode(r.t, m), &po)
	list := map[uint64]string{}
	for _, m := range po.Messages {
		p, err := of10.Parse(m.Data)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, f := range p.(*of10.StatsReply).Body.(of10.FlowStatsReply) {
			list[f.Cookie] = entryLine(f.Match, f.Priority, f.Actions)
		}
	}
	return list
}

// Whichever flow_mods a switch refuses, and however late it says so, also when what is
// tried again is refused: it has no flow that is not on the books, and none that is
// not wanted.
func TestNoStrayFlowsBehindRefusals(t *testing.T) {
	t.Parallel()
	const seeds = 400
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 3))
		r := crossed(t, "100 in_port=1 alice=7", "100 in_port=2 alice=7", "50 any bob=7")
		stubborn := rng.IntN(3) > 0 // refuses all ADDs at the end
		var did []string
		r.refuse = func(m *of10.FlowMod) bool {
			no := m.Command != of10.FlowDeleteStrict && rng.IntN(2) == 0
			did = append(did, fmt.Sprint("  to the switch ", m.Command, m.Match, m.Cookie, " refused ", no))
			return no
		}
		for range 2 + rng.IntN(6) {
			m := flowMod(t, []string{"priority=3,dl_vlan=5 actions=output:1", "priority=3,dl_vlan=5 actions=output:2", "priority=3,dl_vlan=5 actions=in_port", "dl_vlan=5,priority=4 actions=output:2", "priority=2 actions=output:1"}[rng.IntN(5)])
			m.Command = []of10.FlowModCommand{of10.FlowAdd, of10.FlowModifyStrict, of10.FlowModify, of10.FlowDeleteStrict, of10.FlowAdd}[rng.IntN(5)]
			m.Cookie = rng.Uint64()
			slice := []string{"alice", "alice", "bob"}[rng.IntN(3)]
			did = append(did, fmt.Sprint(slice, " ", m.Command, m.Match, m.Priority, m.Actions))
			r.xid++
			m.XID = r.xid
			r.send(slice, m)
			r.letDown(rng.IntN(3))
			r.letUp(rng.IntN(3))
		}
		if stubborn {
			random := r.refuse
			r.refuse = func(m *of10.FlowMod) bool { random(m); return m.Command == of10.FlowAdd }
		} else {
			r.refuse = nil
		}
		r.quiet()
		for range 4 {
			r.pass(time.Second)
			r.quiet()
		}
		want := map[uint64]bool{}
		for _, e := range r.d.entries() {
			want[e.cookie] = true
		}
		for cookie, f := range r.inSwitch() {
			if !want[cookie] {
				t.Fatalf("seed %d: %x %s is on no book\n%s", seed, cookie, f, strings.Join(did, "\n"))
			}
		}
		r.refuse = nil
		for _, slice := range []string{"alice", "bob"} {
			m := flowMod(t, "actions=drop")
			m.Command = of10.FlowDelete
			r.send(slice, m)
		}
		r.quiet()
		r.pass(2 * time.Second)
		r.quiet()
		for cookie, f := range r.inSwitch() {
			if !strings.Contains(f, "CONTROLLER") {
				t.Fatalf("seed %d: %x %s is left\n%s", seed, cookie, f, strings.Join(did, "\n"))
			}
		}
	}
}
