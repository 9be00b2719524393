package slicer

import (
	"context"
	"time"

	"github.com/govisor/govisor/ofwire"
)

// keepReadOnly keeps a connection to one read-only controller.
func (s *Session) keepReadOnly(ctx context.Context, target ofwire.Target) {
	log := s.opts.Log.WithField("controller", target.String()).WithField("access", "read-only")
	backoff := s.opts.Backoff
	last := ""
	for ctx.Err() == nil {
		nc, err := s.connect(ctx, target)
		if err == nil {
			log.Info("controller connected")
			begin := time.Now()
			err = s.runPeer(ctx, nc, true)
			backoff.Lived(time.Since(begin))
			last = ""
		}
		if ctx.Err() != nil {
			return
		}
		if err.Error() != last {
			last = err.Error()
			log.WithError(err).Warn("controller not connected")
		}
		timer := time.NewTimer(backoff.Next())
		await(ctx, nil, timer.C)
		timer.Stop()
	}
}
