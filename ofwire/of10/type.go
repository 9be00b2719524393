package of10

import "fmt"

// Type is the message type in the header (section 5.1).
type Type uint8

// Message types.
const (
	TypeHello Type = iota
	TypeError
	TypeEchoRequest
	TypeEchoReply
	TypeVendor
	TypeFeaturesRequest
	TypeFeaturesReply
	TypeGetConfigRequest
	TypeGetConfigReply
	TypeSetConfig
	TypePacketIn
	TypeFlowRemoved
	TypePortStatus
	TypePacketOut
	TypeFlowMod
	TypePortMod
	TypeStatsRequest
	TypeStatsReply
	TypeBarrierRequest
	TypeBarrierReply
	TypeQueueGetConfigRequest
	TypeQueueGetConfigReply
	numTypes
)

var typeNames = [numTypes]string{
	TypeHello: "OFPT_HELLO", TypeError: "OFPT_ERROR",
	TypeEchoRequest: "OFPT_ECHO_REQUEST", TypeEchoReply: "OFPT_ECHO_REPLY",
	TypeVendor: "OFPT_VENDOR", TypeFeaturesRequest: "OFPT_FEATURES_REQUEST",
	TypeFeaturesReply: "OFPT_FEATURES_REPLY", TypeGetConfigRequest: "OFPT_GET_CONFIG_REQUEST",
	TypeGetConfigReply: "OFPT_GET_CONFIG_REPLY", TypeSetConfig: "OFPT_SET_CONFIG",
	TypePacketIn: "OFPT_PACKET_IN", TypeFlowRemoved: "OFPT_FLOW_REMOVED",
	TypePortStatus: "OFPT_PORT_STATUS", TypePacketOut: "OFPT_PACKET_OUT",
	TypeFlowMod: "OFPT_FLOW_MOD", TypePortMod: "OFPT_PORT_MOD",
	TypeStatsRequest: "OFPT_STATS_REQUEST", TypeStatsReply: "OFPT_STATS_REPLY",
	TypeBarrierRequest: "OFPT_BARRIER_REQUEST", TypeBarrierReply: "OFPT_BARRIER_REPLY",
	TypeQueueGetConfigRequest: "OFPT_QUEUE_GET_CONFIG_REQUEST",
	TypeQueueGetConfigReply:   "OFPT_QUEUE_GET_CONFIG_REPLY",
}

func (t Type) String() string {
	if t < numTypes {
		return typeNames[t]
	}
	return fmt.Sprintf("OFPT_%d", uint8(t))
}
