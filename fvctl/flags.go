package fvctl

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// localFlags are the names of a command's own options, without the global ones.
func localFlags(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Annotations["global"] == nil && f.Name != "help" {
			names = append(names, f.Name)
		}
	})
	return names
}
