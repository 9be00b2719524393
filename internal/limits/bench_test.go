package limits_test

import (
	"testing"
	"time"

	"github.com/govisor/govisor/internal/limits"
)

// BenchmarkUnset is what a message pays for limits that are not set, BenchmarkSet for limits it keeps.
func BenchmarkUnset(b *testing.B) { benchmarkSlice(b, limits.Rates{}) }

func BenchmarkSet(b *testing.B) {
	benchmarkSlice(b, limits.Rates{Messages: 1 << 30, FlowMods: 1 << 30, PacketIns: 1 << 30})
}

func benchmarkSlice(b *testing.B, r limits.Rates) {
	var s limits.Slice
	s.SetRates(r, time.Now())
	b.Run("flow_mod", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Pause(true)
		}
	})
	b.Run("packet_in", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.PacketIn()
		}
	})
}
