package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/slicing"
	"github.com/govisor/govisor/ofwire/of10"
)

// askTimeout bounds a question to the switch whatever the caller's context says.
const askTimeout = 10 * time.Second

func allFlows() *of10.StatsRequest {
	return &of10.StatsRequest{StatsType: of10.StatsFlow, Body: of10.FlowStatsRequest{Match: of10.MatchAll(), TableID: of10.TableAll, OutPort: of10.PortNone}}
}

// Flows lists what is in the switch, with whose it is.
func (d *datapath) Flows(ctx context.Context) ([]apitype.Flow, error) {
	cls := d.classifier()
	if cls == nil {
		return nil, errDisconnected
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	replies, err := cls.AskSwitch(ctx, allFlows())
	if err != nil {
		return nil, fmt.Errorf("read flows of the switch: %w", err)
	}
	flows := d.flowsOf(replies)
	cls.Do(func(_ time.Time, dp *slicing.Datapath, _ *slicing.Out) {
		i := 0
		for _, r := range replies {
			list, _ := r.Body.(of10.FlowStatsReply)
			for j := range list {
				flows[i].Slice, flows[i].Kind = dp.Provenance(list[j].Cookie)
				i++
			}
		}
	})
	return flows, nil
}

// SliceFlows lists what a slice's controller would be told.
func (d *datapath) SliceFlows(ctx context.Context, slice string) ([]apitype.Flow, error) {
	cls := d.classifier()
	if cls == nil {
		return nil, errDisconnected
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if !d.hasSlice(slice) {
		return []apitype.Flow{}, nil
	}
	replies, err := cls.AskSlice(ctx, slice, allFlows())
	if err != nil {
		return nil, fmt.Errorf("read flows of slice %s: %w", slice, err)
	}
	flows := d.flowsOf(replies)
	var became map[slicing.FlowKey][]slicing.PhysicalFlow
	cls.Do(func(_ time.Time, dp *slicing.Datapath, _ *slicing.Out) { became = dp.Became(slice) })
	i := 0
	for _, r := range replies {
		list, _ := r.Body.(of10.FlowStatsReply)
		for j := range list {
			f := &flows[i]
			f.Slice, f.Kind = slice, "virtual"
			for _, p := range became[slicing.FlowKey{Match: list[j].Match, Priority: list[j].Priority}] {
				if p.Kind == "sentinel" { // as Provenance calls it
					p.Kind = "piece"
				}
				f.Rewritten = append(f.Rewritten, apitype.Flow{DPID: f.DPID, Slice: slice, Kind: p.Kind, Priority: uint32(p.Priority), Match: p.Match.String(),
					Actions: of10.ActionsString(p.Actions), Cookie: fmt.Sprintf("0x%x", p.Cookie)})
			}
			i++
		}
	}
	return flows, nil
}

func (d *datapath) hasSlice(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.slices[name] != nil
}

func (d *datapath) flowsOf(replies []*of10.StatsReply) []apitype.Flow {
	out := []apitype.Flow{}
	for _, r := range replies {
		list, _ := r.Body.(of10.FlowStatsReply)
		for i := range list {
			f := &list[i]
			out = append(out, apitype.Flow{
				DPID: d.dpid.String(), Table: int(f.TableID), Priority: uint32(f.Priority),
				Match: f.Match.String(), Actions: of10.ActionsString(f.Actions), Cookie: fmt.Sprintf("0x%x", f.Cookie),
				IdleTimeout: int(f.IdleTimeout), HardTimeout: int(f.HardTimeout),
				Seconds: uint64(f.DurationSec), Packets: f.PacketCount, Bytes: f.ByteCount,
			})
		}
	}
	return out
}

// TraceFlowMod tells what a flow_mod would become, without sending anything.
func (d *datapath) TraceFlowMod(slice, flow string) ([]apitype.Flow, error) {
	m, err := of10.ParseFlow(flow, of10.FlowAdd)
	if err != nil {
		return nil, err
	}
	cls := d.classifier()
	if cls == nil {
		return nil, errDisconnected
	}
	var t slicing.FlowTrace
	cls.Do(func(now time.Time, dp *slicing.Datapath, _ *slicing.Out) { t = dp.TraceFlowMod(now, slice, m) })
	switch {
	case t.Refused != nil:
		return nil, fmt.Errorf("refused with %w: %s", t.Refused, t.Because)
	case t.Because != "":
		return nil, errors.New(t.Because)
	}
	out := []apitype.Flow{}
	add := func(kind, owner string, p *slicing.PieceTrace, actions string) {
		if p.New && kind == "piece" { // it will be the controller's own as long as it fits
			p.Priority = m.Priority
		}
		out = append(out, apitype.Flow{
			DPID: d.dpid.String(), Slice: owner, Kind: kind, Priority: uint32(p.Priority), Match: p.Match.String(), Actions: actions,
		})
	}
	for i := range t.Pieces {
		add("piece", slice, &t.Pieces[i], of10.ActionsString(t.Pieces[i].Actions))
	}
	for i := range t.Guards {
		add("guard", "", &t.Guards[i], of10.ActionsString([]of10.Action{of10.Output(of10.PortController, 0xffff)}))
	}
	return out, nil
}

// describe asks the switch about itself, for Status.
func (d *datapath) describe(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	cls := d.classifier()
	if cls == nil {
		return
	}
	replies, err := cls.AskSwitch(ctx, &of10.StatsRequest{StatsType: of10.StatsDesc})
	if err != nil {
		return // a switch need not describe itself
	}
	desc, ok := replies[0].Body.(of10.DescStats)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.desc = &apitype.Description{
		Manufacturer: desc.Manufacturer, Hardware: desc.Hardware, Software: desc.Software, Serial: desc.SerialNum, Datapath: desc.Datapath,
	}
}
