package of10

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConstants holds every named number to the specification's. They are what stands on
// the wire, so that a round trip would not notice a wrong one.
func TestConstants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"OFPT_HELLO", uint64(TypeHello), 0},
		{"OFPT_ERROR", uint64(TypeError), 1},
		{"OFPT_ECHO_REQUEST", uint64(TypeEchoRequest), 2},
		{"OFPT_ECHO_REPLY", uint64(TypeEchoReply), 3},
		{"OFPT_VENDOR", uint64(TypeVendor), 4},
		{"OFPT_FEATURES_REQUEST", uint64(TypeFeaturesRequest), 5},
		{"OFPT_FEATURES_REPLY", uint64(TypeFeaturesReply), 6},
		{"OFPT_GET_CONFIG_REQUEST", uint64(TypeGetConfigRequest), 7},
		{"OFPT_GET_CONFIG_REPLY", uint64(TypeGetConfigReply), 8},
		{"OFPT_SET_CONFIG", uint64(TypeSetConfig), 9},
		{"OFPT_PACKET_IN", uint64(TypePacketIn), 10},
		{"OFPT_FLOW_REMOVED", uint64(TypeFlowRemoved), 11},
		{"OFPT_PORT_STATUS", uint64(TypePortStatus), 12},
		{"OFPT_PACKET_OUT", uint64(TypePacketOut), 13},
		{"OFPT_FLOW_MOD", uint64(TypeFlowMod), 14},
		{"OFPT_PORT_MOD", uint64(TypePortMod), 15},
		{"OFPT_STATS_REQUEST", uint64(TypeStatsRequest), 16},
		{"OFPT_STATS_REPLY", uint64(TypeStatsReply), 17},
		{"OFPT_BARRIER_REQUEST", uint64(TypeBarrierRequest), 18},
		{"OFPT_BARRIER_REPLY", uint64(TypeBarrierReply), 19},
		{"OFPT_QUEUE_GET_CONFIG_REQUEST", uint64(TypeQueueGetConfigRequest), 20},
		{"OFPT_QUEUE_GET_CONFIG_REPLY", uint64(TypeQueueGetConfigReply), 21},

		{"OFPP_MAX", uint64(PortMax), 0xff00},
		{"OFPP_IN_PORT", uint64(PortInPort), 0xfff8},
		{"OFPP_TABLE", uint64(PortTable), 0xfff9},
		{"OFPP_NORMAL", uint64(PortNormal), 0xfffa},
		{"OFPP_FLOOD", uint64(PortFlood), 0xfffb},
		{"OFPP_ALL", uint64(PortAll), 0xfffc},
		{"OFPP_CONTROLLER", uint64(PortController), 0xfffd},
		{"OFPP_LOCAL", uint64(PortLocal), 0xfffe},
		{"OFPP_NONE", uint64(PortNone), 0xffff},

		{"OFPPC_PORT_DOWN", uint64(PortConfigDown), 1},
		{"OFPPC_NO_STP", uint64(PortConfigNoSTP), 2},
		{"OFPPC_NO_RECV", uint64(PortConfigNoRecv), 4},
		{"OFPPC_NO_RECV_STP", uint64(PortConfigNoRecvSTP), 8},
		{"OFPPC_NO_FLOOD", uint64(PortConfigNoFlood), 0x10},
		{"OFPPC_NO_FWD", uint64(PortConfigNoFwd), 0x20},
		{"OFPPC_NO_PACKET_IN", uint64(PortConfigNoPacketIn), 0x40},
		{"all port config", uint64(PortConfigAll), 0x7f},

		{"OFPPS_LINK_DOWN", uint64(PortStateLinkDown), 1},
		{"OFPPS_STP_LISTEN", uint64(PortStateSTPListen), 0},
		{"OFPPS_STP_LEARN", uint64(PortStateSTPLearn), 0x100},
		{"OFPPS_STP_FORWARD", uint64(PortStateSTPForward), 0x200},
		{"OFPPS_STP_BLOCK", uint64(PortStateSTPBlock), 0x300},
		{"OFPPS_STP_MASK", uint64(PortStateSTPMask), 0x300},

		{"OFPPF_10MB_HD", uint64(PortFeature10MbHD), 1},
		{"OFPPF_10MB_FD", uint64(PortFeature10MbFD), 2},
		{"OFPPF_100MB_HD", uint64(PortFeature100MbHD), 4},
		{"OFPPF_100MB_FD", uint64(PortFeature100MbFD), 8},
		{"OFPPF_1GB_HD", uint64(PortFeature1GbHD), 0x10},
		{"OFPPF_1GB_FD", uint64(PortFeature1GbFD), 0x20},
		{"OFPPF_10GB_FD", uint64(PortFeature10GbFD), 0x40},
		{"OFPPF_COPPER", uint64(PortFeatureCopper), 0x80},
		{"OFPPF_FIBER", uint64(PortFeatureFiber), 0x100},
		{"OFPPF_AUTONEG", uint64(PortFeatureAutoneg), 0x200},
		{"OFPPF_PAUSE", uint64(PortFeaturePause), 0x400},
		{"OFPPF_PAUSE_ASYM", uint64(PortFeaturePauseAsym), 0x800},
		{"all port features", uint64(PortFeatureAll), 0xfff},

		{"OFPC_FLOW_STATS", uint64(CapFlowStats), 1},
		{"OFPC_TABLE_STATS", uint64(CapTableStats), 2},
		{"OFPC_PORT_STATS", uint64(CapPortStats), 4},
		{"OFPC_STP", uint64(CapSTP), 8},
		{"OFPC_IP_REASM", uint64(CapIPReasm), 0x20},
		{"OFPC_QUEUE_STATS", uint64(CapQueueStats), 0x40},
		{"OFPC_ARP_MATCH_IP", uint64(CapARPMatchIP), 0x80},
		{"all actions", uint64(AllActions), 0xfff},

		{"OFPC_FRAG_NORMAL", uint64(FragNormal), 0},
		{"OFPC_FRAG_DROP", uint64(FragDrop), 1},
		{"OFPC_FRAG_REASM", uint64(FragReasm), 2},
		{"OFPC_FRAG_MASK", uint64(FragMask), 3},

		{"OFPAT_OUTPUT", uint64(ActionOutput), 0},
		{"OFPAT_SET_VLAN_VID", uint64(ActionSetVLANVID), 1},
		{"OFPAT_SET_VLAN_PCP", uint64(ActionSetVLANPCP), 2},
		{"OFPAT_STRIP_VLAN", uint64(ActionStripVLAN), 3},
		{"OFPAT_SET_DL_SRC", uint64(ActionSetDLSrc), 4},
		{"OFPAT_SET_DL_DST", uint64(ActionSetDLDst), 5},
		{"OFPAT_SET_NW_SRC", uint64(ActionSetNWSrc), 6},
		{"OFPAT_SET_NW_DST", uint64(ActionSetNWDst), 7},
		{"OFPAT_SET_NW_TOS", uint64(ActionSetNWTos), 8},
		{"OFPAT_SET_TP_SRC", uint64(ActionSetTPSrc), 9},
		{"OFPAT_SET_TP_DST", uint64(ActionSetTPDst), 10},
		{"OFPAT_ENQUEUE", uint64(ActionEnqueue), 11},
		{"OFPAT_VENDOR", uint64(ActionVendor), 0xffff},

		{"OFPFC_ADD", uint64(FlowAdd), 0},
		{"OFPFC_MODIFY", uint64(FlowModify), 1},
		{"OFPFC_MODIFY_STRICT", uint64(FlowModifyStrict), 2},
		{"OFPFC_DELETE", uint64(FlowDelete), 3},
		{"OFPFC_DELETE_STRICT", uint64(FlowDeleteStrict), 4},
		{"OFPFF_SEND_FLOW_REM", uint64(FlowModSendFlowRem), 1},
		{"OFPFF_CHECK_OVERLAP", uint64(FlowModCheckOverlap), 2},
		{"OFPFF_EMERG", uint64(FlowModEmerg), 4},

		{"OFPR_NO_MATCH", uint64(ReasonNoMatch), 0},
		{"OFPR_ACTION", uint64(ReasonAction), 1},
		{"OFPRR_IDLE_TIMEOUT", uint64(RemovedIdleTimeout), 0},
		{"OFPRR_HARD_TIMEOUT", uint64(RemovedHardTimeout), 1},
		{"OFPRR_DELETE", uint64(RemovedDelete), 2},
		{"OFPPR_ADD", uint64(PortAdded), 0},
		{"OFPPR_DELETE", uint64(PortDeleted), 1},
		{"OFPPR_MODIFY", uint64(PortModified), 2},

		{"OFPST_DESC", uint64(StatsDesc), 0},
		{"OFPST_FLOW", uint64(StatsFlow), 1},
		{"OFPST_AGGREGATE", uint64(StatsAggregate), 2},
		{"OFPST_TABLE", uint64(StatsTable), 3},
		{"OFPST_PORT", uint64(StatsPort), 4},
		{"OFPST_QUEUE", uint64(StatsQueue), 5},
		{"OFPST_VENDOR", uint64(StatsVendor), 0xffff},
		{"OFPSF_REPLY_MORE", uint64(StatsReplyMore), 1},
		{"all tables", uint64(TableAll), 0xff},
		{"emergency table", uint64(TableEmerg), 0xfe},

		{"OFPQT_NONE", uint64(QueuePropertyNone), 0},
		{"OFPQT_MIN_RATE", uint64(QueuePropertyMinRate), 1},
		{"OFPQ_ALL", uint64(QueueAll), 0xffffffff},
		{"OFPQ_MIN_RATE_UNCFG", uint64(MinRateOff), 0xffff},

		{"OFP_VLAN_NONE", uint64(VLANNone), 0xffff},
		{"no buffer", uint64(NoBuffer), 0xffffffff},
		{"OFP_DEFAULT_PRIORITY", uint64(DefaultPriority), 0x8000},
		{"OFP_DEFAULT_MISS_SEND_LEN", uint64(DefaultMissSendLen), 128},
		{"OFP_DL_TYPE_NOT_ETH_TYPE", uint64(EtherTypeNone), 0x05ff},
		{"OPENFLOW_VENDOR_ID", uint64(VendorOpenFlow), 0x26e1},
		{"NX_VENDOR_ID", uint64(VendorNicira), 0x2320},
		{"counter not kept", CounterUnsupported, 0xffffffffffffffff},
	} {
		if c.got != c.want {
			t.Errorf("%s is %#x, want %#x", c.name, c.got, c.want)
		}
	}
}

