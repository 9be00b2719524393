package ofswitch

import (
	"time"

	"github.com/govisor/govisor/internal/flowtable"
	"github.com/govisor/govisor/ofwire/of10"
)

// statsChunk is the size a multi-part statistics reply is split at.
const statsChunk = 60000

// statsRequest handles OFPT_STATS_REQUEST (specification section 5.3.5).
func (p *Pipeline) statsRequest(now time.Time, c *connection, m *of10.StatsRequest, out *Out) *of10.Error {
	reply := func(flags uint16, body of10.StatsBody) {
		out.message(c.id, &of10.StatsReply{XID: m.XID, StatsType: m.StatsType, Flags: flags, Body: body})
	}
	switch body := m.Body.(type) {
	case of10.FlowStatsRequest:
		p.flowStats(now, body, reply)
		return nil
	case of10.AggregateStatsRequest:
		var sum of10.AggregateStats
		for _, f := range p.selectFlows(body.Match, body.TableID, body.OutPort) {
			sum.FlowCount++
			sum.PacketCount += f.Packets
			sum.ByteCount += f.Bytes
		}
		reply(0, sum)
		return nil
	case of10.PortStatsRequest:
		p.portStats(body, reply)
		return nil
	case of10.QueueStatsRequest:
		return p.queueStats(body, reply)
	case of10.VendorStats:
		return badRequest(of10.BadRequestBadVendor)
	}
	switch m.StatsType {
	case of10.StatsDesc:
		reply(0, p.cfg.Desc)
	case of10.StatsTable:
		reply(0, of10.TableStatsReply{{
			TableID: 0, Name: "classifier", Wildcards: of10.WildAll,
			MaxEntries: uint32(p.table.Capacity()), ActiveCount: uint32(p.table.Len()),
			LookupCount: p.lookups, MatchedCount: p.matched,
		}})
	default:
		return badRequest(of10.BadRequestBadStat)
	}
	return nil
}

// selectFlows finds the flows a statistics request asks for. Any table but ours
// is empty.
func (p *Pipeline) selectFlows(m of10.Match, table uint8, outPort of10.Port) []*flowtable.Flow {
	switch table {
	case of10.TableAll, 0:
		return p.table.Select(m, outPort)
	case of10.TableEmerg:
		return p.table.SelectEmergency(m, outPort)
	}
	return nil
}

func (p *Pipeline) flowStats(now time.Time, req of10.FlowStatsRequest, reply func(uint16, of10.StatsBody)) {
	id := uint8(0)
	if req.TableID == of10.TableEmerg {
		id = of10.TableEmerg
	}
	var part of10.FlowStatsReply
	size := 0
	for _, f := range p.selectFlows(req.Match, req.TableID, req.OutPort) {
		sec, nsec := duration(now, f)
		s := of10.FlowStats{
			TableID: id, Match: f.Match, DurationSec: sec, DurationNsec: nsec, Priority: f.Priority,
			IdleTimeout: f.Idle, HardTimeout: f.Hard, Cookie: f.Cookie,
			PacketCount: f.Packets, ByteCount: f.Bytes, Actions: f.Actions,
		}
		if size+s.Len() > statsChunk && len(part) > 0 {
			reply(of10.StatsReplyMore, part)
			part, size = nil, 0
		}
		part = append(part, s)
		size += s.Len()
	}
	reply(0, part)
}

// portStats answers for one port or all; a port that is not there gives an empty
// reply, as the specification has no error for it.
func (p *Pipeline) portStats(req of10.PortStatsRequest, reply func(uint16, of10.StatsBody)) {
	var list of10.PortStatsReply
	if req.PortNo != of10.PortNone {
		if pt := p.ports[req.PortNo]; pt != nil {
			list = append(list, pt.counters)
		}
		reply(0, list)
		return
	}
	const perPart = statsChunk / 104
	for i, no := range p.portOrder {
		list = append(list, p.ports[no].counters)
		if len(list) == perPart && i < len(p.portOrder)-1 {
			reply(of10.StatsReplyMore, list)
			list = nil
		}
	}
	reply(0, list)
}

func (p *Pipeline) queueStats(req of10.QueueStatsRequest, reply func(uint16, of10.StatsBody)) *of10.Error {
	ports := p.portOrder
	if req.PortNo != of10.PortAll {
		if p.ports[req.PortNo] == nil {
			return of10.NewError(of10.ErrorQueueOpFailed, of10.QueueOpFailedBadPort, nil)
		}
		ports = []of10.Port{req.PortNo}
	}
	var list of10.QueueStatsReply
	for _, no := range ports {
		for _, q := range p.ports[no].queues {
			if req.QueueID == of10.QueueAll || req.QueueID == q.id {
				list = append(list, q.stats)
			}
		}
	}
	if len(list) == 0 && req.QueueID != of10.QueueAll {
		return of10.NewError(of10.ErrorQueueOpFailed, of10.QueueOpFailedBadQueue, nil)
	}
	const perPart = statsChunk / 32
	for len(list) > perPart {
		reply(of10.StatsReplyMore, list[:perPart])
		list = list[perPart:]
	}
	reply(0, list)
	return nil
}
