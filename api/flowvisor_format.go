package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/govisor/govisor/internal/hypervisor"
)

// fvConfig is FlowVisor 1.4's saved configuration: four arrays.
type fvConfig struct {
	FlowVisor []fvSettings `json:"flowvisor"`
	Slice     []fvSlice    `json:"Slice"`
	Switches  []fvSwitch   `json:"switches"`
	Rules     []fvRule     `json:"FlowSpaceRule"`
}

type fvSettings struct {
	Checkpointing    bool   `json:"checkpointing"`
	DefaultFloodPerm string `json:"default_flood_perm"`
	ConfigName       string `json:"config_name"`
	ListenPort       number `json:"listen_port"`
	LogIdent         string `json:"log_ident"`
	StatsDescHack    bool   `json:"stats_desc_hack"`
	APIPort          number `json:"api_webserver_port"`
	RunTopology      bool   `json:"run_topology_server"`
	JettyPort        number `json:"api_jetty_webserver_port"`
	Version          string `json:"version"`
	TrackFlows       bool   `json:"track_flows"`
	DBVersion        number `json:"db_version"`
	LogFacility      string `json:"log_facility"`
	Host             string `json:"host"`
	Logging          string `json:"logging"`
}

type fvSlice struct {
	ConfigName     string  `json:"config_name"`
	LLDPSpam       *bool   `json:"lldp_spam"`
	Creator        string  `json:"creator"`
	ControllerPort number  `json:"controller_port"`
	ContactEmail   string  `json:"contact_email"`
	DropPolicy     string  `json:"drop_policy"`
	PasswdCrypt    string  `json:"passwd_crypt"`
	PasswdSalt     string  `json:"passwd_salt"`
	Name           string  `json:"name"`
	AdminStatus    *bool   `json:"admin_status"`
	MaxFlowRules   *number `json:"max_flow_rules"`
	FlowmapType    string  `json:"flowmap_type"`
	ControllerHost string  `json:"controller_hostname"`
}

type fvSwitch struct {
	HWDesc       string             `json:"hw_desc"`
	DPDesc       string             `json:"dp_desc"`
	Capabilities number             `json:"capabilities"`
	DPID         string             `json:"dpid"`
	FloodPerm    string             `json:"flood_perm"`
	MfrDesc      string             `json:"mfr_desc"`
	SWDesc       string             `json:"sw_desc"`
	SerialNum    string             `json:"serial_num"`
	Limits       map[string]fvLimit `json:"limits"`
}

type fvLimit struct {
	RateLimit       *number `json:"rate_limit"`
	MaximumFlowMods *number `json:"maximum_flow_mods"`
}

type fvRule struct {
	DPID        string              `json:"dpid"`
	Priority    number              `json:"priority"`
	InPort      *number             `json:"in_port,omitempty"`
	DLVLAN      *number             `json:"dl_vlan,omitempty"`
	DLVPCP      *number             `json:"dl_vpcp,omitempty"`
	DLSrc       string              `json:"dl_src,omitempty"`
	DLDst       string              `json:"dl_dst,omitempty"`
	DLType      *number             `json:"dl_type,omitempty"`
	NWSrc       *number             `json:"nw_src,omitempty"`
	NWDst       *number             `json:"nw_dst,omitempty"`
	NWProto     *number             `json:"nw_proto,omitempty"`
	NWTos       *number             `json:"nw_tos,omitempty"`
	TPSrc       *number             `json:"tp_src,omitempty"`
	TPDst       *number             `json:"tp_dst,omitempty"`
	ForcedQueue *number             `json:"forced_queue"`
	Wildcards   *number             `json:"wildcards"`
	Name        string              `json:"name"`
	ID          number              `json:"id"`
	SliceAction []map[string]number `json:"slice_action"`
	QueueID     []number            `json:"queue_id"`
}

// number is a whole number that FlowVisor may have written as 5, 5.0 or -30516.
type number int64

// UnmarshalJSON accepts a fraction of zero.
func (n *number) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || f != float64(int64(f)) {
		return fmt.Errorf("%s is not a whole number", clipText(string(b)))
	}
	*n = number(int64(f))
	return nil
}

