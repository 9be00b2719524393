package flowspace

import "slices"

// tupleSpace is tuple space search, the classifier of Open vSwitch: one hash table
// per combination of masks, tried from the highest priority down.
type tupleSpace struct{ tuples []*tuple }

type tuple struct {
	mask  tupleKey
	max   uint32
	rules map[tupleKey]*Rule // the strongest of each key
}

type tupleKey struct {
	dpid, src, dst          uint64
	inPort, nwSrc, nwDst    uint32
	vlan, typ, tpSrc, tpDst uint16
	pcp, tos, proto         uint8
}

func newTupleSpace(rules []*Rule) *tupleSpace {
	byMask := map[tupleKey]*tuple{}
	t := &tupleSpace{}
	for i, r := range rules {
		c := *r
		c.ID = uint64(i + 1) // as Apply gives them
		r := &c
		mask, key := tupleOf(r)
		p := byMask[mask]
		if p == nil {
			p = &tuple{mask: mask, rules: map[tupleKey]*Rule{}}
			byMask[mask] = p
			t.tuples = append(t.tuples, p)
		}
		p.max = max(p.max, r.Priority)
		if o := p.rules[key]; o == nil || r.Before(o) {
			p.rules[key] = r
		}
	}
	slices.SortFunc(t.tuples, func(a, b *tuple) int { return int(b.max) - int(a.max) })
	return t
}

func tupleOf(r *Rule) (mask, key tupleKey) {
	m := &r.Match
	num := func(s Set) (uint32, uint32) {
		if v, ok := s.Value(); ok {
			return 0xffffffff, v
		}
		return 0, 0
	}
	if !r.DPIDs.IsAll() {
		mask.dpid, key.dpid = 1<<64-1, r.DPIDs.at(0)
	}
	mask.src, key.src, mask.dst, key.dst = m.DLSrc.Mask, m.DLSrc.Addr, m.DLDst.Mask, m.DLDst.Addr
	mask.nwSrc, key.nwSrc, mask.nwDst, key.nwDst = m.NWSrc.Mask, m.NWSrc.Addr, m.NWDst.Mask, m.NWDst.Addr
	mask.inPort, key.inPort = num(m.InPort)
	put16 := func(s Set, mask, key *uint16) { a, b := num(s); *mask, *key = uint16(a), uint16(b) }
	put8 := func(s Set, mask, key *uint8) { a, b := num(s); *mask, *key = uint8(a), uint8(b) }
	put16(m.DLVLAN, &mask.vlan, &key.vlan)
	put16(m.DLType, &mask.typ, &key.typ)
	put16(m.TPSrc, &mask.tpSrc, &key.tpSrc)
	put16(m.TPDst, &mask.tpDst, &key.tpDst)
	put8(m.DLVLANPCP, &mask.pcp, &key.pcp)
	put8(m.NWTos, &mask.tos, &key.tos)
	put8(m.NWProto, &mask.proto, &key.proto)
	return mask, key
}

func (t *tupleSpace) owner(dpid uint64, h *Header) *Rule {
	var best *Rule
	src, dst := macUint(&h.DLSrc), macUint(&h.DLDst)
	for _, p := range t.tuples {
		if best != nil && best.Priority > p.max {
			break
		}
		k := &p.mask
		if r := p.rules[tupleKey{
			dpid: dpid & k.dpid, src: src & k.src, dst: dst & k.dst, inPort: h.InPort & k.inPort,
			nwSrc: h.NWSrc & k.nwSrc, nwDst: h.NWDst & k.nwDst, vlan: h.DLVLAN & k.vlan, typ: h.DLType & k.typ,
			tpSrc: h.TPSrc & k.tpSrc, tpDst: h.TPDst & k.tpDst, pcp: h.DLVLANPCP & k.pcp, tos: h.NWTos & k.tos, proto: h.NWProto & k.proto,
		}]; r != nil && (best == nil || r.Before(best)) {
			best = r
		}
	}
	return best
}
