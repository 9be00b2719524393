package ofswitch_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire/of10"
)

// Twenty lines make a program a switch. Here two hosts hang on in-memory links;
// port.OpenPacket("eth1", false) would attach an interface, and Controllers say
// where the controllers are.
func Example() {
	sw, err := ofswitch.NewSwitch(ofswitch.SwitchConfig{
		Config:   ofswitch.Config{DatapathID: 1},
		FailMode: ofswitch.FailStandalone,
	})
	if err != nil {
		panic(err)
	}
	a, hostA := port.Pipe("s1-eth1", "h1-eth0")
	b, hostB := port.Pipe("s1-eth2", "h2-eth0")
	_ = sw.AttachPort(1, a)
	_ = sw.AttachPort(2, b)

	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = sw.Run(ctx) })

	hello := append([]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, "hello, host b"...)
	_, _ = hostA.Write([]port.Frame{{Data: hello}})
	batch := make([]port.Frame, 1)
	_, _ = hostB.Read(batch)
	fmt.Printf("%s\n", batch[0].Data[14:])
	stop()
	wg.Wait()
	// Output: hello, host b
}

// echo is a port type of one's own: it sends every frame back.
type echo struct {
	frames chan []byte
	done   chan struct{}
	once   sync.Once
}

func (e *echo) Read(batch []port.Frame) (int, error) {
	select {
	case batch[0].Data = <-e.frames:
		return 1, nil
	case <-e.done:
		return 0, port.ErrClosed
	}
}

func (e *echo) Write(batch []port.Frame) (int, error) {
	for i := range batch {
		batch[i].Plain(func(b []byte) { e.frames <- append([]byte(nil), b...) })
	}
	return len(batch), nil
}

func (e *echo) Info() port.Info { return port.Info{Name: "echo"} }

func (e *echo) Close() error { e.once.Do(func() { close(e.done) }); return nil }

// A port type plugs in by having the four methods of port.Port.
func ExampleSwitch_AttachPort() {
	sw, err := ofswitch.NewSwitch(ofswitch.SwitchConfig{FailMode: ofswitch.FailStandalone})
	if err != nil {
		panic(err)
	}
	in, host := port.Pipe("s1-eth1", "h1-eth0")
	_ = sw.AttachPort(1, in)
	_ = sw.AttachPort(2, &echo{frames: make(chan []byte, 16), done: make(chan struct{})})
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = sw.Run(ctx) })
	_, _ = host.Write([]port.Frame{{Data: append([]byte{255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5}, "echo"...)}})
	batch := make([]port.Frame, 1)
	_, _ = host.Read(batch)
	fmt.Printf("%s\n", batch[0].Data[14:])
	stop()
	wg.Wait()
	// Output: echo
}

// decTTL is a vendor action of one's own: it decrements the IPv4 TTL and drops
// what has none left. (A real one would mend the checksum as well.)
type decTTL struct{}

const vendorID = 0x00acde48

func (decTTL) Check(body []byte) *of10.Error {
	if len(body) != 16 {
		return of10.NewError(of10.ErrorBadAction, of10.BadActionBadLen, nil)
	}
	return nil
}

func (decTTL) Apply(body []byte, in of10.Port, frame []byte) []byte {
	if len(frame) < 34 || binary.BigEndian.Uint16(frame[12:]) != 0x0800 {
		return frame
	}
	if frame[22] <= 1 {
		return nil
	}
	frame[22]--
	return frame
}

// A vendor action plugs in through the configuration.
func ExampleVendorAction() {
	sw, err := ofswitch.NewSwitch(ofswitch.SwitchConfig{Config: ofswitch.Config{
		VendorActions: map[uint32]ofswitch.VendorAction{vendorID: decTTL{}},
	}})
	if err != nil {
		panic(err)
	}
	flow := &of10.FlowMod{
		Match: of10.MatchAll(), Command: of10.FlowAdd, BufferID: of10.NoBuffer, OutPort: of10.PortNone,
		Actions: []of10.Action{of10.VendorAction(vendorID, make([]byte, 8)), of10.Output(2, 0)},
	}
	fmt.Println(sw.AddFlow(flow))
	flow.Actions[0] = of10.VendorAction(vendorID, make([]byte, 16))
	fmt.Println(sw.AddFlow(flow))
	// Output:
	// <nil>
	// of10: OFPBAC_BAD_LEN
}
