package hypervisor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/limits"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/internal/topology"
	"github.com/govisor/govisor/ofwire"
)

// PasswordFileName is the file in the data directory a generated administrator
// password is written to.
const PasswordFileName = "fvadmin.passwd"

// Options configure a Service.
type Options struct {
	// Dir is the data directory, made if absent.
	Dir string
	// AdminPassword, if not empty, becomes the administrator's password.
	AdminPassword string
	// Version is the program's version, for /version and FlowVisor's DESC.
	Version string
	// CheckModule refuses the NAME of a module: controller that this program does
	// not have; nil refuses none.
	CheckModule func(name string) error
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log may be nil: nothing is logged.
	Log *logrus.Entry
}

// Service is the domain service. It is safe for concurrent use.
type Service struct {
	// Static after Open.
	opts     Options
	db       *store.Store
	journal  *store.Journal
	now      func() time.Time
	log      *logrus.Entry
	hasher   *hasher
	throttle *throttle
	verified *verifiedCache
	events   *events
	tables   *tableChanges
	started  time.Time
	refusals *rate.Limiter
	unlisted atomic.Int64 // refusals since the last one in the audit log
	// PasswordFile is where a generated password was written to, or empty.
	passwordFile string

	state  atomic.Pointer[state]
	counts atomic.Pointer[ruleCounts]
	links  atomic.Pointer[func() []apitype.Link]

	mu    sync.Mutex                 // one change at a time
	share map[shareKey]*limits.Slice // guarded by mu
	// topology is nil without a search for links; guarded by mu
	topology *topology.Service

	reg      sync.RWMutex
	sessions map[ofwire.DatapathID]Session // guarded by reg
}

type shareKey struct {
	slice      string
	generation uint64
	dpid       ofwire.DatapathID
	perDPID    bool
}

// Open opens or makes the data directory's database and reads it. The errors
// *store.LockedError and *store.CorruptError pass through.
func Open(ctx context.Context, o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		silent := logrus.New()
		silent.SetOutput(io.Discard)
		o.Log = logrus.NewEntry(silent)
	}
	db, err := store.Open(o.Dir)
	if err != nil {
		return nil, err
	}
	st, err := loadState(db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read database %s: %w", db.Path(), err), db.Close())
	}
	s := &Service{opts: o, db: db, journal: store.NewJournal(db), now: o.Now, log: o.Log,
		hasher: newHasher(), throttle: newThrottle(), verified: newVerifiedCache(), events: newEvents(), tables: newTableChanges(), started: o.Now(),
		refusals: rate.NewLimiter(10, 20), share: map[shareKey]*limits.Slice{}, sessions: map[ofwire.DatapathID]Session{}}
	s.state.Store(st)
	if err := s.initialise(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// initialise writes what a new database lacks: settings and the administrator.
func (s *Service) initialise(ctx context.Context) error {
	st := s.state.Load()
	admin, known := st.accounts[AdminName]
	password, file := s.opts.AdminPassword, ""
	if !known && password == "" {
		file = filepath.Join(s.opts.Dir, PasswordFileName)
		var err error
		if password, err = passwordFile(file); err != nil {
			return fmt.Errorf("administrator's password: %w", err)
		}
	}
	if known && password == "" {
		file = s.knownPasswordFile(ctx, admin.Hash)
	}
	same := false
	if known && password != "" {
		same, _, _ = s.hasher.verify(ctx, admin.Hash, password)
	}
	s.passwordFile = file
	if len(st.settings.LLDPKey) != 0 && (password == "" || same) {
		return nil
	}
	c := newChange(st, Local(), s.now())
	if len(st.settings.LLDPKey) == 0 {
		c.st.settings = Settings{FlowStatsCache: 30, DefaultFloodPerm: AdminName, Adoption: AdoptionAdopt, LLDPKey: make([]byte, 32)}
		_, _ = rand.Read(c.st.settings.LLDPKey)
		rec := store.Settings(c.st.settings)
		c.write(func(tx *store.Tx) error { return tx.PutSettings(rec) })
	}
	if password != "" && !same {
		if err := checkPassword(password); err != nil {
			return err
		}
		hash, err := s.hasher.hash(ctx, password)
		if err != nil {
			return err
		}
		c.putAccount(store.Account{Name: AdminName, Role: string(RoleAdmin), Hash: hash})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.commitLocked(c, request{by: Local(), action: "initialise"}); err != nil {
		return fmt.Errorf("initialise database: %w", err)
	}
	s.state.Store(c.st)
	return nil
}

// passwordFile reads the password in path, or makes one there, mode 0600.
func passwordFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(text)) != "" {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	password := rand.Text()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return password, os.WriteFile(path, []byte(password+"\n"), 0o600)
}

// knownPasswordFile is the file an earlier start made, if the password in it
// is still the administrator's, else empty.
func (s *Service) knownPasswordFile(ctx context.Context, hash string) string {
	path := filepath.Join(s.opts.Dir, PasswordFileName)
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if same, _, err := s.hasher.verify(ctx, hash, strings.TrimSpace(string(text))); err != nil || !same {
		return ""
	}
	return path
}

// GeneratedPasswordFile is the file in the data directory with the
// administrator's password, made by this start or an earlier one; empty if
// the password is another by now.
func (s *Service) GeneratedPasswordFile() string { return s.passwordFile }

// Journal is where sessions record what they need after a restart.
func (s *Service) Journal() *store.Journal { return s.journal }

// Run does the background work until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	var work errgroup.Group
	work.Go(func() error { return s.runCallbacks(ctx) })
	work.Go(func() error {
		if err := s.journal.Run(ctx); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		return nil
	})
	return work.Wait()
}

// Close writes what is pending and closes the database. Sessions must have ended.
func (s *Service) Close() error { return errors.Join(s.journal.Flush(), s.db.Close()) }

// Revision counts the changes there ever were.
func (s *Service) Revision() uint64 { return s.state.Load().revision }

// ConfigVersion is that of the whole configuration.
func (s *Service) ConfigVersion() Version { return s.state.Load().version() }

// RulesVersion is that of the last change of the flowspace.
func (s *Service) RulesVersion() Version { return s.state.Load().rulesVersion }

// Settings returns the present settings.
func (s *Service) Settings() Settings { return s.state.Load().settings }

// Flowspace returns the present flowspace.
func (s *Service) Flowspace() *flowspace.Snapshot { return s.state.Load().flows }

// SetLinks tells where to ask for discovered links.
func (s *Service) SetLinks(f func() []apitype.Link) { s.links.Store(&f) }
