package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// FieldKind numbers the fields of a match. The numbers are on disk: never reuse one.
type FieldKind uint8

// Kinds whose Term is a range of values, then those where it is value and mask.
const (
	FieldInPort    FieldKind = 1
	FieldDLVLAN    FieldKind = 2
	FieldDLVLANPCP FieldKind = 3
	FieldDLType    FieldKind = 4
	FieldNWTos     FieldKind = 5
	FieldNWProto   FieldKind = 6
	FieldTPSrc     FieldKind = 7
	FieldTPDst     FieldKind = 8

	FieldDLSrc FieldKind = 32
	FieldDLDst FieldKind = 33
	FieldNWSrc FieldKind = 34
	FieldNWDst FieldKind = 35
)

// Term is one part of a match: values A to B of the field, or value A under
// mask B. Terms of the same kind are alternatives, different kinds must all hold.
type Term struct {
	Kind FieldKind
	A, B uint64
}

// Grant is the record of a grant.
type Grant struct {
	Slice      string
	Permission uint8
}

// Rule is the record of a flowspace rule.
type Rule struct {
	ID          uint64
	Name        string
	DPIDs       []uint64 // nil: every datapath
	Priority    uint32
	Match       []Term
	Grants      []Grant
	Queues      []uint32
	ForcedQueue int64 // -1: none
	Owner       string
}

// A rule without an owner has the format of before there were owners; with one,
// the name of the owner follows.
const (
	ruleFormat  = 1
	ruleFormat2 = 2
)

var errRule = errors.New("rule record is damaged")

// appendRule encodes everything but the id, which is the key.
func appendRule(b []byte, r *Rule) []byte {
	if r.Owner == "" {
		b = append(b, ruleFormat)
	} else {
		b = append(b, ruleFormat2)
	}
	b = appendString(b, r.Name)
	b = binary.AppendUvarint(b, uint64(r.Priority))
	b = binary.AppendVarint(b, r.ForcedQueue)
	b = binary.AppendUvarint(b, uint64(len(r.DPIDs)))
	for _, d := range r.DPIDs {
		b = binary.AppendUvarint(b, d)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Match)))
	for _, t := range r.Match {
		b = append(b, byte(t.Kind))
		b = binary.AppendUvarint(b, t.A)
		b = binary.AppendUvarint(b, t.B)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Grants)))
	for _, g := range r.Grants {
		b = appendString(b, g.Slice)
		b = append(b, g.Permission)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Queues)))
	for _, q := range r.Queues {
		b = binary.AppendUvarint(b, uint64(q))
	}
	if r.Owner != "" {
		b = appendString(b, r.Owner)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// ruleDecoder reads rule records; the slice names of many rules share memory.
type ruleDecoder struct {
	b     []byte
	bad   bool
	names map[string]string
}

func (d *ruleDecoder) decode(id uint64, b []byte) (Rule, error) {
	if len(b) == 0 || b[0] != ruleFormat && b[0] != ruleFormat2 {
		return Rule{}, fmt.Errorf("rule %d: %w", id, errRule)
	}
	d.b, d.bad = b[1:], false
	r := Rule{ID: id, Name: string(d.text())}
	r.Priority = uint32(d.uint(math.MaxUint32))
	r.ForcedQueue = d.int()
	if n := d.count(1); n > 0 {
		r.DPIDs = make([]uint64, n)
		for i := range r.DPIDs {
			r.DPIDs[i] = d.uint(math.MaxUint64)
		}
	}
	if n := d.count(3); n > 0 {
		r.Match = make([]Term, n)
		for i := range r.Match {
			r.Match[i] = Term{FieldKind(d.byte()), d.uint(math.MaxUint64), d.uint(math.MaxUint64)}
		}
	}
	if n := d.count(2); n > 0 {
		r.Grants = make([]Grant, n)
		for i := range r.Grants {
			r.Grants[i] = Grant{d.name(), d.byte()}
		}
	}
	if n := d.count(1); n > 0 {
		r.Queues = make([]uint32, n)
		for i := range r.Queues {
			r.Queues[i] = uint32(d.uint(math.MaxUint32))
		}
	}
	if b[0] == ruleFormat2 {
		r.Owner = d.name()
		d.bad = d.bad || r.Owner == ""
	}
	if d.bad || len(d.b) != 0 {
		return Rule{}, fmt.Errorf("rule %d: %w", id, errRule)
	}
	return r, nil
}

func (d *ruleDecoder) uint(limit uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > limit {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *ruleDecoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *ruleDecoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

// count reads a number of elements of at least size bytes each.
func (d *ruleDecoder) count(size int) int {
	return int(d.uint(uint64(len(d.b) / size)))
}

func (d *ruleDecoder) text() []byte {
	n := d.count(1)
	if n > len(d.b) {
		d.bad = true
		return nil
	}
	s := d.b[:n]
	d.b = d.b[n:]
	return s
}

func (d *ruleDecoder) name() string {
	s := d.text()
	if name, ok := d.names[string(s)]; ok {
		return name
	}
	name := string(s)
	if d.names == nil {
		d.names = map[string]string{}
	}
	d.names[name] = name
	return name
}
