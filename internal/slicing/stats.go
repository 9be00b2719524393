package slicing

import (
	"cmp"
	"slices"
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// statsJob is a statistics request on its way: the flows it is about, as they were
// when it was asked, and what the switch has told so far.
type statsJob struct {
	typ   of10.StatsType
	flows []statsFlow
	sums  map[*vflow]int32 // where in flows
	ports []of10.PortStats
	queue []of10.QueueStats
	table of10.TableStats
	id    uint8 // of the table the flows are in
	asked time.Time
}

// maxStatsJobs is how many unanswered statistics requests a slice may have.
const maxStatsJobs = 128

// MaxStatsReply is how much of one answer is kept of a switch whose answer does not end, in
// bytes as sent: some 350,000 flows.
const MaxStatsReply = 32 << 20

// maxStatsEntries is the same for the ports and queues of an answer.
const maxStatsEntries = 1 << 16

// statsFlow is a flow as it was when the request came.
type statsFlow struct {
	v       *vflow
	actions []of10.Action
	cookie  uint64
	age     time.Duration
	packets uint64 // of the entries that the switch has told of
	bytes   uint64
}

// statsRequest starts to answer a statistics request; it is always answered.
func (d *Datapath) statsRequest(now time.Time, s *slice, c Conn, frame []byte, out *Out) {
	m := of10.StatsRequest{}
	if !d.ask(&m, s, c, frame, out) {
		return
	}
	if s.jobs >= maxStatsJobs {
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestEPerm)
		return
	}
	job := &statsJob{typ: m.StatsType, asked: now}
	real := of10.StatsRequest{StatsType: m.StatsType}
	switch b := m.Body.(type) {
	case of10.FlowStatsRequest:
		real.Body = d.flowStats(now, s, job, b)
	case of10.AggregateStatsRequest:
		real.StatsType = of10.StatsFlow
		real.Body = d.flowStats(now, s, job, of10.FlowStatsRequest(b))
	case of10.PortStatsRequest:
		if b.PortNo == of10.PortNone || s.owns(b.PortNo) {
			real.Body = b
		}
	case of10.QueueStatsRequest:
		if b.PortNo != of10.PortAll && (!s.owns(b.PortNo) || d.port(b.PortNo) == nil) {
			d.fail(out, s, c.ID, frame, of10.ErrorQueueOpFailed, of10.QueueOpFailedBadPort)
			return
		}
		if b.QueueID != of10.QueueAll && !d.grantsQueue(s, queuePort(b.PortNo), b.QueueID) {
			d.fail(out, s, c.ID, frame, of10.ErrorQueueOpFailed, of10.QueueOpFailedBadQueue)
			return
		}
		real.Body = b
	case nil:
		switch m.StatsType {
		case of10.StatsDesc:
		case of10.StatsTable:
			real.StatsType = of10.StatsFlow
			real.Body = d.flowStats(now, s, job, of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone})
			job.table = d.tableStats(s)
		default:
			d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestBadStat)
			return
		}
	case of10.VendorStats:
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestBadVendor)
		return
	default:
		d.fail(out, s, c.ID, frame, of10.ErrorBadRequest, of10.BadRequestBadStat)
		return
	}
	p := pending{kind: pendStats, slice: s, conn: c.ID, orig: slices.Clone(frame), stats: job}
	if real.Body == nil && m.StatsType != of10.StatsDesc {
		d.finishStats(now, &p, out)
		return
	}
	real.XID = d.nextXID()
	p.xid = real.XID
	s.jobs++
	d.expect(p)
	out.send(&real)
}

func queuePort(p of10.Port) of10.Port {
	if p == of10.PortAll {
		return of10.PortInPort // any
	}
	return p
}

// flowStats notes the flows that a request is about and returns what to ask the
// switch, nil if there is no need to. Pieces lie inside their flows, so the slice's
// own match selects all of them.
func (d *Datapath) flowStats(now time.Time, s *slice, job *statsJob, b of10.FlowStatsRequest) of10.StatsBody {
	if b.TableID != of10.TableAll && b.TableID != 0 && b.TableID != of10.TableEmerg {
		return nil
	}
	if b.TableID == of10.TableEmerg {
		for _, fl := range s.table.SelectEmergency(b.Match, b.OutPort) {
			v := &vflow{flow: fl, slice: s}
			job.flows = append(job.flows, statsFlow{v: v, actions: fl.Actions, cookie: fl.Cookie, age: now.Sub(fl.Created)})
		}
		job.id = of10.TableEmerg
		return nil
	}
	live := false
	selected := s.table.Select(b.Match, b.OutPort)
	job.flows = make([]statsFlow, 0, len(selected))
	job.sums = make(map[*vflow]int32, len(selected))
	for _, fl := range selected {
		v := fl.Aux.(*vflow)
		job.sums[v] = int32(len(job.flows))
		job.flows = append(job.flows, statsFlow{v: v, actions: fl.Actions, cookie: fl.Cookie, age: now.Sub(fl.Created)})
		live = live || v.live > 0
	}
	if !live {
		return nil
	}
	return of10.FlowStatsRequest{Match: narrowed(b.Match.Normalize(), job.flows), TableID: of10.TableAll, OutPort: of10.PortNone}
}

