#!/usr/bin/python3
"""Builds a Mininet network of govisor's switches, lets every host ping every
other and sends TCP from the first to the last. Prints one JSON object.

    pingall.py linear,3 [controller-command]

It needs root, and is meant to be run in a network namespace of its own
(unshare --net --mount --pid --fork --mount-proc).
"""

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(target, tries=30):
    """One echo that comes back, out of a few: there may be no ping program."""
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ident = os.getpid() & 0xFFFF
    for seq in range(tries):
        body = struct.pack("!BBHHH", 8, 0, 0, ident, seq) + b"govisor!"
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        s.sendto(body, (target, 0))
        until = time.monotonic() + 1
        while True:
            left = until - time.monotonic()
            if left <= 0 or not select.select([s], [], [], left)[0]:
                break
            packet, (source, _) = s.recvfrom(2048)
            head = (packet[0] & 15) * 4
            if packet[head] == 0 and packet[head + 4:head + 6] == struct.pack("!H", ident) and source == target:
                return True
    return False


def serve_tcp(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", port))
    s.listen(1)
    print("ready", flush=True)
    c, _ = s.accept()
    n = 0
    while True:
        b = c.recv(1 << 20)
        if not b:
            break
        n += len(b)
    c.sendall(b"%d" % n)
    c.close()


def send_tcp(host, port, size):
    c = socket.create_connection((host, port), timeout=60)
    c.settimeout(60)
    start = time.monotonic()
    chunk = b"x" * 65536
    left = size
    while left > 0:
        left -= c.send(chunk[:min(left, len(chunk))])
    c.shutdown(socket.SHUT_WR)
    got = int(c.recv(64))
    print(json.dumps({"bytes": got, "seconds": time.monotonic() - start}))


def main(topo, controller):
    from mininet.net import Mininet
    from mininet.node import RemoteController
    from mininet.topolib import TreeTopo
    from mininet.topo import LinearTopo
    from govisor_switch import GovisorSwitch

    kind, size = topo.split(",")
    shape = {"linear": lambda n: LinearTopo(k=n), "tree": lambda n: TreeTopo(depth=n)}[kind](int(size))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    child = None
    if controller:
        child = subprocess.Popen(controller, shell=True, stdout=sys.stderr)
    net = Mininet(topo=shape, switch=GovisorSwitch, controller=None, autoSetMacs=True)
    if controller:
        net.addController("c0", RemoteController, ip="127.0.0.1", port=6633)
    net.start()
    result = {"sent": 0, "received": 0}
    try:
        me = os.path.abspath(__file__)
        if controller:
            until = time.time() + 60
            while not all(s.connected() for s in net.switches):
                if time.time() > until:
                    raise Exception("no controller connection")
                time.sleep(0.05)
        for a in net.hosts:
            for b in net.hosts:
                if a is b:
                    continue
                result["sent"] += 1
                if "yes" in a.cmd("python3 %s ping %s" % (me, b.IP())):
                    result["received"] += 1
        first, last = net.hosts[0], net.hosts[-1]
        # Not by mnexec: it would leave a chroot in which the tests run.
        server = last.popen(["python3", me, "serve", "5001"], stdout=subprocess.PIPE, text=True,
                            mncmd=["nsenter", "--net=/proc/%d/ns/net" % last.pid])
        server.stdout.readline()
        result["tcp"] = json.loads(first.cmd("python3 %s send %s 5001 %d" % (me, last.IP(), 64 << 20)))
        server.wait(60)
        result["flows"] = net.switches[0].dpctl("dump-flows")
    finally:
        net.stop()
        if child:
            child.kill()
            child.wait()
    print("RESULT " + json.dumps(result))


if __name__ == "__main__":
    if sys.argv[1] == "ping":
        print("yes" if ping(sys.argv[2]) else "no")
    elif sys.argv[1] == "serve":
        serve_tcp(int(sys.argv[2]))
    elif sys.argv[1] == "send":
        send_tcp(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
