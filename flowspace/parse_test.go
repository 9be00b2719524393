package flowspace

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var matchTexts = []struct{ in, want string }{
	{"", "any"}, {"any", "any"}, {"ALL", "any"}, {"*", "any"}, {"[]", "any"}, {"OFMatch[]", "any"}, {"ofmatch[any]", "any"},
	{"in_port=1", "in_port=1"},
	{"OFMatch[in_port=1,dl_vlan=0xffff]", "in_port=1,dl_vlan=0xffff"},
	{"[input_port=65535]", "in_port=65535"},
	{"in_port=0", "in_port=0"},
	{"in_port=LOCAL", "in_port=65534"},
	{"in_port=3|1|7", "in_port=1|3|7"},
	{"in_port=1|5-9|10|2", "in_port=1-2|5-10"},
	{"in_port=0-65535", "any"},
	{"dl_vlan=100-199", "dl_vlan=100-199"},
	{"dl_vlan=0", "dl_vlan=0"},
	{"dl_vlan=untagged", "dl_vlan=0xffff"},
	{"dl_vlan=0-4095|0xffff", "any"},
	{"dl_vlan=0-4095", "dl_vlan=0-4095"},
	{"DL_VLAN=0x10,dl_vpcp=3", "dl_vlan=16,dl_vlan_pcp=3"},
	{"dl_vlan_pcp=0-7", "any"},
	{"dl_src=0:1:2:3:4:ff,eth_dst=FF:FF:FF:FF:FF:FF", "dl_src=00:01:02:03:04:ff,dl_dst=ff:ff:ff:ff:ff:ff"},
	{"dl_type=2048", "dl_type=0x0800"},
	{"eth_type=0x88cc|0x8942", "dl_type=0x88cc|0x8942"},
	{"ip", "dl_type=0x0800"}, {"ARP", "dl_type=0x0806"},
	{"tcp", "dl_type=0x0800,nw_proto=6"},
	{"udp,tp_dst=53", "dl_type=0x0800,nw_proto=17,tp_dst=53"},
	{"icmp,icmp_type=8,icmp_code=0", "dl_type=0x0800,nw_proto=1,tp_src=8,tp_dst=0"},
	{"arp,arp_spa=10.0.0.1,arp_op=1", "dl_type=0x0806,nw_proto=1,nw_src=10.0.0.1"},
	{"ip nw_src:10.0.0.1", "dl_type=0x0800,nw_src=10.0.0.1"},
	{"ip, nw_src=10.1.2.3/8, ip_dst=10.0.0.0/255.255.0.0", "dl_type=0x0800,nw_src=10.0.0.0/8,nw_dst=10.0.0.0/16"},
	{"ip,nw_src=1.2.3.4/0,nw_dst=255.255.255.255/32", "dl_type=0x0800,nw_dst=255.255.255.255"},
	{"ip,nw_src=*,nw_dst=any,nw_tos=184", "dl_type=0x0800,nw_tos=184"},
	{"dl_type=0x800,nw_proto=0|255", "dl_type=0x0800,nw_proto=0|255"},
	{"tcp,dl_type=0x800,nw_proto=6,tp_src=0,tp_dst=65535", "dl_type=0x0800,nw_proto=6,tp_src=0,tp_dst=65535"},
	{"dl_type=0x800|0x806,nw_dst=10.0.0.0/8", "dl_type=0x0800|0x0806,nw_dst=10.0.0.0/8"},
	{"nw_proto=6|17,ip,tp_dst=1-1023", "dl_type=0x0800,nw_proto=6|17,tp_dst=1-1023"},
	{"ip,nw_tos=0-12|16", "dl_type=0x0800,nw_tos=0-16"},
	{" in_port = 4 , dl_vlan = 5 ", "in_port=4,dl_vlan=5"},
}

func TestParseMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range matchTexts {
		m, err := ParseMatch(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := m.String(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
		for _, text := range []string{m.String(), m.FlowVisor()} {
			if back, err := ParseMatch(text); err != nil || back != m {
				t.Errorf("%q does not read back: %v, %v", text, back, err)
			}
		}
	}
}

func TestParseMatchRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, field, want string }{
		{"colour=red", "colour", "not a match field"},
		{"priority=5", "priority", "not a match field"},
		{"in_port", "match", "key=value"},
		{"in_port=65536", "in_port", "out of range"},
		{"in_port=99999999999", "in_port", "out of range"},
		{"in_port=-1", "in_port", "not a number"},
		{"in_port=", "in_port", "not a number"},
		{"in_port=1|", "in_port", "not a number"},
		{"in_port=9-5", "in_port", "upside down"},
		{"in_port=1,in_port=2", "in_port", "contradicts"},
		{"tcp,nw_proto=17", "nw_proto", "contradicts"},
		{"dl_vlan=4096", "dl_vlan", "out of range"},
		{"dl_vlan=0-4096", "dl_vlan", "out of range"},
		{"dl_vlan=4000-0xffff", "dl_vlan", "out of range"},
		{"dl_vlan_pcp=8", "dl_vlan_pcp", "out of range"},
		{"dl_type=0x10000", "dl_type", "out of range"},
		{"ip,nw_tos=185", "nw_tos", "out of range"},
		{"ip,nw_tos=256", "nw_tos", "out of range"},
		{"ip,nw_proto=256", "nw_proto", "out of range"},
		{"ip,nw_proto=tcp", "nw_proto", "not a number"},
		{"ip,nw_src=10.0.0.0/33", "nw_src", "wrong prefix length"},
		{"ip,nw_src=10.0.0", "nw_src", "not an IPv4"},
		{"ip,nw_src=10.0.0.256", "nw_src", "not an IPv4"},
		{"ip,nw_dst=10.0.0.0/255.0.255.0", "nw_dst", "holes"},
		{"ip,nw_dst=10.0.0.1|10.0.0.2", "nw_dst", "not an IPv4"},
		{"nw_src=10.0.0.1", "nw_src", "add dl_type=0x0800"},
		{"dl_type=0x88cc,nw_src=10.0.0.1", "nw_src", "add dl_type=0x0800"},
		{"nw_proto=6", "nw_proto", "add dl_type=0x0800"},
		{"nw_tos=4", "nw_tos", "add dl_type=0x0800"},
		{"arp,nw_tos=4", "nw_tos", "add dl_type=0x0800"},
		{"tp_dst=80", "tp_dst", "nw_proto=6"},
		{"ip,tp_dst=80", "tp_dst", "nw_proto=6"},
		{"ip,nw_proto=6|47,tp_src=80", "tp_src", "nw_proto=6"},
		{"arp,nw_proto=1,tp_src=80", "tp_src", "nw_proto=6"},
		{"dl_src=00:11:22:33:44", "dl_src", "not a MAC"},
		{"dl_src=00:11:22:33:44:55:66", "dl_src", "not a MAC"},
		{"dl_src=00:11:22:33:44:gg", "dl_src", "not a MAC"},
		{"dl_dst=01:00:00:00:00:00/01:00:00:00:00:00", "dl_dst", "mask"},
		{"[in_port=1", "match", "bracket"},
		{"OFMatch", "match", "bracket"},
		{"=5", "match", "without a name"},
		{"in_port=1,queues=1:2", "queues", "not part of a match"},
		{"!in_port=1", "!in_port", "not a match field"},
	} {
		m, err := ParseMatch(tt.in)
		var fe *FieldError
		if !errors.As(err, &fe) {
			t.Errorf("%q: got %v, %v", tt.in, m, err)
			continue
		}
		if fe.Field != tt.field || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: field %s: %v", tt.in, fe.Field, err)
		}
	}
}

