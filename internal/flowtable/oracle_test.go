package flowtable_test

import (
	"time"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// slowTable is the same table as a plain list, compared field by field. It shares
// no code with the real one.
type slowTable struct {
	flows    []*slowFlow
	capacity int
}

type slowFlow struct {
	of10.FlowMod
	created, used time.Time
}

func wild(m of10.Match, bit uint32) bool { return m.Wildcards&bit != 0 }

func slowMatches(m of10.Match, h packet.Header) bool {
	return (wild(m, of10.WildInPort) || uint32(m.InPort) == h.InPort) &&
		(wild(m, of10.WildDLSrc) || m.DLSrc == h.DLSrc) && (wild(m, of10.WildDLDst) || m.DLDst == h.DLDst) &&
		(wild(m, of10.WildDLVLAN) || m.DLVLAN == h.DLVLAN) && (wild(m, of10.WildDLVLANPCP) || m.DLVLANPCP == h.DLVLANPCP) &&
		(wild(m, of10.WildDLType) || m.DLType == h.DLType) && (wild(m, of10.WildNWTos) || m.NWTos == h.NWTos) &&
		(wild(m, of10.WildNWProto) || m.NWProto == h.NWProto) &&
		m.NWSrc == h.NWSrc&m.NWSrcMask() && m.NWDst == h.NWDst&m.NWDstMask() &&
		(wild(m, of10.WildTPSrc) || m.TPSrc == h.TPSrc) && (wild(m, of10.WildTPDst) || m.TPDst == h.TPDst)
}

// slowCovers: every field a names, b names with the same value.
func slowCovers(a, b of10.Match) bool {
	f := func(bit uint32, same bool) bool { return wild(a, bit) || !wild(b, bit) && same }
	return f(of10.WildInPort, a.InPort == b.InPort) && f(of10.WildDLSrc, a.DLSrc == b.DLSrc) && f(of10.WildDLDst, a.DLDst == b.DLDst) &&
		f(of10.WildDLVLAN, a.DLVLAN == b.DLVLAN) && f(of10.WildDLVLANPCP, a.DLVLANPCP == b.DLVLANPCP) && f(of10.WildDLType, a.DLType == b.DLType) &&
		f(of10.WildNWTos, a.NWTos == b.NWTos) && f(of10.WildNWProto, a.NWProto == b.NWProto) && f(of10.WildTPSrc, a.TPSrc == b.TPSrc) &&
		f(of10.WildTPDst, a.TPDst == b.TPDst) && a.NWSrcBits() >= b.NWSrcBits() && a.NWSrc == b.NWSrc&a.NWSrcMask() &&
		a.NWDstBits() >= b.NWDstBits() && a.NWDst == b.NWDst&a.NWDstMask()
}

func slowOverlaps(a, b of10.Match) bool {
	f := func(bit uint32, same bool) bool { return wild(a, bit) || wild(b, bit) || same }
	src, dst := a.NWSrcMask()&b.NWSrcMask(), a.NWDstMask()&b.NWDstMask()
	return f(of10.WildInPort, a.InPort == b.InPort) && f(of10.WildDLSrc, a.DLSrc == b.DLSrc) && f(of10.WildDLDst, a.DLDst == b.DLDst) &&
		f(of10.WildDLVLAN, a.DLVLAN == b.DLVLAN) && f(of10.WildDLVLANPCP, a.DLVLANPCP == b.DLVLANPCP) && f(of10.WildDLType, a.DLType == b.DLType) &&
		f(of10.WildNWTos, a.NWTos == b.NWTos) && f(of10.WildNWProto, a.NWProto == b.NWProto) && f(of10.WildTPSrc, a.TPSrc == b.TPSrc) &&
		f(of10.WildTPDst, a.TPDst == b.TPDst) && a.NWSrc&src == b.NWSrc&src && a.NWDst&dst == b.NWDst&dst
}

func slowLevel(m of10.Match, priority uint16) int {
	if m.Wildcards == 0 {
		return 65536
	}
	return int(priority)
}

func (f *slowFlow) level() int { return slowLevel(f.Match, f.Priority) }

func (t *slowTable) lookup(h packet.Header) *slowFlow {
	var best *slowFlow
	for _, f := range t.flows {
		if slowMatches(f.Match, h) && (best == nil || f.level() > best.level()) {
			best = f
		}
	}
	return best
}

func (f *slowFlow) outputs(p of10.Port) bool {
	if p == of10.PortNone {
		return true
	}
	for _, a := range f.Actions {
		if (a.Type == of10.ActionOutput || a.Type == of10.ActionEnqueue) && a.Port == p {
			return true
		}
	}
	return false
}

func (t *slowTable) apply(now time.Time, fm of10.FlowMod) (removed int, errText string) {
	fm.Match = fm.Match.Normalize()
	strict := fm.Command == of10.FlowModifyStrict || fm.Command == of10.FlowDeleteStrict
	selected := func(f *slowFlow) bool {
		if strict {
			return f.Match == fm.Match && f.level() == slowLevel(fm.Match, fm.Priority)
		}
		return slowCovers(fm.Match, f.Match)
	}
	switch fm.Command {
	case of10.FlowModify, of10.FlowModifyStrict:
		n := 0
		for _, f := range t.flows {
			if selected(f) {
				f.Actions, f.Cookie = fm.Actions, fm.Cookie
				n++
			}
		}
		if n > 0 {
			return 0, ""
		}
	case of10.FlowDelete, of10.FlowDeleteStrict:
		var keep []*slowFlow
		for _, f := range t.flows {
			if !selected(f) || !f.outputs(fm.OutPort) {
				keep = append(keep, f)
			}
		}
		removed = len(t.flows) - len(keep)
		t.flows = keep
		return removed, ""
	}
	n := &slowFlow{fm, now, now}
	at := -1
	for i, f := range t.flows {
		if f.level() == n.level() && f.Match == n.Match {
			at = i
		} else if fm.Flags&of10.FlowModCheckOverlap != 0 && f.level() == n.level() && slowOverlaps(f.Match, n.Match) {
			return 0, "overlap"
		}
	}
	if at >= 0 {
		t.flows = append(t.flows[:at:at], t.flows[at+1:]...)
	} else if len(t.flows) >= t.capacity {
		return 0, "full"
	}
	t.flows = append(t.flows, n)
	return 0, ""
}

func (t *slowTable) expire(now time.Time) (n int) {
	var keep []*slowFlow
	for _, f := range t.flows {
		over := f.HardTimeout != 0 && now.Sub(f.created) >= time.Duration(f.HardTimeout)*time.Second ||
			f.IdleTimeout != 0 && now.Sub(f.used) >= time.Duration(f.IdleTimeout)*time.Second
		if over {
			n++
		} else {
			keep = append(keep, f)
		}
	}
	t.flows = keep
	return n
}
