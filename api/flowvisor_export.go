package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire/of10"
)

const (
	fvVersion   = "flowvisor-1.4.0" // what FlowVisor's clients expect
	fvDBVersion = 2

	// fvExpansion bounds how many FlowVisor rules one of ours may become.
	fvExpansion = 65536
)

// toFlowVisor writes a configuration in FlowVisor's format. A rule with ranges
// becomes several of its rules. That a slice's controller is not one tcp: URL is
// an error; what else FlowVisor cannot say is left out, and said in notes.
func toFlowVisor(cfg apitype.Config) (text []byte, notes []string, err error) {
	set := cfg.Settings
	out := fvConfig{Slice: []fvSlice{}, Switches: []fvSwitch{}, Rules: []fvRule{}, FlowVisor: []fvSettings{{
		DefaultFloodPerm: set.DefaultFloodPerm, ConfigName: "default", ListenPort: 6633, LogIdent: "flowvisor", StatsDescHack: set.StatsDesc,
		APIPort: 8080, RunTopology: set.Topology, JettyPort: 8081, Version: fvVersion, TrackFlows: set.FlowTracking, DBVersion: fvDBVersion,
		LogFacility: "LOG_LOCAL7", Host: "localhost", Logging: "NOTE"}}}
	admin := fvSlice{ConfigName: "default", LLDPSpam: new(true), Creator: hypervisor.AdminName, ContactEmail: "fvadmin@localhost", DropPolicy: "exact",
		Name: hypervisor.AdminName, AdminStatus: new(true), MaxFlowRules: fvNumber(-1), FlowmapType: "federated", ControllerHost: "none"}
	for _, a := range cfg.Accounts {
		if a.Name == hypervisor.AdminName {
			admin.PasswdSalt, admin.PasswdCrypt, _ = hypervisor.SplitLegacy(a.PasswordHash)
		}
	}
	out.Slice = append(out.Slice, admin)
	for i := range cfg.Slices {
		s, err := fvSliceOut(&cfg.Slices[i])
		if err != nil {
			return nil, nil, err
		}
		out.Slice = append(out.Slice, s)
	}
	for i := range cfg.Flowspace {
		rules, err := fvRulesOut(&cfg.Flowspace[i])
		if err != nil {
			return nil, nil, err
		}
		out.Rules = append(out.Rules, rules...)
	}
	for i := range cfg.Datapaths {
		out.Switches = append(out.Switches, fvSwitchOut(&cfg.Datapaths[i], cfg.Slices))
	}
	if text, err = json.MarshalIndent(out, "", "  "); err != nil {
		return nil, nil, fmt.Errorf("encode configuration: %w", err)
	}
	return text, lostInFlowVisor(&cfg), nil
}

func fvSliceOut(s *apitype.SliceConfig) (fvSlice, error) {
	host, port, err := fvController(s.Controllers)
	if err != nil {
		return fvSlice{}, bad("controllers", strings.Join(s.Controllers, ","), fmt.Sprintf("slice %s: %v", s.Name, err), "use the govisor format")
	}
	salt, crypt, _ := hypervisor.SplitLegacy(s.PasswordHash)
	return fvSlice{ConfigName: "default", LLDPSpam: s.RecvLLDP, Creator: s.Creator, ControllerPort: number(port), ContactEmail: s.Contact,
		DropPolicy: *s.DropPolicy, PasswdCrypt: crypt, PasswdSalt: salt, Name: s.Name, AdminStatus: s.Enabled,
		MaxFlowRules: fvNumber(*s.FlowModLimit), FlowmapType: "federated", ControllerHost: host}, nil
}

// fvController returns host and port of the only kind FlowVisor knows.
func fvController(urls []string) (host string, port uint16, err error) {
	if len(urls) != 1 {
		return "", 0, fmt.Errorf("FlowVisor knows one controller for a slice, not %d", len(urls))
	}
	c, err := hypervisor.ParseController(urls[0])
	if err != nil {
		return "", 0, err
	}
	if c.Target.Scheme != "tcp" || c.ReadOnly {
		return "", 0, fmt.Errorf("FlowVisor knows no controller %s", c)
	}
	return c.Target.Host, c.Target.Port, nil
}

