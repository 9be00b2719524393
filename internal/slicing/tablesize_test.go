package slicing

import (
	"testing"

	"github.com/govisor/govisor/ofwire/of10"
)

// A slice's table is as large as the switch's largest one, or as it may be.
func TestTableSize(t *testing.T) {
	t.Parallel()
	r := newRig(t, 2, "100 any alice=7")
	size := func() uint32 {
		t.Helper()
		got := r.send("alice", &of10.StatsRequest{StatsType: of10.StatsTable})
		if len(got) != 1 {
			t.Fatalf("%d answers: %v", len(got), got)
		}
		return got[0].(*of10.StatsReply).Body.(of10.TableStatsReply)[0].MaxEntries
	}
	connect := func(answers ...of10.Message) {
		t.Helper()
		var out Out
		r.d.Connect(r.now, r.features(), Adopt, &out)
		asked := uint32(0)
		for b := out.Switch(); len(b) > 0; b = b[int(b[2])<<8|int(b[3]):] {
			m, err := of10.Parse(b[:int(b[2])<<8|int(b[3])])
			if err != nil {
				t.Fatal(err)
			}
			if q, ok := m.(*of10.StatsRequest); ok && q.StatsType == of10.StatsTable {
				asked = q.XID
			}
		}
		if asked == 0 {
			t.Fatal("the switch is not asked for its tables")
		}
		for _, m := range answers {
			m.SetTransactionID(asked)
			r.d.FromSwitch(r.now, encode(t, m), &out)
		}
		r.pump(&out) // the switch's own answer comes too late
		if !r.d.Ready() {
			t.Fatal("not ready")
		}
	}
	limit := func(flows int64) {
		var out Out
		r.d.SetSlice(r.now, SliceConfig{Name: "alice", MaxFlows: flows}, &out)
		r.pump(&out)
	}
	if got := size(); got != 1_000_000 {
		t.Errorf("size %d, want the switch's 1,000,000", got)
	}
	limit(10)
	if got := size(); got != 10 {
		t.Errorf("size %d, want the slice's limit of 10", got)
	}
	limit(-1)
	tables := func(more uint16, sizes ...uint32) *of10.StatsReply {
		var b of10.TableStatsReply
		for i, n := range sizes {
			b = append(b, of10.TableStats{TableID: uint8(i), MaxEntries: n})
		}
		return &of10.StatsReply{StatsType: of10.StatsTable, Flags: more, Body: b}
	}
	for _, tc := range []struct {
		name    string
		answers []of10.Message
		want    uint32
	}{
		{"several tables in parts", []of10.Message{tables(of10.StatsReplyMore, 100, 131072), tables(0, 2000)}, 131072},
		{"no tables", []of10.Message{tables(0)}, 1 << 20},
		{"does not know the question", []of10.Message{of10.NewError(of10.ErrorBadRequest, of10.BadRequestBadStat, make([]byte, 12))}, 1 << 20},
	} {
		connect(tc.answers...)
		if got := size(); got != tc.want {
			t.Errorf("%s: size %d, want %d", tc.name, got, tc.want)
		}
	}
	if got := r.take("alice"); len(got) > 0 {
		t.Errorf("alice hears %v", got)
	}
}
