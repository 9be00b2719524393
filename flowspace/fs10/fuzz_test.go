package fs10

import (
	"math/rand/v2"
	"testing"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// near returns a frame that has most of what a wire match asks for.
func near(r *rand.Rand, w *of10.Match) packet.Header {
	h := frame(r)
	take := func() bool { return r.IntN(6) > 0 }
	if take() {
		h.InPort = uint32(w.InPort)
	}
	if take() {
		h.DLSrc, h.DLDst = [6]byte(w.DLSrc), [6]byte(w.DLDst)
	}
	if take() && (w.DLVLAN < 4096 || w.DLVLAN == 0xffff) {
		h.DLVLAN, h.DLVLANPCP = w.DLVLAN, w.DLVLANPCP&7
		if h.DLVLAN == 0xffff {
			h.DLVLANPCP = 0
		}
	}
	if take() {
		h.DLType = w.DLType
	}
	h.NWTos, h.NWProto, h.NWSrc, h.NWDst, h.TPSrc, h.TPDst = 0, 0, 0, 0, 0, 0 // what the type does not have
	ip := h.DLType == 0x800
	if ip || h.DLType == 0x806 {
		h.NWProto, h.NWSrc, h.NWDst = w.NWProto, w.NWSrc^uint32(1)<<r.IntN(33), w.NWDst^uint32(1)<<r.IntN(33)
	}
	if ip {
		h.NWTos = w.NWTos & 0xfc
		if h.NWProto == 1 || h.NWProto == 6 || h.NWProto == 17 {
			h.TPSrc, h.TPDst = w.TPSrc, w.TPDst^uint16(r.IntN(2))
		}
	}
	return h
}

// FuzzFromMatch: a wire match as a region holds the frames that the specification
// says, and comes back as the same wire match in normal form.
func FuzzFromMatch(f *testing.F) {
	f.Add(of10.WildAllCanonical, uint16(0), uint64(0), uint64(0), uint16(0), uint32(0x08000600), uint32(0), uint32(0), uint32(80), uint64(1))
	f.Add(uint32(0), uint16(1), uint64(5), uint64(1<<48-1), uint16(0xffff), uint32(0x08000604), uint32(0x0a000001), uint32(0x0a000002), uint32(80<<16|443), uint64(2))
	f.Add(uint32(8<<8|33<<14), uint16(65535), uint64(0), uint64(0), uint16(4095), uint32(0x08060200), uint32(1<<31), uint32(7), uint32(0), uint64(3))
	f.Fuzz(func(t *testing.T, wild uint32, port uint16, src, dst uint64, vlan uint16, proto, nwSrc, nwDst, tp uint32, seed uint64) {
		w := of10.Match{Wildcards: wild, InPort: of10.Port(port), DLSrc: ofwire.MAC(flowspace.MACMask{Addr: src, Mask: 1<<48 - 1}.MAC()),
			DLDst: ofwire.MAC(flowspace.MACMask{Addr: dst, Mask: 1<<48 - 1}.MAC()), DLVLAN: vlan, DLVLANPCP: uint8(seed & 7),
			DLType: uint16(proto >> 16), NWProto: uint8(proto >> 8), NWTos: uint8(proto), NWSrc: nwSrc, NWDst: nwDst, TPSrc: uint16(tp >> 16), TPDst: uint16(tp)}
		// What package of10 says of values no frame has.
		if vlan != 0xffff {
			w.DLVLAN = vlan & 0xfff
		} else if wild&of10.WildDLVLAN == 0 {
			w.DLVLANPCP = 0 // an untagged frame has no priority to compare
		}
		m := FromMatch(w)
		r := rand.New(rand.NewPCG(seed, 3))
		for range 100 {
			h := near(r, &w)
			if got, want := m.Matches(&h), wireMatches(w, &h); got != want {
				t.Fatalf("%+v as %s on %+v: got %v, want %v", w, m, h, got, want)
			}
		}
		back, err := ToMatches(m, 0)
		if err != nil || len(back) != 1 || back[0] != w.Normalize() {
			t.Fatalf("%+v comes back as %+v, %v", w.Normalize(), back, err)
		}
	})
}

// FuzzToMatches: the wire matches of a region are disjoint, and hold together what the region holds.
func FuzzToMatches(f *testing.F) {
	for _, s := range []string{"any", "in_port=1|3|7", "dl_vlan=0-4095", "dl_vlan=1-2|0xffff,in_port=4-5", "ip,nw_proto=6|17,tp_dst=53",
		"dl_type=0x800|0x806,nw_src=10.0.0.0/8", "dl_vlan_pcp=0-3,dl_vlan=7|0xffff", "tcp,tp_src=1-6,nw_tos=0|8-16"} {
		f.Add(s, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		m, err := flowspace.ParseMatch(text)
		if err != nil {
			return
		}
		const most = 2000
		ws, err := ToMatches(m, most)
		if err != nil {
			return // too many, or inexpressive, which have tests of their own
		}
		r := rand.New(rand.NewPCG(seed, 4))
		for range 60 {
			h := frame(r)
			if len(ws) > 0 && r.IntN(4) > 0 {
				h = near(r, &ws[r.IntN(len(ws))])
			}
			n := 0
			for i := range ws {
				if wireMatches(ws[i], &h) {
					n++
				}
			}
			if want := m.Matches(&h); n > 1 || (n == 1) != want {
				t.Fatalf("%s: %d wire matches hold %+v, want %v", m, n, h, want)
			}
		}
	})
}
