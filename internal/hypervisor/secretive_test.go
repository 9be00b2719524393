package hypervisor_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// A switch that does not tell which flows it has has told of its ports all the same.
func TestPortsOfSecretiveSwitch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hypervisor.SwitchOptions{EchoInterval: -1})
		ours, theirs := ofwire.Pipe()
		w.wg.Go(func() { _ = w.switches.ServeConn(w.ctx, ours) })
		context.AfterFunc(w.ctx, func() { _ = theirs.Close() })
		say := func(m of10.Message) {
			b, err := m.AppendBinary(nil)
			if err != nil {
				t.Error(err)
			}
			_, _ = theirs.Write(b)
		}
		say(&of10.Hello{XID: 1})
		w.wg.Go(func() {
			r := ofwire.NewReader(theirs, 4096)
			for {
				frame, err := r.Next()
				if err != nil {
					return
				}
				switch m, _ := of10.Parse(frame); m := m.(type) {
				case *of10.FeaturesRequest:
					say(&of10.FeaturesReply{XID: m.XID, DatapathID: 2, NTables: 1, Actions: of10.AllActions, Ports: []of10.PhyPort{{PortNo: 1, Name: "p1"}}})
				case *of10.BarrierRequest:
					say(&of10.BarrierReply{XID: m.XID})
				}
			}
		})
		ports := func() (names []string) {
			d, err := w.svc.Datapath(hypervisor.Local(), 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range d.Ports {
				names = append(names, p.Name)
			}
			return names
		}
		bubble.Sleep(5 * time.Second)
		say(&of10.PortStatus{Reason: of10.PortAdded, Desc: of10.PhyPort{PortNo: 2, Name: "p2"}})
		bubble.Sleep(time.Second)
		want := []string{"p1", "p2"}
		if diff := cmp.Diff(want, ports()); diff != "" {
			t.Fatal(diff)
		}
		bubble.Sleep(10 * time.Second)
		if diff := cmp.Diff(want, ports()); diff != "" {
			t.Errorf("when its flows have been given up:\n%s", diff)
		}
	})
}
