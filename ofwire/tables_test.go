package ofwire

import (
	"errors"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTargetForms: every scheme with every kind of address.
func TestTargetForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, text, network, address string
	}{
		{"tcp:10.0.0.1", "tcp:10.0.0.1:6633", "tcp", "10.0.0.1:6633"},
		{"tcp:10.0.0.1:1", "tcp:10.0.0.1:1", "tcp", "10.0.0.1:1"},
		{"tcp:10.0.0.1:65535", "tcp:10.0.0.1:65535", "tcp", "10.0.0.1:65535"},
		{"tcp:localhost", "tcp:localhost:6633", "tcp", "localhost:6633"},
		{"tcp:a-b.c_d.example:6653", "tcp:a-b.c_d.example:6653", "tcp", "a-b.c_d.example:6653"},
		{"tcp:[::1]", "tcp:[::1]:6633", "tcp", "[::1]:6633"},
		{"tcp:[2001:db8::1]:6653", "tcp:[2001:db8::1]:6653", "tcp", "[2001:db8::1]:6653"},
		{"tcp:[::ffff:10.0.0.1]:80", "tcp:[::ffff:10.0.0.1]:80", "tcp", "[::ffff:10.0.0.1]:80"},
		{"ssl:controller", "ssl:controller:6633", "tcp", "controller:6633"},
		{"ssl:controller:6653", "ssl:controller:6653", "tcp", "controller:6653"},
		{"ssl:[fe80::2%eth1]:6653", "ssl:[fe80::2%eth1]:6653", "tcp", "[fe80::2%eth1]:6653"},
		{"ptcp:6653", "ptcp:6653", "tcp", ":6653"},
		{"ptcp:6653:", "ptcp:6653", "tcp", ":6653"},
		{"ptcp:6653:10.0.0.1", "ptcp:6653:10.0.0.1", "tcp", "10.0.0.1:6653"},
		{"ptcp:6653:[::]", "ptcp:6653:[::]", "tcp", "[::]:6653"},
		{"ptcp:localhost", "ptcp:6633:localhost", "tcp", "localhost:6633"},
		{"ptcp:localhost:7000", "ptcp:7000:localhost", "tcp", "localhost:7000"},
		{"ptcp:[::1]", "ptcp:6633:[::1]", "tcp", "[::1]:6633"},
		{"ptcp:[::1]:7000", "ptcp:7000:[::1]", "tcp", "[::1]:7000"},
		{"ptcp::10.0.0.1", "ptcp:6633:10.0.0.1", "tcp", "10.0.0.1:6633"},
		{"pssl:", "pssl:6633", "tcp", ":6633"},
		{"pssl:0", "pssl:0", "tcp", ":0"},
		{"pssl:7000:10.0.0.1", "pssl:7000:10.0.0.1", "tcp", "10.0.0.1:7000"},
		{"unix:relative.sock", "unix:relative.sock", "unix", "relative.sock"},
		{"unix:/a b/c:d", "unix:/a b/c:d", "unix", "/a b/c:d"},
		{"unix:@abstract", "unix:@abstract", "unix", "@abstract"},
		{"punix:/run/govisor.sock", "punix:/run/govisor.sock", "unix", "/run/govisor.sock"},
		{"module:hub", "module:hub", "", "hub"},
		{"module:a:b", "module:a:b", "", "a:b"},
	} {
		got, err := ParseTarget(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if d := cmp.Diff([]string{c.text, c.network, c.address}, []string{got.String(), got.Network(), got.Address()}); d != "" {
			t.Errorf("%s: text, network, address (-want +got)\n%s", c.in, d)
		}
		if back, err := ParseTarget(c.text); err != nil || back != got {
			t.Errorf("%s reads as %+v, %v; want %+v", c.text, back, err, got)
		}
		if c.network == "tcp" {
			if host, port, err := net.SplitHostPort(c.address); err != nil || host != got.Host || port == "" {
				t.Errorf("%s: the net package reads %q as %q %q, %v", c.in, c.address, host, port, err)
			}
		}
	}
}

