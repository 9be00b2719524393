package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

// accountUnit marks certificates that may log in. The same authority signs those
// of switches and controllers, which must not, whatever their names.
const accountUnit = "govisor-account"

type principalKey struct{}

// principal is who sent the request; the zero value may do nothing.
func principal(r *http.Request) hypervisor.Principal {
	p, _ := r.Context().Value(principalKey{}).(hypervisor.Principal)
	return p
}

// open lists what needs no login.
func open(path string) bool {
	switch path {
	case prefix + "/live", prefix + "/ready", prefix + "/openapi.json":
		return true
	}
	return false
}

func (s *Server) guard(who func(*http.Request) (hypervisor.Principal, error)) http.Handler {
	return s.guarded(who, s.handler)
}

// guarded finds out who is calling, sets the headers every answer has, and turns
// a panic into an answer.
func (s *Server) guarded(who func(*http.Request) (hypervisor.Principal, error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // compared as net/http does
				s.log.WithField("panic", v).WithField("path", r.URL.Path).Error("request handler failed")
				s.fail(w, r, errors.New("internal fault"))
			}
		}()
		if r.ContentLength != 0 { // also if nobody wants to read the body
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not on recorders
		}
		if !open(r.URL.Path) {
			p, err := who(r)
			if err != nil {
				s.refuse(w, r, err)
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), principalKey{}, p))
		}
		next.ServeHTTP(w, r)
	})
}

func local(*http.Request) (hypervisor.Principal, error) { return hypervisor.Local(), nil }

// authenticate accepts a password, a token or a verified client certificate.
func (s *Server) authenticate(r *http.Request) (hypervisor.Principal, error) {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return s.svc.LoginToken(strings.TrimSpace(token), from)
	}
	if account, password, ok := r.BasicAuth(); ok {
		return s.svc.Login(r.Context(), account, password, from)
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		subject := r.TLS.VerifiedChains[0][0].Subject
		if !slices.Contains(subject.OrganizationalUnit, accountUnit) {
			return hypervisor.Principal{}, &hypervisor.Error{Kind: apitype.KindUnauthorized, Index: -1,
				Detail: "the certificate is not one to log in with", Hint: "its subject needs OU=" + accountUnit}
		}
		return s.svc.LoginCertificate(subject.CommonName, from)
	}
	return hypervisor.Principal{}, &hypervisor.Error{Kind: apitype.KindUnauthorized, Index: -1,
		Detail: "who are you?", Hint: "send a password (Basic) or a token (Bearer)"}
}

// refuse answers a request without a valid login.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if tooMany, ok := errors.AsType[*hypervisor.TooManyError](err); ok {
		w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.Wait.Seconds())+1))
		err = &hypervisor.Error{Kind: apitype.KindTooMany, Detail: err.Error(), Index: -1}
	} else if hypervisor.KindOf(err) == apitype.KindUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="govisor", charset="UTF-8"`)
	}
	s.fail(w, r, err)
}
