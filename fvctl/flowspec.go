package fvctl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
)

// matchSpec is what a FlowVisor match text says: a match, and the queues that were written inside it.
type matchSpec struct {
	match       apitype.Match
	queues      []uint32
	forcedQueue *uint32
}

// parseMatchSpec moves queues=1:2 and force_enqueue=1 to where they belong and leaves the rest for the server to
// judge, which knows FlowVisor's spelling and ovs-ofctl's.
func parseMatchSpec(text string) (matchSpec, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return matchSpec{match: "any"}, nil
	}
	if lower := strings.ToLower(text); !strings.Contains(lower, "queue") {
		return matchSpec{match: apitype.Match(text)}, nil
	}
	if len(text) >= 7 && strings.EqualFold(text[:7], "OFMatch") {
		text = text[7:]
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	var m matchSpec
	var fields []string
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "queues":
			q, err := parseQueues(value, ":")
			if err != nil {
				return m, err
			}
			m.queues = q
		case "force_enqueue", "forced_queue":
			q, err := parseQueues(value, ":")
			if err != nil || len(q) != 1 {
				return m, usagef("force_enqueue %q: want one queue number", value)
			}
			m.forcedQueue = &q[0]
		default:
			fields = append(fields, part)
		}
	}
	m.match = "any"
	if len(fields) > 0 {
		m.match = apitype.Match(strings.Join(fields, ","))
	}
	return m, nil
}

// parseQueues reads queue numbers separated by sep.
func parseQueues(text, sep string) ([]uint32, error) {
	queues := []uint32{}
	if text == "" {
		return queues, nil
	}
	for part := range strings.SplitSeq(text, sep) {
		n, err := strconv.ParseUint(strings.TrimSpace(part), 0, 32)
		if err != nil {
			return nil, usagef("queue %q: want a number", part)
		}
		queues = append(queues, uint32(n))
	}
	return queues, nil
}

// parseGrants reads "Slice:a=7,Slice:b=2" as well as "a=7,b=rw".
func parseGrants(text string) ([]apitype.Grant, error) {
	var grants []apitype.Grant
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if len(part) >= 6 && strings.EqualFold(part[:6], "slice:") {
			part = part[6:]
		}
		name, perm, ok := strings.Cut(part, "=")
		if !ok || name == "" || perm == "" {
			return nil, usagef("grant %q does not have the form SLICE=PERMISSION or Slice:SLICE=PERMISSION", part)
		}
		p, err := apitype.ParsePermission(perm)
		if err != nil {
			return nil, fmt.Errorf("slice %s: %w", name, err)
		}
		if slices.ContainsFunc(grants, func(g apitype.Grant) bool { return g.Slice == name }) {
			return nil, usagef("slice %s is granted twice", name)
		}
		grants = append(grants, apitype.Grant{Slice: name, Permission: p})
	}
	return grants, nil
}

// parsePriority reads a rule's priority.
func parsePriority(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, usagef("priority %q: want a number from 0 to 2147483647", text)
	}
	return uint32(n), nil
}

// splitDPIDs reads one datapath id, several separated by commas, or any.
func splitDPIDs(text string) []string {
	var ids []string
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "|", ","), ",") {
		words := strings.Fields(part)
		if len(words) == 0 {
			return []string{text} // for the server to refuse by name
		}
		ids = append(ids, words...)
	}
	for i, id := range ids {
		switch strings.ToLower(id) {
		case "*", "all", "all_dpids", "any":
			ids[i] = "any"
		}
	}
	return ids
}

// matchFields takes a match text of the server apart, in its order.
func matchFields(m apitype.Match) (fields [][2]string) {
	if m == "" || m == "any" {
		return nil
	}
	for part := range strings.SplitSeq(string(m), ",") {
		k, v, _ := strings.Cut(part, "=")
		fields = append(fields, [2]string{k, v})
	}
	return fields
}

// wildBits are the OpenFlow 1.0 wildcard bits of the fields that have one bit.
var wildBits = map[string]uint32{
	"in_port": 1 << 0, "dl_vlan": 1 << 1, "dl_src": 1 << 2, "dl_dst": 1 << 3, "dl_type": 1 << 4, "nw_proto": 1 << 5,
	"tp_src": 1 << 6, "tp_dst": 1 << 7, "dl_vlan_pcp": 1 << 20, "nw_tos": 1 << 21,
}

