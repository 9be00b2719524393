package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/govisor/govisor/internal/mininet"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch/fabric"
)

// mininetNetwork is the same network of Open vSwitch bridges and Mininet hosts,
// in a network namespace of its own.
type mininetNetwork struct {
	build func(lab *mininet.Lab, port int) error
	ready chan struct{} // closed when lab is set
	lab   *mininet.Lab
}

func newMininetNetwork() (demoNetwork, error) {
	if what := mininet.Missing(); what != "" {
		return nil, fmt.Errorf("--mininet needs %s", what)
	}
	return &mininetNetwork{build: buildDemo, ready: make(chan struct{})}, nil
}

func buildDemo(lab *mininet.Lab, port int) error {
	_, err := lab.Build(mininet.Plan{Switches: demoSwitches, Hosts: 2, Port: port, Flat: true})
	return err
}

// Run relays between the namespace and govisor: each has a loopback of its own.
func (m *mininetNetwork) Run(ctx context.Context, addr string) error {
	lab, err := mininet.Start(mininet.Options{})
	if err != nil {
		return err
	}
	defer lab.Close()
	ctx, cancel := context.WithCancel(ctx) // ends the relays of bridges, if not all of the network could be built
	defer cancel()
	const port = 6633
	var ln net.Listener
	err = lab.Inside(func() (err error) {
		ln, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() {
		served <- ofconn.Serve(ctx, ln, func(ctx context.Context, nc net.Conn) { relay(ctx, nc, addr) })
	}()
	if err := m.build(lab, port); err != nil {
		cancel()
		if ended := <-served; ended != nil && !errors.Is(ended, context.Canceled) {
			err = errors.Join(err, ended)
		}
		return err
	}
	m.lab = lab
	close(m.ready)
	return <-served
}

// relay connects a bridge to govisor until either ends.
func relay(ctx context.Context, bridge net.Conn, addr string) {
	defer bridge.Close()
	var d net.Dialer
	govisor, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return // the bridge tries again
	}
	defer govisor.Close()
	stop := context.AfterFunc(ctx, func() {
		bridge.Close()
		govisor.Close()
	})
	defer stop()
	var both sync.WaitGroup
	pump := func(to, from net.Conn) {
		_, _ = io.Copy(to, from) // whatever ends it, ends both
		to.Close()
		from.Close()
	}
	both.Go(func() { pump(govisor, bridge) })
	both.Go(func() { pump(bridge, govisor) })
	both.Wait()
}

func (m *mininetNetwork) PingAll(ctx context.Context) (fabric.Matrix, error) {
	select {
	case <-m.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	const count = 3
	got, err := m.lab.PingAll(count)
	reached := make(fabric.Matrix, len(got))
	for src, row := range got {
		reached[src] = make(map[string]bool, len(row))
		for dst, n := range row {
			reached[src][dst] = n > 0
		}
	}
	return reached, err
}
