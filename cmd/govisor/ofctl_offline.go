package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/ofswitch/ofctl"
	"github.com/govisor/govisor/ofwire/of10"
)

// exitDiffer is diff-flows' exit code when it found a difference, as ovs-ofctl's.
const exitDiffer = 2

// offlineCommands are those that need no switch, or two.
func (f *ofctlFlags) offlineCommands() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "diff-flows SOURCE1 SOURCE2", Short: "Compare the flows of two switches or files; exit code 2 if they differ",
			Args: count("SOURCE1 SOURCE2", 2, 2), RunE: f.diffFlows,
		},
		{
			Use: "parse-flow FLOW", Short: "Print a flow as the message it becomes",
			Args: count("FLOW", 1, 1),
			RunE: func(cmd *cobra.Command, args []string) error {
				m, err := of10.ParseFlow(args[0], of10.FlowAdd)
				if err != nil {
					return err
				}
				m.XID = 1
				fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSuffix(m.String(), "\n"))
				return nil
			},
		},
		{
			Use: "decode HEX...", Aliases: []string{"ofp-print"}, Short: "Print OpenFlow messages given in hexadecimal",
			Args: count("HEX...", 1, -1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return ofctl.DecodeHex(cmd.OutOrStdout(), strings.Join(args, ""))
			},
		},
		{
			Use: "decode-file FILE [PORT...]", Aliases: []string{"ofp-parse", "ofp-parse-pcap"},
			Short: "Print the OpenFlow messages in a file: a pcap capture (TCP ports 6633 and 6653 if none are given) or the bare bytes",
			Args:  count("FILE [PORT...]", 1, -1), RunE: decodeFile,
		},
	}
}

func count(what string, low, high int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < low || high >= 0 && len(args) > high {
			return usageError{fmt.Errorf("wrong number of arguments; want %s %s", cmd.CommandPath(), what)}
		}
		return nil
	}
}

func (f *ofctlFlags) diffFlows(cmd *cobra.Command, args []string) error {
	ctx, cancel := f.withTimeout(cmd.Context())
	defer cancel()
	var sources [2]ofctl.Source
	for i, name := range args {
		info, err := os.Stat(name)
		switch {
		case err == nil && info.Mode().IsRegular():
			sources[i], err = fileSource(&of10.Parser{}, name)
		case err != nil && !strings.Contains(name, ":"):
			return fmt.Errorf("%s is neither a file nor a switch", name)
		default:
			var c *ofctl.Client
			if c, err = f.open(ctx, name); err == nil {
				sources[i], err = c.Source()
				c.Close()
			}
		}
		if err != nil {
			return sayRefused(cmd, err)
		}
	}
	err := ofctl.Diff(cmd.OutOrStdout(), sources[0], sources[1])
	if errors.Is(err, ofctl.ErrDiffer) {
		return silentError{exitDiffer}
	}
	return err
}

func decodeFile(cmd *cobra.Command, args []string) error {
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var ports []uint16
	for _, text := range args[1:] {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return usageError{fmt.Errorf("port %q: not a number", text)}
		}
		ports = append(ports, uint16(n))
	}
	for _, magic := range []string{"\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1"} {
		if bytes.HasPrefix(b, []byte(magic)) {
			return ofctl.DecodePcap(cmd.OutOrStdout(), bytes.NewReader(b), ports)
		}
	}
	return ofctl.DecodeStream(cmd.OutOrStdout(), bytes.NewReader(b))
}
