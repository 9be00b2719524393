package hypervisor

import (
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/ofwire/of10"
)

// FlowVisorWildcards writes wild addresses as FlowVisor did: all six bits set.
func FlowVisorWildcards(w of10.Match) uint32 {
	out := w.Wildcards
	if w.NWSrcBits() >= 32 {
		out |= of10.WildNWSrcMask
	}
	if w.NWDstBits() >= 32 {
		out |= of10.WildNWDstMask
	}
	return out
}

// FlowVisorMatch is a match as FlowVisor's JSON-RPC writes it: numbers unsigned.
func FlowVisorMatch(w of10.Match) map[string]any {
	out := map[string]any{"wildcards": FlowVisorWildcards(w)}
	has := func(bit uint32) bool { return w.Wildcards&bit == 0 }
	for _, f := range []struct {
		bit  uint32
		name string
		v    uint16
	}{
		{of10.WildInPort, "in_port", uint16(w.InPort)}, {of10.WildDLVLAN, "dl_vlan", w.DLVLAN}, {of10.WildDLVLANPCP, "dl_vpcp", uint16(w.DLVLANPCP)},
		{of10.WildDLType, "dl_type", w.DLType}, {of10.WildNWTos, "nw_tos", uint16(w.NWTos)}, {of10.WildNWProto, "nw_proto", uint16(w.NWProto)},
		{of10.WildTPSrc, "tp_src", w.TPSrc}, {of10.WildTPDst, "tp_dst", w.TPDst},
	} {
		if has(f.bit) {
			out[f.name] = f.v
		}
	}
	if has(of10.WildDLSrc) {
		out["dl_src"] = w.DLSrc.String()
	}
	if has(of10.WildDLDst) {
		out["dl_dst"] = w.DLDst.String()
	}
	if n := w.NWSrcBits(); n < 32 {
		out["nw_src"] = flowspace.IPv4Prefix(w.NWSrc, 32-n).String()
	}
	if n := w.NWDstBits(); n < 32 {
		out["nw_dst"] = flowspace.IPv4Prefix(w.NWDst, 32-n).String()
	}
	return out
}
