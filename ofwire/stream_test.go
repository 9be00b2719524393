package ofwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// calls records what reaches it in each Write.
type calls struct{ sizes []int }

func (c *calls) Write(b []byte) (int, error) {
	c.sizes = append(c.sizes, len(b))
	return len(b), nil
}

// TestWriterBatches: which frames share a Write, for a buffer of 512 bytes.
func TestWriterBatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		frames []int
		want   []int // sizes of the writes, the last by Flush
	}{
		{"nothing", nil, nil},
		{"one", []int{8}, []int{8}},
		{"three share", []int{8, 100, 20}, []int{128}},
		{"exactly full", []int{256, 256}, []int{512}},
		{"one byte too many", []int{256, 257}, []int{256, 257}},
		{"as large as the buffer", []int{512}, []int{512}},
		{"larger goes by itself", []int{513}, []int{513}},
		{"order kept around a large one", []int{8, 9, 1000, 10, 11}, []int{17, 1000, 21}},
		{"two large", []int{600, 700}, []int{600, 700}},
		{"largest", []int{8, 0xffff, 8}, []int{8, 0xffff, 8}},
	} {
		var got calls
		w := NewWriter(&got, 0)
		for i, n := range c.frames {
			if err := w.WriteFrame(frame(n, byte(i))); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if err := w.Flush(); err != nil || w.Buffered() != 0 {
			t.Errorf("%s: %v, %d bytes wait", c.name, err, w.Buffered())
		}
		if d := cmp.Diff(c.want, got.sizes); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
}

// TestWriterRefuses: frames whose header does not state their size are not sent, and the
// Writer goes on.
func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	var sent bytes.Buffer
	w := NewWriter(&sent, 0)
	for _, b := range [][]byte{nil, {1}, frame(8, 0)[:7], frame(9, 0)[:8], append(frame(8, 0), 0), {1, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 8, 0, 0, 0, 0, 0}, make([]byte, 0x10008)} {
		if err := w.WriteFrame(b); !errors.Is(err, ErrLength) || w.Buffered() != 0 {
			t.Errorf("%d bytes: %v, %d wait", len(b), err, w.Buffered())
		}
	}
	good := frame(20, 7)
	if err := errors.Join(w.WriteFrame(good), w.Flush()); err != nil || !bytes.Equal(good, sent.Bytes()) {
		t.Errorf("after refusals: %v, %x", err, sent.Bytes())
	}
}

// TestWriterCopies: the caller may reuse the frame at once.
func TestWriterCopies(t *testing.T) {
	t.Parallel()
	var sent bytes.Buffer
	w := NewWriter(&sent, 0)
	b := frame(20, 7)
	if err := w.WriteFrame(b); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if err := w.Flush(); err != nil || !bytes.Equal(frame(20, 7), sent.Bytes()) {
		t.Errorf("%v, sent %x", err, sent.Bytes())
	}
}

// TestReaderStreams: what comes out of streams, in pieces of every size up to 40.
func TestReaderStreams(t *testing.T) {
	t.Parallel()
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	header := func(length uint16) []byte { return Header{Version: 1, Length: length}.Append(nil) }
	for _, c := range []struct {
		name   string
		stream []byte
		want   []int // lengths of the frames
		err    error
	}{
		{"nothing", nil, nil, io.EOF},
		{"one byte", []byte{1}, nil, io.ErrUnexpectedEOF},
		{"seven bytes", header(8)[:7], nil, io.ErrUnexpectedEOF},
		{"one header", header(8), []int{8}, io.EOF},
		{"one byte short", frame(30, 1)[:29], nil, io.ErrUnexpectedEOF},
		{"coalesced", join(frame(8, 1), frame(9, 2), frame(10, 3)), []int{8, 9, 10}, io.EOF},
		{"whole and a half", join(frame(80, 1), frame(80, 2)[:40]), []int{80}, io.ErrUnexpectedEOF},
		{"length 0", header(0), nil, ErrLength},
		{"length 7", header(7), nil, ErrLength},
		{"length 0 after a frame", join(frame(12, 1), header(0), frame(12, 1)), []int{12}, ErrLength},
		{"zeros", make([]byte, 100), nil, ErrLength},
		{"longer than the buffer", join(frame(8, 1), frame(513, 2), frame(8, 3)), []int{8, 513, 8}, io.EOF},
		{"the longest, twice", join(frame(0xffff, 1), frame(0xffff, 2)), []int{0xffff, 0xffff}, io.EOF},
		{"the longest, cut", frame(0xffff, 1)[:0xfffe], nil, io.ErrUnexpectedEOF},
		{"every version", join(header(8), []byte{4, 0, 0, 8, 0, 0, 0, 0}, []byte{0xff, 0xff, 0, 9, 0, 0, 0, 0, 0}), []int{8, 8, 9}, io.EOF},
	} {
		for size := 1; size <= 40; size++ {
			src := &chunks{err: io.EOF}
			for rest := c.stream; len(rest) > 0; {
				n := min(size, len(rest))
				src.pieces, rest = append(src.pieces, rest[:n]), rest[n:]
			}
			r := NewReader(src, 0)
			var got []int
			var whole []byte
			var err error
			for err == nil {
				var b []byte
				if b, err = r.Next(); err == nil {
					got, whole = append(got, len(b)), append(whole, b...)
				}
			}
			if d := cmp.Diff(c.want, got); d != "" || !errors.Is(err, c.err) {
				t.Errorf("%s in pieces of %d: %v, want %v (-want +got)\n%s", c.name, size, err, c.err, d)
			}
			if !bytes.HasPrefix(c.stream, whole) {
				t.Errorf("%s in pieces of %d: the bytes differ", c.name, size)
			}
		}
	}
}

