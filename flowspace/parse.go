package flowspace

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// QueueText is what FlowVisor writes into a match although it belongs to the rule.
type QueueText struct {
	Queues    []uint32
	Forced    uint32
	HasForced bool
}

// ParseMatch reads FlowVisor's match text (OFMatch[...], any, all, key=value) and
// ovs-ofctl's (ip, arp, icmp, tcp, udp), with lists and ranges of numbers:
// in_port=1|3|7,dl_vlan=100-199. The result is canonical; errors are *FieldError.
func ParseMatch(s string) (Match, error) {
	m, q, err := ParseMatchQueues(s)
	if err == nil && (q.Queues != nil || q.HasForced) {
		return Match{}, &FieldError{Field: "queues", Reason: "is not part of a match here", Hint: "give the rule's queues on their own"}
	}
	return m, err
}

// ParseMatchQueues is ParseMatch that accepts queues=1:2 and force_enqueue=N too.
func ParseMatchQueues(s string) (Match, QueueText, error) {
	var p matchParser
	if err := p.parse(s); err != nil {
		return Match{}, QueueText{}, err
	}
	if err := p.m.Validate(); err != nil {
		return Match{}, QueueText{}, err
	}
	m, _ := p.m.Canonical()
	return m, p.q, nil
}

// keys are the names of fields in either syntax.
var keys = map[string]Field{
	"in_port": InPort, "input_port": InPort,
	"dl_src": DLSrc, "eth_src": DLSrc,
	"dl_dst": DLDst, "eth_dst": DLDst,
	"dl_vlan":     DLVLAN,
	"dl_vlan_pcp": DLVLANPCP, "dl_vpcp": DLVLANPCP,
	"dl_type": DLType, "eth_type": DLType,
	"nw_tos":   NWTos,
	"nw_proto": NWProto, "arp_op": NWProto,
	"nw_src": NWSrc, "ip_src": NWSrc, "arp_spa": NWSrc,
	"nw_dst": NWDst, "ip_dst": NWDst, "arp_tpa": NWDst,
	"tp_src": TPSrc, "icmp_type": TPSrc,
	"tp_dst": TPDst, "icmp_code": TPDst,
}

// protocols are ovs-ofctl's words for a dl_type and nw_proto.
var protocols = map[string]struct {
	dlType  uint32
	proto   uint32
	hasProt bool
}{
	"ip": {typeIPv4, 0, false}, "arp": {typeARP, 0, false},
	"icmp": {typeIPv4, protoICMP, true}, "tcp": {typeIPv4, protoTCP, true}, "udp": {typeIPv4, protoUDP, true},
}

type matchParser struct {
	m     Match
	q     QueueText
	given fieldMask

	queues, forced givenText
}

