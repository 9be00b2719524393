package flowspace

import (
	"fmt"
	"strconv"
	"strings"
)

// FormatSet writes the members as ParseSet reads them: 1|5-9|0xffff, "any".
func FormatSet(f Field, s Set) string {
	if s.IsAny() {
		return "any"
	}
	var b strings.Builder
	for r := range s.Ranges() {
		if b.Len() > 0 {
			b.WriteByte('|')
		}
		b.WriteString(formatRange(f, r))
	}
	return b.String()
}

func formatRange(f Field, r Range) string {
	if r.Lo == r.Hi {
		return formatValue(f, r.Lo)
	}
	return formatValue(f, r.Lo) + "-" + formatValue(f, r.Hi)
}

func formatValue(f Field, v uint32) string {
	switch {
	case f == DLType:
		return fmt.Sprintf("0x%04x", v)
	case f == DLVLAN && v == VLANNone:
		return "0xffff"
	}
	return strconv.FormatUint(uint64(v), 10)
}

// String writes the fields that are not any, comma separated, as ParseMatch
// reads them; "any" for everything.
func (m Match) String() string {
	if s := m.format("dl_vlan_pcp", [...]Field{InPort, DLSrc, DLDst, DLVLAN, DLVLANPCP, DLType, NWTos, NWProto, NWSrc, NWDst, TPSrc, TPDst}); s != "" {
		return s
	}
	return "any"
}

// FlowVisor writes OFMatch[...] with FlowVisor's field names and order.
func (m Match) FlowVisor() string {
	return "OFMatch[" + m.format("dl_vpcp", [...]Field{InPort, DLDst, DLSrc, DLType, DLVLAN, DLVLANPCP, NWDst, NWSrc, NWProto, NWTos, TPDst, TPSrc}) + "]"
}

func (m *Match) format(pcp string, order [numFields]Field) string {
	var b strings.Builder
	for _, f := range order {
		v := m.fieldText(f)
		if v == "any" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if f == DLVLANPCP {
			b.WriteString(pcp)
		} else {
			b.WriteString(f.String())
		}
		b.WriteByte('=')
		b.WriteString(v)
	}
	return b.String()
}

func (m *Match) fieldText(f Field) string {
	switch f {
	case NWSrc, NWDst:
		return m.prefix(f).String()
	case DLSrc, DLDst:
		return m.mac(f).String()
	}
	return FormatSet(f, *m.set(f))
}

// Fields returns the text of each field that is not any, by FlowVisor's names.
func (m *Match) Fields() map[string]string {
	out := map[string]string{}
	for f := range numFields {
		if v := m.fieldText(f); v != "any" {
			name := f.String()
			if f == DLVLANPCP {
				name = "dl_vpcp"
			}
			out[name] = v
		}
	}
	return out
}

// FormatGrants writes Slice:a=7,Slice:b=4.
func FormatGrants(grants []Grant) string {
	var b strings.Builder
	for i, g := range grants {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "Slice:%s=%d", g.Slice, g.Perm)
	}
	return b.String()
}

func formatQueues(q []uint32) string {
	parts := make([]string, len(q))
	for i, v := range q {
		parts[i] = strconv.FormatUint(uint64(v), 10)
	}
	return strings.Join(parts, ":")
}
