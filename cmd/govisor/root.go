package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// Exit codes, the same as fvctl's.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError marks a mistake in the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func exitCode(err error) int {
	var s silentError
	if errors.As(err, &s) {
		return s.code
	}
	var u usageError
	if errors.As(err, &u) {
		return exitUsage
	}
	return exitFailed
}

// rootCommand lists the subcommands; each lives in a file named for it.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "govisor",
		Short: "OpenFlow 1.0 network hypervisor",
		Long: `govisor stands between OpenFlow 1.0 switches and several controllers.
Switches connect to it as if it were their controller; it connects to each slice's
controller as if it were a switch. Slices are made with fvctl or over the API.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q (see govisor --help)", args[0])}
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())}
	})
	root.AddCommand(
		serveCommand(),
		demoCommand(),
		dbCommand(),
		switchCommand(),
		ofctlCommand(),
		controllerCommand(),
		traceCommand(),
		benchCommand(),
		versionCommand(),
	)
	return root
}

// noArgs refuses positional arguments with exit code 2.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments, got %q (see %s --help)", cmd.CommandPath(), args[0], cmd.CommandPath())}
	}
	return nil
}
