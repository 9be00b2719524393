package of10

import (
	"testing"
)

// TestQueueConfigOfSwitches: queues with every property, several, and none.
func TestQueueConfigOfSwitches(t *testing.T) {
	t.Parallel()
	checkWire(t, usedQueueReply,
		wireCase{"no queue", &QueueGetConfigReply{XID: 1, Port: 1, Queues: nil}, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 10                    # length 16
00 00 00 01              # xid
00 01                    # port 1
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"one queue, half the link", &QueueGetConfigReply{XID: 1, Port: 2, Queues: []PacketQueue{{QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 500}}}}}, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 28                    # length 40
00 00 00 01              # xid
00 02                    # port 2
00 00 00 00 00 00        # pad
00 00 00 01              # queue: queue_id 1
00 18                    # queue: length 24
00 00                    # pad
00 01                    # property: type MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
01 f4                    # property: rate 500
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"rates at their edges", &QueueGetConfigReply{XID: 1, Port: 3, Queues: []PacketQueue{{QueueID: 0, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 0}}}, {QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1000}}}, {QueueID: 2, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1001}}}, {QueueID: 3, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 65535}}}}}, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 70                    # length 112
00 00 00 01              # xid
00 03                    # port 3
00 00 00 00 00 00        # pad
00 00 00 00              # queue: queue_id 0
00 18                    # queue: length 24
00 00                    # pad
00 01                    # property: type MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
00 00                    # property: rate 0
00 00 00 00 00 00        # pad
00 00 00 01              # queue: queue_id 1
00 18                    # queue: length 24
00 00                    # pad
00 01                    # property: type MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
03 e8                    # property: rate 1000
00 00 00 00 00 00        # pad
00 00 00 02              # queue: queue_id 2
00 18                    # queue: length 24
00 00                    # pad
00 01                    # property: type MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
03 e9                    # property: rate 1001
00 00 00 00 00 00        # pad
00 00 00 03              # queue: queue_id 3
00 18                    # queue: length 24
00 00                    # pad
00 01                    # property: type MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
ff ff                    # property: rate 65535
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"a queue without properties between others", &QueueGetConfigReply{XID: 1, Port: 4, Queues: []PacketQueue{{QueueID: 1, Properties: []QueueProperty{{Property: QueuePropertyMinRate, MinRate: 1}}}, {QueueID: 2, Properties: nil}, {QueueID: 3, Properties: []QueueProperty{{Property: QueuePropertyNone}}}}}, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 40                    # length 64
00 00 00 01              # xid
00 04                    # port 4
00 00 00 00 00 00        # pad
00 00 00 01              # queue: queue_id 1
00 18                    # queue: length 24
00 00                    # pad
00 01                    # property: type MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
00 01                    # property: rate 1
00 00 00 00 00 00        # pad
00 00 00 02              # queue: queue_id 2
00 08                    # queue: length 8
00 00                    # pad
00 00 00 03              # queue: queue_id 3
00 10                    # queue: length 16
00 00                    # pad
00 00                    # property: type NONE
00 08                    # property: length 8
00 00 00 00              # pad
`, ""},
		wireCase{"max_rate of OpenFlow 1.2 is kept", &QueueGetConfigReply{XID: 1, Port: 5, Queues: []PacketQueue{{QueueID: 7, Properties: []QueueProperty{{Property: 2, Raw: []byte{0x00, 0x02, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x03, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}}, {Property: QueuePropertyMinRate, MinRate: 100}}}}}, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 38                    # length 56
00 00 00 01              # xid
00 05                    # port 5
00 00 00 00 00 00        # pad
00 00 00 07              # queue: queue_id 7
00 28                    # queue: length 40
00 00                    # pad
00 02                    # property: type 2
00 10                    # property: length 16
00 00 00 00              # pad
03 84 00 00 00 00 00 00  # property: body
00 01                    # property: type MIN_RATE
00 10                    # property: length 16
00 00 00 00              # pad
00 64                    # property: rate 100
00 00 00 00 00 00        # pad
`, ""},
		wireCase{"vendor property with an experimenter", &QueueGetConfigReply{XID: 4294967295, Port: PortMax, Queues: []PacketQueue{{QueueID: 4294967294, Properties: []QueueProperty{{Property: 65535, Raw: []byte{0xff, 0xff, 0x00, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x23, 0x20, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08}}}}}}, `
01                       # version 1.0
15                       # type QUEUE_GET_CONFIG_REPLY
00 30                    # length 48
ff ff ff ff              # xid
ff 00                    # port MAX
00 00 00 00 00 00        # pad
ff ff ff fe              # queue: queue_id 4294967294
00 20                    # queue: length 32
00 00                    # pad
ff ff                    # property: type 65535
00 18                    # property: length 24
00 00 00 00              # pad
00 00 23 20 00 00 00 00 01 02 03 04 05 06 07 08 # property: body
`, ""},
	)
}
