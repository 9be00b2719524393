package apitype

import "time"

// Slice is one slice as the server reports it.
type Slice struct {
	Name string `json:"name"`
	// Controllers are URLs in order of preference: tcp:HOST[:PORT],
	// ssl:HOST[:PORT], unix:PATH, module:NAME; with "ro+" in front the
	// controller hears everything and changes nothing.
	Controllers []string `json:"controllers"`
	Contact     string   `json:"contact"`
	// DropPolicy is "exact" or "rule": what is dropped in the switch while
	// no controller of the slice is reachable.
	DropPolicy   string       `json:"drop_policy"`
	RecvLLDP     bool         `json:"recv_lldp"`
	Strict       bool         `json:"strict"`
	Enabled      bool         `json:"enabled"`
	FlowModLimit int          `json:"flowmod_limit"`  // flows; here and below -1 is no limit
	RateLimit    int          `json:"rate_limit"`     // messages per second from its controllers
	FlowModRate  int          `json:"flowmod_rate"`   // flow_mods per second from them
	PacketInRate int          `json:"packet_in_rate"` // packet_ins per second to them
	Limits       []SliceLimit `json:"limits,omitempty"`
	Creator      string       `json:"creator"`
	Created      time.Time    `json:"created"`
	// Rules is the number of flowspace rules that grant the slice anything.
	Rules int `json:"rules"`
}

// SliceLimit is what one slice may do on one datapath; -1 is no limit.
type SliceLimit struct {
	DPID         string `json:"dpid"`
	Slice        string `json:"slice,omitempty"`
	FlowModLimit int    `json:"flowmod_limit"`
	RateLimit    int    `json:"rate_limit"`
	FlowModRate  int    `json:"flowmod_rate"`
	PacketInRate int    `json:"packet_in_rate"`
}

// SliceCreate asks for a slice. Nil fields take the default written beside them.
type SliceCreate struct {
	Name         string   `json:"name"`
	Controllers  []string `json:"controllers"`
	Contact      string   `json:"contact"`
	Password     string   `json:"password,omitempty"`       // empty: the account cannot log in
	DropPolicy   *string  `json:"drop_policy,omitempty"`    // exact
	RecvLLDP     *bool    `json:"recv_lldp,omitempty"`      // false
	Strict       *bool    `json:"strict,omitempty"`         // false
	Enabled      *bool    `json:"enabled,omitempty"`        // true
	FlowModLimit *int     `json:"flowmod_limit,omitempty"`  // -1
	RateLimit    *int     `json:"rate_limit,omitempty"`     // -1
	FlowModRate  *int     `json:"flowmod_rate,omitempty"`   // -1
	PacketInRate *int     `json:"packet_in_rate,omitempty"` // -1
}

// SliceUpdate changes the fields that are not nil.
type SliceUpdate struct {
	Controllers  []string `json:"controllers,omitempty"`
	Contact      *string  `json:"contact,omitempty"`
	DropPolicy   *string  `json:"drop_policy,omitempty"`
	RecvLLDP     *bool    `json:"recv_lldp,omitempty"`
	Strict       *bool    `json:"strict,omitempty"`
	Enabled      *bool    `json:"enabled,omitempty"`
	FlowModLimit *int     `json:"flowmod_limit,omitempty"`
	RateLimit    *int     `json:"rate_limit,omitempty"`
	FlowModRate  *int     `json:"flowmod_rate,omitempty"`
	PacketInRate *int     `json:"packet_in_rate,omitempty"`
}

// LimitsUpdate sets the limits of a slice on one datapath; nil leaves one as it is.
type LimitsUpdate struct {
	FlowModLimit *int `json:"flowmod_limit,omitempty"`
	RateLimit    *int `json:"rate_limit,omitempty"`
	FlowModRate  *int `json:"flowmod_rate,omitempty"`
	PacketInRate *int `json:"packet_in_rate,omitempty"`
}

// PasswordUpdate sets an account's password.
type PasswordUpdate struct {
	Password string `json:"password"`
}

// SliceHealth says how a slice's controllers are doing.
type SliceHealth struct {
	Slice     string `json:"slice"`
	Enabled   bool   `json:"enabled"`
	Connected bool   `json:"connected"` // on at least one datapath
	// Rules counts flowspace rules, FlowMods the flows the slice holds now.
	Rules       int               `json:"rules"`
	FlowMods    int               `json:"flow_mods"`
	Connections []SliceConnection `json:"connections"`
}

// SliceConnection is the session of one slice on one datapath.
type SliceConnection struct {
	Slice      string    `json:"slice"`
	DPID       string    `json:"dpid"`
	Controller string    `json:"controller"`
	State      string    `json:"state"` // connected, connecting, backoff, disabled
	Local      string    `json:"local,omitempty"`
	Remote     string    `json:"remote,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	Retry      time.Time `json:"retry,omitzero"`
	LastError  string    `json:"last_error,omitempty"`
	Connects   uint64    `json:"connects"`
	Ports      []uint32  `json:"ports"`
	FlowMods   int       `json:"flow_mods"`
	Rate       float64   `json:"rate"` // messages per second now
}

// MessageStats counts messages by component and OpenFlow type name. Each
// section has one entry per component and one named "Total".
type MessageStats struct {
	Tx   map[string]map[string]uint64 `json:"tx"`
	Rx   map[string]map[string]uint64 `json:"rx"`
	Drop map[string]map[string]uint64 `json:"drop"`
}
