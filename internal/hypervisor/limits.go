package hypervisor

import (
	"fmt"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

// Limits are what a slice may use; -1 is no limit.
type Limits struct {
	FlowModLimit int // flows it may hold
	RateLimit    int // messages per second from its controllers, all types together
	FlowModRate  int // flow_mods per second from its controllers
	PacketInRate int // packet_ins per second to its controllers; more are dropped
}

var noLimits = Limits{-1, -1, -1, -1}

// LimitsPatch changes the limits that are not nil.
type LimitsPatch struct {
	FlowModLimit *int
	RateLimit    *int
	FlowModRate  *int
	PacketInRate *int
}

// with returns the limits changed, each checked. prefix is that of the fields in an error.
func (l Limits) with(p LimitsPatch, prefix string) (Limits, error) {
	for _, f := range []struct {
		name  string
		to    *int
		from  *int
		least int
	}{
		{"flowmod_limit", &l.FlowModLimit, p.FlowModLimit, 0},
		{"rate_limit", &l.RateLimit, p.RateLimit, 1},
		{"flowmod_rate", &l.FlowModRate, p.FlowModRate, 1},
		{"packet_in_rate", &l.PacketInRate, p.PacketInRate, 1},
	} {
		v := f.from
		if v == nil {
			continue
		}
		if *v < -1 || *v > 1<<31-1 || *v >= 0 && *v < f.least {
			return l, invalid(prefix+f.name, fmt.Sprint(*v), fmt.Sprintf("%s %d is out of range", f.name, *v),
				fmt.Sprintf("want %d to 2147483647, or -1 for no limit", f.least))
		}
		*f.to = *v
	}
	return l, nil
}

// raises reports whether next allows more than l in any respect.
func (l Limits) raises(next Limits) bool {
	more := func(old, next int) bool { return old >= 0 && (next < 0 || next > old) }
	return more(l.FlowModLimit, next.FlowModLimit) || more(l.RateLimit, next.RateLimit) ||
		more(l.FlowModRate, next.FlowModRate) || more(l.PacketInRate, next.PacketInRate)
}

// String is for the audit log and for comparisons.
func (l Limits) String() string {
	text := fmt.Sprintf("flowmod_limit=%d rate_limit=%d", l.FlowModLimit, l.RateLimit)
	if l.FlowModRate >= 0 {
		text += fmt.Sprintf(" flowmod_rate=%d", l.FlowModRate)
	}
	if l.PacketInRate >= 0 {
		text += fmt.Sprintf(" packet_in_rate=%d", l.PacketInRate)
	}
	return text
}

func (l Limits) record() store.Limit {
	return store.Limit{FlowMods: l.FlowModLimit, Rate: l.RateLimit, FlowModRate: l.FlowModRate, PacketInRate: l.PacketInRate}
}

func limitsFromRecord(r store.Limit) Limits {
	return Limits{FlowModLimit: r.FlowMods, RateLimit: r.Rate, FlowModRate: orNone(r.FlowModRate), PacketInRate: orNone(r.PacketInRate)}
}

// orNone reads a rate that older records and files do not have.
func orNone(rate int) int {
	if rate == 0 {
		return -1
	}
	return rate
}

func (l Limits) on(id ofwire.DatapathID, slice string) apitype.SliceLimit {
	return apitype.SliceLimit{DPID: id.String(), Slice: slice, FlowModLimit: l.FlowModLimit, RateLimit: l.RateLimit,
		FlowModRate: l.FlowModRate, PacketInRate: l.PacketInRate}
}

// limitsLocked returns the shared counters of a slice, on all datapaths together or
// with dpid on one, with the limits in force. What a slice uses that another one made
// counts against that one's limits too, so that all it made together never have more.
func (s *Service) limitsLocked(st *state, sl *Slice, dpid *ofwire.DatapathID) *limits.Slice {
	key := shareKey{slice: sl.Name, generation: sl.Generation}
	want := sl.Limits
	if dpid != nil {
		key.dpid, key.perDPID = *dpid, true
		want = st.datapaths[*dpid].limit(sl.Name)
	}
	l := s.share[key]
	if l == nil {
		var within *limits.Slice
		if maker := st.slices[sl.Creator]; maker != nil && st.created(maker.Name, sl.Name) && !st.created(sl.Name, maker.Name) {
			within = s.limitsLocked(st, maker, dpid)
		}
		l = limits.Within(within)
		s.share[key] = l
	}
	l.Flows.SetLimit(int64(want.FlowModLimit))
	l.SetRates(limits.Rates{Messages: max(want.RateLimit, 0), FlowMods: max(want.FlowModRate, 0), PacketIns: max(want.PacketInRate, 0)}, s.now())
	return l
}

// followLimitsLocked puts the limits of st in force for all who use them, and lifts
// those of slices that are gone: what they made counts on without them.
func (s *Service) followLimitsLocked(st *state) {
	for key, l := range s.share {
		sl := st.slices[key.slice]
		switch {
		case sl == nil || sl.Generation != key.generation:
			l.Flows.SetLimit(-1)
			l.SetRates(limits.Rates{}, s.now())
			delete(s.share, key)
		case key.perDPID:
			s.limitsLocked(st, sl, &key.dpid)
		default:
			s.limitsLocked(st, sl, nil)
		}
	}
}

// quota counts a slice's flows on all datapaths and on one.
type quota struct{ all, here *limits.Flows }

// Reserve counts n more flows if both allow them.
func (q quota) Reserve(n int64) bool {
	if !q.here.Reserve(n) {
		return false
	}
	if q.all.Reserve(n) {
		return true
	}
	q.here.Release(n)
	return false
}

// Count counts n more flows that are there whatever the limits say.
func (q quota) Count(n int64) {
	q.here.Count(n)
	q.all.Count(n)
}

// Release gives back n flows.
func (q quota) Release(n int64) { q.Count(-n) }
