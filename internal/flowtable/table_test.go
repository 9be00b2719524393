package flowtable_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofwire/of10"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// randomMatch draws from a space small enough for collisions of every kind.
func randomMatch(r *rand.Rand) of10.Match {
	m := of10.Match{
		InPort: of10.Port(1 + r.IntN(2)), DLSrc: [6]byte{5: byte(r.IntN(2))}, DLDst: [6]byte{5: byte(r.IntN(2))},
		DLVLAN: []uint16{0xffff, 1, 2}[r.IntN(3)], DLVLANPCP: uint8(r.IntN(2)), DLType: []uint16{0x0800, 0x0806, 0x88cc}[r.IntN(3)],
		NWProto: []uint8{6, 17, 2}[r.IntN(3)], NWTos: uint8(r.IntN(2)) << 2, NWSrc: r.Uint32N(4), NWDst: r.Uint32N(4),
		TPSrc: uint16(r.IntN(2)), TPDst: uint16(r.IntN(2)),
	}
	if r.IntN(4) > 0 {
		m.Wildcards = r.Uint32() & r.Uint32() & (of10.WildAll &^ (of10.WildNWSrcMask | of10.WildNWDstMask))
		m.SetNWSrcBits([]int{0, 1, 2, 32}[r.IntN(4)])
		m.SetNWDstBits([]int{0, 1, 2, 32}[r.IntN(4)])
	}
	return m
}

func headerOf(m of10.Match, r *rand.Rand) packet.Header {
	m.Wildcards = 0
	m = m.Normalize()
	h := packet.Header{
		InPort: uint32(m.InPort), DLSrc: m.DLSrc, DLDst: m.DLDst, DLVLAN: m.DLVLAN, DLVLANPCP: m.DLVLANPCP, DLType: m.DLType,
		NWTos: m.NWTos, NWProto: m.NWProto, NWSrc: m.NWSrc, NWDst: m.NWDst, TPSrc: m.TPSrc, TPDst: m.TPDst,
	}
	if r.IntN(2) == 0 {
		h.NWSrc = r.Uint32N(4)
	}
	return h
}

func show(m of10.Match, prio uint16, cookie uint64, a []of10.Action) string {
	return fmt.Sprintf("%v prio %d cookie %d %v", m, prio, cookie, a)
}

func TestTableAgainstOracle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		fast, slow := flowtable.NewTable(25), &slowTable{capacity: 25}
		now := start
		for step := range 150 {
			fm := of10.FlowMod{
				Match: randomMatch(r), Priority: uint16(r.IntN(3)), Cookie: r.Uint64N(100), Command: of10.FlowModCommand(r.IntN(5)),
				OutPort: of10.PortNone, BufferID: of10.NoBuffer, Actions: []of10.Action{of10.Output(of10.Port(1+r.IntN(3)), 0)},
			}
			if r.IntN(3) > 0 {
				fm.Command = of10.FlowAdd
			}
			if r.IntN(3) == 0 {
				fm.Flags |= of10.FlowModCheckOverlap
			}
			if r.IntN(3) == 0 {
				fm.OutPort = of10.Port(1 + r.IntN(3))
			}
			if r.IntN(4) == 0 {
				fm.IdleTimeout = uint16(r.IntN(6))
				fm.HardTimeout = uint16(r.IntN(9))
			}
			wantRemoved, wantErr := slow.apply(now, fm)
			c, err := fast.Apply(now, &fm)
			gotErr := ""
			switch {
			case errors.Is(err, flowtable.ErrOverlap):
				gotErr = "overlap"
			case errors.Is(err, flowtable.ErrFull):
				gotErr = "full"
			}
			if gotErr != wantErr || len(c.Removed) != wantRemoved {
				t.Fatalf("seed %d step %d: error %q removed %d, want %q %d", seed, step, gotErr, len(c.Removed), wantErr, wantRemoved)
			}
			for range 5 {
				h := headerOf(randomMatch(r), r)
				got, want := "", ""
				if f := fast.Lookup(&h); f != nil {
					got = show(f.Match, f.Priority, f.Cookie, f.Actions)
					f.Hit(now, 10)
				}
				if f := slow.lookup(h); f != nil {
					want = show(f.Match, f.Priority, f.Cookie, f.Actions)
					f.used = now
				}
				if got != want {
					t.Fatalf("seed %d step %d: lookup %+v: got %s, want %s", seed, step, h, got, want)
				}
			}
			now = now.Add(time.Duration(r.IntN(1500)) * time.Millisecond)
			if n, want := len(fast.Expire(now)), slow.expire(now); n != want {
				t.Fatalf("seed %d step %d: %d expired, want %d", seed, step, n, want)
			}
			var got, want []string
			for _, f := range fast.Flows() {
				got = append(got, show(f.Match, f.Priority, f.Cookie, f.Actions))
			}
			for _, f := range slow.flows {
				want = append(want, show(f.Match, f.Priority, f.Cookie, f.Actions))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d step %d:\n%s", seed, step, cmp.Diff(want, got))
			}
			if at, ok := fast.NextDeadline(); ok && !at.After(now) {
				t.Fatalf("seed %d step %d: deadline %v is not after %v", seed, step, at, now)
			}
		}
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		a, b := randomMatch(r).Normalize(), randomMatch(r).Normalize()
		pa, pb := flowtable.MakePattern(&a), flowtable.MakePattern(&b)
		if got := pa.Match(); got != a {
			t.Fatalf("round trip:\n%s", cmp.Diff(a, got))
		}
		if got, want := pa.Covers(&pb), slowCovers(a, b); got != want {
			t.Fatalf("%v covers %v = %v", a, b, got)
		}
		if got, want := pa.Overlaps(&pb), slowOverlaps(a, b); got != want {
			t.Fatalf("%v overlaps %v = %v", a, b, got)
		}
		h := headerOf(randomMatch(r), r)
		w := flowtable.HeaderWords(&h)
		if got, want := pa.Matches(&w), slowMatches(a, h); got != want {
			t.Fatalf("%v matches %+v = %v", a, h, got)
		}
		if got := w.Header(); got != h {
			t.Fatalf("words round trip:\n%s", cmp.Diff(h, got))
		}
		j := pa.Join(&pb)
		if m := j.Match(); !j.Covers(&pa) || !j.Covers(&pb) || flowtable.MakePattern(&m) != j || pa.Covers(&pb) && j != pa {
			t.Fatalf("%v joined with %v is %v", a, b, m)
		}
		if p, ok := pa.Intersect(&pb); ok && p.Matches(&w) != (pa.Matches(&w) && pb.Matches(&w)) {
			t.Fatalf("%v intersect %v", a, b)
		}
	}
}

