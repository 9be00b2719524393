package flowspace

import (
	"fmt"
	"math/bits"
)

const macMask = 1<<48 - 1

// Prefix is an IPv4 address with the mask of the bits that count. The zero value
// is any address. A canonical Prefix has no address bits outside its mask, and a
// rule's mask is contiguous.
type Prefix struct{ Addr, Mask uint32 }

// IPv4Prefix returns addr/n; n above 32 counts as 32.
func IPv4Prefix(addr uint32, n int) Prefix {
	mask := ^uint32(0) << (32 - min(max(n, 0), 32))
	return Prefix{addr & mask, mask}
}

// IsAny reports whether every address matches.
func (p Prefix) IsAny() bool { return p.Mask == 0 }

// Has reports whether addr matches.
func (p Prefix) Has(addr uint32) bool { return (addr^p.Addr)&p.Mask == 0 }

// Bits returns the prefix length; ok is false when the mask is not contiguous.
func (p Prefix) Bits() (n int, ok bool) {
	n = bits.LeadingZeros32(^p.Mask)
	return n, p.Mask == ^uint32(0)<<(32-n)
}

// Overlaps reports whether some address matches both.
func (p Prefix) Overlaps(o Prefix) bool { return (p.Addr^o.Addr)&p.Mask&o.Mask == 0 }

// Contains reports whether every address of o matches p.
func (p Prefix) Contains(o Prefix) bool { return p.Mask&^o.Mask == 0 && p.Overlaps(o) }

// Intersect returns the addresses of both; ok is false when there are none.
func (p Prefix) Intersect(o Prefix) (Prefix, bool) {
	return Prefix{p.Addr&p.Mask | o.Addr&o.Mask, p.Mask | o.Mask}, p.Overlaps(o)
}

// String writes 10.0.0.0/8, an address without /32, or "any".
func (p Prefix) String() string {
	if p.IsAny() {
		return "any"
	}
	a := fmt.Sprintf("%d.%d.%d.%d", p.Addr>>24, p.Addr>>16&0xff, p.Addr>>8&0xff, p.Addr&0xff)
	n, ok := p.Bits()
	switch {
	case !ok:
		return fmt.Sprintf("%s/%d.%d.%d.%d", a, p.Mask>>24, p.Mask>>16&0xff, p.Mask>>8&0xff, p.Mask&0xff)
	case n == 32:
		return a
	}
	return fmt.Sprintf("%s/%d", a, n)
}

// MACMask is a MAC address in the low 48 bits with the mask of the bits that
// count. The zero value is any address. OpenFlow 1.0 knows only whole addresses,
// so a rule's mask is nothing or everything.
type MACMask struct{ Addr, Mask uint64 }

// ExactMAC returns the match of the one address.
func ExactMAC(a [6]byte) MACMask { return MACMask{macUint(&a), macMask} }

func macUint(a *[6]byte) uint64 {
	return uint64(a[0])<<40 | uint64(a[1])<<32 | uint64(a[2])<<24 | uint64(a[3])<<16 | uint64(a[4])<<8 | uint64(a[5])
}

// IsAny reports whether every address matches.
func (m MACMask) IsAny() bool { return m.Mask == 0 }

// IsExact reports whether only one address matches.
func (m MACMask) IsExact() bool { return m.Mask == macMask }

// Has reports whether the address matches.
func (m MACMask) Has(a [6]byte) bool { return (macUint(&a)^m.Addr)&m.Mask == 0 }

// MAC returns the address, bits outside the mask zero.
func (m MACMask) MAC() [6]byte {
	v := m.Addr & m.Mask
	return [6]byte{byte(v >> 40), byte(v >> 32), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}

// Overlaps reports whether some address matches both.
func (m MACMask) Overlaps(o MACMask) bool { return (m.Addr^o.Addr)&m.Mask&o.Mask == 0 }

// Contains reports whether every address of o matches m.
func (m MACMask) Contains(o MACMask) bool { return m.Mask&^o.Mask == 0 && m.Overlaps(o) }

// Intersect returns the addresses of both; ok is false when there are none.
func (m MACMask) Intersect(o MACMask) (MACMask, bool) {
	return MACMask{m.Addr&m.Mask | o.Addr&o.Mask, m.Mask | o.Mask}, m.Overlaps(o)
}

// String writes 00:11:22:33:44:55, with /mask when it is partial, or "any".
func (m MACMask) String() string {
	switch {
	case m.IsAny():
		return "any"
	case m.IsExact():
		return macString(m.Addr)
	}
	return macString(m.Addr&m.Mask) + "/" + macString(m.Mask)
}

func macString(v uint64) string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, 17)
	for shift := 40; shift >= 0; shift -= 8 {
		x := byte(v >> shift)
		b = append(b, hex[x>>4], hex[x&15])
		if shift > 0 {
			b = append(b, ':')
		}
	}
	return string(b)
}
