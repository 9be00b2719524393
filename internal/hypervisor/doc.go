// Package hypervisor is the one domain service of govisor: what there is
// (slices, flowspace, datapaths, accounts, settings), who may change it, and
// how a change becomes true.
//
// A change is validated against the present state, written to the store in one
// transaction together with its audit entry, published to the sessions of the
// datapaths it touches, and only then answered. The state is immutable behind
// an atomic pointer: readers take no lock and see what was last answered.
//
// Lock order: Service.mu, then Service.reg. Sessions are called with both held
// and must not call back.
package hypervisor
