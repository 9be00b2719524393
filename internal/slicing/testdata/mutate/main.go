// Command mutate puts deliberate faults into the slicing core, one at a time, and
// runs the package's tests on each: a fault that no test notices is a hole in the
// tests. Run it from the root of the repository:
//
//	go run ./internal/slicing/testdata/mutate [-steps 20000] [-run NAME]
//
// At the end of a whole run it lists the tests that no fault made fail; see idle.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A fault is a replacement in a file of the package, or of another one, whose path is
// from the root of the repository then.
type fault struct{ name, file, old, new string }

// scenarios are the tests elsewhere of what the core alone cannot show; faults in other
// packages are theirs to find.
const scenarios = "internal/hypervisor"

var faults = []fault{
	{"leave the guards out", "derive.go", "if r.writes(f.slice.name) {\n\t\t\tcontinue\n\t\t}\n\t\tif !r.single", "if true {\n\t\t\tcontinue\n\t\t}\n\t\tif !r.single"},
	{"give priorities out of order", "numbers.go", "want > lo && want < hi", "want >= 0"},
	{"forget the in_port of a packet_out", "packetout.go", "job.ports = d.ingress(s, job.in, b)", "job.ports = d.ingress(s, of10.PortNone, b)"},
	{"let link discovery frames claim a foreign in_port", "packetout.go", "if usable && !s.owns(m.InPort)", "if false"},
	{"forget who owns the header of a packet_out", "packetout.go", "if !job.lldp && !d.ownsHeader(s, &b.header, job.ports)", "if false"},
	{"install pieces in space that a higher rule owns", "derive.go", "if r.contains(p) {\n\t\t\treturn true", "if r.contains(p) {\n\t\t\treturn false"},
	{"let an exact piece win although a higher flow hits", "slots.go", "\tbest := d.winnerAt(s.rule, &s.pat.Value)", "\tif len(s.cands) > 0 {\n\t\treturn wantPiece(s.cands[0])\n\t}\n\tbest := d.winnerAt(s.rule, &s.pat.Value)"},
	{"believe every rewriting", "rewrite.go", "if w.parts[i].changed && !w.d.view.Covered", "if false && !w.d.view.Covered"},
	{"flood to all ports", "actions.go", "if p.PortNo == in || !s.sends(p.PortNo)", "if p.PortNo == in"},
	{"answer errors with xid 0", "dispatch.go", "&of10.Error{XID: of10.XID(frame), ErrType: typ", "&of10.Error{XID: 0, ErrType: typ"},
	{"let a buffer be used twice", "buffers.go", "CompareAndSwap(state, uint64(id)|bufferUsed)", "CompareAndSwap(state, state)"},
	{"announce a flow's end before all counters are in", "lifetime.go", "!f.announce || f.waiting > 0 || f.live > 0", "!f.announce"},
	{"count only what the switch has now", "stats.go", "f(s, s.v.packets+s.packets, s.v.bytes+s.bytes)", "f(s, s.packets, s.bytes)"},
	{"forget that a piece has idled out", "lifetime.go", "p.gone = true", "p.gone = false"},
	{"do not cut packet_ins", "fast.go", "out.truncatePacketIn(int(s.miss))", "_ = s.miss"},
	{"give buffers to readers", "fast.go", "if g.Perm&flowspace.Write != 0 {", "if true {"},
	{"rank rules upside down", "ranks.go", "r.order[from].priority < priority", "r.order[from].priority > priority"},
	{"keep flows that lost all space", "live.go", "case len(specs) == 0 && !d.writesSomewhere(f):", "case false:"},
	{"do not tell of ports that are lost", "live.go", "case before && !after:\n\t\t\tout.deliver(s.name, AllConns, &of10.PortStatus{Reason: of10.PortDeleted, Desc: s.view(p)})", "case before && !after:"},
	{"leave OUTPUT:CONTROLLER out", "actions.go", "\tif hasController(list) {\n\t\tdst = append(dst, toController[0])\n\t}", ""},
	{"ignore NO_FLOOD", "actions.go", "to == of10.PortFlood && s.config(p)", "to == of10.PortAll && s.config(p)"},
	{"do not count frames that govisor forwards", "packetin.go", "\tf.hit(now, int(b.total))\n\td.runFlow(f, r, b, out)", "\td.runFlow(f, r, b, out)"},
	{"do not look at points again", "slots.go", "func (d *Datapath) markPoints(f *vflow) {\n", "func (d *Datapath) markPoints(f *vflow) {\n\tif d != nil {\n\t\treturn\n\t}\n"},
	{"keep the cookie on MODIFY", "flowmod.go", "fl.Actions, fl.Cookie = actions, m.Cookie", "fl.Actions = actions"},
	{"believe every link discovery mark", "lldp.go", "if !hmac.Equal(", "if false && !hmac.Equal("},
	{"ignore CHECK_OVERLAP", "flowmod.go", "m.Flags&of10.FlowModCheckOverlap != 0 && s.table", "false && s.table"},
	{"let the older of two slices' identical flows win", "flow.go", "return f.seq > b.seq", "return f.seq < b.seq"},
	{"forward frames with two tags unseen", "derive.go", "case a.Type == of10.ActionStripVLAN:", "case false:"},
	{"let a point strip a tag unseen", "derive.go", "specs[n-1].carve = specs[n-1].carve || k < looks", "_ = looks"},
	{"forget that service tags are tags", "derive.go", "[...]uint16{packet.TypeVLAN, packet.TypeSVLAN}", "[...]uint16{packet.TypeVLAN}"},
	{"forget that the switch uses buffer ids again", "fast.go", "v.real.seen(of10.PacketInBufferID(frame))", ""},
	{"let every slice use a buffer once", "buffers.go", "at.CompareAndSwap(v, v|1)", "at.Load() == v"},
	{"give a carved point its piece's own priority", "flush.go", "\t\t\tlevel++\n", ""},
	{"carve points out of another slice's space", "derive.go", "rules[:s.rule.at], &d.nearPiece)", "rules[:0*s.rule.at], &d.nearPiece)"},
	{"flood natively without the permission", "actions.go", "return s.cfg.Flood && s.has && s.ports.IsAny()", "return s.has && s.ports.IsAny()"},
	{"flood natively past a port of others", "actions.go", "return s.cfg.Flood && s.has && s.ports.IsAny()", "return s.cfg.Flood && s.has"},
	{"flood natively past a port's settings", "actions.go", "if port := d.port(p); !s.sends(p) || port", "if port := d.port(p); false && port"},
	{"forget who rewrites into a rule that goes", "live.go", "found := maps.Clone(d.dependent)", "found := maps.Clone(map[*vflow]struct{}{})\n\tif found == nil {\n\t\tfound = map[*vflow]struct{}{}\n\t}"},
	{"forget ports that come with a rule", "live.go", "d.countPorts(r, 1, touched)", "d.countPorts(r, 1, map[*slice]bool{})"},
	{"forget ports that go with a rule", "live.go", "d.countPorts(r, -1, touched)", "d.countPorts(r, -1, map[*slice]bool{})"},
	{"take a guard for hidden as it was for another flow", "derive.go", "if r.serial != d.serial {", "if r.serial == 0 {"},
	{"forget that IN_PORT may be the port that changed", "ports.go", "case p, of10.PortInPort, of10.PortFlood", "case p, of10.PortFlood"},
	{"forget that FLOOD means the port that changed", "ports.go", "of10.PortFlood, of10.PortAll, of10.PortNormal:", "of10.PortAll, of10.PortNormal:"},
	{"let pieces stay although the new actions carve", "flowmod.go", "!same && carves(actions)", "false"},
	{"let pieces stay although the old actions carved", "flowmod.go", "if p.slot == nil || p.carve && !same {", "if p.slot == nil {"},
	{"let a flow's successor be idled out too", "acquire.go", "n.flow, n.gone = f, false", "n.flow = f"},
	{"use memory again at once", "spare.go", "finished || failed || old == nil || !d.spent(old)", "finished && failed && false || old == nil"},
	{"forget that a flow's successor is younger", "acquire.go", "\told.pieces = nil\n\td.markPoints(f)", "\told.pieces = nil"},
	{"let long messages vanish", "packetout.go", "n > maxMessage-packetOutHead", "n > 2*maxMessage"},
	{"do not cut packet_ins to a message", "packetin.go", "if len(m.Data) > maxMessage-packetInHead {", "if false {"},
	{"give a removed slice's frames to its successor", "slice.go", "p.slice, p.actions = nil, nil", "p.slice = s"},
	{"take the session's xids", "pending.go", "case d.xid&ReservedXIDMask == ReservedXIDs:", "case false:"},
	{"ask the switch for all flows by fields it forgets", "stats.go", "m.Wildcards |= unsure", "m.Wildcards |= 0"},
	{"ask the switch where the first piece lies only", "stats.go", "reach = reach.Join(&p.slot.pat)", "reach.Join(&p.slot.pat)"},
	{"ask the switch for more than was asked", "stats.go", "return both.Match()", "_ = both\n\t\treturn reach.Match()"},
	{"ask the switch for everything where nothing is", "stats.go", "if !found {\n\t\treturn asked", "if !found {\n\t\treturn of10.MatchAll()"},
	{"let moved flows live on", "flush.go", "e.idle, e.hard, of10.FlowModSendFlowRem, e.actions", "3*e.idle, e.hard, of10.FlowModSendFlowRem, e.actions"},
	{"do not count emergency flows", "flowmod.go", "return s.table.Len() + s.table.EmergencyLen()", "return s.table.Len()"},
	{"leave strangers' emergency flows", "adopt.go", "\td.wipeEmergency(out)\n", ""},
	{"strip tags in an emergency unseen", "emergency.go", "if slices.ContainsFunc(specs, carved) && strips(f.flow.Actions) {", "if false && strips(f.flow.Actions) {"},
	{"forget the ports of emergency flows", "ports.go", "\td.reviseEmergency(now, out)\n\td.publish()\n\td.flush(now, nil, out)\n\td.confirm", "\td.publish()\n\td.flush(now, nil, out)\n\td.confirm"},
	{"answer statistics with the switch's xid", "stats.go", "r := of10.StatsReply{XID: p.origXID(), StatsType: job.typ}", "r := of10.StatsReply{XID: p.xid, StatsType: job.typ}"},
	{"announce flows by govisor's cookie", "lifetime.go", "Match: f.flow.Match, Cookie: f.flow.Cookie,", "Match: f.flow.Match, Cookie: d.cookie,"},
	{"pass on what a controller must not send", "dispatch.go", "d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestBadType)", "out.toSwitch = append(out.toSwitch, frame...)"},
	{"let frames that nobody hears come up", "packetin.go", "d.startAway(now, r, h, out)", "_, _ = now, h"},
	{"take statistics requests without end", "stats.go", "if s.jobs >= maxStatsJobs {", "if false {"},
	{"forget the limit here", "flowmod.go", "if s.cfg.MaxFlows >= 0 && int64(s.flows()) >= s.cfg.MaxFlows {", "if false {"},
	{"look for the mark in the first TLV only", "lldp.go", "[3]byte(v[:3]) != markOUI || v[3] != markSubtype {\n\t\t\treturn true", "[3]byte(v[:3]) != markOUI || v[3] != markSubtype {\n\t\t\treturn false"},
	{"take padding for a part of a probe", "lldp.go", "tail := payload[end : end+length-begin]", "tail := payload[end:]"},
	{"give probes back on any port", "lldp.go", "if s == nil || !s.owns(b.inPort) || !s.up {", "if s == nil || !s.up {"},
	{"give foreign link discovery to those who did not ask", "lldp.go", "if s.cfg.ReceiveLLDP && s.up", "if s.up"},
	{"take no probe for tagged", "lldp.go", "if packet.Tagged(frame) {", "if false && packet.Tagged(frame) {"},
	{"pass deletes on as they are", "flowmod.go", "if m.Command == of10.FlowDelete || m.Command == of10.FlowDeleteStrict {", "if m.Command == of10.FlowDelete || m.Command == of10.FlowDeleteStrict {\n\t\tout.toSwitch = append(out.toSwitch, frame...)"},
	{"pass modifications on as they are", "flowmod.go", "\tif m.Command != of10.FlowAdd {", "\tif m.Command != of10.FlowAdd {\n\t\tout.toSwitch = append(out.toSwitch, frame...)"},
	{"pass port_mods on", "ports.go", "before := s.view(p)", "before := s.view(p)\n\tout.toSwitch = append(out.toSwitch, frame...)"},
	{"show everybody's ports in statistics", "stats.go", "if p.slice.owns(b[i].PortNo) {", "if true {"},
	{"give buffer ids that mean none", "buffers.go", "for id == of10.NoBuffer || id == 0 {", "for false {"},
	{"let one slice have all priorities", "flowmod.go", "need >= d.scarce && d.greedy(f.slice)", "false"},
	{"deliver fragments to those who drop them", "fast.go", "if fragment && s.frag == of10.FragDrop || skip", "if skip"},
	{"tell of more ports than fit", "ports.go", " && len(r.Ports) < maxPorts", ""},
	{"obey controllers that may only read", "dispatch.go", "if c.ReadOnly && changes(typ) ||", "if false ||"},
	{"forget untagged frames of priority 0", "region.go", "dst = append(dst, pinned(q))", "_ = q"},
	{"take an idle piece's frame for a miss", "packetin.go", "p.gone && !found.carve", "false"},
	{"believe that addresses are always set", "rewrite.go", "\tif w.alone != nil {", "\tif false {"},
	{"leave points unpinned where rules are merged", "derive.go", "pat := pinned(*f.flow.Pattern())", "pat := *f.flow.Pattern()"},
	{"obey slaves", "dispatch.go", "c.Slave && changes(typ)", "false && changes(typ)"},
	{"forget what idled out while the switch was away", "adopt.go", "if f == nil && e.idle != 0", "if false && e.idle != 0"},
	{"keep flows whose guard was refused", "pending.go", "if containsSlot(p.guards, e.slot) {", "if containsSlot(p.guards, e.slot) && f.isDrop() {"},
	{"keep drops whose guard was refused", "pending.go", "if containsSlot(p.guards, e.slot) {", "if containsSlot(p.guards, e.slot) && !f.isDrop() {"},
	{"forget that a MODIFY may come too late", "flush.go", "return e.changed != 0 && d.pending.holds(e.changed)", "return false"},
	{"forget what a refused ADD would have replaced", "pending.go", "\tif old == nil {", "\tif old == nil || true {"},
	{"let a slot that has gone take its successor away", "slots.go", "d.slots[key] == s {", "s != nil {"},
	{"let SET_TP make ICMP messages anybody's", "rewrite.go", "dst = appendICMP(dst, p.as(o, false), a)", "dst = append(dst, p.as(o, false))"},
	{"let SET_TP make an ICMP message anybody's", "rewrite.go", "\tif w.icmpType != nil {", "\tif false {"},
	{"let SET_TP make a buffered ICMP message anybody's", "rewrite.go", "if !ports && !icmp {", "if !ports {"},
	{"take a probe for what was asked for", "lldp.go", "if name == \"\" && d.punted(", "if d.punted("},
	{"send frames up to their former owner", "live.go", "\td.disownPunts()\n", ""},
	{"answer barriers before refusals are taken back", "dispatch.go", "case undoing && !p.again:", "case false && undoing:"},
	{"tell of a refused emergency flow piece by piece", "pending.go", "*p.told = true", "*p.told = false"},
	{"do not count a flow that comes back", "pending.go", "f.slice.cfg.Quota.Count(1)", "_ = f"},
	{"hold on to what was replaced", "pending.go", "\tclear(t.modified)\n\t*t = txn{orig: t.orig[:0], modified: t.modified[:0]}", "\tt.slice = nil"},
	{"forget the rule's own fields", "derive.go", "appendPlain(d.cutPattern[:0], both)", "appendPlain(d.cutPattern[:0], *f.flow.Pattern())"},
	{"say that a reply is the last when it is not", "stats.go", "r.Flags, r.Body = more, list", "r.Flags, r.Body = 0, list"},
	{"ask for the ingress where there is none", "packetout.go", "\tif !usable {\n\t\tjob.in = of10.PortNone\n\t}\n", ""},
	{"trace without a reason", "trace.go", "t.Refused, t.Because = err, d.explainRefusal(f, err)", "t.Refused = err"},
	{"forget that untagged frames are untagged", "internal/packet/header.go", "InPort: inPort, DLVLAN: VLANNone}", "InPort: inPort}"},
	{"keep the flowspace of the connection's beginning", "internal/hypervisor/core.go", "if !k.view.Same(cfg.View) {", "if false {"},
	{"speak only to switches that offer 1.0 alone", "internal/ofconn/handshake.go", "ofwire.Version10); err == nil {", "ofwire.Version10); err == nil && peer[0] == ofwire.Version10 {"},
	{"break with a switch over a type nobody knows", "classifier/session.go", "\tif s.ownAnswer(frame) {", "\tif frame[1] > 21 {\n\t\treturn fmt.Errorf(\"unknown\")\n\t}\n\tif s.ownAnswer(frame) {"},
	{"give fragments ports", "rewrite.go", "if p.ports == maybe && m.TPSrc.Has(0)", "if false && m.TPSrc.Has(0)"},
	{"give cut packets addresses", "rewrite.go", "if p.ip == maybe && m.NWProto.Has(0)", "if false && m.NWProto.Has(0)"},
	{"give cut packets in buffers addresses", "rewrite.go", "w.bare, w.split, w.cut = *h, true, true", "w.cut = false"},
	{"give buffered fragments ports", "rewrite.go", "if !w.split && (icmp || h.TPSrc|h.TPDst == 0) {", "if !w.split && icmp {"},
	{"grant queues on all ports by way of IN_PORT", "actions.go", "if in != of10.PortNone {\n\t\treturn d.grantsQueue(s, in, queue)", "if true {\n\t\treturn true"},
	{"delete from all slices' tables", "flowmod.go", "sel := s.table.Selected(m)\n\t\td.withMany", "sel := s.table.Selected(m)\n\t\tfor _, o := range d.slices {\n\t\t\tsel = append(sel, o.table.Selected(m)...)\n\t\t}\n\t\td.withMany"},
	{"look for no ingress where none is named", "packetout.go", "if in != of10.PortNone {\n\t\tlist = append", "if true {\n\t\tlist = append"},
	{"let a strict slice's flows have actions it may not", "flowmod.go", "specs != nil && !s.cfg.Strict {", "specs != nil {"},
	{"forget that rewriting depends on rules elsewhere", "live.go", "return rewrites(f.flow.Actions)", "return false"},
	{"give flows more idle time than they asked for", "flush.go", "e.idle = f.flow.Idle\n", "e.idle = f.flow.Idle + 1\n"},
	{"end flows on govisor's clock alone", "lifetime.go", "if f.flow.Idle != 0 && f.live == 0 {", "if f.flow.Idle != 0 {"},
	{"answer barriers with the switch's xid", "dispatch.go", "&of10.BarrierReply{XID: p.origXID()}", "&of10.BarrierReply{XID: m.XID}"},
	{"deliver a miss to one slice only", "fast.go", "out.truncatePacketIn(int(s.miss))\n", "out.truncatePacketIn(int(s.miss))\n\t\tbreak\n"},
	{"let deletes reach other slices' flows", "derive.go", "if !r.writes(f.slice.name) {\n\t\t\tcontinue", "if len(r.writers) == 0 {\n\t\t\tcontinue"},
	{"let frames in by a closed port", "ports.go", "want := s.owns(p) && on&(of10.PortConfigDown", "want := false && on&(of10.PortConfigDown"},
}

