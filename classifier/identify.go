package classifier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// maxUnidentified is how many messages a switch may send before it says who it is.
const maxUnidentified = 1000

// Identify agrees on the version and asks the switch on nc who it is, all within
// timeout. It reads nothing behind the FEATURES_REPLY and does not close nc. The
// error is one line for the log.
func Identify(ctx context.Context, nc net.Conn, timeout time.Duration) (*of10.FeaturesReply, error) {
	deadline := time.Now().Add(timeout)
	if err := ofconn.Handshake(ctx, nc, timeout); err != nil {
		return nil, err
	}
	if err := nc.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("identify switch: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	features, err := askFeatures(nc)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("identify switch: %w", err)
	}
	return features, nc.SetDeadline(time.Time{})
}

func askFeatures(nc net.Conn) (*of10.FeaturesReply, error) {
	if _, err := nc.Write([]byte{ofwire.Version10, uint8(of10.TypeFeaturesRequest), 0, 8, 0, 0, 0, 2}); err != nil {
		return nil, err
	}
	for range maxUnidentified {
		frame, err := readFrame(nc)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, errors.New("no FEATURES_REPLY in time")
		case err != nil:
			return nil, err
		}
		switch of10.Type(frame[1]) {
		case of10.TypeFeaturesReply:
			features := new(of10.FeaturesReply)
			if err := features.UnmarshalBinary(frame); err != nil {
				return nil, err
			}
			return features, nil
		case of10.TypeEchoRequest:
			frame[1] = uint8(of10.TypeEchoReply)
			if _, err := nc.Write(frame); err != nil {
				return nil, err
			}
		case of10.TypeError:
			if msg, err := of10.Parse(frame); err == nil {
				return nil, fmt.Errorf("switch answers with %v", msg)
			}
		}
		// Whatever else a switch says before it is known, it says again when asked.
	}
	return nil, fmt.Errorf("%d messages and no FEATURES_REPLY", maxUnidentified)
}

// readFrame reads exactly one message of version 1.0.
func readFrame(nc net.Conn) ([]byte, error) {
	b := make([]byte, ofwire.HeaderLen, 256)
	if _, err := io.ReadFull(nc, b); err != nil {
		return nil, err
	}
	h, err := ofwire.ParseHeader(b)
	if err != nil {
		return nil, err
	}
	if h.Version != ofwire.Version10 {
		return nil, fmt.Errorf("message of version 0x%02x after agreeing on 1.0", h.Version)
	}
	b = append(b, make([]byte, int(h.Length)-ofwire.HeaderLen)...)
	if _, err := io.ReadFull(nc, b[ofwire.HeaderLen:]); err != nil {
		return nil, err
	}
	return b, nil
}
