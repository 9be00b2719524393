package of10

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// layouts are the structures of OpenFlow 1.0 (specification, section 5): each field with its
// size in bytes, "pad" being zeros, and =bytes that are always the same.
var layouts = map[string]string{
	"match": "wildcards/4 in_port/2 dl_src/6 dl_dst/6 dl_vlan/2 dl_vlan_pcp/1 pad/1 dl_type/2 nw_tos/1 nw_proto/1 pad/2 nw_src/4 nw_dst/4 tp_src/2 tp_dst/2",
	// What follows the header, or the match, of a message.
	"flow_mod":      "cookie/8 command/2 idle_timeout/2 hard_timeout/2 priority/2 buffer_id/4 out_port/2 flags/2",
	"flow_removed":  "cookie/8 priority/2 reason/1 pad/1 duration_sec/4 duration_nsec/4 idle_timeout/2 pad/2 packet_count/8 byte_count/8",
	"packet_in":     "buffer_id/4 total_len/2 in_port/2 reason/1 pad/1",
	"packet_out":    "buffer_id/4 in_port/2 actions_len/2",
	"error":         "type/2 code/2",
	"switch_config": "flags/2 miss_send_len/2",
	"features":      "datapath_id/8 n_buffers/4 n_tables/1 pad/3 capabilities/4 actions/4",
	"port_status":   "reason/1 pad/7",
	"port_mod":      "port_no/2 hw_addr/6 config/4 mask/4 advertise/4 pad/4",
	"phy_port":      "port_no/2 hw_addr/6 name/16 config/4 state/4 curr/4 advertised/4 supported/4 peer/4",
	"queues_of":     "port/2 pad/6",
	"queue":         "queue_id/4 length/2 pad/2",
	"min_rate":      "=0001 =0010 pad/4 rate/2 pad/6",
	// Statistics: what is asked for, and the records of the answers. A match stands between flow and flow_counts.
	"flows_of":        "table_id/1 pad/1 out_port/2",
	"counts_of_port":  "port_no/2 pad/6",
	"counts_of_queue": "port_no/2 pad/2 queue_id/4",
	"flow":            "length/2 table_id/1 pad/1",
	"flow_counts":     "duration_sec/4 duration_nsec/4 priority/2 idle_timeout/2 hard_timeout/2 pad/6 cookie/8 packet_count/8 byte_count/8",
	"aggregate":       "packet_count/8 byte_count/8 flow_count/4 pad/4",
	"table":           "table_id/1 pad/3 name/32 wildcards/4 max_entries/4 active_count/4 lookup_count/8 matched_count/8",
	"port_counts": "port_no/2 pad/6 rx_packets/8 tx_packets/8 rx_bytes/8 tx_bytes/8 rx_dropped/8 tx_dropped/8 " +
		"rx_errors/8 tx_errors/8 rx_frame_err/8 rx_over_err/8 rx_crc_err/8 collisions/8",
	"queue_counts": "port_no/2 pad/2 queue_id/4 tx_bytes/8 tx_packets/8 tx_errors/8",
	// Actions: type, length and what follows.
	"output":        "=0000 =0008 port/2 max_len/2",
	"set_vlan_vid":  "=0001 =0008 vlan_vid/2 pad/2",
	"set_vlan_pcp":  "=0002 =0008 vlan_pcp/1 pad/3",
	"strip_vlan":    "=0003 =0008 pad/4",
	"set_dl_src":    "=0004 =0010 dl_addr/6 pad/6",
	"set_dl_dst":    "=0005 =0010 dl_addr/6 pad/6",
	"set_nw_src":    "=0006 =0008 nw_addr/4",
	"set_nw_dst":    "=0007 =0008 nw_addr/4",
	"set_nw_tos":    "=0008 =0008 nw_tos/1 pad/3",
	"set_tp_src":    "=0009 =0008 tp_port/2 pad/2",
	"set_tp_dst":    "=000a =0008 tp_port/2 pad/2",
	"enqueue":       "=000b =0010 port/2 pad/6 queue_id/4",
	"vendor_action": "=ffff length/2 vendor/4",
}

// layOut is the structure of a layout with the fields of the line, each once, as hexadecimal
// digits without leading zeros or as a quoted name; fields that are not named are zero.
func layOut(layout string, line []string) ([]byte, error) {
	values := make(map[string]string, len(line))
	for _, word := range line {
		name, value, ok := strings.Cut(word, "=")
		if _, again := values[name]; again || !ok || name == "pad" {
			return nil, fmt.Errorf("%q: not field=value, once", word)
		}
		values[name] = value
	}
	var all []byte
	for field := range strings.FieldsSeq(layout) {
		name, size, _ := strings.Cut(field, "/")
		if fixed, ok := strings.CutPrefix(name, "="); ok {
			b, err := hex.DecodeString(fixed)
			if err != nil {
				return nil, err
			}
			all = append(all, b...)
			continue
		}
		n, err := strconv.Atoi(size)
		if err != nil {
			return nil, err
		}
		value := values[name]
		delete(values, name)
		var b []byte
		if text, err := strconv.Unquote(value); err == nil {
			b = append([]byte(text), make([]byte, max(0, n-len(text)))...)
		} else {
			if b, err = hex.DecodeString(value); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			b = append(make([]byte, max(0, n-len(b))), b...)
		}
		if len(b) != n {
			return nil, fmt.Errorf("%s=%s: more than %d bytes", name, value, n)
		}
		all = append(all, b...)
	}
	if len(values) > 0 {
		return nil, fmt.Errorf("no such field: %v", values)
	}
	return all, nil
}

// TestLayOut: bytes by hand, and lines that must not pass for something else.
func TestLayOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"strip_vlan", "0003 0008 00000000"},
		{"output port=fffd", "0000 0008 fffd 0000"},
		{"set_dl_src dl_addr=020000000001", "0004 0010 020000000001 000000000000"},
		{"flow length=60 table_id=fe", "0060 fe 00"},
		{`phy_port port_no=01 name="eth1" peer=c0`, "0001 000000000000 65746831 000000000000000000000000 00000000 00000000 00000000 00000000 00000000 000000c0"},
		{"output port=10000", "ERROR"}, {"output port=fffd port=01", "ERROR"}, {"output pad=01", "ERROR"}, {"output prt=01", "ERROR"},
		{"output port=xx", "ERROR"}, {"output port", "ERROR"}, {`phy_port name="seventeen letters"`, "ERROR"}, {"output port=010000", "ERROR"},
	} {
		words := strings.Fields(c.line)
		b, err := layOut(layouts[words[0]], words[1:])
		if err != nil {
			if c.want != "ERROR" {
				t.Errorf("%s: %v", c.line, err)
			}
			continue
		}
		if want := strings.ReplaceAll(c.want, " ", ""); hex.EncodeToString(b) != want {
			t.Errorf("%s: %x, want %s", c.line, b, want)
		}
	}
}
