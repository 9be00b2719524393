//go:build unix

package ofconn

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// staleSocket removes the socket file at path if nobody listens on it.
func staleSocket(ctx context.Context, path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		_ = nc.Close()
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED) && os.Remove(path) == nil
}
