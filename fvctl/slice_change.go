package fvctl

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

func (a *app) removeSlice(name string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " SLICENAME",
		Short:   "Remove a slice: its grants, limits, account and flows go with it",
		Example: "  fvctl " + name + " fl-1",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.c.DeleteSlice(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.changed(name == "deleteSlice", map[string]string{"removed": args[0]}, "Slice %s has been deleted", args[0])
		},
	}
}

// changed prints the success line of the generation the command belongs to.
func (a *app) changed(camel bool, v any, format string, args ...any) error {
	if camel {
		return a.done(v, "success!")
	}
	return a.done(v, format, args...)
}

// moveController gives the first controller another host or port and keeps the rest.
func moveController(urls []string, host, port string) ([]string, error) {
	urls = slices.Clone(urls)
	if len(urls) == 0 {
		urls = []string{"tcp:localhost:6633"}
	}
	scheme, rest, _ := strings.Cut(urls[0], ":")
	if scheme != "tcp" && scheme != "ssl" && scheme != "ro+tcp" && scheme != "ro+ssl" {
		return nil, usagef("the controller %s has no host and port; give --controller URL", urls[0])
	}
	oldHost, oldPort, err := net.SplitHostPort(rest)
	if err != nil {
		oldHost, oldPort = strings.Trim(rest, "[]"), "6633"
	}
	if host == "" {
		host = oldHost
	}
	if port == "" {
		port = oldPort
	}
	urls[0] = scheme + ":" + net.JoinHostPort(strings.Trim(host, "[]"), port)
	return urls, nil
}

// changeController moves the first controller of a slice, against the version it has read.
func (a *app) changeController(cmd *cobra.Command, name, host, port string, u apitype.SliceUpdate) (apitype.Slice, error) {
	s, tag, err := a.c.GetSlice(cmd.Context(), name)
	if err != nil {
		return s, err
	}
	if u.Controllers, err = moveController(s.Controllers, host, port); err != nil {
		return s, err
	}
	return a.c.UpdateSlice(cmd.Context(), name, u, tag)
}

func (a *app) updateSlice() *cobra.Command {
	var host, contact, drop string
	var port, flows, rate, flowRate, inRate int
	var urls []string
	cmd := &cobra.Command{
		Use:   "update-slice SLICENAME",
		Short: "Change a slice",
		Example: `  fvctl update-slice fl-1 -n 10.0.0.5 -p 6653
  fvctl update-slice fl-1 --disable-slice
  fvctl update-slice fl-1 --controller tcp:10.0.0.5:6653 --controller tcp:10.0.0.6:6653`,
		Args: exact("SLICENAME"),
	}
	f := cmd.Flags()
	f.StringVarP(&host, "controller-hostname", "n", "", "host of the (first) controller")
	f.IntVarP(&port, "controller-port", "p", 0, "port of the (first) controller")
	f.StringArrayVar(&urls, "controller", nil, "controller URL; repeat for those in waiting")
	f.StringVarP(&contact, "admin-contact", "a", "", "e-mail address of who runs the slice")
	f.StringVarP(&drop, "drop-policy", "d", "", "exact or rule")
	f.IntVarP(&flows, "flowmod-limit", "f", -1, "flows the slice may hold, -1 for no limit")
	f.IntVarP(&rate, "rate-limit", "r", -1, "messages per second from its controller, -1 for no limit")
	f.IntVar(&flowRate, "flowmod-rate", -1, "flow_mods per second from its controller, -1 for no limit")
	f.IntVar(&inRate, "packet-in-rate", -1, "packet_ins per second to its controller, the others are dropped; -1 for no limit")
	for _, p := range []string{"slice", "recv-lldp", "strict"} {
		f.Bool("enable-"+p, false, "turn "+p+" on")
		f.Bool("disable-"+p, false, "turn "+p+" off")
		cmd.MarkFlagsMutuallyExclusive("enable-"+p, "disable-"+p)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !anyChanged(cmd) {
			return usagef("nothing to change: give at least one option (see fvctl update-slice --help)")
		}
		u := apitype.SliceUpdate{Controllers: urls, Enabled: a.pair(cmd, "slice"), RecvLLDP: a.pair(cmd, "recv-lldp"), Strict: a.pair(cmd, "strict")}
		u.Contact, u.DropPolicy = given(cmd, "admin-contact", &contact), given(cmd, "drop-policy", &drop)
		u.FlowModLimit, u.RateLimit = given(cmd, "flowmod-limit", &flows), given(cmd, "rate-limit", &rate)
		u.FlowModRate, u.PacketInRate = given(cmd, "flowmod-rate", &flowRate), given(cmd, "packet-in-rate", &inRate)
		var s apitype.Slice
		var err error
		if host != "" || port != 0 {
			if len(urls) > 0 {
				return usagef("give --controller or -n and -p, not both")
			}
			portText := ""
			if port != 0 {
				portText = strconv.Itoa(port)
			}
			s, err = a.changeController(cmd, args[0], host, portText, u)
		} else {
			s, err = a.c.UpdateSlice(cmd.Context(), args[0], u, "")
		}
		if err != nil {
			return err
		}
		a.checkContact(contact)
		return a.done(s, "Slice %s has been successfully updated", args[0])
	}
	return cmd
}

