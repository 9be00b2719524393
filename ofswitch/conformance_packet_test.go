package ofswitch

import (
	"bytes"
	"testing"
	"time"

	"github.com/govisor/govisor/ofwire/of10"
)

func conformPacketIn(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 1000, 80, 100)
	r.frame(2, f)
	m := one[*of10.PacketIn](t, r.messages(ctl))
	if m.XID != 0 || m.InPort != 2 || m.Reason != of10.ReasonNoMatch || int(m.TotalLen) != len(f) ||
		m.BufferID == of10.NoBuffer || !bytes.Equal(m.Data, f[:128]) {
		t.Errorf("got %+v", m)
	}
	r.must(add(1, of10.MatchAll(), of10.Output(of10.PortController, 20)))
	r.frame(3, f)
	m = one[*of10.PacketIn](t, r.messages(ctl))
	if m.InPort != 3 || m.Reason != of10.ReasonAction || len(m.Data) != 20 || int(m.TotalLen) != len(f) {
		t.Errorf("by action: got %+v", m)
	}
}

func conformPacketOut(t *testing.T, r *rig) {
	f := udpFrame(1, 2, 1, 2, []byte("x"))
	out := func(in of10.Port, actions ...of10.Action) {
		t.Helper()
		r.send(&of10.PacketOut{BufferID: of10.NoBuffer, InPort: in, Actions: actions, Data: f})
	}
	out(of10.PortNone, output(3))
	wantPorts(t, r, 3)
	if !bytes.Equal(r.out.Frames[0].Frame.Data, f) {
		t.Error("the frame was changed")
	}
	out(1, output(of10.PortFlood))
	wantPorts(t, r, 2, 3, 4)
	out(of10.PortNone, output(of10.PortFlood))
	wantPorts(t, r, 1, 2, 3, 4)
	out(2, output(of10.PortInPort))
	wantPorts(t, r, 2)
	out(9999, output(of10.PortAll))
	wantPorts(t, r, 1, 2, 3, 4)
	out(1)
	wantPorts(t, r)

	out(1, output(of10.PortTable))
	if m := one[*of10.PacketIn](t, r.messages(ctl)); m.Reason != of10.ReasonNoMatch || m.InPort != 1 {
		t.Errorf("TABLE without flows: %+v", m)
	}
	r.must(add(1, inPort(1), output(4)))
	out(1, of10.SetDLDst([6]byte{2, 9, 9, 9, 9, 9}), output(of10.PortTable), output(2))
	wantPorts(t, r, 4, 2)
	if got := r.out.Frames[0].Frame.Data[:6]; !bytes.Equal(got, []byte{2, 9, 9, 9, 9, 9}) {
		t.Errorf("TABLE saw destination %x", got)
	}
	out(1, of10.Output(of10.PortController, 16))
	if m := one[*of10.PacketIn](t, r.messages(ctl)); m.Reason != of10.ReasonAction || len(m.Data) != 16 || m.XID != 0 {
		t.Errorf("CONTROLLER: %+v", m)
	}
}

func conformMissSendLen(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 1000, 80, 300)
	for _, n := range []uint16{0, 1, 64, 128, 0xffff} {
		r.must(&of10.SetConfig{MissSendLen: n})
		r.frame(1, f)
		if m := one[*of10.PacketIn](t, r.messages(ctl)); len(m.Data) != min(int(n), len(f)) {
			t.Errorf("miss_send_len %d: %d bytes of %d", n, len(m.Data), len(f))
		}
	}
}

func conformBuffers(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 3, 4, 200)
	r.frame(1, f)
	id := one[*of10.PacketIn](t, r.messages(ctl)).BufferID
	po := &of10.PacketOut{BufferID: id, InPort: 1, Actions: []of10.Action{output(of10.PortNone)}}
	r.send(po) // refused: the buffer must survive
	po.Actions = []of10.Action{output(4)}
	r.must(po)
	wantPorts(t, r, 4)
	if !bytes.Equal(r.out.Frames[0].Frame.Data, f) {
		t.Error("another frame came out of the buffer")
	}
	got := r.send(po)
	wantError(t, got, of10.ErrorBadRequest, of10.BadRequestBufferEmpty, r.xid, encode(po))
	r.frame(1, f)
	id = one[*of10.PacketIn](t, r.messages(ctl)).BufferID
	r.must(&of10.PacketOut{BufferID: id, InPort: 1}) // discards
	wantPorts(t, r)
	if n := r.p.buffers.held(); n != 0 {
		t.Errorf("%d buffers leak", n)
	}
	seen := map[uint32]bool{}
	unbuffered := 0
	for range 300 { // within one second
		r.frame(1, f)
		m := one[*of10.PacketIn](t, r.messages(ctl))
		if m.BufferID == of10.NoBuffer {
			unbuffered++
			if len(m.Data) != len(f) {
				t.Fatalf("unbuffered packet_in has %d of %d bytes", len(m.Data), len(f))
			}
			continue
		}
		if seen[m.BufferID] {
			t.Fatalf("buffer id %x twice", m.BufferID)
		}
		seen[m.BufferID] = true
	}
	if unbuffered != 300-256 {
		t.Errorf("%d unbuffered, want 44", unbuffered)
	}
	r.now = r.now.Add(2 * time.Second)
	r.frame(1, f)
	if m := one[*of10.PacketIn](t, r.messages(ctl)); m.BufferID == of10.NoBuffer || seen[m.BufferID] {
		t.Errorf("an old slot is not reused with a new id: %x", m.BufferID)
	}
}

func conformFlowModBuffer(t *testing.T, r *rig) {
	f := tcpFrame(1, 2, 3, 4, 200)
	r.frame(1, f)
	id := one[*of10.PacketIn](t, r.messages(ctl)).BufferID
	fm := with(add(5, inPort(1), output(3)), func(m *of10.FlowMod) { m.BufferID = id })
	r.must(fm)
	wantPorts(t, r, 3)
	if fs := r.flows(); fs[0].PacketCount != 1 || fs[0].ByteCount != uint64(len(f)) {
		t.Errorf("the buffered packet is not counted: %+v", fs[0])
	}
	fm.Match = inPort(2)
	got := r.send(fm)
	wantError(t, got, of10.ErrorBadRequest, of10.BadRequestBufferEmpty, r.xid, encode(fm))
	fm.Match, fm.BufferID = inPort(3), 0x12345678
	got = r.send(fm)
	wantError(t, got, of10.ErrorBadRequest, of10.BadRequestBufferUnknown, r.xid, encode(fm))
	if n := len(r.flows()); n != 3 {
		t.Errorf("%d flows: an unusable buffer must not keep the flow out", n)
	}
}

func conformRate(t *testing.T, _ *rig) {
	r := newRig(t, Config{PacketInRate: 100, PacketInBurst: 10})
	r.must(add(1, inPort(2), output(of10.PortController)))
	count := func(in of10.Port, n int) (got int) {
		for range n {
			r.frame(in, ethFrame(1, 2, 0x88b5, 60))
			got += len(r.messages(ctl))
		}
		return got
	}
	if got := count(1, 50); got != 10 {
		t.Errorf("%d misses passed, want the burst of 10", got)
	}
	if got := count(2, 50); got != 10 {
		t.Errorf("%d actions passed: they have a limit of their own", got)
	}
	r.now = r.now.Add(50 * time.Millisecond)
	if got := count(1, 50); got != 5 {
		t.Errorf("%d passed after 50 ms, want 5", got)
	}
	if n := r.p.Counters().PacketInsLimits; n != 50*3-25 {
		t.Errorf("%d counted as limited", n)
	}
}
