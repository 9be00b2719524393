package classifier_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/classifier"
	"github.com/govisor/govisor/flowspace"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// sink is a slice's session that keeps what it is given.
type sink struct {
	frames  atomic.Int64
	flushed atomic.Int64
}

func (s *sink) Send(_, _ slicing.ConnID, _ []byte) bool { s.frames.Add(1); return true }
func (s *sink) Flush(*ofconn.Batch)                     { s.flushed.Store(s.frames.Load()) }

func start(t *testing.T) (s *classifier.Session, sw net.Conn, wait func() error) {
	t.Helper()
	m, err := flowspace.ParseMatch("any")
	if err != nil {
		t.Fatal(err)
	}
	rule := &flowspace.Rule{Name: "r", DPIDs: flowspace.AllDPIDs(), Priority: 1, Match: m, Grants: []flowspace.Grant{{Slice: "red", Perm: 7}}}
	snap, _, err := flowspace.New(flowspace.Options{}).Apply([]flowspace.Change{{Op: flowspace.Add, Rule: rule}})
	if err != nil {
		t.Fatal(err)
	}
	features := &of10.FeaturesReply{DatapathID: 1, Ports: []of10.PhyPort{{PortNo: 1}, {PortNo: 2}}, Actions: of10.AllActions}
	dp := slicing.New(slicing.Config{DPID: 1, Features: features, View: snap.View(1)})
	log := logrus.New()
	log.SetOutput(io.Discard)
	ours, sw := ofwire.Pipe()
	s = classifier.New(ours, dp, classifier.Options{Conn: ofconn.Config{EchoInterval: -1}, Log: logrus.NewEntry(log)})
	s.Connect(features, slicing.Flush)
	s.Do(func(now time.Time, dp *slicing.Datapath, out *slicing.Out) {
		dp.SetSlice(now, slicing.SliceConfig{Name: "red", MaxFlows: -1}, out)
		dp.ControllerUp(now, "red", out)
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); _ = sw.Close() })
	return s, sw, func() error { return <-done }
}

func packetIn(t *testing.T) []byte {
	t.Helper()
	m := &of10.PacketIn{BufferID: of10.NoBuffer, InPort: 1, TotalLen: 60, Data: make([]byte, 60)}
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPacketInGoesToTheSlice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, sw, wait := start(t)
		red := &sink{}
		s.SetSlice("red", red)
		<-s.Ready()
		go func() { _, _ = io.Copy(io.Discard, sw) }()
		for range 3 {
			if _, err := sw.Write(packetIn(t)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if red.frames.Load() != 3 || red.flushed.Load() != 3 {
			t.Errorf("%d packet_ins sent, %d flushed, want 3", red.frames.Load(), red.flushed.Load())
		}
		s.SetSlice("red", nil)
		if _, err := sw.Write(packetIn(t)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if red.frames.Load() != 3 {
			t.Error("a slice that was taken away still gets messages")
		}
		_ = sw.Close()
		if err := wait(); !errors.Is(err, io.EOF) {
			t.Errorf("Run = %v", err)
		}
		if !s.Retire() {
			t.Error("the core of a session that ended well is not to be used again")
		}
		s.Do(func(time.Time, *slicing.Datapath, *slicing.Out) { t.Error("Do after Retire") })
	})
}

// A fault in the core outside of a reader ends this session, not the process, and
// the core is not used again.
func TestFaultInTheCore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, sw, wait := start(t)
		go func() { _, _ = io.Copy(io.Discard, sw) }()
		synctest.Wait()
		s.Do(func(time.Time, *slicing.Datapath, *slicing.Out) { panic("fault") })
		if err := wait(); !errors.Is(err, ofconn.ErrPanic) {
			t.Errorf("Run = %v, want ErrPanic", err)
		}
		if s.Conn().Counters().Panics() != 1 {
			t.Error("the fault was not counted")
		}
		if s.Retire() {
			t.Error("a core that has had a fault is used again")
		}
	})
}

func TestAskSwitch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, sw, _ := start(t)
		go func() {
			r := ofwire.NewReader(sw, 4096)
			for {
				frame, err := r.Next()
				if err != nil {
					return
				}
				if of10.Type(frame[1]) != of10.TypeStatsRequest {
					continue
				}
				for _, flags := range []uint16{of10.StatsReplyMore, 0} {
					m := &of10.StatsReply{XID: of10.XID(frame), StatsType: of10.StatsFlow, Flags: flags, Body: of10.FlowStatsReply{{Match: of10.MatchAll()}}}
					b, err := m.AppendBinary(nil)
					if err != nil {
						t.Error(err)
					}
					_, _ = sw.Write(b)
				}
			}
		}()
		ask := &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}}
		replies, err := s.AskSwitch(t.Context(), ask)
		if err != nil || len(replies) != 2 {
			t.Errorf("AskSwitch = %d parts, %v; want 2", len(replies), err)
		}
		replies, err = s.AskSlice(t.Context(), "red", ask)
		if err != nil || len(replies) != 1 {
			t.Errorf("AskSlice = %d parts, %v; want 1", len(replies), err)
		}
		_ = sw.Close()
		synctest.Wait()
		if _, err := s.AskSwitch(t.Context(), ask); err == nil {
			t.Error("a switch that is gone answered")
		}
	})
}

func TestAskSwitchThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, sw, _ := start(t)
		go func() { _, _ = io.Copy(io.Discard, sw) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.AskSwitch(ctx, &of10.StatsRequest{StatsType: of10.StatsDesc}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("AskSwitch = %v", err)
		}
	})
}

// An answer that does not end is given up, and what was kept of it.
func TestAskSwitchWhoseAnswerDoesNotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, sw, _ := start(t)
		much := of10.VendorStats{Vendor: 1, Data: make([]byte, 60000)}
		sent := 0
		go func() {
			r := ofwire.NewReader(sw, 4096)
			frame, err := r.Next()
			for err == nil && (of10.Type(frame[1]) != of10.TypeStatsRequest || of10.StatsType(frame[9]) != of10.StatsFlow) {
				frame, err = r.Next()
			}
			if err != nil {
				return
			}
			m := &of10.StatsReply{XID: of10.XID(frame), StatsType: of10.StatsVendor, Flags: of10.StatsReplyMore, Body: much}
			b, err := m.AppendBinary(nil)
			if err != nil {
				t.Error(err)
			}
			go func() { _, _ = io.Copy(io.Discard, sw) }()
			for ; sent < 2*slicing.MaxStatsReply && err == nil; sent += len(b) {
				_, err = sw.Write(b)
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.AskSwitch(ctx, &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}})
		if err == nil || !strings.Contains(err.Error(), "does not end") {
			t.Errorf("AskSwitch = %v", err)
		}
		_ = sw.Close()
		synctest.Wait()
		if sent < slicing.MaxStatsReply {
			t.Errorf("given up after %d bytes", sent)
		}
	})
}

// The way of a table miss from the switch to the slice allocates nothing.
func TestPacketInAllocatesNothing(t *testing.T) {
	s, sw, _ := start(t)
	go func() { _, _ = io.Copy(io.Discard, sw) }()
	<-s.Ready()
	red := &sink{}
	s.SetSlice("red", red)
	frame := packetIn(t)
	if n := testing.AllocsPerRun(1000, func() {
		if err := s.HandleFrame(frame); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a packet_in allocates %v times", n)
	}
	if red.frames.Load() < 1000 {
		t.Errorf("only %d packet_ins arrived", red.frames.Load())
	}
}
