package fvctl

import "github.com/spf13/cobra"

// hyphenCommands are those of FlowVisor 1.x, in the order of its manual.
func (a *app) hyphenCommands() []*cobra.Command {
	return []*cobra.Command{
		a.listSlices("list-slices"), a.addSlice(), a.updateSlice(), a.removeSlice("remove-slice"),
		a.updateSlicePassword(), a.updateAdminPassword(),
		a.listSliceInfo(), a.listSliceStats("list-slice-stats"), a.listSliceHealth(),
		a.listFlowSpace(), a.addFlowSpace(), a.updateFlowSpace(), a.removeFlowSpace(), a.listFSStatus(),
		a.listDatapaths(), a.listDatapathInfo(), a.listDatapathStats("list-datapath-stats"),
		a.listDatapathFlowDB(), a.listDatapathFlowRewriteDB(), a.listLinks(),
		a.getConfig(), a.setConfig(), a.saveConfig(), a.listVersion(), a.listFVHealth(),
		a.registerEventCallback(), a.unregisterEventCallback(),
	}
}

// camelCommands are those of FlowVisor before 1.0.
func (a *app) camelCommands() []*cobra.Command {
	return []*cobra.Command{
		a.camelListSlices(), a.createSlice(), a.changeSlice(), a.removeSlice("deleteSlice"), a.changePasswd(),
		a.getSliceInfo(), a.listSliceStats("getSliceStats"),
		a.camelListFlowSpace(), a.camelAddFlowSpace(), a.changeFlowSpace(), a.camelRemoveFlowSpace(),
		a.listDevices(), a.getDeviceInfo(), a.listDatapathStats("getSwitchStats"), a.getSwitchFlowDB(), a.getSliceRewriteDB(), a.getLinks(),
		a.setMaximumFlowMods(), a.getMaximumFlowMods(), a.getCurrentFlowMods(), a.setRateLimit(),
		a.setFloodPerm(), a.getFloodPerm(), a.setDefaultFloodPerm(), a.getDefaultFloodPerm(),
		a.setFlowTracking(), a.getFlowTracking(), a.dumpConfig(), a.ping(),
		a.registerCallback(), a.unregisterCallback(), a.registerTopologyEventCallback(), a.deregisterTopologyEventCallback(),
	}
}

// newCommands are govisor's own.
func (a *app) newCommands() []*cobra.Command {
	return []*cobra.Command{
		a.status(), a.apply(), a.diff(), a.trace(), a.watch(), a.conflicts(), a.free(), a.flows(),
		a.audit(), a.tokens(), a.accounts(), a.snapshots(), a.callbacks(), a.loadConfig(), a.backup(), a.whoami(), a.versionCommand(), a.manual(),
	}
}