func TestEmergency(t *testing.T) {
	t.Parallel()
	tb := flowtable.NewTable(0)
	fm := of10.FlowMod{Match: of10.MatchAll(), Flags: of10.FlowModEmerg, HardTimeout: 1, OutPort: of10.PortNone}
	if _, err := tb.Apply(start, &fm); !errors.Is(err, flowtable.ErrEmergTimeout) {
		t.Errorf("with timeout: %v", err)
	}
	fm.HardTimeout = 0
	if _, err := tb.Apply(start, &fm); err != nil {
		t.Error(err)
	}
	h := packet.Header{}
	if tb.Len() != 0 || tb.EmergencyLen() != 1 || tb.Lookup(&h) != nil || len(tb.SelectEmergency(of10.MatchAll(), of10.PortNone)) != 1 {
		t.Error("an emergency flow took part in ordinary forwarding, or is not there")
	}
	fm.Command, fm.Flags = of10.FlowDelete, 0
	if c, _ := tb.Apply(start, &fm); len(c.Removed) != 0 {
		t.Error("an ordinary delete removed an emergency flow")
	}
	fm.Command = 9
	if _, err := tb.Apply(start, &fm); !errors.Is(err, flowtable.ErrCommand) {
		t.Errorf("command 9: %v", err)
	}
}

func TestEnqueueCountsForOutPort(t *testing.T) {
	t.Parallel()
	tb := flowtable.NewTable(0)
	add := of10.FlowMod{Match: of10.MatchAll(), Actions: []of10.Action{of10.Enqueue(3, 1)}}
	if _, err := tb.Apply(start, &add); err != nil {
		t.Fatal(err)
	}
	del := of10.FlowMod{Match: of10.MatchAll(), Command: of10.FlowDelete, OutPort: 3}
	if c, _ := tb.Apply(start, &del); len(c.Removed) != 1 {
		t.Errorf("removed %d flows, want 1", len(c.Removed))
	}
}

func BenchmarkLookup(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	tb := flowtable.NewTable(0)
	for i := range 20000 {
		fm := of10.FlowMod{Match: randomMatch(r), Priority: uint16(i)}
		fm.Match.NWSrc, fm.Match.NWDst = r.Uint32(), r.Uint32()
		if _, err := tb.Apply(start, &fm); err != nil {
			b.Fatal(err)
		}
	}
	h := headerOf(randomMatch(r), r)
	b.ReportAllocs()
	for b.Loop() {
		tb.Lookup(&h)
	}
}

// A table whose owner sees to the timeouts keeps no account of them.
func TestUntimed(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	for _, timed := range []bool{true, false} {
		tab := flowtable.NewUntimed(0)
		if timed {
			tab = flowtable.NewTable(0)
		}
		if _, err := tab.Insert(flowtable.New(now, &of10.FlowMod{Match: of10.MatchAll(), HardTimeout: 1})); err != nil {
			t.Fatal(err)
		}
		if _, ok := tab.NextDeadline(); ok != timed {
			t.Errorf("timed %v: a deadline is known: %v", timed, ok)
		}
	}
}
