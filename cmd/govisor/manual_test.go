package main

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manualLines are the lines of shell blocks in the manual.
func manualLines(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]string{}
	for _, file := range append(files, "../../README.md", "../../CONTRIBUTING.md") {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		shell := false
		for s := bufio.NewScanner(f); s.Scan(); {
			if strings.HasPrefix(s.Text(), "```") {
				shell = s.Text() == "```sh"
			} else if shell {
				lines[strings.TrimPrefix(s.Text(), "bin/")] = file
			}
		}
	}
	return lines
}

// Every govisor line of the manual is one that govisor understands, and every make target exists.
func TestManualLines(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	commands, targets := 0, 0
	for line, file := range manualLines(t) {
		line, _, _ = strings.Cut(line, " #")
		args := strings.Fields(line)
		switch {
		case len(args) < 2:
		case args[0] == "govisor":
			commands++
			if err := understood(args[1:]); err != nil {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		case args[0] == "make":
			targets++
			if !regexp.MustCompile(`(?m)^` + args[1] + `:`).Match(makefile) {
				t.Errorf("%s: the Makefile has no target %s", file, args[1])
			}
		}
	}
	if commands < 5 || targets < 3 {
		t.Errorf("only %d lines of govisor and %d of make found in the manual", commands, targets)
	}
}

// understood goes as far into a command line as is possible without running it.
func understood(args []string) error {
	cmd, rest, err := rootCommand().Find(args)
	if err != nil {
		return err
	}
	switch err := cmd.ParseFlags(rest); {
	case errors.Is(err, pflag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// Every command of govisor has an example (a family of them one of the family), and each of its lines is understood.
func TestExamples(t *testing.T) {
	t.Parallel()
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
		if cmd.Parent() == cmd.Root() && cmd.Example == "" && !cmd.HasSubCommands() {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(strings.ReplaceAll(cmd.Example, "\\\n", " ")) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), "   ") // what follows says what it does
			line, _, _ = strings.Cut(line, " #")
			args := strings.Fields(strings.NewReplacer("'", "", `"`, "").Replace(line))
			if len(args) == 0 || args[0] != "govisor" {
				continue
			}
			if err := understood(args[1:]); err != nil && !strings.Contains(line, "'") {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), line, err)
			}
		}
	}
	visit(rootCommand())
}

func TestUnderstoodRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"serve", "--colour"}, {"serve", "extra"}, {"db", "backup"}} {
		if understood(args) == nil {
			t.Errorf("govisor %v: no error", args)
		}
	}
}
