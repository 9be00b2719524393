package ofwire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeader(t *testing.T) {
	t.Parallel()
	want := Header{Version: 1, Type: 14, Length: 72, XID: 0x01020304}
	b := want.Append(nil)
	got, err := ParseHeader(b)
	if err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i := range b {
		if _, err := ParseHeader(b[:i]); !errors.Is(err, ErrShort) {
			t.Errorf("%d bytes: %v, want ErrShort", i, err)
		}
	}
	b[3] = 7
	if _, err := ParseHeader(b); !errors.Is(err, ErrLength) {
		t.Errorf("length 7: %v, want ErrLength", err)
	}
}

func TestDatapathID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]DatapathID{
		"00:00:00:00:00:00:00:01": 1,
		"ff:ff:ff:ff:ff:ff:ff:ff": 1<<64 - 1,
		"0:1":                     1,
		"1:0":                     256,
		"0x1":                     1,
		"0X00000000000000ff":      255,
		"0xffffffffffffffff":      1<<64 - 1,
		"1":                       1,
		"0010":                    10,
		"9999999999999999":        9999999999999999,
	} {
		got, err := ParseDatapathID(in)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", in, got, err, want)
			continue
		}
		if back, err := ParseDatapathID(got.String()); err != nil || back != want {
			t.Errorf("%s: %s reads back as %v, %v", in, got, back, err)
		}
	}
	for _, in := range []string{"", "0x", "a1", "0x00000000000000001", "18446744073709551616", "12345678901234567", "00000000000000010", "0000000000000010", "-1", "+1", "0x+1", " 1",
		"1:2:3:4:5:6:7:8:9", "1:", ":1", "1::2", "001:2", "1:+2", "g:1", "1_0", "0x1_0"} {
		if got, err := ParseDatapathID(in); err == nil {
			t.Errorf("%q is taken as %v", in, got)
		}
	}
	b, err := json.Marshal(map[string]DatapathID{"dpid": 0x1234})
	if err != nil || string(b) != `{"dpid":"00:00:00:00:00:00:12:34"}` {
		t.Errorf("json: %s, %v", b, err)
	}
	var back map[DatapathID]MAC
	if err := json.Unmarshal([]byte(`{"0x10":"02:00:00:00:00:01"}`), &back); err != nil || back[16] != (MAC{2, 0, 0, 0, 0, 1}) {
		t.Errorf("json back: %v, %v", back, err)
	}
}