func main() {
	steps := flag.Int("steps", 20000, "steps of the equivalence test for each fault")
	run := flag.String("run", "", "only faults whose name contains this")
	flag.Parse()
	dir, err := filepath.Abs("internal/slicing")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer os.RemoveAll(tmp)
	bad, seen := 0, map[string]bool{}
	for n, f := range faults {
		if !strings.Contains(f.name, *run) {
			continue
		}
		by, err := try(dir, tmp, f, *steps)
		switch {
		case err != nil:
			bad++
			fmt.Printf("%2d BROKEN   %s: %v\n", n+1, f.name, err)
		case by == "":
			bad++
			fmt.Printf("%2d SURVIVED %s\n", n+1, f.name)
		default:
			fmt.Printf("%2d caught   %s: by %s\n", n+1, f.name, by)
			for name := range strings.FieldsSeq(by) {
				seen[name] = true
			}
		}
	}
	if *run == "" {
		bad += unseen(dir, seen)
	}
	if bad > 0 {
		os.Exit(1)
	}
}

var failed = regexp.MustCompile(`--- FAIL: (\S+)`)

// idle are the tests that no fault need make fail: they measure, run for the race
// detector, or compare data structures with plain ones at random.
var idle = map[string]bool{
	"TestFastPacketInAllocatesNothing": true, "TestPacketOutAllocatesNothing": true, "TestFastPacketInBesideEverythingElse": true,
	"TestBook": true, "TestCookieBook": true,
}

