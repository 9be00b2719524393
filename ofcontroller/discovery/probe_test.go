package discovery

import (
	"bytes"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/switchtest"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

func FuzzReadProbe(f *testing.F) {
	key := []byte("key")
	whole := appendProbe(nil, probe{Endpoint{1, 2}, 3}, ofwire.MAC{2}, 60, key)
	f.Add(whole[14:])
	f.Add(whole[14 : 14+20])
	f.Add([]byte{0xfe, 0xff, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, tlvs []byte) {
		p, ok := readProbe(tlvs, key)
		if !ok {
			return
		}
		// What is believed carries the signature of what it says.
		again := appendProbe(nil, p, ofwire.MAC{2}, 60, key)
		if own := again[ownAt : ownAt+ownLen]; !bytes.Contains(tlvs, own) {
			t.Errorf("%+v read from % x, which does not have % x", p, tlvs, own)
		}
	})
}

func TestProbeSurvivesAMark(t *testing.T) {
	t.Parallel()
	key := []byte("key")
	want := probe{Endpoint{1 << 63, 48}, 1<<64 - 1}
	frame := appendProbe(nil, want, ofwire.MAC{2}, 60, key)
	// A hypervisor puts a TLV behind the TTL; a trunk puts a VLAN tag in front.
	marked := append(append(bytes.Clone(frame[:ownAt]), 0xfe, 0x05, 1, 2, 3, 4, 5), frame[ownAt:]...)
	tagged := append(append(bytes.Clone(marked[:12]), 0x81, 0, 0, 7), marked[12:]...)
	for name, f := range map[string][]byte{"plain": frame, "marked": marked, "tagged": tagged} {
		tlvs, lldp := isLLDP(f)
		got, ok := readProbe(tlvs, key)
		if !lldp || !ok || got != want {
			t.Errorf("%s: %+v, %v, %v; want %+v", name, got, lldp, ok, want)
		}
		if _, ok := readProbe(tlvs, []byte("other key")); ok {
			t.Errorf("%s: believed under another key", name)
		}
		for n := range f {
			tlvs, _ := isLLDP(f[:n])
			if got, ok := readProbe(tlvs, key); ok && got != want {
				t.Errorf("%s: %d bytes give %+v", name, n, got)
			}
		}
	}
}

// BenchmarkFabric measures one round of probes through 200 switches of 48 ports
// in a ring, on memory pipes, the switches' side included. core-% is what that
// costs of one core at the default interval.
func BenchmarkFabric(b *testing.B) {
	const switches, ports = 200, 48
	c := ofcontroller.New(ofcontroller.Config{EchoInterval: -1})
	var got atomic.Int64
	ofcontroller.OnInline(c, func(*ofcontroller.Switch, *of10.PacketIn) ofcontroller.Verdict {
		got.Add(1)
		return ofcontroller.Continue
	})
	app := New(Config{Expiry: 365 * 24 * time.Hour}) // the clock below runs ahead
	if err := app.Attach(c); err != nil {
		b.Fatal(err)
	}
	peers := make([]*switchtest.Switch, switches)
	for i := range peers {
		peers[i] = switchtest.Connect(b, c, switchtest.Features(ofwire.DatapathID(i+1), ports))
	}
	for i, s := range peers {
		next := peers[(i+1)%switches]
		go s.Each(func(m of10.Message) {
			out := m.(*of10.PacketOut)
			in := of10.PacketIn{BufferID: of10.NoBuffer, TotalLen: uint16(len(out.Data)), InPort: out.Actions[0].Port, Data: out.Data}
			next.Send(&in)
		})
	}
	now := time.Now()
	for len(c.Switches()) < switches || app.due() < switches*ports {
		runtime.Gosched()
	}
	b.ResetTimer()
	cpu := cpuTime()
	for range b.N {
		now = now.Add(app.cfg.Interval)
		want := got.Load() + switches*ports
		for got.Load() < want {
			app.step(now)
			runtime.Gosched()
		}
	}
	cpu = cpuTime() - cpu
	b.ReportMetric(100*cpu.Seconds()/float64(b.N)/app.cfg.Interval.Seconds(), "core-%")
	if n := len(app.Links()); n != switches*ports {
		b.Fatalf("%d links, want %d", n, switches*ports)
	}
}

// due is the number of ports that are probed.
func (a *App) due() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.schedule)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