func TestMAC(t *testing.T) {
	t.Parallel()
	m, err := ParseMAC("02:0:0a:00:00:FF")
	if err != nil || m.String() != "02:00:0a:00:00:ff" {
		t.Fatalf("got %v, %v", m, err)
	}
	if !Broadcast.IsMulticast() || m.IsMulticast() || m.IsZero() || !(MAC{}).IsZero() {
		t.Error("predicates")
	}
	if b, err := json.Marshal(m); err != nil || string(b) != `"02:00:0a:00:00:ff"` {
		t.Errorf("json: %s, %v", b, err)
	}
	if err := new(MAC).UnmarshalText([]byte("x")); err == nil {
		t.Error("x is taken as text of an address")
	}
	if err := new(DatapathID).UnmarshalText([]byte("x")); err == nil {
		t.Error("x is taken as text of a datapath id")
	}
	for _, in := range []string{"", "02:00:00:00:00", "02:00:00:00:00:01:02", "02-00-00-00-00-01", "002:0:0:0:0:1", "x:0:0:0:0:1", "2:0:0:0:0:"} {
		if got, err := ParseMAC(in); err == nil {
			t.Errorf("%q is taken as %v", in, got)
		}
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want Target
		text string
		addr string
	}{
		{"tcp:127.0.0.1", Target{Scheme: "tcp", Host: "127.0.0.1", Port: 6633}, "tcp:127.0.0.1:6633", "127.0.0.1:6633"},
		{"tcp:ctl.example:6653", Target{Scheme: "tcp", Host: "ctl.example", Port: 6653}, "tcp:ctl.example:6653", "ctl.example:6653"},
		{"ssl:[::1]", Target{Scheme: "ssl", Host: "::1", Port: 6633}, "ssl:[::1]:6633", "[::1]:6633"},
		{"tcp:[fe80::1%eth0]:1", Target{Scheme: "tcp", Host: "fe80::1%eth0", Port: 1}, "tcp:[fe80::1%eth0]:1", "[fe80::1%eth0]:1"},
		{"unix:/run/x.sock", Target{Scheme: "unix", Path: "/run/x.sock"}, "unix:/run/x.sock", "/run/x.sock"},
		{"punix:a:b", Target{Scheme: "punix", Path: "a:b"}, "punix:a:b", "a:b"},
		{"ptcp:", Target{Scheme: "ptcp", Port: 6633}, "ptcp:6633", ":6633"},
		{"ptcp:0", Target{Scheme: "ptcp"}, "ptcp:0", ":0"},
		{"ptcp:6640:127.0.0.1", Target{Scheme: "ptcp", Host: "127.0.0.1", Port: 6640}, "ptcp:6640:127.0.0.1", "127.0.0.1:6640"},
		{"pssl:6640:[::1]", Target{Scheme: "pssl", Host: "::1", Port: 6640}, "pssl:6640:[::1]", "[::1]:6640"},
		{"pssl::[::1]", Target{Scheme: "pssl", Host: "::1", Port: 6633}, "pssl:6633:[::1]", "[::1]:6633"},
		{"ptcp:127.0.0.1:6640", Target{Scheme: "ptcp", Host: "127.0.0.1", Port: 6640}, "ptcp:6640:127.0.0.1", "127.0.0.1:6640"},
		{"ptcp:[::]:0", Target{Scheme: "ptcp", Host: "::"}, "ptcp:0:[::]", "[::]:0"},
		{"module:learning", Target{Scheme: "module", Name: "learning"}, "module:learning", "learning"},
	} {
		got, err := ParseTarget(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.in, d)
		}
		if got.String() != c.text || got.Address() != c.addr {
			t.Errorf("%s: text %q address %q, want %q %q", c.in, got, got.Address(), c.text, c.addr)
		}
		if back, err := ParseTarget(got.String()); err != nil || back != got {
			t.Errorf("%s: reads back as %+v, %v", c.in, back, err)
		}
		if passive := got.Scheme[0] == 'p'; got.Passive() != passive {
			t.Errorf("%s: passive %v", c.in, !passive)
		}
		if tls := strings.HasSuffix(got.Scheme, "ssl"); got.TLS() != tls {
			t.Errorf("%s: TLS %v", c.in, !tls)
		}
	}
	for in, hint := range map[string]string{
		"":                      "no scheme",
		"127.0.0.1:6633":        "did you mean tcp:127.0.0.1:6633",
		"tcp:":                  "no host",
		"tcp:h:0":               "not a port",
		"tcp:h:65536":           "not a port",
		"tcp:h:+1":              "not a port",
		"tcp:h:":                "no port",
		"tcp:::1:6633":          "brackets",
		"tcp:[::1":              "closing bracket",
		"tcp:[1.2.3.4]":         "not an IPv6",
		"tcp:[::1]6633":         "want :PORT",
		"tcp:a b":               "not a host",
		"ptcp:1:h:2":            "two ports",
		"unix:":                 "no path",
		"module:":               "no module",
		"https://example:8081/": "unknown scheme",
	} {
		if got, err := ParseTarget(in); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %+v, %v; want an error that says %q", in, got, err, hint)
		}
	}
	for s, want := range map[string]string{
		"127.0.0.1:6633": "tcp:127.0.0.1:6633", "[::1]:6633": "tcp:[::1]:6633", "host:1": "tcp:host:1", "tcp:h:1": "tcp:h:1", "ssl:h": "ssl:h:6633", "unix:x": "unix:x", "ptcp:1": "ptcp:1",
		"host": "", "host:": "", ":1": "", "host:0": "", "host:x": "", "foo:h:6633": "", "::1": "", "": "", "udp:1.2.3.4": "",
	} {
		got, err := ParseAddress(s)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("ParseAddress(%q) = %v, %v; want %q", s, got, err, want)
		}
	}
	if _, err := ParseTarget("foo:h:6633"); err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("%v: proposes what would be refused too", err)
	}
}

type scoped Scope

func (s scoped) Error() string { return Scope(s).String() }
func (s scoped) Scope() Scope  { return Scope(s) }

