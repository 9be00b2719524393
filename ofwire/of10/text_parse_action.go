package of10

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/govisor/govisor/ofwire"
)

// ParseActionList reads actions in ovs-ofctl's syntax, like "mod_vlan_vid:5,output:2";
// "drop" or nothing is the empty list. Actions of later versions and of Nicira's
// extensions are refused by name.
func (p *Parser) ParseActionList(s string) ([]Action, error) {
	var list []Action
	drop := false
	for rest, n := s, 0; ; n++ {
		it, after, ok, err := nextItem(rest)
		if err != nil {
			return nil, err
		}
		if !ok {
			return list, nil
		}
		rest = after
		isDrop := strings.EqualFold(it.key, "drop") && !it.hasValue
		if drop || isDrop && n > 0 {
			return nil, fmt.Errorf(`"drop" must not be accompanied by any other action`)
		}
		if isDrop {
			drop = true
			continue
		}
		a, err := p.action(it)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
}

// ParseActionList is Parser.ParseActionList without port names.
func ParseActionList(s string) ([]Action, error) { return new(Parser).ParseActionList(s) }

// extendedActions are actions of later versions and of Nicira's extensions.
var extendedActions = wordSet(`resubmit load move reg_load set_field dec_ttl dec_mpls_ttl set_mpls_ttl set_mpls_label
	set_mpls_tc mod_nw_ecn mod_nw_ttl set_tunnel set_tunnel64 set_queue pop_queue note learn multipath bundle bundle_load
	exit push_vlan push_mpls pop_mpls group meter ct ct_clear nat clone conjunction fin_timeout sample write_metadata
	goto_table clear_actions write_actions stack push pop encap decap check_pkt_larger delete_field`)

func (p *Parser) action(it item) (Action, error) {
	key := strings.ToLower(it.key)
	if parse := actionParsers[key]; parse != nil {
		if !it.hasValue || it.value == "" {
			return Action{}, fmt.Errorf("%s: the action needs a value, like %s:VALUE", it.key, it.key)
		}
		return parse(p, it.value)
	}
	switch key {
	case "strip_vlan", "pop_vlan":
		if it.hasValue && it.value != "" {
			return Action{}, fmt.Errorf("%v: the action takes no value", it)
		}
		return StripVLAN(), nil
	case "controller":
		return parseController(it)
	case "set_vlan_vid", "set_vlan_pcp":
		return Action{}, fmt.Errorf("%s: OpenFlow 1.0 always adds a tag to an untagged frame; use mod%s", it.key, key[len("set"):])
	}
	if extendedActions[key] {
		return Action{}, fmt.Errorf("%s: OpenFlow 1.0 does not have this action", it.key)
	}
	if !it.hasValue {
		return p.outputAction(it.key)
	}
	return Action{}, fmt.Errorf("unknown action %s", it.key)
}

// outputAction is a port alone: a number, a reserved name or a name of the switch.
func (p *Parser) outputAction(s string) (Action, error) {
	port, err := p.ParsePort(s)
	if err != nil {
		if s[0] >= '0' && s[0] <= '9' {
			return Action{}, err
		}
		return Action{}, fmt.Errorf("unknown action %s", s)
	}
	if port == PortNone {
		return Action{}, fmt.Errorf("%s: not a port to send to; for no output write drop", s)
	}
	if port == PortController {
		return Output(port, 0xffff), nil
	}
	return Output(port, 0), nil
}

func parseController(it item) (Action, error) {
	length := it.value
	if !it.hasValue || length == "" {
		return Output(PortController, 0xffff), nil
	}
	if k, v, ok := strings.Cut(length, "="); ok {
		if strings.TrimSpace(k) != "max_len" {
			return Action{}, fmt.Errorf("controller(%s): OpenFlow 1.0 has max_len only", length)
		}
		length = strings.TrimSpace(v)
	}
	n, err := number16("max_len", length)
	return Output(PortController, n), err
}

// actionParsers read the actions with a value.
var actionParsers = map[string]func(p *Parser, s string) (Action, error){
	"output": func(p *Parser, s string) (Action, error) {
		if !strings.HasPrefix(s, `"`) && strings.ContainsAny(s, "=[") {
			return Action{}, fmt.Errorf("output:%s: OpenFlow 1.0 has output:PORT only", s)
		}
		port, err := p.ParsePort(s)
		if err == nil && port == PortController {
			return Output(port, 0xffff), nil
		}
		return Output(port, 0), err
	},
	"enqueue": parseEnqueue,
	"mod_vlan_vid": func(_ *Parser, s string) (Action, error) {
		v, err := number16("VLAN VID", s)
		if err == nil && v > 0xfff {
			err = fmt.Errorf("%s: not a valid VLAN VID", s)
		}
		return SetVLANVID(v), err
	},
	"mod_vlan_pcp": func(_ *Parser, s string) (Action, error) {
		v, err := number("VLAN PCP", s, 0xff)
		if err == nil && v > 7 {
			err = fmt.Errorf("%s: not a valid VLAN PCP", s)
		}
		return SetVLANPCP(uint8(v)), err
	},
	"mod_dl_src": func(_ *Parser, s string) (Action, error) {
		a, err := ofwire.ParseMAC(s)
		return SetDLSrc(a), err
	},
	"mod_dl_dst": func(_ *Parser, s string) (Action, error) {
		a, err := ofwire.ParseMAC(s)
		return SetDLDst(a), err
	},
	"mod_nw_src": func(_ *Parser, s string) (Action, error) {
		a, err := parseIPv4("mod_nw_src", s)
		return SetNWSrc(a), err
	},
	"mod_nw_dst": func(_ *Parser, s string) (Action, error) {
		a, err := parseIPv4("mod_nw_dst", s)
		return SetNWDst(a), err
	},
	"mod_nw_tos": func(_ *Parser, s string) (Action, error) {
		v, err := number("TOS", s, 0xff)
		if err == nil && v&3 != 0 {
			err = fmt.Errorf("%s: not a valid TOS", s)
		}
		return SetNWTos(uint8(v)), err
	},
	"mod_tp_src": func(_ *Parser, s string) (Action, error) {
		v, err := number16("mod_tp_src", s)
		return SetTPSrc(v), err
	},
	"mod_tp_dst": func(_ *Parser, s string) (Action, error) {
		v, err := number16("mod_tp_dst", s)
		return SetTPDst(v), err
	},
	"vendor": parseVendorAction,
	"raw":    parseRawAction,
}

// parseEnqueue reads PORT:QUEUE, and PORT,QUEUE from parentheses.
func parseEnqueue(p *Parser, s string) (Action, error) {
	i := strings.LastIndexAny(s, ":,")
	if i < 0 {
		return Action{}, fmt.Errorf("enqueue:%s: want enqueue:PORT:QUEUE", s)
	}
	port, err := p.ParsePort(strings.TrimSpace(s[:i]))
	if err != nil {
		return Action{}, fmt.Errorf("enqueue: %w", err)
	}
	queue, err := number("queue", strings.TrimSpace(s[i+1:]), 1<<32-1)
	return Enqueue(port, uint32(queue)), err
}

func parseVendorAction(_ *Parser, s string) (Action, error) {
	id, body, _ := strings.Cut(s, ":")
	vendor, err := number("vendor", id, 1<<32-1)
	if err != nil {
		return Action{}, err
	}
	raw, err := hex.DecodeString(body)
	if err != nil || len(raw)%8 != 0 || len(raw) > 0xfff0 {
		return Action{}, fmt.Errorf("vendor:%s: want vendor:ID:HEX with a multiple of eight bytes", s)
	}
	return VendorAction(uint32(vendor), raw), nil
}

func parseRawAction(_ *Parser, s string) (Action, error) {
	raw, err := hex.DecodeString(s)
	if err != nil {
		return Action{}, fmt.Errorf("raw:%s: %w", s, err)
	}
	list, err := ParseActions(raw, nil)
	if err != nil || len(list) != 1 {
		return Action{}, fmt.Errorf("raw:%s: not one whole action", s)
	}
	if list[0].Raw == nil {
		return Action{}, fmt.Errorf("raw:%s: this action has a name: %v", s, list[0])
	}
	return list[0], nil
}
