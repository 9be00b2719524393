package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/govisor/govisor/internal/hypervisor"
)

// listen serves on a real socket, so that deadlines and limits are in force.
func (w *world) listen() (addr string) {
	w.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.server.Serve(ctx, ln, nil) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String()
}

// exchange writes raw text and returns the status line.
func exchange(t *testing.T, addr, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, text) // the server may hang up first
	line, _ := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(line)
}

// TestBodiesOfStrangers checks that a body is only read from who may send it.
func TestBodiesOfStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slice("alice")
	addr := w.listen()
	alice := "Authorization: Bearer " + w.token("alice", "full") + "\r\n"
	for _, tc := range []struct{ name, head, want string }{
		{"nobody with a huge body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n", "401"},
		{"a slice with a huge body", "POST /api/v1/flowspace/bulk HTTP/1.1\r\nHost: x\r\n" + alice + "Content-Type: application/json\r\nContent-Length: 10485760\r\n\r\n" + strings.Repeat(" ", 2<<20), "413"},
		{"a slice with a huge JSON-RPC body", "POST / HTTP/1.1\r\nHost: x\r\n" + alice + "Content-Length: 10485760\r\n\r\n" + strings.Repeat(" ", 2<<20), "413"},
		{"a huge header", "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "431"},
		{"a wrong type", "POST /api/v1/slices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.token("fvadmin", "full") + "\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", "415"},
		{"what curl -d sends", "POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\n" + alice + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\n{\"name\":\"t\"}", "201"},
		{"another site's page", "POST /api/v1/slices/alice/disable HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\n" + alice + "\r\n", "403"},
		{"a path trick", "GET /api/v1/slices/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n" + alice + "\r\n", "30"},
		{"garbage", "\x16\x03\x01\x00\x00garbage\r\n\r\n", "400"},
	} {
		if got := exchange(t, addr, tc.head); !strings.HasPrefix(got, "HTTP/1.1 "+tc.want) {
			t.Errorf("%s: %q, want %s", tc.name, got, tc.want)
		}
	}
	if s, err := w.svc.Slice(hypervisor.Local(), "alice"); err != nil || !s.Enabled {
		t.Errorf("alice: %+v, %v", s, err)
	}
}

// TestManyConnections checks that exactly those connections that are more than allowed are closed, at once, and
// that the others are served, and new ones when there is room again.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	const all, most = 1100, 1024
	slowly(t, func(t *testing.T, _ *hypervisor.Service, l *pipeListener, _ string) {
		live := func(c net.Conn) string {
			t.Helper()
			if _, err := io.WriteString(c, "GET /api/v1/live HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimSpace(line)
		}
		begin := time.Now()
		conns := make([]net.Conn, all)
		ended := make([]atomic.Bool, all)
		for i := range conns {
			conns[i] = l.dial()
			if i >= most {
				go func() {
					_, _ = io.Copy(io.Discard, conns[i])
					ended[i].Store(true)
				}()
			}
		}
		synctest.Wait()
		for i := most; i < all; i++ {
			if !ended[i].Load() {
				t.Errorf("connection %d of %d allowed is open", i+1, most)
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("they were closed after %v, want at once", took)
		}
		for i, c := range conns[:most] {
			if got := live(c); got != "HTTP/1.1 200 OK" {
				t.Fatalf("connection %d: %q", i+1, got)
			}
		}
		conns[0].Close()
		synctest.Wait()
		again := l.dial()
		if got := live(again); got != "HTTP/1.1 200 OK" {
			t.Errorf("where there is room again: %q", got)
		}
		again.Close()
		for _, c := range conns {
			c.Close()
		}
	})
}

// TestThousandWrongPasswords checks the answers, the memory and that others are served. Time stands still: who has
// guessed wrong must wait, however long a thousand guesses take.
func TestThousandWrongPasswords(t *testing.T) { // not parallel: it measures the memory of the process
	now := time.Now()
	w := newWorldWith(t, hypervisor.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	addr := w.listen()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	statuses := map[int]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 125 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/api/v1/slices", nil)
				if err != nil {
					t.Error(err)
					return
				}
				req.SetBasicAuth("fvadmin", fmt.Sprint("wrong", i, j))
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
					t.Error("429 without Retry-After")
				}
				mu.Lock()
				statuses[resp.StatusCode]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	runtime.ReadMemStats(&after)
	if len(statuses) != 2 || statuses[401] < 5 || statuses[401] > 5+8 || statuses[401]+statuses[429] != 1000 { // five are free, and eight guess at once
		t.Errorf("answers by status: %v", statuses)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 256<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
	if _, err := w.local().Whoami(t.Context()); err != nil {
		t.Errorf("the socket: %v", err)
	}
	entries, err := w.local().Audit(t.Context(), 0)
	if err != nil || len(entries) > 100 {
		t.Errorf("%d audit entries, %v", len(entries), err)
	}
}
