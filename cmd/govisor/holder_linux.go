package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const tcpListen = "0A" // state column of /proc/net/tcp

// holder names the process that listens on a TCP port, as "ovs-testcontroller (process 4711)", or "" when it cannot be
// found out (another user's process, another network namespace).
func holder(port int) (name string) {
	// The tables are read in pieces: what changes meanwhile hides what does not.
	for range 5 {
		if name = findHolder(port); name != "" {
			break
		}
	}
	return name
}

func findHolder(port int) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			c := strings.Fields(lines.Text())
			if len(c) < 10 || c[3] != tcpListen {
				continue
			}
			_, hex, _ := strings.Cut(c[1], ":")
			if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
				inodes["socket:["+c[9]+"]"] = true
			}
		}
		_ = f.Close() // only read
	}
	if len(inodes) == 0 {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is sound
	for _, fd := range fds {
		if link, err := os.Readlink(fd); err == nil && inodes[link] {
			pid := strings.Split(fd, "/")[2]
			name, _ := os.ReadFile("/proc/" + pid + "/comm") // empty when it has just ended
			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}
