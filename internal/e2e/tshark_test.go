//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// openflowPort is where the capture says the messages went.
const openflowPort = 6653

// capture writes messages as the segments of a TCP connection.
func capture(frames []Frame) ([]byte, error) {
	var file bytes.Buffer
	w := pcapgo.NewWriter(&file)
	if err := w.WriteFileHeader(1<<17, layers.LinkTypeEthernet); err != nil {
		return nil, err
	}
	eth := layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
	seq := uint32(1)
	for _, f := range frames {
		ip := layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP{127, 0, 0, 1}, DstIP: net.IP{127, 0, 0, 1}}
		tcp := layers.TCP{SrcPort: 40000, DstPort: openflowPort, Seq: seq, Ack: 1, ACK: true, PSH: true, Window: 65535}
		if err := tcp.SetNetworkLayerForChecksum(&ip); err != nil {
			return nil, err
		}
		buf := gopacket.NewSerializeBuffer()
		err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, &eth, &ip, &tcp, gopacket.Payload(f))
		if err != nil {
			return nil, err
		}
		info := gopacket.CaptureInfo{Timestamp: time.Unix(int64(seq), 0), CaptureLength: len(buf.Bytes()), Length: len(buf.Bytes())}
		if err := w.WritePacket(info, buf.Bytes()); err != nil {
			return nil, err
		}
		seq += uint32(len(f))
	}
	return file.Bytes(), nil
}

// tshark returns what tshark finds wrong with messages, one line for each.
func tshark(dir string, frames []Frame) ([]string, error) {
	file := filepath.Join(dir, "capture.pcap")
	text, err := capture(frames)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("tshark", "-n", "-r", file, "-d", fmt.Sprintf("tcp.port==%d,openflow", openflowPort), "-T", "fields",
		"-e", "openflow_1_0.type", "-e", "_ws.malformed", "-e", "_ws.expert.message")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("tshark: %w: %s", err, stderr.String())
	}
	var faults []string
	for i, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		field := strings.Split(line, "\t")
		switch {
		case len(field) != 3 || field[0] == "":
			faults = append(faults, fmt.Sprintf("message %d is not OpenFlow 1.0: %q", i, line))
		case field[1] != "" || strings.Contains(field[2], "alformed") || strings.Contains(strings.ToLower(field[2]), "length"):
			faults = append(faults, fmt.Sprintf("message %d of type %s: %s", i, field[0], line))
		}
	}
	if len(faults) == 0 && strings.Count(string(out), "\n") != len(frames) {
		faults = append(faults, fmt.Sprintf("%d lines about %d messages", strings.Count(string(out), "\n"), len(frames)))
	}
	return faults, nil
}

// checkWithTshark has tshark read what one side of the conversations said.
func checkWithTshark(t *testing.T, who string, r *Recorder, direction int) {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		needs(t, "the program tshark")
	}
	var frames []Frame
	types := make(map[byte]bool)
	for _, c := range r.Conversations() {
		c.mu.Lock()
		for _, f := range c.frames[direction] {
			// tshark reads a first action where a flow_mod has none, and calls it malformed.
			if f.version() == 1 && !(f.kind() == typeFlowMod && len(f) == 72) {
				frames = append(frames, f)
				types[f.kind()] = true
			}
		}
		c.mu.Unlock()
	}
	if len(types) < 3 {
		t.Errorf("%s said messages of %d types only: tshark has nothing to judge", who, len(types))
	}
	faults, err := tshark(t.TempDir(), frames)
	if err != nil {
		t.Fatal(err)
	}
	for i, fault := range faults {
		if i < 10 {
			t.Errorf("%s: %s", who, fault)
		}
	}
}

// TestTsharkSeesFaults: the judge is not blind.
func TestTsharkSeesFaults(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tshark"); err != nil {
		needs(t, "the program tshark")
	}
	barrier := Frame{1, 18, 0, 8, 0, 0, 0, 9}
	short := Frame{1, 13, 0, 16, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 8} // PACKET_OUT that promises an action
	foreign := Frame("this is no OpenFlow message at all")
	for name, tt := range map[string]struct {
		frames []Frame
		good   bool
	}{
		"good":    {[]Frame{barrier, barrier}, true},
		"short":   {[]Frame{barrier, short}, false},
		"foreign": {[]Frame{barrier, foreign}, false},
	} {
		faults, err := tshark(t.TempDir(), tt.frames)
		if err != nil {
			t.Fatal(err)
		}
		if (len(faults) == 0) != tt.good {
			t.Errorf("%s: faults %q", name, faults)
		}
	}
}