var passed = regexp.MustCompile(`--- PASS: (\S+)`)

// unseen lists the tests that have not failed, and returns how many should have.
func unseen(dir string, seen map[string]bool) (n int) {
	cmd := exec.Command("go", "test", ".", "-vet=off", "-v")
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "without a fault: %v\n%s", err, text)
		return 1
	}
	for _, m := range passed.FindAllStringSubmatch(string(text), -1) {
		if name := m[1]; !seen[name] && !idle[name] && !strings.HasPrefix(name, "Fuzz") {
			fmt.Println("never failed:", name)
			n++
		}
	}
	return n
}

// try runs the tests with one fault put in; by names the tests that noticed.
func try(dir, tmp string, f fault, steps int) (by string, err error) {
	path, pkg, args := filepath.Join(dir, f.file), ".", []string{"-args", "-equivalence.steps=" + strconv.Itoa(steps)}
	if elsewhere := strings.Contains(f.file, "/"); elsewhere {
		path = filepath.Join(dir, "../..", f.file)
		if !strings.HasPrefix(f.file, "internal/packet/") {
			pkg, args = "../../"+scenarios, []string{"-run", "Scenario"}
		}
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(src), f.old); n != 1 {
		return "", fmt.Errorf("%q is %d times in %s", f.old, n, f.file)
	}
	mutant := filepath.Join(tmp, filepath.Base(f.file))
	if err := os.WriteFile(mutant, []byte(strings.Replace(string(src), f.old, f.new, 1)), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: mutant}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(tmp, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	cmd := exec.Command("go", append([]string{"test", pkg, "-overlay", list, "-vet=off", "-count=1", "-timeout", "120s"}, args...)...)
	cmd.Dir = dir
	text, err := cmd.CombinedOutput()
	if err == nil {
		return "", nil
	}
	if strings.Contains(string(text), "[build failed]") {
		return "", fmt.Errorf("does not build:\n%s", text)
	}
	var names []string
	for _, m := range failed.FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	if len(names) == 0 {
		return "a crash or timeout", nil
	}
	return strings.Join(names, " "), nil
}
