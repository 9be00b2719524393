package hypervisor

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"

	"github.com/govisor/govisor/internal/bubble"
)

// TestLogOfStrangers: whoever opens connections and says nothing, or nothing that makes
// sense, gets a few lines in the log and a sum, for each thing that is wrong.
func TestLogOfStrangers(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), AdminPassword: "secret-secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	synctest.Test(t, func(t *testing.T) {
		log, hook := logtest.NewNullLogger()
		log.SetLevel(logrus.DebugLevel)
		w := s.NewSwitches(SwitchOptions{Log: logrus.NewEntry(log)})
		stranger := func(text string) {
			near, far := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, far) }()
			go func() {
				_, _ = far.Write([]byte(text))
				if text == "" {
					_ = far.Close()
				}
			}()
			_ = w.ServeConn(t.Context(), near)
			_ = far.Close()
		}
		take := func() map[string]int {
			got := map[string]int{}
			for _, e := range hook.AllEntries() {
				got[e.Level.String()+" "+e.Message]++
			}
			hook.Reset()
			return got
		}
		const dropped, looked = "warning not a switch, connection dropped", "debug somebody looked whether this port is open"
		sum := func(n string) string { return ": and " + n + " more like this in the last 10 s; this is the last" }
		for i := range 1239 {
			stranger(fmt.Sprintf("GET /%d HTTP/1.1\r\n\r\n", i))
			if i < 7 {
				stranger("")
			}
			if i < 3 {
				stranger(fmt.Sprintf("\x01%c\x00\x08aaaa", i+1))
			}
		}
		if diff := cmp.Diff(map[string]int{dropped: logFew + 3, looked: logFew}, take()); diff != "" {
			t.Errorf("at once: %s", diff)
		}
		bubble.Sleep(logSpan)
		synctest.Wait()
		entries := hook.AllEntries()
		if diff := cmp.Diff(map[string]int{dropped + sum("1,234"): 1, looked + sum("2"): 1}, take()); diff != "" {
			t.Errorf("later: %s", diff)
		}
		for _, e := range entries {
			if err, _ := e.Data["error"].(error); e.Level == logrus.WarnLevel && (err == nil || !strings.Contains(err.Error(), "HTTP")) {
				t.Errorf("the sum does not say what it is about: %v", e.Data)
			}
		}
		bubble.Sleep(time.Hour)
		if got := take(); len(got) > 0 {
			t.Errorf("nobody has come since: %v", got)
		}
		stranger("GET / HTTP/1.1\r\n\r\n")
		if diff := cmp.Diff(map[string]int{dropped: 1}, take()); diff != "" {
			t.Errorf("an hour later: %s", diff)
		}
		w.strangers.mu.Lock()
		defer w.strangers.mu.Unlock()
		if len(w.strangers.by) != 3 {
			t.Errorf("%d reasons: %v", len(w.strangers.by), w.strangers.by)
		}
	})
}

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}
