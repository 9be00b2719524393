package apitype

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// Rule is one flowspace entry as the server reports it.
type Rule struct {
	ID       uint64   `json:"id"`
	Name     string   `json:"name"`
	DPIDs    []string `json:"dpids"` // ["any"] for every datapath
	Priority uint32   `json:"priority"`
	Match    Match    `json:"match"`
	Grants   []Grant  `json:"grants"`
	Queues   []uint32 `json:"queues,omitempty"`
	// ForcedQueue, when set, is the queue every output of the rule goes to.
	ForcedQueue *uint32 `json:"forced_queue,omitempty"`
	// Owner is the slice that made the rule by delegation, absent for the administrator's.
	Owner string `json:"owner,omitempty"`
}

// Grant gives a slice permissions on a rule.
type Grant struct {
	Slice      string     `json:"slice"`
	Permission Permission `json:"permission"`
}

// Permission is a sum of delegate 1, read 2, write 4. In a request it may also
// be letters out of "rwd"; 8 is read as FlowVisor's delegate.
type Permission uint8

// Permission bits.
const (
	Delegate Permission = 1
	Read     Permission = 2
	Write    Permission = 4
)

// ParsePermission reads "7" or letters such as "rw".
func ParsePermission(s string) (Permission, error) {
	bad := func() error {
		return fmt.Errorf("permission %q: want 1 to 7 (delegate 1 + read 2 + write 4) or letters of rwd", s)
	}
	if s == "" || len(s) > 3 {
		return 0, bad()
	}
	if s[0] >= '0' && s[0] <= '9' {
		n := 0
		for _, c := range []byte(s) {
			if c < '0' || c > '9' {
				return 0, bad()
			}
			n = n*10 + int(c-'0')
		}
		if n&8 != 0 && n < 16 {
			n = n&^8 | int(Delegate)
		}
		if n < 1 || n > 7 {
			return 0, bad()
		}
		return Permission(n), nil
	}
	var p Permission
	for _, c := range []byte(s) {
		bit, ok := map[byte]Permission{'d': Delegate, 'r': Read, 'w': Write}[c]
		if !ok || p&bit != 0 {
			return 0, bad()
		}
		p |= bit
	}
	return p, nil
}

// String writes the letters, for example "rwd".
func (p Permission) String() string {
	var b strings.Builder
	for _, x := range []struct {
		bit Permission
		c   byte
	}{{Read, 'r'}, {Write, 'w'}, {Delegate, 'd'}} {
		if p&x.bit != 0 {
			b.WriteByte(x.c)
		}
	}
	return b.String()
}

// UnmarshalJSON accepts a number or a string.
func (p *Permission) UnmarshalJSON(b []byte) error {
	v, err := ParsePermission(strings.Trim(string(b), `"`))
	if err != nil {
		return err
	}
	*p = v
	return nil
}

// Match is a match in text: "in_port=1|3,dl_vlan=100-199,nw_dst=10.0.0.0/8";
// "any" matches everything. A request may also give an object of the same
// fields, {"in_port":1,"nw_dst":"10.0.0.0/8"}.
type Match string

// UnmarshalJSON accepts text or an object of scalar fields.
func (m *Match) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(m))
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil || fields == nil { // null is not everything
		return fmt.Errorf("match: want text or an object of fields")
	}
	parts := make([]string, 0, len(fields))
	for k, v := range fields {
		if text, ok := v.(string); strings.ContainsAny(k, ",=") || ok && strings.ContainsAny(text, ",=") {
			return fmt.Errorf("match: field %q: one name and one value is possible, without , and =", k)
		}
		switch v := v.(type) {
		case string:
			parts = append(parts, k+"="+v)
		case json.Number:
			parts = append(parts, k+"="+v.String())
		default:
			return fmt.Errorf("match: field %q: want a number or text", k)
		}
	}
	sort.Strings(parts)
	if len(parts) == 0 {
		*m = "any"
		return nil
	}
	*m = Match(strings.Join(parts, ","))
	return nil
}

// RuleCreate asks for a rule. An empty name is replaced by one the server makes.
type RuleCreate struct {
	// ID keeps a rule's number on import; 0 and numbers that are taken get a new one.
	ID          uint64   `json:"id,omitempty"`
	Name        string   `json:"name,omitempty"`
	DPIDs       []string `json:"dpids"`
	Priority    uint32   `json:"priority"`
	Match       Match    `json:"match"`
	Grants      []Grant  `json:"grants"`
	Queues      []uint32 `json:"queues,omitempty"`
	ForcedQueue *uint32  `json:"forced_queue,omitempty"`
	// Owner is the slice the rule belongs to by delegation. What a slice's account adds is always its own.
	Owner string `json:"owner,omitempty"`
}

// RuleUpdate changes the fields that are given; id and name stay.
type RuleUpdate struct {
	DPIDs       []string  `json:"dpids,omitempty"`
	Priority    *uint32   `json:"priority,omitempty"`
	Match       *Match    `json:"match,omitempty"`
	Grants      []Grant   `json:"grants,omitempty"`
	Queues      *[]uint32 `json:"queues,omitempty"`
	ForcedQueue *int64    `json:"forced_queue,omitempty"` // -1 takes it away
}

// Change is one step of a bulk request. Op is "add" (Add set), "update"
// (Ref and Update set) or "remove" (Ref set).
type Change struct {
	Op     string      `json:"op"`
	Ref    string      `json:"ref,omitempty"` // a name, or id:N
	Add    *RuleCreate `json:"add,omitempty"`
	Update *RuleUpdate `json:"update,omitempty"`
}

// Bulk is a list of changes, done all or none, in one transaction.
type Bulk struct {
	Changes []Change `json:"changes"`
}

// BulkResult says what a bulk request did. IDs has one entry per change.
type BulkResult struct {
	Applied   bool     `json:"applied"` // false for a dry run
	IDs       []uint64 `json:"ids"`
	Datapaths []string `json:"datapaths"` // whose sessions were told; "any" possible
	Slices    []string `json:"slices"`
}

// RuleFilter selects rules in a listing. Zero fields select everything.
type RuleFilter struct {
	Slice string
	DPID  string
	Name  string
	Limit int
	After uint64 // id of the last rule of the page before
}

// Conflict is a pair of rules with something in common.
type Conflict struct {
	Kind  string `json:"kind"` // overlap or shadowed
	Rule  Rule   `json:"rule"`
	Other Rule   `json:"other"` // the winning rule when shadowed
	// Region is what both match.
	Region Match  `json:"region"`
	Detail string `json:"detail"`
}

// Conflicts is a page of conflicts.
type Conflicts struct {
	List[Conflict]
	// Truncated: there are more than Total, which nobody looked for.
	Truncated bool `json:"truncated,omitempty"`
}

// Free lists unused values of a field on a set of datapaths, as "100-199|300".
type Free struct {
	Field  string   `json:"field"`
	DPIDs  []string `json:"dpids"`
	Values string   `json:"values"`
	Count  uint64   `json:"count"`
}
