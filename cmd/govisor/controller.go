package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/bundled"
	"github.com/govisor/govisor/ofwire"
)

// defaultController is where a bundled controller listens unless told: the
// registered port, since govisor itself takes the customary one.
const defaultController = "ptcp:6653"

type controllerOptions struct {
	targets  []string
	logLevel string
	tls      ofconn.TLSFiles
}

func controllerCommand() *cobra.Command {
	bundled.Register()
	var o controllerOptions
	cmd := &cobra.Command{
		Use:   "controller NAME[?KEY=VALUE&...] [TARGET...]",
		Short: "Run a bundled controller on its own",
		Long: `Runs one of the controllers that come with govisor. TARGET is where switches come
from: ptcp:[PORT][:HOST], pssl: and punix:PATH listen, tcp:HOST:PORT, ssl: and unix:PATH
connect to a switch that listens. Without a target it listens on ` + defaultController + `.

Controllers: ` + strings.Join(ofcontroller.Registered(), ", ") + `.
The same names serve as the controller of a slice: fvctl add-slice NAME module:learning EMAIL`,
		Example: `  govisor controller learning
  govisor controller "learning?idle=10" ptcp:6634 ptcp:6635
  govisor controller hub tcp:192.0.2.7:6653`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("which controller? There are %s (see %s --help)", strings.Join(ofcontroller.Registered(), ", "), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.targets = args[1:]
			return runController(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0], o)
		},
	}
	cmd.Flags().StringVar(&o.logLevel, "log-level", "info", "panic, fatal, error, warn, info, debug or trace")
	cmd.Flags().StringVar(&o.tls.Cert, "tls-cert", "", "certificate for ssl: and pssl: (PEM file)")
	cmd.Flags().StringVar(&o.tls.Key, "tls-key", "", "its private key (PEM file)")
	cmd.Flags().StringVar(&o.tls.CA, "tls-ca", "", "certificates of those who may connect or be connected to (PEM file)")
	return cmd
}

// runController runs until ctx is done, which is not an error.
func runController(ctx context.Context, out, logs io.Writer, spec string, o controllerOptions) error {
	app, err := ofcontroller.Open(spec)
	if err != nil {
		return usageError{err}
	}
	level, err := logrus.ParseLevel(o.logLevel)
	if err != nil {
		return usageError{fmt.Errorf("--log-level: %w", err)}
	}
	log := logrus.New()
	log.SetOutput(logs)
	log.SetLevel(level)
	cfg := ofcontroller.Config{Log: log.WithField("controller", spec)}
	if o.tls.Cert != "" {
		if cfg.ServerTLS, err = ofconn.ServerTLS(o.tls); err != nil {
			return err
		}
	}
	if cfg.ClientTLS, err = ofconn.ClientTLS(o.tls); err != nil {
		return err
	}
	c := ofcontroller.New(cfg)
	if err := app.Attach(c); err != nil {
		return fmt.Errorf("controller %s: %w", spec, err)
	}
	if len(o.targets) == 0 {
		o.targets = []string{defaultController}
	}
	g, ctx := errgroup.WithContext(ctx)
	var connect []string
	for _, s := range o.targets {
		t, err := ofwire.ParseTarget(s)
		if at, aerr := ofwire.ParseAddress(s); err != nil && aerr == nil {
			err = fmt.Errorf("target %q: want ptcp:%d:%s to listen there, or tcp:%s to connect to a switch that listens there", s, at.Port, at.Host, s)
		}
		if err != nil {
			return usageError{err}
		}
		if !t.Passive() {
			connect = append(connect, s)
			continue
		}
		ln, err := ofconn.Listen(ctx, t, cfg.ServerTLS)
		if err != nil {
			return err
		}
		defer ln.Close()
		fmt.Fprintf(out, "controller %s listening on %s:%s\n", spec, t.Scheme, ln.Addr())
		g.Go(func() error { return c.Serve(ctx, ln) })
	}
	g.Go(func() error { return c.Run(ctx, connect...) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
