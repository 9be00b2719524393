package of10

import (
	"testing"
)

// TestQueueConfigOfSwitches: queues with every property, several, and none.
func TestQueueConfigOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedQueueReply,
		onWire("no queue", &QueueGetConfigReply{XID: 1, Port: 1}, `01 15 0010 00000001; queues_of port=01`),
		onWire("one queue, half the link", &QueueGetConfigReply{XID: 1, Port: 2, Queues: []PacketQueue{{QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 500}}}}},
			`01 15 0028 00000001; queues_of port=02; queue queue_id=01 length=18; min_rate rate=01f4`),
		onWire("rates at their edges", &QueueGetConfigReply{XID: 1, Port: 3, Queues: []PacketQueue{{Properties: []QueueProperty{{Property: QueuePropertyMinRate}}}, {QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1000}}}, {QueueID: 2, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1001}}}, {QueueID: 3, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 65535}}}}}, `
01 15 0070 00000001  # QUEUE_GET_CONFIG_REPLY
queues_of port=03
queue length=18
min_rate
queue queue_id=01 length=18
min_rate rate=03e8
queue queue_id=02 length=18
min_rate rate=03e9
queue queue_id=03 length=18
min_rate rate=ffff
`),
		onWire("a queue without properties between others", &QueueGetConfigReply{XID: 1, Port: 4, Queues: []PacketQueue{{QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1}}}, {QueueID: 2}, {QueueID: 3, Properties: []QueueProperty{{Property: QueuePropertyNone}}}}}, `
01 15 0040 00000001  # QUEUE_GET_CONFIG_REPLY
queues_of port=04
queue queue_id=01 length=18
min_rate rate=01
queue queue_id=02 length=08
queue queue_id=03 length=10
0000 0008  # property: type NONE, length 8
00000000  # pad
`),
		onWire("max_rate of OpenFlow 1.2 is kept", &QueueGetConfigReply{XID: 1, Port: 5, Queues: []PacketQueue{{QueueID: 7, Properties: []QueueProperty{{Property: 2, Raw: unannotate(t, "00020010 00000000 03840000 00000000")}, {Property: QueuePropertyMinRate, MinRate: 100}}}}}, `
01 15 0038 00000001  # QUEUE_GET_CONFIG_REPLY
queues_of port=05
queue queue_id=07 length=28
0002 0010  # property: type 2, length 16
00000000  # pad
0384000000000000  # property: body
min_rate rate=64
`),
		onWire("vendor property with an experimenter", &QueueGetConfigReply{XID: 1<<32 - 1, Port: PortMax, Queues: []PacketQueue{{QueueID: 4294967294, Properties: []QueueProperty{{Property: 65535, Raw: unannotate(t, "ffff0018 00000000 00002320 00000000 01020304 05060708")}}}}}, `
01 15 0030 ffffffff  # QUEUE_GET_CONFIG_REPLY
queues_of port=ff00  # MAX
queue queue_id=fffffffe length=20
ffff 0018  # property: type 65535, length 24
00000000  # pad
00002320000000000102030405060708  # property: body
`),
	)
}
