package apitype

import "time"

// Health is the state of the whole hypervisor.
type Health struct {
	Status      string        `json:"status"` // ok or degraded
	Ready       bool          `json:"ready"`
	Started     time.Time     `json:"started"`
	Uptime      string        `json:"uptime"`
	Datapaths   int           `json:"datapaths"` // connected now
	Slices      int           `json:"slices"`
	Rules       int           `json:"rules"`
	AverageUsec float64       `json:"average_delay_us"` // handling time of a message
	LastUsec    float64       `json:"instant_delay_us"`
	Goroutines  int           `json:"goroutines"`
	MemoryBytes uint64        `json:"memory_bytes"`
	Checks      []HealthCheck `json:"checks"`
	// Missing says, for people, what to do next.
	Missing []string `json:"missing"`
}

// HealthCheck is one thing looked at.
type HealthCheck struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// Version says which program answers.
type Version struct {
	Version   string `json:"version"`
	Go        string `json:"go"`
	Commit    string `json:"commit,omitempty"`
	API       string `json:"api"` // "v1"
	DBVersion int    `json:"db_version"`
}

// Settings are the settings of the installation.
type Settings struct {
	FlowTracking     bool   `json:"flow_tracking"`
	StatsDesc        bool   `json:"stats_desc"`
	Topology         bool   `json:"topology"`
	FlowStatsCache   int    `json:"flow_stats_cache"` // seconds
	DefaultFloodPerm string `json:"default_flood_perm"`
	// Adoption is what happens to flows of a switch that connects: adopt or flush.
	Adoption string `json:"adoption"`
	// CallbackAllow lists where callbacks may go, separated by commas: hosts,
	// HOST:PORT or networks such as 10.0.0.0/8. Empty: nowhere.
	CallbackAllow string `json:"callback_allow"`
	// ControllerAllow lists the unix: and module: controllers that slices' accounts
	// may use, separated by commas; * at the end of one stands for anything.
	ControllerAllow string `json:"controller_allow"`
}

// SettingsUpdate changes the fields that are not nil.
type SettingsUpdate struct {
	FlowTracking     *bool   `json:"flow_tracking,omitempty"`
	StatsDesc        *bool   `json:"stats_desc,omitempty"`
	Topology         *bool   `json:"topology,omitempty"`
	FlowStatsCache   *int    `json:"flow_stats_cache,omitempty"`
	DefaultFloodPerm *string `json:"default_flood_perm,omitempty"`
	Adoption         *string `json:"adoption,omitempty"`
	CallbackAllow    *string `json:"callback_allow,omitempty"`
	ControllerAllow  *string `json:"controller_allow,omitempty"`
}

// ConfigUpdate changes settings, flood permissions and flow limits in one step:
// all of them or none.
type ConfigUpdate struct {
	SettingsUpdate
	FloodPerms []FloodPerm `json:"flood_perms,omitempty"`
	FlowLimits []FlowLimit `json:"flowmod_limits,omitempty"`
	Limits     []LimitsOn  `json:"limits,omitempty"`
}

// LimitsOn changes limits of a slice on a datapath, or with "any" on all together.
type LimitsOn struct {
	Slice string `json:"slice"`
	DPID  string `json:"dpid"`
	LimitsUpdate
}

// FloodPerm lets a slice use a switch's own flooding; an empty slice takes it away.
type FloodPerm struct {
	DPID  string `json:"dpid"`
	Slice string `json:"slice"`
}

// FlowLimit bounds the flows of a slice on a datapath, or with "any" on all
// together; -1 is no limit.
type FlowLimit struct {
	Slice string `json:"slice"`
	DPID  string `json:"dpid"`
	Limit int    `json:"limit"`
}

// AuditEntry is one change, or one refused attempt.
type AuditEntry struct {
	ID     uint64    `json:"id"`
	Time   time.Time `json:"time"`
	Who    string    `json:"who"`
	From   string    `json:"from"` // address, or "socket"
	Action string    `json:"action"`
	Target string    `json:"target"`
	OK     bool      `json:"ok"`
	Detail string    `json:"detail,omitempty"`
}

// Token is an API token; Secret is only present in the answer that made it.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Account string    `json:"account"`
	Scope   string    `json:"scope"` // full or read
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Secret  string    `json:"secret,omitempty"`
}

// TokenCreate asks for a token for the caller, or (administrator) for Account.
type TokenCreate struct {
	Name    string    `json:"name"`
	Account string    `json:"account,omitempty"`
	Scope   string    `json:"scope,omitempty"` // default full
	Expires time.Time `json:"expires,omitzero"`
}

// Account is somebody who can log in.
type Account struct {
	Name string `json:"name"`
	Role string `json:"role"` // admin, slice, viewer
}

// AccountCreate asks for a viewer account.
type AccountCreate struct {
	Name     string `json:"name"`
	Role     string `json:"role,omitempty"` // viewer
	Password string `json:"password"`
}

// Whoami is the caller as the server sees it.
type Whoami struct {
	Account string `json:"account"`
	Role    string `json:"role"`
	Scope   string `json:"scope"`
	Via     string `json:"via"` // password, token, socket, certificate
}

// Callback is a web hook of an account.
type Callback struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	URL     string `json:"url"`
	Method  string `json:"method"`
	Event   string `json:"event"` // GENERAL, DEVICE_CONNECTED, ...
	Cookie  string `json:"cookie"`
	DPID    string `json:"dpid,omitempty"` // empty: every datapath
}

// CallbackCreate asks for a callback, for the caller.
type CallbackCreate struct {
	URL    string `json:"url"`
	Method string `json:"method"`
	Event  string `json:"event"`
	Cookie string `json:"cookie"`
	DPID   string `json:"dpid,omitempty"`
}

// Event is one thing that happened, as sent by /events.
type Event struct {
	ID     uint64    `json:"id"`
	Time   time.Time `json:"time"`
	Type   string    `json:"type"` // datapath-connected, slice-updated, ...
	DPID   string    `json:"dpid,omitempty"`
	Slice  string    `json:"slice,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// TraceRequest asks what happens to a packet (Header or Packet set) or to a
// slice's flow_mod (Slice and FlowMod set) on a datapath.
type TraceRequest struct {
	DPID    string `json:"dpid"`
	Header  string `json:"header,omitempty"` // in_port=1,dl_type=0x800,...
	Packet  string `json:"packet,omitempty"` // hexadecimal frame
	InPort  uint32 `json:"in_port,omitempty"`
	Slice   string `json:"slice,omitempty"`
	FlowMod string `json:"flow_mod,omitempty"` // ovs-ofctl syntax
}

// TraceResult says who owns the packet or what the flow becomes, and why.
type TraceResult struct {
	DPID   string `json:"dpid"`
	Header string `json:"header,omitempty"`
	// Rule is the owning rule, Considered the matching rules in order.
	Rule       *Rule    `json:"rule,omitempty"`
	Considered []Rule   `json:"considered"`
	Slice      string   `json:"slice,omitempty"` // who controls the packet
	Readers    []string `json:"readers"`         // who hears of it
	Verdict    string   `json:"verdict"`
	Reason     string   `json:"reason"`
	Flows      []Flow   `json:"flows"`
}

// Snapshot is one saved configuration.
type Snapshot struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Who     string    `json:"who"`
	Note    string    `json:"note"`
	Slices  int       `json:"slices"`
	Rules   int       `json:"rules"`
}

// SnapshotCreate asks for a snapshot.
type SnapshotCreate struct {
	Note string `json:"note"`
}
