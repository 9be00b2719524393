package fvctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/govisor/govisor/api/apitype"
)

// ParseDeclaration reads the file of apply, JSON or YAML. Unknown fields are refused by name.
func ParseDeclaration(text []byte) (apitype.Config, error) {
	var cfg apitype.Config
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return cfg, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if _, ok := tree.(map[string]any); !ok {
		return cfg, errors.New("not a configuration: want slices, flowspace, datapaths or settings")
	}
	asJSON, err := json.Marshal(tree)
	if err != nil {
		return cfg, err
	}
	dec := json.NewDecoder(bytes.NewReader(asJSON))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return apitype.Config{}, declarationFaults(asJSON, err)
	}
	if cfg.Version == 0 {
		cfg.Version = apitype.ConfigVersion
	}
	return cfg, nil
}

// declarationFaults looks for what is wrong entry by entry, since err is only the first and
// does not say of which entry.
func declarationFaults(text []byte, err error) error {
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
	switch len(faults) {
	case 0:
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	case 1:
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
