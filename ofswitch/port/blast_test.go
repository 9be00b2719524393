package port

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestBlast is bench/switch.sh's generator: with GOVISOR_BLAST=FROM,TO,SECONDS,KIND
// it sends 64-byte frames into one interface and counts them at the other. KIND
// is "one" (one flow) or "new" (every frame a new flow, a few in flight). As a
// test it does nothing.
func TestBlast(t *testing.T) {
	spec := strings.Split(os.Getenv("GOVISOR_BLAST"), ",")
	if len(spec) != 4 {
		return
	}
	var seconds int
	if _, err := fmt.Sscan(spec[2], &seconds); err != nil {
		t.Fatal(err)
	}
	from, err := OpenPacket(spec[0], true)
	if err != nil {
		t.Fatal(err)
	}
	to, err := OpenPacket(spec[1], true)
	if err != nil {
		t.Fatal(err)
	}
	var received atomic.Uint64
	go func() {
		batch := make([]Frame, 32)
		for {
			n, err := to.Read(batch)
			if err != nil {
				return
			}
			for _, f := range batch[:n] {
				if len(f.Data) >= 60 && f.Data[12] == 8 && f.Data[13] == 0 && f.Data[23] == 17 && f.Data[6] == 2 && f.Data[11] == 1 {
					received.Add(1)
				}
			}
		}
	}()
	// Let a learning switch or controller know both sides.
	if _, err := to.Write(frames(udp64(2, 1, 0))); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // a benchmark's warm-up, not a test's wait
	batch := make([]Frame, 32)
	for i := range batch {
		batch[i].Data = udp64(1, 2, 0)
	}
	var sent, last uint64
	start := time.Now()
	for time.Since(start) < time.Duration(seconds)*time.Second {
		if spec[3] == "new" {
			last += 32
			for i := range batch {
				batch[i].Data = udp64(1, 2, uint32(last)+uint32(i))
			}
		}
		n, err := from.Write(batch)
		if err != nil {
			t.Fatal(err)
		}
		sent += uint64(n)
		if spec[3] == "new" { // no more than a few hundred unanswered
			for wait := time.Now(); sent-received.Load() > 128 && time.Since(wait) < 50*time.Millisecond; {
				time.Sleep(50 * time.Microsecond)
			}
			if lost := sent - received.Load(); lost > 128 {
				sent -= lost // given up
			}
		}
	}
	d := time.Since(start)
	fmt.Printf("BLAST sent %.0f/s received %.0f/s\n", float64(sent)/d.Seconds(), float64(received.Load())/d.Seconds())
	from.Close()
	to.Close()
}

// udp64 is a UDP frame of 60 bytes (64 with its check sequence); flow numbers give
// different ports and addresses.
func udp64(src, dst byte, flow uint32) []byte {
	b := make([]byte, 60)
	copy(b, []byte{2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0,
		10, 0, byte(flow >> 24), src, 10, 0, byte(flow >> 16), dst, byte(flow >> 8), byte(flow), 0, 80, 0, 26})
	sum := ^fold(partial(0, b[14:34]))
	b[24], b[25] = byte(sum>>8), byte(sum)
	return b
}
