package hypervisor

import (
	"fmt"
	"maps"
	"slices"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/ofconn"
	"github.com/govisor/govisor/ofwire"
)

// messageNames are FlowVisor's names of the message types.
var messageNames = [ofconn.NumTypes]string{
	"HELLO", "ERROR", "ECHO_REQUEST", "ECHO_REPLY", "VENDOR", "FEATURES_REQUEST", "FEATURES_REPLY",
	"GET_CONFIG_REQUEST", "GET_CONFIG_REPLY", "SET_CONFIG", "PACKET_IN", "FLOW_REMOVED", "PORT_STATUS",
	"PACKET_OUT", "FLOW_MOD", "PORT_MOD", "STATS_REQUEST", "STATS_REPLY", "BARRIER_REQUEST", "BARRIER_REPLY",
	"QUEUE_CONFIG_REQUEST", "QUEUE_CONFIG_REPLY", "22", "UNPARSABLE",
}

// statsTotal is the name of the sum over all components.
const statsTotal = "Total"

func classifierName(dpid ofwire.DatapathID) string { return "classifier-dpid=" + dpid.String() }

func slicerName(slice string, dpid ofwire.DatapathID) string {
	return fmt.Sprintf("slicer_%s_dpid=%s", slice, dpid)
}

func newMessageStats() apitype.MessageStats {
	section := func() map[string]map[string]uint64 { return map[string]map[string]uint64{statsTotal: {}} }
	return apitype.MessageStats{Tx: section(), Rx: section(), Drop: section()}
}

// addCounters adds the counters of one component to m and to its total.
func addCounters(m *apitype.MessageStats, component string, c *ofconn.Counters) {
	for _, section := range []struct {
		to map[string]map[string]uint64
		of func(uint8) uint64
	}{{m.Tx, c.Sent}, {m.Rx, c.Received}, {m.Drop, c.Dropped}} {
		counts := map[string]uint64{}
		for t, name := range messageNames {
			if n := section.of(uint8(t)); n > 0 {
				counts[name] = n
				section.to[statsTotal][name] += n
			}
		}
		section.to[component] = counts
	}
}

// Stats counts messages from and to the switch.
func (d *datapath) Stats() apitype.MessageStats {
	m := newMessageStats()
	if cls := d.classifier(); cls != nil {
		addCounters(&m, classifierName(d.dpid), cls.Conn().Counters())
	}
	return m
}

// SliceStats counts messages from and to one slice's controllers.
func (d *datapath) SliceStats(slice string) apitype.MessageStats {
	m := newMessageStats()
	d.mu.Lock()
	s := d.slices[slice]
	d.mu.Unlock()
	if s != nil {
		addCounters(&m, slicerName(slice, d.dpid), s.sess.Counters())
	}
	return m
}

// sliceSessions are the running slices in configured order.
func (d *datapath) sliceSessions() []*sliceOnDPID {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := slices.Collect(maps.Values(d.slices))
	slices.SortFunc(out, func(a, b *sliceOnDPID) int {
		return slices.Index(d.order, a.name) - slices.Index(d.order, b.name)
	})
	return out
}
