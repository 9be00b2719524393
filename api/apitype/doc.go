// Package apitype holds the JSON types of govisor's REST API, version 1.
//
// They are the contract between the server (package api), the client (package
// api/client) and anybody's program. They are plain data: the domain's own
// types live in flowspace and internal/hypervisor and are converted at the edge.
//
// Datapath ids are text ("00:00:00:00:00:00:00:01", or "any"), limits use -1
// for "no limit", times are RFC 3339 in UTC, and unknown fields in a request
// are refused by name.
package apitype
