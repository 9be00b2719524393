package fvctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

// app is one run of fvctl.
type app struct {
	opt    options
	in     *input
	out    io.Writer
	err    io.Writer
	colour bool
	// terminal says that a person reads err
	terminal bool
	env      func(string) string
	c        *client.Client // made by connect

	started bool // a command was found and its arguments are in order
}

// Main runs one command line against the process's own files and returns the exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{in: newInput(os.Stdin), out: os.Stdout, err: os.Stderr, env: os.Getenv}
	a.terminal = term.IsTerminal(int(os.Stderr.Fd()))
	a.colour = term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return a.run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetArgs(fitArgs(args))
	err := root.ExecuteContext(ctx)
	if err != nil && !a.started {
		if m := exclusive.FindStringSubmatch(err.Error()); m != nil {
			err = fmt.Errorf("give only one of --%s and --%s", m[1], m[2])
		}
		err = usageError{err} // what cobra itself complains about
	}
	if err != nil {
		a.report(err)
	}
	return exitCode(err)
}

// report writes an error for people, or as JSON when JSON was asked for.
func (a *app) report(err error) {
	var p *apitype.Problem
	if errors.As(err, &p) && a.opt.output == formatJSON {
		_ = writeJSON(a.err, p) // there is nowhere left to complain to
		return
	}
	fmt.Fprintf(a.err, "fvctl: %v\n", err)
	if p == nil {
		return
	}
	for _, f := range p.Errors {
		fmt.Fprintf(a.err, "  %s\n", faultText(f))
	}
}

// faultText is a fault with its place.
func faultText(f apitype.Fault) string {
	s := ""
	if f.Field != "" && !strings.Contains(f.Detail, f.Field) {
		s += f.Field + ": "
	}
	s += f.Detail
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}

var negative = regexp.MustCompile(`^-\d+$`)

// fitArgs makes what FlowVisor's users type fit the flag parser: "-h" alone asks for help,
// "-name" of addFlowSpace is --name, and -1 is a number where the command takes one as an argument.
func fitArgs(args []string) []string {
	if len(args) == 1 && args[0] == "-h" {
		return []string{"--help"}
	}
	at := slices.IndexFunc(args, func(s string) bool {
		return s == "addFlowSpace" || s == "setRateLimit" || s == "setMaximumFlowMods"
	})
	if at < 0 {
		return args
	}
	fit := slices.Clone(args[:at+1])
	for i, arg := range args[at+1:] {
		switch {
		case args[at] == "addFlowSpace" && (arg == "-name" || strings.HasPrefix(arg, "-name=")):
			arg = "-" + arg
		case args[at] != "addFlowSpace" && negative.MatchString(arg):
			return append(append(fit, "--"), args[at+1+i:]...)
		}
		fit = append(fit, arg)
	}
	return fit
}

const (
	groupHyphen = "hyphen"
	groupCamel  = "camel"
	groupNew    = "new"
)

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "fvctl [options] COMMAND [arguments]",
		Short: "control govisor",
		Long: `fvctl manages slices and flowspace of a govisor. On the machine where govisor runs it
uses the local socket in the data directory and asks for no password; otherwise give
--url (or -h HOST -p PORT) with --user and --passwd-file. The server's certificate is checked,
with --cacert, except on the loopback (localhost, 127.0.0.0/8, ::1), where without --cacert any is
accepted.

` + exitHelp,
		Example: `  fvctl status
  fvctl add-slice fl-1 tcp:localhost:6634 foo@sampledomain.org
  fvctl addFlowSpace 00:00:00:00:00:00:00:02 1000 any "Slice:fl-1=7"
  fvctl --url=https://host:8081 --user=fl-1 --passwd-file=secret list-flowspace`,
		SilenceUsage:          true,
		SilenceErrors:         true,
		DisableFlagsInUseLine: true,
		TraverseChildren:      true, // options before the command have meanings of their own (-f, -p, -n)
		Args:                  cobra.ArbitraryArgs,
	}
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if a.opt.version {
			fmt.Fprintln(a.out, "fvctl "+BuildVersion())
			return nil
		}
		if len(args) == 0 {
			cmd.SetOut(a.err)
			_ = cmd.Help() // standard error is where a failure to write it would be told
			return usagef("no command given")
		}
		return unknownCommand(cmd, args[0])
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if _, text, ok := strings.Cut(err.Error(), "' in -"); ok && text != "" && strings.Trim(text, "0123456789") == "" {
			return usagef("-%s: no negative number is taken here (see %s --help)", text, cmd.CommandPath())
		}
		if v, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
			return usagef("%s (see %s --help)", invalidValue(v), cmd.CommandPath())
		}
		return usagef("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: groupHyphen, Title: "FlowVisor's commands:"},
		&cobra.Group{ID: groupCamel, Title: "The same, as older FlowVisors spelled them:"},
		&cobra.Group{ID: groupNew, Title: "More:"},
	)
	root.SetUsageTemplate(root.UsageTemplate() + "{{if .HasParent}}\nfvctl --help lists the options that tell where govisor is and who you are.\n{{end}}")
	root.Flags().Bool("help", false, "help for fvctl")
	a.opt.rootFlags(root)
	for _, set := range []struct {
		group    string
		commands []*cobra.Command
	}{
		{groupHyphen, a.hyphenCommands()}, {groupCamel, a.camelCommands()}, {groupNew, a.newCommands()},
	} {
		for _, cmd := range set.commands {
			cmd.GroupID = set.group
			a.addGlobals(cmd)
			root.AddCommand(cmd)
		}
	}
	root.SetHelpCommand(helpCommand())
	root.SetHelpCommandGroupID(groupNew)
	root.SetCompletionCommandGroupID(groupNew)
	return root
}

