package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofwire/of10"
)

// Whatever is done to the API, every frame of a connected switch is forwarded, by packet_in and packet_out, and
// afterwards nothing of it is left in memory.
func TestAttackOnTheAPI(t *testing.T) {
	t.Parallel()
	a := startAttacked(t)
	ctx := t.Context()
	if _, err := a.c.CreateSlice(ctx, apitype.SliceCreate{Name: "base", Controllers: []string{"module:hub"}, Contact: "a@b.c"}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.c.CreateRule(ctx, apitype.RuleCreate{Name: "base", DPIDs: []string{"any"}, Match: "any", Grants: []apitype.Grant{{Slice: "base", Permission: 7}}}); err != nil {
		t.Fatal(err)
	}
	token, err := a.c.CreateToken(ctx, apitype.TokenCreate{Account: "base"})
	if err != nil {
		t.Fatal(err)
	}
	a.token = token.Secret
	for up := false; !up; {
		h, err := a.c.SliceHealth(ctx, "base")
		if err != nil {
			t.Fatal(err)
		}
		up = len(h.Connections) == 1 && h.Connections[0].State == "connected"
	}
	quiet := a.talk()
	a.until("frames before", 50)
	before := a.health()
	for _, attack := range []struct {
		name string
		run  func()
	}{
		{"slow clients", func() { a.hold(900, "POST / HTTP/1.1\r\nHost: x\r\nContent-Le") }},
		{"event streams nobody reads", func() {
			a.hold(50, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+a.token+"\r\n\r\n")
			for i := range 400 {
				if _, err := a.c.UpdateSlice(ctx, "base", apitype.SliceUpdate{Contact: new(fmt.Sprint("x", i))}, ""); err != nil {
					t.Error(err)
				}
			}
		}},
		{"wrong passwords", func() {
			a.many(1000, func(r *http.Request, i int) { r.SetBasicAuth("fvadmin", fmt.Sprint("wrong", i)) }, func() (string, string, io.Reader) { return "GET", "/api/v1/slices", http.NoBody })
		}},
		{"large bodies", func() {
			a.many(30, a.bearer, func() (string, string, io.Reader) {
				return "POST", "/api/v1/flowspace/bulk", io.LimitReader(spaces{}, 10<<20)
			})
			a.many(30, a.bearer, func() (string, string, io.Reader) { return "POST", "/", io.LimitReader(spaces{}, 10<<20) })
		}},
		{"deep JSON", func() {
			deep := strings.Repeat(`{"a":[`, 150_000)
			a.many(30, a.bearer, func() (string, string, io.Reader) { return "POST", "/", strings.NewReader(deep) })
			a.many(30, a.bearer, func() (string, string, io.Reader) { return "POST", "/api/v1/slices", strings.NewReader(deep) })
		}},
	} {
		attack.run()
		a.until("frames during "+attack.name, 50)
		h := a.health()
		t.Logf("%s: %d goroutines, %d MB, %d frames", attack.name, h.Goroutines, h.MemoryBytes>>20, a.frames.Load())
		if h.MemoryBytes > before.MemoryBytes+512<<20 {
			t.Errorf("%s: %d MB, %d before", attack.name, h.MemoryBytes>>20, before.MemoryBytes>>20)
		}
	}
	a.release()
	deadline := time.Now().Add(3 * time.Minute) // a watchdog: it takes no time
	for h := a.health(); h.Goroutines > before.Goroutines+50 || h.MemoryBytes > before.MemoryBytes+128<<20; h = a.health() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d MB stay, %d and %d before", h.Goroutines, h.MemoryBytes>>20, before.Goroutines, before.MemoryBytes>>20)
		}
	}
	a.until("frames afterwards", 50)
	quiet()
	st, err := a.c.SliceHealth(ctx, "base")
	if err != nil || len(st.Connections) != 1 || st.Connections[0].Connects != 1 {
		t.Errorf("the controller's connection: %+v, %v", st, err)
	}
	if err := a.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Wait(); err != nil {
		t.Errorf("govisor did not end well: %v", err)
	}
}

// attacked is a govisor with its API open, and a switch between two hosts.
type attacked struct {
	t      *testing.T
	cmd    *exec.Cmd
	c      *client.Client // by the socket
	api    string
	token  string
	hosts  [2]*port.Memory
	frames atomic.Int64 // that arrived; each is waited for
	held   []net.Conn
}

