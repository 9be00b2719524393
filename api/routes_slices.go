package api

import (
	"net/http"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
)

func (s *Server) sliceRoutes() []route {
	one, health, stats := typeOf[apitype.Slice](), typeOf[apitype.SliceHealth](), typeOf[apitype.MessageStats]()
	return []route{
		{method: http.MethodGet, path: "/slices", summary: "slices the caller may see", query: pageParams, out: typeOf[apitype.List[apitype.Slice]](), serve: s.listSlices},
		{method: http.MethodPost, path: "/slices", summary: "make a slice", in: typeOf[apitype.SliceCreate](), out: one, status: http.StatusCreated, serve: s.createSlice},
		{method: http.MethodGet, path: "/slices/{slice}", summary: "one slice", out: one, serve: s.getSlice},
		{method: http.MethodPatch, path: "/slices/{slice}", summary: "change a slice; If-Match is honoured", in: typeOf[apitype.SliceUpdate](), out: one, serve: s.patchSlice},
		{method: http.MethodDelete, path: "/slices/{slice}", summary: "remove a slice and all that is its own; If-Match is honoured", serve: s.deleteSlice},
		{method: http.MethodPost, path: "/slices/{slice}/enable", summary: "start a slice", out: one, serve: s.switchSlice(true)},
		{method: http.MethodPost, path: "/slices/{slice}/disable", summary: "stop a slice; its configuration stays", out: one, serve: s.switchSlice(false)},
		{method: http.MethodPut, path: "/slices/{slice}/password", summary: "set the slice account's password", in: typeOf[apitype.PasswordUpdate](), serve: s.setPassword("slice")},
		{method: http.MethodGet, path: "/slices/{slice}/flowspace", summary: "rules that grant the slice anything", query: pageParams, out: typeOf[apitype.List[apitype.Rule]](), serve: s.sliceFlowspace},
		{method: http.MethodGet, path: "/slices/{slice}/health", summary: "sessions of a slice", out: health, serve: s.sliceHealth},
		{method: http.MethodGet, path: "/slices/{slice}/stats", summary: "message counters of a slice", out: stats, serve: s.sliceStats},
		{method: http.MethodGet, path: "/slices/{slice}/limits", summary: "limits of a slice per datapath", query: pageParams, out: typeOf[apitype.List[apitype.SliceLimit]](), serve: s.sliceLimits},
	}
}

// sliceTag is the ETag of a slice's configuration.
func sliceTag(sl hypervisor.Slice) string { return etagOf(sl) }

func (s *Server) sliceAnswer(sl hypervisor.Slice, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answer{body: sliceOut(sl, s.svc.RuleCounts()[sl.Name], s.svc.SliceLimits(sl.Name)), etag: sliceTag(sl)}, nil
}

func (s *Server) listSlices(c *call) (answer, error) {
	counts := s.svc.RuleCounts()
	out := []apitype.Slice{}
	for _, sl := range s.svc.Slices(c.by) {
		out = append(out, sliceOut(sl, counts[sl.Name], s.svc.SliceLimits(sl.Name)))
	}
	return page(c, out)
}

func (s *Server) createSlice(c *call) (answer, error) {
	var in apitype.SliceCreate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	sl, err := s.svc.CreateSlice(c.r.Context(), c.by, specIn(in))
	a, err := s.sliceAnswer(sl, err)
	a.status = http.StatusCreated
	return a, err
}

func (s *Server) getSlice(c *call) (answer, error) {
	return s.sliceAnswer(s.svc.Slice(c.by, c.path("slice")))
}

func (s *Server) patchSlice(c *call) (answer, error) {
	var in apitype.SliceUpdate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	return s.sliceAnswer(s.svc.UpdateSlice(c.r.Context(), c.by, c.path("slice"), patchIn(in), ifMatch(c, sliceTag)))
}

func (s *Server) deleteSlice(c *call) (answer, error) {
	return answer{}, s.svc.RemoveSlice(c.r.Context(), c.by, c.path("slice"), ifMatch(c, sliceTag))
}

func (s *Server) switchSlice(on bool) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		return s.sliceAnswer(s.svc.UpdateSlice(c.r.Context(), c.by, c.path("slice"), hypervisor.SlicePatch{Enabled: &on}, ifMatch(c, sliceTag)))
	}
}

// setPassword serves both /slices/{slice}/password and /accounts/{account}/password.
func (s *Server) setPassword(variable string) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		var in apitype.PasswordUpdate
		if err := c.decode(&in); err != nil {
			return answer{}, err
		}
		return answer{}, s.svc.SetPassword(c.r.Context(), c.by, c.path(variable), in.Password)
	}
}

func (s *Server) sliceFlowspace(c *call) (answer, error) {
	return s.rulePage(c, hypervisor.RuleFilter{Slice: c.path("slice")})
}

func (s *Server) sliceHealth(c *call) (answer, error) {
	h, err := s.svc.SliceHealth(c.by, c.path("slice"))
	return answer{body: h}, err
}

func (s *Server) sliceStats(c *call) (answer, error) {
	st, err := s.svc.SliceStats(c.by, c.path("slice"))
	return answer{body: st}, err
}

func (s *Server) sliceLimits(c *call) (answer, error) {
	name := c.path("slice")
	if _, err := s.svc.Slice(c.by, name); err != nil {
		return answer{}, err
	}
	return page(c, s.svc.SliceLimits(name))
}
