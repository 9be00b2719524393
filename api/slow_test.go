package api_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/api"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/bubble"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

// pipeListener hands out connections that are in memory, so that a test's clock can be
// in a bubble.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) dial() net.Conn {
	ours, theirs := ofwire.PipeSize(4096)
	l.conns <- theirs
	return ours
}

// slowly runs a test against a server with 3,000 rules, in a bubble.
func slowly(t *testing.T, test func(t *testing.T, svc *hypervisor.Service, l *pipeListener, login string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		svc, err := hypervisor.Open(t.Context(), hypervisor.Options{Dir: t.TempDir(), AdminPassword: adminPassword})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := svc.CreateSlice(t.Context(), hypervisor.Local(), hypervisor.SliceSpec{Name: "a", SlicePatch: hypervisor.SlicePatch{Controllers: []string{"tcp:h"}}}); err != nil {
			t.Fatal(err)
		}
		var rules []hypervisor.RuleChange
		for i := range 3000 {
			rules = append(rules, hypervisor.RuleChange{Op: flowspace.Add, Rule: &flowspace.Rule{Name: fmt.Sprint("r", i), DPIDs: flowspace.AllDPIDs(), Grants: []flowspace.Grant{{Slice: "a", Perm: 7}}}})
		}
		if _, err := svc.ChangeRules(t.Context(), hypervisor.Local(), rules, false); err != nil {
			t.Fatal(err)
		}
		l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- api.New(svc, api.Options{}).Serve(ctx, l, nil) }()
		login := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("fvadmin:"+adminPassword)) + "\r\nHost: x\r\n"
		test(t, svc, l, login)
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := svc.Close(); err != nil {
			t.Error(err)
		}
	})
}

// lasts is how long the server bears with a client. Those who wait for it are in the
// bubble, so no time is lost.
func lasts(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	begin := time.Now()
	_, _ = io.Copy(io.Discard, c)
	return time.Since(begin)
}

// TestSlowClients: whoever takes no end of time to say what he wants, or does not take
// the answer, is given up on, and leaves nothing behind.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	drip := func(c net.Conn, text string) {
		for i := range len(text) {
			if _, err := c.Write([]byte{text[i]}); err != nil {
				return
			}
			bubble.Sleep(time.Second)
		}
	}
	for name, tc := range map[string]struct {
		head  string // at once
		drip  string // then a byte a second
		least time.Duration
		most  time.Duration
	}{
		"says nothing":               {"", "", 9 * time.Second, 11 * time.Second},
		"drips a header":             {"GET / HTTP/1.1\r\n", strings.Repeat("x", 1000), 9 * time.Second, 11 * time.Second},
		"drips a body":               {"POST /api/v1/slices HTTP/1.1\r\nLOGINContent-Length: 1000\r\n\r\n", strings.Repeat(" ", 1000), 29 * time.Second, 32 * time.Second},
		"drips a large body":         {"POST / HTTP/1.1\r\nLOGINContent-Length: 100000000\r\n\r\n", strings.Repeat(" ", 1000), 299 * time.Second, 302 * time.Second},
		"drips an unwelcome body":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", strings.Repeat(" ", 1000), 29 * time.Second, 32 * time.Second},
		"drips a body nobody reads":  {"GET /api/v1/version HTTP/1.1\r\nLOGINContent-Length: 1000\r\n\r\n", strings.Repeat(" ", 1000), 29 * time.Second, 32 * time.Second},
		"drips a chunked body":       {"POST /api/v1/slices HTTP/1.1\r\nLOGINTransfer-Encoding: chunked\r\n\r\n", strings.Repeat("1\r\n \r\n", 300), 29 * time.Second, 32 * time.Second},
		"is silent after one answer": {"GET /api/v1/live HTTP/1.1\r\nHost: x\r\n\r\n", "", 119 * time.Second, 121 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slowly(t, func(t *testing.T, _ *hypervisor.Service, l *pipeListener, login string) {
				c := l.dial()
				if _, err := c.Write([]byte(strings.ReplaceAll(tc.head, "LOGIN", login))); err != nil {
					t.Fatal(err)
				}
				dripped := make(chan struct{})
				go func() { defer close(dripped); drip(c, tc.drip) }()
				defer func() { c.Close(); <-dripped }()
				if d := lasts(t, c); d < tc.least || d > tc.most {
					t.Errorf("the connection lasted %v, want %v to %v", d, tc.least, tc.most)
				}
			})
		})
	}
}

// TestClientsThatDoNotRead: of answers of every kind nobody takes, no goroutine is left,
// and others are answered meanwhile.
func TestClientsThatDoNotRead(t *testing.T) { // not parallel: it counts the goroutines of the process
	slowly(t, func(t *testing.T, svc *hypervisor.Service, l *pipeListener, login string) {
		before := runtime.NumGoroutine()
		rpc := `{"jsonrpc":"2.0","id":1,"method":"list-flowspace","params":{}}`
		var conns []net.Conn
		for _, request := range []string{
			"GET /api/v1/flowspace?limit=1000 HTTP/1.1\r\n" + login + "\r\n",
			"GET /api/v1/config HTTP/1.1\r\n" + login + "\r\n",
			"GET /api/v1/backup HTTP/1.1\r\n" + login + "\r\n",
			"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n",
			"GET /api/v1/events HTTP/1.1\r\n" + login + "\r\n",
			fmt.Sprintf("POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s", login, len(rpc), rpc),
		} {
			for range 5 {
				c := l.dial()
				conns = append(conns, c)
				if _, err := c.Write([]byte(request)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 1000 - len(conns) {
			conns = append(conns, l.dial())
		}
		synctest.Wait()
		on := true
		for i := range 200 { // events for those who do not read them
			on = !on
			if _, err := svc.UpdateSlice(t.Context(), hypervisor.Local(), "a", hypervisor.SlicePatch{Enabled: &on}, nil); err != nil {
				t.Fatal(i, err)
			}
		}
		c := l.dial()
		_, _ = io.WriteString(c, "GET /api/v1/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("another client: %v, %v", resp, err)
		}
		c.Close()
		bubble.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before+20 {
			t.Errorf("%d goroutines, %d before", n, before)
		}
		for _, c := range conns {
			c.Close()
		}
	})
}
