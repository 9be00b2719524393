package classifier

import (
	"testing"
	"time"
)

func TestLatencyCountsIntoBuckets(t *testing.T) {
	t.Parallel()
	var l Latency
	for _, d := range []time.Duration{0, time.Microsecond, time.Microsecond + 1, 3 * time.Millisecond, time.Hour} {
		l.observe(d)
	}
	upTo, all, sum := l.Snapshot()
	if upTo[0] != 2 || upTo[1] != 3 || upTo[len(upTo)-1] != 4 || all != 5 {
		t.Errorf("up to 1us %d, 2us %d, 100ms %d, all %d; want 2 3 4 5", upTo[0], upTo[1], upTo[len(upTo)-1], all)
	}
	if l.Last() != time.Hour {
		t.Errorf("last %v, want an hour", l.Last())
	}
	if want := time.Hour + 3*time.Millisecond + 2*time.Microsecond + 1; sum != want {
		t.Errorf("sum %v, want %v", sum, want)
	}
	for i := range upTo {
		if i > 0 && upTo[i] < upTo[i-1] {
			t.Errorf("bucket %d holds less than the one before", i)
		}
	}
}

func TestLatencySamplesOneInMany(t *testing.T) {
	t.Parallel()
	var l Latency
	n := 0
	for range 10 * sampleEvery {
		if l.sampled() {
			n++
		}
	}
	if n != 10 {
		t.Errorf("%d of %d messages timed, want 10", n, 10*sampleEvery)
	}
}
