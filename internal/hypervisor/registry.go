package hypervisor

import (
	"errors"
	"slices"

	"github.com/govisor/govisor/ofwire"
)

// ErrDuplicate is returned by Attach for a datapath id that is already
// connected and alive.
var ErrDuplicate = errors.New("datapath is already connected")

// Attach registers a session that has identified its switch and returns the
// configuration to begin with. A session that is there already and dead is
// disconnected and replaced; one that is alive stays, and Attach fails.
func (s *Service) Attach(dpid ofwire.DatapathID, sess Session) (*DatapathConfig, error) {
	s.mu.Lock() // so that no configuration falls between this one and Apply
	defer s.mu.Unlock()
	s.reg.Lock()
	old := s.sessions[dpid]
	if old != nil && old.Alive() {
		s.reg.Unlock()
		return nil, ErrDuplicate
	}
	s.sessions[dpid] = sess
	s.reg.Unlock()
	if old != nil {
		old.Disconnect("replaced by a new connection")
	}
	s.Emit(EventDatapathConnected, dpid.String(), "", "")
	return s.configLocked(s.state.Load(), dpid), nil
}

// Detach forgets a session; it does nothing if another one took its place.
func (s *Service) Detach(dpid ofwire.DatapathID, sess Session) {
	s.reg.Lock()
	here := s.sessions[dpid] == sess
	if here {
		delete(s.sessions, dpid)
	}
	s.reg.Unlock()
	if here {
		s.Emit(EventDatapathDisconnected, dpid.String(), "", "")
	}
}

func (s *Service) session(dpid ofwire.DatapathID) Session {
	s.reg.RLock()
	defer s.reg.RUnlock()
	return s.sessions[dpid]
}

// connected returns the sessions, in order of datapath id.
func (s *Service) connected() (ids []ofwire.DatapathID, sessions []Session) {
	s.reg.RLock()
	defer s.reg.RUnlock()
	for id := range s.sessions {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		sessions = append(sessions, s.sessions[id])
	}
	return ids, sessions
}

// publishLocked makes c.st the state and tells the sessions it touches.
func (s *Service) publishLocked(c *change) []<-chan struct{} {
	s.state.Store(c.st)
	if s.topology != nil {
		s.topology.SetEnabled(c.st.settings.Topology)
	}
	if c.limits {
		s.followLimitsLocked(c.st)
	}
	var waits []<-chan struct{}
	ids, sessions := s.connected()
	for i, id := range ids {
		if _, ok := c.touched[id]; ok || c.all {
			waits = append(waits, sessions[i].Apply(s.configLocked(c.st, id)))
		}
	}
	return waits
}

// configLocked builds the configuration of one datapath.
func (s *Service) configLocked(st *state, dpid ofwire.DatapathID) *DatapathConfig {
	cfg := &DatapathConfig{DPID: dpid, Revision: st.revision, View: st.flows.View(uint64(dpid)), Settings: st.settings}
	present := cfg.View.Slices()
	conf := st.datapaths[dpid]
	flood := conf.floodPerm
	if flood == "" {
		flood = st.settings.DefaultFloodPerm
	}
	for _, sl := range st.order {
		if _, ok := slices.BinarySearch(present, sl.Name); !ok || !sl.Enabled {
			continue
		}
		cfg.Slices = append(cfg.Slices, SliceConfig{Name: sl.Name, Generation: sl.Generation, Controllers: sl.Controllers,
			DropPolicy: sl.DropPolicy, RecvLLDP: sl.RecvLLDP, Strict: sl.Strict, Flood: flood == sl.Name,
			Limits: s.limitsLocked(st, sl, nil), DatapathLimits: s.limitsLocked(st, sl, &dpid)})
	}
	return cfg
}