func startAttacked(t *testing.T) *attacked {
	t.Helper()
	dir := t.TempDir()
	a := &attacked{t: t, cmd: exec.Command("govisor", "serve", "--data", dir, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--api-plain", "127.0.0.1:0", "--log-level", "error")}
	a.cmd.Stderr = t.Output()
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = a.cmd.Process.Kill() // it has ended if all was well
		_ = a.cmd.Wait()
	})
	var openflow string
	for s := bufio.NewScanner(out); s.Scan() && !strings.HasPrefix(s.Text(), "the administrator is "); {
		if addr, ok := strings.CutPrefix(s.Text(), "listening for OpenFlow switches on tcp "); ok {
			openflow = addr
		}
		if addr, ok := strings.CutPrefix(s.Text(), "listening for the API, without TLS, on http://"); ok {
			a.api = addr
		}
	}
	if a.c, err = client.New(client.Options{URL: "unix:" + filepath.Join(dir, socketName)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { a.release(); cancel(); wg.Wait() })
	cfg := ofswitch.SwitchConfig{Probe: -1}
	cfg.DatapathID = 1
	sw, err := ofswitch.NewSwitch(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.hosts {
		near, far := port.Pipe(fmt.Sprint("s", i), fmt.Sprint("h", i))
		if err := sw.AttachPort(of10.Port(i+1), near); err != nil {
			t.Fatal(err)
		}
		a.hosts[i] = far
		context.AfterFunc(ctx, func() { _ = far.Close() })
	}
	wg.Go(func() { _ = sw.Run(ctx) })
	nc, err := net.Dial("tcp", openflow)
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { _ = sw.Serve(ctx, nc, ofswitch.Primary) })
	return a
}

// talk sends one frame after the other, each when the one before has arrived.
func (a *attacked) talk() (quiet func()) {
	arrived := make(chan uint64, 64)
	go func() { // ends with the port
		batch := make([]port.Frame, 16)
		for {
			n, err := a.hosts[1].Read(batch)
			if err != nil {
				close(arrived)
				return
			}
			for _, f := range batch[:n] {
				if len(f.Data) >= 60 && f.Data[12] == 0x88 && f.Data[13] == 0xb5 {
					arrived <- binary.BigEndian.Uint64(f.Data[40:])
				}
			}
		}
	}()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := uint64(1); ; n++ {
			frame := make([]byte, 60)
			frame[0], frame[5], frame[6], frame[11], frame[12], frame[13] = 2, 2, 2, 1, 0x88, 0xb5
			binary.BigEndian.PutUint64(frame[40:], n)
			_, _ = a.hosts[0].Write([]port.Frame{{Data: frame}}) // it would not arrive
			timer := time.NewTimer(2 * time.Minute)              // a watchdog: it takes no time
			select {
			case got, ok := <-arrived:
				if !ok {
					return
				}
				if got != n {
					a.t.Errorf("frame %d arrived, want %d", got, n)
				}
				a.frames.Add(1)
			case <-timer.C:
				a.t.Errorf("frame %d was lost", n)
				return
			case <-stop:
				timer.Stop()
				return
			}
			timer.Stop()
		}
	}()
	return func() { close(stop); <-done }
}

// until waits for so many more frames.
func (a *attacked) until(what string, more int64) {
	a.t.Helper()
	want, deadline := a.frames.Load()+more, time.Now().Add(2*time.Minute)
	for tick := time.NewTicker(time.Millisecond); a.frames.Load() < want; <-tick.C {
		if a.t.Failed() || time.Now().After(deadline) {
			a.t.Fatalf("%s: %d frames arrived, want %d", what, a.frames.Load(), want)
		}
	}
}

func (a *attacked) health() apitype.Health {
	a.t.Helper()
	h, err := a.c.Health(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return h
}

// hold opens connections that say something and then neither speak nor listen.
func (a *attacked) hold(n int, text string) {
	a.t.Helper()
	for range n {
		c, err := net.Dial("tcp", a.api)
		if err != nil {
			a.t.Fatal(err)
		}
		a.held = append(a.held, c)
		_, _ = io.WriteString(c, text) // it may be refused
	}
}

// release closes what hold opened.
func (a *attacked) release() {
	for _, c := range a.held {
		_ = c.Close()
	}
	a.held = nil
}

func (a *attacked) bearer(r *http.Request, _ int) { r.Header.Set("Authorization", "Bearer "+a.token) }

// many sends n requests, some at a time; none may be answered well.
func (a *attacked) many(n int, login func(*http.Request, int), what func() (method, path string, body io.Reader)) {
	a.t.Helper()
	var wg sync.WaitGroup
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer hc.CloseIdleConnections()
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < n; i += 8 {
				method, path, body := what()
				r, err := http.NewRequestWithContext(a.t.Context(), method, "http://"+a.api+path, body)
				if err != nil {
					a.t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/json")
				login(r, i)
				resp, err := hc.Do(r)
				if err != nil {
					continue // hung up on
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if path != "/" && resp.StatusCode/100 != 4 || resp.StatusCode >= 500 { // JSON-RPC says it in the body
					a.t.Errorf("%s %s: %s", method, path, resp.Status)
				}
			}
		})
	}
	wg.Wait()
}

// spaces is an endless body.
type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
