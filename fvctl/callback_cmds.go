package fvctl

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// register asks for event callbacks with FlowVisor's own method: REST has the event stream instead.
func (a *app) register(cmd *cobra.Command, url, method, event, cookie, dpid string) error {
	return a.c.RPC(cmd.Context(), "register-event-callback", map[string]string{"url": url, "method": method, "event-type": event, "cookie": cookie, "dpid": dpid}, nil)
}

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

Types are GENERAL (switches and links), DEVICE_CONNECTED, DEVICE_DISCONNECTED, SLICE_CONNECTED and SLICE_DISCONNECTED. Where callbacks may
go is for the administrator to say: fvctl set-config --callback-allow HOST[:PORT],NETWORK,...`

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
		Use:     "unregisterCallback METHODNAME COOKIE",
		Short:   "Stop calling a URL when a switch comes or goes",
		Example: "  fvctl unregisterCallback changed noc",
		Args:    exact("METHODNAME", "COOKIE"), // FlowVisor took none: an account had one at most
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.unregister(cmd, args[0], "GENERAL", args[1], "all"); err != nil {
				return err
			}
			return a.done(map[string]bool{"unregistered": true}, "success!")
		},
	}
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
