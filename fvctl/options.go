package fvctl

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/api/client"
)

// options are the global options, of both FlowVisor generations and our own.
type options struct {
	data, url, host, port string
	user, passwdFile      string
	noPasswd              bool
	tokenFile             string
	cacert, cert, key     string
	insecure              bool
	output                string
	debug, version        bool
	noInput               bool
	timeout               time.Duration
}

// Where a govisor on this machine keeps its socket unless --data says so: the server's default, then where a
// system service has it.
const (
	defaultData = "./govisor-data"
	serviceData = "/var/lib/govisor"
)

// rootFlags are read before the command, where FlowVisor's short options mean these.
func (o *options) rootFlags(cmd *cobra.Command) {
	g := pflag.NewFlagSet("global", pflag.ContinueOnError)
	g.SortFlags = false
	o.long(g)
	g.StringVar(&o.host, "hostname", "", "HOST of govisor's API (https)")
	g.StringVar(&o.port, "port", "", "PORT of govisor's API (default 8081)")
	g.BoolVar(&o.version, "version", false, "print the version of fvctl")
	short := map[string]string{"hostname": "h", "port": "p", "user": "u", "no-passwd": "n", "passwd-file": "f", "output": "o", "version": "v"}
	g.VisitAll(func(f *pflag.Flag) { f.Shorthand = short[f.Name] })
	cmd.Flags().SortFlags = false
	cmd.Flags().AddFlagSet(g)
}

// commandFlags are the ones that may also follow the command.
func (o *options) commandFlags(cmd *cobra.Command) {
	global := pflag.NewFlagSet("global", pflag.ContinueOnError)
	o.long(global)
	if cmd.Flags().ShorthandLookup("o") == nil {
		global.Lookup("output").Shorthand = "o"
	}
	global.VisitAll(func(f *pflag.Flag) {
		if cmd.Flags().Lookup(f.Name) == nil {
			f.Annotations = map[string][]string{"global": {"true"}}
			f.Hidden = f.Name != "output" // fvctl --help lists them once
			cmd.Flags().AddFlag(f)
		}
	})
}

// long defines the options that mean the same everywhere. Defaults are the present
// values, so that defining them again for a command does not reset them.
func (o *options) long(f *pflag.FlagSet) {
	f.StringVar(&o.data, "data", o.data, "data directory of the govisor on this machine, for its socket ($FVCTL_DATA, default "+defaultData+", then "+serviceData+")")
	f.StringVar(&o.url, "url", o.url, "URL of govisor's API, https://HOST:PORT or unix:PATH ($FVCTL_URL)")
	f.StringVar(&o.user, "user", o.user, "account ($FVCTL_USER, default fvadmin)")
	f.StringVar(&o.passwdFile, "passwd-file", o.passwdFile, "FILE whose first line is the password, - for standard input ($FVCTL_PASSWD_FILE)")
	f.BoolVar(&o.noPasswd, "no-passwd", o.noPasswd, "use the empty password")
	f.StringVar(&o.tokenFile, "token-file", o.tokenFile, "FILE with an API token, instead of a password ($FVCTL_TOKEN is the token itself)")
	f.StringVar(&o.cacert, "cacert", o.cacert, "FILE with the certificate to trust, tls-cert.pem of the data directory ($FVCTL_CACERT); without it the loopback is trusted unseen")
	f.StringVar(&o.cert, "cert", o.cert, "FILE with a client certificate")
	f.StringVar(&o.key, "key", o.key, "FILE with its key")
	f.BoolVar(&o.insecure, "insecure", o.insecure, "accept any server certificate; the password goes to whoever answers")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "how long to wait for an answer (default 1m0s; 10m0s for apply, diff, load-config)")
	f.BoolVar(&o.noInput, "no-input", o.noInput, "never ask; fail or go on without")
	f.StringVar(&o.output, "output", o.output, "output format: table, wide, json or yaml")
	f.BoolVar(&o.debug, "debug", o.debug, "accepted for FlowVisor's sake")
}

// target is where the server is, and whether the local socket is it.
type target struct {
	url    string
	socket bool
}

