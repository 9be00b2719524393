"""Mininet's view of govisor's bundled switch.

    mn --custom testdata/mininet/govisor_switch.py --switch govisor --topo linear,3 ...

The program is looked for in $GOVISOR, then in PATH. Without a controller
(--controller none) the switches learn by themselves.
"""

import os
import shutil
import tempfile
import time

from mininet.log import error
from mininet.node import Switch


class GovisorSwitch(Switch):
    """One `govisor switch` process in the root namespace."""

    def __init__(self, name, failMode=None, options="", **params):
        """failMode: standalone or secure (default: the program's own).
        options: further options for the command line."""
        Switch.__init__(self, name, **params)
        self.failMode = failMode
        self.options = options
        self.run_dir = None
        self.daemon = None
        self.controllers = []

    @staticmethod
    def program():
        found = os.environ.get("GOVISOR") or shutil.which("govisor")
        if not found:
            raise Exception("govisor not found: set GOVISOR or PATH")
        return os.path.abspath(found)

    @classmethod
    def setup(cls):
        cls.program()

    @property
    def management(self):
        """Where ofctl reaches this switch."""
        return os.path.join(self.run_dir, "mgmt")

    def start(self, controllers):
        self.controllers = controllers
        self.run_dir = tempfile.mkdtemp(prefix="govisor-%s-" % self.name)
        words = [
            self.program(), "switch",
            "--dpid", "0x" + self.dpid,
            "--listen", "punix:" + self.management,
            "--socket", os.path.join(self.run_dir, "ports"),
        ]
        for c in controllers:
            words += ["--controller", "tcp:%s:%d" % (c.IP(), c.port)]
        if self.failMode:
            words += ["--fail-mode", self.failMode]
        for number, intf in sorted(self.intfs.items()):
            if intf.name == "lo":
                continue
            self.cmd("ip link set dev %s up" % intf.name)
            words += ["--port", "%d=%s" % (number, intf.name)]
        log = os.path.join(self.run_dir, "log")
        # exec, so that the process id the shell reports is the switch's own.
        self.cmd("sh -c 'exec %s %s' > %s 2>&1 &" % (" ".join(words), self.options, log))
        self.daemon = self.lastPid
        deadline = time.time() + 10
        while not os.path.exists(self.management):
            if time.time() > deadline:
                with open(log) as f:
                    error("%s did not start:\n%s" % (self.name, f.read()))
                raise Exception("govisor switch %s did not start" % self.name)
            time.sleep(0.02)

    def connected(self):
        if not self.controllers:
            return True  # mn waits for this; a switch on its own has nobody to wait for
        with open(os.path.join(self.run_dir, "log")) as f:
            return "msg=connected" in f.read()

    def stop(self, deleteIntfs=True):
        if self.daemon:
            self.cmd("kill %s" % self.daemon)
            self.cmd("wait %s" % self.daemon)
            self.daemon = None
        if self.run_dir:
            shutil.rmtree(self.run_dir, ignore_errors=True)
            self.run_dir = None
        Switch.stop(self, deleteIntfs)

    def attach(self, intf):
        """Adds an interface to a running switch."""
        number = self.ports[self.intf(intf)] if isinstance(intf, str) else self.ports[intf]
        self.admin("add-port", "%d=%s" % (number, intf))

    def detach(self, intf):
        """Removes an interface from a running switch."""
        number = self.ports[self.intf(intf)] if isinstance(intf, str) else self.ports[intf]
        self.admin("del-port", str(number))

    def admin(self, *words):
        return self.cmd(self.program(), "switch", *(words + ("--socket", os.path.join(self.run_dir, "ports"))))

    def dpctl(self, *words):
        """Runs `govisor ofctl COMMAND THIS-SWITCH ...`."""
        return self.cmd(self.program(), "ofctl", words[0], "unix:" + self.management, *words[1:])


switches = {"govisor": GovisorSwitch}
