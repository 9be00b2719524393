package of10

import (
	"math/rand/v2"
	"slices"

	"github.com/govisor/govisor/ofwire"
)

// gen makes random messages. With ovs set, only such as Open vSwitch accepts and prints
// as they are.
type gen struct {
	*rand.Rand
	ovs bool
}

func newGen(seed uint64) *gen { return &gen{Rand: rand.New(rand.NewPCG(seed, seed))} }

// pick returns one of the values.
func pick[T any](g *gen, values ...T) T { return values[g.IntN(len(values))] }

func (g *gen) mac() ofwire.MAC {
	var m ofwire.MAC
	for i := range m {
		m[i] = byte(g.Uint32())
	}
	return m
}

func (g *gen) bytes(n int) []byte {
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g *gen) port() Port {
	if g.ovs {
		return pick(g, 1, 2, Port(1+g.IntN(0xfeff)), PortLocal)
	}
	return Port(g.Uint32())
}

func (g *gen) outPort() Port {
	return pick(g, g.port(), PortInPort, PortTable, PortNormal, PortFlood, PortAll, PortLocal)
}

// match is in normal form.
func (g *gen) match() Match {
	m := Match{Wildcards: g.Uint32() & WildAll, InPort: g.port(), DLSrc: g.mac(), DLDst: g.mac(),
		DLVLAN: pick(g, VLANNone, uint16(g.IntN(4096))), DLVLANPCP: uint8(g.IntN(8)),
		DLType:  pick(g, EtherTypeIPv4, EtherTypeIPv4, EtherTypeIPv4, EtherTypeARP, 0x86dd, 0x8847, 0x88cc, uint16(g.Uint32())),
		NWProto: pick(g, ProtoICMP, ProtoTCP, ProtoUDP, uint8(132), uint8(g.Uint32())),
		NWTos:   uint8(g.Uint32()), NWSrc: g.Uint32(), NWDst: g.Uint32(), TPSrc: uint16(g.Uint32()), TPDst: uint16(g.Uint32())}
	if g.IntN(2) == 0 {
		m.Wildcards &= g.Uint32() | WildNWDstMask
	}
	if g.IntN(8) == 0 {
		m.Wildcards = 0
	}
	if m.DLType == EtherTypeIPv4 && m.NWProto == ProtoICMP {
		m.TPSrc, m.TPDst = m.TPSrc&0xff, m.TPDst&0xff
	}
	if g.ovs && (m.DLType == 0x8035 || m.DLType < 0x600) {
		m.DLType = 0x88b5
	}
	return m.Normalize()
}

func (g *gen) actions(max int) []Action {
	var list []Action
	for range g.IntN(max + 1) {
		list = append(list, g.action())
	}
	return list
}

func (g *gen) action() Action {
	switch g.IntN(14) {
	case 0:
		return Output(PortController, uint16(g.Uint32()))
	case 1:
		return SetVLANVID(uint16(g.IntN(4096)))
	case 2:
		return SetVLANPCP(uint8(g.IntN(8)))
	case 3:
		return StripVLAN()
	case 4:
		return SetDLSrc(g.mac())
	case 5:
		return SetDLDst(g.mac())
	case 6:
		return SetNWSrc(g.Uint32())
	case 7:
		return SetNWDst(g.Uint32())
	case 8:
		return SetNWTos(uint8(g.Uint32()) & 0xfc)
	case 9:
		return SetTPSrc(uint16(g.Uint32()))
	case 10:
		return SetTPDst(uint16(g.Uint32()))
	case 11:
		return Enqueue(pick(g, g.port()%0xff00, PortInPort), g.Uint32())
	case 12:
		if g.ovs {
			break
		}
		return VendorAction(g.Uint32(), g.bytes(8*g.IntN(3)))
	}
	return Output(g.outPort(), 0)
}

func (g *gen) flowMod() *FlowMod {
	m := &FlowMod{XID: g.Uint32(), Match: g.match(), Cookie: pick(g, 0, g.Uint64()), Command: FlowModCommand(g.IntN(5)),
		IdleTimeout: uint16(pick(g, 0, g.Uint32())), HardTimeout: uint16(pick(g, 0, g.Uint32())),
		Priority: pick(g, DefaultPriority, uint16(g.Uint32())), BufferID: pick(g, NoBuffer, g.Uint32()),
		OutPort: pick(g, PortNone, g.port()), Flags: FlowModFlags(g.IntN(4)), Actions: g.actions(6)}
	if m.Match.Exact() {
		m.Priority = 0xffff // as Open vSwitch reads it
	}
	if g.ovs && !m.networkActionsAllowed() {
		m.Actions = nil
	}
	return m
}

// networkActionsAllowed is Open vSwitch's rule that rewriting needs a match on the
// protocol.
func (m *FlowMod) networkActionsAllowed() bool {
	nw, ip := m.Match.networkFields()
	tp := ip && m.Match.Wildcards&WildNWProto == 0 && (m.Match.NWProto == ProtoTCP || m.Match.NWProto == ProtoUDP)
	for _, a := range m.Actions {
		switch a.Type {
		case ActionSetNWSrc, ActionSetNWDst, ActionSetNWTos:
			if !nw || !ip {
				return false
			}
		case ActionSetTPSrc, ActionSetTPDst:
			if !tp {
				return false
			}
		}
	}
	return true
}

