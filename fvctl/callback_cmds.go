package fvctl

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

func (a *app) register(cmd *cobra.Command, url, method, event, cookie, dpid string) error {
	_, err := a.c.CreateCallback(cmd.Context(), apitype.CallbackCreate{URL: url, Method: method, Event: event, Cookie: cookie, DPID: splitDPIDs(dpid)[0]})
	return err
}

// unregister uses FlowVisor's own method, which names a callback by these.
func (a *app) unregister(cmd *cobra.Command, method, event, cookie, dpid string) error {
	var found bool
	err := a.c.RPC(cmd.Context(), "unregister-event-callback", map[string]string{"method": method, "event-type": event, "cookie": cookie, "dpid": dpid}, &found)
	if err == nil && !found {
		return &apitype.Problem{Kind: apitype.KindNotFound, Title: "no such callback",
			Detail: fmt.Sprintf("this account has no callback with method %q, type %s and name %q", method, event, cookie)}
	}
	return err
}

// callbackHelp goes with each command that registers.
const callbackHelp = `

Types are GENERAL (an XML-RPC call with the name as its argument when switches or links come or go), DEVICE_CONNECTED, DEVICE_DISCONNECTED,
SLICE_CONNECTED, SLICE_DISCONNECTED and FLOWTABLE_CALLBACK (a slice's flows on a datapath, at once and whenever they have changed). Where
callbacks may go is for the administrator to say: fvctl set-config --callback-allow HOST[:PORT],NETWORK,...`

func (a *app) registerEventCallback() *cobra.Command {
	var dpid string
	cmd := &cobra.Command{
		Use:     "register-event-callback URL METHODNAME EVENTTYPE NAME",
		Short:   "Have a URL called when something happens (see also watch)",
		Long:    "Have a URL called when something happens (see also watch)." + callbackHelp,
		Example: "  fvctl register-event-callback https://10.0.0.9/hook changed DEVICE_CONNECTED noc",
		Args:    exact("URL", "METHODNAME", "EVENTTYPE", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.register(cmd, args[0], args[1], args[2], args[3], dpid); err != nil {
				return err
			}
			return a.done(map[string]string{"registered": args[3]}, "Callback %s successfully added", args[3])
		},
	}
	cmd.Flags().StringVarP(&dpid, "dpid", "d", "all", "only for this datapath")
	return cmd
}

func (a *app) unregisterEventCallback() *cobra.Command {
	var dpid string
	cmd := &cobra.Command{
		Use:     "unregister-event-callback METHODNAME EVENTTYPE NAME",
		Short:   "Stop calling a URL",
		Example: "  fvctl unregister-event-callback changed DEVICE_CONNECTED noc",
		Args:    exact("METHODNAME", "EVENTTYPE", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.unregister(cmd, args[0], args[1], args[2], dpid); err != nil {
				return err
			}
			return a.done(map[string]string{"unregistered": args[2]}, "Callback %s successfully removed", args[2])
		},
	}
	cmd.Flags().StringVarP(&dpid, "dpid", "d", "all", "only for this datapath")
	return cmd
}

func (a *app) registerCallback() *cobra.Command {
	return &cobra.Command{
		Use:     "registerCallback URL [METHODNAME] COOKIE",
		Short:   "Have a URL called when a switch comes or goes",
		Example: "  fvctl registerCallback https://10.0.0.9/hook changed noc",
		Args:    between(2, 3, "URL [METHODNAME] COOKIE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			method := "topologyChanged"
			if len(args) == 3 {
				method = args[1]
			}
			if err := a.register(cmd, args[0], method, "GENERAL", args[len(args)-1], "all"); err != nil {
				return err
			}
			return a.done(map[string]string{"registered": args[len(args)-1]}, "success!")
		},
	}
}

