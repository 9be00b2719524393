package apitype

import "time"

// ConfigVersion is the version of the configuration format this program writes.
const ConfigVersion = 1

// Config is govisor's own configuration format, and the file of apply. For an
// import every section counts; for apply a section that is absent is left alone.
type Config struct {
	// Version is ConfigVersion; it also tells this format from FlowVisor's.
	Version   int              `json:"govisor_config"`
	Settings  *Settings        `json:"settings,omitempty"`
	Slices    []SliceConfig    `json:"slices,omitempty"`
	Flowspace []RuleCreate     `json:"flowspace,omitempty"`
	Datapaths []DatapathConfig `json:"datapaths,omitempty"`
	// Accounts are those of the administrator and of viewers, with their
	// hashes; only written when hashes were asked for. An import leaves them
	// alone when they are absent.
	Accounts []AccountConfig `json:"accounts,omitempty"`
	// Callbacks and Tokens are written with the hashes too: a callback's cookie
	// signs what is sent. An import leaves them alone when they are absent.
	Callbacks []CallbackConfig `json:"callbacks,omitempty"`
	Tokens    []TokenConfig    `json:"tokens,omitempty"`
}

// CallbackConfig is a web hook of an account.
type CallbackConfig struct {
	Account string `json:"account"`
	URL     string `json:"url"`
	Method  string `json:"method"`
	Event   string `json:"event"`
	Cookie  string `json:"cookie"`
	DPID    string `json:"dpid,omitempty"`
}

// TokenConfig is an API token: its secret cannot be told from it.
type TokenConfig struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Account    string    `json:"account"`
	Scope      string    `json:"scope"`
	SecretHash string    `json:"secret_hash"` // SHA-256, hexadecimal
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires,omitzero"`
}

// AccountConfig is an account that is not a slice's.
type AccountConfig struct {
	Name         string `json:"name"`
	Role         string `json:"role"` // admin or viewer
	PasswordHash string `json:"password_hash"`
}

// SliceConfig is a slice in a configuration.
type SliceConfig struct {
	SliceCreate
	// PasswordHash is only written when asked for.
	PasswordHash string `json:"password_hash,omitempty"`
	Creator      string `json:"creator,omitempty"`
}

// DatapathConfig is what a configuration says about one datapath.
type DatapathConfig struct {
	DPID      string       `json:"dpid"`
	FloodPerm string       `json:"flood_perm,omitempty"`
	Limits    []SliceLimit `json:"limits,omitempty"`
}

// Diff is what apply would do, or did.
type Diff struct {
	Applied bool       `json:"applied"`
	Items   []DiffItem `json:"items"`
}

// DiffItem is one difference.
type DiffItem struct {
	Op   string `json:"op"`   // add, change, remove
	Kind string `json:"kind"` // slice, rule, settings, datapath, password, account, callbacks, tokens
	Name string `json:"name"`
	// Before and After are short texts for people.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// ImportReport says what an import did, or every fault that stopped it.
type ImportReport struct {
	Applied   bool     `json:"applied"`
	Format    string   `json:"format"` // govisor or flowvisor
	Slices    int      `json:"slices"`
	Rules     int      `json:"rules"`
	Datapaths int      `json:"datapaths"`
	Snapshot  string   `json:"snapshot,omitempty"` // taken before
	Notes     []string `json:"notes"`              // what was repaired on the way in
}
