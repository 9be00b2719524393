package of10

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// TestOneActionForms has every way to write each action, and what it prints.
func TestOneActionForms(t *testing.T) {
	t.Parallel()
	gw := ofwire.MAC{0x88, 0x43, 0xe1, 0x42, 0x4f, 0x60}
	for _, c := range []struct {
		text string
		want Action
		ways []string
	}{
		{"output:0", Output(0, 0), []string{"0", "output=0", "output(0)", "output:0x0"}},
		{"output:1", Output(1, 0), []string{"1", "0x1", "01", "output:1", "output=1", "output(1)", "OUTPUT:1", "Output=0X1", "s1-p1", "output:s1-p1", `output:"s1-p1"`, `output("s1-p1")`}},
		{"output:5", Output(5, 0), []string{"10g", "output:10g", `output="10g"`}},
		{"output:65280", Output(PortMax, 0), []string{"65280", "0xff00", "output:0xFF00"}},
		{"output:65527", Output(0xfff7, 0), []string{"65527", "output:0xfff7"}},
		{"IN_PORT", Output(PortInPort, 0), []string{"in_port", "In_Port", "output:in_port", "output=IN_PORT", "65528", "output:0xfff8"}},
		{"TABLE", Output(PortTable, 0), []string{"table", "output:table", "65529"}},
		{"NORMAL", Output(PortNormal, 0), []string{"normal", "Normal", "output:NORMAL", "output:65530"}},
		{"FLOOD", Output(PortFlood, 0), []string{"flood", "Flood", "output:flood", "0xfffb"}},
		{"ALL", Output(PortAll, 0), []string{"all", "output:all", "65532"}},
		{"LOCAL", Output(PortLocal, 0), []string{"local", "Local", "output=local", "65534", "0xFFFE"}},
		{"output:NONE", Output(PortNone, 0), []string{"output:none", "output:65535", "output=any", "output:0xffff"}},
		{"CONTROLLER:65535", Output(PortController, 0xffff), []string{"controller", "CONTROLLER", "Controller", "controller:", "controller()", "controller=65535",
			"controller:0xffff", "controller(65535)", "controller(max_len=65535)", "controller(max_len=0xffff)", "output:controller", "output:CONTROLLER", "65533", "output:0xfffd"}},
		{"CONTROLLER:128", Output(PortController, 128), []string{"controller:128", "controller=128", "controller(128)", "Controller:0x80", "controller(max_len=128)", "controller( max_len = 128 )", "CONTROLLER(max_len=0x80)", "controller:max_len=128"}},
		{"CONTROLLER:0", Output(PortController, 0), []string{"controller:0", "controller(max_len=0)"}},
		{"enqueue:1:7", Enqueue(1, 7), []string{"enqueue:1:7", "enqueue=1:7", "ENQUEUE:1:7", "enqueue(1:7)", "enqueue(1,7)", "enqueue(1, 7)", "enqueue( 1 , 7 )", "enqueue:0x1:0x7", "enqueue:s1-p1:7", `enqueue:"s1-p1":7`, "enqueue(s1-p1,7)"}},
		{"enqueue:LOCAL:0", Enqueue(PortLocal, 0), []string{"enqueue:local:0", "enqueue(LOCAL,0)", "enqueue:65534:0"}},
		{"enqueue:IN_PORT:4294967295", Enqueue(PortInPort, 0xffffffff), []string{"enqueue:in_port:0xffffffff"}},
		{"mod_vlan_vid:0", SetVLANVID(0), []string{"mod_vlan_vid=0", "mod_vlan_vid(0)"}},
		{"mod_vlan_vid:4095", SetVLANVID(4095), []string{"mod_vlan_vid:0xfff", "MOD_VLAN_VID:4095"}},
		{"mod_vlan_pcp:0", SetVLANPCP(0), []string{"mod_vlan_pcp:0x0"}},
		{"mod_vlan_pcp:7", SetVLANPCP(7), []string{"mod_vlan_pcp=7", "Mod_Vlan_Pcp:7", "mod_vlan_pcp(7)"}},
		{"strip_vlan", StripVLAN(), []string{"STRIP_VLAN", "pop_vlan", "Pop_VLAN", "strip_vlan:", "strip_vlan()"}},
		{"mod_dl_src:88:43:e1:42:4f:60", SetDLSrc(gw), []string{"mod_dl_src=88:43:e1:42:4f:60", "mod_dl_src:88:43:E1:42:4F:60", "mod_dl_src(88:43:e1:42:4f:60)"}},
		{"mod_dl_dst:00:00:00:00:00:00", SetDLDst(ofwire.MAC{}), []string{"mod_dl_dst:0:0:0:0:0:0"}},
		{"mod_dl_dst:88:43:e1:42:4f:60", SetDLDst(gw), []string{"mod_dl_dst=88:43:e1:42:4f:60"}},
		{"mod_nw_src:169.254.169.254", SetNWSrc(0xa9fea9fe), []string{"mod_nw_src=169.254.169.254", "mod_nw_src(169.254.169.254)"}},
		{"mod_nw_dst:255.255.255.255", SetNWDst(0xffffffff), []string{"MOD_NW_DST:255.255.255.255"}},
		{"mod_nw_dst:0.0.0.0", SetNWDst(0), []string{"mod_nw_dst=0.0.0.0"}},
		{"mod_nw_tos:0", SetNWTos(0), []string{"mod_nw_tos=0x00"}},
		{"mod_nw_tos:252", SetNWTos(252), []string{"mod_nw_tos:0xfc", "mod_nw_tos(252)"}},
		{"mod_tp_src:0", SetTPSrc(0), []string{"mod_tp_src=0"}},
		{"mod_tp_src:65535", SetTPSrc(65535), []string{"mod_tp_src:0xffff"}},
		{"mod_tp_dst:9002", SetTPDst(9002), []string{"mod_tp_dst=9002", "mod_tp_dst:0x232A", "mod_tp_dst(9002)"}},
		{"vendor:0x2320:0102030405060708", VendorAction(VendorNicira, []byte{1, 2, 3, 4, 5, 6, 7, 8}), []string{"vendor:8992:0102030405060708", "vendor=0x2320:0102030405060708", "vendor(0x2320:0102030405060708)"}},
		{"vendor:0xffffffff:", VendorAction(0xffffffff, nil), []string{"vendor:4294967295", "vendor:0xFFFFFFFF:"}},
		{"raw:000c0008abcdef01", Action{Type: 12, Raw: []byte{0, 12, 0, 8, 0xab, 0xcd, 0xef, 1}}, []string{"raw:000C0008ABCDEF01", "raw=000c0008abcdef01"}},
	} {
		if c.want.String() != c.text {
			t.Errorf("%+v prints %q, want %q", c.want, c.want, c.text)
		}
		for _, in := range append(c.ways, c.text) {
			got, err := testPorts.ParseActionList(in)
			if d := cmp.Diff([]Action{c.want}, got); err != nil || d != "" {
				t.Errorf("%q: %v (-want +got)\n%s", in, err, d)
			}
			// Between two others, with any separator, it is the same action.
			for _, sep := range []string{",", " ", ", ", "\t", ",,"} {
				got, err := testPorts.ParseActionList("2" + sep + in + sep + "flood")
				if d := cmp.Diff([]Action{Output(2, 0), c.want, Output(PortFlood, 0)}, got); err != nil || d != "" {
					t.Errorf("%q with %q: %v (-want +got)\n%s", in, sep, err, d)
				}
			}
			// In a flow, behind each spelling of the key.
			for _, key := range []string{"actions=", "action=", "actions:", "action:"} {
				f, err := testPorts.ParseFlow("in_port=1,"+key+in, FlowAdd)
				if err != nil || !ActionsEqual(f.Actions, []Action{c.want}) {
					t.Errorf("%q behind %q: %v, %v", in, key, f, err)
				}
			}
			// And in a packet-out.
			out, err := testPorts.ParsePacketOut("in_port=1,packet=00,actions=" + in)
			if err != nil || !ActionsEqual(out.Actions, []Action{c.want}) {
				t.Errorf("%q in a packet-out: %v, %v", in, out, err)
			}
		}
	}
}

