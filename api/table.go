package api

import "net/http"

// table lists every route of the REST API; OpenAPI is made from it.
func (s *Server) table() []route {
	var all []route
	for _, part := range [][]route{s.systemRoutes(), s.sliceRoutes(), s.analysisRoutes(), s.flowspaceRoutes(), s.datapathRoutes(), s.accountRoutes(), s.configRoutes(), s.eventRoutes(), s.callbackRoutes()} {
		all = append(all, part...)
	}
	for i := range all {
		if all[i].status == 0 {
			all[i].status = http.StatusOK
			if all[i].out == nil && all[i].raw == nil {
				all[i].status = http.StatusNoContent
			}
		}
	}
	return all
}
