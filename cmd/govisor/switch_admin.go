package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// The local socket of a switch carries one JSON object a line: a request, then
// its answer.
type (
	switchRequest struct {
		Command string `json:"command"` // ports, add-port, del-port
		Port    string `json:"port,omitempty"`
	}
	switchAnswer struct {
		Error string       `json:"error,omitempty"`
		Ports []switchPort `json:"ports,omitempty"`
	}
	switchPort struct {
		Number uint16 `json:"number"`
		Name   string `json:"name"`
		HWAddr string `json:"hw_addr"`
		Link   string `json:"link"`
	}
)

// switchAdmin serves the local socket.
type switchAdmin struct {
	ln    net.Listener
	sw    *ofswitch.Switch
	setup portSetup
}

func listenSwitchAdmin(ctx context.Context, path string, sw *ofswitch.Switch, setup portSetup) (*switchAdmin, error) {
	ln, err := ofconn.Listen(ctx, ofwire.Target{Scheme: "punix", Path: path}, nil)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil { // whoever may open it is the administrator
		ln.Close()
		return nil, err
	}
	return &switchAdmin{ln, sw, setup}, nil
}

func (a *switchAdmin) serve(ctx context.Context) {
	_ = ofconn.Serve(ctx, a.ln, func(ctx context.Context, nc net.Conn) {
		defer nc.Close()
		stop := context.AfterFunc(ctx, func() { nc.Close() })
		defer stop()
		dec, enc := json.NewDecoder(nc), json.NewEncoder(nc)
		for {
			var req switchRequest
			if dec.Decode(&req) != nil {
				return
			}
			var answer switchAnswer
			if err := a.do(req); err != nil {
				answer.Error = err.Error()
			}
			for _, p := range a.sw.Ports() {
				link := "up"
				if p.State&of10.PortStateLinkDown != 0 {
					link = "down"
				}
				answer.Ports = append(answer.Ports, switchPort{uint16(p.PortNo), p.Name, p.HWAddr.String(), link})
			}
			if enc.Encode(answer) != nil {
				return
			}
		}
	})
}

func (a *switchAdmin) do(req switchRequest) error {
	switch req.Command {
	case "ports":
		return nil
	case "add-port":
		_, err := a.setup.attach(a.sw, req.Port)
		return err
	case "del-port":
		no, err := parsePortNumber(req.Port)
		if err != nil {
			return err
		}
		return a.sw.DetachPort(no)
	}
	return fmt.Errorf("unknown command %q", req.Command)
}

// switchAdminCommands are the clients of the local socket.
func switchAdminCommands() []*cobra.Command {
	var socket string
	make1 := func(use, short string, args cobra.PositionalArgs, request func([]string) switchRequest) *cobra.Command {
		cmd := &cobra.Command{
			Use: use, Short: short, Args: args,
			RunE: func(cmd *cobra.Command, args []string) error {
				answer, err := askSwitch(cmd.Context(), socket, request(args))
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, p := range answer.Ports {
					fmt.Fprintf(w, "%v\t%s\t%s\t%s\n", of10.Port(p.Number), p.Name, p.HWAddr, p.Link)
				}
				return w.Flush()
			},
		}
		cmd.Flags().StringVar(&socket, "socket", "", "the switch's local socket")
		_ = cmd.MarkFlagRequired("socket")
		return cmd
	}
	one := func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("want one port (see %s --help)", cmd.CommandPath())}
		}
		return nil
	}
	return []*cobra.Command{
		make1("ports", "List the ports of a running switch", noArgs, func([]string) switchRequest { return switchRequest{Command: "ports"} }),
		make1("add-port NUMBER=WHAT", "Add a port to a running switch", one, func(a []string) switchRequest { return switchRequest{"add-port", a[0]} }),
		make1("del-port NUMBER", "Remove a port from a running switch", one, func(a []string) switchRequest { return switchRequest{"del-port", a[0]} }),
	}
}

func askSwitch(ctx context.Context, socket string, req switchRequest) (switchAnswer, error) {
	var answer switchAnswer
	d := net.Dialer{Timeout: 5 * time.Second}
	nc, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return answer, err
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(10 * time.Second))
	if err := json.NewEncoder(nc).Encode(req); err != nil {
		return answer, err
	}
	if err := json.NewDecoder(nc).Decode(&answer); err != nil {
		return answer, fmt.Errorf("the switch did not answer: %w", err)
	}
	if answer.Error != "" {
		return answer, errors.New(answer.Error)
	}
	return answer, nil
}
