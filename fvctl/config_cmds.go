package fvctl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// writeFile replaces a file at once, so that a failed write leaves the old one.
func writeFile(path string, text []byte) error {
	if path == "-" {
		_, err := os.Stdout.Write(text)
		return err
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return os.WriteFile(path, text, 0o600) // /dev/stdout and its like
	}
	tmp := path + ".part"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp) // the rename is the error to report
		return err
	}
	return nil
}

func (a *app) readFile(path string) ([]byte, error) {
	if path == "-" {
		return readWhole("standard input", a.in.buf, mostConfig)
	}
	return ReadConfigFile(path)
}

// ReadConfigFile reads a file, unless it is larger than what the API takes: some files have
// no end.
func ReadConfigFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	return readWhole(path, f, mostConfig)
}

// mostConfig is the most that the API takes, in bytes.
const mostConfig = 512 << 20

func readWhole(name string, r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes, too large for a configuration", name, most)
	}
	return text, err
}

// leftOut tells what a saved configuration does not have.
func (a *app) leftOut(notes []string) {
	for _, n := range notes {
		fmt.Fprintf(a.err, "fvctl: note: %s\n", n)
	}
}

func (a *app) saveConfig() *cobra.Command {
	var format string
	var hashes bool
	cmd := &cobra.Command{
		Use:   "save-config FILE",
		Short: "Write the configuration to a file on this machine (- for standard output)",
		Long: `Write the configuration to a file on this machine (- for standard output).
FlowVisor's format cannot carry everything: what is left out is said on standard error. govisor's own carries all; with --hashes a
govisor that loads it is the same one.`,
		Example: "  fvctl save-config backup.json\n  fvctl save-config --format govisor - | less",
		Args:    exact("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, notes, err := a.c.ExportConfig(cmd.Context(), format, hashes)
			if err != nil {
				return err
			}
			a.leftOut(notes)
			if err := writeFile(args[0], append(bytes.TrimRight(text, "\n"), '\n')); err != nil {
				return err
			}
			if args[0] == "-" {
				return nil
			}
			return a.done(map[string]string{"file": args[0]}, "Config file written to %s.", args[0])
		},
	}
	cmd.Flags().StringVar(&format, "format", "flowvisor", "flowvisor (readable by FlowVisor) or govisor (complete)")
	cmd.Flags().BoolVar(&hashes, "hashes", false, "with what is secret: password hashes, and in govisor's format viewers, callbacks and tokens")
	return cmd
}

func (a *app) dumpConfig() *cobra.Command {
	return &cobra.Command{
		Use:     "dumpConfig FILE",
		Short:   "Write the configuration to a file on this machine, in FlowVisor's format",
		Example: "  fvctl dumpConfig backup.json",
		Args:    exact("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, notes, err := a.c.ExportConfig(cmd.Context(), "flowvisor", false)
			if err != nil {
				return err
			}
			a.leftOut(notes)
			return writeFile(args[0], text)
		},
	}
}

