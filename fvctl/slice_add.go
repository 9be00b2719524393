package fvctl

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/api/apitype"
)

// newPassword takes -p when it was given (also when empty), else asks.
func (a *app) newPassword(cmd *cobra.Command, prompt string) (string, error) {
	switch {
	case cmd.Flags().Changed("password"):
		return cmd.Flags().GetString("password")
	case cmd.Flags().Changed("password-file"):
		file, _ := cmd.Flags().GetString("password-file")
		return a.in.firstLine(file)
	}
	return a.ask(prompt)
}

// checkContact warns of a contact that nobody can write to. FlowVisor took any text, and scripts give some.
func (a *app) checkContact(contact string) {
	if contact != "" && !strings.Contains(strings.Trim(contact, "@"), "@") {
		fmt.Fprintf(a.err, "fvctl: note: %q is no e-mail address\n", contact)
	}
}

func passwordFlags(cmd *cobra.Command) {
	cmd.Flags().StringP("password", "p", "", "the new password (visible to others on this machine; empty: the account cannot log in)")
	cmd.Flags().String("password-file", "", "FILE whose first line is the new password, - for standard input")
}

func (a *app) addSlice() *cobra.Command {
	var drop string
	var lldp, disabled, strict bool
	var flows, rate, flowRate, inRate int
	var more []string
	cmd := &cobra.Command{
		Use:   "add-slice SLICENAME CONTROLLER-URL ADMIN-EMAIL",
		Short: "Make a slice",
		Long: `Make a slice. CONTROLLER-URL is tcp:HOST[:PORT] (port 6633 unless given), ssl:HOST[:PORT], unix:PATH or
module:NAME. The name has 1 to 45 of the characters A-Z a-z 0-9 _ + . -`,
		Example: `  fvctl add-slice fl-1 tcp:localhost:6634 foo@sampledomain.org
  fvctl add-slice fl-2 tcp:10.0.0.1:6633 bar@sampledomain.org --controller tcp:10.0.0.2:6633 --password-file fl-2.passwd`,
		Args: exact("SLICENAME", "CONTROLLER-URL", "ADMIN-EMAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pw, err := a.newPassword(cmd, "Slice password: ")
			if err != nil {
				return err
			}
			enabled := !disabled
			s, err := a.c.CreateSlice(cmd.Context(), apitype.SliceCreate{
				Name: args[0], Controllers: append([]string{args[1]}, more...), Contact: args[2], Password: pw, DropPolicy: &drop,
				RecvLLDP: &lldp, Strict: &strict, Enabled: &enabled, FlowModLimit: &flows, RateLimit: &rate,
				FlowModRate: &flowRate, PacketInRate: &inRate,
			})
			if err != nil {
				return err
			}
			a.checkContact(s.Contact)
			return a.done(s, "Slice %s was successfully created", s.Name)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&drop, "drop-policy", "d", "exact", "what is dropped while no controller is reachable: exact or rule")
	f.BoolVarP(&lldp, "recv-lldp", "l", false, "receive LLDP that no slice sent")
	f.BoolVar(&strict, "strict", false, "refuse what would have to be rewritten")
	f.IntVarP(&flows, "flowmod-limit", "f", -1, "flows the slice may hold, -1 for no limit")
	f.IntVarP(&rate, "rate-limit", "r", -1, "messages per second from its controller, -1 for no limit")
	f.IntVar(&flowRate, "flowmod-rate", -1, "flow_mods per second from its controller, -1 for no limit")
	f.IntVar(&inRate, "packet-in-rate", -1, "packet_ins per second to its controller, the others are dropped; -1 for no limit")
	f.BoolVar(&disabled, "disabled", false, "make it disabled")
	f.StringArrayVar(&more, "controller", nil, "further controller URL, in waiting (repeatable; ro+URL only reads)")
	passwordFlags(cmd)
	return cmd
}

func (a *app) createSlice() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "createSlice SLICENAME CONTROLLER-URL [DROP-POLICY] EMAIL",
		Short:   "Make a slice",
		Example: "  fvctl createSlice fl-1 tcp:localhost:6634 foo@sampledomain.org",
		Args:    between(3, 4, "SLICENAME CONTROLLER-URL [DROP-POLICY] EMAIL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			pw, err := a.newPassword(cmd, "New password: ")
			if err != nil {
				return err
			}
			s := apitype.SliceCreate{Name: args[0], Controllers: args[1:2], Contact: args[len(args)-1], Password: pw}
			if len(args) == 4 {
				s.DropPolicy = &args[2]
			}
			made, err := a.c.CreateSlice(cmd.Context(), s)
			if err != nil {
				return err
			}
			a.checkContact(made.Contact)
			return a.done(made, "success!")
		},
	}
	passwordFlags(cmd)
	return cmd
}
