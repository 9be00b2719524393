package ofconn_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

func TestHandshake(t *testing.T) {
	t.Parallel()
	hello13 := "04000010 00000007 00010008 %s"
	tests := []struct {
		name, input string // hexadecimal
		hangUp      bool
		want        string // part of the error, "" for agreement
		after       time.Duration
	}{
		{name: "1.0", input: "0100000800000001"},
		{name: "1.0, whose body means nothing", input: "01000010 00000007 00010008 00000010"},
		{name: "1.3 without bitmap", input: "0400000800000001"},
		{name: "1.3 and 1.0 in the bitmap", input: strings.Replace(hello13, "%s", "00000012", 1)},
		{name: "unknown element, then nothing", input: "04000010 00000007 00770008 ffffffff"},
		{name: "an element that lies about its length", input: "04000010 00000007 0001ffff 00000012"},
		{name: "1.3 only", input: strings.Replace(hello13, "%s", "00000010", 1), want: "does not offer OpenFlow 1.0 (its HELLO has version 0x04)"},
		{name: "version 0", input: "0000000800000001", want: "does not offer OpenFlow 1.0 (its HELLO has version 0x00)"},
		{name: "HTTP", input: hex.EncodeToString([]byte("GET / HTTP/1.1\r\n\r\n")), want: `peer speaks HTTP, not OpenFlow ("GET / HT")`},
		{name: "TLS of a client", input: "16030101 24010001", want: "peer speaks TLS, and this connection is without (pssl: and ssl: are with it)"},
		{name: "a TLS server's alert", input: "15030300 020246", hangUp: true, want: "peer speaks TLS"},
		{name: "features_reply first", input: "0106000800000001", want: "first message is not a HELLO"},
		{name: "a length below the header", input: "0100000700000001", want: "impossible HELLO of 7 bytes"},
		{name: "endless", input: "0100ffff00000001", want: "impossible HELLO of 65535 bytes"},
		{name: "half a header", input: "01000008", want: "no complete HELLO in time, after 4 bytes", after: 5 * time.Second},
		{name: "half a body", input: "0400001000000001 0001", want: "no complete HELLO in time, after 10 bytes", after: 5 * time.Second},
		{name: "nothing", want: "no complete HELLO in time, after 0 bytes", after: 5 * time.Second},
		{name: "hangs up", hangUp: true, want: "connection ended after 0 bytes"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			ours, peer := ofwire.Pipe()
			defer peer.Close()
			defer ours.Close()
			b, err := hex.DecodeString(strings.ReplaceAll(tt.input, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			send(t, peer, b)
			if tt.hangUp {
				_ = peer.Close()
			}
			begin := time.Now()
			err = ofconn.Handshake(t.Context(), ours, 5*time.Second)
			if got := time.Since(begin); got != tt.after {
				t.Errorf("%s: took %v, want %v", tt.name, got, tt.after)
			}
			var he *ofconn.HandshakeError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("%s: %v", tt.name, err)
			case tt.want != "" && (!errors.As(err, &he) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%s: error %v, want it to say %q", tt.name, err, tt.want)
			}
			if tt.hangUp {
				return
			}
			if diff := cmp.Diff([]byte{1, 0, 0, 8, 0, 0, 0, 1}, readFrame(t, peer)); diff != "" {
				t.Errorf("%s: our HELLO (-want +got):\n%s", tt.name, diff)
			}
			if strings.HasPrefix(tt.want, "does not offer") {
				got := readFrame(t, peer)
				if got[1] != typeError || got[9] != 0 || got[11] != 0 || xid(got) != xid(b) {
					t.Errorf("%s: got %x, want HELLO_FAILED/INCOMPATIBLE with the HELLO's xid", tt.name, got)
				}
			}
		})
	}
}

func TestHandshakeLeavesTheNextMessageAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, peer := ofwire.Pipe()
		defer peer.Close()
		send(t, peer, msg(0, 1, 8), msg(typeFlowMod, 5, 72))
		if err := ofconn.Handshake(t.Context(), ours, time.Second); err != nil {
			t.Fatal(err)
		}
		bubble.Sleep(time.Minute) // the deadline is gone
		if got := readFrame(t, ours); xid(got) != 5 {
			t.Errorf("next message is %x", got)
		}
	})
}

func TestHandshakeStopsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, peer := ofwire.Pipe()
		defer peer.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- ofconn.Handshake(ctx, ours, time.Hour) }()
		synctest.Wait()
		cancel()
		if err := <-done; err == nil {
			t.Error("Handshake succeeded without a peer")
		}
	})
}
