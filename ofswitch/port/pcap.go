package port

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// snapLen is the longest frame kept in a capture.
const snapLen = 262144

// Pcap plays frames from a capture file into the switch, writes what the switch
// sends into another, or both. Either file may be missing.
type Pcap struct {
	name  string
	in    *os.File
	src   gopacket.PacketDataSource
	timed bool
	last  time.Time
	done  chan struct{}
	once  sync.Once

	mu  sync.Mutex
	out *os.File
	dst *pcapgo.Writer
	now func() time.Time
}

var _ Port = (*Pcap)(nil)

// OpenPcap parses "[in=FILE][,out=FILE][,timed]"; a bare file name is read. With
// timed the frames keep their distances in time.
func OpenPcap(spec string) (*Pcap, error) {
	p := &Pcap{name: "pcap:" + spec, done: make(chan struct{}), now: time.Now}
	var in, out string
	for _, f := range strings.Split(spec, ",") {
		k, v, named := strings.Cut(f, "=")
		switch {
		case k == "in" && named:
			in = v
		case k == "out" && named:
			out = v
		case k == "timed" && !named:
			p.timed = true
		case !named && in == "" && f != "":
			in = f
		default:
			return nil, fmt.Errorf("port pcap:%s: unknown option %q (in, out, timed)", spec, f)
		}
	}
	if in == "" && out == "" {
		return nil, fmt.Errorf("port pcap:%s: no file", spec)
	}
	if err := p.open(in, out); err != nil {
		p.Close()
		return nil, fmt.Errorf("port pcap:%s: %w", spec, err)
	}
	return p, nil
}

func (p *Pcap) open(in, out string) (err error) {
	if in != "" {
		if p.in, err = os.Open(in); err != nil {
			return err
		}
		var link layers.LinkType
		r, err := pcapgo.NewReader(p.in)
		if err == nil {
			p.src, link = r, r.LinkType()
		} else {
			if _, err := p.in.Seek(0, io.SeekStart); err != nil {
				return err
			}
			ng, err := pcapgo.NewNgReader(p.in, pcapgo.DefaultNgReaderOptions)
			if err != nil {
				return fmt.Errorf("%s is neither pcap nor pcapng", in)
			}
			p.src, link = ng, ng.LinkType()
		}
		if link != layers.LinkTypeEthernet {
			return fmt.Errorf("%s: link type %v, want Ethernet", in, link)
		}
	}
	if out != "" {
		if p.out, err = os.Create(out); err != nil {
			return err
		}
		p.dst = pcapgo.NewWriterNanos(p.out)
		return p.dst.WriteFileHeader(snapLen, layers.LinkTypeEthernet)
	}
	return nil
}

// Read implements Port. After the last frame it waits for Close, so that the
// port stays in the switch.
func (p *Pcap) Read(batch []Frame) (int, error) {
	for p.src != nil {
		data, ci, err := p.src.ReadPacketData()
		if err != nil {
			p.src = nil // the end, or the file is cut short
			break
		}
		if p.timed {
			if !p.last.IsZero() && !p.wait(ci.Timestamp.Sub(p.last)) {
				break
			}
			p.last = ci.Timestamp
		}
		if len(data) > MaxFrame {
			continue
		}
		batch[0] = Frame{Data: data}
		return 1, nil
	}
	<-p.done
	return 0, fmt.Errorf("port %s: %w", p.name, ErrClosed)
}

func (p *Pcap) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.done:
		return false
	}
}

// Write implements Port.
func (p *Pcap) Write(batch []Frame) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dst == nil {
		return len(batch), nil
	}
	taken := 0
	for i := range batch {
		var werr error
		ok := batch[i].Plain(func(b []byte) {
			werr = p.dst.WritePacket(gopacket.CaptureInfo{Timestamp: p.now(), CaptureLength: len(b), Length: len(b)}, b)
		})
		if werr != nil {
			return taken, fmt.Errorf("port %s: %w", p.name, werr)
		}
		if ok {
			taken++
		}
	}
	return taken, nil
}

// Info implements Port.
func (p *Pcap) Info() Info {
	return Info{Name: "pcap", HWAddr: nameMAC(p.name, 0x0c), Curr: Feature10GFull}
}

// Close implements Port and completes the written file.
func (p *Pcap) Close() error {
	var err error
	p.once.Do(func() {
		close(p.done)
		if p.in != nil {
			err = p.in.Close()
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.out != nil {
			p.dst = nil
			err = p.out.Close()
		}
	})
	return err
}
