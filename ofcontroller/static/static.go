// Package static keeps the flows of a file in the switches: it puts them in when
// a switch connects, and again when it comes back, and takes out all others.
package static

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// Flow is one flow of the file.
type Flow struct {
	Line int               // in the file
	ID   ofwire.DatapathID // of the switch it is for
	Any  bool              // it is for every switch
	Mod  of10.FlowMod      // an ADD
}

// App is the application.
type App struct {
	flows []Flow

	mu   sync.Mutex
	sent map[sentKey]int // lines by the xid of their flow_mods; guarded by mu
}

type sentKey struct {
	sw  *ofcontroller.Switch
	xid uint32
}

var _ ofcontroller.App = (*App)(nil)

// New returns an application that keeps these flows.
func New(flows []Flow) *App { return &App{flows: flows, sent: make(map[sentKey]int)} }

// Open makes it from the parameter file.
func Open(params ofcontroller.Params) (ofcontroller.App, error) {
	for key := range params {
		if key != "file" {
			return nil, fmt.Errorf("unknown parameter %q; there is file", key)
		}
	}
	name := params["file"]
	if name == "" {
		return nil, errors.New("which flows? Say file=NAME")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	flows, err := Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return New(flows), nil
}

// Parse reads flows, one a line, in the syntax of ovs-ofctl add-flow. A line may
// begin with dpid=ID and a space; without it the flow is for every switch. "#"
// starts a comment. Errors name the line.
func Parse(r io.Reader) ([]Flow, error) {
	var flows []Flow
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		flow, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		flow.Line = n
		flows = append(flows, flow)
	}
	return flows, lines.Err()
}

func parseLine(line string) (Flow, error) {
	flow := Flow{Any: true}
	if rest, ok := strings.CutPrefix(line, "dpid="); ok {
		id, text, _ := strings.Cut(rest, " ")
		var err error
		if flow.ID, err = ofwire.ParseDatapathID(id); err != nil {
			return Flow{}, err
		}
		flow.Any, line = false, text
	}
	mod, err := of10.ParseFlow(line, of10.FlowAdd)
	if err != nil {
		return Flow{}, err
	}
	mod.Match = mod.Match.Normalize()
	flow.Mod = *mod
	return flow, nil
}

// Attach adds the application's handlers.
func (a *App) Attach(c *ofcontroller.Controller) error {
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		if err := a.install(sw); err != nil {
			c.Log().WithField("dpid", sw.ID().String()).WithError(err).Error("cannot install the static flows")
		}
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, e *of10.Error) ofcontroller.Verdict {
		a.mu.Lock()
		line, ours := a.sent[sentKey{sw, e.XID}]
		a.mu.Unlock()
		if ours {
			c.Log().WithField("dpid", sw.ID().String()).WithError(e).Errorf("the switch refuses the flow of line %d", line)
		}
		return ofcontroller.Continue
	})
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchDown) ofcontroller.Verdict {
		a.mu.Lock()
		defer a.mu.Unlock()
		for key := range a.sent {
			if key.sw == sw {
				delete(a.sent, key)
			}
		}
		return ofcontroller.Continue
	})
	return nil
}

// place is what makes two flows the same flow of a table.
type place struct {
	match    of10.Match
	priority uint16
}

// install adds the flows of a switch, then deletes what else is there, so that
// what was right already goes on undisturbed.
func (a *App) install(sw *ofcontroller.Switch) error {
	ctx := context.Background() // Request has a timeout of its own
	wanted := make(map[place]bool)
	var mods []of10.Message
	a.mu.Lock()
	for _, f := range a.flows {
		if !f.Any && f.ID != sw.ID() {
			continue
		}
		mod := f.Mod
		mod.XID = sw.NextXID()
		a.sent[sentKey{sw, mod.XID}] = f.Line
		wanted[place{mod.Match, mod.Priority}] = true
		mods = append(mods, &mod)
	}
	a.mu.Unlock()
	// A refusal is told by the handler of errors, for each line.
	if err := sw.Apply(ctx, mods...); err != nil && !isRefusal(err) {
		return err
	}
	reply, err := sw.Request(ctx, &of10.StatsRequest{
		StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone},
	})
	if err != nil {
		return err
	}
	list, _ := reply.(*of10.StatsReply).Body.(of10.FlowStatsReply)
	var strangers []of10.Message
	for _, s := range list {
		at := place{s.Match.Normalize(), s.Priority}
		if !wanted[at] && !wantedExact(wanted, at) {
			strangers = append(strangers, &of10.FlowMod{
				Match: s.Match, Command: of10.FlowDeleteStrict, Priority: s.Priority, BufferID: of10.NoBuffer, OutPort: of10.PortNone,
			})
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	return sw.Apply(ctx, strangers...)
}

// wantedExact looks for a flow without wildcards, whose priority switches change.
func wantedExact(wanted map[place]bool, at place) bool {
	if !at.match.Exact() {
		return false
	}
	for w := range wanted {
		if w.match == at.match {
			return true
		}
	}
	return false
}

func isRefusal(err error) bool {
	var refusal *of10.Error
	return errors.As(err, &refusal)
}