// unsure are the fields that switches forget where they mean nothing: a flow might not
// be found by them.
const unsure = of10.WildDLVLANPCP | of10.WildNWTos | of10.WildNWProto | of10.WildTPSrc | of10.WildTPDst

// narrowed is what of the asked match the pieces of the flows lie in, so that the
// switch does not tell of all the other slices' flows as well.
func narrowed(asked of10.Match, flows []statsFlow) of10.Match {
	var reach flowtable.Pattern
	found := false
	for i := range flows {
		for _, p := range flows[i].v.pieces {
			switch {
			case p.slot == nil:
			case !found:
				reach, found = p.slot.pat, true
			default:
				reach = reach.Join(&p.slot.pat)
			}
		}
	}
	if !found {
		return asked
	}
	m := reach.Match()
	m.Wildcards |= unsure
	m = m.Normalize()
	reach = flowtable.MakePattern(&m)
	of := flowtable.MakePattern(&asked)
	if both, ok := of.Intersect(&reach); ok {
		return both.Match()
	}
	return asked
}

// defaultTableSize is for switches that do not tell.
const defaultTableSize = 1 << 20

// learnTables notes how many flows a slice's one table may hold: as many as the largest
// of the switch's, as not every flow can be in every one.
func (d *Datapath) learnTables(b of10.TableStatsReply) {
	for i := range b {
		d.tableSize = max(d.tableSize, b[i].MaxEntries)
	}
}

// tableStats is the slice's one table; the number of matches is completed later.
func (d *Datapath) tableStats(s *slice) of10.TableStats {
	limit := cmp.Or(d.tableSize, defaultTableSize)
	if n := s.table.Capacity(); n > 0 && n < int(limit) {
		limit = uint32(n)
	}
	if n := s.cfg.MaxFlows; n >= 0 && n < int64(limit) {
		limit = uint32(n)
	}
	return of10.TableStats{Name: "classifier", Wildcards: of10.WildAll, MaxEntries: limit, ActiveCount: uint32(s.table.Len())}
}

// fromStatsReply takes a part of the switch's answer in.
func (d *Datapath) fromStatsReply(now time.Time, frame []byte, out *Out) {
	m := of10.StatsReply{}
	if !d.decode(&m, frame) {
		return
	}
	p := d.asked(m.XID)
	if p != nil && p.kind == pendAdopt {
		if b, ok := m.Body.(of10.FlowStatsReply); ok {
			p.adoptPart(b, len(frame))
		}
		switch {
		case m.Flags&of10.StatsReplyMore == 0:
			d.answered(m.XID)
			d.adopt(now, p, out)
		case p.size > MaxStatsReply:
			d.answered(m.XID)
			d.report(Event{What: "the switch tells of more flows than can be compared; they are removed"})
			d.wipe(now, out)
		}
		return
	}
	if p != nil && p.kind == pendTables {
		if b, ok := m.Body.(of10.TableStatsReply); ok {
			d.learnTables(b)
		}
		if m.Flags&of10.StatsReplyMore == 0 {
			d.answered(m.XID)
		}
		return
	}
	if p == nil || p.kind != pendStats {
		if p != nil && p.kind == pendSilent && m.Flags&of10.StatsReplyMore == 0 {
			d.answered(m.XID)
		}
		d.Counters.drop(DropUnknownXID)
		return
	}
	if !d.collect(p, m.Body) { // desc: the switch's own words, passed on
		d.answered(m.XID)
		m.XID = p.origXID()
		out.deliver(p.slice.name, p.conn, &m)
		return
	}
	if m.Flags&of10.StatsReplyMore == 0 || len(p.stats.ports)+len(p.stats.queue) >= maxStatsEntries {
		d.answered(m.XID)
		d.finishStats(now, p, out)
	}
}

