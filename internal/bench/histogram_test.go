package bench

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketBoundsAreMonotone(t *testing.T) {
	t.Parallel()
	for b := 1; b < histBuckets; b++ {
		if upperBound(b) <= upperBound(b-1) {
			t.Fatalf("bound of bucket %d is %d, of %d is %d", b, upperBound(b), b-1, upperBound(b-1))
		}
		if got := bucketOf(upperBound(b)); got != b {
			t.Fatalf("upper bound %d of bucket %d falls into bucket %d", upperBound(b), b, got)
		}
		if got := bucketOf(upperBound(b-1) + 1); got != b {
			t.Fatalf("lowest value %d of bucket %d falls into bucket %d", upperBound(b-1)+1, b, got)
		}
	}
}

func TestQuantilesAgreeWithSorting(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var h, a, b Histogram
	var all []time.Duration
	for i := range 20000 {
		d := time.Duration(r.ExpFloat64() * 80e3)
		all = append(all, d)
		h.Add(d)
		if i%2 == 0 {
			a.Add(d)
		} else {
			b.Add(d)
		}
	}
	slices.Sort(all)
	a.Merge(&b)
	for _, q := range []float64{.01, .5, .9, .99, .999, 1} {
		want := all[int(q*float64(len(all)))-1]
		got := h.Quantile(q)
		if float64(got) < float64(want) || float64(got) > float64(want)*1.02+1 {
			t.Errorf("quantile %v = %v, sorted list says %v", q, got, want)
		}
		if a.Quantile(q) != got {
			t.Errorf("merged quantile %v = %v, want %v", q, a.Quantile(q), got)
		}
	}
	if h.Count() != 20000 || a.Count() != 20000 {
		t.Errorf("counts %d and %d, want 20000", h.Count(), a.Count())
	}
}
