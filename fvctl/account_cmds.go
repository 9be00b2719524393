package fvctl

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

func (a *app) tokens() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "API tokens: list, create, remove", Args: cobra.ArbitraryArgs, RunE: needSub}
	list := &cobra.Command{
		Use: "list", Short: "List the tokens", Example: "  fvctl token list", Args: exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.c.ListTokens(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(all, func() *table {
				t := &table{head: []string{"ID", "NAME", "ACCOUNT", "SCOPE", "CREATED", "EXPIRES"}}
				for _, k := range all {
					t.add(k.ID, k.Name, k.Account, k.Scope, stamp(k.Created), stamp(k.Expires))
				}
				return t
			}, nil)
		},
	}
	var account, scope string
	var life time.Duration
	create := &cobra.Command{
		Use: "create NAME", Short: "Make a token; it is shown once", Example: "  fvctl token create backup-job --scope read --expires 720h", Args: exact("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := apitype.TokenCreate{Name: args[0], Account: account, Scope: scope}
			if life < 0 {
				return usagef("--expires %v: want a time to live, as 720h", life)
			}
			if life > 0 {
				t.Expires = time.Now().Add(life).UTC()
			}
			made, err := a.c.CreateToken(cmd.Context(), t)
			if err != nil {
				return err
			}
			return a.show(made, nil, func(w io.Writer) error {
				fmt.Fprintln(w, made.Secret)
				fmt.Fprintln(a.err, "Keep it: it is not shown again. Use it with --token-file or $FVCTL_TOKEN.")
				return nil
			})
		},
	}
	create.Flags().StringVar(&account, "account", "", "for this account (administrator only)")
	create.Flags().StringVar(&scope, "scope", "full", "full or read")
	create.Flags().DurationVar(&life, "expires", 0, "time to live, as 720h (0: until removed)")
	remove := &cobra.Command{
		Use: "remove ID", Short: "Make a token useless", Example: "  fvctl token remove 5f3a", Args: exact("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.c.DeleteToken(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(map[string]string{"removed": args[0]}, "Token %s has been removed.", args[0])
		},
	}
	cmd.AddCommand(list, create, remove)
	return cmd
}

func (a *app) accounts() *cobra.Command {
	cmd := &cobra.Command{Use: "account", Short: "Accounts: list, add and remove viewers", Args: cobra.ArbitraryArgs, RunE: needSub}
	list := &cobra.Command{
		Use: "list", Short: "List who can log in", Example: "  fvctl account list", Args: exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.c.ListAccounts(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(all, func() *table {
				t := &table{head: []string{"NAME", "ROLE"}}
				for _, k := range all {
					t.add(k.Name, k.Role)
				}
				return t
			}, nil)
		},
	}
	add := &cobra.Command{
		Use: "add NAME", Short: "Add a viewer: may look at everything, change nothing", Example: "  fvctl account add noc --password-file noc.passwd", Args: exact("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pw, err := a.newPassword(cmd, "New password: ")
			if err != nil {
				return err
			}
			made, err := a.c.CreateAccount(cmd.Context(), apitype.AccountCreate{Name: args[0], Role: "viewer", Password: pw})
			if err != nil {
				return err
			}
			return a.done(made, "Account %s was successfully created", made.Name)
		},
	}
	passwordFlags(add)
	remove := &cobra.Command{
		Use: "remove NAME", Short: "Remove a viewer", Example: "  fvctl account remove noc", Args: exact("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.c.DeleteAccount(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(map[string]string{"removed": args[0]}, "Account %s has been deleted", args[0])
		},
	}
	cmd.AddCommand(list, add, remove)
	return cmd
}
