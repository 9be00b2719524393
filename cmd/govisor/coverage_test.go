package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type row struct {
	command string
	options string // long and short ones
	args    int    // at least
}

// flowVisor lists FlowVisor's commands with their options and how many arguments
// they take: the same name again is another form. The scripts run each of them.
var flowVisor = []row{
	{"list-slices", "", 0}, {"add-slice", "-d --drop-policy -l --recv-lldp -f --flowmod-limit -r --rate-limit -p --password --disabled", 3},
	{"update-slice", "-n --controller-hostname -p --controller-port -a --admin-contact -d --drop-policy --enable-slice --disable-slice --enable-recv-lldp --disable-recv-lldp " +
		"-f --flowmod-limit -r --rate-limit", 1},
	{"remove-slice", "", 1}, {"update-slice-password", "-p --password", 1}, {"update-admin-password", "-p --password", 0},
	{"list-flowspace", "-s --slice-name -x --output-hex -p --pretty-print --show-disabled", 0}, {"add-flowspace", "-q --queues -f --forced-queue", 5},
	{"update-flowspace", "-d --dpid -p --priority -m --match -s --slice-action -q --queues -f --forced-queue", 1}, {"remove-flowspace", "", 1}, {"remove-flowspace", "", 3},
	{"list-version", "", 0}, {"save-config", "", 1}, {"get-config", "-s --slice-name -d --dpid", 0},
	{"set-config", "-f --flood-perm -l --flowmod-limit --enable-tracking --disable-tracking --enable-stats-desc --disable-stats-desc --enable-topo-ctrl --disable-topo-ctrl " +
		"-c --flow-stats-cache", 0},
	{"list-fs-status", "", 1}, {"list-slice-info", "", 1}, {"list-datapaths", "", 0}, {"list-datapath-info", "", 1}, {"list-datapath-stats", "", 1}, {"list-slice-stats", "", 1},
	{"list-slice-health", "", 1}, {"list-fv-health", "", 0}, {"list-links", "", 0}, {"register-event-callback", "-d --dpid", 4}, {"unregister-event-callback", "-d --dpid", 3},
	{"list-datapath-flowdb", "", 1}, {"list-datapath-flowrewritedb", "", 2},

	{"listSlices", "", 0}, {"createSlice", "", 3}, {"createSlice", "", 4}, {"changeSlice", "", 3}, {"deleteSlice", "", 1}, {"changePasswd", "", 1}, {"getSliceInfo", "", 1},
	{"setMaximumFlowMods", "", 3}, {"getMaximumFlowMods", "", 2}, {"getCurrentFlowMods", "", 2}, {"setRateLimit", "", 2}, {"getSliceStats", "", 1}, {"getSwitchStats", "", 1},
	{"getSwitchFlowDB", "", 1}, {"getSliceRewriteDB", "", 2}, {"listFlowSpace", "", 0}, {"removeFlowSpace", "", 1}, {"addFlowSpace", "", 4}, {"changeFlowSpace", "", 5},
	{"dumpConfig", "", 1}, {"listDevices", "", 0}, {"getDeviceInfo", "", 1}, {"getLinks", "", 0}, {"ping", "", 1}, {"setFlowTracking", "", 1}, {"getFlowTracking", "", 0},
	{"setFloodPerm", "", 2}, {"getFloodPerm", "", 1}, {"setDefaultFloodPerm", "", 1}, {"getDefaultFloodPerm", "", 0}, {"registerCallback", "", 3}, {"registerCallback", "", 2},
	{"unregisterCallback", "", 0}, {"registerTopologyEventCallback", "", 3}, {"deregisterTopologyEventCallback", "", 2},
}

// globalOptions are those of both generations before the command.
const globalOptions = "-h --hostname -p --port -u --user -n --no-passwd -f --passwd-file -v --version --help --url --debug"

// scriptLines are the command lines of fvctl in the scripts that are to succeed.
func scriptLines(t *testing.T) (lines [][]string) {
	t.Helper()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "exec fvctl "); ok && !strings.HasPrefix(rest, "__complete") {
				lines = append(lines, strings.Fields(rest))
			}
		}
	}
	return lines
}

func hasOption(args []string, option string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return a == option || strings.HasPrefix(a, option+"=") })
}

// Every command of FlowVisor's is run by a script against a server, with each of
// its options and forms; nothing in the table is left out.
func TestScriptsRunAllOfFlowVisor(t *testing.T) {
	t.Parallel()
	lines := scriptLines(t)
	for _, row := range flowVisor {
		ran, forms := [][]string{}, false
		for _, line := range lines {
			i := slices.Index(line, row.command)
			if i < 0 {
				continue
			}
			rest := line[i+1:]
			plain := slices.DeleteFunc(slices.Clone(rest), func(a string) bool { return strings.HasPrefix(a, "-") && len(a) > 1 })
			ran, forms = append(ran, rest), forms || len(plain) >= row.args && (row.options != "" || len(plain) == row.args)
		}
		if !forms {
			t.Errorf("no script runs %s with %d arguments", row.command, row.args)
		}
		for option := range strings.FieldsSeq(row.options) {
			if !slices.ContainsFunc(ran, func(args []string) bool { return hasOption(args, option) }) {
				t.Errorf("no script runs %s %s", row.command, option)
			}
		}
	}
	for option := range strings.FieldsSeq(globalOptions) {
		before := func(args []string) bool {
			at := slices.IndexFunc(args, func(a string) bool {
				return !strings.HasPrefix(a, "-") && slices.ContainsFunc(flowVisor, func(r row) bool { return r.command == a })
			})
			if at < 0 {
				at = len(args)
			}
			return hasOption(args[:at], option)
		}
		if !slices.ContainsFunc(lines, before) {
			t.Errorf("no script runs fvctl %s", option)
		}
	}
}

// The script about exit codes asks every command what it says when nobody answers.
func TestExitCodesOfAllOfFlowVisor(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/script/exitcodes.txtar")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "\n-- all.txt --\n")
	list, _, _ = strings.Cut(list, "\n-- ")
	for _, r := range flowVisor {
		if !strings.Contains("\n"+list, "\n"+r.command+" ") && !strings.Contains("\n"+list+"\n", "\n"+r.command+"\n") {
			t.Errorf("%s is missing", r.command)
		}
	}
}
