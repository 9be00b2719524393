package api

import (
	"net/http"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

func (s *Server) callbackRoutes() []route {
	one := typeOf[apitype.Callback]()
	return []route{
		{method: http.MethodGet, path: "/callbacks", summary: "the caller's callbacks, the administrator's: all", query: pageParams, out: typeOf[apitype.List[apitype.Callback]](), serve: s.listCallbacks},
		{method: http.MethodPost, path: "/callbacks", summary: "have a URL called when something happens", in: typeOf[apitype.CallbackCreate](), out: one, status: http.StatusCreated, serve: s.createCallback},
		{method: http.MethodDelete, path: "/callbacks/{callback}", summary: "stop calling a URL", serve: s.deleteCallback},
	}
}

func callbackOut(cb hypervisor.Callback) apitype.Callback {
	return apitype.Callback{ID: cb.ID(), Account: cb.Account, URL: cb.URL, Method: cb.Method, Event: cb.Event, Cookie: cb.Cookie, DPID: cb.DPID}
}

func (s *Server) listCallbacks(c *call) (answer, error) {
	out := []apitype.Callback{}
	for _, cb := range s.svc.Callbacks(c.by) {
		out = append(out, callbackOut(cb))
	}
	return page(c, out)
}

func (s *Server) createCallback(c *call) (answer, error) {
	var in apitype.CallbackCreate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	cb := hypervisor.Callback{URL: in.URL, Method: in.Method, Event: in.Event, Cookie: in.Cookie}
	if in.DPID != "" && !isAll(in.DPID) {
		id, err := ofwire.ParseDatapathID(in.DPID)
		if err != nil {
			return answer{}, bad("dpid", in.DPID, err.Error(), "")
		}
		cb.DPID = id.String()
	}
	if err := s.svc.RegisterCallback(c.r.Context(), c.by, cb, false); err != nil {
		return answer{}, err
	}
	cb.Account = c.by.Account
	return answer{body: callbackOut(cb), status: http.StatusCreated}, nil
}

func (s *Server) deleteCallback(c *call) (answer, error) {
	return answer{}, s.svc.RemoveCallback(c.r.Context(), c.by, c.path("callback"))
}
