// Package uring makes many system calls with one, where Linux has io_uring and lets
// govisor use it. What is sent with one call costs less by the way into the kernel and
// back for each, and whoever it wakes does not come between.
//
// Nothing here waits: a send that the socket does not take at once says so, as it
// would without a ring. So a ring needs no goroutine, no thread of its own and no
// buffers registered with the kernel, and a caller without one just sends by itself.
package uring

import "errors"

// ErrUnsupported is why there is no ring: another system, an old kernel, or a rule
// against it (sysctl kernel.io_uring_disabled, the seccomp profile of a container).
var ErrUnsupported = errors.New("io_uring is not available")
