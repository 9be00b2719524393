package hypervisor

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
)

// SetPassword changes a password: one's own, that of a slice one made, or as
// administrator anybody's.
func (s *Service) SetPassword(ctx context.Context, p Principal, account, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	act, slice := actWriteSettings, ""
	st := s.state.Load()
	if st.slices[account] != nil {
		act, slice = actWriteSlice, account
	} else if p.Account == account {
		act = actOwnTokens
	}
	r := request{by: p, act: act, slice: slice, action: "set-password", target: account}
	if !st.allowed(p, act, slice) {
		s.refused(r, "not permitted")
		return denied(p, "set the password of "+clip(account))
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, r, func(c *change) error {
		a, ok := c.st.accounts[account]
		if !ok {
			return notFound("account", account)
		}
		a.Hash = hash
		c.putAccount(a)
		return nil
	})
	return err
}

// Accounts lists who can log in, for the administrator.
func (s *Service) Accounts(p Principal) ([]apitype.Account, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadAudit, "") {
		return nil, denied(p, "list accounts")
	}
	out := []apitype.Account{}
	for _, name := range slices.Sorted(maps.Keys(st.accounts)) {
		out = append(out, apitype.Account{Name: name, Role: st.accounts[name].Role})
	}
	return out, nil
}

// CreateViewer makes an account that sees everything and changes nothing.
func (s *Service) CreateViewer(ctx context.Context, p Principal, name, password string) (apitype.Account, error) {
	out := apitype.Account{Name: name, Role: string(RoleViewer)}
	if err := cmp.Or(checkName("name", name), checkPassword(password)); err != nil {
		return out, err
	}
	r := request{by: p, act: actWriteSettings, action: "create-account", target: name}
	if !s.state.Load().allowed(p, r.act, "") {
		s.refused(r, "not permitted")
		return out, denied(p, "create accounts")
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return out, err
	}
	_, err = s.do(ctx, r, func(c *change) error {
		if _, taken := c.st.accounts[name]; taken {
			return conflict("name", name, fmt.Sprintf("account %q already exists", name), "")
		}
		c.putAccount(store.Account{Name: name, Role: string(RoleViewer), Hash: hash})
		return nil
	})
	return out, err
}

// RemoveViewer removes a viewer's account; slices go with RemoveSlice.
func (s *Service) RemoveViewer(ctx context.Context, p Principal, name string) error {
	r := request{by: p, act: actWriteSettings, action: "remove-account", target: name}
	_, err := s.do(ctx, r, func(c *change) error {
		a, ok := c.st.accounts[name]
		if !ok {
			return notFound("account", name)
		}
		if a.Role != string(RoleViewer) {
			return conflict("name", name, fmt.Sprintf("%s is not a viewer's account", name), "remove the slice instead")
		}
		delete(c.st.accounts, name)
		c.write(func(tx *store.Tx) error { return tx.DeleteAccount(name) })
		c.dropTokens(name)
		return nil
	})
	return err
}

// Tokens lists the caller's tokens, for the administrator all.
func (s *Service) Tokens(p Principal) ([]apitype.Token, error) {
	st := s.state.Load()
	if !st.allowed(p, actReadSystem, "") {
		return nil, denied(p, "list tokens")
	}
	out := []apitype.Token{}
	for _, t := range st.tokens {
		if p.Role == RoleAdmin || t.Account == p.Account {
			out = append(out, apitype.Token{ID: t.ID, Name: t.Name, Account: t.Account, Scope: t.Scope, Created: t.Created, Expires: t.Expires})
		}
	}
	slices.SortFunc(out, func(a, b apitype.Token) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// tokensPerAccount bounds what one account can fill the state with.
const tokensPerAccount = 1000

// CreateToken makes a token for the caller; the administrator may name another
// account. A token of scope read cannot make one.
func (s *Service) CreateToken(ctx context.Context, p Principal, t apitype.TokenCreate) (apitype.Token, error) {
	if t.Account == "" {
		t.Account = p.Account
	}
	if t.Scope == "" {
		t.Scope = string(ScopeFull)
	}
	name, err := checkText("name", t.Name, maxContact)
	switch {
	case err != nil:
		return apitype.Token{}, err
	case t.Scope != string(ScopeFull) && t.Scope != string(ScopeRead):
		return apitype.Token{}, invalid("scope", t.Scope, fmt.Sprintf("unknown scope %q", clip(t.Scope)), "want full or read")
	case !t.Expires.IsZero() && !t.Expires.After(s.now()):
		return apitype.Token{}, invalid("expires", t.Expires.Format(time.RFC3339), "the token would have expired already", "")
	}
	act := actOwnTokens
	if t.Account != p.Account {
		act = actWriteSettings
	}
	id, secret := rand.Text()[:12], rand.Text()
	sum := sha256.Sum256([]byte(secret))
	rec := store.Token{ID: id, Name: name, Account: t.Account, Scope: t.Scope, Hash: sum[:], Created: s.now().UTC(), Expires: t.Expires.UTC()}
	if t.Expires.IsZero() {
		rec.Expires = time.Time{}
	}
	r := request{by: p, act: act, action: "create-token", target: t.Account + " " + name}
	_, err = s.do(ctx, r, func(c *change) error {
		if _, ok := c.st.accounts[t.Account]; !ok {
			return notFound("account", t.Account)
		}
		own := 0
		for _, have := range c.st.tokens {
			if have.Account == t.Account {
				own++
			}
		}
		if own >= tokensPerAccount {
			return conflict("tokens", "", fmt.Sprintf("%s has %d tokens already", t.Account, own), "delete some")
		}
		c.st.tokens[id] = rec
		c.write(func(tx *store.Tx) error { return tx.PutToken(rec) })
		return nil
	})
	return apitype.Token{ID: id, Name: name, Account: t.Account, Scope: t.Scope, Created: rec.Created, Expires: rec.Expires,
		Secret: tokenPrefix + id + "_" + secret}, err
}

// DeleteToken makes a token useless.
func (s *Service) DeleteToken(ctx context.Context, p Principal, id string) error {
	t, ok := s.state.Load().tokens[id]
	if !ok || p.Role != RoleAdmin && t.Account != p.Account {
		return notFound("token", id)
	}
	r := request{by: p, act: actOwnTokens, action: "delete-token", target: t.Account + " " + t.Name}
	_, err := s.do(ctx, r, func(c *change) error {
		if _, ok := c.st.tokens[id]; !ok {
			return notFound("token", id)
		}
		delete(c.st.tokens, id)
		c.write(func(tx *store.Tx) error { return tx.DeleteToken(id) })
		return nil
	})
	return err
}

// dropTokens removes the tokens and callbacks of an account that goes.
func (c *change) dropTokens(account string) {
	c.dropCallbacks(account)
	for id, t := range c.st.tokens {
		if t.Account == account {
			delete(c.st.tokens, id)
			c.write(func(tx *store.Tx) error { return tx.DeleteToken(id) })
		}
	}
}
