package hypervisor

import (
	"time"

	"github.com/govisor/govisor/classifier"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/slicer"
)

// DatapathMetrics are the live figures of one datapath. The counters are those of the session and go on growing.
type DatapathMetrics struct {
	DPID                       string
	Messages                   *ofconn.Counters // from and to the switch; nil while it is being identified
	Queued                     int              // bytes waiting for the switch
	Drops                      map[string]uint64
	PhysicalFlows              int
	FromSwitch, FromController LatencyMetrics
	Slices                     []SliceMetrics
}

// SliceMetrics are the live figures of one slice on one datapath.
type SliceMetrics struct {
	Name         string
	Messages     *ofconn.Counters // from and to its controllers
	Queued       int              // bytes waiting for its controllers
	VirtualFlows int
	Connected    bool
	Connects     uint64
}

// LatencyMetrics is a histogram of handling times.
type LatencyMetrics struct {
	UpTo  map[time.Duration]uint64 // messages that took at most so long
	Count uint64
	Sum   time.Duration
	Last  time.Duration // of the message timed last
}

func latencyOf(l *classifier.Latency) LatencyMetrics {
	upTo, all, sum := l.Snapshot()
	m := LatencyMetrics{UpTo: make(map[time.Duration]uint64, len(upTo)), Count: all, Sum: sum, Last: l.Last()}
	for i, n := range upTo {
		m.UpTo[classifier.LatencyBounds[i]] = n
	}
	return m
}

// MessageTypes are the names of the message types the counters tell apart, by number.
func MessageTypes() []string { return messageNames[:] }

// Metrics returns the figures of every connected datapath, for whoever may see all of them.
func (s *Service) Metrics(p Principal) ([]DatapathMetrics, error) {
	if !p.seesAll() {
		return nil, denied(p, "read the metrics")
	}
	_, sessions := s.connected()
	out := make([]DatapathMetrics, 0, len(sessions))
	for _, sess := range sessions {
		out = append(out, sess.Metrics())
	}
	return out, nil
}

// Metrics returns the datapath's figures.
func (d *datapath) Metrics() DatapathMetrics {
	m := DatapathMetrics{DPID: d.dpid.String(), Drops: map[string]uint64{}}
	cls := d.classifier()
	if cls == nil {
		return m
	}
	up, down := cls.Latencies()
	m.Messages, m.Queued = cls.Conn().Counters(), cls.Conn().Queued()
	m.FromSwitch, m.FromController = latencyOf(up), latencyOf(down)
	sessions := d.sliceSessions()
	for _, s := range sessions {
		st := s.sess.Status()
		m.Slices = append(m.Slices, SliceMetrics{
			Name: s.name, Messages: s.sess.Counters(), Queued: s.sess.Queued(), Connected: st.State == slicer.Connected, Connects: st.Connects,
		})
	}
	cls.Do(func(_ time.Time, dp *slicing.Datapath, _ *slicing.Out) {
		m.PhysicalFlows = dp.PhysicalCount()
		for i := range m.Slices {
			m.Slices[i].VirtualFlows = dp.FlowCount(m.Slices[i].Name)
		}
		dp.Counters.All(func(r slicing.Reason, n uint64) { m.Drops[r.String()] = n })
	})
	return m
}
