package of10

import (
	"bytes"
	"os"
	"strconv"
	"testing"

	"github.com/govisor/govisor/ofwire"
)

// TestMutations decodes golden messages with random damage: what FuzzParse checks, less
// the text, a hundred times as fast but blind to coverage. GOVISOR_MUTATIONS sets how many.
func TestMutations(t *testing.T) {
	t.Parallel()
	n := 50_000
	if s := os.Getenv("GOVISOR_MUTATIONS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	g := newGen(uint64(n))
	var frames [][]byte
	for _, gold := range readGoldens(t) {
		frames = append(frames, gold.frame)
	}
	for i := range 200 {
		frames = append(frames, encodeOrPanic(g.message(i)))
	}
	decoded := 0
	var buf []byte
	for i := range n {
		buf = g.damage(append(buf[:0], pick(g, frames...)...), frames)
		m, err := Parse(buf)
		if err != nil {
			if i%64 == 0 {
				checkDecodeError(t, buf, err)
			}
			continue
		}
		decoded++
		out, err := m.AppendBinary(nil)
		if err != nil || m.Len() != len(buf) || !bytes.Equal(canonical(buf), out) {
			t.Fatalf("%T: %v\ndecoded %x\nencoded %x", m, err, buf, out)
		}
	}
	t.Logf("%d damaged messages, %d decode", n, decoded)
	if decoded < n/20 || decoded > n*19/20 {
		t.Errorf("%d of %d damaged messages decode: the damage is too great or too small", decoded, n)
	}
}

// damage changes some bytes, or the length, and mostly makes the header fit again.
func (g *gen) damage(b []byte, others [][]byte) []byte {
	for range 1 + g.IntN(4) {
		if len(b) < 10 {
			break
		}
		at := g.IntN(len(b))
		switch g.IntN(7) {
		case 0:
			b[at] = byte(g.Uint32())
		case 1:
			b[at] ^= 1 << g.IntN(8)
		case 2: // a length or type somewhere
			at = min(at&^1, len(b)-2)
			be.PutUint16(b[at:], pick[uint16](g, 0, 1, 4, 7, 8, 9, 16, 24, 88, 0x7fff, 0xffff, uint16(len(b)), uint16(len(b)-at)))
		case 3:
			b = b[:at]
		case 4:
			b = append(b, g.bytes(g.IntN(20))...)
		case 5:
			other := pick(g, others...)
			b = append(b[:at], other[min(at, len(other)):]...)
		case 6: // repeat a part
			b = append(b, b[at:min(at+64, len(b))]...)
		}
	}
	if len(b) >= headerLen && g.IntN(16) > 0 {
		b[0] = ofwire.Version10
		be.PutUint16(b[2:], uint16(len(b)))
	}
	return b
}
