package ofswitch

import (
	"encoding/binary"

	"github.com/govisor/govisor/ofwire/of10"
)

// op is the operation of a compiled action.
type op uint8

const (
	opPort op = iota
	opInPort
	opEnqueue
	opFlood
	opAll
	opNormal
	opController
	opTable
	opVendor
	opSetVLANVID
	opSetVLANPCP
	opStripVLAN
	opSetDLSrc
	opSetDLDst
	opSetNWSrc
	opSetNWDst
	opSetNWTos
	opSetTPSrc
	opSetTPDst
)

// step is one compiled action.
type step struct {
	op     op
	addr   [6]byte
	port   uint16 // output port, or max_len of opController
	queue  uint32
	value  uint32
	vendor VendorAction
	body   []byte
}

// program is a compiled action list.
type program struct{ steps []step }

// purpose tells the action checks which message they serve.
type purpose uint8

const (
	forFlow purpose = iota
	forPacketOut
)

func badAction(code uint16) *of10.Error {
	return of10.NewError(of10.ErrorBadAction, code, nil)
}

// compile checks an action list and translates it. The result does not refer to
// actions' memory.
func (p *Pipeline) compile(actions []of10.Action, why purpose) (program, *of10.Error) {
	steps := make([]step, 0, len(actions))
	for i := range actions {
		s, err := p.compileOne(&actions[i], why)
		if err != nil {
			return program{}, err
		}
		steps = append(steps, s)
	}
	return program{steps}, nil
}

func (p *Pipeline) compileOne(a *of10.Action, why purpose) (step, *of10.Error) {
	switch a.Type {
	case of10.ActionOutput:
		return compileOutput(a, why)
	case of10.ActionEnqueue:
		switch {
		case a.Port == of10.PortInPort:
			return step{op: opInPort, queue: a.QueueID}, nil
		case a.Port > physicalMax:
			return step{}, badAction(of10.BadActionBadOutPort)
		}
		return step{op: opEnqueue, port: uint16(a.Port), queue: a.QueueID}, nil
	case of10.ActionSetVLANVID:
		if a.VLANVID > 0xfff {
			return step{}, badAction(of10.BadActionBadArgument)
		}
		return step{op: opSetVLANVID, value: uint32(a.VLANVID)}, nil
	case of10.ActionSetVLANPCP:
		if a.VLANPCP > 7 {
			return step{}, badAction(of10.BadActionBadArgument)
		}
		return step{op: opSetVLANPCP, value: uint32(a.VLANPCP)}, nil
	case of10.ActionSetNWTos:
		if a.NWTos&3 != 0 {
			return step{}, badAction(of10.BadActionBadArgument)
		}
		return step{op: opSetNWTos, value: uint32(a.NWTos)}, nil
	case of10.ActionStripVLAN:
		return step{op: opStripVLAN}, nil
	case of10.ActionSetDLSrc:
		return step{op: opSetDLSrc, addr: a.DLAddr}, nil
	case of10.ActionSetDLDst:
		return step{op: opSetDLDst, addr: a.DLAddr}, nil
	case of10.ActionSetNWSrc:
		return step{op: opSetNWSrc, value: a.NWAddr}, nil
	case of10.ActionSetNWDst:
		return step{op: opSetNWDst, value: a.NWAddr}, nil
	case of10.ActionSetTPSrc:
		return step{op: opSetTPSrc, value: uint32(a.TPPort)}, nil
	case of10.ActionSetTPDst:
		return step{op: opSetTPDst, value: uint32(a.TPPort)}, nil
	case of10.ActionVendor:
		return p.compileVendor(a)
	}
	return step{}, badAction(of10.BadActionBadType)
}

// compileOutput refuses what is no port. A physical port need not exist (yet),
// and the ingress is skipped at run time: both are legal in a flow.
func compileOutput(a *of10.Action, why purpose) (step, *of10.Error) {
	switch {
	case a.Port <= physicalMax, a.Port == of10.PortLocal:
		return step{op: opPort, port: uint16(a.Port)}, nil
	case a.Port == of10.PortInPort:
		return step{op: opInPort, queue: NoQueue}, nil
	case a.Port == of10.PortTable && why == forPacketOut:
		return step{op: opTable}, nil
	case a.Port == of10.PortNormal:
		return step{op: opNormal}, nil
	case a.Port == of10.PortFlood:
		return step{op: opFlood}, nil
	case a.Port == of10.PortAll:
		return step{op: opAll}, nil
	case a.Port == of10.PortController:
		return step{op: opController, port: a.MaxLen}, nil
	}
	return step{}, badAction(of10.BadActionBadOutPort)
}

func (p *Pipeline) compileVendor(a *of10.Action) (step, *of10.Error) {
	if len(a.Raw) < 8 {
		return step{}, badAction(of10.BadActionBadLen)
	}
	v := p.cfg.VendorActions[binary.BigEndian.Uint32(a.Raw[4:8])]
	if v == nil {
		return step{}, badAction(of10.BadActionBadVendor)
	}
	body := append([]byte(nil), a.Raw...)
	if err := v.Check(body); err != nil {
		return step{}, err
	}
	return step{op: opVendor, vendor: v, body: body}, nil
}
