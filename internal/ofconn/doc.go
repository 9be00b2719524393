// Package ofconn runs one OpenFlow connection: one goroutine reads and hands
// frames to a handler in place, one writes; output is bounded, batched and
// counted; a silent peer is probed and given up. It also dials, listens and
// agrees on the version. It knows nothing of what the messages mean.
package ofconn
