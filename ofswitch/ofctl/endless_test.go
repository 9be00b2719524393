package ofctl

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// TestEndlessStatistics: a switch that says in every part that there are more.
func TestEndlessStatistics(t *testing.T) {
	t.Parallel()
	empty := &of10.StatsReply{StatsType: of10.StatsFlow, Flags: of10.StatsReplyMore, Body: of10.FlowStatsReply(nil)}
	flow := &of10.StatsReply{StatsType: of10.StatsFlow, Flags: of10.StatsReplyMore, Body: of10.FlowStatsReply{{Priority: 1}}}
	for name, tc := range map[string]struct {
		part         *of10.StatsReply
		bytes, parts int
		want         string
	}{
		"bytes":       {flow, 10_000, 1 << 30, "more than 10000 bytes"},
		"parts":       {flow, 1 << 30, 100, "more than 100 parts"},
		"empty parts": {empty, 1 << 30, 100, "more than 100 parts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			done := make(chan error, 1)
			go func() {
				defer far.Close()
				done <- func() error {
					r := ofwire.NewReader(far, 1<<10)
					hello, err := r.Next()
					if err != nil {
						return err
					}
					if _, err := far.Write(hello); err != nil {
						return err
					}
					b, err := r.Next()
					if err != nil {
						return err
					}
					part := *tc.part
					part.XID = of10.XID(b)
					text, err := part.AppendBinary(nil)
					for sent := 0; err == nil; sent++ {
						if _, err = far.Write(text); sent > 1000 {
							return errors.New("it takes no end")
						}
					}
					return nil // the client has enough
				}()
			}()
			c, err := NewClient(t.Context(), near)
			if err != nil {
				t.Fatal(err)
			}
			if c.mostBytes != mostBytes || c.mostParts != mostParts {
				t.Errorf("limits %d and %d", c.mostBytes, c.mostParts)
			}
			c.mostBytes, c.mostParts = tc.bytes, tc.parts
			_, err = c.Stats(of10.StatsFlow, of10.FlowStatsRequest{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("want %q, got %v", tc.want, err)
			}
			c.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
