//go:build linux

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBundledControllers runs each bundled controller on real switches,
// without a hypervisor between.
func TestBundledControllers(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"hub", "hub,mode=flow", "learning", "learning,exact=yes", "shortest-path,interval=1"} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			l := StartLab(t)
			bin, err := binaries()
			if err != nil {
				t.Fatal(err)
			}
			l.Spawn("controller", filepath.Join(bin, "govisor"), "controller", spec, "ptcp:6633:127.0.0.1")
			l.await("listening controller", 10*time.Second, func() error {
				conn, err := l.dialLab(6633)()
				if err == nil {
					conn.Close()
				}
				return err
			})
			// Only the last of them can live with a loop.
			looped := strings.HasPrefix(spec, "shortest-path")
			l.Build(Plan{Switches: 3, Hosts: 2, Port: 6633, Ring: looped})
			l.AwaitConnected()
			if looped {
				l.await("discovered links", 10*time.Second, func() error { return fullMesh(l.PingAll(1), 1) })
			}
			l.PingAll(1)
			if err := fullMesh(l.PingAll(2), 2); err != nil {
				t.Error(err)
			}
			// Only a hub makes no flows for pairs of hosts.
			perPair := noneWith(l.DumpFlows(), l.Hosts["h1s1"].MAC) != nil
			if want := !strings.HasPrefix(spec, "hub"); perPair != want {
				t.Errorf("flows for a pair of hosts: %v, want %v", perPair, want)
			}
		})
	}
}
