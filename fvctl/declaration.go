package fvctl

import (
	"bytes"
	"encoding/json"
	"errors"
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
		return cfg, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if cfg.Version == 0 {
		cfg.Version = apitype.ConfigVersion
	}
	return cfg, nil
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
