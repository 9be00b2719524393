package bench

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fleet connects switches to a responder, with a window of one in the second slice only, and waits for the first answers.
func fleet(t *testing.T, r *Responder) *Fleet {
	t.Helper()
	return fleetOf(t, short(serve(t, r)))
}

func fleetOf(t *testing.T, cfg GeneratorConfig) *Fleet {
	t.Helper()
	cfg.Windows = []int{1, 1}
	f, err := Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if err := f.StartAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.SetWindows([]int{0, 1})
	return f
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("waited a minute: ", what)
		}
	}
}

// measure measures until enough holds for every switch, whose figures it may look at.
func measure(t *testing.T, f *Fleet, enough func(*fakeSwitch) bool) *GeneratorResult {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	lacks := func(s *fakeSwitch) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.measuring || !enough(s)
	}
	res, err := f.measure(func() error {
		for limit.Err() == nil && slices.ContainsFunc(f.switches, lacks) {
			if err := f.Pause(limit, time.Millisecond); err != nil && limit.Err() == nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// someResponses is enough of a load that is answered.
func someResponses(s *fakeSwitch) bool { return s.figures.responses >= 3 }

// idle waits until everything is answered.
func idle(t *testing.T, f *Fleet) {
	t.Helper()
	f.SetWindows([]int{0, 0})
	await(t, "everything is answered", func() bool {
		n := 0
		for _, s := range f.switches {
			s.mu.Lock()
			n += s.inflight
			s.mu.Unlock()
		}
		return n == 0
	})
}

func TestWindowsBySlice(t *testing.T) {
	t.Parallel()
	f := fleet(t, &Responder{})
	idle(t, f)
	f.SetWindows([]int{0, 1})
	res := measure(t, f, someResponses)
	if res.PerSlice[0].Count != 0 || res.PerSlice[1].Count == 0 {
		t.Errorf("answers by slice %d and %d, want none and some", res.PerSlice[0].Count, res.PerSlice[1].Count)
	}
}

func (f *Fleet) answers() (n uint64) {
	for _, s := range f.switches {
		n += s.answers.Load()
	}
	return n
}

// Each measurement begins at nothing.
func TestMeasureAgain(t *testing.T) {
	t.Parallel()
	f := fleet(t, &Responder{})
	for range 3 {
		before := f.answers()
		await(t, "answers", func() bool { return f.answers() > before })
		res := measure(t, f, someResponses)
		if res.Responses == 0 || res.Delay.Count != res.Responses {
			t.Fatalf("%+v", res)
		}
		idle(t, f)
		if res, err := f.Measure(t.Context(), 5*time.Millisecond); err != nil || res.Responses != 0 {
			t.Fatalf("without load: %+v, %v", res, err)
		}
		f.SetWindows([]int{0, 1})
	}
}

func TestFloodsAreTakenAndEnd(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{ModeFloodPacketOut, ModeFloodFlowMod} {
		r := &Responder{Answer: AnswerFlowMod}
		cfg := short(serve(t, r))
		cfg.stall = time.Second
		f := fleetOf(t, cfg)
		outs, mods := f.Received()
		r.SetMode(mode)
		await(t, "the flood arrives", func() bool {
			o, m := f.Received()
			return o-outs > 10_000 && mode == ModeFloodPacketOut || m-mods > 10_000 && mode == ModeFloodFlowMod
		})
		r.SetMode(ModeAnswer)
		before := r.PacketIns.Load()
		await(t, "switches give up what the flood left without an answer", func() bool { return r.PacketIns.Load() > before+9 })
		if res := measure(t, f, someResponses); res.Responses == 0 || res.Errors != 0 {
			t.Errorf("after the flood: %+v", res)
		}
	}
}

func TestStalledControllerReadsAgain(t *testing.T) {
	t.Parallel()
	r := &Responder{Receive: 64 << 10}
	f := fleet(t, r)
	r.SetMode(ModeStall)
	stop := f.Flood(0, 0)
	sent := f.Sent()
	await(t, "the flood is under way", func() bool { return f.Sent() > sent+1000 })
	f.SetWindows([]int{0, 0})
	r.SetMode(ModeIgnore)
	stop()
	await(t, "every packet_in arrives", func() bool { return r.PacketIns.Load() == f.Sent() })
}

func TestFloodKeepsItsRate(t *testing.T) {
	t.Parallel()
	r := &Responder{}
	f := fleet(t, r)
	f.SetWindows([]int{0, 0})
	idle(t, f)
	const rate = 1000
	before, began := f.Sent(), time.Now()
	stop := f.Flood(1, rate)
	await(t, "the flood goes on", func() bool { return f.Sent() >= before+3*10*floodBatch })
	stop()
	took := time.Since(began)
	batches := 2 + int(took*rate/(floodBatch*time.Second)) // the first comes at once, and one may have waited
	if n := f.Sent() - before; n > uint64(3*batches*floodBatch) {
		t.Errorf("%d packet_ins in %v, want %d a second on each of three switches", n, took, rate)
	}
}

func TestProbesAreCounted(t *testing.T) {
	t.Parallel()
	r := &Responder{Probe: time.Millisecond}
	fleet(t, r)
	await(t, "probes are answered", func() bool { return r.Answered.Load() >= 9 })
	answered := r.Answered.Load() // first: they go on
	if asked := r.Asked.Load(); answered > asked {
		t.Errorf("%d answers to %d probes", answered, asked)
	}
}

// A proxy reaches its controllers one after the other. What was sent for one it had not
// reached is sent again, or it would take up the window for as long as others answer.
func TestPacketInsForASliceThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	cfg := GeneratorConfig{MACs: 8, Slices: 2, Window: 8}.withDefaults()
	s := newFakeSwitch(&cfg, 1)
	s.fill()
	for slot := range uint32(8) {
		if slot%2 == 0 {
			s.answered(slot, true)
		}
	}
	if s.giveUpIfStuck(); s.inflight != 0 {
		t.Errorf("%d packet_ins outstanding for a slice without a controller", s.inflight)
	}
	s.fill()
	s.answered(0, true)
	if s.answered(1, true); s.inflight != 0 {
		t.Errorf("%d packet_ins outstanding when the last slice has come", s.inflight)
	}
	select {
	case <-s.served:
	default:
		t.Error("the load does not begin")
	}
	s.fill()
	s.answered(0, true)
	if s.giveUpIfStuck(); s.inflight != 7 {
		t.Errorf("%d packet_ins outstanding while some are answered, want 7", s.inflight)
	}
}

// What a thousand switches that come back cost the others is not to be hidden behind
// what they would send from then on.
func TestOnceASliceIsServedItIsSentNothingMore(t *testing.T) {
	t.Parallel()
	cfg := GeneratorConfig{Slices: 2, Windows: []int{1, 1}, Once: true}.withDefaults()
	s := newFakeSwitch(&cfg, 1)
	outstanding := func() []int {
		s.fill()
		return []int{s.bySlice[0].inflight, s.bySlice[1].inflight}
	}
	if diff := cmp.Diff([]int{1, 1}, outstanding()); diff != "" {
		t.Error("at first (-want +got):", diff)
	}
	s.answered(0, true)
	if diff := cmp.Diff([]int{0, 1}, outstanding()); diff != "" {
		t.Error("one is served (-want +got):", diff)
	}
	s.answered(1, true)
	if diff := cmp.Diff([]int{0, 0}, outstanding()); diff != "" {
		t.Error("both are (-want +got):", diff)
	}
	(&Fleet{switches: []*fakeSwitch{s}}).SetWindows([]int{1, 0})
	if diff := cmp.Diff([]int{1, 0}, outstanding()); diff != "" {
		t.Error("with windows set (-want +got):", diff)
	}
}
