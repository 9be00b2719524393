package ofcontroller

import (
	"bytes"
	"fmt"
	"sync/atomic"

	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

var _ ofconn.Handler = (*Switch)(nil)

// Counters tell what went wrong with a switch's messages.
type Counters struct {
	PacketInsDropped uint64 // handlers were busy
	Malformed        uint64 // could not be decoded
	Unexpected       uint64 // nobody asked for them
	BadPorts         uint64 // packet_ins with a port the switch does not have
}

// faults are the Counters; each kind is logged once per connection.
type faults struct{ malformed, unexpected, badPorts atomic.Uint64 }

// Counters returns the counts so far.
func (sw *Switch) Counters() Counters {
	return Counters{
		PacketInsDropped: sw.queue.dropped.Load(),
		Malformed:        sw.faults.malformed.Load(),
		Unexpected:       sw.faults.unexpected.Load(),
		BadPorts:         sw.faults.badPorts.Load(),
	}
}

// HandleFrame is for the connection; it is not part of the package's interface.
func (sw *Switch) HandleFrame(frame []byte) error {
	if of10.Type(frame[1]) == of10.TypePacketIn {
		return sw.packetIn(frame)
	}
	m, err := of10.Parse(bytes.Clone(frame))
	if err != nil {
		return sw.malformed(frame, err)
	}
	switch m := m.(type) {
	case *of10.PortStatus:
		return sw.portStatus(m)
	case *of10.FlowRemoved:
		return tell(sw, m)
	case *of10.Vendor:
		return tell(sw, m)
	case *of10.StatsReply:
		return sw.statsReply(m)
	case *of10.Error:
		sw.requests.failed(m)
		return tell(sw, m)
	case *of10.FeaturesReply, *of10.GetConfigReply, *of10.BarrierReply, *of10.QueueGetConfigReply:
		if f, ok := m.(*of10.FeaturesReply); ok && !sw.up.Load() {
			sw.ports.reset(f.Ports)
		}
		if !sw.requests.answer(m) {
			return sw.unexpected(m)
		}
		return nil
	}
	return sw.unexpected(m)
}

// BatchDone is for the connection; it is not part of the package's interface.
func (sw *Switch) BatchDone(*ofconn.Batch) { sw.batching.Store(false) }

// tell queues an event that must not be lost.
func tell[E any](sw *Switch, e E) error {
	if !sw.up.Load() || handlersOf[E](sw.c) == nil {
		return nil
	}
	return sw.queue.push(func() { Emit(sw, e) })
}

func (sw *Switch) packetIn(frame []byte) error {
	if !sw.up.Load() {
		return nil
	}
	h := handlersOf[*of10.PacketIn](sw.c)
	if h == nil {
		return nil
	}
	in := &sw.in
	inline := h.inline && sw.queue.idle()
	if !inline {
		in, frame = new(of10.PacketIn), bytes.Clone(frame)
	}
	if err := in.UnmarshalBinary(frame); err != nil {
		return sw.malformed(frame, err)
	}
	if !sw.ports.known(in.InPort) && !sw.unknownPort(in.InPort) {
		return nil
	}
	if inline {
		sw.batching.Store(true)
		h.run(sw, in)
		return nil
	}
	sw.queue.offer(func() { Emit(sw, in) })
	return nil
}

// unknownPort counts a packet_in from a port the switch has not told of, and
// reports whether such a port can be at all.
func (sw *Switch) unknownPort(port of10.Port) bool {
	if sw.faults.badPorts.Add(1) == 1 {
		sw.log.WithField("port", port).Warn("packet_in from a port that the switch does not have")
	}
	return port.IsPhysical() || port == of10.PortLocal
}

// malformed answers a message that cannot be decoded; the connection goes on if
// only the message is spoiled.
func (sw *Switch) malformed(frame []byte, err error) error {
	if sw.faults.malformed.Add(1) == 1 {
		sw.log.WithError(err).Warnf("cannot decode a %v", of10.Type(frame[1]))
	}
	if !ofwire.SpoilsMessage(err) {
		return fmt.Errorf("decoding a %v: %w", of10.Type(frame[1]), err)
	}
	if of10.Type(frame[1]) != of10.TypeError {
		return sw.write(of10.NewError(of10.ErrorBadRequest, of10.BadRequestBadLen, frame))
	}
	return nil
}

func (sw *Switch) unexpected(m of10.Message) error {
	if sw.faults.unexpected.Add(1) == 1 {
		sw.log.Warnf("the switch sends a %v that nobody asked for", m.Type())
	}
	return tell(sw, Unexpected{Message: m})
}

func (sw *Switch) portStatus(m *of10.PortStatus) error {
	sw.ports.apply(m)
	if sw.up.Load() {
		sw.watchPorts()
	}
	return tell(sw, m)
}

// watchPorts has PortChanges told soon, if there is something to tell.
func (sw *Switch) watchPorts() {
	if handlersOf[PortChange](sw.c) != nil {
		sw.ports.debounce(sw.cfg.PortDebounce, func() { _ = sw.queue.push(sw.portChanges) })
	}
}

func (sw *Switch) portChanges() {
	for _, change := range sw.ports.changes() {
		Emit(sw, change)
	}
}

// statsReply tells of each part as it comes and of the whole when it is there.
func (sw *Switch) statsReply(m *of10.StatsReply) error {
	whole, known, err := sw.requests.part(m)
	switch {
	case err != nil:
		return err
	case !known:
		return sw.unexpected(m)
	}
	if err := tell(sw, m); err != nil || whole == nil {
		return err
	}
	switch body := whole.Body.(type) {
	case of10.FlowStatsReply:
		return tell(sw, body)
	case of10.AggregateStats:
		return tell(sw, body)
	case of10.DescStats:
		return tell(sw, body)
	case of10.TableStatsReply:
		return tell(sw, body)
	case of10.PortStatsReply:
		return tell(sw, body)
	case of10.QueueStatsReply:
		return tell(sw, body)
	}
	return nil
}
