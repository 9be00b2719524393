// Package client talks to govisor's REST API: over HTTPS with a password or a
// token, or over the unix socket in the data directory without either.
//
// Every failure is an *apitype.Problem; its Kind tells apart what was refused,
// what does not exist and what could not be reached.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/govisor/govisor/api/apitype"
)

// Options says where the server is and who is calling.
type Options struct {
	// URL is https://host:port, http://host:port, or unix:PATH.
	URL string
	// User and Password are sent as Basic auth, unless Token is set.
	User, Password string
	Token          string
	// CAFile is a PEM file with the only certificates trusted; empty means the system's.
	CAFile string
	// CertFile and KeyFile are a client certificate, both or none.
	CertFile, KeyFile string
	// Insecure accepts any server certificate.
	Insecure bool
	// Timeout limits one request, ten times that a bulk, an import or a backup; 0
	// means a minute. Events have no limit.
	Timeout time.Duration
}

// Client is safe for concurrent use.
type Client struct {
	opts Options
	base string // without trailing slash
	http *http.Client
}

// New checks the options. It does not connect.
func New(o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	tr := &http.Transport{MaxIdleConnsPerHost: 16, TLSHandshakeTimeout: 10 * time.Second}
	c := &Client{opts: o, http: &http.Client{Transport: tr, CheckRedirect: readsOnly}}
	if path, ok := strings.CutPrefix(o.URL, "unix:"); ok {
		path = strings.TrimPrefix(path, "//")
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
		c.base = "http://govisor"
		return c, nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, &apitype.Problem{Kind: apitype.KindInvalid, Title: "bad URL", Detail: fmt.Sprintf("bad URL %q", o.URL),
			Field: "url", Value: o.URL, Hint: "want https://HOST:PORT or unix:PATH"}
	}
	c.base = strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/")
	tr.TLSClientConfig, err = tlsConfig(o)
	return c, err
}

// readsOnly follows redirects of what reads: a change would become a reading one that succeeds.
func readsOnly(_ *http.Request, via []*http.Request) error {
	if m := via[0].Method; m != http.MethodGet && m != http.MethodHead || len(via) >= 10 {
		return http.ErrUseLastResponse
	}
	return nil
}

func tlsConfig(o Options) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read CA certificates: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", o.CAFile)
		}
	}
	if o.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("load client certificate: %w", err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}

// request is one call: what to send and where to put the answer.
type request struct {
	method, path string
	query        url.Values
	body         any // nil: none; []byte: as it is; else JSON
	ifMatch      string
	out          any          // nil: ignore; *[]byte: as it is; else JSON
	header       *http.Header // of the answer, nil: ignore
}

// bulkFactor is how much longer a request of any size may take.
const bulkFactor = 10

// large reports whether the request may take long: a million rules do.
func (r *request) large() bool {
	switch r.path {
	case "/flowspace/bulk", "/config", "/apply", "/backup":
		return true
	}
	return strings.HasPrefix(r.path, "/snapshots/")
}

// do sends one request and returns the ETag of the answer.
func (c *Client) do(ctx context.Context, r request) (string, error) {
	timeout := c.opts.Timeout
	if r.large() {
		timeout *= bulkFactor
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := c.send(ctx, r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if r.header != nil {
		*r.header = resp.Header
	}
	switch out := r.out.(type) {
	case nil:
		_, err = io.Copy(io.Discard, resp.Body)
	case *[]byte:
		*out, err = io.ReadAll(resp.Body)
	case io.Writer:
		_, err = io.Copy(out, resp.Body)
	default:
		err = json.NewDecoder(resp.Body).Decode(out)
	}
	if err != nil {
		return "", unreachable(c.opts.URL, fmt.Errorf("read the answer: %w", err))
	}
	return resp.Header.Get("ETag"), nil
}

// send returns an answer with a 2xx status, or a Problem.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	var body io.Reader
	switch b := r.body.(type) {
	case nil:
	case []byte:
		body = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	for part := range strings.SplitSeq(r.path, "/") {
		if part == "." || part == ".." { // it would lead to something else
			return nil, &apitype.Problem{Kind: apitype.KindNotFound, Title: "not found", Status: http.StatusNotFound, Value: part, Detail: fmt.Sprintf("nothing is named %q", part)}
		}
	}
	u := c.base + "/api/v1" + r.path
	if len(r.query) > 0 {
		u += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.ifMatch != "" {
		req.Header.Set("If-Match", r.ifMatch)
	}
	c.authorize(req)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreachable(c.opts.URL, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, problem(resp)
}

// authorize says who is calling: by token, or by name and password.
func (c *Client) authorize(req *http.Request) {
	switch {
	case c.opts.Token != "":
		req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	case c.opts.User != "":
		req.SetBasicAuth(c.opts.User, c.opts.Password)
	}
}

func problem(resp *http.Response) *apitype.Problem {
	p := &apitype.Problem{}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err := json.Unmarshal(text, p); err != nil || p.Kind == "" {
		*p = apitype.Problem{Kind: apitype.KindInternal, Title: resp.Status,
			Detail: fmt.Sprintf("the server answered %s and it is not govisor's API", resp.Status)}
		if u := resp.Request.URL; u.Scheme == "http" && bytes.Contains(text, []byte("HTTP request to an HTTPS server")) {
			*p = apitype.Problem{Kind: apitype.KindUnreachable, Title: "cannot reach govisor", Detail: fmt.Sprintf("%s wants TLS", u.Host), Hint: "give --url https://" + u.Host}
		}
	}
	p.Status = resp.StatusCode
	return p
}

func unreachable(where string, err error) *apitype.Problem {
	p := &apitype.Problem{Kind: apitype.KindUnreachable, Title: "cannot reach govisor",
		Detail: fmt.Sprintf("cannot reach govisor at %s: %v", where, rootCause(err)), Hint: "is govisor running there?"}
	if errors.Is(err, context.DeadlineExceeded) {
		p.Detail = fmt.Sprintf("no answer in time from govisor at %s", where)
		p.Hint = "is it running there? If so, a change may still be made, and its log says what is wrong; or give a longer --timeout"
	}
	if strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		p.Hint = "no TLS is spoken there: is it the address of --api-plain? Then give --url " + strings.Replace(where, "https://", "http://", 1)
	}
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	if errors.As(err, &unknown) || errors.As(err, &host) {
		p.Hint = "the server's certificate is not trusted: give --cacert DIR/tls-cert.pem, or --insecure"
	}
	return p
}

// rootCause drops the method and URL that net/http puts in front.
func rootCause(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// AsProblem finds the Problem in an error of this package, or nil.
func AsProblem(err error) *apitype.Problem {
	var p *apitype.Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}