func (g *gen) name() string { return pick(g, "", "eth0", "s1-p2", "fifteen-bytes-n") }

func (g *gen) phyPort() PhyPort {
	p := PhyPort{PortNo: g.port(), HWAddr: g.mac(), Name: g.name(), Config: PortConfig(g.Uint32()) & PortConfigAll,
		State: PortState(g.Uint32()) & (PortStateSTPMask | PortStateLinkDown), Curr: g.features(), Advertised: g.features(),
		Supported: g.features(), Peer: g.features()}
	if !g.ovs {
		p.Config, p.State, p.Peer = PortConfig(g.Uint32()), PortState(g.Uint32()), PortFeatures(g.Uint32())
	}
	return p
}

func (g *gen) features() PortFeatures {
	return pick(g, 0, PortFeatures(g.Uint32())&PortFeatureAll, PortFeature1GbFD)
}

func (g *gen) counter() uint64 {
	return pick(g, 0, uint64(g.IntN(1000)), g.Uint64(), CounterUnsupported)
}

// list makes up to max values.
func list[T any](g *gen, max int, one func() T) []T {
	var values []T
	for range g.IntN(max + 1) {
		values = append(values, one())
	}
	return values
}

// ethernet makes a frame that is whole.
func (g *gen) ethernet() []byte {
	b := g.bytes(12)
	for range g.IntN(3) {
		b = append(b, 0x81, 0, byte(g.Uint32())&0xef, byte(g.Uint32()))
	}
	switch g.IntN(5) {
	case 0:
		return append(append(b, 0x88, 0xcc), g.bytes(46)...)
	case 1:
		b = append(b, 8, 6, 0, 1, 8, 0, 6, 4, 0, byte(1+g.IntN(2)))
		return append(b, g.bytes(20)...)
	case 2:
		return append(append(b, 0, 38, 0x42, 0x42, 3), g.bytes(35)...)
	}
	proto := pick(g, ProtoICMP, ProtoTCP, ProtoUDP, 4)
	payload := g.bytes(24)
	if proto == ProtoTCP {
		payload[12] = 0x50
		payload[13] |= 2 // ovs-ofctl prints no flags as nothing but sometimes
	}
	b = append(b, 8, 0, 0x45, byte(g.Uint32()), 0, byte(20+len(payload)), 0, 0, pick[byte](g, 0, 0, 0x20), 0, 64, proto, 0, 0)
	b = append(b, g.bytes(8)...)
	return append(b, payload...)
}

func (g *gen) message(kind int) Message {
	xid := g.Uint32()
	switch kind % 19 {
	case 0:
		return &Hello{XID: xid}
	case 1:
		failed := encodeOrPanic(g.message(3 + g.IntN(15)))
		return &Error{XID: xid, ErrType: ErrorFlowModFailed, Code: uint16(g.IntN(6)), Data: failed}
	case 2:
		return pick[Message](g, &EchoRequest{XID: xid, Data: g.bytes(g.IntN(40))}, &EchoReply{XID: xid, Data: g.bytes(g.IntN(40))})
	case 3:
		return pick[Message](g, &FeaturesRequest{XID: xid}, &GetConfigRequest{XID: xid}, &BarrierReply{XID: xid})
	case 4:
		ports := list(g, 3, g.phyPort)
		if g.ovs { // which sorts them
			slices.SortFunc(ports, func(a, b PhyPort) int { return int(a.PortNo) - int(b.PortNo) })
		}
		return &FeaturesReply{XID: xid, DatapathID: ofwire.DatapathID(g.Uint64()), NBuffers: g.Uint32(), NTables: uint8(g.Uint32()),
			Capabilities: Capabilities(g.Uint32()) & 0xef, Actions: ActionSet(g.Uint32()) & AllActions, Ports: ports}
	case 5:
		return pick[Message](g, &GetConfigReply{XID: xid, Flags: ConfigFlags(g.IntN(3)), MissSendLen: uint16(g.Uint32())},
			&SetConfig{XID: xid, Flags: ConfigFlags(g.IntN(3)), MissSendLen: uint16(g.Uint32())})
	case 6, 7:
		data := g.ethernet()
		return &PacketIn{XID: xid, BufferID: pick(g, NoBuffer, g.Uint32()), TotalLen: uint16(len(data) + pick(g, 0, 5)), InPort: g.port(),
			Reason: PacketInReason(g.IntN(2)), Data: data}
	case 8:
		m := &FlowRemoved{XID: xid, Match: g.match(), Cookie: pick(g, 0, g.Uint64()), Priority: pick(g, DefaultPriority, uint16(g.Uint32())),
			Reason: FlowRemovedReason(g.IntN(3)), DurationSec: g.Uint32(), DurationNsec: pick(g, 0, uint32(g.IntN(1000))*1e6, g.Uint32N(1e9)),
			IdleTimeout: uint16(g.Uint32()), PacketCount: g.Uint64(), ByteCount: g.Uint64()}
		if m.Match.Exact() {
			m.Priority = 0xffff
		}
		return m
	case 9:
		return &PortStatus{XID: xid, Reason: PortReason(g.IntN(3)), Desc: g.phyPort()}
	case 10:
		return &PacketOut{XID: xid, BufferID: NoBuffer, InPort: pick(g, PortNone, g.port()), Actions: g.actions(4), Data: g.ethernet()}
	case 11, 12:
		return g.flowMod()
	case 13:
		return &PortMod{XID: xid, PortNo: g.port(), HWAddr: g.mac(), Config: PortConfig(g.Uint32()) & PortConfigAll,
			Mask: PortConfig(g.Uint32()) & PortConfigAll, Advertise: g.features()}
	case 14:
		return g.statsRequest(xid)
	case 15, 16:
		return g.statsReply(xid)
	case 17:
		return &QueueGetConfigRequest{XID: xid, Port: g.port() & 0xff}
	}
	queues := uint32(0)
	one := func() PacketQueue {
		queues++ // Open vSwitch sorts them
		return PacketQueue{QueueID: queues, Properties: list(g, 1, func() QueueProperty {
			return QueueProperty{Property: QueuePropertyMinRate, MinRate: uint16(g.IntN(1100))}
		})}
	}
	return &QueueGetConfigReply{XID: xid, Port: g.port(), Queues: append(list(g, 3, one), one())}
}