func (p *matchParser) parse(s string) error {
	text := strings.TrimSpace(s)
	if len(text) >= 7 && strings.EqualFold(text[:7], "ofmatch") {
		text = strings.TrimSpace(text[7:])
		if !strings.HasPrefix(text, "[") {
			return &FieldError{Field: "match", Value: s, Reason: "lacks brackets", Hint: "write OFMatch[key=value,...]"}
		}
	}
	if strings.HasPrefix(text, "[") {
		if !strings.HasSuffix(text, "]") {
			return &FieldError{Field: "match", Value: s, Reason: "lacks the closing bracket"}
		}
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	if text == "" || isAnyWord(text) || strings.EqualFold(text, "all") {
		return nil
	}
	for text != "" {
		key, value, hasValue, rest, err := nextPair(text)
		if err != nil {
			return err
		}
		if text = rest; key == "" {
			continue
		}
		if !hasValue {
			if err := p.word(key); err != nil {
				return err
			}
		} else if err := p.pair(strings.ToLower(key), value); err != nil {
			return err
		}
	}
	return nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func isSeparator(c byte) bool { return c == ',' || isBlank(c) }

// skip returns how many bytes from i on are of a kind, added to i.
func skip(s string, i int, kind func(byte) bool) int {
	for i < len(s) && kind(s[i]) {
		i++
	}
	return i
}

func inKey(c byte) bool { return !isSeparator(c) && c != '=' && c != ':' }

func inValue(c byte) bool { return !isSeparator(c) }

// nextPair splits "key=value" or "word" off the text. As ovs-ofctl does, it takes
// ":" for "=", and space for ",".
func nextPair(text string) (key, value string, hasValue bool, rest string, err error) {
	text = text[skip(text, 0, isSeparator):]
	end := skip(text, 0, inKey)
	if end == len(text) {
		return text, "", false, "", nil
	}
	key, rest = text[:end], text[end:]
	sign := skip(rest, 0, isBlank)
	if sign == len(rest) || rest[sign] != '=' && rest[sign] != ':' {
		return key, "", false, rest, nil
	}
	if key == "" {
		return "", "", false, "", &FieldError{Field: "match", Value: text, Reason: "has a value without a name"}
	}
	rest = rest[skip(rest, sign+1, isBlank):]
	if strings.HasPrefix(rest, "[") {
		closing := strings.IndexByte(rest, ']')
		if closing < 0 {
			return "", "", false, "", &FieldError{Field: key, Value: rest, Reason: "lacks the closing bracket"}
		}
		return key, rest[1:closing], true, rest[closing+1:], nil
	}
	end = skip(rest, 0, inValue)
	return key, rest[:end], true, rest[end:], nil
}

func (p *matchParser) word(w string) error {
	pr, ok := protocols[strings.ToLower(w)]
	if !ok {
		return &FieldError{Field: "match", Value: w, Reason: "is not of the form key=value",
			Hint: "words that stand alone are any, ip, arp, icmp, tcp and udp"}
	}
	if err := p.setNumber(DLType, One(pr.dlType), w); err != nil {
		return err
	}
	if pr.hasProt {
		return p.setNumber(NWProto, One(pr.proto), w)
	}
	return nil
}

func (p *matchParser) pair(key, value string) error {
	switch key {
	case "queues", "queue_id":
		return p.queueList(key, value)
	case "force_enqueue", "forced_queue":
		return p.forcedQueue(key, value)
	}
	f, ok := keys[key]
	if !ok {
		return &FieldError{Field: key, Value: value, Reason: "is not a match field",
			Hint: "known are in_port, dl_src, dl_dst, dl_vlan, dl_vlan_pcp, dl_type, nw_src, nw_dst, nw_proto, nw_tos, tp_src, tp_dst"}
	}
	var err error
	switch f {
	case DLSrc, DLDst:
		var a MACMask
		if a, err = parseMAC(f, value); err == nil {
			if p.given>>f&1 == 1 && *p.m.mac(f) != a {
				return twice(f, value)
			}
			*p.m.mac(f) = a
		}
	case NWSrc, NWDst:
		var a Prefix
		if a, err = ParsePrefix(value); err == nil {
			if p.given>>f&1 == 1 && *p.m.prefix(f) != a {
				return twice(f, value)
			}
			*p.m.prefix(f) = a
		} else if fe := (*FieldError)(nil); errors.As(err, &fe) {
			fe.Field = f.String()
		}
	default:
		var s Set
		if s, err = ParseSet(f, value); err == nil {
			return p.setNumber(f, s, value)
		}
	}
	p.given |= 1 << f
	return err
}

func (p *matchParser) queueList(key, value string) (err error) {
	if err := p.queues.once(key, value); err != nil {
		return err
	}
	p.q.Queues, err = parseQueues(value)
	return err
}

func (p *matchParser) forcedQueue(key, value string) error {
	if err := p.forced.once(key, value); err != nil {
		return err
	}
	if value == "-1" {
		return nil
	}
	v, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return &FieldError{Field: key, Value: value, Reason: "is not a queue number"}
	}
	p.q.Forced, p.q.HasForced = uint32(v), true
	return nil
}

func (p *matchParser) setNumber(f Field, s Set, value string) error {
	if p.given>>f&1 == 1 && *p.m.set(f) != s {
		return twice(f, value)
	}
	p.given |= 1 << f
	*p.m.set(f) = s
	return nil
}

// givenText is a value as given, if it was.
type givenText struct {
	text  string
	given bool
}

// once refuses a second value other than the first.
func (g *givenText) once(key, value string) error {
	if g.given && g.text != value {
		return &FieldError{Field: key, Value: value, Reason: "contradicts what was given before"}
	}
	*g = givenText{value, true}
	return nil
}

func twice(f Field, value string) error {
	return &FieldError{Field: f.String(), Value: value, Reason: "contradicts what was given before", Hint: "a list is written 1|3|5-9"}
}

// ParseSet reads numbers of a field: any, 5, 0x800, 1|3, 100-199, 1|5-9.
func ParseSet(f Field, s string) (Set, error) {
	if isAnyWord(s) {
		return Set{}, nil
	}
	var buf [4]Range
	ranges := buf[:0]
	for part := range strings.SplitSeq(s, "|") {
		lo, hi, isRange := strings.Cut(part, "-")
		if isRange && (lo == "" || hi == "" || strings.Contains(hi, "-")) {
			lo = part // -1, 3- and 1-2-3 are no ranges
		}
		a, err := parseValue(f, lo)
		if err != nil {
			return Set{}, err
		}
		r := Range{a, a}
		if isRange {
			if r.Hi, err = parseValue(f, hi); err != nil {
				return Set{}, err
			}
			if r.Lo > r.Hi {
				return Set{}, &FieldError{Field: f.String(), Value: part, Reason: "is a range upside down", Hint: "write the lower number first"}
			}
			if u := f.Universe(); !u.Contains(Span(r.Lo, r.Hi)) {
				return Set{}, &FieldError{Field: f.String(), Value: part, Reason: "is out of range", Hint: "want " + fields[f].rules}
			}
		}
		ranges = append(ranges, r)
	}
	set := Span(ranges[0].Lo, ranges[0].Hi)
	if len(ranges) > 1 {
		set, _ = SetOf(ranges...)
	}
	set, ok := f.canonical(set)
	if !ok {
		return Set{}, &FieldError{Field: f.String(), Value: s, Reason: "holds no value", Hint: "want " + fields[f].rules}
	}
	return set, nil
}

func parseValue(f Field, s string) (uint32, error) {
	switch {
	case f == InPort && strings.EqualFold(s, "local"):
		return 0xfffe, nil
	case f == DLVLAN && (strings.EqualFold(s, "untagged") || strings.EqualFold(s, "none")):
		return VLANNone, nil
	}
	bad := func(reason string) (uint32, error) {
		return 0, &FieldError{Field: f.String(), Value: s, Reason: reason, Hint: "want " + fields[f].rules}
	}
	digits, base := s, 10
	if len(s) > 2 && (s[:2] == "0x" || s[:2] == "0X") {
		digits, base = s[2:], 16
	}
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		if errors.Is(err, strconv.ErrRange) {
			return bad("is out of range")
		}
		return bad("is not a number")
	}
	if u := f.Universe(); !u.Has(uint32(v)) || uint32(v)%fields[f].step != 0 {
		return bad("is out of range")
	}
	return uint32(v), nil
}

