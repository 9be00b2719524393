package hypervisor

import "github.com/govisor/govisor/internal/store"

// Role is what an account is for.
type Role string

// The roles.
const (
	RoleAdmin  Role = "admin"
	RoleSlice  Role = "slice"
	RoleViewer Role = "viewer"
)

// Scope narrows what a token may do below its account.
type Scope string

// The scopes.
const (
	ScopeFull Scope = "full"
	ScopeRead Scope = "read"
)

// Principal is who asks. The zero value may do nothing.
type Principal struct {
	Account string
	Role    Role
	Scope   Scope
	Via     string // password, token, socket, certificate
	From    string // address, for the audit log
	// Generation is that of the slice whose account it is: who logged in before it was
	// made again is not of the new one. 0 means whichever there is.
	Generation uint64
	// Token is the id of the token that proved it, if one did: it may do nothing once
	// that is gone.
	Token string
}

// Local is the principal of the unix socket: whoever may open it is the
// administrator.
func Local() Principal {
	return Principal{Account: AdminName, Role: RoleAdmin, Scope: ScopeFull, Via: "socket", From: "socket"}
}

// login makes the principal of an account.
func (st *state) login(a store.Account, scope Scope, via, from string) Principal {
	p := Principal{Account: a.Name, Role: Role(a.Role), Scope: scope, Via: via, From: from}
	if s := st.slices[a.Name]; s != nil {
		p.Generation = s.Generation
	}
	return p
}

// action is something that needs permission.
type action uint8

const (
	actReadSystem action = iota // version, health, settings, own identity
	actReadSlice                // of a target slice
	actReadShared               // what is filtered to the caller's part: flowspace, datapaths, links, events
	actReadAudit
	actReadConfig
	actWriteSlice    // of a target slice: controllers, contact, password
	actGovernSlice   // of a target slice: enable, raise limits
	actRemoveSlice   // of a target slice
	actCreateSlice   //
	actWriteRules    //
	actWriteSettings // and datapaths, accounts, import, snapshots
	actOwnTokens     // the caller's own
)

// reading actions are all that a token of scope read has.
func (a action) reading() bool { return a <= actReadConfig }

// allowed is the one place that decides who may do what. target is the slice
// concerned, if the action has one.
func (st *state) allowed(p Principal, a action, target string) bool {
	if p.Scope != ScopeFull && !(p.Scope == ScopeRead && a.reading()) {
		return false
	}
	if _, ok := st.tokens[p.Token]; p.Token != "" && !ok {
		return false
	}
	switch p.Role {
	case RoleAdmin:
		return true
	case RoleViewer:
		return st.accounts[p.Account].Role == string(RoleViewer) &&
			(a == actReadSystem || a == actReadSlice || a == actReadShared || a == actOwnTokens)
	case RoleSlice:
		if own := st.slices[p.Account]; own == nil || p.Generation != 0 && p.Generation != own.Generation {
			return false
		}
		switch a {
		case actReadSystem, actReadShared, actOwnTokens:
			return true
		case actReadSlice, actWriteSlice, actRemoveSlice:
			return target == p.Account || st.created(p.Account, target)
		case actGovernSlice:
			return st.created(p.Account, target)
		case actCreateSlice, actWriteRules: // each rule is looked at as well
			return st.delegates(p.Account)
		}
	}
	return false
}

// created reports whether the slice target was made by account, or by a slice
// that was.
func (st *state) created(account, target string) bool {
	return account != target && st.descends(account, target)
}

// descends is created for a chain that may be a circle, which only a bad import has.
func (st *state) descends(account, target string) bool {
	s := st.slices[target]
	for range len(st.slices) {
		if s == nil {
			return false
		}
		if s.Creator == account {
			return true
		}
		s = st.slices[s.Creator]
	}
	return false
}

// seesAll reports whether listings are not narrowed for p.
func (p Principal) seesAll() bool { return p.Role == RoleAdmin || p.Role == RoleViewer }
