//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// The checks return errors, so that direct_test.go can show each of them
// failing where nothing is sliced.

// fullMesh tells which pair of hosts did not hear all its echoes.
func fullMesh(m Matrix, count int) error {
	return grouped(m, count, hostsOf(m))
}

func hostsOf(m Matrix) []string {
	var hosts []string
	for host := range m {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return hosts
}

// grouped tells which pair within a group lost an echo, or which pair across
// groups did not lose all of them. A host in no group must be alone.
func grouped(m Matrix, count int, groups ...[]string) error {
	group := make(map[string]int)
	for i, g := range groups {
		for _, host := range g {
			group[host] = i + 1
		}
	}
	var faults []string
	pairs := 0
	for src, row := range m {
		for dst, got := range row {
			pairs++
			want := 0
			if group[src] != 0 && group[src] == group[dst] {
				want = count
			}
			if got != want {
				faults = append(faults, fmt.Sprintf("%s > %s: %d of %d echoes, want %d", src, dst, got, count, want))
			}
		}
	}
	if pairs == 0 {
		return fmt.Errorf("no pair was tried")
	}
	if len(faults) > 0 {
		sort.Strings(faults)
		return fmt.Errorf("%d of %d pairs are wrong:\n%s", len(faults), pairs, strings.Join(faults, "\n"))
	}
	return nil
}

// onlyOwn tells whether a controller saw a packet_in that is not its own, or
// none at all.
func onlyOwn(name string, ps []PacketIn, own func(PacketIn) bool) error {
	if len(ps) == 0 {
		return fmt.Errorf("controller %s saw no packet_in at all", name)
	}
	for _, p := range ps {
		if !own(p) {
			return fmt.Errorf("controller %s saw a packet_in that is not its own: %v", name, p)
		}
	}
	return nil
}

// noneWith tells which flow of a dump mentions one of the words.
func noneWith(dump string, words ...string) error {
	for _, line := range strings.Split(dump, "\n") {
		for _, word := range words {
			if strings.Contains(line, word) {
				return fmt.Errorf("a flow with %s is still there: %s", word, strings.TrimSpace(line))
			}
		}
	}
	return nil
}
