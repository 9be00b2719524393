package static_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/static"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire/of10"
)

const file = `
# flows of a small network
priority=10,in_port=1,actions=output:2    # everywhere
dpid=00:00:00:00:00:00:00:01 priority=20,arp,actions=flood
dpid=2 priority=30,ip,nw_src=10.0.0.99/8,actions=drop
`

func key(m of10.Match, priority uint16) string {
	return fmt.Sprintf("%v priority %d", m.String(), priority)
}

func TestInstall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		log := logrus.New()
		log.SetOutput(&logged)
		flows, err := static.Parse(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		c := ofcontroller.New(ofcontroller.Config{Log: logrus.NewEntry(log)})
		if err := static.New(flows).Attach(c); err != nil {
			t.Fatal(err)
		}
		s := switchtest.Connect(t, c, switchtest.Features(2, 3))
		var adds []string
		for range 2 {
			m := switchtest.Receive[*of10.FlowMod](s)
			adds = append(adds, fmt.Sprint(m.Command, " ", key(m.Match, m.Priority), " ", len(m.Actions)))
			if m.Priority == 30 {
				s.Send(&of10.Error{XID: m.XID, ErrType: of10.ErrorFlowModFailed, Code: of10.FlowModFailedEPerm})
			}
		}
		net10 := of10.MatchAll()
		net10.Wildcards &^= of10.WildDLType
		net10.DLType, net10.NWSrc = 0x0800, 10<<24
		net10.SetNWSrcBits(24)
		port1 := of10.MatchAll()
		port1.Wildcards &^= of10.WildInPort
		port1.InPort = 1
		want := []string{
			fmt.Sprint(of10.FlowAdd, " ", key(port1, 10), " ", 1),
			fmt.Sprint(of10.FlowAdd, " ", key(net10, 30), " ", 0),
		}
		if diff := cmp.Diff(want, adds); diff != "" {
			t.Errorf("flows sent (-want +got):\n%s", diff)
		}
		s.Send(&of10.BarrierReply{XID: switchtest.Receive[*of10.BarrierRequest](s).XID})

		// The switch has the one flow, in another spelling, and a stranger.
		stats := switchtest.Receive[*of10.StatsRequest](s)
		spelled := port1
		spelled.Wildcards |= of10.WildNWSrcMask | of10.WildNWDstMask
		stranger := of10.MatchAll()
		s.Send(&of10.StatsReply{XID: stats.XID, StatsType: of10.StatsFlow, Body: of10.FlowStatsReply{
			{Match: spelled, Priority: 10}, {Match: stranger, Priority: 5}, {Match: port1, Priority: 11},
		}})
		for _, want := range []string{key(stranger, 5), key(port1, 11)} {
			m := switchtest.Receive[*of10.FlowMod](s)
			if got := key(m.Match, m.Priority); m.Command != of10.FlowDeleteStrict || got != want {
				t.Errorf("%v %s, want a strict delete of %s", m.Command, got, want)
			}
		}
		s.Send(&of10.BarrierReply{XID: switchtest.Receive[*of10.BarrierRequest](s).XID})
		synctest.Wait()
		if got := logged.String(); !strings.Contains(got, "refuses the flow of line 5") {
			t.Errorf("the refusal is not told: %s", got)
		}

		// It comes back empty: everything again.
		s.Conn.Close()
		s.Ended()
		again := switchtest.Connect(t, c, switchtest.Features(2, 3))
		switchtest.Receive[*of10.FlowMod](again)
		switchtest.Receive[*of10.FlowMod](again)
		switchtest.Receive[*of10.BarrierRequest](again)
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	flows, err := static.Parse(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range flows {
		got = append(got, fmt.Sprint(f.Line, f.Any, uint64(f.ID), f.Mod.Priority))
	}
	if diff := cmp.Diff([]string{"3 true 0 10", "4 false 1 20", "5 false 2 30"}, got); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"\nactions=output:2\nin_port=x,actions=drop": "line 3",
		"dpid=zz actions=drop":                       "datapath id",
		"dpid=1":                                     "action",
		"in_port=1":                                  "action",
	} {
		if _, err := static.Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want %q", text, err, want)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "flows")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := static.Open(ofcontroller.Params{"file": name}); err != nil {
		t.Error(err)
	}
	for _, bad := range []ofcontroller.Params{{}, {"file": name + "x"}, {"file": name, "colour": "1"}} {
		if _, err := static.Open(bad); err == nil {
			t.Errorf("Open(%v) accepts it", bad)
		}
	}
}