func isAnyWord(s string) bool { return s == "*" || strings.EqualFold(s, "any") }

func parseMAC(f Field, s string) (MACMask, error) {
	if isAnyWord(s) {
		return MACMask{}, nil
	}
	addr, mask, masked := strings.Cut(s, "/")
	bad := func() (MACMask, error) {
		return MACMask{}, &FieldError{Field: f.String(), Value: s, Reason: "is not a MAC address", Hint: "want " + fields[f].rules}
	}
	a, ok := parseMACAddr(addr)
	if !ok {
		return bad()
	}
	if !masked {
		return MACMask{a, macMask}, nil
	}
	k, ok := parseMACAddr(mask)
	if !ok {
		return bad()
	}
	return MACMask{a & k, k}, nil
}

func parseMACAddr(s string) (uint64, bool) {
	var v uint64
	n := 0
	for o := range strings.SplitSeq(s, ":") {
		x, err := strconv.ParseUint(o, 16, 8)
		if err != nil || len(o) > 2 {
			return 0, false
		}
		v = v<<8 | x
		n++
	}
	return v, n == 6
}

// ParsePrefix reads 10.0.0.0/8, 10.0.0.0/255.0.0.0, a single address or any. Bits
// outside the mask are dropped.
func ParsePrefix(s string) (Prefix, error) {
	if isAnyWord(s) {
		return Prefix{}, nil
	}
	bad := func(reason, hint string) (Prefix, error) {
		return Prefix{}, &FieldError{Field: "prefix", Value: s, Reason: reason, Hint: hint}
	}
	addr, length, hasLength := strings.Cut(s, "/")
	a, ok := parseIPv4(addr)
	switch {
	case !ok:
		return bad("is not an IPv4 address or prefix", "want four numbers and perhaps a length, such as 10.0.0.0/8")
	case !hasLength:
		return IPv4Prefix(a, 32), nil
	}
	if mask, ok := parseIPv4(length); ok {
		p := Prefix{a & mask, mask}
		if _, ok := p.Bits(); !ok {
			return bad("has a mask with holes", "want a length from 0 to 32")
		}
		return p, nil
	}
	n, err := strconv.ParseUint(length, 10, 32)
	if err != nil || n > 32 {
		return bad("has a wrong prefix length", "want a length from 0 to 32")
	}
	return IPv4Prefix(a, int(n)), nil
}