func TestDropForms(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", " ", ",", "drop", "DROP", "Drop", " drop ", ",drop,"} {
		got, err := ParseActionList(in)
		if err != nil || len(got) != 0 || ActionsString(got) != "drop" {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	const alone = `"drop" must not be accompanied by any other action`
	checkRefusals(t, []refusal{
		{"drop,1", alone}, {"1,drop", alone}, {"drop,drop", alone}, {"1,2,DROP", alone}, {"drop normal", alone}, {"flood drop", alone},
		{"drop:1", "unknown action drop"}, {"drop()", "unknown action drop"},
	}, refusedActions)
}

func refusedActions(s string) error { _, err := testPorts.ParseActionList(s); return err }

// TestActionNameRefusals: what OpenFlow 1.0 does not have is refused by its name, and not taken for a port.
func TestActionNameRefusals(t *testing.T) {
	t.Parallel()
	var list []refusal
	for _, name := range strings.Fields(`resubmit load move reg_load set_field dec_ttl dec_mpls_ttl set_mpls_ttl set_mpls_label set_mpls_tc
		mod_nw_ecn mod_nw_ttl set_tunnel set_tunnel64 set_queue pop_queue note learn multipath bundle bundle_load exit push_vlan push_mpls
		pop_mpls group meter ct ct_clear nat clone conjunction fin_timeout sample write_metadata goto_table clear_actions write_actions
		stack push pop encap decap check_pkt_larger delete_field`) {
		want := ": OpenFlow 1.0 does not have this action"
		for _, tail := range []string{"", ":1", "=1", "(1)", "()"} {
			list = append(list, refusal{name + tail, name + want}, refusal{"1," + name + tail + ",2", name + want})
		}
		list = append(list, refusal{strings.ToUpper(name) + ":1", strings.ToUpper(name) + want})
	}
	for _, name := range strings.Fields("add_vlan set_metadata strip_pbb push_pbb add_pbb bogus outputs eth9 modvlan") {
		list = append(list, refusal{name, "unknown action " + name}, refusal{name + ":12", "unknown action " + name}, refusal{"drop_it," + name, "unknown action drop_it"})
	}
	list = append(list,
		refusal{"set_vlan_vid:5", "set_vlan_vid: OpenFlow 1.0 always adds a tag to an untagged frame; use mod_vlan_vid"},
		refusal{"set_vlan_pcp:5", "set_vlan_pcp: OpenFlow 1.0 always adds a tag to an untagged frame; use mod_vlan_pcp"},
		refusal{"resubmit(,5)", "resubmit: OpenFlow 1.0 does not have this action"},
		refusal{"load:1->OXM_OF_METADATA[],resubmit(,2)", "load: OpenFlow 1.0 does not have this action"},
		refusal{"learn(table=1,hard_timeout=10),1", "learn: OpenFlow 1.0 does not have this action"},
		refusal{"NONE", "NONE: not a port to send to; for no output write drop"},
		refusal{"any", "any: not a port to send to; for no output write drop"},
		refusal{"65535", "65535: not a port to send to; for no output write drop"},
		refusal{"normal:1", "unknown action normal"},
		refusal{"flood(1)", "unknown action flood"})
	checkRefusals(t, list, refusedActions)
	checkRefusals(t, list, func(s string) error { _, err := ParseFlow("priority=1,actions="+s, FlowModify); return err })
}

func TestActionValueRefusals(t *testing.T) {
	t.Parallel()
	port := func(s string) string {
		return `invalid or unknown port "` + s + `": want a number (0 to 65535), LOCAL or another reserved name, or a port's name`
	}
	list := []refusal{
		{"65536", port("65536")}, {"0x", port("0x")}, {"1x", port("1x")},
		{"output:65536", port("65536")}, {"output:-1", port("-1")}, {"output:eth9", port("eth9")}, {"output:1:2", port("1:2")},
		{"output:reg0[0..15]", "output:reg0[0..15]: OpenFlow 1.0 has output:PORT only"},
		{"output(port=1,max_len=64)", "output:port=1,max_len=64: OpenFlow 1.0 has output:PORT only"},
		{"controller:65536", `invalid max_len "65536": more than 65535`},
		{"controller:-1", `invalid max_len "-1": not a number`},
		{"controller(max_len=x)", `invalid max_len "x": not a number`},
		{"controller(id=1)", "controller(id=1): OpenFlow 1.0 has max_len only"},
		{"controller(reason=action)", "controller(reason=action): OpenFlow 1.0 has max_len only"},
		{"controller(userdata=00)", "controller(userdata=00): OpenFlow 1.0 has max_len only"},
		{"controller(max_len=1", "(max_len=1: no closing parenthesis"},
		{"enqueue:1", "enqueue:1: want enqueue:PORT:QUEUE"},
		{"enqueue(1)", "enqueue:1: want enqueue:PORT:QUEUE"},
		{"enqueue:eth9:1", "enqueue: " + port("eth9")},
		{"enqueue:65536:1", "enqueue: " + port("65536")},
		{"enqueue::1", "enqueue: " + port("")},
		{"enqueue:1:", `invalid queue "": not a number`},
		{"enqueue:1:4294967296", `invalid queue "4294967296": more than 4294967295`},
		{"enqueue:1:ALL", `invalid queue "ALL": not a number`},
		{"mod_vlan_vid:4096", "4096: not a valid VLAN VID"},
		{"mod_vlan_vid:0xffff", "0xffff: not a valid VLAN VID"},
		{"mod_vlan_vid:65536", `invalid VLAN VID "65536": more than 65535`},
		{"mod_vlan_vid:x", `invalid VLAN VID "x": not a number`},
		{"mod_vlan_pcp:8", "8: not a valid VLAN PCP"},
		{"mod_vlan_pcp:256", `invalid VLAN PCP "256": more than 255`},
		{"strip_vlan:1", "strip_vlan=1: the action takes no value"},
		{"pop_vlan(1)", "pop_vlan=1: the action takes no value"},
		{"mod_dl_src:1:2:3:4:5", `MAC address "1:2:3:4:5": want six groups like 02:00:00:00:00:01`},
		{"mod_dl_dst:x:2:3:4:5:6", `MAC address "x:2:3:4:5:6": "x" is not one or two hexadecimal digits`},
		{"mod_nw_src:10.0.0.0/8", `invalid mod_nw_src "10.0.0.0/8": want an IPv4 address like 10.0.0.1`},
		{"mod_nw_dst:host", `invalid mod_nw_dst "host": want an IPv4 address like 10.0.0.1`},
		{"mod_nw_tos:1", "1: not a valid TOS"}, {"mod_nw_tos:2", "2: not a valid TOS"}, {"mod_nw_tos:255", "255: not a valid TOS"},
		{"mod_nw_tos:256", `invalid TOS "256": more than 255`},
		{"mod_tp_src:65536", `invalid mod_tp_src "65536": more than 65535`},
		{"mod_tp_dst:http", `invalid mod_tp_dst "http": not a number`},
		{"vendor:0x100000000:", `invalid vendor "0x100000000": more than 4294967295`},
		{"vendor:1:01020304", "vendor:1:01020304: want vendor:ID:HEX with a multiple of eight bytes"},
		{"vendor:1:0102030405060g08", "vendor:1:0102030405060g08: want vendor:ID:HEX with a multiple of eight bytes"},
		{"raw:0000000800010000", "raw:0000000800010000: this action has a name: output:1"},
		{"raw:0003000800000000", "raw:0003000800000000: this action has a name: strip_vlan"},
		{"raw:000c00100000000000", "raw:000c00100000000000: not one whole action"},
		{"raw:000c0007000000", "raw:000c0007000000: not one whole action"},
		{"raw:000c000800000000000c000800000000", "raw:000c000800000000000c000800000000: not one whole action"},
		{"raw:0", "raw:0: encoding/hex: odd length hex string"},
	}
	for _, name := range strings.Fields("output enqueue mod_vlan_vid mod_vlan_pcp mod_dl_src mod_dl_dst mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst vendor raw") {
		for _, tail := range []string{"", ":", "=", "()", ":,1"} {
			list = append(list, refusal{name + tail, name + ": the action needs a value, like " + name + ":VALUE"})
		}
	}
	checkRefusals(t, list, refusedActions)
	checkRefusals(t, list, func(s string) error { _, err := testPorts.ParseFlow("actions="+s, FlowAdd); return err })
}

// TestActionOrder: actions are kept in the order they are written, repetitions and all.
func TestActionOrder(t *testing.T) {
	t.Parallel()
	all := everyAction()
	for turn := range all {
		want := append(append([]Action(nil), all[turn:]...), all[:turn+1]...) // one of them twice
		got, err := ParseActionList(ActionsString(want))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got)\n%s", ActionsString(want), err, d)
		}
	}
}
