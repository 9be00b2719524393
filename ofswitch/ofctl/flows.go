package ofctl

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/govisor/govisor/ofwire/of10"
)

// ErrDiffer is the result of diff-flows that found a difference.
var ErrDiffer = errors.New("the flows differ")

// FlowMods sends flows, at most window unconfirmed ones at a time.
func (c *Client) FlowMods(flows []*of10.FlowMod) error {
	const window = 1000
	var errs []error
	for part := range slices.Chunk(flows, window) {
		ms := make([]of10.Message, len(part))
		for i, f := range part {
			ms[i] = f
		}
		if err := c.Do(ms...); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Flows asks for the flows that a text like "tcp,out_port=2" selects.
func (c *Client) Flows(selection string) (*of10.StatsReply, error) {
	req, err := c.Parser().ParseFlowStatsRequest(selection)
	if err != nil {
		return nil, err
	}
	return c.Stats(of10.StatsFlow, req)
}

// DumpOptions say how dump-flows prints.
type DumpOptions struct {
	NoStats bool
	Names   bool
	Sort    []string // fields, most significant first; "-" before one sorts it descending
}

// DumpFlows prints the selected flows. Like ovs-ofctl it leaves out the headline
// as soon as an option changes the listing.
func (c *Client) DumpFlows(w io.Writer, selection string, o DumpOptions) error {
	reply, err := c.Flows(selection)
	if err != nil {
		return err
	}
	if !o.NoStats && !o.Names && len(o.Sort) == 0 {
		printMessage(w, reply)
		return nil
	}
	flows, _ := reply.Body.(of10.FlowStatsReply)
	if err := sortFlows(flows, o.Sort); err != nil {
		return err
	}
	format := of10.FlowFormat{NoStats: o.NoStats}
	if o.Names {
		if format.PortName, err = c.portNames(); err != nil {
			return err
		}
	}
	for i := range flows {
		fmt.Fprintf(w, " %s\n", flows[i].Format(format))
	}
	return nil
}

func (c *Client) portNames() (func(of10.Port) string, error) {
	f, err := c.Features()
	if err != nil {
		return nil, err
	}
	names := map[of10.Port]string{}
	for _, p := range f.Ports {
		names[p.PortNo] = p.Name
	}
	return func(p of10.Port) string { return names[p] }, nil
}

// sortKeys are the fields flows can be sorted by.
var sortKeys = map[string]func(f *of10.FlowStats) (v uint64, wild bool){
	"priority":  func(f *of10.FlowStats) (uint64, bool) { return uint64(f.Priority), false },
	"cookie":    func(f *of10.FlowStats) (uint64, bool) { return f.Cookie, false },
	"n_packets": func(f *of10.FlowStats) (uint64, bool) { return f.PacketCount, false },
	"n_bytes":   func(f *of10.FlowStats) (uint64, bool) { return f.ByteCount, false },
	"duration": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.DurationSec)*1e9 + uint64(f.DurationNsec), false
	},
	"idle_timeout": func(f *of10.FlowStats) (uint64, bool) { return uint64(f.IdleTimeout), false },
	"hard_timeout": func(f *of10.FlowStats) (uint64, bool) { return uint64(f.HardTimeout), false },
	"in_port": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.InPort), f.Match.Wildcards&of10.WildInPort != 0
	},
	"dl_vlan": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.DLVLAN), f.Match.Wildcards&of10.WildDLVLAN != 0
	},
	"dl_vlan_pcp": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.DLVLANPCP), f.Match.Wildcards&of10.WildDLVLANPCP != 0
	},
	"dl_src": func(f *of10.FlowStats) (uint64, bool) {
		return mac(f.Match.DLSrc), f.Match.Wildcards&of10.WildDLSrc != 0
	},
	"dl_dst": func(f *of10.FlowStats) (uint64, bool) {
		return mac(f.Match.DLDst), f.Match.Wildcards&of10.WildDLDst != 0
	},
	"dl_type": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.DLType), f.Match.Wildcards&of10.WildDLType != 0
	},
	"nw_tos": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.NWTos), f.Match.Wildcards&of10.WildNWTos != 0
	},
	"nw_proto": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.NWProto), f.Match.Wildcards&of10.WildNWProto != 0
	},
	"nw_src": func(f *of10.FlowStats) (uint64, bool) { return uint64(f.Match.NWSrc), f.Match.NWSrcBits() == 32 },
	"nw_dst": func(f *of10.FlowStats) (uint64, bool) { return uint64(f.Match.NWDst), f.Match.NWDstBits() == 32 },
	"tp_src": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.TPSrc), f.Match.Wildcards&of10.WildTPSrc != 0
	},
	"tp_dst": func(f *of10.FlowStats) (uint64, bool) {
		return uint64(f.Match.TPDst), f.Match.Wildcards&of10.WildTPDst != 0
	},
}

func mac(a [6]byte) uint64 {
	var v uint64
	for _, b := range a {
		v = v<<8 | uint64(b)
	}
	return v
}

