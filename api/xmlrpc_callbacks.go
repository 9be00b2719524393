package api

import "github.com/govisor/govisor/internal/hypervisor"

// topologyChange is the event of the callback that an account has one of.
const topologyChange = "GENERAL"

func xmlRegister(s *Server, c *rpcCall, a []string) (any, error) {
	return true, s.svc.RegisterCallback(c.ctx, c.by, hypervisor.Callback{URL: a[0], Method: a[1], Cookie: a[2], Event: topologyChange}, true)
}

func xmlTopologyCallback(s *Server, c *rpcCall, _ []string) (any, error) {
	for _, cb := range s.svc.Callbacks(c.by) {
		if cb.Account == c.by.Account && cb.Event == topologyChange {
			return cb.URL + " -- XMLRPC method name=" + cb.Method, nil
		}
	}
	return "No callback defined yet", nil
}

func xmlUnregister(s *Server, c *rpcCall, _ []string) (any, error) {
	return s.svc.UnregisterEvent(c.ctx, c.by, topologyChange)
}
