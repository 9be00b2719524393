package of10

// ErrorType is the class of an Error (section 5.4.4).
type ErrorType uint16

// Error types.
const (
	ErrorHelloFailed ErrorType = iota
	ErrorBadRequest
	ErrorBadAction
	ErrorFlowModFailed
	ErrorPortModFailed
	ErrorQueueOpFailed
	// ErrorVendor is what Open vSwitch uses for vendor-defined errors; the data starts
	// with a vendor id.
	ErrorVendor ErrorType = 0xb0c2
)

// Codes of ErrorHelloFailed.
const (
	HelloFailedIncompatible uint16 = iota
	HelloFailedEPerm
)

// Codes of ErrorBadRequest.
const (
	BadRequestBadVersion uint16 = iota
	BadRequestBadType
	BadRequestBadStat
	BadRequestBadVendor
	BadRequestBadSubtype
	BadRequestEPerm
	BadRequestBadLen
	BadRequestBufferEmpty
	BadRequestBufferUnknown
)

// Codes of ErrorBadAction.
const (
	BadActionBadType uint16 = iota
	BadActionBadLen
	BadActionBadVendor
	BadActionBadVendorType
	BadActionBadOutPort
	BadActionBadArgument
	BadActionEPerm
	BadActionTooMany
	BadActionBadQueue
)

// Codes of ErrorFlowModFailed.
const (
	FlowModFailedAllTablesFull uint16 = iota
	FlowModFailedOverlap
	FlowModFailedEPerm
	FlowModFailedBadEmergTimeout
	FlowModFailedBadCommand
	FlowModFailedUnsupported
)

// Codes of ErrorPortModFailed.
const (
	PortModFailedBadPort uint16 = iota
	PortModFailedBadHWAddr
)

// Codes of ErrorQueueOpFailed.
const (
	QueueOpFailedBadPort uint16 = iota
	QueueOpFailedBadQueue
	QueueOpFailedEPerm
)

// errorNames follows Open vSwitch, which says TABLE_FULL for ALL_TABLES_FULL.
var errorNames = [...][]string{
	ErrorHelloFailed: {"OFPHFC_INCOMPATIBLE", "OFPHFC_EPERM"},
	ErrorBadRequest: {"OFPBRC_BAD_VERSION", "OFPBRC_BAD_TYPE", "OFPBRC_BAD_STAT", "OFPBRC_BAD_VENDOR",
		"OFPBRC_BAD_SUBTYPE", "OFPBRC_EPERM", "OFPBRC_BAD_LEN", "OFPBRC_BUFFER_EMPTY", "OFPBRC_BUFFER_UNKNOWN"},
	ErrorBadAction: {"OFPBAC_BAD_TYPE", "OFPBAC_BAD_LEN", "OFPBAC_BAD_VENDOR", "OFPBAC_BAD_VENDOR_TYPE",
		"OFPBAC_BAD_OUT_PORT", "OFPBAC_BAD_ARGUMENT", "OFPBAC_EPERM", "OFPBAC_TOO_MANY", "OFPBAC_BAD_QUEUE"},
	ErrorFlowModFailed: {"OFPFMFC_TABLE_FULL", "OFPFMFC_OVERLAP", "OFPFMFC_EPERM", "OFPFMFC_BAD_EMERG_TIMEOUT",
		"OFPFMFC_BAD_COMMAND", "OFPFMFC_UNSUPPORTED"},
	ErrorPortModFailed: {"OFPPMFC_BAD_PORT", "OFPPMFC_BAD_HW_ADDR"},
	ErrorQueueOpFailed: {"OFPQOFC_BAD_PORT", "OFPQOFC_BAD_QUEUE", "OFPQOFC_EPERM"},
}
