package flowspace

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on rules.
const (
	MaxPriority     = 1<<31 - 1
	DefaultPriority = 32000 // FlowVisor's, when a text gives none
	MaxRuleName     = 64    // bytes
	MaxSliceName    = 45    // bytes
)

// Permission is a sum of what a slice may do in a rule's region.
type Permission uint8

// The permissions; the customary 7 is everything.
const (
	Delegate Permission = 1 // pass parts of it on
	Read     Permission = 2 // receive packet_ins
	Write    Permission = 4 // receive packet_ins, install flows, send frames

	AllPermissions = Delegate | Read | Write
)

// String writes letters, "rwd" for everything, "-" for nothing.
func (p Permission) String() string {
	b := make([]byte, 0, 3)
	if p&Read != 0 {
		b = append(b, 'r')
	}
	if p&Write != 0 {
		b = append(b, 'w')
	}
	if p&Delegate != 0 {
		b = append(b, 'd')
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}

// Grant gives a slice permissions on a rule.
type Grant struct {
	Slice string
	Perm  Permission
}

// Rule says to which slices a region on some datapaths belongs. Rules held by a
// Snapshot are shared and must not be changed.
type Rule struct {
	ID       uint64 // stable for life, given by Apply when 0
	Priority uint32 // higher wins, at most MaxPriority
	Name     string // unique
	DPIDs    DPIDSet
	Match    Match
	Grants   []Grant  // not empty, each slice once
	Queues   []uint32 // queues the slices may use, ascending
	// ForcedQueue is where every output goes, when HasForcedQueue.
	ForcedQueue    uint32
	HasForcedQueue bool
	// Owner is the slice whose account made the rule by delegation, "" when it was
	// the administrator. It has no bearing on what the rule does.
	Owner string
}

// Before reports whether r wins over o: by priority, then by the lower id.
func (r *Rule) Before(o *Rule) bool {
	return r.Priority > o.Priority || r.Priority == o.Priority && r.ID < o.ID
}

func compareRules(a, b *Rule) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}

// Permission returns what the rule grants to a slice, 0 when nothing.
func (r *Rule) Permission(slice string) Permission {
	for i := range r.Grants {
		if r.Grants[i].Slice == slice {
			return r.Grants[i].Perm
		}
	}
	return 0
}

// Allows reports whether the slice has every bit of perm on the rule.
func (r *Rule) Allows(slice string, perm Permission) bool {
	return r.Permission(slice)&perm == perm
}

// Equal reports whether both say the same, id and name included.
func (r *Rule) Equal(o *Rule) bool {
	return r.ID == o.ID && r.Name == o.Name && r.Priority == o.Priority && r.DPIDs == o.DPIDs &&
		r.Match.Equal(o.Match) && slices.Equal(r.Grants, o.Grants) && slices.Equal(r.Queues, o.Queues) &&
		r.HasForcedQueue == o.HasForcedQueue && (!r.HasForcedQueue || r.ForcedQueue == o.ForcedQueue) && r.Owner == o.Owner
}

// String writes the rule in one line for logs and people.
func (r *Rule) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s dpid=%s priority=%d match=%s grants=%s", r.ID, r.Name, r.DPIDs, r.Priority, r.Match, FormatGrants(r.Grants))
	if len(r.Queues) > 0 {
		fmt.Fprintf(&b, " queues=%s", formatQueues(r.Queues))
	}
	if r.HasForcedQueue {
		fmt.Fprintf(&b, " force_enqueue=%d", r.ForcedQueue)
	}
	return b.String()
}

// Validate returns a *FieldError for the first field that cannot be.
func (r *Rule) Validate() error {
	if r.Name != "" {
		if err := validName("name", r.Name, MaxRuleName); err != nil {
			return err
		}
	}
	if !r.DPIDs.all && r.DPIDs.n == 0 {
		return &FieldError{Field: "dpids", Reason: "names no datapath", Hint: `write "any" for every datapath`}
	}
	if r.Priority > MaxPriority {
		return &FieldError{Field: "priority", Value: fmt.Sprint(r.Priority), Reason: "is too high", Hint: fmt.Sprintf("the highest is %d", MaxPriority)}
	}
	if err := r.Match.Validate(); err != nil {
		return err
	}
	if len(r.Grants) == 0 {
		return &FieldError{Field: "grants", Reason: "is empty", Hint: "name a slice and its permissions, such as alice=7"}
	}
	for i, g := range r.Grants {
		if err := validName("grants", g.Slice, MaxSliceName); err != nil {
			return err
		}
		if g.Perm == 0 || g.Perm&^AllPermissions != 0 {
			return &FieldError{Field: "grants", Value: fmt.Sprintf("%s=%d", g.Slice, g.Perm), Reason: "has no such permission",
				Hint: "delegate is 1, read 2, write 4; their sum is 1 to 7"}
		}
		for _, o := range r.Grants[:i] {
			if o.Slice == g.Slice {
				return &FieldError{Field: "grants", Value: g.Slice, Reason: "is named twice", Hint: "add the permissions up"}
			}
		}
	}
	return nil
}

