package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/fvctl"
)

// reload is SIGHUP: what cannot be read again stays as it was, and the log says so.
func (s *server) reload(ctx context.Context) {
	if err := s.cert.reload(); err != nil {
		s.log.WithError(err).Error("certificate not read again, the old one stays")
	} else {
		s.log.Info("certificate read again")
	}
	if s.opts.config == "" {
		s.log.Info("no configuration read again: there is no --config")
		return
	}
	err := s.configure(ctx)
	if err == nil {
		return
	}
	log := s.log.WithField("file", s.opts.config)
	for _, f := range faultsOf(err) {
		log.Error(f)
	}
	log.WithError(errors.Unwrap(err)).Error("configuration not read again, the present one stays")
}

// configError is why --config was not applied; it lists every fault.
type configError struct {
	file string
	err  error
}

func (e *configError) Unwrap() error { return e.err }

func (e *configError) Error() string {
	lines := append([]string{fmt.Sprintf("--config %s: %v", e.file, e.err)}, faultsOf(e.err)...)
	return strings.Join(lines, "\n  ")
}

// faultsOf are the faults of a configuration when there are several: a single one
// is in the error itself.
func faultsOf(err error) (lines []string) {
	p, ok := errors.AsType[*apitype.Problem](err)
	if !ok || len(p.Errors) < 2 {
		return nil
	}
	for _, f := range p.Errors {
		line := f.Detail
		if !strings.Contains(line, f.Field) {
			line = f.Field + ": " + line
		}
		if f.Hint != "" {
			line += " (" + f.Hint + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// mostConfig is the most that the API takes, in bytes.
const mostConfig = 512 << 20

// configure applies --config through the socket, as an administrator would. What is
// FlowVisor's takes the place of everything; of what is govisor's, what it says is made
// so, and with --config-prune what its sections do not name is removed.
func (s *server) configure(ctx context.Context) error {
	if s.opts.config == "" {
		return nil
	}
	text, err := readStart(ctx, "--config", s.opts.config, mostConfig)
	if err != nil {
		return err
	}
	c, err := client.New(client.Options{URL: "unix:" + filepath.Join(s.opts.data, socketName)})
	if err != nil {
		return err
	}
	log := s.log.WithField("file", s.opts.config)
	if fvctl.IsFlowVisorConfig(text) {
		rep, err := c.ImportConfig(ctx, text, false)
		if err != nil {
			return &configError{s.opts.config, err}
		}
		for _, note := range rep.Notes {
			log.Info(note)
		}
		log.WithFields(logrus.Fields{"slices": rep.Slices, "rules": rep.Rules, "snapshot": rep.Snapshot}).Info("FlowVisor configuration loaded")
		return nil
	}
	cfg, err := fvctl.ParseDeclaration(text)
	if err != nil {
		return &configError{s.opts.config, err}
	}
	d, err := c.Apply(ctx, cfg, false, s.opts.configPrune)
	if err != nil {
		return &configError{s.opts.config, err}
	}
	const most = 100
	for _, i := range d.Items[:min(len(d.Items), most)] {
		log.Infof("%s %s %s", i.Op, i.Kind, i.Name)
	}
	log.WithField("changes", len(d.Items)).Info("configuration applied")
	return nil
}
