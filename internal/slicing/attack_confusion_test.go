package slicing

import (
	"bytes"
	"testing"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

// Row "state confusion": one slice's answers, errors, buffers and flows for another.
var confusionAttacks = []attack{
	{"xid reuse", xidReuse},
	{"error bytes of another slice", foreignErrorBytes}, // more: TestErrorsOfTheSwitch
	{"replies nobody asked for", unrequested},
	{"barriers", barrierStarvation},
	{"cookie spoofing", cookieSpoofing},
	{"buffer theft and guessing", bufferTheft},
	{"buffer in several messages", bufferTwice},
	{"flow_removed without the flag", unflaggedRemoved},
}

func xidReuse(t *testing.T) {
	r := divided(t)
	ask := encode(t, &of10.StatsRequest{XID: 7, StatsType: of10.StatsPort, Body: of10.PortStatsRequest{PortNo: of10.PortNone}})
	var out Out
	for range 2 {
		for _, s := range []string{"alice", "bob"} { // all on their way at once
			r.d.FromController(r.now, s, Conn{ID: 1}, ask, &out)
		}
	}
	r.pump(&out)
	for slice, first := range map[string]of10.Port{"alice": 1, "bob": 3} {
		got := r.take(slice)
		if len(got) != 2 {
			t.Errorf("%s got %v, want two replies", slice, got)
		}
		for _, m := range got {
			if b := m.(*of10.StatsReply).Body.(of10.PortStatsReply); m.TransactionID() != 7 || len(b) != 2 || min(b[0].PortNo, b[1].PortNo) != first {
				t.Errorf("%s got %v", slice, m)
			}
		}
	}
}

func foreignErrorBytes(t *testing.T) {
	r := newRig(t, 4, "100 in_port=1-2 alice=7", "100 in_port=3-4 bob=7")
	r.refuse = func(m *of10.FlowMod) bool { return m.Command == of10.FlowAdd && m.Match.InPort == 3 }
	frames := map[string][]byte{}
	var out Out
	for slice, text := range map[string]string{"alice": "in_port=1,cookie=0xa actions=output:2", "bob": "in_port=3,cookie=0xb actions=output:4"} {
		m := flowMod(t, text)
		m.XID = 7
		frames[slice] = encode(t, m)
		r.d.FromController(r.now, slice, Conn{ID: 1}, frames[slice], &out)
	}
	r.pump(&out)
	r.pass(5 * time.Second)
	if got := r.take("alice"); len(got) != 0 {
		t.Errorf("alice heard of bob's error: %v", got)
	}
	got := r.take("bob")
	if len(got) != 1 {
		t.Fatalf("bob got %v, want one error", got)
	}
	if e, ok := got[0].(*of10.Error); !ok || e.XID != 7 || !bytes.Equal(e.Data, frames["bob"]) {
		t.Errorf("bob got %v, want an error with his own bytes", got[0])
	}
}

func unrequested(t *testing.T) {
	r := divided(t)
	for xid := range uint32(200) {
		for _, m := range []of10.Message{
			&of10.BarrierReply{XID: xid}, &of10.StatsReply{XID: xid, StatsType: of10.StatsDesc, Body: of10.DescStats{}}, &of10.EchoReply{XID: xid},
			&of10.GetConfigReply{XID: xid}, &of10.QueueGetConfigReply{XID: xid, Port: 1}, &of10.Error{XID: xid}, &of10.FlowRemoved{XID: xid, Cookie: uint64(xid)},
		} {
			var out Out
			r.d.FromSwitch(r.now, encode(t, m), &out)
			if out.Len() != 0 {
				t.Fatalf("%v of the switch, which nobody asked for, was delivered", m)
			}
			r.log = nil
			r.send("alice", m)
			if len(r.log) != 0 {
				t.Fatalf("%v of a controller sent %v to the switch", m, r.log)
			}
		}
	}
	r.bobWell()
}

func barrierStarvation(t *testing.T) {
	r := divided(t)
	var out Out
	for n := range uint32(2000) {
		r.d.FromController(r.now, "alice", Conn{ID: 1}, encode(t, &of10.BarrierRequest{XID: n + 1}), &out)
	}
	r.d.FromController(r.now, "bob", Conn{ID: 1}, encode(t, &of10.BarrierRequest{XID: 9}), &out)
	r.pump(&out)
	if got := r.take("bob"); len(got) != 1 || got[0].Type() != of10.TypeBarrierReply || got[0].TransactionID() != 9 {
		t.Errorf("bob got %v, want his barrier reply", got)
	}
	got := r.take("alice")
	if len(got) != 2000 {
		t.Fatalf("alice got %d answers to 2000 barriers", len(got))
	}
	for n, m := range got {
		if m.TransactionID() != uint32(n+1) {
			t.Fatalf("answer %d has xid %d", n, m.TransactionID())
		}
	}
}

func cookieSpoofing(t *testing.T) {
	r := divided(t)
	for _, f := range r.d.PhysicalFlows() { // what bob's flows have in the switch, and what bob gave
		for _, cookie := range []uint64{f.Cookie, 0xb} {
			m := flowMod(t, "in_port=1,idle_timeout=1 actions=output:2")
			m.Cookie, m.Flags = cookie, of10.FlowModSendFlowRem
			if got := r.send("alice", m); len(got) != 0 {
				t.Fatal(got)
			}
			r.pass(3 * time.Second)
			if got := r.take("alice"); len(got) != 1 || got[0].(*of10.FlowRemoved).Cookie != cookie {
				t.Errorf("alice got %v, want one flow_removed with cookie %x", got, cookie)
			}
			r.bobWell()
		}
	}
}

func bufferTheft(t *testing.T) {
	r := newRig(t, 4, "100 in_port=1-2 alice=7", "100 in_port=3-4 bob=7")
	r.frame(3, pkt{}.bytes())
	in := packetIns(r.take("bob"))
	if len(in) != 1 || in[0].BufferID == of10.NoBuffer {
		t.Fatalf("bob got %v", in)
	}
	r.frame(1, pkt{}.bytes())
	own := packetIns(r.take("alice"))
	if len(own) != 1 {
		t.Fatalf("alice got %v", own)
	}
	guesses := []uint32{in[0].BufferID, own[0].BufferID + bufferSlots, own[0].BufferID - bufferSlots, own[0].BufferID + 1}
	for id := range uint32(500) {
		guesses = append(guesses, id)
	}
	for _, id := range guesses {
		if id == own[0].BufferID {
			continue
		}
		got := r.send("alice", &of10.PacketOut{BufferID: id, InPort: 1, Actions: []of10.Action{of10.Output(2, 0)}})
		m := flowMod(t, "actions=output:2")
		m.BufferID = id
		got = append(got, r.send("alice", m)...)
		for _, e := range got {
			if e, ok := e.(*of10.Error); !ok || e.ErrType != of10.ErrorBadRequest || e.Code != of10.BadRequestBufferUnknown {
				t.Fatalf("buffer %d: %v", id, e)
			}
		}
		if left := r.takeSent(); len(got) == 0 || len(left) != 0 {
			t.Fatalf("buffer %d: answers %v, left %v", id, got, left)
		}
	}
	if got := r.send("bob", &of10.PacketOut{BufferID: in[0].BufferID, InPort: 3, Actions: []of10.Action{of10.Output(4, 0)}}); len(got) != 0 || len(r.takeSent()) != 1 {
		t.Errorf("bob's buffer was used up: %v", got)
	}
}

func bufferTwice(t *testing.T) {
	r := newRig(t, 4, "100 any alice=7")
	r.frame(1, pkt{}.bytes())
	in := packetIns(r.take("alice"))
	if len(in) != 1 {
		t.Fatal(in)
	}
	m := flowMod(t, "in_port=1 actions=output:2")
	m.BufferID = in[0].BufferID
	po := &of10.PacketOut{BufferID: m.BufferID, InPort: 1, Actions: m.Actions}
	var left []wireFrame
	var answers []of10.Message
	for _, msg := range []of10.Message{m, po, m, po} {
		msg.SetTransactionID(0)
		answers = append(answers, r.send("alice", msg)...)
		left = append(left, r.takeSent()...)
	}
	if len(left) != 1 || len(answers) != 3 {
		t.Errorf("%d frames left and %d errors came, want 1 and 3: %v", len(left), len(answers), answers)
	}
}

func unflaggedRemoved(t *testing.T) {
	r := divided(t)
	for _, text := range []string{"priority=1,idle_timeout=1 actions=drop", "priority=2,hard_timeout=2 actions=drop", "priority=3 actions=drop"} {
		if got := r.send("alice", flowMod(t, text)); len(got) != 0 {
			t.Fatal(got)
		}
	}
	r.pass(5 * time.Second)
	if n := r.d.FlowCount("alice"); n != 1 {
		t.Errorf("%d flows, want 1", n)
	}
	m := flowMod(t, "actions=drop")
	m.Command = of10.FlowDelete
	if got := append(r.take("alice"), r.send("alice", m)...); len(got) != 0 || r.d.FlowCount("alice") != 0 {
		t.Errorf("alice got %v", got)
	}
	r.bobWell()
}
