package hypervisor

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
)

// TooManyError says how long to wait before the next login attempt.
type TooManyError struct{ Wait time.Duration }

func (e *TooManyError) Error() string {
	n := int(e.Wait.Seconds()) + 1
	if n == 1 {
		return "too many failed logins; wait a second"
	}
	return fmt.Sprintf("too many failed logins; wait %d seconds", n)
}

// errLogin does not tell whether the account exists.
var errLogin = &Error{Kind: apitype.KindUnauthorized, Detail: "wrong account or password", Index: -1}

// Login checks a password. from is the caller's address.
func (s *Service) Login(ctx context.Context, account, password, from string) (Principal, error) {
	st := s.state.Load()
	a, known := st.accounts[account]
	a.Name = account // also if there is none
	p := st.login(a, ScopeFull, "password", from)
	if known && s.verified.has(account, a.Hash, password, s.now()) {
		return p, nil
	}
	if wait := s.throttle.wait(account, from, s.now()); wait > 0 {
		return Principal{}, &TooManyError{wait}
	}
	if len(password) > maxPassword || len(account) > maxSliceName {
		s.loginFailed(account, from)
		return Principal{}, errLogin
	}
	ok, old, err := s.hasher.verify(ctx, a.Hash, password)
	if err != nil {
		return Principal{}, &Error{Kind: apitype.KindUnavailable, Detail: "the login could not be checked in time", Index: -1, Err: err}
	}
	if !known || !ok {
		s.loginFailed(account, from)
		return Principal{}, errLogin
	}
	s.throttle.succeeded(account, from)
	if old {
		a = s.rehash(ctx, a, password)
	}
	s.verified.add(account, a.Hash, password, s.now())
	return p, nil
}

func (s *Service) loginFailed(account, from string) {
	s.throttle.failed(account, from, s.now())
	s.log.WithField("account", clip(account)).WithField("from", from).Warn("login failed")
	s.auditRefusal(store.Audit{Who: clip(account), From: from, Action: "login", Target: clip(account), Detail: "wrong account or password"})
}

// rehash replaces a hash of an older kind by one of today's.
func (s *Service) rehash(ctx context.Context, a store.Account, password string) store.Account {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return a
	}
	was := a.Hash
	r := request{by: Local(), act: actWriteSettings, action: "rehash-password", target: a.Name}
	_, err = s.do(ctx, r, func(c *change) error {
		now, ok := c.st.accounts[a.Name]
		if !ok || now.Hash != was {
			return conflict("account", a.Name, "the password was changed meanwhile", "")
		}
		a.Hash = hash
		c.putAccount(a)
		return nil
	})
	if err != nil {
		s.log.WithError(err).WithField("account", a.Name).Warn("cannot renew password hash")
	}
	return a
}

// tokenPrefix makes tokens recognisable in files and logs.
const tokenPrefix = "gv_"

// LoginToken checks an API token, "gv_ID_SECRET". A right one is never made to wait:
// others at the address may send wrong ones.
func (s *Service) LoginToken(token, from string) (Principal, error) {
	st := s.state.Load()
	id, secret, _ := strings.Cut(strings.TrimPrefix(token, tokenPrefix), "_")
	t, ok := st.tokens[id]
	sum := sha256.Sum256([]byte(secret))
	if !ok || subtle.ConstantTimeCompare(sum[:], t.Hash) != 1 {
		if wait := s.throttle.wait("token", from, s.now()); wait > 0 {
			return Principal{}, &TooManyError{wait}
		}
		s.loginFailed("token", from)
		return Principal{}, &Error{Kind: apitype.KindUnauthorized, Detail: "unknown token", Index: -1}
	}
	if !t.Expires.IsZero() && s.now().After(t.Expires) {
		return Principal{}, &Error{Kind: apitype.KindUnauthorized, Detail: "the token has expired", Index: -1}
	}
	a, ok := st.accounts[t.Account]
	if !ok {
		return Principal{}, &Error{Kind: apitype.KindUnauthorized, Detail: "the token's account is gone", Index: -1}
	}
	p := st.login(a, Scope(t.Scope), "token", from)
	p.Token = id
	return p, nil
}

// LoginCertificate accepts the common name of a verified client certificate.
func (s *Service) LoginCertificate(name, from string) (Principal, error) {
	st := s.state.Load()
	a, ok := st.accounts[name]
	if !ok {
		return Principal{}, &Error{Kind: apitype.KindUnauthorized, Detail: "the certificate's account is unknown", Value: clip(name), Index: -1}
	}
	return st.login(a, ScopeFull, "certificate", from), nil
}

func checkPassword(password string) error {
	switch {
	case password == "":
		return invalid("password", "", "the password is empty", "")
	case len(password) > maxPassword:
		return invalid("password", "", fmt.Sprintf("the password is longer than %d characters", maxPassword), "")
	case !utf8.ValidString(password):
		return invalid("password", "", "the password is not UTF-8", "")
	}
	return nil
}

const (
	verifiedFor  = 10 * time.Minute
	verifiedMost = 4096
)

// verifiedCache remembers passwords that were right, so that a client that
// sends its password with every request costs one hash and not thousands. It
// holds keyed digests only, and forgets when the stored hash changes.
type verifiedCache struct {
	key [32]byte

	mu   sync.Mutex
	seen map[string]time.Time
}

func newVerifiedCache() *verifiedCache {
	c := &verifiedCache{seen: map[string]time.Time{}}
	_, _ = rand.Read(c.key[:])
	return c
}

func (c *verifiedCache) digest(account, hash, password string) string {
	m := hmac.New(sha256.New, c.key[:])
	fmt.Fprintf(m, "%q%q%q", account, hash, password)
	return hex.EncodeToString(m.Sum(nil))
}

func (c *verifiedCache) has(account, hash, password string, now time.Time) bool {
	d := c.digest(account, hash, password)
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.seen[d]
	return ok && now.Sub(t) < verifiedFor
}

func (c *verifiedCache) add(account, hash, password string, now time.Time) {
	d := c.digest(account, hash, password)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) >= verifiedMost {
		clear(c.seen)
	}
	c.seen[d] = now
}
