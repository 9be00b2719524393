#!/usr/bin/python3
"""The driver of govisor's end-to-end tests: one Mininet network on a private
Open vSwitch, ruled over stdin and stdout by JSON lines.

It is started by internal/e2e in fresh network, mount and pid namespaces, so
that it is process 1 there: when it ends, the kernel ends all it started, and
the links go with the namespace. It ends when its stdin does, so nothing is
left behind by a test that was killed.

Request:  {"id": 1, "op": "exec", ...}
Answer:   {"id": 1, "result": ...} or {"id": 1, "error": "..."}

As "lab.py probe ..." it is the little program that runs inside a host.
"""

import ctypes
import ctypes.util
import faulthandler
import fcntl
import json
import os
import queue
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

# --- inside a host -----------------------------------------------------------


def icmp_checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


PATIENCE = 30  # seconds for echoes that are expected, on a machine that has other things to do


def probe_icmp(count, gap, wait, targets):
    """Sends count echo requests to each target; prints how many came back.

    Those of a target with a + before it are waited for."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ident = os.getpid() & 0xFFFF
    expected = {t[1:] for t in targets if t[0] == "+"}
    targets = [t.lstrip("+") for t in targets]
    seen = {t: set() for t in targets}

    def collect(until, latest):
        while True:
            if all(len(s) == count for s in seen.values()):
                return
            missing = any(len(seen[t]) < count for t in expected)
            left = (max(until, latest) if missing else until) - time.monotonic()
            if left <= 0:
                return
            if not select.select([sock], [], [], left)[0]:
                return
            packet, (source, _) = sock.recvfrom(2048)
            head = (packet[0] & 15) * 4
            kind, _, _, got, seq = struct.unpack("!BBHHH", packet[head:head + 8])
            if kind == 0 and got == ident and source in seen:
                seen[source].add(seq)

    for seq in range(count):
        for target in targets:
            body = struct.pack("!BBHHH", 8, 0, 0, ident, seq) + b"govisor-" * 4
            body = body[:2] + struct.pack("!H", icmp_checksum(body)) + body[4:]
            try:
                sock.sendto(body, (target, 0))
            except OSError:
                pass  # no route or no neighbour: the same as an echo lost
        now = time.monotonic()
        if seq + 1 < count:
            collect(now + gap, now)
        else:
            collect(now + wait, now + PATIENCE)
    print(json.dumps({t: len(s) for t, s in seen.items()}))


def udp_socket(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("0.0.0.0", port))
    return sock


def probe_udp_serve(port):
    """Echoes datagrams until stdin ends; prints how many it received."""
    sock = udp_socket(port)
    print("ready", flush=True)
    received = 0
    while True:
        readable = select.select([sock, sys.stdin], [], [])[0]
        if sock in readable:
            data, peer = sock.recvfrom(2048)
            received += 1
            sock.sendto(data, peer)
        elif readable:
            print(json.dumps(received))
            return


def probe_udp_ask(port, target, count, gap, wait):
    """Sends count datagrams from and to port; prints how many came back."""
    sock = udp_socket(port)
    echoed = set()
    for seq in range(count):
        try:
            sock.sendto(b"%d" % seq, (target, port))
        except OSError:
            pass
        until = time.monotonic() + (gap if seq + 1 < count else wait)
        while len(echoed) < count:
            left = until - time.monotonic()
            if left <= 0 or not select.select([sock], [], [], left)[0]:
                break
            try:
                echoed.add(sock.recv(2048))
            except OSError:
                break
    print(json.dumps(len(echoed)))


def probe_tx_off(name):
    """Turns transmit checksum offload off: a veth leaves checksums undone,
    and a switch in user space would forward them so (ETHTOOL_STXCSUM)."""
    value = ctypes.create_string_buffer(struct.pack("II", 0x17, 0))
    request = struct.pack("16sP", name.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8946, request)


def probe(args):
    kind, args = args[0], args[1:]
    if kind == "icmp":
        probe_icmp(int(args[0]), float(args[1]), float(args[2]), args[3:])
    elif kind == "udp-serve":
        probe_udp_serve(int(args[0]))
    elif kind == "udp-ask":
        probe_udp_ask(int(args[0]), args[1], int(args[2]), float(args[3]), float(args[4]))
    elif kind == "tx-off":
        probe_tx_off(args[0])
    else:
        raise SystemExit("unknown probe " + kind)


# --- the driver --------------------------------------------------------------


def mount(source, target, fstype, flags):
    libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
    if libc.mount(source, target, fstype, flags, None) != 0:
        raise OSError(ctypes.get_errno(), "mount " + target.decode())


def run(argv, timeout=120, **kwargs):
    """Runs a command of our own set-up; its failure is ours."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, text=True, **kwargs)
    if done.returncode:
        raise RuntimeError("%s: exit %d: %s" % (" ".join(argv), done.returncode, done.stdout.strip()))
    return done.stdout


