package hypervisor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/store"
	"github.com/govisor/govisor/ofwire"
)

func (st *state) exportCallbacks() (out []apitype.CallbackConfig) {
	for _, cb := range st.callbacks {
		out = append(out, apitype.CallbackConfig(cb))
	}
	return out
}

func (st *state) exportTokens() (out []apitype.TokenConfig) {
	for _, id := range slices.Sorted(maps.Keys(st.tokens)) {
		t := st.tokens[id]
		out = append(out, apitype.TokenConfig{ID: t.ID, Name: t.Name, Account: t.Account, Scope: t.Scope, SecretHash: hex.EncodeToString(t.Hash),
			Created: t.Created, Expires: t.Expires})
	}
	return out
}

// callbacks makes the callbacks those of the configuration, if it has any. Those of
// a slice that goes, go with it later.
func (a *applier) callbacks() {
	var list []store.Callback
	for i, want := range a.cfg.Callbacks {
		cb := Callback(want)
		err := cb.check()
		if _, known := a.c.st.accounts[cb.Account]; !known && err == nil {
			err = invalid("account", cb.Account, fmt.Sprintf("unknown account %q", clip(cb.Account)), "")
		}
		if cb.DPID != "" && err == nil {
			if id, bad := ofwire.ParseDatapathID(cb.DPID); bad != nil {
				err = invalid("dpid", cb.DPID, bad.Error(), "")
			} else {
				cb.DPID = id.String()
			}
		}
		if err != nil {
			a.fault("callbacks", i, err)
			continue
		}
		list = append(list, store.Callback(cb))
	}
	if a.cfg.Callbacks != nil && !slices.Equal(list, a.c.st.callbacks) {
		a.c.putCallbacks(list)
		a.differ("change", "callbacks", "callbacks", fmt.Sprint(len(a.was.callbacks)), fmt.Sprint(len(list)))
	}
}

// tokens makes the tokens those of the configuration, if it has any.
func (a *applier) tokens() {
	if a.cfg.Tokens == nil {
		return
	}
	next := map[string]store.Token{}
	for i, want := range a.cfg.Tokens {
		t, err := a.token(want)
		if _, twice := next[want.ID]; twice && err == nil {
			err = conflict("id", want.ID, "the token is there twice", "")
		}
		if err != nil {
			a.fault("tokens", i, err)
			continue
		}
		next[t.ID] = t
	}
	before, err1 := json.Marshal(a.c.st.exportTokens())
	after, err2 := json.Marshal((&state{tokens: next}).exportTokens())
	if err1 == nil && err2 == nil && string(before) == string(after) {
		return
	}
	a.differ("change", "tokens", "tokens", fmt.Sprint(len(a.was.tokens)), fmt.Sprint(len(next)))
	for id := range a.c.st.tokens {
		if _, ok := next[id]; !ok {
			a.c.write(func(tx *store.Tx) error { return tx.DeleteToken(id) })
		}
	}
	for _, t := range next {
		a.c.write(func(tx *store.Tx) error { return tx.PutToken(t) })
	}
	a.c.st.tokens = next
}

func (a *applier) token(want apitype.TokenConfig) (t store.Token, err error) {
	hash, bad := hex.DecodeString(want.SecretHash)
	switch _, known := a.c.st.accounts[want.Account]; {
	case want.ID == "" || len(want.ID) > 64:
		return t, invalid("id", want.ID, "the token has no proper id", "")
	case !known:
		return t, invalid("account", want.Account, fmt.Sprintf("unknown account %q", clip(want.Account)), "")
	case want.Scope != string(ScopeFull) && want.Scope != string(ScopeRead):
		return t, invalid("scope", want.Scope, fmt.Sprintf("unknown scope %q", clip(want.Scope)), "want full or read")
	case bad != nil || len(hash) != sha256.Size:
		return t, invalid("secret_hash", "", "the hash of the secret cannot be read", "")
	}
	name, err := checkText("name", want.Name, maxContact)
	return store.Token{ID: want.ID, Name: name, Account: want.Account, Scope: want.Scope, Hash: hash, Created: want.Created.UTC(), Expires: want.Expires}, err
}
