package flowspace

import (
	"encoding/binary"
	"iter"
	"slices"
	"strings"

	"github.com/govisor/govisor/ofwire"
)

// DPIDSet is an immutable set of datapath ids: every datapath, or a list. The
// zero value is empty, which no rule may have. Comparable.
type DPIDSet struct {
	all  bool
	n    uint32
	one  uint64 // the smallest
	rest string // the others ascending, 8 bytes each
}

// AllDPIDs is the set of every datapath, known or not.
func AllDPIDs() DPIDSet { return DPIDSet{all: true} }

// DPIDs returns the set of the listed datapaths, in any order.
func DPIDs(ids ...uint64) DPIDSet {
	if len(ids) == 0 {
		return DPIDSet{}
	}
	if len(ids) == 1 {
		return DPIDSet{n: 1, one: ids[0]}
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	b := make([]byte, 0, 8*(len(ids)-1))
	for _, id := range ids[1:] {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return DPIDSet{n: uint32(len(ids)), one: ids[0], rest: string(b)}
}

// IsAll reports whether every datapath is in d.
func (d DPIDSet) IsAll() bool { return d.all }

// Len returns the length of the list; 0 for every datapath.
func (d DPIDSet) Len() int { return int(d.n) }

func (d DPIDSet) at(i int) uint64 {
	if i == 0 {
		return d.one
	}
	p := d.rest[8*(i-1) : 8*i]
	return uint64(be32(p))<<32 | uint64(be32(p[4:]))
}

// List yields the listed datapaths ascending; nothing for every datapath.
func (d DPIDSet) List() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := range d.Len() {
			if !yield(d.at(i)) {
				return
			}
		}
	}
}

// Has reports whether id is in d.
func (d DPIDSet) Has(id uint64) bool {
	if d.all || d.n > 0 && d.one == id {
		return true
	}
	lo, hi := 1, d.Len()
	for lo < hi {
		m := int(uint(lo+hi) / 2)
		switch v := d.at(m); {
		case v == id:
			return true
		case v < id:
			lo = m + 1
		default:
			hi = m
		}
	}
	return false
}

// Overlaps reports whether d and o have a datapath in common.
func (d DPIDSet) Overlaps(o DPIDSet) bool {
	switch {
	case d.all:
		return o.all || o.n > 0
	case o.all:
		return d.n > 0
	case d.n > o.n:
		d, o = o, d
	}
	for id := range d.List() {
		if o.Has(id) {
			return true
		}
	}
	return false
}

// Contains reports whether every datapath of o is in d.
func (d DPIDSet) Contains(o DPIDSet) bool {
	if d.all || o.all {
		return d.all
	}
	for id := range o.List() {
		if !d.Has(id) {
			return false
		}
	}
	return true
}

// String writes "any", or the ids as 00:00:00:00:00:00:00:01 joined by "|".
func (d DPIDSet) String() string {
	if d.all {
		return "any"
	}
	var b strings.Builder
	for id := range d.List() {
		if b.Len() > 0 {
			b.WriteByte('|')
		}
		b.WriteString(FormatDPID(id))
	}
	return b.String()
}

// FormatDPID writes a datapath id as eight octets.
func FormatDPID(id uint64) string { return ofwire.DatapathID(id).String() }

// ParseDPIDs reads any, all, all_dpids or * (in either case), or a list of ids
// separated by "|", "," or space. An id with colons or 0x is hexadecimal, one of
// digits only is decimal.
func ParseDPIDs(s string) (DPIDSet, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "any", "all", "all_dpids", "*":
		return AllDPIDs(), nil
	}
	if plainDPID(s) {
		id, err := ParseDPID(s)
		if err != nil {
			return DPIDSet{}, err
		}
		return DPIDs(id), nil
	}
	var ids []uint64
	gap := false
	for part := range strings.SplitSeq(strings.ReplaceAll(s, "|", ","), ",") {
		words := strings.Fields(part)
		gap = gap || len(words) == 0
		for _, word := range words {
			id, err := ParseDPID(word)
			if err != nil {
				return DPIDSet{}, err
			}
			ids = append(ids, id)
		}
	}
	switch {
	case len(ids) == 0:
		return DPIDSet{}, &FieldError{Field: "dpid", Value: s, Reason: "names no datapath", Hint: `write "any" for every datapath`}
	case gap:
		return DPIDSet{}, &FieldError{Field: "dpid", Value: s, Reason: "has nothing on one side of a comma"}
	}
	return DPIDs(ids...), nil
}

// plainDPID reports whether s is the text of one id, if of any.
func plainDPID(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') && c != 'x' && s[i] != ':' {
			return false
		}
	}
	return s != ""
}

// ParseDPID reads one datapath id: 00:00:00:00:00:00:00:0a, 0xa or 10.
func ParseDPID(s string) (uint64, error) {
	id, err := ofwire.ParseDatapathID(s)
	if err != nil {
		return 0, &FieldError{Field: "dpid", Value: s, Reason: "is not a datapath id", Hint: "write 00:00:00:00:00:00:00:0a, 0xa or 10", Err: err}
	}
	return uint64(id), nil
}
