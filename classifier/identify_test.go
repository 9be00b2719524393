package classifier_test

import (
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/classifier"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// hello, features and so on are what a switch says, in hexadecimal.
const (
	hello    = "0100000800000001"
	features = "01060020 00000002 0000000000000abc 00000100 01000000 000000c7 00000fff"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, input string
		want        string // part of the error; "" for success
		after       time.Duration
	}{
		{name: "a switch", input: hello + features},
		{name: "one that also speaks 1.3", input: "040000100000000100010008 00000012" + features},
		{name: "one that chats before", input: hello + "0102000c00000009 61626364" + "01030008 00000001" + "0104000c00000003 00002320" + features},
		{name: "no features", input: hello, want: "identify switch: no FEATURES_REPLY in time", after: 5 * time.Second},
		{name: "only echo requests", input: hello + strings.Repeat("0102000800000001", 2000), want: "1000 messages and no FEATURES_REPLY"},
		{name: "half the features", input: hello + features[:44], want: "no FEATURES_REPLY in time", after: 5 * time.Second},
		{name: "features cut short", input: hello + "0106000c 00000002 00000000", want: "identify switch:"},
		{name: "an error", input: hello + "0101000c 00000002 00010001", want: "identify switch: switch answers with"},
		{name: "another version afterwards", input: hello + "0406000800000002", want: "message of version 0x04"},
		{name: "an impossible length", input: hello + "0106000400000002", want: "bad length"},
		{name: "nothing", want: "no complete HELLO in time", after: 5 * time.Second},
		{name: "HTTP", input: hex.EncodeToString([]byte("POST / HTTP/1.0\r\n\r\n")), want: "peer speaks HTTP"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			ours, peer := ofwire.Pipe()
			b, err := hex.DecodeString(strings.ReplaceAll(tt.input, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			go func() { _, _ = peer.Write(b) }()
			got, err := classifier.Identify(t.Context(), ours, 5*time.Second)
			if d := time.Since(begin); d != tt.after {
				t.Errorf("%s: took %v, want %v", tt.name, d, tt.after)
			}
			_ = ours.Close()
			said, _ := io.ReadAll(peer)
			switch {
			case tt.want != "":
				if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s: error %v, want one line that says %q", tt.name, err, tt.want)
				}
				return
			case err != nil:
				t.Errorf("%s: %v", tt.name, err)
				return
			}
			want := &of10.FeaturesReply{XID: 2, DatapathID: 0xabc, NBuffers: 256, NTables: 1, Capabilities: 0xc7, Actions: 0xfff}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: features (-want +got):\n%s", tt.name, diff)
			}
			if !strings.HasPrefix(hex.EncodeToString(said), "01000008000000010105000800000002") {
				t.Errorf("%s: we said %x, want HELLO and FEATURES_REQUEST first", tt.name, said)
			}
			if strings.Contains(tt.name, "chats") && !strings.Contains(hex.EncodeToString(said), "0103000c0000000961626364") {
				t.Errorf("%s: the echo request was not answered: %x", tt.name, said)
			}
		})
	}
}
