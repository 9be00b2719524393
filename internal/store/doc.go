// Package store keeps govisor's configuration in one bbolt file, and is the
// only package that uses bbolt.
//
// A change is one transaction, on disk when Update returns. Records are types
// of this package, written so that a later version can read them: rules in a
// compact binary form (there may be a million), everything else as JSON. The
// meta bucket holds the version of the whole layout.
package store