func TestTargetRefusals(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"tcp", "tcp:", "tcp::", "tcp::6633", "tcp:h:", "tcp:h:0", "tcp:h:-1", "tcp:h:+1", "tcp:h:65536", "tcp:h:http", "tcp:h:1:2", "tcp:h: 1", "tcp:h:1 ",
		"tcp:[]", "tcp:[::1", "tcp:::1]", "tcp:[::1]:", "tcp:[::1]:0", "tcp:[::1]x", "tcp:[::1]6633", "tcp:[10.0.0.1]:1", "tcp:[host]:1", "tcp:[::g]:1",
		"tcp:a/b", "tcp:a b", "tcp:a\tb", "tcp:a\nb", "tcp:a\x00b", "tcp:a%b", "tcp:2001:db8::1",
		"ssl", "ssl:", "ssl:h:99999", "ssl:[::1]:99999", "ptcp", "ptcp:99999", "ptcp:-1", "ptcp:1:h:2", "ptcp:1:[::1]:2", "ptcp:1:::1", "ptcp:h:99999", "ptcp:1:a b",
		"pssl:x:y", "pssl:65536", "unix", "unix:", "unix:a\x00b", "punix:", "module", "module:",
		"TCP:h:1", " tcp:h:1", "udp:h:1", "http://h", ":", "::", "h", "10.0.0.1", "[::1]:6633", "",
	} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("%q is taken as %+v", in, got)
		} else if got != (Target{}) {
			t.Errorf("%q: %+v beside the error", in, got)
		}
	}
}

// TestDatapathIDForms: one identity in all its forms, and its only printed one.
func TestDatapathIDForms(t *testing.T) {
	t.Parallel()
	for text, forms := range map[string][]string{
		"00:00:00:00:00:00:00:00": {"0", "0x0", "0:0", "00", "0x0000000000000000", "0:0:0:0:0:0:0:0"},
		"00:00:00:00:00:00:00:0a": {"10", "0xa", "0xA", "0XA", "0:a", "0:A", "0:0a", "010", "000000000000010"},
		"00:00:00:00:00:00:01:00": {"256", "0x100", "1:0", "01:00", "0:1:00"},
		"00:00:00:23:20:a1:b2:c3": {"0x2320a1b2c3", "23:20:a1:b2:c3", "0:0:0:23:20:A1:B2:C3", "150871323331"},
		"00:00:ff:ff:ff:ff:ff:ff": {"281474976710655", "ff:ff:ff:ff:ff:ff"},
		"80:00:00:00:00:00:00:00": {"0x8000000000000000", "80:0:0:0:0:0:0:0"},
		"ff:ff:ff:ff:ff:ff:ff:ff": {"0xFFFFFFFFFFFFFFFF", "FF:ff:FF:ff:FF:ff:FF:ff"},
	} {
		for _, in := range append(forms, text) {
			id, err := ParseDatapathID(in)
			if err != nil || id.String() != text {
				t.Errorf("%s: got %v, %v; want %s", in, id, err, text)
			}
			var other DatapathID
			if err := other.UnmarshalText([]byte(in)); err != nil || other != id {
				t.Errorf("%s: as text %v, %v", in, other, err)
			}
		}
	}
	for _, in := range []string{"0x", "0xg", "0x-1", "x1", "a", "1a", "-0", "1.0", "1e3", " 0x1", "0x1 ", "1 ", "\t1", "0b1", "0o7", "1_000", ":", "::", "1:", ":1", "1::1",
		"100:0", "0:100", "0:g", "0: 1", "0:-1", "0:+1", "0x0:1", "0:0:0:0:0:0:0:0:0", "0x10000000000000000", "99999999999999999", "0000000000000001", "٣"} {
		id := DatapathID(7)
		if err := id.UnmarshalText([]byte(in)); err == nil || id != 7 {
			t.Errorf("%q: %v, %v; want an error and no change", in, id, err)
		}
	}
}