// sortFlows sorts stably; flows that wildcard a field come behind the others.
func sortFlows(flows []of10.FlowStats, fields []string) error {
	for _, field := range slices.Backward(fields) {
		name, descending := strings.CutPrefix(field, "-")
		key := sortKeys[name]
		if key == nil {
			return fmt.Errorf("%s: unknown field to sort by", name)
		}
		slices.SortStableFunc(flows, func(a, b of10.FlowStats) int {
			va, wa := key(&a)
			vb, wb := key(&b)
			switch {
			case wa != wb && wb:
				return -1
			case wa != wb:
				return 1
			case descending:
				return cmp.Compare(vb, va)
			}
			return cmp.Compare(va, vb)
		})
	}
	return nil
}

// flowKey is what makes two flows the same one.
type flowKey struct {
	match    of10.Match
	priority uint16
}

func keyOf(f *of10.FlowStats) flowKey {
	k := flowKey{f.Match.Normalize(), f.Priority}
	if k.match.Exact() {
		k.priority = 0xffff // switches read it back differently, and it does not count
	}
	return k
}

// sameFlow compares what a controller gave a flow.
func sameFlow(a, b *of10.FlowStats) bool {
	return a.Cookie == b.Cookie && a.IdleTimeout == b.IdleTimeout && a.HardTimeout == b.HardTimeout && of10.ActionsEqual(a.Actions, b.Actions)
}

// Source is a set of flows: of a switch, or of a file.
type Source map[flowKey]of10.FlowStats

// ReadFlows reads flows as of add-flows; "-" is standard input.
func ReadFlows(p *of10.Parser, file string, stdin io.Reader, command of10.FlowModCommand) ([]*of10.FlowMod, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("%s: open failed (%w)", file, errors.Unwrap(err))
		}
		defer f.Close()
		r = f
	}
	flows, err := p.ParseFlows(r, command)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return flows, nil
}

// FileSource is the source of a file's flows.
func FileSource(flows []*of10.FlowMod) (Source, error) {
	s := Source{}
	for _, m := range flows {
		if m.Command != of10.FlowAdd {
			return nil, fmt.Errorf("only flows to add can be compared, not %v", m.Command)
		}
		f := of10.FlowStats{Match: m.Match.Normalize(), Priority: m.Priority, Cookie: m.Cookie,
			IdleTimeout: m.IdleTimeout, HardTimeout: m.HardTimeout, Actions: m.Actions}
		s[keyOf(&f)] = f
	}
	return s, nil
}

// Source is the source of the switch's flows.
func (c *Client) Source() (Source, error) {
	reply, err := c.Flows("")
	if err != nil {
		return nil, err
	}
	flows, _ := reply.Body.(of10.FlowStatsReply)
	s := Source{}
	for _, f := range flows {
		s[keyOf(&f)] = f
	}
	return s, nil
}

// sorted returns the keys of both, highest priority first.
func sorted(a, b Source) []flowKey {
	all := map[flowKey]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	keys := make([]flowKey, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y flowKey) int {
		return cmp.Or(cmp.Compare(y.priority, x.priority), cmp.Compare(x.match.String(), y.match.String()))
	})
	return keys
}

// Diff prints "-" lines for what is only in a and "+" lines for what is only in
// b, and returns ErrDiffer if there was any.
func Diff(w io.Writer, a, b Source) error {
	differ := false
	line := func(sign string, f of10.FlowStats) {
		differ = true
		fmt.Fprintf(w, "%s%s\n", sign, f.Format(of10.FlowFormat{NoStats: true}))
	}
	for _, k := range sorted(a, b) {
		fa, inA := a[k]
		fb, inB := b[k]
		if inA && inB && sameFlow(&fa, &fb) {
			continue
		}
		if inA {
			line("-", fa)
		}
		if inB {
			line("+", fb)
		}
	}
	if differ {
		return ErrDiffer
	}
	return nil
}

// Replace makes the switch's flows those of want, touching only what differs.
func (c *Client) Replace(want Source) error {
	have, err := c.Source()
	if err != nil {
		return err
	}
	var mods []*of10.FlowMod
	mod := func(f of10.FlowStats, command of10.FlowModCommand) {
		mods = append(mods, &of10.FlowMod{
			Match: f.Match, Priority: f.Priority, Cookie: f.Cookie, Command: command,
			IdleTimeout: f.IdleTimeout, HardTimeout: f.HardTimeout,
			BufferID: of10.NoBuffer, OutPort: of10.PortNone, Actions: f.Actions,
		})
	}
	keys := sorted(have, want)
	for _, k := range keys { // new ones first, so that traffic does not fall into a gap
		f, ok := want[k]
		if old, had := have[k]; ok && !(had && sameFlow(&old, &f)) {
			mod(f, of10.FlowAdd)
		}
	}
	for _, k := range keys {
		if _, ok := want[k]; !ok {
			f := have[k]
			f.Actions = nil
			mod(f, of10.FlowDeleteStrict)
		}
	}
	return c.FlowMods(mods)
}
