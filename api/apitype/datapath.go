package apitype

import "time"

// Datapath is one switch: connected, or only known from the configuration.
type Datapath struct {
	DPID      string    `json:"dpid"`
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since,omitzero"`
	Local     string    `json:"local,omitempty"`
	Remote    string    `json:"remote,omitempty"`
	// Version is the OpenFlow version in use, "1.0".
	Version      string            `json:"version,omitempty"`
	Description  *Description      `json:"description,omitempty"`
	Tables       int               `json:"tables"`
	Buffers      uint32            `json:"buffers"`
	Capabilities []string          `json:"capabilities,omitempty"`
	Ports        []Port            `json:"ports"`
	Connections  []SliceConnection `json:"connections"`
	// FlowMods is the number of flows each slice holds here.
	FlowMods  map[string]int `json:"flow_mods"`
	FloodPerm string         `json:"flood_perm"` // slice allowed native FLOOD, or empty
	Limits    []SliceLimit   `json:"limits,omitempty"`
}

// Description is what the switch says about itself.
type Description struct {
	Manufacturer string `json:"manufacturer"`
	Hardware     string `json:"hardware"`
	Software     string `json:"software"`
	Serial       string `json:"serial"`
	Datapath     string `json:"datapath"`
}

// Port is one port of a datapath.
type Port struct {
	Number   uint32   `json:"number"`
	Name     string   `json:"name"`
	Address  string   `json:"address"`
	Up       bool     `json:"up"`
	Config   []string `json:"config"`
	State    []string `json:"state"`
	Features []string `json:"features"` // current features
	Slices   []string `json:"slices"`   // who may use it
}

// DatapathUpdate changes what the configuration says about a datapath.
type DatapathUpdate struct {
	FloodPerm *string `json:"flood_perm,omitempty"` // "" takes the permission away
}

// Flow is one flow, physical (of the switch) or virtual (of a slice's view).
type Flow struct {
	DPID        string `json:"dpid"`
	Slice       string `json:"slice,omitempty"`
	Kind        string `json:"kind,omitempty"` // piece, guard, foreign, virtual
	Table       int    `json:"table"`
	Priority    uint32 `json:"priority"`
	Match       string `json:"match"`
	Actions     string `json:"actions"`
	Cookie      string `json:"cookie"` // hexadecimal
	IdleTimeout int    `json:"idle_timeout"`
	HardTimeout int    `json:"hard_timeout"`
	Seconds     uint64 `json:"seconds"`
	Packets     uint64 `json:"packets"`
	Bytes       uint64 `json:"bytes"`
	// Rewritten lists the physical flows a virtual flow became.
	Rewritten []Flow `json:"rewritten,omitempty"`
}

// Link is one direction of a link between two datapaths.
type Link struct {
	SrcDPID    string            `json:"src_dpid"`
	SrcPort    uint32            `json:"src_port"`
	DstDPID    string            `json:"dst_dpid"`
	DstPort    uint32            `json:"dst_port"`
	Since      time.Time         `json:"since,omitzero"`
	Attributes map[string]string `json:"attributes,omitempty"`
}