func (a *app) loadConfig() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:         "load-config FILE",
		Annotations: map[string]string{"long": "true"},
		Short:       "Replace the configuration by a file, FlowVisor's or govisor's; all or nothing",
		Long: `Replace the configuration by a file that save-config, dumpConfig or FlowVisor's fvconfig wrote.
Every fault in the file is reported, and then nothing changes. The present configuration is kept as a snapshot.`,
		Example: "  fvctl load-config --dry-run flowvisor-config.json\n  fvctl load-config flowvisor-config.json",
		Args:    exact("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := a.readFile(args[0])
			if err != nil {
				return err
			}
			if len(bytes.TrimSpace(text)) == 0 {
				return fmt.Errorf("%s: the file is empty", args[0])
			}
			stop := a.busy("reading " + args[0])
			rep, err := a.c.ImportConfig(cmd.Context(), text, dry)
			stop()
			if p, ok := errors.AsType[*apitype.Problem](err); ok && p.Kind == apitype.KindInvalid {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err != nil {
				return err
			}
			return a.show(rep, nil, func(w io.Writer) error { return importText(w, rep) })
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would happen")
	return cmd
}

func importText(w io.Writer, rep apitype.ImportReport) error {
	fmt.Fprintf(w, "%s %s, %s and %s from a %s configuration.\n", onOff(rep.Applied, "Loaded", "Would load"),
		count(rep.Slices, "slice"), count(rep.Rules, "rule"), count(rep.Datapaths, "datapath"), rep.Format)
	for _, n := range rep.Notes {
		fmt.Fprintf(w, "  note: %s\n", n)
	}
	if rep.Snapshot != "" {
		fmt.Fprintf(w, "The configuration before is snapshot %s.\n", rep.Snapshot)
	}
	return nil
}

// readDeclaration reads the file of apply and diff, JSON or YAML. Unknown fields are refused by name.
func (a *app) readDeclaration(path string) (apitype.Config, error) {
	var cfg apitype.Config
	text, err := a.readFile(path)
	if err != nil {
		return cfg, err
	}
	if cfg, err = ParseDeclaration(text); err != nil {
		return cfg, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

func diffText(w io.Writer, d apitype.Diff) {
	sign := map[string]string{"add": "+", "change": "~", "remove": "-"}
	for _, i := range d.Items {
		line := sign[i.Op] + " " + i.Kind + " " + i.Name
		switch {
		case i.Before != "" && i.After != "":
			line += ": " + i.Before + " -> " + i.After
		case i.Before+i.After != "":
			line += ": " + i.Before + i.After
		}
		fmt.Fprintln(w, line)
	}
}

const declarationHelp = `The file is JSON or YAML:

  slices:
    - name: fl-1
      controllers: [tcp:localhost:6634]
      contact: foo@sampledomain.org
  flowspace:
    - name: s2-all
      dpids: ["00:00:00:00:00:00:00:02"]
      priority: 1000
      match: any
      grants: [{slice: fl-1, permission: 7}]

A section that is absent is left alone. With --prune, slices and rules that a present section does not name are removed.`

// wantsFile is exact() for a command that needs -f.
func wantsFile(cmd *cobra.Command, args []string) error {
	if file, err := cmd.Flags().GetString("file"); err != nil || file == "" {
		return usagef("which file? give -f FILE (- for standard input)")
	}
	return exact()(cmd, args)
}

func (a *app) apply() *cobra.Command {
	var file string
	var dry, prune, yes bool
	cmd := &cobra.Command{
		Use:         "apply -f FILE",
		Annotations: map[string]string{"long": "true"},
		Short:       "Make the configuration what a file says, in one step; shows the difference first",
		Long:        "Make the configuration what a file says, in one step; shows the difference first.\n\n" + declarationHelp,
		Example:     "  fvctl apply -f network.yaml --dry-run\n  fvctl apply -f network.yaml",
		Args:        wantsFile,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.readDeclaration(file)
			if err != nil {
				return err
			}
			ask := !yes && file != "-" && a.in.terminal() && !a.opt.noInput
			stop := a.busy("comparing " + count(len(cfg.Flowspace), "rule"))
			d, err := a.c.Apply(cmd.Context(), cfg, dry || ask, prune)
			stop()
			if err != nil {
				return err
			}
			if a.opt.output != formatJSON && a.opt.output != formatYAML {
				diffText(a.out, d)
			}
			if ask && !dry && len(d.Items) > 0 {
				if !a.confirm(fmt.Sprintf("Make %s?", count(len(d.Items), "change"))) {
					return fmt.Errorf("nothing was changed")
				}
				stop := a.busy("making " + count(len(d.Items), "change"))
				d, err = a.c.Apply(cmd.Context(), cfg, false, prune)
				stop()
				if err != nil {
					return err
				}
			}
			return a.show(d, nil, func(w io.Writer) error {
				switch {
				case len(d.Items) == 0:
					fmt.Fprintln(w, "Nothing to change.")
				case d.Applied:
					fmt.Fprintf(w, "%s made.\n", count(len(d.Items), "change"))
				default:
					fmt.Fprintf(w, "%s to make.\n", count(len(d.Items), "change"))
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "FILE, - for standard input")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only show the difference")
	cmd.Flags().BoolVar(&prune, "prune", false, "remove what the file's sections do not name")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// confirm asks on a terminal. A script has said yes by running the command, and is not asked.
func (a *app) confirm(question string) bool {
	fmt.Fprint(a.err, question+" [y/N] ")
	answer, err := a.in.line()
	answer = strings.ToLower(strings.TrimSpace(answer))
	return err == nil && (answer == "y" || answer == "yes")
}

func (a *app) diff() *cobra.Command {
	var file string
	var prune, code bool
	cmd := &cobra.Command{
		Use:         "diff -f FILE",
		Annotations: map[string]string{"long": "true"},
		Short:       "Show what apply would change",
		Long:        "Show what apply would change.\n\n" + declarationHelp,
		Example:     "  fvctl diff -f network.yaml",
		Args:        wantsFile,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.readDeclaration(file)
			if err != nil {
				return err
			}
			stop := a.busy("comparing " + count(len(cfg.Flowspace), "rule"))
			d, err := a.c.Apply(cmd.Context(), cfg, true, prune)
			stop()
			if err != nil {
				return err
			}
			if err := a.show(d, nil, func(w io.Writer) error { diffText(w, d); return nil }); err != nil {
				return err
			}
			if code && len(d.Items) > 0 {
				return fmt.Errorf("%s", count(len(d.Items), "difference"))
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "FILE, - for standard input")
	cmd.Flags().BoolVar(&prune, "prune", false, "also what apply --prune would remove")
	cmd.Flags().BoolVar(&code, "exit-code", false, "exit with 1 when there is a difference")
	return cmd
}

func (a *app) snapshots() *cobra.Command {
	cmd := &cobra.Command{Use: "snapshot", Short: "Saved configurations: list, create, restore, remove", Args: cobra.ArbitraryArgs, RunE: needSub}
	list := &cobra.Command{
		Use: "list", Short: "List the saved configurations", Example: "  fvctl snapshot list", Args: exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.c.ListSnapshots(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(all, func() *table {
				t := &table{head: []string{"ID", "CREATED", "WHO", "SLICES", "RULES", "NOTE"}}
				for _, s := range all {
					t.add(s.ID, stamp(s.Created), s.Who, strconv.Itoa(s.Slices), strconv.Itoa(s.Rules), orDash(s.Note))
				}
				return t
			}, nil)
		},
	}
	create := &cobra.Command{
		Use: "create [NOTE]", Short: "Save the configuration", Example: "  fvctl snapshot create 'before the demo'", Args: between(0, 1, "[NOTE]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.c.CreateSnapshot(cmd.Context(), strings.Join(args, " "))
			if err != nil {
				return err
			}
			return a.done(s, "%s", s.ID)
		},
	}
	restore := &cobra.Command{
		Use: "restore ID", Short: "Replace the configuration by a saved one", Example: "  fvctl snapshot restore 20260102T150405.678901", Args: exact("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			stop := a.busy("restoring " + args[0])
			rep, err := a.c.RestoreSnapshot(cmd.Context(), args[0])
			stop()
			if err != nil {
				return err
			}
			return a.show(rep, nil, func(w io.Writer) error { return importText(w, rep) })
		},
	}
	remove := &cobra.Command{
		Use: "remove ID", Short: "Forget a saved configuration", Example: "  fvctl snapshot remove 20260102T150405.678901", Args: exact("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.c.DeleteSnapshot(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(map[string]string{"removed": args[0]}, "Snapshot %s has been removed.", args[0])
		},
	}
	cmd.AddCommand(list, create, restore, remove)
	return cmd
}

// needSub is run for a command that only has subcommands.
func needSub(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command %q (see %s --help)", args[0], cmd.CommandPath())
	}
	cmd.SetOut(cmd.ErrOrStderr())
	_ = cmd.Help() // standard error is where a failure to write it would be told
	return usagef("%s what?", cmd.CommandPath())
}
