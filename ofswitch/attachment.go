package ofswitch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofswitch/port"
	"github.com/govisor/govisor/ofswitch/sflow"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// attachment is a port of the switch and what it is attached to.
type attachment struct {
	no      of10.Port
	port    port.Port
	ifIndex uint32
	down    bool // by a controller's port_mod; guarded by the switch's mu
}

// frameBatch is how many frames a port hands over at once.
const frameBatch = 32

// maxPortName is what ofp_phy_port has room for, less the final NUL.
const maxPortName = 15

// describe puts a port's own description into OpenFlow's words.
func describe(no of10.Port, info port.Info) of10.PhyPort {
	d := of10.PhyPort{
		PortNo: no, HWAddr: ofwire.MAC(info.HWAddr), Name: info.Name[:min(len(info.Name), maxPortName)],
		Curr: of10.PortFeatures(info.Curr), Advertised: of10.PortFeatures(info.Advertised),
		Supported: of10.PortFeatures(info.Supported), Peer: of10.PortFeatures(info.Peer),
	}
	if info.LinkDown {
		d.State |= of10.PortStateLinkDown
	}
	return d
}

// slot is where a port stands in the attached list.
func slot(no of10.Port) int {
	if no == of10.PortLocal {
		return 0
	}
	return int(no)
}

// placeLocked publishes a changed copy of the list of attachments.
func (s *Switch) placeLocked(no of10.Port, a *attachment) {
	list := slices.Clone(*s.attached.Load())
	for len(list) <= slot(no) {
		list = append(list, nil)
	}
	list[slot(no)] = a
	s.attached.Store(&list)
}

func (s *Switch) attachment(no of10.Port) *attachment {
	if list := *s.attached.Load(); slot(no) < len(list) {
		return list[slot(no)]
	}
	return nil
}

// attachments returns those in use.
func (s *Switch) attachments() []*attachment {
	return slices.DeleteFunc(slices.Clone(*s.attached.Load()), func(a *attachment) bool { return a == nil })
}

// startPortLocked starts the loops of a port of a running switch.
func (s *Switch) startPortLocked(a *attachment) {
	ctx, cancel := context.WithCancel(s.ctx)
	s.wg.Go(func() {
		defer cancel()
		s.receive(a)
	})
	if r, ok := a.port.(port.Runner); ok {
		s.wg.Go(func() { r.Run(ctx) })
	}
	if w, ok := a.port.(port.Watcher); ok {
		s.wg.Go(func() {
			err := w.Watch(ctx, func(info port.Info) { s.portChanged(a, info) })
			if err != nil && ctx.Err() == nil {
				s.log.WithField("port", a.no).WithError(err).Warn("port state is no longer watched")
			}
		})
	}
}

func (s *Switch) portChanged(a *attachment, info port.Info) {
	s.step(func(out *Out) {
		if s.attachment(a.no) == a {
			s.pipe.SetPortState(time.Now(), a.no, describe(a.no, info), out)
		}
	})
}

// receive runs the frames of one port through the pipeline, a batch at a time.
// The lock is held while the pipeline works, never during a system call of a port.
func (s *Switch) receive(a *attachment) {
	var (
		batch = make([]port.Frame, frameBatch)
		out   Out
		tx    sender
	)
	for {
		n, err := a.port.Read(batch)
		if err != nil {
			if !errors.Is(err, port.ErrClosed) {
				s.log.WithField("port", a.no).WithError(err).Error("port does not receive any more")
				info := a.port.Info()
				info.LinkDown = true
				s.portChanged(a, info)
			}
			return
		}
		now := time.Now()
		s.mu.Lock()
		for i := range batch[:n] {
			before := len(out.Frames)
			s.pipe.HandleFrame(now, a.no, batch[i], &out)
			if s.sampler != nil {
				s.sample(now, a, &batch[i], out.Frames[before:])
			}
		}
		var dirty []*ofconn.Conn
		if len(out.Messages) > 0 {
			dirty = s.deliverLocked(&out)
		}
		s.mu.Unlock()
		tx.send(s, out.Frames)
		for _, c := range dirty {
			c.Flush()
		}
		out.Reset()
	}
}

