// Package fvctl is the command line of govisor: everything the API can do.
//
// FlowVisor's two generations of commands are both understood as their users
// typed them, camelCase (createSlice, addFlowSpace) and hyphenated (add-slice,
// add-flowspace), with the options of both; what is new has names of its own
// (status, apply, trace). Results go to standard output, everything else to
// standard error, and the exit code says what kind of failure it was.
//
// The package talks to the server through api/client only.
package fvctl
