// Package api serves govisor's management over HTTP: REST under /api/v1, and
// FlowVisor's JSON-RPC everywhere else. Both are thin: they translate between
// their formats and internal/hypervisor, which decides.
package api
