package slicing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

// A slice's link discovery frames get a mark on their way out, by which they are
// known when another switch sends them up: an organisationally specific TLV (IEEE
// 802.1AB, section 8.6) right behind the TTL TLV, or in front of everything in frames
// that are not made of TLVs. Its information string is
//
//	OUI 3, subtype 1, length of the payload without mark 2, length of the name 1,
//	slice name, HMAC-SHA256 over the latter three and the payload, cut to 16
//
// so that hosts cannot make frames that reach a controller as its own.
const (
	markSubtype = 0x67
	markMAC     = 16
	markFixed   = 3 + 1 + 2 + 1 + markMAC
	tlvTTL      = 3
	tlvOrg      = 127
)

var markOUI = [3]byte{0xa4, 0x23, 0x05}

// lldpPayload is where what follows the ethertype begins.
func lldpPayload(frame []byte) int {
	if packet.Tagged(frame) {
		return 18
	}
	return 14
}

func (d *Datapath) markMAC(slice string, payload ...[]byte) []byte {
	h := hmac.New(sha256.New, d.cfg.Key)
	n := 0
	for _, p := range payload {
		n += len(p)
	}
	var length [3]byte
	binary.BigEndian.PutUint16(length[:], uint16(n))
	length[2] = byte(len(slice))
	h.Write(length[:])
	h.Write([]byte(slice))
	for _, p := range payload {
		h.Write(p)
	}
	return h.Sum(nil)[:markMAC]
}

// markLLDP returns a copy of the frame with the slice's mark.
func (d *Datapath) markLLDP(s *slice, frame []byte) []byte {
	start := lldpPayload(frame)
	if len(frame) < start {
		return frame
	}
	payload := frame[start:]
	at := start
	eachTLV(payload, func(typ, begin, end int) bool {
		if typ == tlvTTL {
			at = start + end
		}
		return typ != tlvTTL
	})
	n := markFixed + len(s.name)
	out := make([]byte, 0, len(frame)+2+n+4)
	out = append(out, frame[:at]...)
	out = binary.BigEndian.AppendUint16(out, uint16(tlvOrg<<9|n))
	out = append(out, markOUI[:]...)
	out = append(out, markSubtype)
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)))
	out = append(out, byte(len(s.name)))
	out = append(out, s.name...)
	out = append(out, d.markMAC(s.name, payload)...)
	return append(out, frame[at:]...)
}

// eachTLV calls f with type, begin and end of every TLV until it returns false or
// the payload is over.
func eachTLV(payload []byte, f func(typ, begin, end int) bool) {
	for at := 0; at+2 <= len(payload); {
		v := binary.BigEndian.Uint16(payload[at:])
		typ, end := int(v>>9), at+2+int(v&0x1ff)
		if end > len(payload) || !f(typ, at, end) || typ == 0 {
			return
		}
		at = end
	}
}

// unmarkLLDP returns a copy of the frame as it was before it was marked, and whose
// it is. A frame without a valid mark is returned as it is, with no name.
func (d *Datapath) unmarkLLDP(frame []byte) (clean []byte, slice string) {
	start := lldpPayload(frame)
	if len(frame) < start {
		return frame, ""
	}
	payload := frame[start:]
	eachTLV(payload, func(typ, begin, end int) bool {
		v := payload[begin+2 : end]
		if typ != tlvOrg || len(v) < markFixed || [3]byte(v[:3]) != markOUI || v[3] != markSubtype {
			return true
		}
		length, name := int(binary.BigEndian.Uint16(v[4:])), int(v[6])
		if len(v) != markFixed+name || length < begin || length > len(payload)-(end-begin) {
			return true
		}
		// What the network padded the frame with is not part of it.
		tail := payload[end : end+length-begin]
		if !hmac.Equal(v[7+name:], d.markMAC(string(v[7:7+name]), payload[:begin], tail)) {
			return true
		}
		slice = string(v[7 : 7+name])
		clean = append(append(make([]byte, 0, start+length), frame[:start+begin]...), tail...)
		return false
	})
	if slice == "" {
		return frame, ""
	}
	return clean, slice
}

