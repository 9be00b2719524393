// Command fvctl controls govisor: slices, flowspace and everything else its API can do.
package main

import (
	"os"

	"github.com/govisor/govisor/fvctl"
)

func main() { os.Exit(fvctl.Main(os.Args[1:])) }
