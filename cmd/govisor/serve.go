package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/govisor/govisor/ofwire"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	data                   string
	listen                 []string
	connect                []string
	api, apiPlain          string
	xmlrpc                 string
	metrics                string
	pprof                  bool
	adminPasswordFile      string
	tlsCert, tlsKey, tlsCA string
	config                 string
	configPrune            bool
	logLevel, logFormat    string
}

func serveCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the hypervisor",
		Long: `Run the hypervisor until SIGTERM. It prints one line for each address it listens on. SIGHUP reads --config and
the certificate again.

--config takes the file of fvctl apply, or a configuration that fvctl save-config or FlowVisor wrote. What govisor's format says
is made so, in one step; what it does not say stays, unless --config-prune removes it. FlowVisor's format takes the place of
everything there is, after a snapshot. A file with faults changes nothing: all are listed, and govisor does not start; at SIGHUP
the log tells them and govisor goes on as before.

The administrator is fvadmin. The password comes from --admin-password-file or $GOVISOR_ADMIN_PASSWORD; otherwise
one is made at the first start and put into DIR/fvadmin.passwd. fvctl on this machine needs none: it uses the
socket DIR/api.sock, and whoever may open that is the administrator.`,
		Example: `  govisor serve
  govisor serve --data /var/lib/govisor --listen :6633 --listen pssl:6653 --api :8081 --tls-cert cert.pem --tls-key key.pem`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			log, err := newLogger(o.logLevel, o.logFormat)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), o, cmd.OutOrStdout(), log)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.data, "data", defaultData, "data directory, made if absent")
	f.StringArrayVar(&o.listen, "listen", []string{":6633"}, "where switches connect to: HOST:PORT, pssl:PORT[:HOST] (TLS) or punix:PATH; repeatable")
	f.StringArrayVar(&o.connect, "connect", nil, "passive switch to connect to: tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH; repeatable")
	f.StringVar(&o.api, "api", "127.0.0.1:8081", "address of the API, HTTPS; empty for none")
	f.StringVar(&o.apiPlain, "api-plain", "", "address of the API without TLS, for use behind a proxy; passwords are then readable on the wire")
	f.StringVar(&o.xmlrpc, "xmlrpc", "", "address for the XML-RPC of FlowVisor before 1.0, HTTPS; empty for none")
	f.StringVar(&o.metrics, "metrics", "", "address for Prometheus, plain HTTP without a password: /metrics; empty for none")
	f.BoolVar(&o.pprof, "pprof", false, "serve Go profiles on the --metrics address too: /debug/pprof/")
	f.StringVar(&o.adminPasswordFile, "admin-password-file", "", "file whose first line becomes fvadmin's password")
	f.StringVar(&o.tlsCert, "tls-cert", "", "certificate for the API and for TLS switches (default: a self-signed one, DIR/"+certName+")")
	f.StringVar(&o.tlsKey, "tls-key", "", "its key")
	f.StringVar(&o.tlsCA, "tls-ca", "", "authority whose certificates switches must show, and API users may show in place of a password")
	f.StringVar(&o.config, "config", "", "configuration to make so at start and at SIGHUP: govisor's (YAML or JSON) or FlowVisor's")
	f.BoolVar(&o.configPrune, "config-prune", false, "also remove what the sections of govisor's --config do not name")
	f.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
	return cmd
}

func (o serveOptions) check() error {
	switch {
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return usageError{errors.New("--tls-cert and --tls-key go together")}
	case o.pprof && o.metrics == "":
		return usageError{errors.New("--pprof needs an address: give --metrics too")}
	case o.configPrune && o.config == "":
		return usageError{errors.New("--config-prune needs --config")}
	case o.data == "":
		return usageError{errors.New("--data: the data directory has no name")}
	}
	for _, l := range o.listen {
		if _, err := listenTarget(l); err != nil {
			return usageError{fmt.Errorf("--listen: %w", err)}
		}
	}
	for _, c := range o.connect {
		if t, err := ofwire.ParseAddress(c); err != nil || t.Passive() || t.Network() == "" {
			return usageError{fmt.Errorf("--connect %q: want tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH", c)}
		}
	}
	return nil
}

// adminPassword reads the password that was given, if any.
func (o serveOptions) adminPassword(ctx context.Context) (string, error) {
	if o.adminPasswordFile == "" {
		return os.Getenv("GOVISOR_ADMIN_PASSWORD"), nil
	}
	text, err := readStart(ctx, "--admin-password-file", o.adminPasswordFile, 64<<10)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("--admin-password-file: %s: the first line is empty", o.adminPasswordFile)
	}
	return line, nil
}

func newLogger(level, format string) (*logrus.Logger, error) {
	log := logrus.New()
	lvl, err := logrus.ParseLevel(level)
	if err != nil {
		return nil, usageError{fmt.Errorf("--log-level %q: want debug, info, warn or error", level)}
	}
	log.SetLevel(lvl)
	log.SetOutput(os.Stderr)
	switch format {
	case "text":
		log.SetFormatter(&logrus.TextFormatter{FullTimestamp: true, DisableColors: os.Getenv("NO_COLOR") != "" || !term.IsTerminal(int(os.Stderr.Fd()))})
	case "json":
		log.SetFormatter(&logrus.JSONFormatter{})
	default:
		return nil, usageError{fmt.Errorf("--log-format %q: want text or json", format)}
	}
	return log, nil
}