func parseIPv4(s string) (uint32, bool) {
	var v uint32
	n := 0
	for o := range strings.SplitSeq(s, ".") {
		x, err := strconv.ParseUint(o, 10, 8)
		if err != nil || len(o) > 3 {
			return 0, false
		}
		v = v<<8 | uint32(x)
		n++
	}
	return v, n == 4
}

func parseQueues(s string) ([]uint32, error) {
	q := []uint32{}
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(":|, ", r) }) {
		v, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, &FieldError{Field: "queues", Value: part, Reason: "is not a queue number"}
		}
		q = append(q, uint32(v))
	}
	return q, nil
}

// ParsePermission reads 1 to 7 or letters of rwd; also 8 to 15, where 8 is delegate:
// FlowVisor's manual has it at 1, its code, and so its dumps and scripts, at 8.
func ParsePermission(s string) (Permission, error) {
	bad := func() (Permission, error) {
		return 0, &FieldError{Field: "grants", Value: s, Reason: "is not a permission",
			Hint: "want 1 to 7 (delegate 1 + read 2 + write 4) or letters of rwd"}
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		if n&8 != 0 && n < 16 {
			n = n&^8 | uint64(Delegate)
		}
		if n < 1 || n > uint64(AllPermissions) {
			return bad()
		}
		return Permission(n), nil
	}
	var p Permission
	for _, c := range strings.ToLower(s) {
		switch c {
		case 'r':
			p |= Read
		case 'w':
			p |= Write
		case 'd':
			p |= Delegate
		default:
			return bad()
		}
	}
	if p == 0 {
		return bad()
	}
	return p, nil
}

// ParseGrants reads Slice:a=7,Slice:b=4 or a=rw,b=4.
func ParseGrants(s string) ([]Grant, error) {
	var grants []Grant
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if len(part) >= 6 && strings.EqualFold(part[:6], "slice:") {
			part = part[6:]
		}
		name, perm, ok := strings.Cut(part, "=")
		if !ok {
			return nil, &FieldError{Field: "grants", Value: part, Reason: "is not of the form slice=permission", Hint: "write alice=7 or Slice:alice=7"}
		}
		p, err := ParsePermission(strings.TrimSpace(perm))
		if err != nil {
			return nil, err
		}
		if err := validName("grants", strings.TrimSpace(name), MaxSliceName); err != nil {
			return nil, err
		}
		for _, g := range grants {
			if g.Slice == strings.TrimSpace(name) {
				return nil, &FieldError{Field: "grants", Value: name, Reason: "is named twice", Hint: fmt.Sprintf("add the permissions up: %s=%d", name, g.Perm|p)}
			}
		}
		grants = append(grants, Grant{strings.TrimSpace(name), p})
	}
	return grants, nil
}