// find decides where to connect. changed says whether an option was given.
func (a *app) find(changed func(string) bool) (target, error) {
	o := &a.opt
	if o.url == "" && o.host == "" && o.port == "" {
		o.url = a.env("FVCTL_URL")
	}
	switch {
	case o.url != "" && (o.host != "" || o.port != ""):
		return target{}, usagef("give --url or -h and -p, not both")
	case strings.HasPrefix(o.url, "unix:"):
		return target{o.url, true}, nil
	case o.url != "":
		return target{serverURL(o.url), false}, nil
	case o.host != "" || o.port != "":
		host, port := o.host, o.port
		if host == "" {
			host = "localhost"
		}
		if port == "" {
			port = "8081"
		}
		return target{"https://" + net.JoinHostPort(strings.Trim(host, "[]"), port), false}, nil
	}
	other := a.user() != "fvadmin" || a.token() // the socket knows the administrator only
	data := o.data
	if data == "" {
		data = a.env("FVCTL_DATA")
	}
	places := []string{data}
	if data == "" {
		places = []string{defaultData, serviceData}
	}
	for _, dir := range places {
		sock := filepath.Join(dir, "api.sock")
		if _, err := os.Stat(sock); err == nil && !other {
			return target{"unix:" + sock, true}, nil
		}
	}
	sock := filepath.Join(places[0], "api.sock")
	if other || !changed("data") && (changed("user") || changed("passwd-file") || changed("no-passwd") || a.env("FVCTL_PASSWD_FILE") != "") {
		return target{"https://localhost:8081", false}, nil
	}
	return target{}, &apitype.Problem{Kind: apitype.KindUnreachable, Title: "cannot reach govisor",
		Detail: "no govisor runs here: there is no socket " + sock,
		Hint:   "start one with govisor serve, or say where it is: --data DIR, or --url https://HOST:8081 --user U --passwd-file F"}
}

func (a *app) user() string {
	if a.opt.user != "" {
		return a.opt.user
	}
	if u := a.env("FVCTL_USER"); u != "" {
		return u
	}
	return "fvadmin"
}

func (a *app) token() bool { return a.opt.tokenFile != "" || a.env("FVCTL_TOKEN") != "" }

// serverURL drops the path FlowVisor's URLs have (https://localhost:8080/xmlrpc) and adds what is missing.
func serverURL(text string) string {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text // the client says what is wrong with it
	}
	u.Path = strings.TrimSuffix(u.Path, "/xmlrpc")
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "8081")
	}
	return strings.TrimSuffix(u.String(), "/")
}

// connect makes the client from the options. Nothing is sent yet.
func (a *app) connect(sets ...*pflag.FlagSet) error {
	if err := checkFormat(a.opt.output); err != nil {
		return err
	}
	changed := func(name string) bool {
		for _, f := range sets {
			if f.Changed(name) {
				return true
			}
		}
		return false
	}
	t, err := a.find(changed)
	if err != nil {
		return err
	}
	o := client.Options{URL: t.url, CAFile: a.opt.cacert, CertFile: a.opt.cert, KeyFile: a.opt.key, Insecure: a.opt.insecure, Timeout: a.opt.timeout}
	if o.CAFile == "" {
		o.CAFile = a.env("FVCTL_CACERT")
	}
	if !t.socket {
		// FlowVisor's scripts know no certificates. On the loopback nobody is in between.
		o.Insecure = o.Insecure || o.CAFile == "" && loopback(t.url)
		if err := a.credentials(&o); err != nil {
			return err
		}
	}
	a.c, err = client.New(o)
	return err
}

func loopback(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (a *app) credentials(o *client.Options) error {
	if a.token() {
		o.Token = strings.TrimSpace(a.env("FVCTL_TOKEN"))
		if a.opt.tokenFile != "" {
			var err error
			if o.Token, err = a.in.firstLine(a.opt.tokenFile); err != nil {
				return err
			}
		}
		return nil
	}
	if o.CertFile != "" && a.opt.passwdFile == "" {
		return nil
	}
	o.User = a.user()
	file := a.opt.passwdFile
	if file == "" {
		file = a.env("FVCTL_PASSWD_FILE")
	}
	var err error
	switch {
	case a.opt.noPasswd:
	case file != "":
		o.Password, err = a.in.firstLine(file)
	case a.env("FVCTL_PASSWORD") != "":
		o.Password = a.env("FVCTL_PASSWORD")
	default:
		o.Password, err = a.ask("Enter " + o.User + "'s passwd: ")
	}
	return err
}

// version is set by the linker (make build).
var version string

// BuildVersion is what was built: the version make gave, else what the Go tool
// recorded, a tag or a commit, else (devel).
func BuildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