// TestPipeHalfClose: each end closes its direction; the other direction goes on.
func TestPipeHalfClose(t *testing.T) {
	t.Parallel()
	a, b := Pipe()
	closeWrite := func(c net.Conn) {
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Error(err)
		}
	}
	write := func(c net.Conn, s string) {
		if n, err := io.WriteString(c, s); n != len(s) || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
	}
	write(a, "question")
	closeWrite(a)
	if got, err := io.ReadAll(b); string(got) != "question" || err != nil {
		t.Errorf("b reads %q, %v", got, err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("b reads again: %d, %v", n, err)
	}
	if n, err := a.Write([]byte("x")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("a writes after CloseWrite: %d, %v", n, err)
	}
	write(b, "answer")
	closeWrite(b)
	if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
		t.Errorf("a reads %q, %v", got, err)
	}
	for _, c := range []net.Conn{a, b, a, b} { // twice: closing is idempotent
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPipeDeadlineTable: what a deadline of a kind does to a read and to a write that
// would block, and that the end works again with a later one.
func TestPipeDeadlineTable(t *testing.T) {
	t.Parallel()
	const past, soon, never = -time.Second, time.Second, 0
	for _, c := range []struct {
		name                string
		read, write         time.Duration
		readWaits, writeFor time.Duration // time.Hour: until the peer acts
	}{
		{"none", never, never, time.Hour, time.Hour},
		{"past", past, past, 0, 0},
		{"soon", soon, soon, time.Second, time.Second},
		{"read only", soon, never, time.Second, time.Hour},
		{"write only", never, soon, time.Hour, time.Second},
		{"after the peer", 2 * time.Hour, 2 * time.Hour, time.Hour, time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			a, b := PipeSize(4)
			start := time.Now()
			at := func(d time.Duration) time.Time {
				if d == never {
					return time.Time{}
				}
				return start.Add(d)
			}
			if err := errors.Join(a.SetReadDeadline(at(c.read)), a.SetWriteDeadline(at(c.write))); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(time.Hour, func() {
				io.ReadFull(b, make([]byte, 4))
				b.Write([]byte("late"))
			})
			check := func(what string, n, whole int, err error, want time.Duration) {
				timeout := want != time.Hour
				if waited := time.Since(start); waited != want || errors.Is(err, os.ErrDeadlineExceeded) != timeout || (n == whole) == timeout {
					t.Errorf("%s: %s of %d bytes after %v, %v; want after %v", c.name, what, n, waited, err, want)
				}
			}
			var wg sync.WaitGroup
			wg.Go(func() { n, err := a.Read(make([]byte, 4)); check("read", n, 4, err, c.readWaits) })
			wg.Go(func() { n, err := a.Write(make([]byte, 8)); check("write", n, 8, err, c.writeFor) })
			wg.Wait()
			// An end that timed out works again with a later deadline.
			a.SetDeadline(time.Time{})
			wg.Go(func() { io.Copy(io.Discard, b) })
			if n, err := a.Write(make([]byte, 100)); n != 100 || err != nil {
				t.Errorf("%s: afterwards %d, %v", c.name, n, err)
			}
			a.Close()
			b.Close()
			wg.Wait()
			synctest.Wait()
		})
	}
}

// TestPipeManyWriters: the bytes of one Write that fits stay together, and nothing is lost
// between many goroutines.
func TestPipeManyWriters(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 200
	a, b := PipeSize(1 << 20)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				if _, err := a.Write(frame(16+n, byte(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	got := map[string]int{}
	r := NewReader(b, 0)
	for range writers * each {
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		got[fmt.Sprintf("%d of %d", f[7], len(f))]++
		if !bytes.Equal(f, frame(len(f), f[7])) {
			t.Fatalf("mixed up: %x", f)
		}
	}
	wg.Wait()
	if len(got) != writers*each {
		t.Errorf("%d different frames, want %d", len(got), writers*each)
	}
}