// collect notes what is the slice's in a part of an answer; false if it is to be passed
// on as it is.
func (d *Datapath) collect(p *pending, body of10.StatsBody) bool {
	job := p.stats
	switch b := body.(type) {
	case of10.FlowStatsReply:
		for i := range b {
			e := d.cookies.get(b[i].Cookie)
			if e == nil || e.kind != kindFlow {
				continue
			}
			if at, asked := job.sums[e.flow]; asked {
				job.flows[at].packets += b[i].PacketCount
				job.flows[at].bytes += b[i].ByteCount
			}
		}
	case of10.PortStatsReply:
		for i := range b {
			if p.slice.owns(b[i].PortNo) {
				job.ports = append(job.ports, b[i])
			}
		}
	case of10.QueueStatsReply:
		for i := range b {
			if p.slice.owns(b[i].PortNo) && d.grantsQueue(p.slice, b[i].PortNo, b[i].QueueID) {
				job.queue = append(job.queue, b[i])
			}
		}
	default:
		return job.typ != of10.StatsDesc
	}
	return true
}

// finishStats answers a request with what is known.
func (d *Datapath) finishStats(_ time.Time, p *pending, out *Out) {
	job, s := p.stats, p.slice
	r := of10.StatsReply{XID: p.origXID(), StatsType: job.typ}
	switch job.typ {
	case of10.StatsFlow:
		d.sendFlowStats(p, &r, out)
		return
	case of10.StatsAggregate:
		var sum of10.AggregateStats
		job.each(func(f *statsFlow, packets, bytes uint64) {
			sum.PacketCount += packets
			sum.ByteCount += bytes
			sum.FlowCount++
		})
		r.Body = sum
	case of10.StatsTable:
		job.table.MatchedCount = s.matched
		for i := range job.flows {
			job.table.MatchedCount += job.flows[i].packets
		}
		job.table.LookupCount = job.table.MatchedCount + s.buffers.misses.Load()
		r.Body = of10.TableStatsReply{job.table}
	case of10.StatsPort:
		sendParts(&r, job.ports, 104, func(l []of10.PortStats) of10.StatsBody { return of10.PortStatsReply(l) }, s, p.conn, out)
		return
	case of10.StatsQueue:
		sendParts(&r, job.queue, 32, func(l []of10.QueueStats) of10.StatsBody { return of10.QueueStatsReply(l) }, s, p.conn, out)
		return
	default: // desc that the switch never answered
		r.Body = of10.DescStats{}
	}
	out.deliver(s.name, p.conn, &r)
}

// each yields the flows of a job with their counters, all pieces added up. Flows
// that expired before the switch came to the request are left out, as a switch
// would.
func (j *statsJob) each(f func(s *statsFlow, packets, bytes uint64)) {
	for i := range j.flows {
		s := &j.flows[i]
		if s.v.expired && s.v.waiting == 0 {
			continue
		}
		f(s, s.v.packets+s.packets, s.v.bytes+s.bytes)
	}
}

// maxStatsBody is where a statistics reply is split.
const maxStatsBody = 60000

func (d *Datapath) sendFlowStats(p *pending, r *of10.StatsReply, out *Out) {
	var list of10.FlowStatsReply
	size := 0
	send := func(more uint16) {
		r.Flags, r.Body = more, list
		out.deliver(p.slice.name, p.conn, r)
		list, size = nil, 0
	}
	p.stats.each(func(f *statsFlow, packets, bytes uint64) {
		fl := f.v.flow
		sec, nsec := duration(f.age)
		e := of10.FlowStats{
			TableID: p.stats.id, Match: fl.Match, DurationSec: sec, DurationNsec: nsec, Priority: fl.Priority, IdleTimeout: fl.Idle, HardTimeout: fl.Hard,
			Cookie: f.cookie, PacketCount: packets, ByteCount: bytes, Actions: f.actions,
		}
		if size += e.Len(); size > maxStatsBody && len(list) > 0 {
			send(of10.StatsReplyMore)
			size = e.Len()
		}
		list = append(list, e)
	})
	send(0)
}

// sendParts delivers a list of equally large entries in as many parts as needed.
func sendParts[E any](r *of10.StatsReply, list []E, each int, body func([]E) of10.StatsBody, s *slice, conn ConnID, out *Out) {
	most := maxStatsBody / each
	for len(list) > most {
		r.Flags, r.Body = of10.StatsReplyMore, body(list[:most])
		out.deliver(s.name, conn, r)
		list = list[most:]
	}
	r.Flags, r.Body = 0, body(list)
	out.deliver(s.name, conn, r)
}
