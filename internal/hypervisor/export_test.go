package hypervisor

// FlowTablesChanged are those that callbacks have still to be told of.
func (s *Service) FlowTablesChanged() (out []string) {
	for _, t := range s.tables.take() {
		out = append(out, t.dpid.String()+" "+t.slice)
	}
	return out
}
