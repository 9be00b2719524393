package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/shape"
)

// BenchmarkDecodeBulk reads the body of a bulk request of 100,000 rules.
func BenchmarkDecodeBulk(b *testing.B) {
	var body strings.Builder
	body.WriteString(`{"changes":[`)
	for i := range 100_000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"op":"add","add":{"name":"r%d","dpids":["%d"],"priority":100,"match":"in_port=%d,dl_vlan=%d","grants":[{"slice":"a","permission":7}]}}`, i, i%18+1, i%10+1, i%4096)
	}
	body.WriteString(`]}`)
	text := []byte(body.String())
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var in apitype.Bulk
		if err := unmarshal(text, &in); err != nil {
			b.Fatal(err)
		}
		if _, err := changesIn(in.Changes); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkShapeOfBulk is the check before.
func BenchmarkShapeOfBulk(b *testing.B) {
	text := []byte(`{"changes":[` + strings.Repeat(`{"op":"add","add":{"name":"r5","dpids":["7"],"priority":100,"match":"in_port=3,dl_vlan=7","grants":[{"slice":"a","permission":7}]}},`, 100_000) + `{"op":"remove","ref":"x"}]}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if got := shape.Check(text, typeOf[apitype.Bulk](), true, 1); got != nil {
			b.Fatal(got)
		}
	}
}
