package of10

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

func usedFeaturesReply() Message {
	return &FeaturesReply{XID: 99, DatapathID: 99, NBuffers: 99, NTables: 99, Capabilities: 99, Actions: 99, Ports: []PhyPort{samplePort(), samplePort()}}
}

func TestFeaturesReplyWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedFeaturesReply,
		wireCase{"no ports", &FeaturesReply{XID: 3, DatapathID: 0x00007ad3f1e2c4aa, NBuffers: 256, NTables: 254, Capabilities: 0xc7, Actions: AllActions}, `
01                       # version 1.0
06                       # type FEATURES_REPLY
00 20                    # length 32
00 00 00 03              # xid
00 00 7a d3 f1 e2 c4 aa  # datapath_id
00 00 01 00              # n_buffers 256
fe                       # n_tables 254
00 00 00                 # pad
00 00 00 c7              # capabilities FLOW, TABLE, PORT, QUEUE_STATS, ARP_MATCH_IP
00 00 0f ff              # actions
`, "OFPT_FEATURES_REPLY (xid=0x3): dpid:00007ad3f1e2c4aa\nn_tables:254, n_buffers:256\n" +
			"capabilities: FLOW_STATS TABLE_STATS PORT_STATS QUEUE_STATS ARP_MATCH_IP\n" +
			"actions: output enqueue set_vlan_vid set_vlan_pcp strip_vlan mod_dl_src mod_dl_dst mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst"},
		wireCase{"two ports in the order they came", &FeaturesReply{XID: 4, DatapathID: 1, NTables: 1, Capabilities: CapSTP | CapIPReasm, Actions: 1,
			Ports: []PhyPort{{PortNo: PortLocal, HWAddr: mac(0xfe), Name: "s1", Config: PortConfigDown, State: PortStateLinkDown},
				{PortNo: 1, HWAddr: mac(1), Name: "s1-eth1", Curr: PortFeature1GbFD, Advertised: PortFeature10MbHD, Supported: PortFeature10GbFD, Peer: PortFeaturePause}}}, `
01                                               # version 1.0
06                                               # type FEATURES_REPLY
00 80                                            # length 128
00 00 00 04                                      # xid
00 00 00 00 00 00 00 01                          # datapath_id
00 00 00 00                                      # n_buffers
01                                               # n_tables
00 00 00                                         # pad
00 00 00 28                                      # capabilities STP, IP_REASM
00 00 00 01                                      # actions OUTPUT
ff fe                                            # port: port_no LOCAL
02 00 00 00 00 fe                                # port: hw_addr
73 31 00 00 00 00 00 00 00 00 00 00 00 00 00 00  # port: name s1
00 00 00 01                                      # port: config PORT_DOWN
00 00 00 01                                      # port: state LINK_DOWN
00 00 00 00                                      # port: curr
00 00 00 00                                      # port: advertised
00 00 00 00                                      # port: supported
00 00 00 00                                      # port: peer
00 01                                            # port: port_no 1
02 00 00 00 00 01                                # port: hw_addr
73 31 2d 65 74 68 31 00 00 00 00 00 00 00 00 00  # port: name s1-eth1
00 00 00 00                                      # port: config
00 00 00 00                                      # port: state
00 00 00 20                                      # port: curr 1GB_FD
00 00 00 01                                      # port: advertised 10MB_HD
00 00 00 40                                      # port: supported 10GB_FD
00 00 04 00                                      # port: peer PAUSE
`, ""},
	)
}

func TestFeaturesReplyFields(t *testing.T) {
	t.Parallel()
	gaps := []gap{{21, 3}}
	fields := []wireField[*FeaturesReply]{
		{"datapath_id", 8, 8, func(m *FeaturesReply, v uint64) { m.DatapathID = ofwire.DatapathID(v) }},
		{"n_buffers", 16, 4, func(m *FeaturesReply, v uint64) { m.NBuffers = uint32(v) }},
		{"n_tables", 20, 1, func(m *FeaturesReply, v uint64) { m.NTables = uint8(v) }},
		{"capabilities", 24, 4, func(m *FeaturesReply, v uint64) { m.Capabilities = Capabilities(v) }},
		{"actions", 28, 4, func(m *FeaturesReply, v uint64) { m.Actions = ActionSet(v) }},
	}
	checkFields(t, &FeaturesReply{}, gaps, fields...)
	for i := range 3 {
		at := 32 + 48*i
		gaps = append(gaps, gap{at + 9, 15})
		fields = append(fields, phyPortFieldsAt(at, func(m *FeaturesReply) *PhyPort { return &m.Ports[i] })...)
		fields = append(fields, wireField[*FeaturesReply]{"first letter", at + 8, 1, func(m *FeaturesReply, v uint64) {
			m.Ports[i].Name = strings.Trim(string([]byte{byte(v)}), "\x00")
		}})
	}
	checkFields(t, &FeaturesReply{Ports: make([]PhyPort, 3)}, gaps, fields...)
}

