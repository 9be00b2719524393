package of10

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const ovsPrints = "../../testdata/wire/ovs31-prints.txt"

// TestRecordedOVSPrints compares our text with what Open vSwitch 3.1 printed for random
// messages, where it is not installed too. -update records again.
func TestRecordedOVSPrints(t *testing.T) {
	t.Parallel()
	if *update {
		recordOVSPrints(t)
	}
	content, err := os.ReadFile(ovsPrints)
	if err != nil {
		t.Fatal(err)
	}
	records := strings.Split(string(content), "\n## ")[1:]
	if len(records) < 100 {
		t.Fatalf("only %d records", len(records))
	}
	for _, r := range records {
		digits, want, _ := strings.Cut(r, "\n")
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", digits, err)
			continue
		}
		if d := cmp.Diff(strings.Trim(ovsText(want), " \n"), strings.Trim(ovsStyle(m), " \n")); d != "" {
			t.Errorf("%s (-ovs +govisor)\n%s", digits, d)
		}
	}
}

func recordOVSPrints(t *testing.T) {
	ovsOfctl := needTool(t, "ovs-ofctl")
	var file strings.Builder
	file.WriteString("# Messages in hexadecimal, each with what `ovs-ofctl ofp-print HEX` of Open vSwitch 3.1 says.\n")
	g := newGen(12)
	g.ovs = true
	for i := range 190 {
		digits := hex.EncodeToString(encode(t, g.message(i)))
		out, err := execOutput(t, ovsOfctl, "ofp-print", digits)
		if err != nil {
			t.Fatal(err)
		}
		file.WriteString("\n## " + digits + "\n" + strings.TrimRight(out, " \n") + "\n")
	}
	if err := os.WriteFile(ovsPrints, []byte(file.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
