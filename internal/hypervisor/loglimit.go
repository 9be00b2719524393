package hypervisor

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/internal/ofconn"
)

// Of what is said alike, whoever it is about, logFew lines are written in logSpan; the others
// are counted and told in one line when it is over.
const (
	logFew  = 5
	logSpan = 10 * time.Second
)

// logLimit keeps whoever can open connections from filling the log. Reasons are words of
// the program's, never the peer's, so they are few.
type logLimit struct {
	mu sync.Mutex
	by map[string]*logTally // guarded by mu
}

type logTally struct {
	since time.Time
	n     int
	last  *logrus.Entry // of what was not written
}

// say writes a line, or counts it.
func (l *logLimit) say(entry *logrus.Entry, level logrus.Level, reason, text string) {
	if !entry.Logger.IsLevelEnabled(level) {
		return
	}
	l.mu.Lock()
	t := l.by[reason]
	if t == nil || time.Since(t.since) >= logSpan {
		t = &logTally{since: time.Now()}
		if l.by == nil {
			l.by = map[string]*logTally{}
		}
		l.by[reason] = t
	}
	t.n++
	few := t.n <= logFew
	switch {
	case t.n == logFew+1:
		time.AfterFunc(logSpan-time.Since(t.since), func() { l.sum(t, level, text) })
		fallthrough
	case !few:
		t.last = entry
	}
	l.mu.Unlock()
	if few {
		entry.Log(level, text)
	}
}

// sum tells how many lines were not written.
func (l *logLimit) sum(t *logTally, level logrus.Level, text string) {
	l.mu.Lock()
	last, more := t.last, t.n-logFew
	t.since = time.Time{} // what is said from now on is another tally's
	l.mu.Unlock()
	last.Logf(level, "%s: and %s more like this in the last %d s; this is the last", text, thousands(more), logSpan/time.Second)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// reasonOf is the part of why a connection was dropped that is the same for all who do the
// same: what the peer sent is not in it.
func reasonOf(err error) string {
	switch h, ok := errors.AsType[*ofconn.HandshakeError](err); {
	case errors.Is(err, errCrowded):
		return errCrowded.Error()
	case errors.Is(err, errTLS):
		_, why, _ := strings.Cut(err.Error(), ": ")
		why, _, _ = strings.Cut(why, ": ")
		return "TLS: " + why // words of whyNoTLS
	case ok:
		words := strings.Fields(h.Reason) // three of them are never the peer's
		return "handshake: " + strings.Join(words[:min(3, len(words))], " ")
	}
	return "no features"
}
