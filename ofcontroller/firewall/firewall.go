// Package firewall is a learning switch behind a list of rules: what the list
// denies is dropped in the switch, what it allows is learned and forwarded.
package firewall

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/flowspace/fs10"
	"github.com/govisor/govisor/internal/packet"
	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/learning"
	"github.com/govisor/govisor/ofwire/of10"
)

// Rule allows or denies the frames that match it.
type Rule struct {
	Match flowspace.Match
	Allow bool
}

// dropIdle is the idle timeout of the flows that drop, in seconds.
const dropIdle = 10

// App is the application.
type App struct {
	rules   []Rule
	allow   bool // what no rule matches
	learner *learning.App
	denied  atomic.Uint64
}

var _ ofcontroller.App = (*App)(nil)

// New returns a firewall. The first rule that matches a frame decides; without
// one, allow does. A flow is made for each exact header, so that it can never
// carry what another rule decides about.
func New(rules []Rule, allow bool) *App {
	return &App{rules: rules, allow: allow, learner: learning.New(learning.Config{Exact: true})}
}

// Open makes it from the parameter rules, the name of a file for Parse.
func Open(params ofcontroller.Params) (ofcontroller.App, error) {
	for key := range params {
		if key != "rules" {
			return nil, fmt.Errorf("unknown parameter %q; there is rules", key)
		}
	}
	name := params["rules"]
	if name == "" {
		return nil, errors.New("which rules? Say rules=FILE")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rules, allow, err := Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return New(rules, allow), nil
}

// Parse reads rules, one a line: "allow MATCH" or "deny MATCH", a match in the
// syntax of ovs-ofctl, and "default allow" or "default deny", which is deny
// without such a line. "#" starts a comment. ARP needs a rule like all else.
func Parse(r io.Reader) (rules []Rule, allow bool, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case verb == "":
		case verb == "default" && (rest == "allow" || rest == "deny"):
			allow = rest == "allow"
		case (verb == "allow" || verb == "deny") && rest != "":
			m, err := of10.ParseMatch(rest)
			if err != nil {
				return nil, false, fmt.Errorf("line %d: %w", n, err)
			}
			rules = append(rules, Rule{Match: fs10.FromMatch(m), Allow: verb == "allow"})
		default:
			return nil, false, fmt.Errorf("line %d: %q; want allow MATCH, deny MATCH, default allow or default deny", n, strings.TrimSpace(line))
		}
	}
	return rules, allow, lines.Err()
}

// Allows reports what the rules decide about a header.
func (a *App) Allows(h *packet.Header) bool {
	for i := range a.rules {
		if a.rules[i].Match.Matches(h) {
			return a.rules[i].Allow
		}
	}
	return a.allow
}

// Denied counts the frames that came to the controller and were dropped.
func (a *App) Denied() uint64 { return a.denied.Load() }

// Attach adds the firewall's handlers, then those of the learning switch.
func (a *App) Attach(c *ofcontroller.Controller) error {
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		// Flows that others left could carry what is denied.
		_ = sw.Send(&of10.FlowMod{Match: of10.MatchAll(), Command: of10.FlowDelete, BufferID: of10.NoBuffer, OutPort: of10.PortNone})
		return ofcontroller.Continue
	})
	ofcontroller.OnInline(c, func(sw *ofcontroller.Switch, in *of10.PacketIn) ofcontroller.Verdict {
		h := packet.Parse(in.Data, uint32(in.InPort))
		if a.Allows(&h) {
			return ofcontroller.Continue
		}
		a.denied.Add(1)
		// Without actions: the switch drops such frames, the buffered one too.
		_ = sw.Send(&of10.FlowMod{
			Match: learning.Match(&h, true), Command: of10.FlowAdd, Priority: 0xffff, IdleTimeout: dropIdle,
			BufferID: in.BufferID, OutPort: of10.PortNone,
		})
		return ofcontroller.Stop
	})
	return a.learner.Attach(c)
}
