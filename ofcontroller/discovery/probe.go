package discovery

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// A probe is an LLDP frame (IEEE 802.1AB): chassis id, port id and TTL, as any
// listener expects them, then a TLV of ours that says who sent it, signed. The
// frame is padded to the shortest Ethernet frame.
const (
	probeLen  = 14 + chassisLen + portLen + ttlLen + ownLen + endLen
	frameLen  = max(probeLen, 60)
	signedLen = 8 + 2 + 8 // datapath id, port, serial number
	macLen    = 16        // of the signature

	chassisLen = 2 + 1 + 8
	portLen    = 2 + 1 + 2
	ttlLen     = 2 + 2
	ownLen     = 2 + 3 + 1 + signedLen + macLen
	endLen     = 2

	ownAt = 14 + chassisLen + portLen + ttlLen
)

// TLV types and the subtypes used.
const (
	tlvEnd, tlvChassis, tlvPort, tlvTTL, tlvOwn = 0, 1, 2, 3, 127

	chassisLocal = 7
	portLocal    = 7
)

// ownOUI is locally administered: "gv".
var ownOUI = [3]byte{0x02, 'g', 'v'}

const ownSubtype = 2

var probeGroup = ofwire.MAC{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}

// probe is what a probe says.
type probe struct {
	from   Endpoint
	serial uint64 // of the probes sent from this port
}

// sign makes the signature of the signed bytes.
func sign(key, signed []byte) [macLen]byte {
	h := hmac.New(sha256.New, key)
	h.Write(signed)
	var sum [sha256.Size]byte
	return [macLen]byte(h.Sum(sum[:0])[:macLen])
}

// appendProbe adds the frame to b. ttl is in seconds.
func appendProbe(b []byte, p probe, src ofwire.MAC, ttl uint16, key []byte) []byte {
	start := len(b)
	b = append(b, probeGroup[:]...)
	b = append(b, src[:]...)
	b = binary.BigEndian.AppendUint16(b, packet.TypeLLDP)
	b = appendTLV(b, tlvChassis, 1+8)
	b = append(b, chassisLocal)
	b = binary.BigEndian.AppendUint64(b, uint64(p.from.ID))
	b = appendTLV(b, tlvPort, 1+2)
	b = append(b, portLocal)
	b = binary.BigEndian.AppendUint16(b, uint16(p.from.Port))
	b = appendTLV(b, tlvTTL, 2)
	b = binary.BigEndian.AppendUint16(b, ttl)
	b = appendTLV(b, tlvOwn, ownLen-2)
	b = append(b, ownOUI[:]...)
	b = append(b, ownSubtype)
	signed := len(b)
	b = binary.BigEndian.AppendUint64(b, uint64(p.from.ID))
	b = binary.BigEndian.AppendUint16(b, uint16(p.from.Port))
	b = binary.BigEndian.AppendUint64(b, p.serial)
	mac := sign(key, b[signed:])
	b = append(b, mac[:]...)
	b = appendTLV(b, tlvEnd, 0)
	for len(b)-start < frameLen {
		b = append(b, 0)
	}
	return b
}

func appendTLV(b []byte, kind, length int) []byte {
	return binary.BigEndian.AppendUint16(b, uint16(kind<<9|length))
}

// isLLDP reports whether a frame is LLDP, behind one VLAN tag too, and returns
// what follows the ethertype.
func isLLDP(frame []byte) ([]byte, bool) {
	if len(frame) < 14 {
		return nil, false
	}
	kind, rest := binary.BigEndian.Uint16(frame[12:]), frame[14:]
	if packet.IsTag(kind) && len(rest) >= 4 {
		kind, rest = binary.BigEndian.Uint16(rest[2:]), rest[4:]
	}
	return rest, kind == packet.TypeLLDP
}

// readProbe finds a probe signed with key among the TLVs of an LLDP frame. A TLV
// that others put in between does not disturb it.
func readProbe(tlvs, key []byte) (probe, bool) {
	for len(tlvs) >= 2 {
		head := binary.BigEndian.Uint16(tlvs)
		kind, length := int(head>>9), int(head&0x1ff)
		if kind == tlvEnd || len(tlvs) < 2+length {
			break
		}
		value := tlvs[2 : 2+length]
		tlvs = tlvs[2+length:]
		if kind != tlvOwn || length != ownLen-2 || [3]byte(value) != ownOUI || value[3] != ownSubtype {
			continue
		}
		signed, mac := value[4:4+signedLen], value[4+signedLen:]
		if want := sign(key, signed); !hmac.Equal(want[:], mac) {
			continue
		}
		return probe{
			from: Endpoint{
				ID:   ofwire.DatapathID(binary.BigEndian.Uint64(signed)),
				Port: of10.Port(binary.BigEndian.Uint16(signed[8:])),
			},
			serial: binary.BigEndian.Uint64(signed[10:]),
		}, true
	}
	return probe{}, false
}
