package packet_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/packet"
)

// rewrites is every set-field action with what it does to a header.
var rewrites = []struct {
	name  string
	apply func(frame []byte, v uint16) []byte
	model func(h *packet.Header, v uint16)
}{
	{"vid", func(f []byte, v uint16) []byte { return packet.SetVLANVID(f, v&0xfff) }, func(h *packet.Header, v uint16) {
		h.DLVLAN = v & 0xfff
	}},
	{"pcp", func(f []byte, v uint16) []byte { return packet.SetVLANPCP(f, uint8(v&7)) }, func(h *packet.Header, v uint16) {
		if h.DLVLANPCP = uint8(v & 7); h.DLVLAN == packet.VLANNone {
			h.DLVLAN = 0
		}
	}},
	{"dl_src", func(f []byte, v uint16) []byte {
		packet.SetDLSrc(f, [6]byte{1, 2, 3, 4, byte(v >> 8), byte(v)})
		return f
	}, func(h *packet.Header, v uint16) {
		h.DLSrc = [6]byte{1, 2, 3, 4, byte(v >> 8), byte(v)}
	}},
	{"dl_dst", func(f []byte, v uint16) []byte {
		packet.SetDLDst(f, [6]byte{1, 2, 3, 4, byte(v >> 8), byte(v)})
		return f
	}, func(h *packet.Header, v uint16) {
		h.DLDst = [6]byte{1, 2, 3, 4, byte(v >> 8), byte(v)}
	}},
	{"nw_src", func(f []byte, v uint16) []byte { packet.SetNWSrc(f, uint32(v)*40503); return f }, func(h *packet.Header, v uint16) {
		if h.DLType == packet.TypeIPv4 {
			h.NWSrc = uint32(v) * 40503
		}
	}},
	{"nw_dst", func(f []byte, v uint16) []byte { packet.SetNWDst(f, uint32(v)*40503); return f }, func(h *packet.Header, v uint16) {
		if h.DLType == packet.TypeIPv4 {
			h.NWDst = uint32(v) * 40503
		}
	}},
	{"nw_tos", func(f []byte, v uint16) []byte { packet.SetNWTos(f, uint8(v)); return f }, func(h *packet.Header, v uint16) {
		if h.DLType == packet.TypeIPv4 {
			h.NWTos = uint8(v) & 0xfc
		}
	}},
	{"tp_src", func(f []byte, v uint16) []byte { packet.SetTPSrc(f, v); return f }, func(h *packet.Header, v uint16) {
		if h.DLType == packet.TypeIPv4 && (h.NWProto == 6 || h.NWProto == 17) {
			h.TPSrc = v
		}
	}},
	{"tp_dst", func(f []byte, v uint16) []byte { packet.SetTPDst(f, v); return f }, func(h *packet.Header, v uint16) {
		if h.DLType == packet.TypeIPv4 && (h.NWProto == 6 || h.NWProto == 17) {
			h.TPDst = v
		}
	}},
	{"strip", func(f []byte, _ uint16) []byte { return packet.StripVLAN(f) }, func(h *packet.Header, _ uint16) {
		h.DLVLAN, h.DLVLANPCP = packet.VLANNone, 0
	}},
}

func onesSum(b []byte, s uint32) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	for s > 0xffff {
		s = s&0xffff + s>>16
	}
	return s
}

// sums recomputes both checksums of an IPv4 frame from scratch; 0xffff is good.
func sums(frame []byte) (ipSum, l4Sum uint32) {
	var h packet.Header
	info := packet.ParseInto(frame, 0, &h)
	ipSum, l4Sum = 0xffff, 0xffff
	if info.L4 == 0 {
		return ipSum, l4Sum
	}
	ip := frame[info.L3:]
	ipSum = onesSum(frame[info.L3:info.L4], 0)
	if !info.Fragment && (h.NWProto == 6 || h.NWProto == 17) {
		l4 := frame[info.L4 : int(info.L3)+int(binary.BigEndian.Uint16(ip[2:4]))]
		if h.NWProto == 17 && l4[6]|l4[7] == 0 {
			return ipSum, 0
		}
		pseudo := onesSum(ip[12:20], uint32(h.NWProto)+uint32(len(l4)))
		l4Sum = onesSum(l4, pseudo)
	}
	return ipSum, l4Sum
}

// checkRewrites holds every rewrite of frame against its model on the header.
func checkRewrites(t *testing.T, frame []byte, v uint16) {
	t.Helper()
	before := packet.Header{}
	info := packet.ParseInto(frame, 1, &before)
	for _, rw := range rewrites {
		got := rw.apply(slices.Clone(frame), v)
		if len(frame) < 14 {
			if !bytes.Equal(got, frame) {
				t.Fatalf("%s changed a runt", rw.name)
			}
			continue
		}
		if info.Short || info.Fragment {
			packet.Parse(got, 1)
			continue
		}
		want := before
		rw.model(&want, v)
		if h := packet.Parse(got, 1); h != want && !(rw.name == "strip" && before.DLType == packet.TypeVLAN) {
			t.Fatalf("%s of %x (-want +got):\n%s", rw.name, frame, cmp.Diff(want, h))
		}
	}
}

