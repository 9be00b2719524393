package slicing
import ("testing";"fmt";"os";"strings";"strconv")
func TestDbg(t *testing.T) {
	f := strings.Fields(os.Getenv("DBG"))
	if len(f) == 0 { t.Skip() }
	seed, _ := strconv.ParseUint(f[0], 10, 64)
	w := newWorld(t, seed)
	for _, s := range f[1:] {
		n, _ := strconv.Atoi(s)
		err := w.step(seed, n)
		if err == nil { err = w.invariants() }
		fmt.Println(strings.Join(w.log, "\n")); w.log = nil
		for _, l := range w.r.log { fmt.Println("    >", l) }
		w.r.log = nil
		for _, l := range w.r.table() { fmt.Println("    |", l) }
		if err != nil { fmt.Println(err) }
	}
}
