package fvctl

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/shape"
)

// ParseDeclaration reads the file of apply, JSON or YAML. Fields that are unknown, or must be
// there and are not, are refused by name.
func ParseDeclaration(text []byte) (apitype.Config, error) {
	var cfg apitype.Config
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return cfg, errors.New("the file is empty")
	case IsFlowVisorConfig(text):
		return cfg, errors.New("it is a configuration that FlowVisor wrote, or fvctl save-config; load it with fvctl load-config")
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return cfg, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	top, ok := tree.(map[string]any)
	if !ok {
		return cfg, errors.New("not a configuration: want slices, flowspace, datapaths or settings")
	}
	if _, ok := top[versionField]; !ok {
		top[versionField] = apitype.ConfigVersion
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		return cfg, err
	}
	dec := json.NewDecoder(bytes.NewReader(asJSON))
	dec.DisallowUnknownFields()
	if err := declarationFaults(asJSON, dec.Decode(&cfg)); err != nil {
		return apitype.Config{}, err
	}
	return cfg, nil
}

// versionField is in every file that govisor writes; people may leave it out.
const versionField = "govisor_config"

// shapeFaults are about the fields that are there or not, and decoding is silent about.
func shapeFaults(text []byte) (faults []apitype.Fault) {
	for _, f := range shape.Check(text, reflect.TypeFor[apitype.Config](), true, 1000) {
		if f.Kind != shape.Unknown || f.Hint != "" {
			faults = append(faults, apitype.Fault{Index: max(f.Index, 0), Field: f.Path, Detail: f.Detail, Hint: f.Hint})
		}
	}
	slices.SortStableFunc(faults, func(a, b apitype.Fault) int { // as in the lists of the others
		return cmp.Compare(section(a.Field), section(b.Field))
	})
	return faults
}

// section is the number of the section that a field is in.
func section(path string) int {
	name := path[:strings.IndexAny(path+".", ".[")]
	n := 0
	for f := range reflect.TypeFor[apitype.Config]().Fields() {
		if at, _, _ := strings.Cut(f.Tag.Get("json"), ","); at == name {
			return n
		}
		n++
	}
	return n
}

// declarationFaults looks for what is wrong entry by entry, since err, of decoding the whole, is
// only the first and does not say of which entry.
func declarationFaults(text []byte, err error) error {
	missing := shapeFaults(text)
	switch {
	case err == nil && len(missing) == 0:
		return nil
	case err == nil:
		return faultsError(missing)
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(text, &top) != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	var faults []apitype.Fault
	cfg := reflect.ValueOf(&apitype.Config{}).Elem()
	for n := range cfg.NumField() {
		section, _, _ := strings.Cut(cfg.Type().Field(n).Tag.Get("json"), ",")
		raw, ok := top[section]
		delete(top, section)
		var entries []json.RawMessage
		switch {
		case !ok:
		case cfg.Field(n).Kind() == reflect.Slice && json.Unmarshal(raw, &entries) == nil:
			for i, e := range entries {
				faults = appendFault(faults, i, fmt.Sprintf("%s[%d]", section, i), e, cfg.Field(n).Type().Elem())
			}
		default:
			faults = appendFault(faults, 0, section, raw, cfg.Field(n).Type())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(top)) {
		faults = append(faults, apitype.Fault{Field: name, Detail: fmt.Sprintf("unknown field %q", name)})
	}
	if len(faults) == 0 {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return faultsError(append(faults, missing...))
}

// faultsError lists faults, one at least.
func faultsError(faults []apitype.Fault) error {
	if len(faults) == 1 {
		return errors.New(faultText(faults[0]))
	}
	return &apitype.Problem{Kind: apitype.KindInvalid, Detail: fmt.Sprintf("%d faults; nothing was changed", len(faults)), Errors: faults}
}

// appendFault adds what hinders text from being a value of the type.
func appendFault(faults []apitype.Fault, i int, path string, text []byte, of reflect.Type) []apitype.Fault {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(reflect.New(of).Interface())
	if err == nil {
		return faults
	}
	f := apitype.Fault{Index: i, Field: path, Detail: strings.TrimPrefix(err.Error(), "json: ")}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		for name := range strings.SplitSeq(t.Field, ".") {
			if name != "" && name == strings.ToLower(name) { // others are of embedded structs
				f.Field += "." + name
			}
		}
		f.Value, f.Detail, f.Hint = t.Value, "a "+t.Value+" is not possible here", "want "+wanted(t.Type)
	}
	return append(faults, f)
}

// wanted says a Go type in the words of JSON and YAML.
func wanted(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the others are scalars with plain names
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Int, reflect.Int64, reflect.Int32:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "names with values"
	case reflect.Bool:
		return "true or false"
	}
	return "a " + t.Kind().String()
}

// IsFlowVisorConfig tells FlowVisor's four-array JSON from govisor's own format.
func IsFlowVisorConfig(text []byte) bool {
	var top map[string]json.RawMessage
	if json.Unmarshal(text, &top) != nil || top["govisor_config"] != nil {
		return false
	}
	for _, key := range []string{"Slice", "FlowSpaceRule", "flowvisor", "switches"} {
		if top[key] != nil {
			return true
		}
	}
	return false
}