// sample shows a frame and where it went to sFlow.
func (s *Switch) sample(now time.Time, a *attachment, f *port.Frame, sent []OutFrame) {
	if !s.sampler.Take(a.ifIndexOr()) {
		return
	}
	out := sflow.Dropped
	switch {
	case len(sent) == 1:
		if to := s.attachment(sent[0].Port); to != nil {
			out = to.ifIndexOr()
		}
	case len(sent) > 1:
		out = sflow.Multiple | uint32(len(sent))
	}
	s.sampler.Sample(now, a.ifIndexOr(), out, f.Data)
}

// ifIndexOr is the interface index, or the port number for ports without one.
func (a *attachment) ifIndexOr() uint32 {
	if a.ifIndex != 0 {
		return a.ifIndex
	}
	return uint32(a.no)
}

// interfaces gives sFlow the counters of every port.
func (s *Switch) interfaces() []sflow.Interface {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []sflow.Interface
	for _, a := range s.attachments() {
		c, ok := s.pipe.PortStats(a.no)
		if !ok {
			continue
		}
		d := s.pipe.ports[a.no].desc
		list = append(list, sflow.Interface{
			Index: a.ifIndexOr(), SpeedMbps: uint64(d.Curr.SpeedMbps()), Up: d.State&of10.PortStateLinkDown == 0,
			RxBytes: c.RxBytes, RxPackets: c.RxPackets, RxDropped: c.RxDropped, RxErrors: c.RxErrors,
			TxBytes: c.TxBytes, TxPackets: c.TxPackets, TxDropped: c.TxDropped, TxErrors: c.TxErrors,
		})
	}
	return list
}

// administerLocked compares what the controllers want of the ports with what has
// been done, and returns what is left to do without the lock.
func (s *Switch) administerLocked() (todo []func()) {
	for _, a := range s.attachments() {
		admin, ok := a.port.(port.Administered)
		pt := s.pipe.ports[a.no]
		if !ok || pt == nil {
			continue
		}
		down := pt.desc.Config&of10.PortConfigDown != 0
		if down == a.down {
			continue
		}
		a.down = down
		todo = append(todo, func() {
			if err := admin.SetAdmin(!down); err != nil {
				s.log.WithField("port", a.no).WithError(err).Warn("port_mod changed the switch, but not the interface")
			}
		})
	}
	return todo
}

// sender gathers frames per port, so that each port gets them in one call.
type sender struct {
	lists [][]port.Frame // by slot
	queue []uint32       // by slot: of the frames in its list
	dirty []int
}

// send writes frames to their ports. What a port did not take is counted as dropped.
func (t *sender) send(s *Switch, frames []OutFrame) {
	if len(frames) == 0 {
		return
	}
	list := *s.attached.Load()
	for len(t.lists) < len(list) {
		t.lists, t.queue = append(t.lists, nil), append(t.queue, NoQueue)
	}
	for i := range frames {
		at := slot(frames[i].Port)
		if at >= len(list) || list[at] == nil {
			continue // detached meanwhile
		}
		if n := len(t.lists[at]); n > 0 && t.queue[at] != frames[i].Queue {
			t.write(s, list[at])
		} else if n == 0 && !slices.Contains(t.dirty, at) {
			t.dirty = append(t.dirty, at)
		}
		t.queue[at] = frames[i].Queue
		t.lists[at] = append(t.lists[at], frames[i].Frame)
	}
	for _, at := range t.dirty {
		t.write(s, list[at])
	}
	t.dirty = t.dirty[:0]
}

// write hands a port what has been gathered for it.
func (t *sender) write(s *Switch, a *attachment) {
	at := slot(a.no)
	frames, queue := t.lists[at], t.queue[at]
	if len(frames) == 0 {
		return
	}
	var n int
	if q, ok := a.port.(port.QueueWriter); ok {
		n, _ = q.WriteQueue(queue, frames)
	} else {
		n, _ = a.port.Write(frames)
	}
	if lost := len(frames) - n; lost > 0 {
		s.mu.Lock()
		s.pipe.CountTxDrop(a.no, queue, lost)
		s.mu.Unlock()
	}
	clear(frames)
	t.lists[at] = frames[:0]
}
