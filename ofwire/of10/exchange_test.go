package of10

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// spoken is one message: who sends it, its type and xid, and its bytes one field a line.
type spoken struct {
	from byte // c or s
	typ  Type
	xid  uint32
	wire string
}

// exchanges are conversations of a controller and a switch after or with the handshake.
var exchanges = map[string][]spoken{
	"a learning switch":   learningExchange,
	"statistics in parts": statsExchange,
	"refusals":            refusalExchange,
}

// TestExchangesOverPipe: both sides write their part through a Writer into a small Pipe, at
// once and message by message; what the other reads, parses and encodes again is the same.
func TestExchangesOverPipe(t *testing.T) {
	t.Parallel()
	for name, list := range exchanges {
		for _, size := range []int{1, 7, 64, 4096} {
			for _, flushEach := range []bool{true, false} {
				controller, datapath := ofwire.PipeSize(size)
				var wg sync.WaitGroup
				send := func(side byte, w io.WriteCloser) {
					defer w.Close()
					out := ofwire.NewWriter(w, 0)
					for _, m := range list {
						if m.from != side {
							continue
						}
						if err := out.WriteFrame(unannotate(t, m.wire)); err != nil {
							t.Errorf("%s: %v", name, err)
						}
						if flushEach {
							if err := out.Flush(); err != nil {
								t.Errorf("%s: %v", name, err)
							}
						}
					}
					if err := out.Flush(); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				hear := func(side byte, src io.Reader) {
					in := ofwire.NewReader(src, 0)
					for _, want := range list {
						if want.from != side {
							continue
						}
						frame, err := in.Next()
						if err != nil {
							t.Errorf("%s: %v", name, err)
							return
						}
						if !bytes.Equal(unannotate(t, want.wire), frame) {
							t.Errorf("%s: heard %x, want a %v", name, frame, want.typ)
						}
					}
					if _, err := in.Next(); !errors.Is(err, io.EOF) {
						t.Errorf("%s: at the end %v", name, err)
					}
				}
				wg.Go(func() { send('c', writeEnd{controller}) })
				wg.Go(func() { send('s', writeEnd{datapath}) })
				wg.Go(func() { hear('s', controller) })
				wg.Go(func() { hear('c', datapath) })
				wg.Wait()
			}
		}
	}
}

// writeEnd closes only the direction it writes to.
type writeEnd struct{ io.Writer }

func (w writeEnd) Close() error { return w.Writer.(interface{ CloseWrite() error }).CloseWrite() }

// TestExchangeMessages: each message says its type and xid to Parse and to the peeking
// functions, encodes to its own bytes, and differs in nothing but the xid after PutXID.
func TestExchangeMessages(t *testing.T) {
	t.Parallel()
	for name, list := range exchanges {
		for i, c := range list {
			b := unannotate(t, c.wire)
			if err := Check(b); err != nil {
				t.Errorf("%s, message %d: %v", name, i, err)
			}
			if PeekType(b) != c.typ || XID(b) != c.xid {
				t.Errorf("%s, message %d: peeked %v xid %#x, want %v %#x", name, i, PeekType(b), XID(b), c.typ, c.xid)
			}
			m, err := Parse(b)
			if err != nil {
				t.Errorf("%s, message %d: %v", name, i, err)
				continue
			}
			if m.Type() != c.typ || m.TransactionID() != c.xid || m.Len() != len(b) {
				t.Errorf("%s, message %d: %v xid %#x of %d bytes", name, i, m.Type(), m.TransactionID(), m.Len())
			}
			if d := cmp.Diff(b, encode(t, m)); d != "" {
				t.Errorf("%s, message %d (-want +got)\n%s", name, i, d)
			}
			patched := bytes.Clone(b)
			PutXID(patched, ^c.xid)
			m.SetTransactionID(^c.xid)
			if d := cmp.Diff(encode(t, m), patched); d != "" {
				t.Errorf("%s, message %d, another xid (-want +got)\n%s", name, i, d)
			}
			if XID(patched) != ^c.xid || !bytes.Equal(b[:4], patched[:4]) || !bytes.Equal(b[8:], patched[8:]) {
				t.Errorf("%s, message %d: PutXID changes other bytes: %x", name, i, patched)
			}
		}
	}
}

// TestStatsParts: the parts of a reply, put together until one comes without MORE.
func TestStatsParts(t *testing.T) {
	t.Parallel()
	var priorities []uint16
	parts, done := 0, false
	for _, c := range exchanges["statistics in parts"] {
		if c.typ != TypeStatsReply || c.xid != 0x10 {
			continue
		}
		b := unannotate(t, c.wire)
		m, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		reply := m.(*StatsReply)
		if done || reply.StatsType != StatsFlow || StatsTypeOf(b) != StatsFlow || StatsFlagsOf(b) != reply.Flags {
			t.Errorf("part %d: %v, done %v", parts, reply, done)
		}
		for _, f := range reply.Body.(FlowStatsReply) {
			priorities = append(priorities, f.Priority)
			if f.Cookie != uint64(f.Priority) || f.ByteCount != 60 || len(f.Actions) != 1 {
				t.Errorf("part %d: %+v", parts, f)
			}
		}
		parts, done = parts+1, reply.Flags&StatsReplyMore == 0
	}
	if d := cmp.Diff([]uint16{3, 2, 1}, priorities); d != "" || parts != 3 || !done {
		t.Errorf("%d parts, done %v (-want +got)\n%s", parts, done, d)
	}
}

// TestExchangeRefusals: each error carries the beginning of the message it refuses.
func TestExchangeRefusals(t *testing.T) {
	t.Parallel()
	said, seen := map[uint32][]byte{}, 0
	for _, c := range exchanges["refusals"] {
		b := unannotate(t, c.wire)
		if c.typ != TypeError {
			said[c.xid] = b
			continue
		}
		seen++
		if data := ErrorData(b); len(data) == 0 || !bytes.HasPrefix(said[c.xid], data) || len(data) < min(64, len(said[c.xid])) {
			t.Errorf("error %#x: data %x of %x", c.xid, data, said[c.xid])
		}
	}
	if seen != 3 {
		t.Errorf("%d errors", seen)
	}
}
