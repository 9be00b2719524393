package store

import "time"

// Slice is the record of a slice. Its generation tells apart slices that had
// the same name one after the other.
type Slice struct {
	Name         string    `json:"name"`
	Generation   uint64    `json:"generation"`
	Order        uint64    `json:"order"` // position in listings
	Controllers  []string  `json:"controllers"`
	Contact      string    `json:"contact"`
	DropPolicy   string    `json:"drop_policy"`
	RecvLLDP     bool      `json:"recv_lldp"`
	Strict       bool      `json:"strict"`
	Enabled      bool      `json:"enabled"`
	DisabledBy   string    `json:"disabled_by,omitempty"`
	FlowModLimit int       `json:"flowmod_limit"`
	RateLimit    int       `json:"rate_limit"`
	FlowModRate  int       `json:"flowmod_rate,omitempty"`   // 0, of older records, is no limit
	PacketInRate int       `json:"packet_in_rate,omitempty"` // likewise
	Creator      string    `json:"creator"`
	Created      time.Time `json:"created"`
}

// Settings is the record of the settings.
type Settings struct {
	FlowTracking     bool   `json:"flow_tracking"`
	StatsDesc        bool   `json:"stats_desc"`
	Topology         bool   `json:"topology"`
	FlowStatsCache   int    `json:"flow_stats_cache"`
	DefaultFloodPerm string `json:"default_flood_perm"`
	Adoption         string `json:"adoption"`
	CallbackAllow    string `json:"callback_allow,omitempty"`
	ControllerAllow  string `json:"controller_allow,omitempty"`
	// LLDPKey authenticates the probes of this installation.
	LLDPKey []byte `json:"lldp_key"`
}

// Account is the record of somebody who can log in. Hash is empty for one who cannot.
type Account struct {
	Name string `json:"name"`
	Role string `json:"role"` // admin, slice, viewer
	Hash string `json:"hash"`
}

// Token is the record of an API token; only the hash of its secret is kept.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Account string    `json:"account"`
	Scope   string    `json:"scope"`
	Hash    []byte    `json:"hash"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

// Callback is the record of a web hook somebody registered.
type Callback struct {
	Account string `json:"account"`
	URL     string `json:"url"`
	Method  string `json:"method"`
	Event   string `json:"event"`
	Cookie  string `json:"cookie"`
	DPID    string `json:"dpid"` // empty: every datapath
}

// Datapath is what the configuration says about a datapath, connected or not.
type Datapath struct {
	DPID      uint64           `json:"dpid"`
	FloodPerm string           `json:"flood_perm"`
	Limits    map[string]Limit `json:"limits,omitempty"`
}

// Limit is what one slice may do on one datapath; -1 is no limit.
type Limit struct {
	FlowMods     int `json:"flow_mods"`
	Rate         int `json:"rate"`
	FlowModRate  int `json:"flowmod_rate,omitempty"`   // 0, of older records, is no limit
	PacketInRate int `json:"packet_in_rate,omitempty"` // likewise
}

// Audit is the record of one change or refused attempt. The id is given by AppendAudit.
type Audit struct {
	ID     uint64    `json:"id"`
	Time   time.Time `json:"time"`
	Who    string    `json:"who"`
	From   string    `json:"from"`
	Action string    `json:"action"`
	Target string    `json:"target"`
	OK     bool      `json:"ok"`
	Detail string    `json:"detail,omitempty"`
}

// Snapshot is a saved configuration in the format of the outer packages.
type Snapshot struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Who     string    `json:"who"`
	Note    string    `json:"note"`
	Slices  int       `json:"slices"`
	Rules   int       `json:"rules"`
	Config  []byte    `json:"-"` // kept apart; nil in listings
}
