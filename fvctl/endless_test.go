package fvctl

import (
	"strings"
	"testing"
)

// endless is a file like /dev/zero.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	e.read += len(b)
	return len(b), nil
}

// A file without an end is given up, and not read into memory until the machine has none left.
func TestReadWhole(t *testing.T) {
	t.Parallel()
	var e endless
	if text, err := readWhole("zero", &e, 1<<20); err == nil || !strings.Contains(err.Error(), "zero is larger than 1048576 bytes") || len(text) > 0 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if e.read > 2<<20 {
		t.Errorf("%d bytes were read", e.read)
	}
	if text, err := readWhole("page", strings.NewReader("abc"), 3); err != nil || string(text) != "abc" {
		t.Errorf("a file as large as possible: %q, %v", text, err)
	}
	if line, err := newInput(nil).firstLine("/dev/zero"); err != nil || len(line) > mostPassword {
		t.Errorf("first line of /dev/zero has %d bytes, %v", len(line), err)
	}
}
