//go:build linux

// Command blast is the generator of bench/switch.sh. It sends frames of 64 bytes into
// one network interface and counts those that arrive at another; it needs root.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/govisor/govisor/ofswitch/port"
)

// unanswered is how many new flows may be under way: more, and a switch's controller
// would be measured dropping them.
const unanswered = 128

// patience is after how long what is under way counts as lost.
const patience = 50 * time.Millisecond

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "blast:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 || args[3] != "one" && args[3] != "new" {
		return fmt.Errorf("usage: blast FROM TO SECONDS one|new (one flow, or every frame a new flow)")
	}
	seconds, err := strconv.ParseFloat(args[2], 64)
	if err != nil || !(seconds > 0) {
		return fmt.Errorf("seconds %q: want a number above 0", args[2])
	}
	from, err := port.OpenPacket(args[0], true)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := port.OpenPacket(args[1], true)
	if err != nil {
		return err
	}
	defer to.Close()
	var received atomic.Uint64
	go count(to, &received)
	if err := teach(from, to, &received); err != nil {
		return err
	}
	received.Store(0)
	start := time.Now()
	sent, err := blast(from, args[3] == "new", &received, start.Add(time.Duration(seconds*float64(time.Second))))
	if err != nil {
		return err
	}
	d := time.Since(start).Seconds()
	fmt.Printf("sent %.0f/s received %.0f/s\n", float64(sent)/d, float64(received.Load())/d)
	return nil
}

// count counts the generator's frames that arrive at p until it is closed.
func count(p port.Port, received *atomic.Uint64) {
	batch := make([]port.Frame, 32)
	for {
		n, err := p.Read(batch)
		if err != nil {
			return
		}
		for _, f := range batch[:n] {
			if len(f.Data) >= 60 && f.Data[12] == 8 && f.Data[13] == 0 && f.Data[23] == 17 && f.Data[6] == 2 && f.Data[11] == 1 {
				received.Add(1)
			}
		}
	}
}

// teach lets a learning switch or controller know both sides: it returns when a frame
// sent before the measurement has come through.
func teach(from, to port.Port, received *atomic.Uint64) error {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for range 100 {
		if _, err := to.Write([]port.Frame{{Data: udp64(2, 1, 0)}}); err != nil {
			return err
		}
		if _, err := from.Write([]port.Frame{{Data: udp64(1, 2, 0)}}); err != nil {
			return err
		}
		<-again.C
		if received.Load() > 0 {
			return nil
		}
	}
	return fmt.Errorf("no frame came through in 10 s")
}

// blast sends until end and returns how many frames it sent.
func blast(from port.Port, flows bool, received *atomic.Uint64, end time.Time) (uint64, error) {
	batch := make([]port.Frame, 32)
	for i := range batch {
		batch[i].Data = udp64(1, 2, 0)
	}
	pause := time.NewTicker(50 * time.Microsecond)
	defer pause.Stop()
	var sent, lost uint64
	var last uint32
	for time.Now().Before(end) {
		if flows {
			last += uint32(len(batch))
			for i := range batch {
				batch[i].Data = udp64(1, 2, last+uint32(i))
			}
		}
		n, err := from.Write(batch)
		if err != nil {
			return sent, err
		}
		sent += uint64(n)
		if !flows {
			continue
		}
		for since := time.Now(); sent > received.Load()+lost+unanswered; <-pause.C {
			if time.Since(since) > patience {
				lost = sent - received.Load()
			}
		}
	}
	return sent, nil
}

// udp64 is a UDP frame of 60 bytes (64 with its check sequence); flow numbers give
// different ports and addresses.
func udp64(src, dst byte, flow uint32) []byte {
	b := make([]byte, 60)
	copy(b, []byte{2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0,
		10, 0, byte(flow >> 24), src, 10, 0, byte(flow >> 16), dst, byte(flow >> 8), byte(flow), 0, 80, 0, 26})
	var sum uint32
	for i := 14; i < 34; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(b[24:], ^uint16(sum+sum>>16))
	return b
}