// TestMACForms: addresses, their bits, and what is no address.
func TestMACForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in              string
		want            MAC
		multicast, zero bool
	}{
		{"00:00:00:00:00:00", MAC{}, false, true},
		{"0:0:0:0:0:0", MAC{}, false, true},
		{"0:0:0:0:0:1", MAC{5: 1}, false, false},
		{"01:00:00:00:00:00", MAC{1}, true, false},
		{"01:80:c2:00:00:0e", MAC{0x01, 0x80, 0xc2, 0, 0, 0x0e}, true, false},
		{"33:33:00:00:00:fb", MAC{0x33, 0x33, 0, 0, 0, 0xfb}, true, false},
		{"FE:DC:BA:98:76:54", MAC{0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54}, false, false},
		{"ff:ff:ff:ff:ff:ff", Broadcast, true, false},
	} {
		got, err := ParseMAC(c.in)
		if err != nil || got != c.want || got.IsMulticast() != c.multicast || got.IsZero() != c.zero {
			t.Errorf("%s: %v multicast %v zero %v, %v", c.in, got, got.IsMulticast(), got.IsZero(), err)
		}
		if text := string(got.Append([]byte("x="))); text != "x="+got.String() || len(text) != 19 {
			t.Errorf("%s: appends %q", c.in, text)
		}
		if back, err := ParseMAC(got.String()); err != nil || back != got {
			t.Errorf("%s: %v reads back as %v, %v", c.in, got, back, err)
		}
	}
	for _, in := range []string{":", ":::::", "0:0:0:0:0", "0:0:0:0:0:0:0", "0:0:0:0:0:", ":0:0:0:0:0", "0:0:0::0:0", "0:0:0:0:0:100", "0:0:0:0:0:g", "0:0:0:0:0:-1",
		"0:0:0:0:0:+1", "0:0:0:0:0: 1", "0:0:0:0:0:0x1", "020000000001", "0200.0000.0001", "02-00-00-00-00-01", "02:00:00:00:00:01 ", " 02:00:00:00:00:01", "02:00:00:00:00:01/ff:ff:ff:ff:ff:ff"} {
		m := MAC{9}
		if err := m.UnmarshalText([]byte(in)); err == nil || m != (MAC{9}) {
			t.Errorf("%q: %v, %v; want an error and no change", in, m, err)
		}
	}
}

