package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/internal/store"
)

const (
	defaultData = "./govisor-data"
	socketName  = "api.sock" // in the data directory
)

func dbCommand() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "db",
		Short: "Look after the database: check, backup, compact",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q (see govisor db --help)", args[0])}
			}
			return usageError{errors.New("db what? check, backup or compact (see govisor db --help)")}
		},
	}
	cmd.PersistentFlags().StringVar(&data, "data", defaultData, "data directory")
	check := &cobra.Command{
		Use:     "check",
		Short:   "Read everything in the database and report every fault; changes nothing",
		Example: "  govisor db check --data /var/lib/govisor",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return dbCheck(cmd, data) },
	}
	backup := &cobra.Command{
		Use:     "backup FILE",
		Short:   "Write a consistent copy of the database, also while govisor runs",
		Example: "  govisor db backup /backup/govisor.db",
		Args:    oneArg("FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return dbBackup(cmd, data, args[0]) },
	}
	compact := &cobra.Command{
		Use:     "compact",
		Short:   "Give the space of removed records back; govisor must not be running",
		Example: "  govisor db compact",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			before, after, err := store.Compact(filepath.Join(data, store.FileName))
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes, now %d\n", filepath.Join(data, store.FileName), before, after)
			return nil
		},
	}
	cmd.AddCommand(check, backup, compact)
	return cmd
}

func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s takes %s: %d arguments given", cmd.CommandPath(), name, len(args))}
		}
		return nil
	}
}

func dbCheck(cmd *cobra.Command, data string) error {
	path := filepath.Join(data, store.FileName)
	s, err := store.OpenReadOnly(path)
	if err != nil {
		return err
	}
	faults := errors.Join(s.Check()...)
	if err := errors.Join(faults, s.Close()); err != nil {
		return fmt.Errorf("database %s has faults:\n%w", path, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: sound\n", path)
	return nil
}

// dbBackup copies the file of a stopped govisor, and asks a running one for a copy.
func dbBackup(cmd *cobra.Command, data, file string) error {
	s, err := store.OpenReadOnly(filepath.Join(data, store.FileName))
	var locked *store.LockedError
	switch {
	case errors.As(err, &locked):
		err = runningBackup(cmd, data, file)
	case err == nil:
		err = errors.Join(s.BackupFile(file), s.Close())
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Backup written to %s.\n", file)
	return nil
}

func runningBackup(cmd *cobra.Command, data, file string) error {
	c, err := client.New(client.Options{URL: "unix:" + filepath.Join(data, socketName)})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(c.Backup(cmd.Context(), f), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(file) // err is the one to report
		return err
	}
	return nil
}
