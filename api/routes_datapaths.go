package api

import (
	"net/http"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

func (s *Server) datapathRoutes() []route {
	one, flows := typeOf[apitype.Datapath](), typeOf[apitype.List[apitype.Flow]]()
	return []route{
		{method: http.MethodGet, path: "/datapaths", summary: "connected and configured datapaths", query: pageParams, out: typeOf[apitype.List[apitype.Datapath]](), serve: s.listDatapaths},
		{method: http.MethodGet, path: "/datapaths/{dpid}", summary: "one datapath", out: one, serve: s.getDatapath},
		{method: http.MethodPatch, path: "/datapaths/{dpid}", summary: "change what is configured for a datapath; If-Match is honoured", in: typeOf[apitype.DatapathUpdate](), out: one, serve: s.patchDatapath},
		{method: http.MethodGet, path: "/datapaths/{dpid}/ports", summary: "ports of a datapath", query: pageParams, out: typeOf[apitype.List[apitype.Port]](), serve: s.listPorts},
		{method: http.MethodGet, path: "/datapaths/{dpid}/stats", summary: "message counters of a datapath", out: typeOf[apitype.MessageStats](), serve: s.datapathStats},
		{method: http.MethodGet, path: "/datapaths/{dpid}/flows", summary: "flows govisor holds in the switch", query: pageParams, out: flows, serve: s.datapathFlows},
		{method: http.MethodGet, path: "/datapaths/{dpid}/slices/{slice}/flows", summary: "flows a slice believes to have", query: pageParams, out: flows, serve: s.sliceFlows},
		{method: http.MethodGet, path: "/datapaths/{dpid}/limits/{slice}", summary: "limits of a slice on a datapath", out: typeOf[apitype.SliceLimit](), serve: s.getLimits},
		{method: http.MethodPut, path: "/datapaths/{dpid}/limits/{slice}", summary: "change the limits of a slice on a datapath; If-Match is honoured", in: typeOf[apitype.LimitsUpdate](), out: typeOf[apitype.SliceLimit](), serve: s.putLimits},
	}
}

func (s *Server) listDatapaths(c *call) (answer, error) { return page(c, s.svc.Datapaths(c.by)) }

// datapathTag is the ETag of what is configured for a datapath: its state is not part of it.
func datapathTag(d apitype.DatapathConfig) string { return etagOf(d) }

func limitTag(l apitype.SliceLimit) string { return etagOf(l) }

func (s *Server) datapathAnswer(c *call, id ofwire.DatapathID) (answer, error) {
	conf, err := s.svc.DatapathConfig(c.by, id)
	if err != nil {
		return answer{}, err
	}
	d, err := s.svc.Datapath(c.by, id)
	return answer{body: d, etag: datapathTag(conf)}, err
}

func (s *Server) getDatapath(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	a, err := s.datapathAnswer(c, id)
	if c.r.Header.Get("If-None-Match") != "" { // the state may have changed
		a.etag = ""
	}
	return a, err
}

func (s *Server) patchDatapath(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	var in apitype.DatapathUpdate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	if err := s.svc.UpdateDatapath(c.r.Context(), c.by, id, hypervisor.DatapathPatch(in), ifMatch(c, datapathTag)); err != nil {
		return answer{}, err
	}
	a, err := s.datapathAnswer(c, id)
	if err != nil { // nothing is configured any more, and it is not connected
		a = answer{body: apitype.Datapath{DPID: id.String(), Ports: []apitype.Port{}, Connections: []apitype.SliceConnection{}, FlowMods: map[string]int{}}}
	}
	return a, nil
}

func (s *Server) listPorts(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	d, err := s.svc.Datapath(c.by, id)
	if err != nil {
		return answer{}, err
	}
	return page(c, d.Ports)
}

func (s *Server) datapathStats(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	st, err := s.svc.DatapathStats(c.by, id)
	return answer{body: st}, err
}

func (s *Server) datapathFlows(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	flows, err := s.svc.DatapathFlows(c.r.Context(), c.by, id)
	if err != nil {
		return answer{}, err
	}
	return page(c, flows)
}

func (s *Server) sliceFlows(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	flows, err := s.svc.SliceFlows(c.r.Context(), c.by, id, c.path("slice"))
	if err != nil {
		return answer{}, err
	}
	return page(c, flows)
}

func (s *Server) getLimits(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	l, err := s.svc.LimitOn(c.by, id, c.path("slice"))
	return answer{body: l, etag: limitTag(l)}, err
}

func (s *Server) putLimits(c *call) (answer, error) {
	id, err := c.dpid()
	if err != nil {
		return answer{}, err
	}
	var in apitype.LimitsUpdate
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	l, err := s.svc.SetLimits(c.r.Context(), c.by, id, c.path("slice"), hypervisor.LimitsPatch(in), ifMatch(c, limitTag))
	return answer{body: l, etag: limitTag(l)}, err
}
