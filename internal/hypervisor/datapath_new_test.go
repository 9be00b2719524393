package hypervisor

import (
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/govisor/govisor/ofwire/of10"
)

// TestPortsOfANewcomer: who hears that a switch has come and asks what it has must not be told
// that it has no ports, although its session is not at work yet.
func TestPortsOfANewcomer(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), AdminPassword: "secret-secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := s.NewSwitches(SwitchOptions{})
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	features := &of10.FeaturesReply{DatapathID: 1, Ports: []of10.PhyPort{{PortNo: of10.PortLocal, Name: "br0"}, {PortNo: 2, Name: "b"}, {PortNo: 1, Name: "a"}}}
	d := newDatapath(w, near, features, w.opts.Log)
	if _, err := s.Attach(1, d); err != nil {
		t.Fatal(err)
	}
	defer s.Detach(1, d)
	got, err := s.Datapath(Local(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range got.Ports {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "br0"}, names); diff != "" {
		t.Error(diff)
	}
	if features.Ports[0].PortNo != of10.PortLocal {
		t.Error("what the switch said was changed")
	}
}
