package slicing

import "fmt"

// versionWatch sees to it that nothing that is saved of a slice's flows changes while
// the version of its table does not.
type versionWatch struct {
	core *Datapath
	seen map[*slice]versionSeen
}

type versionSeen struct {
	version uint64
	saved   string
}

func (w *versionWatch) look(r *rig) {
	if w == nil || w.core != r.d {
		return
	}
	for name, s := range r.d.slices {
		if s.flows() > 30 { // enough; this is looked at after each message
			delete(w.seen, s)
			continue
		}
		saved := r.d.AppendSaved(nil, name)
		for i := range saved {
			saved[i].Packets, saved[i].Bytes = 0, 0 // are worth no writing by themselves
		}
		now := versionSeen{r.d.FlowsVersion(name), fmt.Sprint(saved)}
		if last, ok := w.seen[s]; ok && last.version == now.version && last.saved != now.saved {
			r.t.Fatalf("slice %s: version %d was of\n%s\nand is of\n%s", name, now.version, last.saved, now.saved)
		}
		w.seen[s] = now
	}
}
