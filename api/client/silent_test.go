package client_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

// A server that takes the request and says nothing is there, and may yet do what was asked.
func TestServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := client.New(client.Options{URL: "unix:" + path, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ListSlices(t.Context())
	p := client.AsProblem(err)
	if p == nil || p.Kind != apitype.KindUnreachable || !strings.Contains(p.Detail, "no answer in time") || !strings.Contains(p.Hint, "--timeout") {
		t.Errorf("ListSlices = %+v", p)
	}
}
