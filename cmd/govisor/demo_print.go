package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/govisor/govisor/ofswitch/fabric"
)

// paper is where the demo is printed.
type paper struct {
	w     io.Writer
	color bool
}

func (p *paper) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// in is text in the colour of a slice.
func (p *paper) in(s demoSlice, text string) string {
	if !p.color {
		return text
	}
	return fmt.Sprintf("\x1b[1;%dm%s\x1b[0m", s.color, text)
}

// sliceOf is the slice of a host.
func sliceOf(n int) demoSlice {
	for _, s := range demoSlices {
		if slices.Contains(s.hosts(), n) {
			return s
		}
	}
	return demoSlice{}
}

func (p *paper) host(n int) string { return p.in(sliceOf(n), demoHost(n)) }

// picture draws the network.
func (d *demo) picture() {
	p, red, blue := d.out, demoSlices[0], demoSlices[1]
	kind := "learning switch"
	p.line("")
	p.line("  controllers   %s, a %s on %s       %s, one linked in, %s", p.in(red, "red"), kind, d.controllerOf(red), p.in(blue, "blue"), d.controllerOf(blue))
	p.line("                            \\                        /")
	p.line("  hypervisor                 govisor %s", d.openflow)
	p.line("                            /           |            \\")
	p.line("  switches              s1 ------------ s2 ------------ s3")
	p.line("                       /  \\            /  \\            /  \\")
	p.line("  hosts              %s    %s        %s    %s        %s    %s", p.host(1), p.host(2), p.host(3), p.host(4), p.host(5), p.host(6))
	p.line("")
	p.line("Flowspace: %d rules by MAC address. %s has what h1, h3 and h5 send each other, %s what h2, h4 and h6 do.", len(demoRules()), p.in(red, "red"), p.in(blue, "blue"))
}

// matrix prints who reached whom, by slice, and reports whether that is right.
func (d *demo) matrix(m fabric.Matrix) bool {
	p, good := d.out, true
	var order []int
	for _, s := range demoSlices {
		order = append(order, s.hosts()...)
	}
	p.line("")
	p.line("      to %s", strings.Join(p.hostNames(order), "   "))
	for _, src := range order {
		cells := make([]string, 0, len(order))
		for _, dst := range order {
			reached, tried := m[demoHost(src)][demoHost(dst)]
			same := sliceOf(src) == sliceOf(dst)
			switch {
			case src == dst:
				cells = append(cells, "  ")
			case !tried:
				good = false
				cells = append(cells, "??")
			case reached == same && same:
				cells = append(cells, p.in(sliceOf(src), "ok"))
			case reached == same:
				cells = append(cells, " .")
			case reached:
				good = false
				cells = append(cells, "!!")
			default:
				good = false
				cells = append(cells, "--")
			}
		}
		p.line("from %s  %s", p.host(src), strings.Join(cells, "   "))
	}
	p.line("")
	if !good {
		p.line("!! reached across slices, -- lost within a slice, ?? not tried")
	}
	return good
}

func (p *paper) hostNames(numbers []int) []string {
	names := make([]string, 0, len(numbers))
	for _, n := range numbers {
		names = append(names, p.host(n))
	}
	return names
}

// saw prints what each controller saw, and reports whether it was its own.
func (d *demo) saw() bool {
	good := true
	for i, w := range []*watcher{d.red, d.blue} {
		s := demoSlices[i]
		own, foreign := w.sum(s.hosts())
		d.out.line("The controller of %s saw %d packet_ins of its own hosts and %d of others.", d.out.in(s, s.name), own, foreign)
		good = good && own > 0 && foreign == 0
	}
	return good
}

// hints tells what to try while it runs.
func (d *demo) hints() {
	p := d.out
	p.line("")
	p.line("It keeps running: API on %s, log in %s. Try in another terminal:", d.api, d.dir+"/govisor.log")
	fvctl := fvctlPath()
	p.line("  %s --data %s list-slices", fvctl, d.dir)
	p.line("  %s --data %s list-flowspace", fvctl, d.dir)
	p.line("  %s --data %s list-slice-health red", fvctl, d.dir)
	p.line("Ctrl-C ends it.")
}

// fvctlPath is how to call fvctl from here: by the name this program was called
// by, if the two lie beside each other.
func fvctlPath() string {
	beside := filepath.Join(filepath.Dir(os.Args[0]), "fvctl")
	if _, err := os.Stat(beside); err == nil && strings.Contains(os.Args[0], string(filepath.Separator)) {
		return beside
	}
	return "fvctl"
}