// TestErrorCodes: every type and code by its number.
func TestErrorCodes(t *testing.T) {
	t.Parallel()
	types := []ErrorType{ErrorHelloFailed, ErrorBadRequest, ErrorBadAction, ErrorFlowModFailed, ErrorPortModFailed, ErrorQueueOpFailed}
	codes := [][]uint16{
		{HelloFailedIncompatible, HelloFailedEPerm},
		{BadRequestBadVersion, BadRequestBadType, BadRequestBadStat, BadRequestBadVendor, BadRequestBadSubtype, BadRequestEPerm,
			BadRequestBadLen, BadRequestBufferEmpty, BadRequestBufferUnknown},
		{BadActionBadType, BadActionBadLen, BadActionBadVendor, BadActionBadVendorType, BadActionBadOutPort, BadActionBadArgument,
			BadActionEPerm, BadActionTooMany, BadActionBadQueue},
		{FlowModFailedAllTablesFull, FlowModFailedOverlap, FlowModFailedEPerm, FlowModFailedBadEmergTimeout, FlowModFailedBadCommand,
			FlowModFailedUnsupported},
		{PortModFailedBadPort, PortModFailedBadHWAddr},
		{QueueOpFailedBadPort, QueueOpFailedBadQueue, QueueOpFailedEPerm},
	}
	for i, typ := range types {
		if typ != ErrorType(i) {
			t.Errorf("error type %d is %d", i, typ)
		}
		for k, code := range codes[i] {
			if code != uint16(k) {
				t.Errorf("error type %d: code %d is %d", i, k, code)
			}
			want := []byte{1, 1, 0, 12, 0, 0, 0, 7, 0, byte(i), 0, byte(k)}
			if d := cmp.Diff(want, encode(t, &Error{XID: 7, ErrType: typ, Code: code})); d != "" {
				t.Errorf("error %d/%d (-want +got)\n%s", i, k, d)
			}
		}
		if len(codes[i]) != len(errorNames[i]) {
			t.Errorf("error type %d: %d codes, %d names", i, len(codes[i]), len(errorNames[i]))
		}
	}
	if ErrorVendor != 0xb0c2 {
		t.Errorf("Open vSwitch's vendor error is %#x", uint16(ErrorVendor))
	}
}

