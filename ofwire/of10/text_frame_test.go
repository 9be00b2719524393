package of10

import "testing"

// TestOddFrameText is the line of headers under a packet_in, for frames that are odd or cut.
func TestOddFrameText(t *testing.T) {
	t.Parallel()
	const macs = "02 00 00 00 00 02  02 00 00 00 00 01 "
	const addrs = "dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
	const ip = "45 00 00 28 00 00 00 00 40 "
	const ends = " 00 00 0a 00 00 01 0a 00 00 02 "
	for _, c := range []struct{ name, frame, want string }{
		{"nothing", "", ""},
		{"13 bytes", macs + "08", ""},
		{"no ethertype", macs + "00 26 42 42 03", "vlan_tci=0x0000," + addrs + ",dl_type=0x05ff"},
		{"snap", macs + "00 10 aa aa 03 00 00 00 88 b5", "vlan_tci=0x0000," + addrs + ",dl_type=0x88b5"},
		{"snap of a vendor", macs + "00 10 aa aa 03 00 00 0c 20 00", "vlan_tci=0x0000," + addrs + ",dl_type=0x05ff"},
		{"word without fields", macs + "86 dd 60", "ipv6,vlan_tci=0x0000," + addrs},
		{"half a tag", macs + "81 00 00 05 08", "vlan_tci=0x0000," + addrs + ",dl_type=0x8100"},
		{"a tag of vid 0", macs + "81 00 00 00 88 b5", "dl_vlan=0,dl_vlan_pcp=0,vlan_tci1=0x0000," + addrs + ",dl_type=0x88b5"},
		{"two tags", macs + "81 00 e0 01 81 00 0f ff 88 b5", "dl_vlan=1,dl_vlan_pcp=7,dl_vlan1=4095,dl_vlan_pcp1=0," + addrs + ",dl_type=0x88b5"},
		{"ip header cut", macs + "08 00 45 00", "ip,vlan_tci=0x0000," + addrs + ",nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no"},
		{"ip of another version", macs + "08 00 65 00 00 28 00 00 00 00 40 06" + ends, "ip,vlan_tci=0x0000," + addrs +
			",nw_src=0.0.0.0,nw_dst=0.0.0.0,nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no"},
		{"ip protocol without a word", macs + "08 00 " + ip + "02" + ends, "ip,vlan_tci=0x0000," + addrs +
			",nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_proto=2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no"},
		{"tcp", macs + "08 00 " + ip + "06" + ends + "00 50 1f 90 00000000 00000000 50 12 ffff ab cd 0000", "tcp,vlan_tci=0x0000," + addrs +
			",nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=80,tp_dst=8080,tcp_flags=syn|ack tcp_csum:abcd"},
		{"tcp cut", macs + "08 00 " + ip + "06" + ends + "00 50 1f 90", "tcp,vlan_tci=0x0000," + addrs +
			",nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=0,tp_dst=0,tcp_flags=0"},
		{"icmp echo", macs + "08 00 " + ip + "01" + ends + "08 00 f7 ff 00 00 00 00", "icmp,vlan_tci=0x0000," + addrs +
			",nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,icmp_type=8,icmp_code=0 icmp_csum:f7ff"},
		{"first fragment", macs + "08 00 45 00 00 28 00 00 20 00 40 11" + ends + "00 35 00 35 00 08 00 01", "udp,vlan_tci=0x0000," + addrs +
			",nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=first,tp_src=53,tp_dst=53 udp_csum:1"},
		{"later fragment", macs + "08 00 45 00 00 28 00 00 00 01 40 11" + ends + "00 35 00 35 00 08 00 01", "udp,vlan_tci=0x0000," + addrs +
			",nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=later"},
		{"arp reply", macs + "08 06 0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002", "arp,vlan_tci=0x0000," + addrs +
			",arp_spa=10.0.0.1,arp_tpa=10.0.0.2,arp_op=2,arp_sha=02:00:00:00:00:01,arp_tha=02:00:00:00:00:02"},
		{"arp cut", macs + "08 06 0001 0800 06 04 0002", "arp,vlan_tci=0x0000," + addrs +
			",arp_spa=0.0.0.0,arp_tpa=0.0.0.0,arp_op=0,arp_sha=00:00:00:00:00:00,arp_tha=00:00:00:00:00:00"},
	} {
		var s text
		s.frame(unannotate(t, c.frame))
		if s.String() != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, s.String(), c.want)
		}
	}
}

// TestFrameTextEveryPrefix: no cut makes it panic, and what it prints is one line.
func TestFrameTextEveryPrefix(t *testing.T) {
	t.Parallel()
	g := newGen(51)
	for range 300 {
		b := g.ethernet()
		for n := range b {
			var s text
			s.frame(b[:n])
			lines := 0
			for _, c := range s.b {
				if c == '\n' {
					lines++
				}
			}
			if (n >= 14) != (lines == 1) {
				t.Fatalf("%x: %q", b[:n], s.b)
			}
		}
	}
}
