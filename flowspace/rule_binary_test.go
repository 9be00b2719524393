package flowspace

import (
	"bytes"
	"encoding"
	"math/rand/v2"
	"testing"
)

var (
	_ encoding.BinaryAppender    = (*Rule)(nil)
	_ encoding.BinaryMarshaler   = (*Rule)(nil)
	_ encoding.BinaryUnmarshaler = (*Rule)(nil)
)

func randRule(r *rand.Rand) *Rule {
	for {
		n := &Rule{
			ID: r.Uint64() >> (1 + r.IntN(63)), Name: string(bytes.Repeat([]byte{'n'}, 1+r.IntN(64))),
			Priority: uint32(r.IntN(MaxPriority)) >> r.IntN(31), Match: randMatch(r, randFields(r, r.IntN(6))),
		}
		n.DPIDs = [...]DPIDSet{AllDPIDs(), DPIDs(0), DPIDs(1<<64 - 1), DPIDs(r.Uint64(), 7, 8), DPIDs(1)}[r.IntN(5)]
		n.Grants = [][]Grant{{{"a", 7}}, {{"a", 1}, {"b", 6}}}[r.IntN(2)]
		if r.IntN(3) == 0 {
			n.Queues = []uint32{0, 5, 0xffffffff}
		}
		if r.IntN(3) == 0 {
			n.HasForcedQueue, n.ForcedQueue = true, r.Uint32()
		}
		if n.Validate() == nil {
			return n
		}
	}
}

func TestRuleRecordRoundTrip(t *testing.T) {
	t.Parallel()
	r := newRand(t, 11)
	for range rounds(5000) {
		want := randRule(r)
		b, err := want.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var got Rule
		if err := got.UnmarshalBinary(b); err != nil || !got.Equal(want) {
			t.Fatalf("%s came back as %s, %v", want, &got, err)
		}
		for i := range b {
			if err := new(Rule).UnmarshalBinary(b[:i]); err == nil {
				t.Fatalf("%d of %d bytes of %s were read", i, len(b), want)
			}
		}
		if err := new(Rule).UnmarshalBinary(append(b, 0)); err == nil {
			t.Fatal("a byte too many was read")
		}
	}
}

// The record is on disk: this test holds version 1 still.
func TestRuleRecordBytes(t *testing.T) {
	t.Parallel()
	r := rule(t, "web 1 300 tcp,dl_vlan=100-199|0xffff,nw_src=10.0.0.0/8,tp_dst=80 alice=7")
	r.ID, r.Queues, r.HasForcedQueue, r.ForcedQueue = 5, []uint32{1}, true, 2
	want := []byte{
		1, 2, 5, 0xac, 2, // version, forced queue, id, priority
		3, 'w', 'e', 'b',
		1, 0, 0, 0, 0, 0, 0, 0, 1, // one dpid
		0x09, 0xa8, // fields present
		2, 100, 99, 0xff, 0xff, 3, 0, // dl_vlan
		1, 0x80, 0x10, 0, // dl_type
		1, 6, 0, // nw_proto
		10, 0, 0, 0, 8, // nw_src
		1, 80, 0, // tp_dst
		1, 5, 'a', 'l', 'i', 'c', 'e', 7,
		1, 1, // queues
		2, // forced queue
	}
	got, _ := r.MarshalBinary()
	if !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// A prefix of 33 bits is none, on disk neither.
func TestRuleRecordPrefix(t *testing.T) {
	t.Parallel()
	b, _ := rule(t, "web 1 300 ip,nw_src=10.0.0.0/8 alice=7").MarshalBinary()
	at := bytes.Index(b, []byte{10, 0, 0, 0, 8}) + 4
	for n := range byte(40) {
		b[at] = n
		if err := new(Rule).UnmarshalBinary(b); (err == nil) != (n <= 32) {
			t.Errorf("length %d: %v", n, err)
		}
	}
}

func FuzzRuleRecord(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		b, _ := randRule(r).MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a, c Rule
		if a.UnmarshalBinary(b) != nil {
			return
		}
		again, _ := a.MarshalBinary()
		if err := c.UnmarshalBinary(again); err != nil || !c.Equal(&a) {
			t.Fatalf("%x read as %s, written as %x, read as %s, %v", b, &a, again, &c, err)
		}
	})
}
