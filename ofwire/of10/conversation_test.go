package of10

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// handshake is how a controller begins with a switch: who sends, the bytes one field a
// line, and what they say.
var handshake = []struct {
	from byte // c or s
	wire string
	want string
}{
	{'s', "01 # version 1.0\n00 # HELLO\n00 08 # length\n00 00 00 01 # xid", "OFPT_HELLO (xid=0x1):"},
	{'c', "04 # version 1.3\n00 # HELLO\n00 10 # length\n00 00 00 07 # xid\n00 01 00 08 # VERSIONBITMAP\n00 00 00 12 # 1.0, 1.3", "OFPT_HELLO (OF1.3) (xid=0x7):\n version bitmap: 0x01, 0x04"},
	{'c', "01\n05 # FEATURES_REQUEST\n00 08 # length\n00 00 00 08 # xid", "OFPT_FEATURES_REQUEST (xid=0x8):"},
	{'s', `
01                       # version 1.0
06                       # FEATURES_REPLY
00 20                    # length
00 00 00 08              # xid
00 00 00 00 00 00 00 2a  # datapath_id
00 00 01 00              # n_buffers
01                       # n_tables
00 00 00                 # pad
00 00 00 01              # capabilities FLOW_STATS
00 00 00 01              # actions OUTPUT
`, "OFPT_FEATURES_REPLY (xid=0x8): dpid:000000000000002a\nn_tables:1, n_buffers:256\ncapabilities: FLOW_STATS\nactions: output"},
	{'c', "01\n09 # SET_CONFIG\n00 0c # length\n00 00 00 09 # xid\n00 00 # flags\n00 80 # miss_send_len", "OFPT_SET_CONFIG (xid=0x9): frags=normal miss_send_len=128"},
	{'c', "01\n12 # BARRIER_REQUEST\n00 08 # length\n00 00 00 0a # xid", "OFPT_BARRIER_REQUEST (xid=0xa):"},
	{'s', "01\n13 # BARRIER_REPLY\n00 08 # length\n00 00 00 0a # xid", "OFPT_BARRIER_REPLY (xid=0xa):"},
	{'s', "01\n01 # ERROR\n00 0c # length\n00 00 00 09 # xid\n00 01 # BAD_REQUEST\n00 05 # EPERM", "OFPT_ERROR (xid=0x9): OFPBRC_EPERM"},
	{'s', "01\n02 # ECHO_REQUEST\n00 08 # length\n00 00 00 00 # xid", "OFPT_ECHO_REQUEST (xid=0x0): 0 bytes of payload"},
	{'c', "01\n03 # ECHO_REPLY\n00 08 # length\n00 00 00 00 # xid", "OFPT_ECHO_REPLY (xid=0x0): 0 bytes of payload"},
}

// pieces reads a stream in pieces of a size.
type pieces struct {
	b    []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.b[:min(p.size, len(p.b))])
	p.b = p.b[n:]
	return n, nil
}

// TestConversation reads each side's stream in pieces of every size, and writes the same
// bytes again.
func TestConversation(t *testing.T) {
	t.Parallel()
	for _, side := range []byte{'c', 's'} {
		var stream []byte
		var want []string
		for _, h := range handshake {
			if h.from == side {
				stream, want = append(stream, unannotate(t, h.wire)...), append(want, h.want)
			}
		}
		for size := range len(stream) {
			r := ofwire.NewReader(&pieces{stream, size + 1}, 0)
			var written bytes.Buffer
			w := ofwire.NewWriter(&written, 0)
			var got []string
			for {
				frame, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%c in pieces of %d: %v", side, size+1, err)
				}
				m, err := Parse(frame)
				if err != nil {
					t.Fatalf("%c in pieces of %d: %v", side, size+1, err)
				}
				got = append(got, m.String())
				if err := w.WriteFrame(encode(t, m)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%c in pieces of %d (-want +got)\n%s", side, size+1, d)
			}
			if !bytes.Equal(stream, written.Bytes()) {
				t.Fatalf("%c in pieces of %d: wrote %x, want %x", side, size+1, written.Bytes(), stream)
			}
		}
	}
}

// TestConversationVersion: each HELLO of the handshake leads to version 1.0.
func TestConversationVersion(t *testing.T) {
	t.Parallel()
	for _, h := range handshake[:2] {
		if v, err := ofwire.Negotiate(unannotate(t, h.wire), ofwire.Version10); v != ofwire.Version10 || err != nil {
			t.Errorf("%s: version %d, %v", h.want, v, err)
		}
	}
}
