package ofconn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/govisor/govisor/ofwire"
)

// maxHello bounds the first message of a peer: a longer one is no HELLO.
const maxHello = 4096

// HandshakeError says in one line why a peer was turned away before it was known.
type HandshakeError struct {
	Reason string
	Err    error // the cause, if there is one
}

func (e *HandshakeError) Error() string {
	if e.Err == nil {
		return "handshake: " + e.Reason
	}
	return "handshake: " + e.Reason + ": " + e.Err.Error()
}

func (e *HandshakeError) Unwrap() error { return e.Err }

// ErrNothingSaid is the end of a connection on which the peer said nothing: it only looked whether
// somebody listens.
var ErrNothingSaid = &HandshakeError{Reason: "connection ended after 0 bytes"}

// Handshake completes TLS if nc is a TLS connection, exchanges HELLOs and agrees
// on OpenFlow 1.0, all within timeout. A peer that cannot speak 1.0 is told so
// (HELLO_FAILED). It leaves nc without deadlines and does not close it.
func Handshake(ctx context.Context, nc net.Conn, timeout time.Duration) error {
	if err := nc.SetDeadline(time.Now().Add(timeout)); err != nil {
		return &HandshakeError{Reason: "connection is gone", Err: err}
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	err := exchange(nc)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return nc.SetDeadline(time.Time{})
}

func exchange(nc net.Conn) error {
	// A peer on a full or unread connection must not keep us from reading.
	hello := make(chan error, 1)
	go func() {
		_, err := nc.Write([]byte{ofwire.Version10, typeHello, 0, 8, 0, 0, 0, 1})
		hello <- err
	}()
	peer, err := readHello(nc)
	sent := <-hello // within the deadline
	if err != nil {
		return err
	}
	if sent != nil {
		return &HandshakeError{Reason: "cannot send HELLO", Err: sent}
	}
	if _, err := ofwire.Negotiate(peer, ofwire.Version10); err == nil {
		return nil
	}
	_, _ = nc.Write(helloFailed(peer))
	return &HandshakeError{Reason: fmt.Sprintf("peer does not offer OpenFlow 1.0 (its HELLO has version 0x%02x)", peer[0])}
}

// readHello reads the peer's first message, and nothing behind it. Anything but
// a HELLO is found out by its first eight bytes.
func readHello(nc net.Conn) ([]byte, error) {
	b := make([]byte, ofwire.HeaderLen, 64)
	n, err := io.ReadFull(nc, b)
	switch {
	case n >= 4 && looksLikeHTTP(b[:n]):
		return nil, &HandshakeError{Reason: fmt.Sprintf("peer speaks HTTP, not OpenFlow (%q)", b[:n])}
	case n >= 3 && looksLikeTLS(b[:n]):
		return nil, &HandshakeError{Reason: "peer speaks TLS, and this connection is without (pssl: and ssl: are with it)"}
	case n >= 2 && b[1] != typeHello:
		return nil, &HandshakeError{Reason: fmt.Sprintf("first message is not a HELLO (% x)", b[:n])}
	case n == 0 && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return nil, ErrNothingSaid
	case err != nil:
		return nil, &HandshakeError{Reason: fmt.Sprintf("%s after %d bytes", waited(err), n), Err: plain(err)}
	}
	size := int(binary.BigEndian.Uint16(b[2:4]))
	if size < ofwire.HeaderLen || size > maxHello {
		return nil, &HandshakeError{Reason: fmt.Sprintf("impossible HELLO of %d bytes", size)}
	}
	b = append(b, make([]byte, size-ofwire.HeaderLen)...)
	if n, err := io.ReadFull(nc, b[ofwire.HeaderLen:]); err != nil {
		return nil, &HandshakeError{Reason: fmt.Sprintf("%s after %d bytes", waited(err), n+ofwire.HeaderLen), Err: plain(err)}
	}
	return b, nil
}

func waited(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "no complete HELLO in time,"
	}
	return "connection ended"
}

// plain drops the two errors that waited already says.
func plain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func looksLikeHTTP(b []byte) bool {
	switch string(b[:4]) {
	case "GET ", "POST", "HEAD", "PUT ", "DELE", "OPTI", "PATC", "CONN", "PRI ", "HTTP":
		return true
	}
	return false
}

// looksLikeTLS knows the header of a record, of any kind and version.
func looksLikeTLS(b []byte) bool { return b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4 }

// helloFailed is the OFPT_ERROR HELLO_FAILED/INCOMPATIBLE for a peer's HELLO.
func helloFailed(hello []byte) []byte {
	const text = "govisor speaks OpenFlow 1.0 (version 0x01) only"
	b := make([]byte, 12, 12+len(text))
	b[0], b[1] = ofwire.Version10, typeError
	binary.BigEndian.PutUint16(b[2:4], uint16(12+len(text)))
	copy(b[4:8], hello[4:8])
	return append(b, text...)
}
