package port

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

func frames(list ...[]byte) []Frame {
	var out []Frame
	for _, b := range list {
		out = append(out, Frame{Data: b})
	}
	return out
}

// read returns copies of the next n frames.
func read(t *testing.T, p Port, n int) [][]byte {
	t.Helper()
	var out [][]byte
	batch := make([]Frame, 32)
	for len(out) < n {
		got, err := p.Read(batch)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range batch[:got] {
			f.Plain(func(b []byte) { out = append(out, append([]byte(nil), b...)) })
		}
	}
	return out
}

func mustWrite(t *testing.T, p Port, list ...[]byte) {
	t.Helper()
	if n, err := p.Write(frames(list...)); err != nil || n != len(list) {
		t.Fatalf("wrote %d of %d: %v", n, len(list), err)
	}
}

// wantClosed checks that Close ends a waiting Read, and what comes after.
func wantClosed(t *testing.T, p Port) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		batch := make([]Frame, 4)
		for {
			if _, err := p.Read(batch); err != nil {
				done <- err
				return
			}
		}
	}()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, ErrClosed) {
			t.Errorf("Read ended with %v, want ErrClosed", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Read does not end")
	}
}

var frameA, frameB = []byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), []byte("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")

func TestMemory(t *testing.T) {
	a, b := Pipe("a", "b")
	mustWrite(t, a, frameA, frameB)
	if diff := cmp.Diff([][]byte{frameA, frameB}, read(t, b, 2)); diff != "" {
		t.Error(diff)
	}
	big := make([][]byte, memoryQueue+5)
	for i := range big {
		big[i] = frameA
	}
	if n, err := a.Write(frames(big...)); n != memoryQueue || err != nil {
		t.Errorf("a full link took %d of %d (%v)", n, len(big), err)
	}
	read(t, b, memoryQueue)
	mustWrite(t, a, frameB)
	if diff := cmp.Diff([][]byte{frameB}, read(t, b, 1)); diff != "" {
		t.Error(diff)
	}
	wantClosed(t, b)
	if n, err := a.Write(frames(frameA)); n != 0 || err != nil {
		t.Errorf("to a closed end: %d, %v", n, err)
	}
	wantClosed(t, a)
	if _, err := a.Write(frames(frameA)); !errors.Is(err, ErrClosed) {
		t.Errorf("own end closed: %v", err)
	}
	if x, y := Pipe("a", "b"); x.Info() != a.Info() || x.Info().HWAddr == y.Info().HWAddr {
		t.Error("addresses are not stable and distinct")
	}
}

func TestTunnel(t *testing.T) {
	a, err := OpenTunnel("127.0.0.1:9,local=127.0.0.1:0,vni=7")
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenTunnel(a.LocalAddr().String() + ",local=127.0.0.1:0,vni=7")
	if err != nil {
		t.Fatal(err)
	}
	a.remote = b.LocalAddr()
	other, err := OpenTunnel(a.LocalAddr().String() + ",local=127.0.0.1:0,vni=8")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	mustWrite(t, other, frameB) // another VNI: ignored
	mustWrite(t, b, frameA)
	if diff := cmp.Diff([][]byte{frameA}, read(t, a, 1)); diff != "" {
		t.Error(diff)
	}
	giant := tcpGiant(t, false, make([]byte, 3000), false)
	f := Frame{Data: giant, Offload: Offload{Flags: flagNeedsCsum, GSOType: gsoTCPv4, GSOSize: 1000, CsumStart: 34, CsumOffset: 16}}
	if n, err := a.Write([]Frame{f}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for _, s := range read(t, b, 3) {
		if len(s) != 1054 {
			t.Errorf("segment of %d bytes", len(s))
		}
		valid(t, s)
	}
	wantClosed(t, a)
	wantClosed(t, b)
	for _, bad := range []string{"", "nowhere.invalid:x", "127.0.0.1,vni=16777216", "127.0.0.1,vni=x", "127.0.0.1,mtu=3", "127.0.0.1,local=x"} {
		if p, err := OpenTunnel(bad); err == nil {
			p.Close()
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestPcap(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pcap"), filepath.Join(dir, "out.pcap")
	f, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(65536, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i, b := range [][]byte{frameA, frameB} {
		ci := gopacket.CaptureInfo{Timestamp: time.Unix(100, int64(i)*int64(30*time.Millisecond)), CaptureLength: len(b), Length: len(b)}
		if err := w.WritePacket(ci, b); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()

	p, err := OpenPcap("in=" + in + ",out=" + out + ",timed")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if diff := cmp.Diff([][]byte{frameA, frameB}, read(t, p, 2)); diff != "" {
		t.Error(diff)
	}
	if d := time.Since(start); d < 30*time.Millisecond {
		t.Errorf("timed: the second frame came after %v", d)
	}
	mustWrite(t, p, frameB)
	wantClosed(t, p)

	again, err := OpenPcap(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]byte{frameB}, read(t, again, 1)); diff != "" {
		t.Error(diff)
	}
	wantClosed(t, again)

	if err := os.WriteFile(filepath.Join(dir, "junk"), []byte("this is no capture at all, is it"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "in=" + filepath.Join(dir, "absent"), filepath.Join(dir, "junk"), "in=" + in + ",speed=3"} {
		if p, err := OpenPcap(bad); err == nil {
			p.Close()
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestOpen(t *testing.T) {
	for _, bad := range []string{"", "tap:", "nosuchinterface0", "packet:nosuchinterface0", "xdp:eth0", "mem:x"} {
		if p, err := Open(bad, false); err == nil {
			p.Close()
			t.Errorf("%q opened", bad)
		}
	}
}