// flowVisorMatch is a match as FlowVisor's JSON shows it: numbers where it had numbers,
// text for what it could not say (ranges, sets, masks), and the raw wildcards.
func flowVisorMatch(m apitype.Match) map[string]any {
	wild := uint32(0x3fffff) &^ (0x3f<<8 | 0x3f<<14)        // prefix lengths are added below
	prefix := map[string]uint32{"nw_src": 63, "nw_dst": 63} // FlowVisor set all six bits of a wild one
	out := map[string]any{}
	for _, f := range matchFields(m) {
		key, value := f[0], f[1]
		wild &^= wildBits[key]
		if _, ok := prefix[key]; ok {
			prefix[key] = 0
			if _, bits, ok := strings.Cut(value, "/"); ok {
				if n, err := strconv.ParseUint(bits, 10, 6); err == nil && n <= 32 {
					prefix[key] = 32 - uint32(n)
				}
			}
		}
		if key == "dl_vlan_pcp" {
			key = "dl_vpcp"
		}
		if n, err := strconv.ParseUint(value, 0, 32); err == nil {
			out[key] = n
		} else {
			out[key] = value
		}
	}
	out["wildcards"] = wild | prefix["nw_src"]<<8 | prefix["nw_dst"]<<14
	return out
}

// flowVisorRule is a rule as FlowVisor's list-flowspace shows it.
func flowVisorRule(r apitype.Rule, hex bool) map[string]any {
	match := flowVisorMatch(r.Match)
	if hex {
		for _, k := range []string{"dl_type", "dl_vlan", "dl_vpcp"} {
			if n, ok := match[k].(uint64); ok {
				match[k] = fmt.Sprintf("0x%x", n)
			}
		}
	}
	actions := make([]map[string]any, 0, len(r.Grants))
	for _, g := range r.Grants {
		actions = append(actions, map[string]any{"slice-name": g.Slice, "permission": uint8(g.Permission)})
	}
	forced := int64(-1)
	if r.ForcedQueue != nil {
		forced = int64(*r.ForcedQueue)
	}
	return map[string]any{
		"name": r.Name, "id": r.ID, "dpid": flowVisorDPIDs(r.DPIDs), "priority": r.Priority, "match": match,
		"slice-action": actions, "queues": append([]uint32{}, r.Queues...), "force-enqueue": forced,
	}
}

func flowVisorDPIDs(ids []string) string {
	if len(ids) == 0 || len(ids) == 1 && ids[0] == "any" {
		return "all_dpids"
	}
	return strings.Join(ids, ",")
}

// bracketRule is a rule as the older listFlowSpace shows it.
func bracketRule(r apitype.Rule) string {
	var match []string
	fields := map[string]string{}
	for _, f := range matchFields(r.Match) {
		fields[f[0]] = f[1]
	}
	for _, k := range []string{"in_port", "dl_dst", "dl_src", "dl_type", "dl_vlan", "dl_vlan_pcp", "nw_dst", "nw_src", "nw_proto", "nw_tos", "tp_dst", "tp_src"} {
		if v, ok := fields[k]; ok {
			switch n, err := strconv.ParseUint(v, 0, 16); {
			case k == "dl_vlan_pcp":
				k = "dl_vpcp"
			case k == "dl_type" && err == nil:
				v = fmt.Sprintf("0x%x", n)
			}
			match = append(match, k+"="+v)
		}
	}
	if len(r.Queues) > 0 {
		text, _ := json.Marshal(r.Queues)
		match = append(match, "queues="+strings.ReplaceAll(strings.Trim(string(text), "[]"), ",", ":"))
	}
	if r.ForcedQueue != nil {
		match = append(match, fmt.Sprintf("force_enqueue=%d", *r.ForcedQueue))
	}
	actions := make([]string, 0, len(r.Grants))
	for _, g := range r.Grants {
		actions = append(actions, fmt.Sprintf("Slice:%s=%d", g.Slice, uint8(g.Permission)))
	}
	return fmt.Sprintf("FlowEntry[dpid=[%s],ruleMatch=[OFMatch[%s]],actionsList=[%s],id=[%d],priority=[%d],]",
		flowVisorDPIDs(r.DPIDs), strings.Join(match, ","), strings.Join(actions, ","), r.ID, r.Priority)
}
