package bench

import (
	"math/bits"
	"time"
)

const (
	subBuckets  = 64 // linear steps within one power of two: at most 1.6 % error
	histBuckets = 40 * subBuckets
)

// Histogram counts durations in log-linear buckets. The zero value is empty; it is not safe for concurrent use.
type Histogram struct {
	counts [histBuckets]uint64
	n      uint64
	sum    uint64
	max    uint64
}

func bucketOf(ns uint64) int {
	if ns < subBuckets {
		return int(ns)
	}
	exp := bits.Len64(ns) - 7 // ns>>exp lies in [64,128)
	b := (exp+1)*subBuckets + int(ns>>exp) - subBuckets
	return min(b, histBuckets-1)
}

// upperBound is the largest value that bucket b holds, in nanoseconds.
func upperBound(b int) uint64 {
	if b < subBuckets {
		return uint64(b)
	}
	exp := b/subBuckets - 1
	return uint64(b%subBuckets+subBuckets+1)<<exp - 1
}

// Add counts d; a negative d counts as zero.
func (h *Histogram) Add(d time.Duration) {
	ns := uint64(max(d, 0))
	h.counts[bucketOf(ns)]++
	h.n++
	h.sum += ns
	h.max = max(h.max, ns)
}

// Merge adds everything o holds.
func (h *Histogram) Merge(o *Histogram) {
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.sum += o.sum
	h.max = max(h.max, o.max)
}

// Count is the number of values added.
func (h *Histogram) Count() uint64 { return h.n }

// Quantile is the smallest bucket bound that at least the fraction q of all values does not exceed; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	want := uint64(q * float64(h.n))
	want = max(want, 1)
	var seen uint64
	for b, c := range h.counts {
		if seen += c; seen >= want {
			return time.Duration(min(upperBound(b), h.max))
		}
	}
	return time.Duration(h.max)
}

// Mean is the average of all values; 0 when empty.
func (h *Histogram) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return time.Duration(h.sum / h.n)
}

// Delays is a histogram in figures, in microseconds.
type Delays struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"mean_us"`
	P50   float64 `json:"p50_us"`
	P90   float64 `json:"p90_us"`
	P99   float64 `json:"p99_us"`
	P999  float64 `json:"p999_us"`
	Max   float64 `json:"max_us"`
}

// Delays sums the histogram up.
func (h *Histogram) Delays() Delays {
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	return Delays{
		Count: h.n, Mean: us(h.Mean()), P50: us(h.Quantile(.5)), P90: us(h.Quantile(.9)),
		P99: us(h.Quantile(.99)), P999: us(h.Quantile(.999)), Max: float64(h.max) / 1e3,
	}
}
