package main

import (
	"github.com/spf13/cobra"

	"github.com/govisor/govisor/fvctl"
)

// traceCommand is fvctl's trace under the name the design gives it; the running govisor answers.
func traceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "trace DPID [HEADER] [fvctl options]",
		Short: "Say whose a packet is, or what becomes of a flow, and why",
		Long:  "Say whose a packet is, or what becomes of a flow, and why. This is fvctl trace; see fvctl trace --help for its options.",
		Example: `  govisor trace 1 in_port=1,dl_type=0x800,nw_proto=17,tp_dst=53
  govisor trace 1 --slice fl-1 --flow priority=10,dl_type=0x800,actions=output:2`,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if code := fvctl.Main(append([]string{"trace"}, args...)); code != 0 {
				return silentError{code}
			}
			return nil
		},
	}
}
