package api_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/govisor/govisor/api"
	"github.com/govisor/govisor/internal/hypervisor"
)

// certificateHeader has the name in the certificate of a test's request, as if it
// had come over TLS, and whether the certificate is an account's. That TLS checks
// certificates is TestTLS's.
const certificateHeader = "X-Test-Certificate"

// certified serves a handler behind what stands for TLS.
func certified(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, unit, ok := strings.Cut(r.Header.Get(certificateHeader), " "); ok {
			subject := pkix.Name{CommonName: name, OrganizationalUnit: []string{unit}}
			r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{Subject: subject}}}}
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	return ts.URL
}

// identify has a request come from a kind of caller.
func (p *population) identify(req *http.Request, who byte) {
	subject := map[byte]string{'F': "fvadmin govisor-account", 'W': "viewer govisor-account", 'C': "alice govisor-account", 'x': "alice switches"}[who]
	if subject != "" {
		req.Header.Set(certificateHeader, subject)
	}
	if p.tokens[who] != "" {
		req.Header.Set("Authorization", "Bearer "+p.tokens[who])
	}
}

// xmlTable says for XML-RPC who may; a refusal is a fault.
var xmlTable = []struct{ method, args, who string }{
	{"ping", "x", "AaVSsPO"},
	{"createSlice", "new|p|tcp:h|x@y", "ASPO"},
	{"changeSlice", "alice|contact_email|x", "ASP"},
	{"deleteSlice", "alice", "ASP"},
	{"changePasswd", "alice|p", "ASP"},
	{"change_password", "alice|p", "ASP"},
	{"listSlices", "", "AaVSsPO"},
	{"getSliceInfo", "alice", "AaVSsP"},
	{"listFlowSpace", "", "AaVSsPO"},
	{"changeFlowSpace", "operation:ADD;dpid:7;priority:1;match:any;actions:Slice:alice=7", "A"},
	{"changeFlowSpace", "operation:CHANGE;id:3;dpid:1;priority:8;match:any;actions:Slice:alice=7", "A"},
	{"listDevices", "", "AaVSsPO"},
	{"getDeviceInfo", "1", "AaVSsP"},
	{"getLinks", "", "AaVSsPO"},
	{"setFloodPerm", "alice", "A"},
	{"setFloodPerm", "1|alice", "A"},
	{"getFloodPerm", "", "AaVSsPO"},
	{"getFloodPerm", "1", "AaVSsP"},
	{"setMaximumFlowMods", "alice|any|5", "ASP"},
	{"setMaximumFlowMods", "alice|1|5", "ASP"},
	{"getMaximumFlowMods", "alice|any", "AaVSsP"},
	{"getMaximumFlowMods", "alice|1", "AaVSsP"},
	{"getCurrentFlowMods", "alice|any", "AaVSsP"},
	{"getCurrentFlowMods", "alice|1", "AaVSsP"},
	{"setRateLimit", "alice|5", "ASP"},
	{"setFlowTracking", "true", "A"},
	{"getFlowTracking", "", "AaVSsPO"},
	{"getSliceStats", "alice", "AaVSsP"},
	{"getSwitchStats", "1", "AaV"},
	{"getSwitchFlowDB", "1", "AaVSsP"},
	{"getSliceRewriteDB", "alice|1", "AaVSsP"},
	{"dumpConfig", "", "Aa"},
	{"registerTopologyChangeCallback", "http://127.0.0.1:9/|m|c", "AVSPO"},
	{"getTopologyCallback", "", "AaVSsPO"},
	{"unregisterTopologyChangeCallback", "", "AVSPO"},
	{"revertToLastCheckpoint", "", "AaVSsPO"}, // does nothing
}

func TestWhoMayCallXML(t *testing.T) {
	t.Parallel()
	var described []string
	for _, row := range xmlTable {
		described = append(described, row.method)
	}
	wantDescribed(t, api.XMLMethods(), described)
	for i, row := range xmlTable {
		t.Run(fmt.Sprint(row.method, " ", i), func(t *testing.T) {
			t.Parallel()
			p := populate(t)
			p.url = certified(t, p.server.XMLRPCHandler())
			before := p.changes()
			for _, order := range []bool{false, true} {
				for _, who := range []byte(callers) {
					may := may(row.who, who, row.method == "ping" || row.method == "dumpConfig" || row.method == "revertToLastCheckpoint" || strings.HasPrefix(row.method, "list") || strings.HasPrefix(row.method, "get"))
					if may != order {
						continue
					}
					call := "api." + row.method
					if row.args != "" {
						call += "|" + row.args
					}
					status, fault := p.callXML(who, strings.ReplaceAll(call, "new", fmt.Sprintf("new-%c", who)))
					if gone := may && row.method == "deleteSlice"; gone && (status == http.StatusUnauthorized || fault != "") {
						if p.isThere("alice") {
							t.Errorf("%c may, but did not: %d %s", who, status, fault)
						}
						continue
					}
					if want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusOK}[nobody(who)]; status != want {
						t.Errorf("%c: HTTP %d, want %d", who, status, want)
					} else if status == http.StatusOK && may == (fault != "") {
						t.Errorf("%c: may %v, fault %q", who, may, fault)
					}
					if !may && p.changes() != before {
						before = p.changes()
						t.Errorf("%c was refused, but something changed", who)
					}
				}
			}
		})
	}
}

func (p *population) isThere(slice string) bool {
	_, err := p.svc.Slice(hypervisor.Local(), slice)
	return err == nil
}

func (p *population) callXML(who byte, call string) (status int, fault string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/xmlrpc", strings.NewReader(xmlBody(call)))
	if err != nil {
		p.t.Fatal(err)
	}
	p.identify(req, who)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Error(err)
	}
	if _, after, ok := strings.Cut(string(text), "<fault>"); ok {
		return resp.StatusCode, after
	}
	return resp.StatusCode, ""
}