func TestScope(t *testing.T) {
	t.Parallel()
	if SpoilsMessage(nil) || SpoilsMessage(ErrShort) || SpoilsMessage(fmt.Errorf("x: %w", scoped(ScopeConnection))) {
		t.Error("an error without message scope spoils only a message")
	}
	if !SpoilsMessage(fmt.Errorf("x: %w", scoped(ScopeMessage))) {
		t.Error("a wrapped message error is not found")
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	hello := func(version uint8, body ...byte) []byte {
		return append(Header{Version: version, Length: uint16(HeaderLen + len(body)), XID: 1}.Append(nil), body...)
	}
	bitmap := func(bits byte) []byte { return []byte{0, 1, 0, 8, 0, 0, 0, bits} }
	for _, c := range []struct {
		name      string
		hello     []byte
		supported []uint8
		want      uint8
		err       error
	}{
		{"plain 1.0", hello(1), []uint8{1}, 1, nil},
		{"plain 1.3", hello(4), []uint8{1}, 1, nil},
		{"plain 1.3, both", hello(4), []uint8{1, 4}, 4, nil},
		{"plain 1.2, which we skip", hello(3), []uint8{1, 4}, 0, ErrVersion},
		{"version 0", hello(0), []uint8{1}, 0, ErrVersion},
		{"bitmap 1.0 and 1.3", hello(4, bitmap(0x12)...), []uint8{1}, 1, nil},
		{"bitmap picks the highest", hello(6, bitmap(0x12)...), []uint8{4, 1}, 4, nil},
		{"bitmap 1.3 only", hello(4, bitmap(0x10)...), []uint8{1}, 0, ErrVersion},
		{"bitmap beats the header", hello(2, bitmap(0x10)...), []uint8{1}, 0, ErrVersion},
		{"1.0 knows no bitmap", hello(1, bitmap(0x10)...), []uint8{1, 4}, 1, nil},
		{"1.0 only, which we do not speak", hello(1, bitmap(0x10)...), []uint8{4}, 0, ErrVersion},
		{"empty bitmap", hello(4, 0, 1, 0, 4, 0, 0, 0, 0), []uint8{1}, 1, nil},
		{"bitmap after an unknown element", hello(4, append([]byte{0, 9, 0, 5, 1, 0, 0, 0}, bitmap(0x12)...)...), []uint8{1}, 1, nil},
		{"bitmap without 1.0 after an unknown element", hello(4, append([]byte{0, 9, 0, 5, 1, 0, 0, 0}, bitmap(0x10)...)...), []uint8{1}, 0, ErrVersion},
		{"malformed element", hello(4, 0, 1, 0, 99), []uint8{1}, 1, nil},
		{"element of length 0", hello(4, 0, 1, 0, 0), []uint8{1}, 1, nil},
		{"unpadded element", hello(4, 0, 9, 0, 5, 1), []uint8{1}, 1, nil},
		{"not hello", Header{Version: 1, Type: 2, Length: 8}.Append(nil), []uint8{1}, 0, ErrNotHello},
		{"short", hello(1)[:7], []uint8{1}, 0, ErrShort},
		{"wrong length", append(hello(1), 0), []uint8{1}, 0, ErrLength},
		{"nothing supported", hello(1), nil, 0, ErrVersion},
	} {
		got, err := Negotiate(c.hello, c.supported...)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %d, %v; want %d, %v", c.name, got, err, c.want, c.err)
		}
	}
	_, err := Negotiate(hello(4, bitmap(0x30)...), 1)
	if want := "no common OpenFlow version: we support 0x01, you support 0x04, 0x05"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAppendHello(t *testing.T) {
	t.Parallel()
	for _, versions := range [][]uint8{{1}, {1, 4}, {1, 40, 255}} {
		b := AppendHello([]byte{9}, 7, versions...)[1:]
		h, err := ParseHeader(b)
		if err != nil || int(h.Length) != len(b) || h.XID != 7 || h.Version != versions[len(versions)-1] || len(b)%8 != 0 {
			t.Errorf("%v: header %+v, %v, %d bytes", versions, h, err, len(b))
		}
		got, ok := HelloVersions(b[HeaderLen:])
		if len(versions) == 1 {
			if ok {
				t.Errorf("%v: a bitmap for one version", versions)
			}
		} else if d := cmp.Diff(versions, got); d != "" {
			t.Errorf("%v (-want +got)\n%s", versions, d)
		}
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add(AppendHello(nil, 1, 1))
	f.Add(AppendHello(nil, 1, 1, 4))
	f.Add(AppendHello(nil, 1, 1, 40, 255))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Negotiate(b, 1, 4)
		if (err == nil) != (v == 1 || v == 4) {
			t.Errorf("got %d, %v", v, err)
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"tcp:h:1", "ssl:[::1]:2", "ptcp:1:h", "pssl:h:1", "unix:p", "punix:p", "module:m", "ptcp:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseTarget(s)
		if err != nil {
			return
		}
		if b, err := ParseTarget(a.String()); err != nil || b != a {
			t.Errorf("%q: %q reads back as %+v, %v", s, a, b, err)
		}
	})
}
