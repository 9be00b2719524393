package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/fvctl"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  govisor version",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "govisor %s (%s %s/%s)\n", fvctl.BuildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
