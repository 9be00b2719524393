package of10

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire"
)

// collectFlows plays a switch that accepts everything until the peer hangs up.
func collectFlows(conn net.Conn) ([][]byte, error) {
	if _, err := conn.Write(ofwire.AppendHello(nil, 1, ofwire.Version10)); err != nil {
		return nil, err
	}
	r := ofwire.NewReader(conn, 4096)
	hello, err := r.Next()
	if err != nil {
		return nil, err
	}
	if v, err := ofwire.Negotiate(hello, ofwire.Version10); v != ofwire.Version10 {
		return nil, err
	}
	var flows [][]byte
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return flows, nil
		}
		if err != nil {
			return flows, err
		}
		var reply Message
		switch PeekType(b) {
		case TypeFlowMod:
			flows = append(flows, bytes.Clone(b))
			continue
		case TypeBarrierRequest:
			reply = &BarrierReply{XID: XID(b)}
		case TypeFeaturesRequest:
			reply = &FeaturesReply{XID: XID(b), DatapathID: 1, NTables: 1, Actions: AllActions}
		case TypeStatsRequest: // for the names of the tables
			if StatsTypeOf(b) != StatsTable {
				return nil, fmt.Errorf("unexpected request of %v", StatsTypeOf(b))
			}
			reply = &StatsReply{XID: XID(b), StatsType: StatsTable, Body: TableStatsReply{{Name: "main", Wildcards: WildAll}}}
		default:
			return nil, fmt.Errorf("unexpected %v", PeekType(b))
		}
		out, err := reply.AppendBinary(nil)
		if err != nil {
			return nil, err
		}
		if _, err := conn.Write(out); err != nil {
			return nil, err
		}
	}
}

// TestOVSSends lets ovs-ofctl encode flows that we encode too: text in, bytes compared.
func TestOVSSends(t *testing.T) {
	t.Parallel()
	ovsOfctl := needTool(t, "ovs-ofctl")
	socket := filepath.Join(t.TempDir(), "switch")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	type result struct {
		flows [][]byte
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var all result
		for { // ovs-ofctl connects once for the names and once for the flows
			conn, err := listener.Accept()
			if err != nil {
				done <- all
				return
			}
			conn.SetDeadline(time.Now().Add(time.Minute))
			flows, err := collectFlows(conn)
			conn.Close()
			all.flows, all.err = append(all.flows, flows...), errors.Join(all.err, err)
		}
	}()

	g := newGen(13)
	g.ovs = true
	var want []*FlowMod
	var file bytes.Buffer
	for range 500 {
		m := g.flowMod()
		m.Command, m.BufferID, m.OutPort, m.XID = FlowAdd, NoBuffer, PortNone, 0
		if m.Match.DLVLAN == VLANNone && m.Match.Wildcards&WildDLVLAN == 0 {
			m.Match.Wildcards &^= WildDLVLANPCP // all that ovs-ofctl sends
		}
		want = append(want, m)
		fmt.Fprintln(&file, m.FlowText())
	}
	cmd := exec.CommandContext(t.Context(), ovsOfctl, "-t60", "-OOpenFlow10", "-FOpenFlow10", "add-flows", "unix:"+socket, "-")
	cmd.Stdin = &file
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("add-flows: %v\n%s", err, out)
	}
	listener.Close()
	got := <-done
	if got.err != nil || len(got.flows) != len(want) {
		t.Fatalf("%d flows, %v; want %d", len(got.flows), got.err, len(want))
	}
	for i, b := range got.flows {
		want[i].XID = XID(b)
		if mine := encode(t, want[i]); !bytes.Equal(b, mine) {
			m, err := Parse(b)
			t.Errorf("flow %d, %s: %v\novs     %x\ngovisor %x\n%s", i, want[i].FlowText(), err, b, mine, cmp.Diff(m, Message(want[i])))
		}
	}
}
