package api

import (
	"crypto/md5" //nolint:gosec // FlowVisor's hashes are of it
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// fvImport is one conversion of FlowVisor's format into ours.
type fvImport struct {
	out    apitype.Config
	names  map[string]string // slice as written → as kept
	notes  []string
	noted  map[string]bool // what is noted once a section
	faults []apitype.Fault
	faulty map[string]bool // their fields
}

func (im *fvImport) note(format string, args ...any) {
	im.notes = append(im.notes, fmt.Sprintf(format, args...))
}

// maxFaults is how many faults are listed; all are counted.
const maxFaults = 1000

// fault keeps the first one of a field: what could not be read is not judged as the 0 it was left at.
func (im *fvImport) fault(section string, i int, field, value, detail string) {
	path := strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", section, i, field), ".")
	if im.faulty[path] {
		return
	}
	im.faulty[path] = true
	if len(im.faulty) > maxFaults {
		return
	}
	im.faults = append(im.faults, apitype.Fault{Index: i, Field: path, Value: clipText(value), Detail: detail})
}

// fromFlowVisor reads FlowVisor's format. What had to be repaired is in notes,
// what cannot be is an error listing every fault.
func fromFlowVisor(text []byte) (apitype.Config, []string, error) {
	if err := checkShape(text, false); err != nil {
		return apitype.Config{}, nil, err
	}
	im := &fvImport{names: map[string]string{hypervisor.AdminName: hypervisor.AdminName}, noted: map[string]bool{}, faulty: map[string]bool{}}
	in, err := im.decode(text)
	if err != nil {
		return apitype.Config{}, nil, err
	}
	if len(in.FlowVisor) == 0 {
		return apitype.Config{}, nil, bad("flowvisor", "", "the flowvisor section is missing or empty", "is this a configuration that FlowVisor saved?")
	}
	im.out = apitype.Config{Version: apitype.ConfigVersion, Slices: []apitype.SliceConfig{}, Flowspace: []apitype.RuleCreate{}, Datapaths: []apitype.DatapathConfig{}}
	im.slices(in.Slice)
	im.rules(in.Rules)
	im.switches(in.Switches)
	im.settings(in.FlowVisor)
	if len(im.faults) > 0 {
		what := "a fault"
		if len(im.faulty) > 1 {
			what = fmt.Sprintf("%d faults, the first", len(im.faulty))
		}
		return im.out, im.notes, &hypervisor.Error{Kind: apitype.KindInvalid, Index: -1, Faults: im.faults,
			Detail: fmt.Sprintf("the configuration has %s: %s: %s; nothing was changed", what, im.faults[0].Field, im.faults[0].Detail)}
	}
	return im.out, im.notes, nil
}

func (im *fvImport) settings(all []fvSettings) {
	last := all[len(all)-1]
	if len(all) > 1 {
		im.note("only the last of %d flowvisor entries counts", len(all))
	}
	flood := last.DefaultFloodPerm
	if kept, ok := im.names[flood]; ok {
		flood = kept
	} else if flood != "" {
		im.note("default_flood_perm names the unknown slice %q: left out", flood)
		flood = ""
	}
	im.out.Settings = &apitype.Settings{FlowTracking: last.TrackFlows, StatsDesc: last.StatsDescHack, Topology: last.RunTopology,
		FlowStatsCache: 30, DefaultFloodPerm: flood, Adoption: hypervisor.AdoptionAdopt}
}

func (im *fvImport) slices(all []fvSlice) {
	for i, s := range all {
		if im.faulty[fmt.Sprintf("Slice[%d]", i)] {
			continue
		}
		hash := ""
		if s.PasswdCrypt != "" {
			hash = hypervisor.LegacyHash(s.PasswdSalt, s.PasswdCrypt)
		}
		if s.Name == hypervisor.AdminName {
			if hash != "" {
				im.out.Accounts = append(im.out.Accounts, apitype.AccountConfig{Name: s.Name, Role: "admin", PasswordHash: hash})
				im.note("the administrator's password is that of the imported configuration")
			}
			continue
		}
		name := cleanName(s.Name)
		if name != s.Name {
			im.note("slice %q is called %q", s.Name, name)
		}
		if err := hypervisor.CheckSliceName(name); err != nil {
			im.fault("Slice", i, "name", s.Name, err.Error())
			im.names[s.Name] = name
			continue
		}
		if _, twice := im.names[s.Name]; twice || slices.ContainsFunc(im.out.Slices, func(o apitype.SliceConfig) bool { return o.Name == name }) {
			im.fault("Slice", i, "name", s.Name, "the slice is there twice")
			continue
		}
		im.names[s.Name] = name
		host := s.ControllerHost
		if strings.Contains(host, ":") {
			host = "[" + strings.Trim(host, "[]") + "]"
		}
		url := fmt.Sprintf("tcp:%s:%d", host, s.ControllerPort)
		if _, err := hypervisor.ParseController(fmt.Sprintf("tcp:%s:1", host)); err != nil {
			im.fault("Slice", i, "controller_hostname", s.ControllerHost, fmt.Sprintf("%q is not a host", clipText(s.ControllerHost)))
		} else if s.ControllerPort < 1 || s.ControllerPort > 65535 {
			im.fault("Slice", i, "controller_port", fmt.Sprint(s.ControllerPort), fmt.Sprintf("%d is not a port (1 to 65535)", s.ControllerPort))
		}
		policy := s.DropPolicy
		if policy == "" {
			policy = "exact"
		}
		im.checkSlice(i, policy, s.PasswdCrypt)
		limit := im.limit("Slice", i, "max_flow_rules", s.MaxFlowRules)
		im.out.Slices = append(im.out.Slices, apitype.SliceConfig{PasswordHash: hash, Creator: s.Creator, SliceCreate: apitype.SliceCreate{
			Name: name, Controllers: strings.Split(url, ","), Contact: s.ContactEmail, DropPolicy: &policy, RecvLLDP: orTrue(s.LLDPSpam),
			Enabled: orTrue(s.AdminStatus), Strict: new(false), FlowModLimit: &limit,
			RateLimit: new(-1), FlowModRate: new(-1), PacketInRate: new(-1)}})
	}
}

func (im *fvImport) checkSlice(i int, policy, crypt string) {
	if policy != "exact" && policy != "rule" {
		im.fault("Slice", i, "drop_policy", policy, fmt.Sprintf("unknown drop policy %q (want exact or rule)", clipText(policy)))
	}
	if b, err := hex.DecodeString(crypt); err != nil || len(b) != md5.Size && len(b) != 0 {
		im.fault("Slice", i, "passwd_crypt", "", "the password hash cannot be read (want 32 hexadecimal digits)")
	}
}

// limit checks a number of flows or messages, -1 for no limit.
func (im *fvImport) limit(section string, i int, field string, n *number) int {
	v := n.or(-1)
	if v < -1 || v > math.MaxInt32 || v == 0 && strings.HasSuffix(field, "rate_limit") {
		im.fault(section, i, field, fmt.Sprint(v), fmt.Sprintf("limit %d is out of range (want a number up to %d, or -1 for no limit)", v, math.MaxInt32))
		return -1
	}
	return int(v)
}

func orTrue(b *bool) *bool {
	if b == nil {
		return new(true)
	}
	return b
}

// cleanName replaces what a slice name cannot have, as FlowVisor's XML API did.
func cleanName(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+.-", r) {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	return b.String()
}

func (im *fvImport) switches(all []fvSwitch) {
	rates := map[string][]int{} // by slice: its rate on each switch
	for i, s := range all {
		if im.faulty[fmt.Sprintf("switches[%d]", i)] {
			continue
		}
		id, err := ofwire.ParseDatapathID(s.DPID)
		if err != nil {
			im.fault("switches", i, "dpid", s.DPID, err.Error())
			continue
		}
		d := apitype.DatapathConfig{DPID: id.String(), FloodPerm: im.names[s.FloodPerm]}
		if s.FloodPerm != "" && d.FloodPerm == "" {
			im.note("switch %s: flood_perm names the unknown slice %q: left out", id, s.FloodPerm)
		}
		for _, name := range slices.Sorted(maps.Keys(s.Limits)) {
			l := s.Limits[name]
			kept, ok := im.names[name]
			if !ok {
				im.note("switches[%d]: limits of the unknown slice %q: left out", i, name)
			}
			if !ok || kept == hypervisor.AdminName {
				continue
			}
			rate, mods := im.limit("switches", i, "limits."+name+".rate_limit", l.RateLimit), im.limit("switches", i, "limits."+name+".maximum_flow_mods", l.MaximumFlowMods)
			rates[kept] = append(rates[kept], rate)
			if mods >= 0 || rate >= 0 {
				d.Limits = append(d.Limits, apitype.SliceLimit{DPID: d.DPID, Slice: kept, FlowModLimit: mods, RateLimit: rate, FlowModRate: -1, PacketInRate: -1})
			}
		}
		slices.SortFunc(d.Limits, func(a, b apitype.SliceLimit) int { return strings.Compare(a.Slice, b.Slice) })
		im.out.Datapaths = append(im.out.Datapaths, d)
	}
	im.sliceRates(rates, len(all))
}

// sliceRates turns a rate that is the same on all switches into the slice's
// own: so FlowVisor kept what add-slice -r had said.
func (im *fvImport) sliceRates(rates map[string][]int, switches int) {
	for i := range im.out.Slices {
		s := &im.out.Slices[i]
		r := rates[s.Name]
		if len(r) == 0 || len(r) != switches || r[0] < 1 || slices.ContainsFunc(r, func(v int) bool { return v != r[0] }) {
			continue
		}
		s.RateLimit = &r[0]
		for j := range im.out.Datapaths {
			d := &im.out.Datapaths[j]
			for k := range d.Limits {
				if d.Limits[k].Slice == s.Name {
					d.Limits[k].RateLimit = -1
				}
			}
			d.Limits = slices.DeleteFunc(d.Limits, func(l apitype.SliceLimit) bool { return l.FlowModLimit < 0 && l.RateLimit < 0 })
		}
	}
}

func (im *fvImport) rules(all []fvRule) {
	var rules []*flowspace.Rule
	seen := map[string]bool{}
	for i := range all {
		if im.faulty[fmt.Sprintf("FlowSpaceRule[%d]", i)] {
			continue
		}
		r, err := im.rule(&all[i])
		if err != nil {
			e := problemOf(err)
			im.fault("FlowSpaceRule", i, e.Field, e.Value, e.Detail)
			continue
		}
		if seen[r.String()] {
			continue // FlowVisor wrote shared rules once per slice
		}
		seen[r.String()] = true
		rules = append(rules, r)
	}
	taken := map[string]bool{}
	for _, group := range groupByName(rules) {
		taken[group[0].Name] = true
	}
	for _, group := range groupByName(rules) {
		merged := mergeRules(group)
		if len(merged) < len(group) {
			im.note("the %d rules %q are %d", len(group), group[0].Name, len(merged))
		}
		for i, r := range merged {
			if i > 0 && r.Name != "" {
				name := fmt.Sprintf("%s-%d", r.Name, r.ID)
				for n := 2; taken[name]; n++ {
					name = fmt.Sprintf("%s-%d-%d", r.Name, r.ID, n)
				}
				im.note("a further rule %q is called %q", r.Name, name)
				r.Name = name
				taken[name] = true
			}
			im.out.Flowspace = append(im.out.Flowspace, hypervisor.RuleToConfig(r))
		}
	}
}

func (im *fvImport) rule(in *fvRule) (*flowspace.Rule, error) {
	r := &flowspace.Rule{Name: in.Name, Priority: uint32(max(in.Priority, 0)), ID: uint64(max(in.ID, 0))}
	if in.Priority < 0 || in.Priority > flowspace.MaxPriority {
		return r, bad("priority", fmt.Sprint(in.Priority), fmt.Sprintf("priority %d is out of range", in.Priority), "")
	}
	var err error
	if r.DPIDs, err = flowspace.ParseDPIDs(in.DPID); err != nil {
		return r, hypervisor.FromFlowspace(err)
	}
	if r.Match, err = in.match(); err != nil {
		return r, err
	}
	if fixed, what := repairMatch(r.Match); what != "" {
		im.note("rule %q: %s was implied by its match and is written out", in.Name, what)
		r.Match = fixed
	}
	if err := r.Match.Validate(); err != nil {
		return r, hypervisor.FromFlowspace(err)
	}
	if r.Grants, err = im.grants(in); err != nil {
		return r, err
	}
	for _, q := range in.QueueID {
		if q > math.MaxUint32 {
			return r, outOfRange("queue_id", q)
		}
		if q >= 0 {
			r.Queues = append(r.Queues, uint32(q))
		}
	}
	if q := in.ForcedQueue.or(-1); q > math.MaxUint32 {
		return r, outOfRange("forced_queue", number(q))
	} else if q >= 0 {
		r.ForcedQueue, r.HasForcedQueue = uint32(q), true
	}
	return r, nil
}

// grants makes the grants to the slices that there are.
func (im *fvImport) grants(in *fvRule) (grants []flowspace.Grant, err error) {
	var unknown []string
	for _, pair := range in.SliceAction {
		for name, perm := range pair {
			kept, ok := im.names[name]
			if !ok || kept == hypervisor.AdminName {
				im.note("rule %q: slice %q does not exist: left out", in.Name, name)
				unknown = append(unknown, name)
				continue
			}
			p, err := apitype.ParsePermission(strconv.FormatInt(int64(perm), 10))
			if err != nil {
				return nil, bad("slice_action", fmt.Sprint(perm), err.Error(), "")
			}
			grants = append(grants, flowspace.Grant{Slice: kept, Perm: flowspace.Permission(p)})
		}
	}
	switch {
	case len(grants) > 0:
		return grants, nil
	case len(unknown) > 0:
		return nil, bad("slice_action", unknown[0], fmt.Sprintf("rule %q is of the unknown slice %q", clipText(in.Name), clipText(unknown[0])), "")
	}
	return nil, bad("slice_action", "", fmt.Sprintf("rule %q grants no slice anything", in.Name), "")
}

// match makes the region. wildcards is what counts; a field that is neither
// wild nor given is 0, and of signed numbers the low bits count.
func (in *fvRule) match() (m flowspace.Match, err error) {
	all := []*number{in.InPort, in.DLVLAN, in.DLVPCP, in.DLType, in.NWSrc, in.NWDst, in.NWProto, in.NWTos, in.TPSrc, in.TPDst}
	if in.Wildcards == nil && (slices.Contains(all, nil) || in.DLSrc == "" || in.DLDst == "") {
		return m, bad("wildcards", "", "wildcards is missing: every field counts, but not all are given", "")
	}
	if v := in.Wildcards.or(0); v < math.MinInt32 || v > math.MaxUint32 {
		return m, outOfRange("wildcards", number(v))
	}
	w := uint32(in.Wildcards.or(0))
	for _, f := range []struct {
		name      string
		bit, mask uint32
		v         *number
		to        *flowspace.Set
	}{
		{"in_port", of10.WildInPort, 0xffff, in.InPort, &m.InPort}, {"dl_vlan", of10.WildDLVLAN, 0xffff, in.DLVLAN, &m.DLVLAN},
		{"dl_vpcp", of10.WildDLVLANPCP, 0xff, in.DLVPCP, &m.DLVLANPCP}, {"dl_type", of10.WildDLType, 0xffff, in.DLType, &m.DLType},
		{"nw_tos", of10.WildNWTos, 0xfc, in.NWTos, &m.NWTos}, {"nw_proto", of10.WildNWProto, 0xff, in.NWProto, &m.NWProto},
		{"tp_src", of10.WildTPSrc, 0xffff, in.TPSrc, &m.TPSrc}, {"tp_dst", of10.WildTPDst, 0xffff, in.TPDst, &m.TPDst},
	} {
		if w&f.bit == 0 {
			if v, top := f.v.or(0), int64(f.mask|3); v < -(top+1)/2 || v > top {
				return m, outOfRange(f.name, number(v))
			}
			*f.to = flowspace.One(uint32(f.v.or(0)) & f.mask)
		}
	}
	for _, f := range []struct {
		name string
		bit  uint32
		text string
		to   *flowspace.MACMask
	}{{"dl_src", of10.WildDLSrc, in.DLSrc, &m.DLSrc}, {"dl_dst", of10.WildDLDst, in.DLDst, &m.DLDst}} {
		if w&f.bit != 0 {
			continue
		}
		var mac ofwire.MAC
		if f.text != "" {
			if mac, err = ofwire.ParseMAC(f.text); err != nil {
				return m, bad(f.name, f.text, err.Error(), "")
			}
		}
		*f.to = flowspace.ExactMAC(mac)
	}
	for name, v := range map[string]int64{"nw_src": in.NWSrc.or(0), "nw_dst": in.NWDst.or(0)} {
		if v < math.MinInt32 || v > math.MaxUint32 {
			return m, outOfRange(name, number(v))
		}
	}
	wire := of10.Match{Wildcards: w}
	m.NWSrc = flowspace.IPv4Prefix(uint32(in.NWSrc.or(0)), 32-wire.NWSrcBits())
	m.NWDst = flowspace.IPv4Prefix(uint32(in.NWDst.or(0)), 32-wire.NWDstBits())
	return m, nil
}

// repairMatch adds the protocol that network and transport fields belong to:
// FlowVisor matched them without, on packets that have such fields.
func repairMatch(m flowspace.Match) (flowspace.Match, string) {
	ip, ipOrARP := flowspace.One(0x0800), mustSet(0x0800, 0x0806)
	ports := !m.TPSrc.IsAny() || !m.TPDst.IsAny()
	var what []string
	if m.DLType.IsAny() {
		switch {
		case ports || !m.NWTos.IsAny():
			m.DLType = ip
			what = append(what, "dl_type=0x0800")
		case !m.NWSrc.IsAny() || !m.NWDst.IsAny() || !m.NWProto.IsAny():
			m.DLType = ipOrARP
			what = append(what, "dl_type=0x0800|0x0806")
		}
	}
	if ports && m.NWProto.IsAny() {
		m.NWProto = mustSet(1, 6, 17)
		what = append(what, "nw_proto=1|6|17")
	}
	return m, strings.Join(what, ",")
}

func mustSet(vs ...uint32) flowspace.Set {
	s, _ := flowspace.Values(vs...) // there are some
	return s
}
