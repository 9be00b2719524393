package of10

import (
	"strconv"
	"strings"
)

// text builds ovs-ofctl style output.
type text struct {
	b []byte
	// portName gives a port's name, or "" to print the number; nil for numbers only.
	portName func(Port) string
}

func (t *text) String() string { return strings.TrimSuffix(string(t.b), "\n") }

func (t *text) str(s string)         { t.b = append(t.b, s...) }
func (t *text) dec(v uint64)         { t.b = strconv.AppendUint(t.b, v, 10) }
func (t *text) hex(v uint64)         { t.b = strconv.AppendUint(append(t.b, "0x"...), v, 16) }
func (t *text) pair(k string, v int) { t.str(k); t.dec(uint64(v)) } // v fits in 31 bits

// hexWidth is hex with at least width digits.
func (t *text) hexWidth(v uint64, width int) {
	t.str("0x")
	digits := strconv.FormatUint(v, 16)
	for range width - len(digits) {
		t.b = append(t.b, '0')
	}
	t.str(digits)
}

func (t *text) ipv4(a uint32) {
	for i := range 4 {
		if i > 0 {
			t.b = append(t.b, '.')
		}
		t.dec(uint64(a >> (24 - 8*i) & 0xff))
	}
}

// counter prints "?" for a counter the switch does not keep.
func (t *text) counter(v uint64) {
	if v == CounterUnsupported {
		t.str("?")
		return
	}
	t.dec(v)
}

// duration prints seconds, with three decimals if that is exact, else with those needed.
func (t *text) duration(sec, nsec uint32) {
	t.dec(uint64(sec))
	if nsec > 0 {
		frac, width := uint64(nsec), 9
		if nsec%1e6 == 0 {
			frac, width = frac/1e6, 3
		}
		digits := strconv.FormatUint(frac, 10)
		t.str(".")
		t.str(strings.Repeat("0", max(width-len(digits), 0)))
		if width == 9 {
			digits = strings.TrimRight(digits, "0")
		}
		t.str(digits)
	}
	t.str("s")
}

// escaped prints bytes with octal escapes for what is not printable.
func (t *text) escaped(b []byte) {
	for _, c := range b {
		switch {
		case c >= ' ' && c < 0x7f && c != '"' && c != '\\':
			t.b = append(t.b, c)
		default:
			t.b = append(t.b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		}
	}
}

// printable escapes control characters only: text from a switch must not drive a terminal.
func printable(s string) string {
	var t text
	for _, c := range []byte(s) {
		if c < ' ' || c == 0x7f {
			t.escaped([]byte{c})
			continue
		}
		t.b = append(t.b, c)
	}
	return string(t.b)
}

// hexDump prints rows of sixteen bytes, in hexadecimal and as characters.
func (t *text) hexDump(b []byte) {
	for off := 0; off < len(b); off += 16 {
		row := b[off:min(off+16, len(b))]
		digits := strconv.FormatUint(uint64(off), 16)
		t.str("00000000"[min(len(digits), 8):])
		t.str(digits)
		t.str(" ")
		for i := range 16 {
			sep := byte(' ')
			if i == 8 {
				sep = '-'
			}
			if i < len(row) {
				t.b = append(t.b, sep, hexDigits[row[i]>>4], hexDigits[row[i]&15])
				continue
			}
			if i != 8 || len(row) != 8 {
				sep = ' '
			}
			t.b = append(t.b, sep, ' ', ' ')
		}
		t.str(" |")
		for i := range 16 {
			switch {
			case i >= len(row):
				t.str(" ")
			case row[i] < ' ' || row[i] >= 0x7f:
				t.str(".")
			default:
				t.b = append(t.b, row[i])
			}
		}
		t.str("|\n")
	}
}

const hexDigits = "0123456789abcdef"

// flags prints the names of the bits that are set, then the bits without a name in
// hexadecimal, each after sep; "0" for none.
func (t *text) flags(v uint32, sep string, names []string) {
	first := true
	word := func() {
		if !first {
			t.str(sep)
		}
		first = false
	}
	for i, name := range names {
		if name != "" && v>>i&1 != 0 {
			word()
			t.str(name)
			v &^= 1 << i
		}
	}
	if v != 0 || first {
		word()
		if v == 0 {
			t.str("0")
		} else {
			t.hex(uint64(v))
		}
	}
}

// header starts a message's text: its name and xid, as in "OFPT_HELLO (xid=0x1):".
func (t *text) header(name string, xid uint32) {
	t.str(name)
	t.str(" (xid=")
	t.hex(uint64(xid))
	t.str("):")
}
