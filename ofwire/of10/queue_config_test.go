package of10

import (
	"testing"
)

func usedQueueReply() Message {
	return &QueueGetConfigReply{XID: 99, Port: 99, Queues: []PacketQueue{{QueueID: 99}}}
}

func TestQueueGetConfigReplyWire(t *testing.T) {
	t.Parallel()
	checkWire(t, usedQueueReply,
		wireCase{"no queues", &QueueGetConfigReply{XID: 1, Port: 2}, `
01                 # version 1.0
15                 # type QUEUE_GET_CONFIG_REPLY
00 10              # length 16
00 00 00 01        # xid
00 02              # port 2
00 00 00 00 00 00  # pad
`, "OFPT_QUEUE_GET_CONFIG_REPLY (xid=0x1): port=2"},
		wireCase{"every kind of property", &QueueGetConfigReply{XID: 1, Port: 1, Queues: []PacketQueue{
			{QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1000}}},
			{QueueID: 2},
			{QueueID: 3, Properties: []QueueProperty{{}, {Property: 0xffff, Raw: []byte{0xff, 0xff, 0, 9, 1, 2, 3, 4, 5}},
				{Property: QueuePropertyMinRate, MinRate: MinRateOff}}}}}, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 59                    # length 89
00 00 00 01              # xid
00 01                    # port 1
00 00 00 00 00 00        # pad
00 00 00 01              # queue: id 1
00 18                    # queue: length 24
00 00                    # pad
00 01                    # property: MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
03 e8                    # property: rate 1000
00 00 00 00 00 00        # pad
00 00 00 02              # queue: id 2
00 08                    # queue: length 8
00 00                    # pad
00 00 00 03              # queue: id 3
00 29                    # queue: length 41
00 00                    # pad
00 00                    # property: NONE
00 08                    # property: length 8
00 00 00 00              # pad
ff ff                    # property: unknown
00 09                    # property: length 9
01 02 03 04 05           # property: body
00 01                    # property: MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
ff ff                    # property: rate off
00 00 00 00 00 00        # pad
`, ""},
	)
	checkFields(t, &QueueGetConfigReply{Queues: []PacketQueue{{Properties: []QueueProperty{{Property: QueuePropertyMinRate}}}}},
		[]gap{{10, 6}, {22, 2}, {28, 4}, {34, 6}},
		wireField[*QueueGetConfigReply]{"port", 8, 2, func(m *QueueGetConfigReply, v uint64) { m.Port = Port(v) }},
		wireField[*QueueGetConfigReply]{"queue id", 16, 4, func(m *QueueGetConfigReply, v uint64) { m.Queues[0].QueueID = uint32(v) }},
		wireField[*QueueGetConfigReply]{"queue length", 20, 2, nil},
		wireField[*QueueGetConfigReply]{"property and its length", 24, 4, nil},
		wireField[*QueueGetConfigReply]{"rate", 32, 2, func(m *QueueGetConfigReply, v uint64) { m.Queues[0].Properties[0].MinRate = uint16(v) }})
}

func TestQueueGetConfigReplyBad(t *testing.T) {
	t.Parallel()
	const head = " 00 00 00 01  00 01 00 00 00 00 00 00  "
	checkBad(t,
		badCase{"header only", "01 15 00 08 00 00 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"without pad", "01 15 00 0a 00 00 00 01 00 01", ErrorBadRequest, BadRequestBadLen},
		badCase{"one byte of a queue", "01 15 00 11" + head + "00", ErrorBadRequest, BadRequestBadLen},
		badCase{"queue of length 0", "01 15 00 18" + head + "00000001 0000 0000", ErrorBadRequest, BadRequestBadLen},
		badCase{"queue of length 65535", "01 15 00 18" + head + "00000001 ffff 0000", ErrorBadRequest, BadRequestBadLen},
		badCase{"queue with one byte of a property", "01 15 00 19" + head + "00000001 0009 0000 00", ErrorBadRequest, BadRequestBadLen},
		badCase{"property of length 7", "01 15 00 20" + head + "00000001 0010 0000  0002 0007 00000000", ErrorBadRequest, BadRequestBadLen},
		badCase{"property that ends in the next queue", "01 15 00 28" + head + "00000001 0010 0000  0002 0010 00000000  00000002 0008 0000", ErrorBadRequest, BadRequestBadLen},
		badCase{"min_rate of 24 bytes", "01 15 00 30" + head + "00000001 0020 0000  0001 0018 00000000 0000000000000000 0000000000000000", ErrorBadRequest, BadRequestBadLen},
		badCase{"version 4", "04 15 00 10" + head, ErrorBadRequest, BadRequestBadVersion})
}

func TestQueueMinRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		q    PacketQueue
		rate uint16
		ok   bool
	}{
		{"no property", PacketQueue{}, 0, false},
		{"property NONE", PacketQueue{Properties: []QueueProperty{{}}}, 0, false},
		{"rate 0", PacketQueue{Properties: []QueueProperty{{Property: QueuePropertyMinRate}}}, 0, true},
		{"rate 100 %", PacketQueue{Properties: []QueueProperty{{}, {Property: QueuePropertyMinRate, MinRate: 1000}}}, 1000, true},
		{"rate over 100 %", PacketQueue{Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1001}}}, 1001, false},
		{"rate off", PacketQueue{Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: MinRateOff}}}, MinRateOff, false},
	} {
		if rate, ok := c.q.MinRate(); rate != c.rate || ok != c.ok {
			t.Errorf("%s: %d, %v, want %d, %v", c.name, rate, ok, c.rate, c.ok)
		}
	}
}