// TestSizes: the sizes the reference's header asserts, of what we encode.
func TestSizes(t *testing.T) {
	t.Parallel()
	body := func(b StatsBody) int { return statsLen(b) - statsHeaderLen }
	action := func(a Action) int { return a.Len() }
	for _, c := range []struct {
		name      string
		got, want int
	}{
		{"ofp_header", (&BarrierRequest{}).Len(), 8},
		{"ofp_switch_config", (&SetConfig{}).Len(), 12},
		{"ofp_switch_config of the reply", (&GetConfigReply{}).Len(), 12},
		{"ofp_switch_features", (&FeaturesReply{}).Len(), 32},
		{"ofp_phy_port", (&FeaturesReply{Ports: make([]PhyPort, 1)}).Len() - 32, 48},
		{"ofp_port_status", (&PortStatus{}).Len(), 64},
		{"ofp_port_mod", (&PortMod{}).Len(), 32},
		{"ofp_packet_in up to data", (&PacketIn{}).Len(), 18},
		{"ofp_action_output", action(Output(1, 0)), 8},
		{"ofp_action_vlan_vid", action(SetVLANVID(1)), 8},
		{"ofp_action_vlan_pcp", action(SetVLANPCP(1)), 8},
		{"ofp_action_header", action(StripVLAN()), 8},
		{"ofp_action_dl_addr src", action(SetDLSrc(mac(1))), 16},
		{"ofp_action_dl_addr dst", action(SetDLDst(mac(1))), 16},
		{"ofp_action_nw_addr src", action(SetNWSrc(1)), 8},
		{"ofp_action_nw_addr dst", action(SetNWDst(1)), 8},
		{"ofp_action_nw_tos", action(SetNWTos(4)), 8},
		{"ofp_action_tp_port src", action(SetTPSrc(1)), 8},
		{"ofp_action_tp_port dst", action(SetTPDst(1)), 8},
		{"ofp_action_enqueue", action(Enqueue(1, 1)), 16},
		{"ofp_action_vendor_header", action(VendorAction(1, nil)), 8},
		{"ofp_packet_out", (&PacketOut{}).Len(), 16},
		{"ofp_match", MatchLen, 40},
		{"ofp_flow_mod", (&FlowMod{}).Len(), 72},
		{"ofp_flow_removed", (&FlowRemoved{}).Len(), 88},
		{"ofp_error_msg", (&Error{}).Len(), 12},
		{"ofp_stats_request", (&StatsRequest{}).Len(), 12},
		{"ofp_stats_reply", (&StatsReply{}).Len(), 12},
		{"ofp_desc_stats", body(DescStats{}), 1056},
		{"ofp_flow_stats_request", body(FlowStatsRequest{}), 44},
		{"ofp_flow_stats", body(FlowStatsReply{{}}), 88},
		{"ofp_aggregate_stats_request", body(AggregateStatsRequest{}), 44},
		{"ofp_aggregate_stats_reply", body(AggregateStats{}), 24},
		{"ofp_table_stats", body(TableStatsReply{{}}), 64},
		{"ofp_port_stats_request", body(PortStatsRequest{}), 8},
		{"ofp_port_stats", body(PortStatsReply{{}}), 104},
		{"ofp_vendor_header", (&Vendor{}).Len(), 12},
		{"ofp_queue_get_config_request", (&QueueGetConfigRequest{}).Len(), 12},
		{"ofp_queue_get_config_reply", (&QueueGetConfigReply{}).Len(), 16},
		{"ofp_packet_queue", (&QueueGetConfigReply{Queues: make([]PacketQueue, 1)}).Len() - 16, 8},
		{"ofp_queue_prop_header", (&QueueProperty{}).len(), 8},
		{"ofp_queue_prop_min_rate", (&QueueProperty{Property: QueuePropertyMinRate}).len(), 16},
		{"ofp_queue_stats_request", body(QueueStatsRequest{}), 8},
		{"ofp_queue_stats", body(QueueStatsReply{{}}), 32},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d bytes, want %d", c.name, c.got, c.want)
		}
	}
	for typ, want := range []int{8, 12, 8, 8, 12, 8, 32, 8, 12, 12, 18, 88, 64, 16, 72, 32, 12, 12, 8, 8, 12, 16} {
		short := frameOf(t, Type(typ), "")
		for len(short) < want-1 {
			short = append(short, 0)
		}
		if want > headerLen {
			short[3] = byte(len(short))
			if err := Check(short); err == nil {
				t.Errorf("%v of %d bytes passes", Type(typ), len(short))
			}
			short = append(short, 0)
			short[3] = byte(len(short))
		}
		if err := Check(short); err != nil {
			t.Errorf("%v of %d bytes: %v", Type(typ), want, err)
		}
	}
}