// TestNegotiationOfPairs: what we speak with each kind of peer, for each set of versions
// of ours; 0 is no common version.
func TestNegotiationOfPairs(t *testing.T) {
	t.Parallel()
	ours := [][]uint8{{Version10}, {Version13}, {Version10, Version13}, {Version13, Version10}, {Version10, Version11, Version12, Version13, Version14, Version15}}
	plain := func(v uint8) []byte { return AppendHello(nil, 1, v) }
	for _, c := range []struct {
		name string
		peer []byte
		want [5]uint8
	}{
		{"plain 1.0", plain(1), [5]uint8{1, 0, 1, 1, 1}},
		{"plain 1.1", plain(2), [5]uint8{1, 0, 0, 0, 2}},
		{"plain 1.2", plain(3), [5]uint8{1, 0, 0, 0, 3}},
		{"plain 1.3", plain(4), [5]uint8{1, 4, 4, 4, 4}},
		{"plain 1.4", plain(5), [5]uint8{1, 4, 4, 4, 5}},
		{"plain 1.5", plain(6), [5]uint8{1, 4, 4, 4, 6}},
		{"plain 0x99, experimental", plain(0x99), [5]uint8{1, 4, 4, 4, 6}},
		{"plain 255", plain(255), [5]uint8{1, 4, 4, 4, 6}},
		{"plain 0", plain(0), [5]uint8{0, 0, 0, 0, 0}},
		{"bitmap 1.0, 1.3", AppendHello(nil, 1, 1, 4), [5]uint8{1, 4, 4, 4, 4}},
		{"bitmap 1.0, 1.5", AppendHello(nil, 1, 1, 6), [5]uint8{1, 0, 1, 1, 6}},
		{"bitmap 1.3, 1.4", AppendHello(nil, 1, 4, 5), [5]uint8{0, 4, 4, 4, 5}},
		{"bitmap 1.1, 1.2", AppendHello(nil, 1, 2, 3), [5]uint8{0, 0, 0, 0, 3}},
		{"bitmap of all", AppendHello(nil, 1, 1, 2, 3, 4, 5, 6), [5]uint8{1, 4, 4, 4, 6}},
		{"bitmap beyond ours", AppendHello(nil, 1, 7, 8, 200), [5]uint8{0, 0, 0, 0, 0}},
		{"bitmap over two words with 1.0", AppendHello(nil, 1, 1, 40), [5]uint8{1, 0, 1, 1, 1}},
		{"Open vSwitch: header 1.4, bitmap 1.0 to 1.4", []byte{5, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0x3e}, [5]uint8{1, 4, 4, 4, 5}},
		{"Ryu: header 1.3, bitmap 1.3", []byte{4, 0, 0, 16, 0x6f, 0x3c, 0x2d, 0x11, 0, 1, 0, 8, 0, 0, 0, 0x10}, [5]uint8{0, 4, 4, 4, 4}},
		{"text in the body", append([]byte{1, 0, 0, 13, 0, 0, 0, 1}, "hello"...), [5]uint8{1, 0, 1, 1, 1}},
	} {
		for i, supported := range ours {
			got, err := Negotiate(c.peer, supported...)
			if got != c.want[i] || (err == nil) != (got != 0) {
				t.Errorf("%s, we %v: %d, %v; want %d", c.name, supported, got, err, c.want[i])
			}
			var refused *VersionError
			if err != nil && (!errors.Is(err, ErrVersion) || !errors.As(err, &refused) || len(refused.Supported) != len(supported)) {
				t.Errorf("%s, we %v: %v is not a *VersionError of our versions", c.name, supported, err)
			}
		}
	}
}

// TestHelloElements: bodies around and without a version bitmap.
func TestHelloElements(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		body []byte
		want []uint8
		ok   bool
	}{
		{"nothing", nil, nil, false},
		{"three bytes", []byte{0, 1, 0}, nil, false},
		{"bit 0 is version 0", []byte{0, 1, 0, 8, 0, 0, 0, 1}, []uint8{0}, true},
		{"bit 31", []byte{0, 1, 0, 8, 0x80, 0, 0, 0}, []uint8{31}, true},
		{"second word", []byte{0, 1, 0, 12, 0, 0, 0, 2, 0, 0, 0, 3}, []uint8{1, 32, 33}, true},
		{"second word, padded", []byte{0, 1, 0, 12, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0}, []uint8{1, 32}, true},
		{"no bit", []byte{0, 1, 0, 8, 0, 0, 0, 0}, nil, true},
		{"the first of two counts", []byte{0, 1, 0, 8, 0, 0, 0, 2, 0, 1, 0, 8, 0, 0, 0, 16}, []uint8{1}, true},
		{"after another element", []byte{0, 2, 0, 8, 9, 9, 9, 9, 0, 1, 0, 8, 0, 0, 0, 2}, []uint8{1}, true},
		{"after an element that is padded", []byte{0, 2, 0, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0, 0, 2}, []uint8{1}, true},
		{"longer than the body", []byte{0, 1, 0, 9, 0, 0, 0, 2}, nil, false},
		{"length 3", []byte{0, 1, 0, 3, 0, 0, 0, 2}, nil, false},
		{"length 4, no word", []byte{0, 1, 0, 4, 0, 0, 0, 2}, nil, false},
		{"half a word more", []byte{0, 1, 0, 10, 0, 0, 0, 2, 255, 255}, []uint8{1}, true},
	} {
		got, ok := HelloVersions(c.body)
		if d := cmp.Diff(c.want, got); d != "" || ok != c.ok {
			t.Errorf("%s: %v, want %v (-want +got)\n%s", c.name, ok, c.ok, d)
		}
	}
}
