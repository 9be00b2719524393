package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/internal/store"
)

// kindOfFile says what is not a regular file.
func kindOfFile(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// checkRegular refuses what is no regular file: a pipe nobody writes to would hold up the
// start, and what is read again at SIGHUP must be there then. What is not there, or may not be
// looked at, is left to whoever reads it.
func checkRegular(flag, path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil //nolint:nilerr // whoever reads it says so
	}
	return fmt.Errorf("%s %s: it is %s, not a regular file", flag, path, kindOfFile(info.Mode()))
}

// checkFiles looks at all files that are read at the start. --config and --admin-password-file
// may be pipes (<(...), /dev/stdin): they are read with readStart.
func (o serveOptions) checkFiles() error {
	var errs []error
	for _, f := range []struct{ flag, path string }{{"--tls-cert", o.tlsCert}, {"--tls-key", o.tlsKey}, {"--tls-ca", o.tlsCA}} {
		if f.path != "" {
			errs = append(errs, checkRegular(f.flag, f.path))
		}
	}
	for _, name := range []string{store.FileName, hypervisor.PasswordFileName, certName, keyName} {
		errs = append(errs, checkRegular("--data "+o.data+":", filepath.Join(o.data, name)))
	}
	return errors.Join(errs...)
}

// readStart reads a file that may be a pipe, until ctx is done at the longest. Files of more
// than most bytes are refused: some devices have no end.
func readStart(ctx context.Context, flag, path string, most int64) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && (info.IsDir() || info.Mode()&(fs.ModeSocket|fs.ModeDevice|fs.ModeCharDevice) == fs.ModeDevice) {
		return nil, fmt.Errorf("%s %s: it is %s, not a file", flag, path, kindOfFile(info.Mode()))
	}
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() { // for ever, if nobody ever writes; govisor ends without it
		text, err := readMost(path, most)
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("%s: %w", flag, r.err)
		}
		return r.text, nil
	}
}

func readMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return text, err
}
