package api

import (
	"slices"

	"github.com/govisor/govisor/flowspace"
)

// groupByName keeps the order of first appearance; rules without a name stay alone.
func groupByName(rules []*flowspace.Rule) [][]*flowspace.Rule {
	at := map[string]int{}
	var out [][]*flowspace.Rule
	for _, r := range rules {
		if i, ok := at[r.Name]; ok && r.Name != "" {
			out[i] = append(out[i], r)
			continue
		}
		at[r.Name] = len(out)
		out = append(out, []*flowspace.Rule{r})
	}
	return out
}

// mergeRules puts rules together that differ in one thing only: the values of
// one field, or the datapaths. What FlowVisor could only say as many rules
// becomes the one rule it was meant as. The result keeps the first id and name.
func mergeRules(rules []*flowspace.Rule) []*flowspace.Rule {
	if len(rules) < 2 {
		return rules
	}
	out := make([]*flowspace.Rule, len(rules))
	for i, r := range rules {
		c := *r
		out[i] = &c
	}
	for again := true; again && len(out) > 1; {
		before := len(out)
		for _, field := range mergeFields() {
			out = mergeOn(out, field)
		}
		out = mergeDatapaths(out)
		again = len(out) < before
	}
	return out
}

func mergeFields() []func(*flowspace.Match) *flowspace.Set {
	return []func(*flowspace.Match) *flowspace.Set{
		func(m *flowspace.Match) *flowspace.Set { return &m.InPort },
		func(m *flowspace.Match) *flowspace.Set { return &m.DLVLAN },
		func(m *flowspace.Match) *flowspace.Set { return &m.DLVLANPCP },
		func(m *flowspace.Match) *flowspace.Set { return &m.DLType },
		func(m *flowspace.Match) *flowspace.Set { return &m.NWTos },
		func(m *flowspace.Match) *flowspace.Set { return &m.NWProto },
		func(m *flowspace.Match) *flowspace.Set { return &m.TPSrc },
		func(m *flowspace.Match) *flowspace.Set { return &m.TPDst },
	}
}

// sameBesides reports whether two rules agree but for match and datapaths.
func sameBesides(a, b *flowspace.Rule) bool {
	return a.Name == b.Name && a.Priority == b.Priority && slices.Equal(a.Grants, b.Grants) && slices.Equal(a.Queues, b.Queues) &&
		a.HasForcedQueue == b.HasForcedQueue && a.ForcedQueue == b.ForcedQueue
}

type mergeKey struct {
	m flowspace.Match
	d flowspace.DPIDSet
}

// mergeOn unites the values of one field where everything else is the same.
func mergeOn(rules []*flowspace.Rule, field func(*flowspace.Match) *flowspace.Set) []*flowspace.Rule {
	at := map[mergeKey]int{}
	ranges := map[int][]flowspace.Range{}
	out := rules[:0:0]
	for _, r := range rules {
		rest := r.Match
		*field(&rest) = flowspace.Set{}
		key := mergeKey{rest, r.DPIDs}
		i, ok := at[key]
		if ok && sameBesides(out[i], r) {
			ranges[i] = slices.AppendSeq(ranges[i], field(&r.Match).Ranges())
			continue
		}
		at[key] = len(out)
		ranges[len(out)] = slices.Collect(field(&r.Match).Ranges())
		out = append(out, r)
	}
	for i, r := range out {
		if set, ok := flowspace.SetOf(ranges[i]...); ok {
			*field(&r.Match) = set
		}
	}
	return out
}

func mergeDatapaths(rules []*flowspace.Rule) []*flowspace.Rule {
	at := map[flowspace.Match]int{}
	ids := map[int][]uint64{}
	out := rules[:0:0]
	for _, r := range rules {
		i, ok := at[r.Match]
		if ok && sameBesides(out[i], r) && !r.DPIDs.IsAll() && !out[i].DPIDs.IsAll() {
			ids[i] = slices.AppendSeq(ids[i], r.DPIDs.List())
			continue
		}
		at[r.Match] = len(out)
		ids[len(out)] = slices.Collect(r.DPIDs.List())
		out = append(out, r)
	}
	for i, r := range out {
		if !r.DPIDs.IsAll() {
			r.DPIDs = flowspace.DPIDs(ids[i]...)
		}
	}
	return out
}
