package ofcontroller_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofwire"
)

// nosy is an application that tells what it gets.
type nosy struct {
	params ofcontroller.Params
	ids    chan ofwire.DatapathID
	ran    chan struct{}
}

func (n *nosy) Attach(c *ofcontroller.Controller) error {
	if n.params["refuse"] != "" {
		return errors.New("refused")
	}
	ofcontroller.On(c, func(sw *ofcontroller.Switch, _ ofcontroller.SwitchUp) ofcontroller.Verdict {
		n.ids <- sw.ID()
		return ofcontroller.Continue
	})
	c.Background(func(ctx context.Context) error {
		<-ctx.Done()
		close(n.ran)
		return nil
	})
	return nil
}

var names atomic.Int64

// unique returns a name that no other run of a test has registered.
func unique(name string) string { return fmt.Sprint(name, names.Add(1)) }

func TestRegisterAndOpen(t *testing.T) {
	t.Parallel()
	name := unique("test-open")
	ofcontroller.Register(name, func(p ofcontroller.Params) (ofcontroller.App, error) {
		if p["bad"] != "" {
			return nil, errors.New("bad is bad")
		}
		return &nosy{params: p}, nil
	})
	if !slices.Contains(ofcontroller.Registered(), name) {
		t.Errorf("registered are %v", ofcontroller.Registered())
	}
	app, err := ofcontroller.Open(name + ",a=1,b=x=y,c=")
	if err != nil {
		t.Fatal(err)
	}
	if p := app.(*nosy).params; len(p) != 3 || p["a"] != "1" || p["b"] != "x=y" || p["c"] != "" {
		t.Errorf("parameters %v", p)
	}
	app, err = ofcontroller.Open(name + "?a=1,2&b=x=y&c=")
	if err != nil {
		t.Fatal(err)
	}
	if p := app.(*nosy).params; len(p) != 3 || p["a"] != "1,2" || p["b"] != "x=y" || p["c"] != "" {
		t.Errorf("parameters behind a question mark %v", p)
	}
	for spec, want := range map[string]string{
		"no-such":           "no application \"no-such\"",
		"":                  "no application \"\"",
		name + "?a":         "bad parameter \"a\"",
		name + ",a":         "bad parameter \"a\"",
		name + ",=1":        "bad parameter \"=1\"",
		name + ",a=1,a=2":   "bad parameter \"a=2\"",
		name + ",":          "bad parameter \"\"",
		name + ",bad=1":     "bad is bad",
		name + ",refuse=1,": "bad parameter \"\"",
	} {
		if _, err := ofcontroller.Open(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q): %v, want %q", spec, err, want)
		}
	}
	if _, err := ofcontroller.StartModule(name+",refuse=1", ofcontroller.Config{}); err == nil {
		t.Error("StartModule ignores that Attach fails")
	}
	for _, name := range []string{name, "", "a,b", "a b", "a?b"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Register(%q) does not panic", name)
				}
			}()
			ofcontroller.Register(name, func(ofcontroller.Params) (ofcontroller.App, error) { return nil, nil })
		}()
	}
}

func TestModule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := unique("test-module")
		app := &nosy{ids: make(chan ofwire.DatapathID, 2), ran: make(chan struct{})}
		ofcontroller.Register(name, func(ofcontroller.Params) (ofcontroller.App, error) { return app, nil })
		m, err := ofcontroller.StartModule(name, ofcontroller.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for id := range ofwire.DatapathID(2) {
			conn, err := m.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			// HELLO, then a FEATURES_REPLY for the module's first request.
			conn.Write([]byte{1, 0, 0, 8, 0, 0, 0, 0})
			conn.Write([]byte{1, 6, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 40 + byte(id), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
		}
		got := []ofwire.DatapathID{<-app.ids, <-app.ids}
		slices.Sort(got)
		if !slices.Equal(got, []ofwire.DatapathID{40, 41}) {
			t.Errorf("the module sees %v", got)
		}
		m.Close()
		<-app.ran
		if _, err := m.Dial(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Dial after Close: %v", err)
		}
	})
}

func TestModulesKeepOwnersApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		name := unique("test-modules")
		var made, ended atomic.Int64
		ofcontroller.Register(name, func(ofcontroller.Params) (ofcontroller.App, error) {
			made.Add(1)
			app := &nosy{ids: make(chan ofwire.DatapathID, 2), ran: make(chan struct{})}
			go func() {
				<-app.ran
				ended.Add(1)
			}()
			return app, nil
		})
		m := ofcontroller.NewModules(ofcontroller.Config{})
		dial := func(owner string) net.Conn {
			t.Helper()
			conn, err := m.Dial(t.Context(), owner, name)
			if err != nil {
				t.Fatal(err)
			}
			return conn
		}
		want := func(when string, wantMade, wantEnded int64, wantRunning int) {
			t.Helper()
			synctest.Wait()
			if made.Load() != wantMade || ended.Load() != wantEnded || m.Running() != wantRunning {
				t.Errorf("%s: %d made, %d ended, %d run; want %d, %d, %d", when, made.Load(), ended.Load(), m.Running(), wantMade, wantEnded, wantRunning)
			}
		}
		a1, a2, b := dial("a"), dial("a"), dial("b")
		want("two owners", 2, 0, 2)
		a1.Close()
		want("one of two connections closed", 2, 0, 2)
		a2.Close()
		want("both closed", 2, 1, 1)
		dial("a")
		want("the owner is back", 3, 1, 2)
		if _, err := m.Dial(t.Context(), "a", "no-such"); err == nil {
			t.Error("Dial connects to no application")
		}
		m.Close()
		want("all closed", 3, 3, 0)
		if _, err := m.Dial(t.Context(), "a", name); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Dial after Close: %v", err)
		}
		b.Close()
	})
}