func fvNumber[T ~int | ~uint8 | ~uint16 | ~uint32 | ~int16 | ~int32](v T) *number {
	return new(number(v))
}

// or returns what p points to, or v.
func (n *number) or(v int64) int64 {
	if n == nil {
		return v
	}
	return int64(*n)
}

// outOfRange is the error of a number that its field cannot hold.
func outOfRange(field string, v number) error {
	return bad(field, fmt.Sprint(int64(v)), fmt.Sprintf("%s %d is out of range", field, v), "")
}

// clipText shortens what is repeated in a message.
func clipText(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "..."
	}
	return s
}

// decode reads FlowVisor's four arrays, entry by entry and field by field, so that
// each wrong type is a fault with its place and the others are found as well.
func (im *fvImport) decode(text []byte) (in fvConfig, err error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(text, &top); err != nil {
		return in, jsonError(err)
	}
	for _, key := range slices.Sorted(maps.Keys(top)) {
		switch raw := top[key]; key {
		case "flowvisor":
			err = decodeSection(im, key, raw, &in.FlowVisor)
		case "Slice":
			err = decodeSection(im, key, raw, &in.Slice)
		case "switches":
			err = decodeSection(im, key, raw, &in.Switches)
		case "FlowSpaceRule":
			err = decodeSection(im, key, raw, &in.Rules)
		default:
			im.note("the section %q is not FlowVisor's: left out", clipText(key))
		}
		if err != nil {
			return in, err
		}
	}
	return in, nil
}

func decodeSection[T any](im *fvImport, section string, raw json.RawMessage, to *[]T) error {
	var entries []json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		return bad(section, "", section+" is not an array", "want an array of objects")
	}
	*to = make([]T, len(entries))
	for i, e := range entries {
		im.decodeObject(section, i, "", e, reflect.ValueOf(&(*to)[i]).Elem())
	}
	return nil
}

// decodeObject fills the struct v; path is where it is inside entry i, empty or with a dot at its end.
func (im *fvImport) decodeObject(section string, i int, path string, raw json.RawMessage, v reflect.Value) {
	var have map[string]json.RawMessage
	if json.Unmarshal(raw, &have) != nil || have == nil {
		im.fault(section, i, strings.TrimSuffix(path, "."), string(raw), "an object is wanted here")
		return
	}
	for n := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(n).Tag.Get("json"), ",")
		value, ok := have[name]
		delete(have, name)
		if !ok {
			continue
		}
		if limits, isMap := v.Field(n).Addr().Interface().(*map[string]fvLimit); isMap {
			im.decodeLimits(section, i, path+name, value, limits)
			continue
		}
		if err := json.Unmarshal(value, v.Field(n).Addr().Interface()); err != nil {
			shown := string(bytes.TrimSpace(value))
			if strings.HasPrefix(name, "passwd") {
				shown = ""
			}
			im.fault(section, i, path+name, shown, decodeMessage(err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if id := section + " " + name; !im.noted[id] {
			im.noted[id] = true
			im.note("%s: the unknown field %q is left out", section, clipText(name))
		}
	}
}

func (im *fvImport) decodeLimits(section string, i int, path string, raw json.RawMessage, to *map[string]fvLimit) {
	var have map[string]json.RawMessage
	if json.Unmarshal(raw, &have) != nil {
		im.fault(section, i, path, string(raw), "an object is wanted here")
		return
	}
	*to = make(map[string]fvLimit, len(have))
	for _, name := range slices.Sorted(maps.Keys(have)) {
		var l fvLimit
		im.decodeObject(section, i, path+"."+name+".", have[name], reflect.ValueOf(&l).Elem())
		(*to)[name] = l
	}
}

func decodeMessage(err error) string {
	if e, ok := errors.AsType[*hypervisor.Error](jsonError(err)); ok {
		detail := strings.TrimPrefix(e.Detail, "body: ")
		if e.Hint != "" {
			detail += " (" + e.Hint + ")"
		}
		return detail
	}
	return err.Error()
}