func (a *app) unregisterCallback() *cobra.Command {
	return &cobra.Command{
		Use:     "unregisterCallback [METHODNAME COOKIE]",
		Short:   "Stop calling a URL when a switch comes or goes; without arguments, every such URL of this account",
		Example: "  fvctl unregisterCallback\n  fvctl unregisterCallback changed noc",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return exact("METHODNAME", "COOKIE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if len(args) == 0 { // FlowVisor took none: an account had one at most
				err = a.unregisterGeneral(cmd)
			} else {
				err = a.unregister(cmd, args[0], "GENERAL", args[1], "all")
			}
			if err != nil {
				return err
			}
			return a.done(map[string]bool{"unregistered": true}, "success!")
		},
	}
}

func (a *app) unregisterGeneral(cmd *cobra.Command) error {
	me, err := a.c.Whoami(cmd.Context())
	if err != nil {
		return err
	}
	all, err := a.c.ListCallbacks(cmd.Context())
	if err != nil {
		return err
	}
	found := false
	for _, cb := range all {
		if cb.Account == me.Account && cb.Event == "GENERAL" {
			if err := a.c.DeleteCallback(cmd.Context(), cb.ID); err != nil {
				return err
			}
			found = true
		}
	}
	if !found {
		return &apitype.Problem{Kind: apitype.KindNotFound, Title: "no such callback", Detail: "this account has no callback of type GENERAL"}
	}
	return nil
}

func (a *app) callbacks() *cobra.Command {
	cmd := &cobra.Command{Use: "callback", Short: "Callbacks: list, remove (made with register-event-callback)", Args: cobra.ArbitraryArgs, RunE: needSub}
	list := &cobra.Command{
		Use: "list", Short: "List the callbacks of this account, the administrator's: all", Example: "  fvctl callback list", Args: exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.c.ListCallbacks(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(all, func() *table {
				t := &table{head: []string{"ID", "ACCOUNT", "EVENT", "DATAPATH", "URL", "METHOD", "NAME"}}
				for _, cb := range all {
					t.add(cb.ID, cb.Account, cb.Event, orAny(cb.DPID), cb.URL, orDash(cb.Method), orDash(cb.Cookie))
				}
				return t
			}, nil)
		},
	}
	remove := &cobra.Command{
		Use: "remove ID", Short: "Stop calling a URL", Example: "  fvctl callback remove 8f14e45fceea", Args: exact("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.c.DeleteCallback(cmd.Context(), args[0]); err != nil {
				return err
			}
			return a.done(map[string]string{"removed": args[0]}, "Callback %s has been removed.", args[0])
		},
	}
	cmd.AddCommand(list, remove)
	return cmd
}

func orAny(dpid string) string {
	if dpid == "" {
		return "any"
	}
	return dpid
}

func (a *app) registerTopologyEventCallback() *cobra.Command {
	return &cobra.Command{
		Use:     "registerTopologyEventCallback URL METHODNAME EVENTTYPE",
		Short:   "Have a URL called when something happens",
		Long:    "Have a URL called when something happens." + callbackHelp,
		Example: "  fvctl registerTopologyEventCallback https://10.0.0.9/hook changed DEVICE_CONNECTED",
		Args:    exact("URL", "METHODNAME", "EVENTTYPE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.register(cmd, args[0], args[1], args[2], args[1], "all"); err != nil {
				return err
			}
			return a.done(map[string]string{"registered": args[1]}, "success!")
		},
	}
}

func (a *app) deregisterTopologyEventCallback() *cobra.Command {
	return &cobra.Command{
		Use:     "deregisterTopologyEventCallback METHODNAME EVENTTYPE",
		Short:   "Stop calling a URL",
		Example: "  fvctl deregisterTopologyEventCallback changed DEVICE_CONNECTED",
		Args:    exact("METHODNAME", "EVENTTYPE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.unregister(cmd, args[0], args[1], args[0], "all"); err != nil {
				return err
			}
			return a.done(map[string]string{"unregistered": args[0]}, "success!")
		},
	}
}
