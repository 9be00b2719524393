package api

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/govisor/govisor/api/apitype"
	"github.com/govisor/govisor/internal/hypervisor"
	"github.com/govisor/govisor/ofwire"
)

const badDropPolicy = "%s: Flowvisor currently supports an 'exact' or a 'rule' based drop policy"

func (s *Server) rpcListSlices(c *rpcCall) (any, error) {
	out := []map[string]any{}
	if c.by.Role != hypervisor.RoleSlice {
		out = append(out, map[string]any{"slice-name": hypervisor.AdminName, "admin-status": true})
	}
	for _, sl := range s.svc.Slices(c.by) {
		out = append(out, map[string]any{"slice-name": sl.Name, "admin-status": sl.Enabled})
	}
	return out, nil
}

// slicePatch reads the fields add-slice and update-slice have in common.
func (c *rpcCall) slicePatch() (p hypervisor.SlicePatch, err error) {
	var errs [8]error
	p.DropPolicy, errs[0] = c.params.optText("drop-policy")
	p.RecvLLDP, errs[1] = c.params.optBool("recv-lldp")
	p.FlowModLimit, errs[2] = c.params.optInt("flowmod-limit")
	p.RateLimit, errs[3] = c.params.optInt("rate-limit")
	p.Enabled, errs[4] = c.params.optBool("admin-status")
	p.Contact, errs[5] = c.params.optText("admin-contact")
	p.FlowModRate, errs[6] = c.params.optInt("flowmod-rate")
	p.PacketInRate, errs[7] = c.params.optInt("packet-in-rate")
	for _, err := range errs {
		if err != nil {
			return p, err
		}
	}
	if d := p.DropPolicy; d != nil && *d != "exact" && *d != "rule" {
		return p, rpcErrorf(rpcParams, badDropPolicy, c.name)
	}
	return p, nil
}

func (s *Server) rpcAddSlice(c *rpcCall) (any, error) {
	if !s.svc.MayCreateSlices(c.by) {
		return nil, rpcErrorf(rpcRequest, "only superusers can create new slices")
	}
	for _, name := range []string{"controller-url", "slice-name", "admin-contact", "password"} {
		if err := c.params.required(name); err != nil {
			return nil, err
		}
	}
	patch, err := c.slicePatch()
	if err != nil {
		return nil, err
	}
	url, err := c.params.text("controller-url")
	if err != nil {
		return nil, err
	}
	patch.Controllers = []string{url}
	spec := hypervisor.SliceSpec{SlicePatch: patch}
	if spec.Name, err = c.params.text("slice-name"); err != nil {
		return nil, err
	}
	if spec.Password, err = c.params.text("password"); err != nil {
		return nil, err
	}
	_, err = s.svc.CreateSlice(c.ctx, c.by, spec)
	if hypervisor.KindOf(err) == apitype.KindConflict {
		return nil, rpcErrorf(rpcParams, "add-slice: Cannot create slice with existing name.")
	}
	return true, err
}

// mayChange is FlowVisor's refusal for a slice of somebody else, there or not.
func (s *Server) mayChange(c *rpcCall, name, refusal string) error {
	if _, err := s.svc.Slice(c.by, name); err != nil && c.by.Role != hypervisor.RoleAdmin {
		return rpcErrorf(rpcRequest, refusal, c.by.Account, name)
	}
	return nil
}

const notYours = "Slice %s does not have perms to change %s"

