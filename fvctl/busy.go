package fvctl

import (
	"fmt"
	"strings"
	"time"
)

// busyAfter is when a person begins to wonder, and how often she is told.
const busyAfter = time.Second

// busy says on a terminal that the server is still at work, until stop is called.
func (a *app) busy(what string) (stop func()) {
	if !a.terminal {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(busyAfter)
		defer tick.Stop()
		begin, width := time.Now(), 0
		for {
			select {
			case <-end:
				if width > 0 {
					fmt.Fprintf(a.err, "\r%s\r", strings.Repeat(" ", width))
				}
				return
			case <-tick.C:
				line := fmt.Sprintf("%s, %d s ...", what, int(time.Since(begin).Round(time.Second).Seconds()))
				width = len(line)
				fmt.Fprint(a.err, "\r"+line)
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}
