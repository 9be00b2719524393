package hypervisor

import (
	"fmt"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/topology"
	"github.com/govisor/govisor/ofcontroller/discovery"
)

// NewTopology returns the search for links, which the setting switches on and
// off. It is run by the caller and given to the switches in SwitchOptions. An
// interval of 0 is the default one. It is called once. That no slice's flow
// carries a probe away is the core's doing, which guards all LLDP.
func (s *Service) NewTopology(interval time.Duration, log *logrus.Entry) *topology.Service {
	t := topology.New(topology.Config{Interval: interval, Key: s.Settings().LLDPKey, Log: log, Changed: func(l discovery.Link, up bool) {
		typ := EventLinkAdded
		if !up {
			typ = EventLinkRemoved
		}
		s.Emit(typ, l.From.ID.String(), "", fmt.Sprintf("%v:%d > %v:%d", l.From.ID, uint16(l.From.Port), l.To.ID, uint16(l.To.Port)))
	}})
	s.SetLinks(func() []apitype.Link {
		var list []apitype.Link
		for _, l := range t.Links() {
			list = append(list, apitype.Link{
				SrcDPID: l.From.ID.String(), SrcPort: uint32(l.From.Port),
				DstDPID: l.To.ID.String(), DstPort: uint32(l.To.Port), Since: t.Since(l).UTC(),
			})
		}
		return list
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.topology = t
	t.SetEnabled(s.state.Load().settings.Topology)
	return t
}
