// Package bundled registers the applications that come with govisor.
package bundled

import (
	"sync"

	"github.com/govisor/govisor/ofcontroller"
	"github.com/govisor/govisor/ofcontroller/discovery"
	"github.com/govisor/govisor/ofcontroller/firewall"
	"github.com/govisor/govisor/ofcontroller/hub"
	"github.com/govisor/govisor/ofcontroller/learning"
	"github.com/govisor/govisor/ofcontroller/shortestpath"
	"github.com/govisor/govisor/ofcontroller/static"
)

// Register registers them, once, however often it is called.
var Register = sync.OnceFunc(func() {
	ofcontroller.Register("discovery", discovery.Open)
	ofcontroller.Register("firewall", firewall.Open)
	ofcontroller.Register("hub", hub.Open)
	ofcontroller.Register("learning", learning.Open)
	ofcontroller.Register("shortest-path", shortestpath.Open)
	ofcontroller.Register("static", static.Open)
})
