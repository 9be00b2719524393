package ofswitch

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofswitch/sflow"
	"github.com/govisor/govisor/ofwire/of10"
)

// TestSwitchSFlow: a switch that samples every frame tells where each one went.
func TestSwitchSFlow(t *testing.T) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sw, err := NewSwitch(SwitchConfig{SFlow: sflow.Config{Collectors: []string{conn.LocalAddr().String()}, Rate: 1}})
	if err != nil {
		t.Fatal(err)
	}
	var hosts []*port.Memory
	for no := range 3 {
		in, out := port.Pipe(string(rune('a'+no)), "h")
		if err := sw.AttachPort(of10.Port(no+1), in); err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, out)
	}
	for _, fm := range []*of10.FlowMod{add(1, inPort(1), output(2)), add(1, inPort(2), output(of10.PortFlood)), add(1, inPort(3))} {
		if err := sw.AddFlow(fm); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = sw.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	f := ethFrame(1, 2, 0x88b5, 60)
	for _, h := range hosts {
		_, _ = h.Write([]port.Frame{{Data: f}})
	}
	want := map[uint32]uint32{1: 2, 2: sflow.Multiple | 2, 3: sflow.Dropped}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	for len(want) > 0 {
		b := make([]byte, 2048)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("%v; still missing %v", err, want)
		}
		d := gopacket.NewPacket(b[:n], layers.LayerTypeSFlow, gopacket.Default).Layer(layers.LayerTypeSFlow).(*layers.SFlowDatagram)
		for _, s := range d.FlowSamples {
			if got := s.OutputInterface; got != want[s.InputInterface] {
				t.Errorf("from port %d to %#x, want %#x", s.InputInterface, got, want[s.InputInterface])
			}
			delete(want, s.InputInterface)
		}
	}
}
