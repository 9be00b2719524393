// Package limits holds what a slice may use: rates as token buckets and numbers
// of flows as counters. A limit that is not set costs one comparison.
package limits
