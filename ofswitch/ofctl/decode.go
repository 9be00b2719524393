package ofctl

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/google/gopacket/tcpassembly"

	"github.com/govisor/govisor/ofwire/of10"
)

// DecodeHex prints the messages in hexadecimal text; white space is ignored.
func DecodeHex(w io.Writer, text string) error {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	b, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("not hexadecimal: %w", err)
	}
	for len(b) > 0 {
		n := Decode(w, b)
		b = b[n:]
	}
	return nil
}

// Decode prints the message b starts with and returns how many bytes it took.
// What cannot be decoded is printed with the reason and as a dump.
func Decode(w io.Writer, b []byte) int {
	if len(b) < 8 {
		fmt.Fprintf(w, "OpenFlow packet too short (only %d bytes):\n%s", len(b), hex.Dump(b))
		return len(b)
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < 8 || n > len(b) {
		fmt.Fprintf(w, "OpenFlow length field says %d of %d bytes:\n%s", n, len(b), hex.Dump(b))
		return len(b)
	}
	m, err := of10.Parse(b[:n])
	if err != nil {
		fmt.Fprintf(w, "%v (xid=%#x): ***decode error: %v***\n%s", of10.Type(b[1]), binary.BigEndian.Uint32(b[4:]), err, hex.Dump(b[:n]))
		return n
	}
	printMessage(w, m)
	return n
}

// DecodeStream prints the messages of a file that holds one direction of a connection.
func DecodeStream(w io.Writer, r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, 1<<30))
	if err != nil {
		return err
	}
	for len(b) > 0 {
		b = b[Decode(w, b):]
	}
	return nil
}

// DecodePcap prints the OpenFlow messages in a capture: TCP connections with one
// of the ports, 6633 and 6653 if none is given.
func DecodePcap(w io.Writer, r io.Reader, ports []uint16) (err error) {
	if len(ports) == 0 {
		ports = []uint16{6633, 6653}
	}
	src, err := pcapgo.NewReader(r)
	if err != nil {
		return fmt.Errorf("no pcap file: %w", err)
	}
	defer func() { // gopacket's decoders may panic on what they do not know
		if p := recover(); p != nil {
			err = fmt.Errorf("capture cannot be decoded: %v", p)
		}
	}()
	pool := tcpassembly.NewStreamPool(&streams{w})
	asm := tcpassembly.NewAssembler(pool)
	for {
		data, ci, err := src.ReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		p := gopacket.NewPacket(data, src.LinkType(), gopacket.DecodeOptions{Lazy: true, NoCopy: true})
		tcp, ok := p.TransportLayer().(*layers.TCP)
		if !ok || p.NetworkLayer() == nil ||
			!slices.Contains(ports, uint16(tcp.SrcPort)) && !slices.Contains(ports, uint16(tcp.DstPort)) {
			continue
		}
		asm.AssembleWithTimestamp(p.NetworkLayer().NetworkFlow(), tcp, ci.Timestamp)
	}
	asm.FlushAll()
	return nil
}

// streams makes a decoder for each direction of each connection.
type streams struct{ w io.Writer }

func (s *streams) New(net, transport gopacket.Flow) tcpassembly.Stream {
	return &stream{w: s.w, name: fmt.Sprintf("%v:%v -> %v:%v", net.Src(), transport.Src(), net.Dst(), transport.Dst())}
}

// stream prints messages as soon as they are complete.
type stream struct {
	w    io.Writer
	name string
	buf  []byte
}

// Reassembled implements tcpassembly.Stream.
func (s *stream) Reassembled(parts []tcpassembly.Reassembly) {
	for _, part := range parts {
		if part.Skip > 0 {
			s.buf = s.buf[:0] // bytes are missing: begin again
		}
		s.buf = append(s.buf, part.Bytes...)
		for len(s.buf) >= 8 {
			n := int(binary.BigEndian.Uint16(s.buf[2:]))
			if n >= 8 && n > len(s.buf) {
				break
			}
			fmt.Fprintf(s.w, "%s %s\n", part.Seen.UTC().Format("15:04:05.000000"), s.name)
			s.buf = s.buf[Decode(s.w, s.buf):]
		}
	}
}

// ReassemblyComplete implements tcpassembly.Stream.
func (s *stream) ReassemblyComplete() {}