func validName(field, s string, limit int) error {
	bad := func(reason string) error { return &FieldError{Field: field, Value: s, Reason: reason} }
	switch {
	case s == "":
		return bad("names no slice")
	case len(s) > limit:
		return bad(fmt.Sprintf("has %d characters, at most %d are allowed", len(s), limit))
	case !utf8.ValidString(s) || strings.IndexFunc(s, unicode.IsControl) >= 0:
		return bad("has characters that cannot be printed")
	case strings.TrimSpace(s) != s:
		return bad("begins or ends with space")
	case field == "grants" && strings.ContainsAny(s, ",:=![] "):
		return bad("has characters a slice name cannot have")
	}
	return nil
}

// Validate refuses values no header can have, MAC masks, broken prefixes, and
// network or transport fields without the protocol they belong to.
func (m *Match) Validate() error {
	for _, f := range setFields {
		s := *m.set(f)
		if s.IsAny() {
			continue
		}
		u := f.Universe()
		for r := range s.Ranges() {
			if !u.Contains(Span(r.Lo, r.Hi)) || r.Lo%fields[f].step != 0 || r.Hi%fields[f].step != 0 {
				return &FieldError{Field: f.String(), Value: formatRange(f, r), Reason: "is out of range", Hint: "want " + fields[f].rules}
			}
		}
	}
	for _, f := range [...]Field{DLSrc, DLDst} {
		if a := m.mac(f); !a.IsAny() && a.Mask != macMask {
			return &FieldError{Field: f.String(), Value: a.String(), Reason: "has a mask", Hint: "switches match only whole MAC addresses"}
		}
	}
	for _, f := range [...]Field{NWSrc, NWDst} {
		if _, ok := m.prefix(f).Bits(); !ok {
			return &FieldError{Field: f.String(), Value: m.prefix(f).String(), Reason: "has a mask with holes", Hint: "want " + fields[f].rules}
		}
	}
	return m.checkPrerequisites()
}

var (
	ipOrARP, _  = Values(typeIPv4, typeARP)
	ipOnly      = One(typeIPv4)
	withPort, _ = Values(protoICMP, protoTCP, protoUDP)
)

// checkPrerequisites refuses fields a switch would ignore (OpenFlow 1.0, 3.4).
func (m *Match) checkPrerequisites() error {
	need := func(f Field, value, hint string) error {
		return &FieldError{Field: f.String(), Value: value, Reason: "needs a protocol", Hint: hint}
	}
	for _, f := range [...]Field{NWSrc, NWDst} {
		if !m.prefix(f).IsAny() && !ipOrARP.Contains(m.DLType) {
			return need(f, m.prefix(f).String(), "add dl_type=0x0800 (or 0x0806 for ARP)")
		}
	}
	if !m.NWProto.IsAny() && !ipOrARP.Contains(m.DLType) {
		return need(NWProto, FormatSet(NWProto, m.NWProto), "add dl_type=0x0800 (or 0x0806 for ARP)")
	}
	if !m.NWTos.IsAny() && !ipOnly.Contains(m.DLType) {
		return need(NWTos, FormatSet(NWTos, m.NWTos), "add dl_type=0x0800")
	}
	for _, f := range [...]Field{TPSrc, TPDst} {
		if s := *m.set(f); !s.IsAny() && (!ipOnly.Contains(m.DLType) || !withPort.Contains(m.NWProto)) {
			return need(f, FormatSet(f, s), "add dl_type=0x0800 and nw_proto=6 (TCP), 17 (UDP) or 1 (ICMP)")
		}
	}
	return nil
}