// anyChanged reports whether an option of the command's own was given.
func anyChanged(cmd *cobra.Command) bool {
	own := false
	for _, name := range localFlags(cmd) {
		own = own || cmd.Flags().Changed(name)
	}
	return own
}

// given returns v if its option was given, else nil.
func given[T any](cmd *cobra.Command, name string, v *T) *T {
	if cmd.Flags().Changed(name) {
		return v
	}
	return nil
}

// pair reads --enable-X and --disable-X.
func (a *app) pair(cmd *cobra.Command, name string) *bool {
	for _, on := range []bool{true, false} {
		opt := onOff(on, "enable-", "disable-") + name
		if v, err := cmd.Flags().GetBool(opt); err == nil && v {
			return &on
		}
	}
	return nil
}

func (a *app) changeSlice() *cobra.Command {
	return &cobra.Command{
		Use:     "changeSlice SLICENAME KEY VALUE",
		Short:   "Change contact_email, controller_hostname, controller_port or drop_policy of a slice",
		Example: "  fvctl changeSlice fl-1 controller_port 6635",
		Args:    exact("SLICENAME", "KEY", "VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, key, value := args[0], args[1], args[2]
			var s apitype.Slice
			var err error
			switch key {
			case "contact_email":
				s, err = a.c.UpdateSlice(cmd.Context(), name, apitype.SliceUpdate{Contact: &value}, "")
				if err == nil {
					a.checkContact(value)
				}
			case "drop_policy":
				s, err = a.c.UpdateSlice(cmd.Context(), name, apitype.SliceUpdate{DropPolicy: &value}, "")
			case "controller_hostname", "controller_host":
				s, err = a.changeController(cmd, name, value, "", apitype.SliceUpdate{})
			case "controller_port":
				if _, err := strconv.ParseUint(value, 10, 16); err != nil {
					return usagef("controller_port %q: want a number from 1 to 65535", value)
				}
				s, err = a.changeController(cmd, name, "", value, apitype.SliceUpdate{})
			default:
				return usagef("key %q: want contact_email, controller_hostname, controller_port or drop_policy", key)
			}
			if err != nil {
				return err
			}
			return a.done(s, "success!")
		},
	}
}

func (a *app) setPassword(cmd *cobra.Command, account, prompt string) error {
	pw, err := a.newPassword(cmd, prompt)
	if err != nil {
		return err
	}
	return a.c.SetPassword(cmd.Context(), account, pw)
}

func (a *app) updateSlicePassword() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "update-slice-password SLICENAME",
		Short:   "Set the password of a slice's account",
		Example: "  fvctl update-slice-password fl-1 --password-file secret",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.setPassword(cmd, args[0], "New slice password: "); err != nil {
				return err
			}
			return a.done(map[string]string{"updated": args[0]}, "Slice password for %s has been updated.", args[0])
		},
	}
	passwordFlags(cmd)
	return cmd
}

func (a *app) updateAdminPassword() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "update-admin-password",
		Short:   "Set the administrator's password",
		Example: "  fvctl update-admin-password --password-file secret",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.setPassword(cmd, "fvadmin", "New admin password: "); err != nil {
				return err
			}
			return a.done(map[string]string{"updated": "fvadmin"}, "Admin password has been updated.")
		},
	}
	passwordFlags(cmd)
	return cmd
}

func (a *app) changePasswd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "changePasswd SLICENAME",
		Short:   "Set the password of a slice's account",
		Example: "  fvctl changePasswd fl-1",
		Args:    exact("SLICENAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.setPassword(cmd, args[0], "New password: "); err != nil {
				return err
			}
			return a.done(map[string]string{"updated": args[0]}, "success!")
		},
	}
	passwordFlags(cmd)
	return cmd
}
