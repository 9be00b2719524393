package shortestpath

import (
	"slices"

	"github.com/govisor/govisor/ofcontroller/discovery"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// graph is the links between switches, with the way towards each switch worked
// out when it is asked for. It is not safe for concurrent use.
type graph struct {
	links map[discovery.Link]bool
	inner map[discovery.Endpoint]int // links that end at a port, either way
	ways  map[ofwire.DatapathID]map[ofwire.DatapathID]discovery.Link
}

func newGraph() *graph {
	return &graph{
		links: make(map[discovery.Link]bool), inner: make(map[discovery.Endpoint]int),
		ways: make(map[ofwire.DatapathID]map[ofwire.DatapathID]discovery.Link),
	}
}

// set adds or removes a link and reports whether that changed anything.
func (g *graph) set(l discovery.Link, up bool) bool {
	if g.links[l] == up {
		return false
	}
	step := 1
	if up {
		g.links[l] = true
	} else {
		delete(g.links, l)
		step = -1
	}
	for _, end := range [...]discovery.Endpoint{l.From, l.To} {
		if g.inner[end] += step; g.inner[end] == 0 {
			delete(g.inner, end)
		}
	}
	clear(g.ways)
	return true
}

// isInner reports whether a port leads to another switch.
func (g *graph) isInner(e discovery.Endpoint) bool { return g.inner[e] > 0 }

// path returns the links from one switch to another, as few as possible; false
// if there is no way.
func (g *graph) path(from, to ofwire.DatapathID) ([]discovery.Link, bool) {
	way := g.ways[to]
	if way == nil {
		way = g.towards(to)
		g.ways[to] = way
	}
	var list []discovery.Link
	for at := from; at != to; {
		next, ok := way[at]
		if !ok {
			return nil, false
		}
		list = append(list, next)
		at = next.To.ID
	}
	return list, true
}

// towards finds the next link from every switch towards one, by breadth-first
// search from there. Only links that work both ways count; among equal ones the
// first in order wins, so that the result does not depend on chance.
func (g *graph) towards(to ofwire.DatapathID) map[ofwire.DatapathID]discovery.Link {
	into := make(map[ofwire.DatapathID][]discovery.Link)
	for l := range g.links {
		if g.links[discovery.Link{From: l.To, To: l.From}] {
			into[l.To.ID] = append(into[l.To.ID], l)
		}
	}
	way := make(map[ofwire.DatapathID]discovery.Link)
	for queue := []ofwire.DatapathID{to}; len(queue) > 0; queue = queue[1:] {
		near := into[queue[0]]
		slices.SortFunc(near, discovery.Link.Compare)
		for _, l := range near {
			if _, seen := way[l.From.ID]; !seen && l.From.ID != to {
				way[l.From.ID] = l
				queue = append(queue, l.From.ID)
			}
		}
	}
	return way
}

// hop is the passage of a flow through one switch.
type hop struct {
	id      ofwire.DatapathID
	in, out of10.Port
}

// hops turns links into passages, from the port where a frame enters the first
// switch to the port where it leaves the last one.
func hops(in discovery.Endpoint, path []discovery.Link, out discovery.Endpoint) []hop {
	list := make([]hop, 0, len(path)+1)
	at := in
	for _, l := range path {
		list = append(list, hop{at.ID, at.Port, l.From.Port})
		at = l.To
	}
	return append(list, hop{out.ID, at.Port, out.Port})
}