func TestParseMatchQueues(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"in_port=1,queues=1:2,force_enqueue=2", "OFMatch[in_port=1,queues = [1, 2],force_enqueue = 2]"} {
		m, q, err := ParseMatchQueues(in)
		want := QueueText{Queues: []uint32{1, 2}, Forced: 2, HasForced: true}
		if diff := cmp.Diff(want, q); err != nil || diff != "" || m.String() != "in_port=1" {
			t.Errorf("%s: %v, %v (-want +got):\n%s", in, m, err, diff)
		}
	}
	if _, q, err := ParseMatchQueues("force_enqueue=-1"); err != nil || q.HasForced {
		t.Errorf("got %v, %v", q, err)
	}
	for _, in := range []string{"queues=a", "force_enqueue=-2", "queues = [1, 2", "queues=1,queues=2", "queues=1,queue_id=",
		"force_enqueue=1,force_enqueue=2", "force_enqueue=1,forced_queue=-1", "force_enqueue=-1,force_enqueue=1"} {
		if _, q, err := ParseMatchQueues(in); err == nil {
			t.Errorf("%s: got %v", in, q)
		}
	}
}

func TestParseGrants(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want string // empty: refused
	}{
		{"Slice:a=7,Slice:b=4", "Slice:a=7,Slice:b=4"},
		{"a=rw", "Slice:a=6"},
		{"slice:alice=5,bob=2", "Slice:alice=5,Slice:bob=2"},
		{"a=rwd, b=D", "Slice:a=7,Slice:b=1"},
		{"a=8", "Slice:a=1"},
		{"a=14", "Slice:a=7"},
		{"a=15", "Slice:a=7"},
		{"a=12", "Slice:a=5"},
		{"a=16", ""},
		{"a=24", ""},
		{"a=0", ""},
		{"a=", ""},
		{"a=x", ""},
		{"a", ""},
		{"", ""},
		{"=7", ""},
		{"a=1,a=2", ""},
		{"a b=1", ""},
		{strings.Repeat("s", 46) + "=1", ""},
	} {
		g, err := ParseGrants(tt.in)
		if tt.want == "" {
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Field != "grants" {
				t.Errorf("%q: got %v, %v", tt.in, g, err)
			}
		} else if err != nil || FormatGrants(g) != tt.want {
			t.Errorf("%q: got %v, %v", tt.in, FormatGrants(g), err)
		}
	}
}

func FuzzParseMatch(f *testing.F) {
	for _, tt := range matchTexts {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, _, err := ParseMatchQueues(s)
		if err != nil {
			var fe *FieldError
			if !errors.As(err, &fe) || fe.Field == "" || fe.Reason == "" {
				t.Fatalf("%q: untyped error %v", s, err)
			}
			return
		}
		if c, ok := m.Canonical(); !ok || c != m {
			t.Fatalf("%q: %#v is not canonical", s, m)
		}
		if err := m.Validate(); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		for _, text := range []string{m.String(), m.FlowVisor()} {
			if back, err := ParseMatch(text); err != nil || back != m {
				t.Fatalf("%q printed as %q reads as %v, %v", s, text, back, err)
			}
		}
	})
}

func FuzzParseDPIDs(f *testing.F) {
	for _, s := range []string{"any", "1|2", "0x10", "00:00:00:00:00:00:00:01,7", "0xffffffffffffffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDPIDs(s)
		if err != nil {
			return
		}
		if back, err := ParseDPIDs(d.String()); err != nil || back != d {
			t.Fatalf("%q printed as %q reads as %v, %v", s, d, back, err)
		}
	})
}

// Every valid rule's match survives its text, whatever the fields.
func TestPrintParseIdentity(t *testing.T) {
	t.Parallel()
	r := newRand(t, 7)
	valid := 0
	for range rounds(50000) {
		m := randMatch(r, randFields(r, 1+r.IntN(6)))
		back, err := ParseMatch(m.String())
		if m.Validate() != nil {
			if err == nil {
				t.Fatalf("%s is invalid and was read", m)
			}
			continue
		}
		valid++
		if err != nil || back != m {
			t.Fatalf("%s: got %s, %v", m, back, err)
		}
	}
	if valid < rounds(5000) {
		t.Errorf("only %d valid matches", valid)
	}
}