// sayZero writes a UDP checksum of zero as UDP does, ffff; gopacket leaves it, which means that there is none.
func sayZero(frame []byte) {
	var h packet.Header
	info := packet.ParseInto(frame, 0, &h)
	if h.NWProto == 17 && info.L4 != 0 && !info.Fragment {
		if sum := frame[info.L4+6 : info.L4+8]; sum[0]|sum[1] == 0 {
			sum[0], sum[1] = 0xff, 0xff
		}
	}
}

func TestRewrite(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3, 4, 5815333179281433549} { // always the same: a run is no lottery
		rewriteRandomFrames(t, seed)
	}
}

func rewriteRandomFrames(t *testing.T, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 5000 {
		frame := randomFrame(t, r)
		sayZero(frame)
		if i, l := sums(frame); i != 0xffff || l != 0xffff {
			t.Fatalf("seed %d: gopacket's own sums are wrong: %x %x in %x", seed, i, l, frame)
		}
		v := uint16(r.Uint32())
		checkRewrites(t, frame, v)
		got := slices.Clone(frame)
		for range 4 {
			rw := rewrites[r.IntN(len(rewrites))]
			got = rw.apply(got, uint16(r.Uint32()))
			if i, l := sums(got); i != 0xffff || l != 0xffff {
				t.Fatalf("seed %d: after %s sums are %x %x in %x", seed, rw.name, i, l, got)
			}
		}
	}
}

// A fragment's ports are not part of its header, but the first fragment carries
// them and the checksum of the whole datagram: it must follow an address change.
func TestRewriteFragments(t *testing.T) {
	t.Parallel()
	udp := strings.Replace(ip, "4006", "4011", 1)
	first := unhex(t, macs+"0800"+strings.Replace(udp, "0001 0000", "0001 2000", 1)+"0050 1f90 0100 abcd")
	later := unhex(t, macs+"0800"+strings.Replace(udp, "0001 0000", "0001 0001", 1)+"0050 1f90 0100 abcd")
	got := slices.Clone(first)
	packet.SetNWSrc(got, 0x0a000002)
	packet.SetTPDst(got, 0x1f91)
	if diff := cmp.Diff(unhex(t, "0050 1f91 0100 abcb"), got[34:]); diff != "" {
		t.Errorf("first fragment (-want +got):\n%s", diff)
	}
	got = slices.Clone(later)
	packet.SetNWSrc(got, 0x0a000002)
	packet.SetTPDst(got, 0x1f91)
	if diff := cmp.Diff(later[34:], got[34:]); diff != "" {
		t.Errorf("later fragment, payload (-want +got):\n%s", diff)
	}
	if got[29] != 2 {
		t.Error("later fragment: address not set")
	}
}

func TestRewriteChecksumEdges(t *testing.T) {
	t.Parallel()
	udp := macs + "0800" + strings.Replace(ip, "4006", "4011", 1)
	none := unhex(t, udp+"0050 1f90 0008 0000")
	packet.SetTPSrc(none, 81)
	packet.SetNWDst(none, 1)
	if none[40]|none[41] != 0 {
		t.Errorf("UDP without checksum got %x", none[40:42])
	}
	// 0050 -> 0051 takes the sum 0001 to 0000, which UDP writes as ffff.
	zero := unhex(t, udp+"0050 1f90 0008 0001")
	packet.SetTPSrc(zero, 0x51)
	if diff := cmp.Diff([]byte{0xff, 0xff}, zero[40:42]); diff != "" {
		t.Errorf("UDP checksum that becomes zero (-want +got):\n%s", diff)
	}
	same := unhex(t, udp+"0050 1f90 0008 ffff")
	packet.SetTPSrc(same, 0x50)
	if diff := cmp.Diff([]byte{0xff, 0xff}, same[40:42]); diff != "" {
		t.Errorf("nothing changed, checksum (-want +got):\n%s", diff)
	}
}

func TestVLANRoom(t *testing.T) {
	t.Parallel()
	frame := append(make([]byte, 0, 64), unhex(t, macs+"0800 0102030405")...)
	tagged := packet.SetVLANVID(frame, 0xf123)
	if diff := cmp.Diff(unhex(t, macs+"8100 0123 0800 0102030405"), tagged); diff != "" {
		t.Errorf("tagged (-want +got):\n%s", diff)
	}
	if &frame[0] != &tagged[0] {
		t.Error("a frame with room was moved")
	}
	if diff := cmp.Diff(unhex(t, macs+"0800 0102030405"), packet.StripVLAN(tagged)); diff != "" {
		t.Errorf("stripped (-want +got):\n%s", diff)
	}
}

func TestRewriteCutFrames(t *testing.T) {
	t.Parallel()
	whole := unhex(t, macs+"8100 a064 0800"+ip+tcp)
	for n := range whole {
		for _, rw := range rewrites {
			rw.apply(slices.Clip(slices.Clone(whole[:n])), 0x1234)
		}
	}
}
