package fvctl

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// words splits a command line as a shell would, as far as a manual's lines need it.
func words(line string) (args []string) {
	var b strings.Builder
	var quote rune
	open := false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ' || c == '\t':
			if b.Len() > 0 || open {
				args = append(args, b.String())
			}
			b.Reset()
			open = false
		case c == '#' && b.Len() == 0, c == '|' && b.Len() == 0, c == '<' && b.Len() == 0:
			return args
		default:
			b.WriteRune(c)
		}
	}
	if b.Len() > 0 || open {
		args = append(args, b.String())
	}
	return args
}

// wellFormed goes as far into a command line as is possible without a server.
func wellFormed(args []string) error {
	a := &app{out: &strings.Builder{}, err: &strings.Builder{}, env: func(string) string { return "" }}
	root := a.rootCommand()
	cmd, rest, err := root.Traverse(fitArgs(args))
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd == root {
		if a.opt.version {
			return nil
		}
		return usagef("no command in %q", args)
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// Every fvctl line of the manual is one that fvctl understands.
func TestManualLines(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range append(files, "../README.md") {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		shell, n := false, 0
		for lines := bufio.NewScanner(f); lines.Scan(); {
			n++
			line := strings.TrimPrefix(lines.Text(), "bin/")
			if strings.HasPrefix(line, "```") {
				shell = line == "```sh"
			}
			if !shell || !strings.HasPrefix(line, "fvctl ") || strings.Contains(line, " DPID PRIORITY MATCH ") {
				continue
			}
			seen++
			if err := wellFormed(words(line)[1:]); err != nil {
				t.Errorf("%s:%d: %s\n\t%v", file, n, line, err)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d lines of fvctl found in the manual", seen)
	}
}

// Every command has an example, and each of its lines is understood and is of that command.
func TestExamples(t *testing.T) {
	t.Parallel()
	root := (&app{}).rootCommand()
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
		if cmd.HasSubCommands() || cmd.Name() == "help" {
			return
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			args := words(strings.TrimSpace(line))
			if !slices.Contains(args, cmd.Name()) {
				t.Errorf("%s: the example %q is of another command", cmd.CommandPath(), args)
			}
			if err := wellFormed(args[1:]); err != nil {
				t.Errorf("%s: example %q: %v", cmd.CommandPath(), args, err)
			}
		}
	}
	visit(root)
}

func TestWellFormedRefuses(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"list-slcies", "add-slice a", "list-slices --colour", "", "createSlice a b c d e", "update-slice a -p many"} {
		if err := wellFormed(words(line)); err == nil {
			t.Errorf("fvctl %s: no error", line)
		}
	}
}

// The commands of FlowVisor, from its manuals: none may be missing.
func TestEveryFlowVisorCommand(t *testing.T) {
	t.Parallel()
	root := (&app{}).rootCommand()
	for _, name := range strings.Fields(`
		listSlices createSlice changeSlice deleteSlice changePasswd getSliceInfo setMaximumFlowMods getMaximumFlowMods getCurrentFlowMods setRateLimit
		getSliceStats getSwitchStats getSwitchFlowDB getSliceRewriteDB listFlowSpace removeFlowSpace addFlowSpace changeFlowSpace dumpConfig listDevices
		getDeviceInfo getLinks ping setFlowTracking getFlowTracking setFloodPerm getFloodPerm setDefaultFloodPerm getDefaultFloodPerm registerCallback
		unregisterCallback registerTopologyEventCallback deregisterTopologyEventCallback
		list-slices add-slice update-slice remove-slice update-slice-password update-admin-password list-flowspace add-flowspace update-flowspace
		remove-flowspace list-version save-config get-config set-config list-fs-status list-slice-info list-datapaths list-datapath-info
		list-datapath-stats list-slice-stats list-slice-health list-fv-health list-links register-event-callback unregister-event-callback
		list-datapath-flowdb list-datapath-flowrewritedb`) {
		if cmd, _, err := root.Find([]string{name}); err != nil || cmd.Name() != name {
			t.Errorf("there is no command %s", name)
		}
	}
}