func TestFeaturesReplyBad(t *testing.T) {
	t.Parallel()
	checkBad(t,
		badCase{"header only", "01 06 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"no actions", "01 06 00 1c 00 00 00 01" + strings.Repeat("00", 20), ErrorBadRequest, BadRequestBadLen},
		badCase{"one byte of a port", "01 06 00 21 00 00 00 01" + strings.Repeat("00", 25), ErrorBadRequest, BadRequestBadLen},
		badCase{"a port less one byte", "01 06 00 4f 00 00 00 01" + strings.Repeat("00", 71), ErrorBadRequest, BadRequestBadLen},
		badCase{"a port and a byte", "01 06 00 51 00 00 00 01" + strings.Repeat("00", 73), ErrorBadRequest, BadRequestBadLen},
		badCase{"of OpenFlow 1.3", "04 06 00 20 00 00 00 01" + strings.Repeat("00", 24), ErrorBadRequest, BadRequestBadVersion},
	)
}

// TestFeaturesReplyManyPorts: as many ports as fit, each as it was; one more is refused.
func TestFeaturesReplyManyPorts(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 63, 1364} {
		want := &FeaturesReply{DatapathID: 7}
		for i := range n {
			want.Ports = append(want.Ports, PhyPort{PortNo: Port(i + 1), HWAddr: macOf(uint64(i)), Name: fmt.Sprintf("p%d", i)})
		}
		b := encode(t, want)
		if len(b) != 32+48*n || want.Len() != len(b) {
			t.Errorf("%d ports: %d bytes, Len %d", n, len(b), want.Len())
		}
		got := usedFeaturesReply()
		if err := got.UnmarshalBinary(b); err != nil {
			t.Errorf("%d ports: %v", n, err)
		} else if d := cmp.Diff(Message(want), got); d != "" {
			t.Errorf("%d ports (-want +got)\n%s", n, d)
		}
	}
	if _, err := (&FeaturesReply{Ports: make([]PhyPort, 1365)}).AppendBinary(nil); err == nil {
		t.Error("1365 ports encode")
	}
}

func TestActionSet(t *testing.T) {
	t.Parallel()
	for typ := range numActions {
		s := ActionSet(1) << typ
		for other := range ActionType(40) {
			if s.Has(other) != (other == typ) {
				t.Errorf("the set of %v: Has(%v) is %v", typ, other, s.Has(other))
			}
		}
		if !AllActions.Has(typ) || s.String() == "" || strings.Contains(s.String(), " ") {
			t.Errorf("%v: prints %q", typ, s)
		}
	}
	for s, want := range map[ActionSet]string{0: "", 3: "output set_vlan_vid", 1 << 12: "0x1000", 1<<11 | 1<<31: "enqueue 0x80000000"} {
		if s.String() != want {
			t.Errorf("%#x: %q, want %q", uint32(s), s, want)
		}
	}
	if AllActions.Has(ActionVendor) || ActionSet(1<<32-1).Has(ActionVendor) {
		t.Error("vendor actions have no bit")
	}
}

// TestBitNames holds each bit's name to its value in the specification.
func TestBitNames(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]fmt.Stringer{
		"FLOW_STATS": Capabilities(1), "TABLE_STATS": Capabilities(2), "PORT_STATS": Capabilities(4), "STP": Capabilities(8), "0x10": Capabilities(16),
		"IP_REASM": Capabilities(32), "QUEUE_STATS": Capabilities(64), "ARP_MATCH_IP": Capabilities(128), "0x100": Capabilities(256),
		"PORT_DOWN": PortConfig(1), "NO_STP": PortConfig(2), "NO_RECV": PortConfig(4), "NO_RECV_STP": PortConfig(8), "NO_FLOOD": PortConfig(16),
		"NO_FWD": PortConfig(32), "NO_PACKET_IN": PortConfig(64), "0x80": PortConfig(128),
		"LINK_DOWN": PortState(1), "0x2": PortState(2), "STP_LEARN": PortState(0x100), "STP_FORWARD": PortState(0x200), "STP_BLOCK": PortState(0x300),
		"STP_LEARN LINK_DOWN": PortState(0x101), "0x400": PortState(0x400), "0": PortState(0),
		"10MB-HD": PortFeatures(1), "10MB-FD": PortFeatures(2), "100MB-HD": PortFeatures(4), "100MB-FD": PortFeatures(8), "1GB-HD": PortFeatures(16),
		"1GB-FD": PortFeatures(32), "10GB-FD": PortFeatures(64), "COPPER": PortFeatures(128), "FIBER": PortFeatures(256), "AUTO_NEG": PortFeatures(512),
		"AUTO_PAUSE": PortFeatures(1024), "AUTO_PAUSE_ASYM": PortFeatures(2048), "0x1000": PortFeatures(4096), "10MB-HD 0x80000000": PortFeatures(1<<31 | 1),
	} {
		if got.String() != want {
			t.Errorf("%T %v, want %s", got, got, want)
		}
	}
}

func TestSpeed(t *testing.T) {
	t.Parallel()
	for f, want := range map[PortFeatures]int{0: 0, PortFeatureCopper: 0, PortFeature10MbHD: 10, PortFeature10MbFD: 10, PortFeature100MbHD: 100,
		PortFeature100MbFD: 100, PortFeature1GbHD: 1000, PortFeature1GbFD: 1000, PortFeature10GbFD: 10000, PortFeatureAll: 10000,
		PortFeature10MbFD | PortFeature100MbHD: 100, PortFeature1GbHD | PortFeature10MbHD | PortFeatureFiber: 1000, 1 << 12: 0} {
		if f.SpeedMbps() != want {
			t.Errorf("%v: %d, want %d", f, f.SpeedMbps(), want)
		}
	}
}