func fvSwitchOut(d *apitype.DatapathConfig, all []apitype.SliceConfig) fvSwitch {
	out := fvSwitch{Capabilities: -1, DPID: d.DPID, FloodPerm: d.FloodPerm, Limits: map[string]fvLimit{}}
	for _, s := range all {
		l := apitype.SliceLimit{FlowModLimit: -1, RateLimit: -1} // FlowVisor has no other
		if i := slices.IndexFunc(d.Limits, func(l apitype.SliceLimit) bool { return l.Slice == s.Name }); i >= 0 {
			l = d.Limits[i]
		}
		if l.RateLimit < 0 {
			l.RateLimit = *s.RateLimit
		}
		out.Limits[s.Name] = fvLimit{RateLimit: fvNumber(l.RateLimit), MaximumFlowMods: fvNumber(l.FlowModLimit)}
	}
	return out
}

// fvRulesOut writes one FlowVisor rule for each datapath and each wire match.
func fvRulesOut(r *apitype.RuleCreate) ([]fvRule, error) {
	m, err := hypervisor.ParseMatch(r.Match)
	if err != nil {
		return nil, err
	}
	matches, err := fs10.ToMatches(m, fvExpansion)
	if err != nil {
		return nil, bad("match", string(r.Match), fmt.Sprintf("rule %s: %v", r.Name, err), "use the govisor format")
	}
	base := fvRule{Priority: number(r.Priority), Name: r.Name, ID: number(r.ID), ForcedQueue: fvNumber(-1), QueueID: []number{}}
	for _, g := range r.Grants {
		base.SliceAction = append(base.SliceAction, map[string]number{g.Slice: number(g.Permission)})
	}
	for _, q := range r.Queues {
		base.QueueID = append(base.QueueID, number(q))
	}
	if r.ForcedQueue != nil {
		base.ForcedQueue = fvNumber(*r.ForcedQueue)
	}
	var out []fvRule
	for _, dpid := range r.DPIDs {
		if dpid == "any" {
			dpid = allDPIDs
		}
		for _, w := range matches {
			one := base
			one.DPID = dpid
			one.setMatch(w)
			out = append(out, one)
		}
	}
	return out, nil
}

// allDPIDs is how FlowVisor writes every datapath.
const allDPIDs = "all_dpids"

// setMatch writes the fields that are not wild, signed as FlowVisor's are.
func (in *fvRule) setMatch(w of10.Match) {
	in.Wildcards = new(number(hypervisor.FlowVisorWildcards(w)))
	has := func(bit uint32) bool { return w.Wildcards&bit == 0 }
	for _, f := range []struct {
		bit uint32
		to  **number
		v   number
	}{
		{of10.WildInPort, &in.InPort, number(int16(w.InPort))}, {of10.WildDLVLAN, &in.DLVLAN, number(int16(w.DLVLAN))},
		{of10.WildDLVLANPCP, &in.DLVPCP, number(w.DLVLANPCP)}, {of10.WildDLType, &in.DLType, number(int16(w.DLType))},
		{of10.WildNWTos, &in.NWTos, number(w.NWTos)}, {of10.WildNWProto, &in.NWProto, number(w.NWProto)},
		{of10.WildTPSrc, &in.TPSrc, number(int16(w.TPSrc))}, {of10.WildTPDst, &in.TPDst, number(int16(w.TPDst))},
	} {
		if has(f.bit) {
			*f.to = &f.v
		}
	}
	if has(of10.WildDLSrc) {
		in.DLSrc = w.DLSrc.String()
	}
	if has(of10.WildDLDst) {
		in.DLDst = w.DLDst.String()
	}
	if w.NWSrcBits() < 32 {
		in.NWSrc = fvNumber(int32(w.NWSrc))
	}
	if w.NWDstBits() < 32 {
		in.NWDst = fvNumber(int32(w.NWDst))
	}
}