// addGlobals lets the long global options stand after the command too.
func (a *app) addGlobals(cmd *cobra.Command) {
	if subs := cmd.Commands(); len(subs) > 0 {
		for _, sub := range subs {
			a.addGlobals(sub)
		}
		return
	}
	a.opt.commandFlags(cmd)
	a.addCompletion(cmd)
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			if cmd.Annotations["local"] != "" {
				return run(cmd, args)
			}
			if a.opt.timeout == 0 && cmd.Annotations["long"] != "" {
				a.opt.timeout = 10 * time.Minute
			}
			if err := a.connect(cmd.Root().Flags(), cmd.Flags()); err != nil {
				return err
			}
			return run(cmd, args)
		}
	}
}

// invalidValue says what a flag wants without telling how it was read.
func invalidValue(e *pflag.InvalidValueError) string {
	f := e.GetFlag()
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	name += " " + strconv.Quote(e.GetValue())
	switch kind := f.Value.Type(); {
	case errors.Is(e, strconv.ErrRange):
		return name + " is out of range"
	case strings.HasPrefix(kind, "int"):
		return name + ": want a whole number"
	case strings.HasPrefix(kind, "uint"):
		return name + ": want a whole number, not negative"
	case kind == "bool":
		return name + ": want true or false"
	case kind == "duration":
		return name + ": want a duration such as 90s or 720h"
	}
	return e.Error()
}

// exclusive puts cobra's words about flags that exclude each other simply.
var exclusive = regexp.MustCompile(`^if any flags in the group \[(\S+) (\S+)\] are set none of the others can be; .*$`)

// helpCommand is help COMMAND, which fails for a command that is not there.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about any command",
		Example: "  fvctl help add-slice",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			if at, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, sub := range at.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, sub.Name()+"\t"+sub.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			at, rest, err := cmd.Root().Find(args)
			if err != nil {
				return unknownCommand(cmd.Root(), args[0])
			}
			if len(rest) > 0 {
				return unknownCommand(at, rest[0])
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = 3
	msg := fmt.Sprintf("unknown command %q", name)
	if s := cmd.SuggestionsFor(name); len(s) > 0 {
		msg += "; did you mean " + strings.Join(s, ", ") + "?"
	}
	return usagef("%s (fvctl --help lists the commands)", msg)
}

// exact wants each of the named arguments, and no more.
func exact(names ...string) cobra.PositionalArgs {
	return between(len(names), len(names), strings.Join(names, " "))
}

func between(low, high int, form string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= low && (high < 0 || len(args) <= high) {
			return nil
		}
		if form == "" {
			return usagef("%s takes no arguments: %d given", cmd.Name(), len(args))
		}
		return usagef("%s takes %s: %s given", cmd.CommandPath()[len("fvctl "):], form, count(len(args), "argument"))
	}
}

func count(n int, noun string) string {
	switch {
	case n != 1 && strings.HasSuffix(noun, "ch"):
		noun += "es"
	case n != 1:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
