package fvctl

import (
	"errors"
	"fmt"

	"github.com/govisor/govisor/api/apitype"
)

// Exit codes. Scripts depend on them.
const (
	ExitOK          = 0
	ExitFailed      = 1 // refused or failed
	ExitUsage       = 2 // the command line itself is wrong
	ExitNotFound    = 3 // a slice, rule, datapath or snapshot of that name does not exist
	ExitDenied      = 4 // wrong password, too many of them, or this account may not
	ExitUnreachable = 5 // no govisor answers there
)

const exitHelp = `Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 denied, 5 unreachable.`

// usageError marks a mistake in the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// exitCode maps an error to the exit code documented for its kind.
func exitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	var u usageError
	if errors.As(err, &u) {
		return ExitUsage
	}
	var p *apitype.Problem
	if !errors.As(err, &p) {
		return ExitFailed
	}
	switch p.Kind {
	case apitype.KindNotFound, apitype.KindUnresolved:
		return ExitNotFound
	case apitype.KindUnauthorized, apitype.KindDenied, apitype.KindTooMany: // of failed logins
		return ExitDenied
	case apitype.KindUnreachable:
		return ExitUnreachable
	}
	return ExitFailed
}
