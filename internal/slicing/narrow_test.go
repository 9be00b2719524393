package slicing

import (
	"testing"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// The switch is asked only for what the slice's flows lie in, and never for less.
func TestStatisticsAreAskedWhereTheFlowsLie(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, asked, want string
		pieces            []string
	}{
		{"one port", "", "in_port=3", []string{"in_port=3,dl_type=0x800,nw_dst=10.0.0.1", "in_port=3,dl_vlan=5"}},
		{"a network", "", "dl_type=0x800,nw_dst=10.0.4.0/23", []string{"dl_type=0x800,nw_dst=10.0.4.7,in_port=1", "dl_type=0x800,nw_dst=10.0.5.0/24"}},
		{"what switches forget", "", "in_port=3,dl_vlan=5", []string{"in_port=3,dl_vlan=5,dl_vlan_pcp=2"}},
		{"the request is narrower", "in_port=3,dl_type=0x800,nw_proto=6,tp_dst=80", "in_port=3,dl_type=0x800,nw_proto=6,tp_dst=80", []string{"in_port=3,dl_type=0x800,nw_proto=6,tp_dst=80"}},
		{"nothing in common", "", "", []string{"in_port=3", "in_port=4"}},
		{"nothing there", "in_port=9", "in_port=9", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			match := func(text string) of10.Match { return flowMod(t, text+" actions=drop").Match.Normalize() }
			v := &vflow{pieces: []*piece{{}}}
			for _, text := range tt.pieces {
				m := match(text)
				v.pieces = append(v.pieces, &piece{slot: &slot{pat: flowtable.MakePattern(&m)}})
			}
			got := narrowed(match(tt.asked), []statsFlow{{v: v}})
			if got != match(tt.want) {
				t.Errorf("asked for %v, want %v", got, tt.want)
			}
			whole := flowtable.MakePattern(&got)
			for _, p := range v.pieces[1:] {
				if !whole.Covers(&p.slot.pat) {
					t.Errorf("%v leaves out a piece", got)
				}
			}
		})
	}
}