// lldpIn delivers a link discovery frame: a marked one to the slice that sent it,
// another to whom the header belongs, or to slices that want foreign ones.
func (d *Datapath) lldpIn(now time.Time, b *buffered, out *Out) {
	w := flowtable.HeaderWords(&b.header)
	clean, name := d.unmarkLLDP(b.frame)
	if name == "" && d.punted(&w, b, out) { // no slice has a marked one in a buffer of the switch
		return
	}
	if name != "" {
		s := d.slices[name]
		if s == nil || !s.owns(b.inPort) || !s.up {
			d.Counters.drop(DropForeignLLDP)
			return
		}
		d.ownLLDP(now, s, &w, b, clean, out)
		return
	}
	if r := d.view.Owner(&b.header); r != nil {
		if f := d.winnerAt(d.info(r), &w); f != nil {
			if f.isDrop() {
				d.Counters.drop(DropPortConfig)
				return
			}
			f.hit(now, int(b.total))
			d.touch(f)
			d.runFlow(f, r, b, out)
			d.flush(now, nil, out)
			return
		}
		if d.sendMiss(r, b, out) {
			return
		}
	}
	heard := false
	for _, s := range d.sorted() {
		if s.cfg.ReceiveLLDP && s.up && s.owns(b.inPort) && !s.deaf(b) {
			d.sendUp(s, false, b, b.frame, of10.NoBuffer, of10.ReasonNoMatch, s.miss, b.real != of10.NoBuffer, out)
			heard = true
		}
	}
	if !heard {
		d.Counters.drop(DropForeignLLDP)
	}
}

// ownLLDP gives a slice its own frame back, the way its virtual switch would.
func (d *Datapath) ownLLDP(now time.Time, s *slice, w *flowtable.Words, b *buffered, clean []byte, out *Out) {
	truncated := len(b.frame) < int(b.total)
	c := *b
	c.frame, c.total = clean, uint16(int(b.total)-len(b.frame)+len(clean))
	if truncated {
		c.real = of10.NoBuffer
	} else {
		c.total = uint16(len(clean))
	}
	f := s.lookup(w)
	if f == nil {
		s.buffers.misses.Add(1)
		if s.deaf(b) {
			d.Counters.drop(DropPortConfig)
			return
		}
		d.sendUp(s, true, &c, clean, of10.NoBuffer, of10.ReasonNoMatch, s.miss, c.real != of10.NoBuffer, out)
		return
	}
	if f.isDrop() {
		d.Counters.drop(DropPortConfig)
		return
	}
	f.hit(now, int(c.total))
	d.touch(f)
	d.toControllers(f, nil, &c, false, out)
	if !truncated {
		job := shipment{slice: s, in: b.inPort, b: b, lldp: true}
		d.ship(&job, f.flow.Actions, pending{kind: pendSilent}, out)
	}
	d.flush(now, nil, out)
}

// sendMiss delivers a miss of a frame to the slices of rule r; false if nobody heard.
func (d *Datapath) sendMiss(r *flowspace.Rule, b *buffered, out *Out) bool {
	heard := false
	for _, g := range r.Grants {
		s := d.slices[g.Slice]
		if s == nil || !s.up || g.Perm&(flowspace.Read|flowspace.Write) == 0 {
			continue
		}
		heard = true
		if s.deaf(b) {
			d.Counters.drop(DropPortConfig)
			continue
		}
		s.buffers.misses.Add(1)
		d.sendUp(s, g.Perm&flowspace.Write != 0, b, b.frame, b.real, of10.ReasonNoMatch, s.miss, b.real != of10.NoBuffer, out)
	}
	return heard
}

// deaf reports whether a frame that hits no flow must not come up.
func (s *slice) deaf(b *buffered) bool {
	return s.closed(b.inPort, b.header.DLDst) || s.bits[b.inPort].on()&of10.PortConfigNoPacketIn != 0
}
