package api

import (
	"net/http"
	"strconv"

	"github.com/govisor/govisor/api/apitype"
)

func (s *Server) accountRoutes() []route {
	auditParams := append([]param{{"last", "integer", "only the newest so many"}}, pageParams...)
	return []route{
		{method: http.MethodGet, path: "/accounts", summary: "who can log in", query: pageParams, out: typeOf[apitype.List[apitype.Account]](), serve: s.listAccounts},
		{method: http.MethodPost, path: "/accounts", summary: "make a viewer", in: typeOf[apitype.AccountCreate](), out: typeOf[apitype.Account](), status: http.StatusCreated, serve: s.createAccount},
		{method: http.MethodDelete, path: "/accounts/{account}", summary: "remove a viewer", serve: s.deleteAccount},
		{method: http.MethodPut, path: "/accounts/{account}/password", summary: "set a password", in: typeOf[apitype.PasswordUpdate](), serve: s.setPassword("account")},
		{method: http.MethodGet, path: "/tokens", summary: "the caller's tokens, the administrator's: all", query: pageParams, out: typeOf[apitype.List[apitype.Token]](), serve: s.listTokens},
		{method: http.MethodPost, path: "/tokens", summary: "make a token; its secret is only in this answer", in: typeOf[apitype.TokenCreate](), out: typeOf[apitype.Token](), status: http.StatusCreated, serve: s.createToken},
		{method: http.MethodDelete, path: "/tokens/{token}", summary: "make a token useless", serve: s.deleteToken},
		{method: http.MethodGet, path: "/audit", summary: "who changed what, oldest first", query: auditParams, out: typeOf[apitype.List[apitype.AuditEntry]](), serve: s.listAudit},
	}
}

func (s *Server) listAccounts(c *call) (answer, error) {
	accounts, err := s.svc.Accounts(c.by)
	if err != nil {
		return answer{}, err
	}
	return page(c, accounts)
}

func (s *Server) createAccount(c *call) (answer, error) {
	var in apitype.AccountCreate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if in.Role != "" && in.Role != "viewer" {
		return answer{}, bad("role", in.Role, "only viewers are made here", "a slice's account comes with the slice")
	}
	a, err := s.svc.CreateViewer(c.r.Context(), c.by, in.Name, in.Password)
	return answer{body: a, status: http.StatusCreated}, err
}

func (s *Server) deleteAccount(c *call) (answer, error) {
	return answer{}, s.svc.RemoveViewer(c.r.Context(), c.by, c.path("account"))
}

func (s *Server) listTokens(c *call) (answer, error) {
	tokens, err := s.svc.Tokens(c.by)
	if err != nil {
		return answer{}, err
	}
	return page(c, tokens)
}

func (s *Server) createToken(c *call) (answer, error) {
	var in apitype.TokenCreate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	t, err := s.svc.CreateToken(c.r.Context(), c.by, in)
	return answer{body: t, status: http.StatusCreated}, err
}

func (s *Server) deleteToken(c *call) (answer, error) {
	return answer{}, s.svc.DeleteToken(c.r.Context(), c.by, c.path("token"))
}

// listAudit pages by entry id, so that new entries do not shift pages.
func (s *Server) listAudit(c *call) (answer, error) {
	limit, err := c.number("limit", defaultPage, maxPage)
	if err != nil {
		return answer{}, err
	}
	newest, err := c.number("last", 0, 1<<62)
	if err != nil {
		return answer{}, err
	}
	after, err := c.number("after", 0, 1<<62)
	if err != nil {
		return answer{}, err
	}
	limit = max(limit, 1)
	if newest > 0 {
		_, last, err := s.svc.Audit(c.by, 1<<62, 1)
		if err != nil {
			return answer{}, err
		}
		after = max(after, last-min(newest, last))
	}
	entries, last, err := s.svc.Audit(c.by, after, int(limit))
	if err != nil {
		return answer{}, err
	}
	out := apitype.List[apitype.AuditEntry]{Items: entries, Total: int(last)}
	if n := len(entries); n > 0 && entries[n-1].ID < last {
		out.Next = strconv.FormatUint(entries[n-1].ID, 10)
	}
	return answer{body: out}, nil
}
