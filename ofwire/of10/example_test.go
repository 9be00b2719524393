package of10_test

import (
	"fmt"

	"github.com/govisor/govisor/ofwire"
	"github.com/govisor/govisor/ofwire/of10"
)

// A flow in ovs-ofctl's syntax becomes bytes, and bytes become text again.
func ExampleParseFlow() {
	flow, err := of10.ParseFlow("priority=100,tcp,nw_dst=10.0.0.0/8,tp_dst=80,actions=mod_vlan_vid:5,output:2", of10.FlowAdd)
	if err != nil {
		fmt.Println(err)
		return
	}
	flow.XID = 1
	frame, err := flow.AppendBinary(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err := of10.Parse(frame)
	fmt.Println(len(frame), "bytes,", err)
	fmt.Println(message)
	// Output:
	// 88 bytes, <nil>
	// OFPT_FLOW_MOD (xid=0x1): ADD priority=100,tcp,nw_dst=10.0.0.0/8,tp_dst=80 actions=mod_vlan_vid:5,output:2
}

// What would be lost silently is refused.
func ExampleParseMatch() {
	_, err := of10.ParseMatch("nw_src=10.0.0.1")
	fmt.Println(err)
	_, err = of10.ParseMatch("tcp,tp_src=0x50/0xfff0")
	fmt.Println(err)
	// Output:
	// nw_src=10.0.0.1 would be ignored: add ip or arp (dl_type=0x0800 or 0x0806)
	// tp_src=0x50/0xfff0: OpenFlow 1.0 matches tp_src whole or not at all
}

// One value decodes any number of packet_ins without allocating.
func ExamplePacketIn() {
	frame, _ := (&of10.PacketIn{XID: 7, BufferID: of10.NoBuffer, TotalLen: 3, InPort: 1, Data: []byte{1, 2, 3}}).AppendBinary(nil)
	var in of10.PacketIn
	for range 2 {
		if err := in.UnmarshalBinary(frame); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("port", in.InPort, "bytes", len(in.Data))
	}
	// Output:
	// port 1 bytes 3
	// port 1 bytes 3
}

// A proxy changes single fields of a frame in place.
func ExamplePutXID() {
	frame, _ := (&of10.BarrierRequest{XID: 5}).AppendBinary(nil)
	of10.PutXID(frame, 0x1234)
	fmt.Printf("%v %#x\n", of10.PeekType(frame), of10.XID(frame))
	// Output:
	// OFPT_BARRIER_REQUEST 0x1234
}

// A decode error is the answer to send.
func ExampleError() {
	frame, _ := (&of10.SetConfig{XID: 9}).AppendBinary(nil)
	frame = append(frame, 0)
	frame[3]++ // the header agrees that there is a byte too many
	_, err := of10.Parse(frame)
	fmt.Println(err, "- the connection goes on:", ofwire.SpoilsMessage(err))
	// Output:
	// of10: OFPBRC_BAD_LEN - the connection goes on: true
}