func (s *Server) rpcUpdateSlice(c *rpcCall) (any, error) {
	name, err := c.params.text("slice-name")
	if err != nil {
		return nil, err
	}
	if err := s.mayChange(c, name, notYours); err != nil {
		return nil, err
	}
	patch, err := c.slicePatch()
	if err != nil {
		return nil, err
	}
	host, err := c.params.optText("controller-host")
	if err != nil {
		return nil, err
	}
	port, err := c.params.optInt("controller-port")
	if err != nil {
		return nil, err
	}
	if host != nil || port != nil {
		err = s.moveController(c, name, patch, host, port)
	} else {
		_, err = s.svc.UpdateSlice(c.ctx, c.by, name, patch, nil)
	}
	switch hypervisor.KindOf(err) {
	case apitype.KindNotFound:
		return nil, rpcErrorf(rpcParams, "update-slice: Slice %s does not exist", name)
	case apitype.KindDenied:
		return nil, rpcErrorf(rpcRequest, "update-slice: %v", err)
	}
	return true, err
}

// moveController updates a slice and changes host and port of its first controller, the
// others being as they are then.
func (s *Server) moveController(c *rpcCall, name string, patch hypervisor.SlicePatch, host *string, port *int) error {
	for {
		sl, err := s.svc.Slice(c.by, name)
		if err != nil {
			return err
		}
		patch.Controllers = movedController(sl, host, port)
		_, err = s.svc.UpdateSlice(c.ctx, c.by, name, patch, func(now hypervisor.Slice) error {
			if !slices.Equal(now.Controllers, sl.Controllers) {
				return errMeanwhile
			}
			return nil
		})
		if !errors.Is(err, errMeanwhile) {
			return err
		}
	}
}

// errMeanwhile: somebody else was quicker.
var errMeanwhile = errors.New("changed at the same time")

// movedController are the controllers of a slice with another host or port for the first.
func movedController(sl hypervisor.Slice, host *string, port *int) []string {
	first := sl.Controllers[0].Target
	if first.Scheme != "tcp" && first.Scheme != "ssl" {
		first = ofwire.Target{Scheme: "tcp", Host: "localhost", Port: ofwire.DefaultPort}
	}
	h, p := first.Host, int(first.Port)
	if host != nil {
		h = *host
	}
	if port != nil {
		p = *port
	}
	urls := []string{fmt.Sprintf("%s:%s", first.Scheme, net.JoinHostPort(h, strconv.Itoa(p)))}
	for _, other := range sl.Controllers[1:] {
		urls = append(urls, other.String())
	}
	return urls
}

func (s *Server) rpcRemoveSlice(c *rpcCall) (any, error) {
	name, err := c.params.text("slice-name")
	if err != nil {
		return nil, err
	}
	if err := s.mayChange(c, name, notYours); err != nil {
		return nil, err
	}
	if name == hypervisor.AdminName {
		return nil, rpcErrorf(rpcParams, "remove-slice: %s cannot be removed", name)
	}
	err = s.svc.RemoveSlice(c.ctx, c.by, name, nil)
	if hypervisor.KindOf(err) == apitype.KindNotFound {
		return nil, rpcErrorf(rpcParams, "remove-slice: Unknown slice name : %s", name)
	}
	return true, err
}

const notYourPassword = "update-slice-password: Slice %s does not have perms to change the passwd of %s"

func (s *Server) rpcSlicePassword(c *rpcCall) (any, error) {
	name, err := c.params.text("slice-name")
	if err != nil {
		return nil, err
	}
	password, err := c.params.text("password")
	if err != nil {
		return nil, err
	}
	if name != c.by.Account {
		if err := s.mayChange(c, name, notYourPassword); err != nil {
			return nil, err
		}
	}
	return s.rpcSetPassword(c, name, password)
}

func (s *Server) rpcAdminPassword(c *rpcCall) (any, error) {
	if err := c.params.required("password"); err != nil {
		return nil, rpcErrorf(rpcParams, "update-slice-password: password is required ") // sic
	}
	password, err := c.params.text("password")
	if err != nil {
		return nil, err
	}
	return s.rpcSetPassword(c, hypervisor.AdminName, password)
}

