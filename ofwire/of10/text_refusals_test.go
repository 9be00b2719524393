package of10

import (
	"strings"
	"testing"
)

// refusal is a text and the whole error it must give.
type refusal struct{ in, want string }

func checkRefusals(t *testing.T, list []refusal, parse func(string) error) {
	t.Helper()
	for _, c := range list {
		err := parse(c.in)
		if err == nil {
			t.Errorf("%q: accepted, want %q", c.in, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%q:\ngot  %s\nwant %s", c.in, err, c.want)
		}
	}
}

func refusedMatch(s string) error { _, err := ParseMatch(s); return err }

// refusedFlow is refusedMatch inside a flow, where the same must be refused.
func refusedFlow(s string) error {
	_, err := ParseFlow("priority=5,"+s+",actions=drop", FlowAdd)
	return err
}

func TestLostFieldRefusals(t *testing.T) {
	t.Parallel()
	const nw = " would be ignored: add ip or arp (dl_type=0x0800 or 0x0806)"
	const ip = " would be ignored: add ip (dl_type=0x0800)"
	const tp = " would be ignored: add tcp, udp or icmp"
	list := []refusal{
		{"nw_src=10.0.0.1", "nw_src=10.0.0.1" + nw},
		{"nw_src=10.0.0.0/8", "nw_src=10.0.0.0/8" + nw},
		{"nw_src:10.0.0.1", "nw_src=10.0.0.1" + nw},
		{"nw_dst=10.0.0.1", "nw_dst=10.0.0.1" + nw},
		{"ip_src=10.0.0.1", "ip_src=10.0.0.1" + nw},
		{"ip_dst=10.0.0.1/255.0.0.0", "ip_dst=10.0.0.1/255.0.0.0" + nw},
		{"arp_spa=10.0.0.1", "arp_spa=10.0.0.1" + nw},
		{"arp_tpa=10.0.0.1", "arp_tpa=10.0.0.1" + nw},
		{"arp_op=1", "arp_op=1" + nw},
		{"nw_proto=6", "nw_proto=6" + nw},
		{"ip_proto=0x11", "ip_proto=0x11" + nw},
		{"nw_proto=6,tp_dst=80", "nw_proto=6" + nw},
		{"in_port=1,nw_src=10.0.0.1,dl_dst=1:2:3:4:5:6", "nw_src=10.0.0.1" + nw},
		{"dl_type=*,nw_src=10.0.0.1", "nw_src=10.0.0.1" + nw},
		{"ipv6,nw_src=10.0.0.1", "nw_src=10.0.0.1" + nw},
		{"ipv6,nw_proto=6", "nw_proto=6" + nw},
		{"rarp,nw_dst=10.0.0.1", "nw_dst=10.0.0.1" + nw},
		{"mpls,nw_proto=6", "nw_proto=6" + nw},
		{"dl_type=0x88b5,nw_src=10.0.0.1", "nw_src=10.0.0.1" + nw},
		{"dl_type=0x05ff,nw_proto=1", "nw_proto=1" + nw},
		{"nw_tos=4", "nw_tos=4" + ip},
		{"ip_dscp=1", "ip_dscp=1" + ip},
		{"arp,nw_tos=4", "nw_tos=4" + ip},
		{"ipv6,nw_tos=0x20", "nw_tos=0x20" + ip},
		{"rarp,ip_dscp=8", "ip_dscp=8" + ip},
		{"tp_src=1", "tp_src=1" + tp},
		{"tp_dst=80", "tp_dst=80" + tp},
		{"ip,tp_src=1", "tp_src=1" + tp},
		{"ip,nw_proto=*,tp_dst=80", "tp_dst=80" + tp},
		{"ip,nw_proto=0,tp_dst=80", "tp_dst=80" + tp},
		{"ip,nw_proto=47,tp_src=80", "tp_src=80" + tp},
		{"sctp,tp_dst=80", "tp_dst=80" + tp},
		{"arp,tp_dst=80", "tp_dst=80" + tp},
		{"arp,arp_op=1,tp_src=1", "tp_src=1" + tp},
		{"arp,nw_proto=6,tp_dst=80", "tp_dst=80" + tp},
		{"ipv6,tp_dst=80", "tp_dst=80" + tp},
		{"tcp_src=1", "tcp_src=1" + tp},
		{"udp_dst=53", "udp_dst=53" + tp},
		{"icmp_type=8", "icmp_type=8" + tp},
		{"ip,icmp_code=0", "icmp_code=0" + tp},
		{"ip,arp_spa=10.0.0.1", "arp_spa would match something else: it needs arp"},
		{"tcp,arp_tpa=10.0.0.1", "arp_tpa would match something else: it needs arp"},
		{"ip,arp_op=1", "arp_op would match something else: it needs arp"},
		{"udp,tcp_src=1", "tcp_src would match something else: it needs tcp"},
		{"icmp,tcp_dst=1", "tcp_dst would match something else: it needs tcp"},
		{"tcp,udp_src=1", "udp_src would match something else: it needs udp"},
		{"tcp,udp_dst=1", "udp_dst would match something else: it needs udp"},
		{"udp,icmp_type=1", "icmp_type would match something else: it needs icmp"},
		{"tcp,icmp_code=1", "icmp_code would match something else: it needs icmp"},
		{"dl_vlan=0xffff,dl_vlan_pcp=1", "dl_vlan_pcp=1 with dl_vlan=0xffff: an untagged frame has no priority"},
		{"vlan_pcp=7,vlan_vid=0", "vlan_pcp=7 with vlan_vid=0: an untagged frame has no priority"},
	}
	checkRefusals(t, list, refusedMatch)
	checkRefusals(t, list, refusedFlow)
}

func TestRangeRefusals(t *testing.T) {
	t.Parallel()
	port := func(s string) string {
		return `in_port: invalid or unknown port "` + s + `": want a number (0 to 65535), LOCAL or another reserved name, or a port's name`
	}
	const prefixes = ": OpenFlow 1.0 has prefixes only, no mask with holes"
	list := []refusal{
		{"in_port=65536", port("65536")},
		{"in_port=0x10000", port("0x10000")},
		{"in_port=-1", port("-1")},
		{"in_port=+1", port("+1")},
		{"in_port=1.5", port("1.5")},
		{"in_port=0x", port("0x")},
		{"in_port=1/0xff", port("1/0xff")},
		{"in_port=eth0", port("eth0")},
		{"in_port=LOCALS", port("LOCALS")},
		{"in_port=99999999999999999999", port("99999999999999999999")},
		{"dl_vlan=4096", "4096: not a valid VLAN VID (0 to 4095, or 0xffff for untagged)"},
		{"dl_vlan=0xfffe", "0xfffe: not a valid VLAN VID (0 to 4095, or 0xffff for untagged)"},
		{"dl_vlan=65536", `invalid dl_vlan "65536": more than 65535`},
		{"dl_vlan=-1", `invalid dl_vlan "-1": not a number`},
		{"dl_vlan=12/0xfff", `invalid dl_vlan "12/0xfff": not a number`},
		{"dl_vlan_pcp=8", `invalid dl_vlan_pcp "8": more than 7`},
		{"vlan_pcp=0x8", `invalid vlan_pcp "0x8": more than 7`},
		{"dl_vlan_pcp=x", `invalid dl_vlan_pcp "x": not a number`},
		{"vlan_vid=0x2000", `invalid vlan_vid "0x2000": more than 8191`},
		{"vlan_vid=12", "vlan_vid=12: without the bit 0x1000 it matches no frame; use dl_vlan"},
		{"vlan_vid=0x1000/0x1000", `invalid vlan_vid "0x1000/0x1000": not a number`},
		{"vlan_tci=0x2005", "vlan_tci=0x2005: without the bit 0x1000 it matches no frame; use dl_vlan"},
		{"vlan_tci=65536", `invalid vlan_tci "65536": more than 65535`},
		{"dl_type=65536", `invalid dl_type "65536": more than 65535`},
		{"dl_type=0x10000", `invalid dl_type "0x10000": more than 65535`},
		{"dl_type=ip", `invalid dl_type "ip": not a number`},
		{"eth_type=0x", `invalid eth_type "0x": not a number`},
		{"dl_src=1:2:3:4:5", `dl_src: MAC address "1:2:3:4:5": want six groups like 02:00:00:00:00:01`},
		{"dl_src=1:2:3:4:5:6:7", `dl_src: MAC address "1:2:3:4:5:6:7": want six groups like 02:00:00:00:00:01`},
		{"dl_dst=1:2:3:4:5:100", `dl_dst: MAC address "1:2:3:4:5:100": "100" is not one or two hexadecimal digits`},
		{"dl_dst=1:2:3:4:5:006", `dl_dst: MAC address "1:2:3:4:5:006": "006" is not one or two hexadecimal digits`},
		{"dl_dst=1:2:3:4::6", `dl_dst: MAC address "1:2:3:4::6": "" is not one or two hexadecimal digits`},
		{"dl_dst=1:2:3:4:5:g", `dl_dst: MAC address "1:2:3:4:5:g": "g" is not one or two hexadecimal digits`},
		{"dl_dst=01-02-03-04-05-06", `dl_dst: MAC address "01-02-03-04-05-06": want six groups like 02:00:00:00:00:01`},
		{"dl_dst=1:0:0:0:0:0/1:0:0:0:0:0", "dl_dst=1:0:0:0:0:0/1:0:0:0:0:0: OpenFlow 1.0 matches dl_dst whole or not at all"},
		{"eth_src=1:2:3:4:5:6/ff:ff:ff:ff:ff:fe", "eth_src=1:2:3:4:5:6/ff:ff:ff:ff:ff:fe: OpenFlow 1.0 matches eth_src whole or not at all"},
		{"dl_src=1:2:3:4:5:6/24", `dl_src: MAC address "24": want six groups like 02:00:00:00:00:01`},
		{"ip,nw_src=10.0.0", `invalid nw_src "10.0.0": want an IPv4 address like 10.0.0.1`},
		{"ip,nw_src=10.0.0.256", `invalid nw_src "10.0.0.256": want an IPv4 address like 10.0.0.1`},
		{"ip,nw_src=10.0.0.01", `invalid nw_src "10.0.0.01": want an IPv4 address like 10.0.0.1`},
		{"ip,nw_src=0x0a000001", `invalid nw_src "0x0a000001": want an IPv4 address like 10.0.0.1`},
		{"ip,nw_dst=localhost", `invalid nw_dst "localhost": want an IPv4 address like 10.0.0.1`},
		{"ip,nw_dst=fe80::1", `invalid nw_dst "fe80::1": want an IPv4 address like 10.0.0.1`},
		{"ip,nw_dst=::ffff:10.0.0.1", `invalid nw_dst "::ffff:10.0.0.1": want an IPv4 address like 10.0.0.1`},
		{"ip,ip_src=10.0.0.1/33", `invalid ip_src prefix length "33": more than 32`},
		{"ip,nw_src=10.0.0.1/-1", `invalid nw_src prefix length "-1": not a number`},
		{"ip,nw_src=10.0.0.1/", `invalid nw_src prefix length "": not a number`},
		{"ip,nw_src=10.0.0.0/8/8", `invalid nw_src prefix length "8/8": not a number`},
		{"ip,nw_src=10.0.0.0/255.0", `invalid nw_src mask "255.0": want an IPv4 address like 10.0.0.1`},
		{"ip,nw_src=10.0.0.0/255.0.255.0", `invalid nw_src "10.0.0.0/255.0.255.0"` + prefixes},
		{"ip,nw_src=10.0.0.0/0.0.0.255", `invalid nw_src "10.0.0.0/0.0.0.255"` + prefixes},
		{"ip,nw_dst=10.0.0.0/255.255.255.1", `invalid nw_dst "10.0.0.0/255.255.255.1"` + prefixes},
		{"ip,nw_dst=10.0.0.0/127.255.255.255", `invalid nw_dst "10.0.0.0/127.255.255.255"` + prefixes},
		{"arp,arp_spa=10.0.0.0/255.0.0.255", `invalid arp_spa "10.0.0.0/255.0.0.255"` + prefixes},
		{"arp,arp_tpa=10.0.0.1/40", `invalid arp_tpa prefix length "40": more than 32`},
		{"ip,nw_proto=256", `invalid nw_proto "256": more than 255`},
		{"ip,nw_proto=tcp", `invalid nw_proto "tcp": not a number`},
		{"ip,ip_proto=6/7", `invalid ip_proto "6/7": not a number`},
		{"arp,arp_op=0x100", `invalid arp_op "0x100": more than 255`},
		{"ip,nw_tos=256", `invalid nw_tos "256": more than 255`},
		{"ip,nw_tos=1", "nw_tos=1: its two low bits are not matched; use nw_tos=0"},
		{"ip,nw_tos=0x23", "nw_tos=0x23: its two low bits are not matched; use nw_tos=32"},
		{"ip,nw_tos=255", "nw_tos=255: its two low bits are not matched; use nw_tos=252"},
		{"ip,ip_dscp=64", `invalid ip_dscp "64": more than 63`},
		{"tcp,tp_src=65536", `invalid tp_src "65536": more than 65535`},
		{"udp,udp_dst=0x10000", `invalid udp_dst "0x10000": more than 65535`},
		{"tcp,tp_dst=80-90", `invalid tp_dst "80-90": not a number`},
		{"tcp,tp_dst=http", `invalid tp_dst "http": not a number`},
		{"tcp,tp_dst=8_0", `invalid tp_dst "8_0": not a number`},
		{"tcp,tp_dst=80/0xffff", "tp_dst=80/0xffff: OpenFlow 1.0 matches tp_dst whole or not at all"},
		{"udp,udp_src=0x50/0xfff0", "udp_src=0x50/0xfff0: OpenFlow 1.0 matches udp_src whole or not at all"},
		{"icmp,icmp_type=256", `invalid icmp_type "256": more than 255`},
		{"icmp,icmp_code=0x100", `invalid icmp_code "0x100": more than 255`},
		{"icmp,tp_src=65536", `invalid tp_src "65536": more than 65535`},
	}
	checkRefusals(t, list, refusedMatch)
	checkRefusals(t, list, refusedFlow)
}

func TestTwiceRefusals(t *testing.T) {
	t.Parallel()
	var list []refusal
	for _, c := range []struct{ lead, field, first, second string }{
		{"", "in_port", "in_port=1", "in_port=2"},
		{"", "in_port", "in_port=LOCAL", "in_port=1"},
		{"", "dl_vlan", "dl_vlan=1", "dl_vlan=2"},
		{"", "dl_vlan", "dl_vlan=1", "dl_vlan=0xffff"},
		{"", "dl_vlan", "vlan_vid=0x1001", "dl_vlan=2"},
		{"", "dl_vlan", "vlan_tci=0x1001", "vlan_vid=0x1002"},
		{"", "dl_vlan_pcp", "dl_vlan_pcp=1", "vlan_pcp=2"},
		{"", "dl_src", "dl_src=1:2:3:4:5:6", "dl_src=1:2:3:4:5:7"},
		{"", "dl_dst", "dl_dst=1:2:3:4:5:6", "eth_dst=1:2:3:4:5:7"},
		{"", "dl_type", "dl_type=0x800", "dl_type=0x806"},
		{"", "dl_type", "ip", "arp"},
		{"", "dl_type", "udp", "arp"},
		{"", "dl_type", "ip", "ipv6"},
		{"", "dl_type", "arp", "eth_type=0x800"},
		{"", "nw_proto", "tcp", "icmp"},
		{"", "nw_proto", "udp", "nw_proto=6"},
		{"ip,", "nw_proto", "nw_proto=6", "udp"},
		{"arp,", "nw_proto", "arp_op=1", "nw_proto=2"},
		{"ip,", "nw_src", "nw_src=10.0.0.1", "nw_src=10.0.0.2"},
		{"ip,", "nw_src", "nw_src=10.0.0.0/8", "ip_src=10.0.0.0/16"},
		{"ip,", "nw_dst", "nw_dst=10.0.0.1", "nw_dst=10.0.0.1/24"},
		{"arp,", "nw_dst", "arp_tpa=10.0.0.1", "nw_dst=10.0.0.2"},
		{"ip,", "nw_tos", "nw_tos=4", "nw_tos=8"},
		{"ip,", "nw_tos", "nw_tos=4", "ip_dscp=2"},
		{"tcp,", "tp_src", "tp_src=1", "tcp_src=2"},
		{"udp,", "tp_dst", "tp_dst=1", "udp_dst=2"},
		{"icmp,", "tp_src", "icmp_type=1", "tp_src=2"},
	} {
		// Either order is refused, and each error quotes both items as they were written.
		list = append(list,
			refusal{c.lead + c.first + "," + c.second, c.field + " is given twice: " + c.first + " and " + c.second},
			refusal{c.lead + c.second + " in_port=1 " + c.first, c.field + " is given twice: " + c.second + " and " + c.first})
	}
	// The second form puts in_port before the repetition; drop those about in_port itself.
	kept := list[:0]
	for _, r := range list {
		if strings.Count(r.in, "in_port") <= 1 || !strings.Contains(r.in, " in_port=1 ") {
			kept = append(kept, r)
		}
	}
	list = append(kept, refusal{"in_port=2 in_port=1", "in_port is given twice: in_port=2 and in_port=1"})
	checkRefusals(t, list, refusedMatch)
	checkRefusals(t, list, refusedFlow)
}

func TestKeywordRefusals(t *testing.T) {
	t.Parallel()
	var list []refusal
	for _, key := range strings.Fields("nosuch vlan pbb_id dl_vlan1x IP TCP In_Port NW_SRC nwsrc set_metadata out-port in.port importance") {
		list = append(list, refusal{key + "=1", "unknown keyword " + key}, refusal{"ip," + key, "unknown keyword " + key})
	}
	for _, key := range strings.Fields(`arp_sha arp_tha metadata tun_id tun_src tun_dst pkt_mark nw_ecn nw_ttl nw_frag ipv6_src ipv6_dst
		ipv6_label nd_target nd_sll nd_tll tcp_flags sctp_src sctp_dst mpls_label mpls_tc mpls_bos ct_state ct_zone ct_mark
		ct_label reg0 reg7 tcp6 udp6 icmp6 sctp6 conj_id dp_hash recirc_id icmpv6_type icmpv6_code packet_type actset_output`) {
		list = append(list, refusal{key + "=1", key + ": OpenFlow 1.0 cannot match on it"}, refusal{"tcp " + key, key + ": OpenFlow 1.0 cannot match on it"})
	}
	for _, word := range strings.Fields("ip arp icmp tcp udp sctp rarp ipv6 mpls mplsm") {
		list = append(list, refusal{word + "=1", word + "=1: " + word + " takes no value"}, refusal{word + ":", word + "=: " + word + " takes no value"})
	}
	for _, key := range strings.Fields(`in_port dl_vlan vlan_vid vlan_tci dl_vlan_pcp vlan_pcp dl_src eth_src dl_dst eth_dst dl_type eth_type nw_src ip_src
		arp_spa nw_dst ip_dst arp_tpa nw_proto ip_proto arp_op nw_tos ip_dscp tp_src tcp_src udp_src icmp_type tp_dst tcp_dst udp_dst icmp_code`) {
		for _, in := range []string{key, key + "=", key + ":", key + "()", key + "=,ip", "ip " + key} {
			list = append(list, refusal{in, "field " + key + " missing value"})
		}
	}
	list = append(list, refusal{"in_port(1", "(1: no closing parenthesis"}, refusal{"=5", "unknown keyword "})
	checkRefusals(t, list, refusedMatch)
}

// TestFlowKeyRefusals are the flow's own keys: what may be said once, in which range.
func TestFlowKeyRefusals(t *testing.T) {
	t.Parallel()
	var list []refusal
	for _, c := range []struct{ key, name, big, limit string }{
		{"priority", "priority", "65536", "65535"}, {"pri", "priority", "65536", "65535"},
		{"idle_timeout", "idle_timeout", "65536", "65535"}, {"idle", "idle_timeout", "0x10000", "65535"},
		{"hard_timeout", "hard_timeout", "65536", "65535"}, {"hard", "hard_timeout", "70000", "65535"},
		{"table", "table", "256", "255"}, {"flags", "flags", "65536", "65535"},
		{"buffer_id", "buffer_id", "4294967296", "4294967295"}, {"buf", "buffer_id", "0x100000000", "4294967295"},
	} {
		list = append(list,
			refusal{c.key + "=" + c.big, "invalid " + c.name + ` "` + c.big + `": more than ` + c.limit},
			refusal{c.key + "=-1", "invalid " + c.name + ` "-1": not a number`},
			refusal{c.key + ":x", "invalid " + c.name + ` "x": not a number`},
			refusal{c.key + "=1.5", "invalid " + c.name + ` "1.5": not a number`},
			refusal{c.key + "=", "field " + c.key + " missing value"},
			refusal{c.key, "field " + c.key + " missing value"})
		if c.name != "flags" {
			list = append(list, refusal{c.key + "=1," + c.name + "=1", c.name + "=1: " + c.name + " is given twice"})
		}
	}
	for _, word := range []string{"send_flow_rem", "check_overlap", "emerg"} {
		list = append(list, refusal{word + "=1", word + "=1: " + word + " takes no value"})
	}
	list = append(list,
		refusal{"cookie=1/-1", "cookie=1/-1: OpenFlow 1.0 cannot match on cookies"},
		refusal{"cookie=0x10000000000000000", `invalid cookie "0x10000000000000000": more than 18446744073709551615`},
		refusal{"out_port=65536", `invalid or unknown port "65536": want a number (0 to 65535), LOCAL or another reserved name, or a port's name`},
		refusal{"table=1", "table=1: OpenFlow 1.0 cannot choose a table; for the emergency table add emerg"},
		refusal{"table=254", "table=254: OpenFlow 1.0 cannot choose a table; for the emergency table add emerg"})
	checkRefusals(t, list, func(s string) error { _, err := ParseFlow(s+",actions=drop", FlowAdd); return err })
	for _, command := range []FlowModCommand{FlowAdd, FlowModify, FlowModifyStrict} {
		if _, err := ParseFlow("in_port=1", command); err == nil || err.Error() != "must specify an action" {
			t.Errorf("%v without actions: %v", command, err)
		}
	}
	for _, command := range []FlowModCommand{FlowDelete, FlowDeleteStrict} {
		if f, err := ParseFlow("in_port=1", command); err != nil || f.Command != command || len(f.Actions) != 0 {
			t.Errorf("%v without actions: %v, %v", command, f, err)
		}
	}
}