func (g *gen) statsRequest(xid uint32) Message {
	flow := FlowStatsRequest{Match: g.match(), TableID: pick(g, TableAll, uint8(g.Uint32())), OutPort: pick(g, PortNone, g.port())}
	m := &StatsRequest{XID: xid}
	switch m.StatsType = StatsType(g.IntN(int(numStats))); m.StatsType {
	case StatsFlow:
		m.Body = flow
	case StatsAggregate:
		m.Body = AggregateStatsRequest(flow)
	case StatsPort:
		m.Body = PortStatsRequest{PortNo: pick(g, PortNone, g.port())}
	case StatsQueue:
		m.Body = QueueStatsRequest{PortNo: pick(g, PortAll, g.port()), QueueID: pick(g, QueueAll, g.Uint32())}
	}
	return m
}

func (g *gen) statsReply(xid uint32) Message {
	m := &StatsReply{XID: xid, Flags: uint16(g.IntN(2))}
	switch m.StatsType = StatsType(g.IntN(int(numStats))); m.StatsType {
	case StatsDesc:
		m.Flags = 0
		m.Body = DescStats{Manufacturer: g.name(), Hardware: g.name(), Software: g.name(), SerialNum: g.name(), Datapath: g.name()}
	case StatsFlow:
		m.Body = FlowStatsReply(list(g, 3, g.flowStats))
	case StatsAggregate:
		m.Flags = 0
		m.Body = AggregateStats{PacketCount: g.counter(), ByteCount: g.counter(), FlowCount: g.Uint32()}
	case StatsTable:
		m.Body = TableStatsReply(list(g, 6, func() TableStats {
			return TableStats{TableID: uint8(g.IntN(254)), Name: pick(g, "", "hash"), Wildcards: pick(g, WildAll, 1, 7), MaxEntries: uint32(g.IntN(2)),
				ActiveCount: uint32(g.IntN(2))}
		}))
		if g.ovs {
			m.Flags = 0
			for i := range m.Body.(TableStatsReply) {
				m.Body.(TableStatsReply)[i].TableID = uint8(i) // Open vSwitch sorts them
			}
		}
	case StatsPort:
		m.Body = PortStatsReply(list(g, 3, func() PortStats {
			return PortStats{g.port(), g.counter(), g.counter(), g.counter(), g.counter(), g.counter(), g.counter(),
				g.counter(), g.counter(), g.counter(), g.counter(), g.counter(), g.counter()}
		}))
	case StatsQueue:
		m.Body = QueueStatsReply(list(g, 3, func() QueueStats {
			return QueueStats{g.port(), pick(g, QueueAll, g.Uint32()), g.counter(), g.counter(), g.counter()}
		}))
	}
	return m
}

func (g *gen) flowStats() FlowStats {
	f := g.flowMod()
	return FlowStats{TableID: uint8(g.IntN(3)), Match: f.Match, DurationSec: g.Uint32(), DurationNsec: pick(g, 0, uint32(g.IntN(1000))*1e6, g.Uint32N(1e9)),
		Priority: f.Priority, IdleTimeout: f.IdleTimeout, HardTimeout: f.HardTimeout, Cookie: f.Cookie,
		PacketCount: g.counter(), ByteCount: g.counter(), Actions: f.Actions}
}

func encodeOrPanic(m Message) []byte {
	b, err := m.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return b
}