func (s *Server) rpcSetPassword(c *rpcCall, name, password string) (any, error) {
	err := s.svc.SetPassword(c.ctx, c.by, name, password)
	switch hypervisor.KindOf(err) {
	case apitype.KindNotFound:
		return nil, rpcErrorf(rpcInternal, "update-slice-password: Unable to set slice password : Password for slice %s was not updated", name)
	case apitype.KindDenied:
		return nil, rpcErrorf(rpcRequest, notYourPassword, c.by.Account, name)
	}
	return true, err
}

// rpcSlice reads slice-name and finds a slice the caller may see.
func (s *Server) rpcSlice(c *rpcCall, unknown string, code int) (hypervisor.Slice, error) {
	name, err := c.params.text("slice-name")
	if err != nil {
		return hypervisor.Slice{}, err
	}
	sl, err := s.svc.Slice(c.by, name)
	if err != nil {
		return sl, rpcErrorf(code, unknown, name)
	}
	return sl, nil
}

func (s *Server) rpcSliceInfo(c *rpcCall) (any, error) {
	if name, _ := c.params.optText("slice-name"); name != nil && *name == hypervisor.AdminName && c.by.Role != hypervisor.RoleSlice {
		return map[string]any{"slice-name": *name, "controller-url": "tcp:none:0", "admin-contact": "fvadmin@localhost", "drop-policy": "exact",
			"recv-lldp": true, "admin-status": true, "current-flowmod-usage": 0}, nil
	}
	sl, err := s.rpcSlice(c, "list-slice-info: No such slice %s", rpcInternal)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"slice-name": sl.Name, "controller-url": sl.Controllers[0].String(), "admin-contact": sl.Contact,
		"drop-policy": string(sl.DropPolicy), "recv-lldp": sl.RecvLLDP, "admin-status": sl.Enabled,
		"flowmod-limit": sl.FlowModLimit, "rate-limit": sl.RateLimit}
	for name, rate := range map[string]int{"flowmod-rate": sl.FlowModRate, "packet-in-rate": sl.PacketInRate} {
		if rate >= 0 { // FlowVisor's clients do not know them
			out[name] = rate
		}
	}
	h, err := s.svc.SliceHealth(c.by, sl.Name)
	if err != nil {
		return nil, err
	}
	if s.svc.Health(c.by).Datapaths == 0 {
		out["msg"] = "No switches connected; some runtime stats unavailable"
		return out, nil
	}
	rate := 0.0
	for _, conn := range h.Connections {
		rate += conn.Rate
	}
	out["current-rate"], out["current-flowmod-usage"] = int(rate), h.FlowMods
	return out, nil
}

func (s *Server) rpcSliceStats(c *rpcCall) (any, error) {
	sl, err := s.rpcSlice(c, "list-slice-stats: slice does not exist : %s", rpcParams)
	if err != nil {
		if name, _ := c.params.optText("slice-name"); name != nil && *name == hypervisor.AdminName {
			return nil, rpcErrorf(rpcInternal, "list-slice-stats: No stats exist for this slice : %s", *name)
		}
		return nil, err
	}
	st, err := s.svc.SliceStats(c.by, sl.Name)
	if err == nil && len(st.Tx) == 0 && len(st.Rx) == 0 {
		return nil, rpcErrorf(rpcInternal, "list-slice-stats: No stats exist for this slice : %s", sl.Name)
	}
	return st, err
}

func (s *Server) rpcSliceHealth(c *rpcCall) (any, error) {
	sl, err := s.rpcSlice(c, "list-slice-health: slice does not exist : %s", rpcParams)
	if err != nil {
		return nil, err
	}
	h, err := s.svc.SliceHealth(c.by, sl.Name)
	if err != nil {
		return nil, err
	}
	dpids, connects := []string{}, uint64(0)
	for _, conn := range h.Connections {
		connects += conn.Connects
		if conn.State == "connected" {
			dpids = append(dpids, conn.DPID)
		}
	}
	return map[string]any{"is-connected": h.Connected, "connect-drop-count": connects, "fs-entries": h.Rules, "connected-dpids": dpids}, nil
}
