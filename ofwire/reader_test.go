package ofwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func frame(length int, fill byte) []byte {
	b := Header{Version: 1, Type: 10, Length: uint16(length), XID: uint32(fill)}.Append(nil)
	return append(b, bytes.Repeat([]byte{fill}, length-HeaderLen)...)
}

// chunks reads the pieces it was given, one a call.
type chunks struct {
	pieces [][]byte
	err    error
}

func (c *chunks) Read(b []byte) (int, error) {
	if len(c.pieces) == 0 {
		return 0, c.err
	}
	n := copy(b, c.pieces[0])
	if c.pieces[0] = c.pieces[0][n:]; len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

// TestReaderSplits cuts one stream in random places; the frames must not depend on it.
func TestReaderSplits(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var want [][]byte
	var stream []byte
	for i := range 300 {
		n := HeaderLen + rnd.IntN(300)
		switch i % 50 {
		case 7:
			n = MaxFrameLen
		case 8:
			n = 5000
		}
		want = append(want, frame(n, byte(i)))
		stream = append(stream, want[i]...)
	}
	for round := range 20 {
		src := &chunks{err: io.EOF}
		for rest := stream; len(rest) > 0; {
			n := min(1+rnd.IntN(1<<rnd.IntN(17)), len(rest))
			src.pieces, rest = append(src.pieces, rest[:n]), rest[n:]
		}
		r := NewReader(src, 1+rnd.IntN(4096))
		for i := range want {
			got, err := r.Next()
			if err != nil {
				t.Fatalf("round %d: frame %d: %v", round, i, err)
			}
			if !bytes.Equal(want[i], got) {
				t.Fatalf("round %d: frame %d differs", round, i)
			}
			if cap(got) != len(got) {
				t.Fatalf("round %d: appending to frame %d would overwrite the next", round, i)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("round %d: at the end %v, want io.EOF", round, err)
		}
	}
}

func TestReaderBuffered(t *testing.T) {
	t.Parallel()
	src := &chunks{pieces: [][]byte{append(frame(20, 1), frame(30, 2)[:29]...), frame(30, 2)[29:]}, err: io.EOF}
	r := NewReader(src, 0)
	for i, want := range []bool{false, false} {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got := r.Buffered(); got != want {
			t.Errorf("after frame %d: buffered %v", i, got)
		}
	}
	r = NewReader(bytes.NewReader(append(frame(20, 1), frame(30, 2)...)), 0)
	for i, want := range []bool{true, false} {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if got := r.Buffered(); got != want {
			t.Errorf("both at once, after frame %d: buffered %v", i, got)
		}
	}
}

func TestReaderErrors(t *testing.T) {
	t.Parallel()
	bad := frame(8, 0)
	bad[3] = 7
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		src  io.Reader
		want error
	}{
		{"empty", bytes.NewReader(nil), io.EOF},
		{"inside the header", bytes.NewReader(frame(8, 0)[:5]), io.ErrUnexpectedEOF},
		{"inside the body", bytes.NewReader(frame(20, 0)[:19]), io.ErrUnexpectedEOF},
		{"length below the header", bytes.NewReader(bad), ErrLength},
		{"source fails", iotest.ErrReader(broken), broken},
		{"no progress", &chunks{}, io.ErrNoProgress},
	} {
		if got, err := NewReader(c.src, 0).Next(); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

// oneError returns its bytes and an error together, once, and then nothing for ever.
type oneError struct {
	b   []byte
	err error
}

func (s *oneError) Read(b []byte) (int, error) {
	n, err := copy(b, s.b), s.err
	s.b, s.err = s.b[n:], nil
	return n, err
}

// TestReaderErrorWithBytes: the bytes come first, and the error is not lost if the source
// does not repeat it.
func TestReaderErrorWithBytes(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		stream []byte
		frames int
		err    error
		want   error
	}{
		{"whole frames", append(frame(20, 1), frame(8, 2)...), 2, broken, broken},
		{"half a frame", frame(20, 1)[:10], 0, broken, broken},
		{"whole frames, then the end", frame(20, 1), 1, io.EOF, io.EOF},
		{"half a frame, then the end", append(frame(20, 1), 1), 1, io.EOF, io.ErrUnexpectedEOF},
	} {
		r := NewReader(&oneError{b: c.stream, err: c.err}, 0)
		for i := range c.frames {
			if _, err := r.Next(); err != nil {
				t.Errorf("%s: frame %d: %v", c.name, i, err)
			}
		}
		if got, err := r.Next(); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

// TestReaderTimeout: a deadline in the middle of a frame loses nothing.
func TestReaderTimeout(t *testing.T) {
	t.Parallel()
	want := frame(40, 3)
	src := &chunks{pieces: [][]byte{want[:13]}, err: os.ErrDeadlineExceeded}
	r := NewReader(src, 0)
	if _, err := r.Next(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want a timeout", err)
	}
	src.pieces = [][]byte{want[13:]}
	got, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestReaderShrinks: the memory of one long frame is given back.
func TestReaderShrinks(t *testing.T) {
	t.Parallel()
	src := &chunks{pieces: [][]byte{frame(MaxFrameLen, 1)}, err: io.EOF}
	r := NewReader(src, 1024)
	if _, err := r.Next(); err != nil || len(r.buf) < MaxFrameLen {
		t.Fatalf("buffer of %d bytes, %v", len(r.buf), err)
	}
	for range 2 * shrinkAfter {
		src.pieces = append(src.pieces, frame(100, 2))
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.buf) != 1024 {
		t.Errorf("buffer of %d bytes after many short frames, want 1024", len(r.buf))
	}
}

func TestReaderAllocs(t *testing.T) {
	one := frame(128, 1)
	stream := bytes.Repeat(one, 100)
	src := bytes.NewReader(stream)
	r := NewReader(src, 4096)
	if n := testing.AllocsPerRun(100, func() {
		src.Reset(stream)
		for range 100 {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations for 100 frames, want 0", n)
	}
}

// BenchmarkReader reads back-to-back 128-byte frames; ns/op is per frame.
func BenchmarkReader(b *testing.B) {
	const batch = 8192
	stream := bytes.Repeat(frame(128, 1), batch)
	src := bytes.NewReader(stream)
	r := NewReader(src, 64<<10)
	b.SetBytes(128)
	b.ReportAllocs()
	left := batch
	for b.Loop() {
		if left == 0 {
			src.Reset(stream)
			left = batch
		}
		left--
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(append(frame(20, 1), frame(9, 2)...), uint8(3))
	f.Add([]byte{1, 2, 0, 7, 0, 0, 0, 0}, uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		src := &chunks{err: io.EOF}
		for rest := stream; len(rest) > 0; {
			n := min(int(step)+1, len(rest))
			src.pieces, rest = append(src.pieces, rest[:n]), rest[n:]
		}
		r := NewReader(src, 0)
		var got []byte
		var err error
		for {
			var b []byte
			if b, err = r.Next(); err != nil {
				break
			}
			if h, err := ParseHeader(b); err != nil || int(h.Length) != len(b) {
				t.Fatalf("frame of %d bytes with header %+v, %v", len(b), h, err)
			}
			got = append(got, b...)
		}
		if !bytes.HasPrefix(stream, got) {
			t.Fatal("frames are not the stream")
		}
		if errors.Is(err, io.EOF) && len(got) != len(stream) {
			t.Fatalf("io.EOF after %d of %d bytes", len(got), len(stream))
		}
	})
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewWriter(&out, 0)
	var want []byte
	for _, n := range []int{8, 300, 400, 5000, 9} {
		want = append(want, frame(n, byte(n))...)
		if err := w.WriteFrame(frame(n, byte(n))); err != nil {
			t.Fatal(err)
		}
	}
	if w.Buffered() != 9 {
		t.Errorf("%d bytes wait, want 9", w.Buffered())
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, out.Bytes()) {
		t.Error("written bytes are not the frames in order")
	}
	for _, b := range [][]byte{nil, frame(20, 1)[:19], append(frame(20, 1), 0)} {
		if err := w.WriteFrame(b); !errors.Is(err, ErrLength) {
			t.Errorf("frame of %d bytes: %v, want ErrLength", len(b), err)
		}
	}
}

type shortWriter struct{ limit int }

func (s *shortWriter) Write(b []byte) (int, error) {
	if len(b) > s.limit {
		return s.limit, nil
	}
	s.limit -= len(b)
	return len(b), nil
}

func TestWriterErrorSticks(t *testing.T) {
	t.Parallel()
	w := NewWriter(&shortWriter{limit: 10}, 0)
	if err := w.WriteFrame(frame(20, 1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Flush(); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("flush: %v, want io.ErrShortWrite", err)
		}
	}
	if err := w.WriteFrame(frame(8, 1)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("after the failure: %v", err)
	}
}

func ExampleReader() {
	stream := append(AppendHello(nil, 1, Version10), Header{Version: 1, Type: 2, Length: 8, XID: 2}.Append(nil)...)
	r := NewReader(bytes.NewReader(stream), 4096)
	for {
		b, err := r.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		h, _ := ParseHeader(b)
		fmt.Println("type", h.Type, "xid", h.XID)
	}
	// Output:
	// type 0 xid 1
	// type 2 xid 2
	// EOF
}
