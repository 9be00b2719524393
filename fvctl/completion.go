package fvctl

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// completeWithin bounds what a shell waits for a list of names.
const completeWithin = 2 * time.Second

// addCompletion completes arguments by what their name in the usage line says they are. It
// asks the local socket only: a completion must not ask for a password.
func (a *app) addCompletion(cmd *cobra.Command) {
	kinds := strings.Fields(cmd.Use)[1:]
	if len(kinds) == 0 || cmd.ValidArgsFunction != nil {
		return
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		at := min(len(args), len(kinds)-1)
		if len(args) > at && !strings.HasSuffix(kinds[at], "...") {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		if kinds[at] == "FILE" {
			return nil, cobra.ShellCompDirectiveDefault
		}
		none := func(string) bool { return false }
		if t, err := a.find(none); err != nil || !t.socket || a.connect() != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		var names []string
		for _, n := range a.candidates(ctx, cmd.Name(), strings.Trim(kinds[at], "[].")) {
			if strings.HasPrefix(n, prefix) {
				names = append(names, n)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// candidates are the names there are of a kind; none when the server does not say.
func (a *app) candidates(ctx context.Context, command, kind string) (names []string) {
	switch {
	case kind == "SLICENAME" && command != "add-slice" && command != "createSlice":
		all, err := a.c.ListSlices(ctx)
		if err != nil {
			return nil
		}
		for _, s := range all {
			names = append(names, s.Name)
		}
	case kind == "DPID":
		all, err := a.c.ListDatapaths(ctx)
		if err != nil {
			return nil
		}
		for _, d := range all {
			names = append(names, d.DPID)
		}
	case kind == "NAME" && strings.HasSuffix(command, "-flowspace") && command != "add-flowspace":
		all, err := a.c.ListRules(ctx, apitype.RuleFilter{Limit: 200})
		if err != nil {
			return nil
		}
		for _, r := range all {
			names = append(names, r.Name)
		}
	}
	return names
}
