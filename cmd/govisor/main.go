// Command govisor is the OpenFlow 1.0 network hypervisor: the server, and the tools that come with it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run is main without the exit, so that scripted tests can call it as a command.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := rootCommand()
	cmd.SetArgs(args)
	if err := cmd.ExecuteContext(ctx); err != nil {
		if text := err.Error(); text != "" {
			fmt.Fprintf(os.Stderr, "govisor: %s\n", text)
		}
		return exitCode(err)
	}
	return 0
}
