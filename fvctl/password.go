package fvctl

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// input is standard input, read line by line by whoever asks.
type input struct {
	file *os.File
	buf  *bufio.Reader
}

func newInput(f *os.File) *input { return &input{f, bufio.NewReader(f)} }

func (in *input) terminal() bool { return term.IsTerminal(int(in.file.Fd())) }

// line reads one line, without its end. At the end of input it is empty.
func (in *input) line() (string, error) {
	s, err := in.buf.ReadString('\n')
	if err == io.EOF {
		err = nil
	}
	return strings.TrimRight(s, "\r\n"), err
}

// mostPassword is how much of a file is looked at for its first line, in bytes.
const mostPassword = 64 << 10

// firstLine reads a password or token from a file; - is standard input, /dev/null is empty.
func (in *input) firstLine(path string) (string, error) {
	if path == "-" {
		s, err := in.line()
		return strings.TrimSpace(s), err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	defer f.Close() // it was only read
	line, err := bufio.NewReader(io.LimitReader(f, mostPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("password file: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// patience is how long a script's standard input may take to bring a password nobody promised.
const patience = 2 * time.Second

// ask gets a password: from the terminal without echo, else one line of standard input.
// A standard input that stays open and silent counts as empty, so that scripts do not hang.
func (a *app) ask(prompt string) (string, error) {
	if a.opt.noInput {
		return "", nil
	}
	if a.in.terminal() {
		fmt.Fprint(a.err, prompt)
		p, err := term.ReadPassword(int(a.in.file.Fd()))
		fmt.Fprintln(a.err)
		if err != nil {
			return "", fmt.Errorf("read password: %w", err)
		}
		return string(p), nil
	}
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := a.in.line()
		got <- answer{line, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return "", fmt.Errorf("read password: %w", r.err)
		}
		return r.line, nil
	case <-time.After(patience):
		fmt.Fprintf(a.err, "fvctl: no password came on standard input within %v; going on with none\n", patience)
		return "", nil
	}
}