class Lab:
    def __init__(self, work):
        self.work = work
        self.net = None
        self.procs = {}
        mount(b"none", b"/", None, 1 << 18 | 1 << 14)  # MS_PRIVATE | MS_REC
        mount(b"proc", b"/proc", b"proc", 0)
        run(["ip", "link", "set", "lo", "up"])
        for scope in ("all", "default"):  # neighbour discovery would be noise
            switch = "/proc/sys/net/ipv6/conf/%s/disable_ipv6" % scope
            if os.path.exists(switch):
                with open(switch, "w") as f:
                    f.write("1")
        os.environ["OVS_RUNDIR"] = os.environ["OVS_LOGDIR"] = os.environ["OVS_DBDIR"] = work
        os.environ["OVS_SYSCONFDIR"] = work

    # processes, known by a name, their output in work/NAME.log

    def op_spawn(self, name, argv, cwd=None, env=None):
        old = self.procs.get(name)
        if old and old.poll() is None:
            raise RuntimeError("%s is running" % name)
        with open(os.path.join(self.work, name + ".log"), "ab") as log:
            self.procs[name] = subprocess.Popen(
                argv, cwd=cwd or self.work, env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        return self.procs[name].pid

    def op_signal(self, name, number, wait=60):
        """Sends a signal and waits for the end; the exit status, or None."""
        proc = self.procs[name]
        proc.send_signal(number)
        try:
            return proc.wait(wait)
        except subprocess.TimeoutExpired:
            return None

    def op_poll(self, name):
        return self.procs[name].poll()

    def op_exec(self, argv, host=None, stdin=None, timeout=120, cwd=None, env=None):
        make = self.net.get(host).popen if host else subprocess.Popen
        proc = make(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    cwd=cwd or self.work, env={**os.environ, **(env or {})})
        try:
            out, err = proc.communicate((stdin or "").encode(), timeout)
        except subprocess.TimeoutExpired:
            proc.kill()
            out, err = proc.communicate()
            raise RuntimeError("%s: no end within %ss: %s" % (" ".join(argv), timeout, (out + err).decode()))
        return {"code": proc.returncode, "stdout": out.decode(errors="replace"),
                "stderr": err.decode(errors="replace")}

    # the network

    def start_ovs(self):
        work = self.work
        db = os.path.join(work, "conf.db")
        if os.path.exists(db):
            return
        run(["ovsdb-tool", "create", db, "/usr/share/openvswitch/vswitch.ovsschema"])
        self.op_spawn("ovsdb-server", ["ovsdb-server", db, "--remote=punix:%s/db.sock" % work,
                                       "--unixctl=%s/ovsdb.ctl" % work, "--no-chdir", "--pidfile"])
        self.await_path(work + "/db.sock", "ovsdb-server")
        # The socket is there a moment before anybody listens on it.
        run(["ovs-vsctl", "--retry", "--timeout=60", "--no-wait", "init"])
        self.op_spawn("ovs-vswitchd", ["ovs-vswitchd", "unix:%s/db.sock" % work, "--no-chdir", "--pidfile",
                                       "--disable-system", "--disable-system-route"])
        run(["ovs-vsctl", "--timeout=60", "set", "Open_vSwitch", ".", "other_config:vlan-limit=0"])

    def op_ovs(self):
        """Open vSwitch alone, for who brings a network along."""
        self.start_ovs()

    def await_path(self, path, name, wait=60):
        until = time.monotonic() + wait
        while not os.path.exists(path):
            if self.procs[name].poll() is not None or time.monotonic() > until:
                with open(os.path.join(self.work, name + ".log")) as f:
                    raise RuntimeError("%s did not start: %s" % (name, f.read().strip()))
            time.sleep(0.02)

    def op_start(self, switches, hosts, controller, protocols="OpenFlow10", ring=False, flat=False, topo=""):
        """Mininet's linear topology, hosts per switch as given, closed to a ring;
        or another by Mininet's name for it."""
        self.start_ovs()
        from functools import partial
        from mininet.net import Mininet
        from mininet.node import Host, OVSSwitch, RemoteController
        from mininet.topo import LinearTopo, SingleSwitchTopo, Topo
        from mininet.topolib import TreeTopo

        Mininet.inited = True  # its init would raise this machine's limits

        class QuietHost(Host):
            """A host that speaks IPv4 only."""

            def __init__(self, *args, **kwargs):
                Host.__init__(self, *args, **kwargs)
                for scope in ("all", "default"):
                    self.cmd("echo 1 > /proc/sys/net/ipv6/conf/%s/disable_ipv6" % scope)
                # A neighbour that is slow to answer is asked again, a second each, as long as echoes are waited for.
                self.cmd("echo %d > /proc/sys/net/ipv4/neigh/default/mcast_solicit" % PATIENCE)

            def popen(self, *args, **kwargs):
                """Enters the network namespace only: mnexec would enter the one of
                mounts too, and so leave a chroot in which the tests run."""
                kwargs.setdefault("mncmd", ["nsenter", "--net=/proc/%d/ns/net" % self.pid])
                return Host.popen(self, *args, **kwargs)

        class QuietController(RemoteController):
            """A controller that Mininet does not try to reach by telnet, which
            would be one more peer for the tests, and may hang."""

            def checkListening(self):
                pass

        class FlatTopo(Topo):
            """Linear too, but the hosts are h1, h2, ... along the line."""

            def build(self):
                for s in range(switches):
                    self.addSwitch("s%d" % (s + 1))
                    for h in range(hosts):
                        n = s * hosts + h + 1
                        self.addHost("h%d" % n, mac="00:00:00:00:00:%02x" % n, ip="10.0.0.%d/8" % n)
                        self.addLink("h%d" % n, "s%d" % (s + 1), port2=h + 1)
                    if s:
                        self.addLink("s%d" % s, "s%d" % (s + 1))

        ip, port = controller
        if topo:
            kind, *sizes = topo.split(",")
            topo = {"single": SingleSwitchTopo, "tree": TreeTopo}[kind](*map(int, sizes))
        else:
            topo = FlatTopo() if flat else LinearTopo(switches, hosts)
        self.net = Mininet(topo=topo, host=QuietHost, controller=None,
                           switch=partial(OVSSwitch, datapath="user", protocols=protocols),
                           autoSetMacs=not flat, autoStaticArp=False)
        if ring:
            self.net.addLink(self.net.switches[0], self.net.switches[-1])
        self.net.addController("c0", controller=partial(QuietController, ip=ip, port=port))
        for switch in self.net.switches:
            switch.start(self.net.controllers)
        for host in self.net.hosts:
            run_in(host, [sys.executable, __file__, "probe", "tx-off", host.defaultIntf().name])
        ports = {}
        for switch in self.net.switches:
            for intf, number in switch.ports.items():
                if number and intf.link:
                    peer = intf.link.intf2 if intf.link.intf1 is intf else intf.link.intf1
                    ports.setdefault(switch.name, {})[peer.node.name] = number
        return {
            "hosts": {h.name: {"ip": h.IP(), "mac": h.MAC()} for h in self.net.hosts},
            "switches": {s.name: {"dpid": s.dpid, "ports": ports[s.name]} for s in self.net.switches},
        }

    def op_connected(self):
        """Which switches have a controller connection."""
        return {s.name: s.connected() for s in self.net.switches}

    def op_ping(self, pairs=None, count=1, gap=0.3, wait=2.0, expect=None):
        """Echoes received for each ordered pair of hosts, {src: {dst: n}}. Those
        within a group of hosts of expect are waited for."""
        names = [h.name for h in self.net.hosts]
        pairs = pairs or [(a, b) for a in names for b in names if a != b]
        by_source = {}
        for src, dst in pairs:
            by_source.setdefault(src, []).append(dst)
        running = {}
        for src, dsts in by_source.items():
            argv = [sys.executable, __file__, "probe", "icmp", str(count), str(gap), str(wait)]
            for dst in dsts:
                expected = any(src in group and dst in group for group in expect or ())
                argv.append(("+" if expected else "") + self.net.get(dst).IP())
            running[src] = self.net.get(src).popen(argv, stdin=subprocess.DEVNULL)
        result = {}
        for src, proc in running.items():
            out, err = proc.communicate(timeout=count * gap + wait + 2 * PATIENCE)
            if proc.returncode:
                raise RuntimeError("ping from %s: %s" % (src, err.decode()))
            got = json.loads(out)
            result[src] = {d: got[self.net.get(d).IP()] for d in by_source[src]}
        return result

    def op_udp(self, src, dst, port, count=3, gap=0.3, wait=2.0):
        """Datagrams that arrived at dst, and their echoes back at src."""
        me = [sys.executable, __file__, "probe"]
        serve = self.net.get(dst).popen(me + ["udp-serve", str(port)], stdin=subprocess.PIPE)
        try:
            if serve.stdout.readline().strip() != b"ready":
                raise RuntimeError("udp server: " + serve.stderr.read().decode())
            ask = self.net.get(src).popen(me + ["udp-ask", str(port), self.net.get(dst).IP(),
                                                str(count), str(gap), str(wait)], stdin=subprocess.DEVNULL)
            out, err = ask.communicate(timeout=count * gap + wait + 2 * PATIENCE)
            if ask.returncode:
                raise RuntimeError("udp from %s: %s" % (src, err.decode()))
            received = serve.communicate(timeout=PATIENCE)[0]
            return {"sent": count, "received": json.loads(received), "echoed": json.loads(out)}
        finally:
            if serve.poll() is None:
                serve.kill()

    def op_forget(self):
        """Empties the hosts' neighbour tables."""
        for host in self.net.hosts:
            run_in(host, ["ip", "neigh", "flush", "all"])

    def op_link(self, a, b, status):
        self.net.configLinkStatus(a, b, status)

    # the conversation

    def serve(self):
        requests = queue.Queue()

        def read():
            for line in sys.stdin:
                requests.put(json.loads(line))
            self.end()  # the test is gone, even if an operation still runs

        threading.Thread(target=read, daemon=True).start()
        while True:
            request = requests.get()
            number, op = request.pop("id"), request.pop("op")
            answer = {"id": number}
            faulthandler.dump_traceback_later(240)  # where it hangs, if it does
            try:
                answer["result"] = getattr(self, "op_" + op)(**request)
            except BaseException as err:  # pylint: disable=broad-except
                answer["error"] = "%s: %s: %s" % (op, type(err).__name__, err)
            faulthandler.cancel_dump_traceback_later()
            self.out.write(json.dumps(answer) + "\n")
            self.out.flush()

    def end(self):
        if not os.environ.get("GOVISOR_E2E_KEEP"):
            shutil.rmtree(self.work, ignore_errors=True)
        os._exit(0)


def run_in(host, argv):
    proc = host.popen(argv, stdin=subprocess.DEVNULL)
    out, err = proc.communicate(timeout=60)
    if proc.returncode:
        raise RuntimeError("%s: %s: %s" % (host.name, " ".join(argv), (out + err).decode()))
    return out.decode()


def main():
    if sys.argv[1:2] == ["probe"]:
        probe(sys.argv[2:])
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever a library prints must not get among the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lab = Lab(sys.argv[1])
    lab.out = out
    lab.serve()


if __name__ == "__main__":
    main()
