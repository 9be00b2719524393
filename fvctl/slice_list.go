package fvctl

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// admin is the administrator, who was a slice to FlowVisor and heads its listings.
const admin = "fvadmin"

func (a *app) listSlices(name string) *cobra.Command {
	return &cobra.Command{
		Use:     name,
		Short:   "List the slices",
		Example: "  fvctl list-slices\n  fvctl list-slices -o wide",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.c.ListSlices(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(all, sliceTable(all), func(w io.Writer) error {
				fmt.Fprintln(w, "Configured slices:")
				fmt.Fprintf(w, "%-15s --> enabled\n", admin)
				for _, s := range all {
					fmt.Fprintf(w, "%-15s --> %s\n", s.Name, onOff(s.Enabled, "enabled", "disabled"))
				}
				return nil
			})
		},
	}
}

func (a *app) camelListSlices() *cobra.Command {
	return &cobra.Command{
		Use:     "listSlices",
		Short:   "List the slices, numbered",
		Example: "  fvctl listSlices",
		Args:    exact(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.c.ListSlices(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(all, sliceTable(all), func(w io.Writer) error {
				fmt.Fprintf(w, "Slice 0: %s\n", admin)
				for i, s := range all {
					fmt.Fprintf(w, "Slice %d: %s\n", i+1, s.Name)
				}
				return nil
			})
		},
	}
}

func sliceTable(all []apitype.Slice) func() *table {
	return func() *table {
		t := &table{head: []string{"NAME", "STATE", "CONTROLLERS", "RULES", "CONTACT", "DROP-POLICY", "LLDP", "STRICT", "FLOWMOD-LIMIT", "RATE-LIMIT", "FLOWMOD-RATE", "PACKET-IN-RATE"}, wide: 5}
		for _, s := range all {
			t.add(s.Name, onOff(s.Enabled, "enabled", "disabled"), orDash(strings.Join(s.Controllers, " ")), strconv.Itoa(s.Rules), orDash(s.Contact), s.DropPolicy,
				onOff(s.RecvLLDP, "yes", "no"), onOff(s.Strict, "yes", "no"), limitText(s.FlowModLimit), limitText(s.RateLimit), limitText(s.FlowModRate), limitText(s.PacketInRate))
		}
		return t
	}
}

func onOff(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func limitText(n int) string {
	if n < 0 {
		return "none"
	}
	return strconv.Itoa(n)
}
