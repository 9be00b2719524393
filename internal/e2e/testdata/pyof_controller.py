#!/usr/bin/python3
"""A controller on python-openflow (Debian's python3-openflow), which shares no
code with govisor: it builds and reads every message by that library.

    pyof_controller.py PORT

With each switch that connects it holds a fixed conversation and prints what it
was told, a line an answer: "DPID STEP: ANSWER", and "DPID end" after the last.
Then it is a learning switch. What depends on time or traffic (durations,
counters, buffers) is not printed, so that conversations with equal switches
print the same.
"""

import socket
import sys
import threading

from pyof.utils import unpack
from pyof.v0x01.asynchronous.error_msg import ErrorMsg
from pyof.v0x01.asynchronous.flow_removed import FlowRemoved
from pyof.v0x01.asynchronous.packet_in import PacketIn
from pyof.v0x01.asynchronous.port_status import PortStatus
from pyof.v0x01.common.action import ActionDLAddr, ActionNWTos, ActionOutput, ActionType, ActionVlanVid
from pyof.v0x01.common.flow_match import Match
from pyof.v0x01.common.phy_port import Port
from pyof.v0x01.controller2switch.barrier_reply import BarrierReply
from pyof.v0x01.controller2switch.barrier_request import BarrierRequest
from pyof.v0x01.controller2switch.common import (
    AggregateStatsRequest, FlowStatsRequest, PortStatsRequest, StatsType)
from pyof.v0x01.controller2switch.features_reply import FeaturesReply
from pyof.v0x01.controller2switch.features_request import FeaturesRequest
from pyof.v0x01.controller2switch.flow_mod import FlowMod, FlowModCommand, FlowModFlags
from pyof.v0x01.controller2switch.get_config_reply import GetConfigReply
from pyof.v0x01.controller2switch.get_config_request import GetConfigRequest
from pyof.v0x01.controller2switch.packet_out import PacketOut
from pyof.v0x01.controller2switch.port_mod import PortMod
from pyof.v0x01.controller2switch.set_config import SetConfig
from pyof.v0x01.controller2switch.stats_reply import StatsReply
from pyof.v0x01.controller2switch.stats_request import StatsRequest
from pyof.v0x01.symmetric.echo_reply import EchoReply
from pyof.v0x01.symmetric.echo_request import EchoRequest
from pyof.v0x01.symmetric.hello import Hello

ADD, MODIFY, MODIFY_STRICT, DELETE, DELETE_STRICT = (
    FlowModCommand.OFPFC_ADD, FlowModCommand.OFPFC_MODIFY, FlowModCommand.OFPFC_MODIFY_STRICT,
    FlowModCommand.OFPFC_DELETE, FlowModCommand.OFPFC_DELETE_STRICT)
REMOVED, OVERLAP = FlowModFlags.OFPFF_SEND_FLOW_REM, FlowModFlags.OFPFF_CHECK_OVERLAP
NO_BUFFER = 0xffffffff
NO_FLOOD = 1 << 4
FRAME = bytes.fromhex("ffffffffffff 020000000099 88b5") + bytes(range(50))

print_lock = threading.Lock()


def number(value):
    """The integer of a field, which the library may hold in several types."""
    return int(getattr(value, "value", value))


def show(message):
    """An answer in words."""
    kind = type(message).__name__
    if isinstance(message, FeaturesReply):
        ports = ["%d %s config %#x" % (number(p.port_no), p.name.value.rstrip("\0"), number(p.config))
                 for p in message.ports]
        return "%s actions %#x ports %s" % (kind, number(message.actions), sorted(ports))
    if isinstance(message, GetConfigReply):
        return "%s flags %d miss_send_len %d" % (kind, number(message.flags), number(message.miss_send_len))
    if isinstance(message, EchoReply):
        return "%s %r" % (kind, message.data.value)
    if isinstance(message, ErrorMsg):
        return "%s %s %s about %s" % (kind, message.error_type, message.code, message.data.value[:64].hex())
    if isinstance(message, FlowRemoved):
        return "%s %s priority %d cookie %#x reason %s idle %d" % (
            kind, message.match.pack().hex(), number(message.priority), number(message.cookie),
            message.reason, number(message.idle_timeout))
    if isinstance(message, PacketIn):
        return "%s total %d port %#x reason %s data %s" % (
            kind, number(message.total_len), number(message.in_port), message.reason, message.data.value.hex())
    if isinstance(message, StatsReply):
        return "%s %s flags %d %s" % (kind, message.body_type, number(message.flags), sorted(map(show_stats, message.body)))
    return kind


def show_stats(entry):
    kind = type(entry).__name__
    if kind == "FlowStats":
        return "%s priority %d cookie %#x idle %d hard %d actions %s" % (
            entry.match.pack().hex(), number(entry.priority), number(entry.cookie), number(entry.idle_timeout),
            number(entry.hard_timeout), entry.actions.pack().hex())
    if kind == "AggregateStatsReply":
        return "%d flows" % number(entry.flow_count)
    if kind == "PortStats":
        return "port %d" % number(entry.port_no)
    return kind


class Switch:
    """One connection."""

    def __init__(self, conn):
        self.conn = conn
        self.dpid = None
        self.last = 1000
        self.table = {}  # MAC: port

    def send(self, message):
        """Sends with an xid of its own, which it returns."""
        self.last += 1
        message.header.xid = self.last
        self.conn.sendall(message.pack())
        return self.last

    def read(self):
        """The next message that is not a question of the switch's."""
        while True:
            head = self.exactly(8)
            raw = head + self.exactly(int.from_bytes(head[2:4], "big") - 8)
            message = unpack(raw)
            if isinstance(message, EchoRequest):
                self.conn.sendall(EchoReply(xid=message.header.xid, data=message.data).pack())
            elif not isinstance(message, Hello):
                return message

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.conn.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def say(self, step, text=None):
        with print_lock:
            print(self.dpid, step if text is None else "%s: %s" % (step, text), flush=True)

    def ask(self, step, *messages, events=0):
        """Sends messages and a barrier, and prints what is said up to its reply,
        and up to the last of the events expected, which may be later.

        Packets of the network, and what it tells of its ports, are nothing of
        the conversation."""
        sent = {self.send(m): i for i, m in enumerate(messages)}
        barrier = self.send(BarrierRequest())
        while barrier or events > 0:
            answer = self.read()
            if isinstance(answer, BarrierReply):
                if number(answer.header.xid) != barrier:
                    self.say(step, "BarrierReply of nobody")
                barrier = 0
                continue
            if isinstance(answer, PortStatus):
                continue
            if isinstance(answer, PacketIn) and bytes(answer.data.value)[6:12] != FRAME[6:12]:
                continue
            if isinstance(answer, (PacketIn, FlowRemoved)):
                events -= 1
            about = sent.get(number(answer.header.xid))
            self.say(step, show(answer) + ("" if about is None else ", to message %d" % about))

    def flows(self, step):
        self.ask(step,
                 StatsRequest(body_type=StatsType.OFPST_FLOW, body=FlowStatsRequest()),
                 StatsRequest(body_type=StatsType.OFPST_AGGREGATE, body=AggregateStatsRequest()))

    def conversation(self):
        self.send(Hello())
        request = self.send(FeaturesRequest())
        while True:
            features = self.read()
            if isinstance(features, FeaturesReply):
                break
        assert number(features.header.xid) == request
        self.dpid = int(features.datapath_id.value.replace(":", ""), 16)
        self.say("features", show(features))
        physical = sorted((number(p.port_no), p.hw_addr) for p in features.ports if number(p.port_no) < 0xff00)
        one, two = physical[0][0], physical[1][0]

        self.ask("clear", FlowMod(command=DELETE))
        self.ask("echo", EchoRequest(data=b"is anybody there?"))
        self.ask("config", SetConfig(flags=0, miss_send_len=96), GetConfigRequest())
        self.ask("ports", StatsRequest(body_type=StatsType.OFPST_PORT, body=PortStatsRequest(Port.OFPP_NONE)))
        self.ask("one port", StatsRequest(body_type=StatsType.OFPST_PORT, body=PortStatsRequest(one)))

        web = Match(dl_type=0x0800, nw_proto=6, nw_dst="10.1.2.0/24", tp_dst=80)
        lan = Match(in_port=one, dl_vlan=7)
        exact = Match(wildcards=0, in_port=two, dl_src="02:00:00:00:00:01", dl_dst="02:00:00:00:00:02",
                      dl_vlan=0xffff, dl_type=0x0800, nw_proto=17, nw_src="10.0.0.1", nw_dst="10.0.0.2",
                      tp_src=4000, tp_dst=5000)
        exact.wildcards = 0
        self.ask("add",
                 FlowMod(match=web, command=ADD, priority=300, cookie=0xabc, idle_timeout=60, flags=REMOVED,
                         actions=[ActionNWTos(action_type=ActionType.OFPAT_SET_NW_TOS, nw_tos=32), ActionOutput(port=two)]),
                 FlowMod(match=lan, command=ADD, priority=200, cookie=0xdef, hard_timeout=900, flags=REMOVED,
                         actions=[ActionVlanVid(vlan_id=9), ActionOutput(port=two), ActionOutput(port=Port.OFPP_IN_PORT)]),
                 FlowMod(match=exact, command=ADD, priority=0xffff, flags=0,
                         actions=[ActionDLAddr(action_type=ActionType.OFPAT_SET_DL_DST, dl_addr="02:00:00:00:00:77"), ActionOutput(port=one)]),
                 FlowMod(match=Match(dl_type=0x88b5), command=ADD, priority=100, flags=0,
                         actions=[ActionOutput(port=Port.OFPP_CONTROLLER, max_length=40)]))
        self.flows("after add")
        self.ask("overlap", FlowMod(match=Match(dl_type=0x0800), command=ADD, priority=300, flags=OVERLAP))
        self.ask("same again", FlowMod(match=lan, command=ADD, priority=200, cookie=0x123, flags=0, actions=[ActionOutput(port=two)]))
        self.ask("modify", FlowMod(match=Match(dl_type=0x0800), command=MODIFY, cookie=0x77, flags=0, actions=[ActionOutput(port=one)]))
        self.ask("modify strict", FlowMod(match=lan, command=MODIFY_STRICT, priority=200, cookie=0x88, flags=0, actions=[]))
        self.ask("modify nothing", FlowMod(match=Match(tp_src=1, dl_type=0x0800, nw_proto=6), command=MODIFY_STRICT,
                                           priority=9, cookie=0x99, flags=0, actions=[ActionOutput(port=one)]))
        self.flows("after modify")

        self.ask("to the controller", PacketOut(actions=[ActionOutput(port=Port.OFPP_CONTROLLER, max_length=0xffff)], data=FRAME), events=1)
        self.ask("to the table", PacketOut(in_port=one, actions=[ActionOutput(port=Port.OFPP_TABLE)], data=FRAME), events=1)

        self.ask("bad port", FlowMod(match=lan, command=ADD, priority=1, flags=0, actions=[ActionOutput(port=0)]))
        self.ask("bad buffer", PacketOut(buffer_id=12345, in_port=one, actions=[ActionOutput(port=two)]))
        self.ask("bad stats", StatsRequest(body_type=77))
        self.ask("bad command", FlowMod(match=lan, command=9, flags=0))
        self.ask("bad hw_addr", PortMod(port_no=one, hw_addr="02:bb:bb:bb:bb:bb", config=0, mask=NO_FLOOD, advertise=0))
        self.ask("no flood", PortMod(port_no=one, hw_addr=physical[0][1], config=NO_FLOOD, mask=NO_FLOOD, advertise=0), FeaturesRequest())
        self.ask("flood", PortMod(port_no=one, hw_addr=physical[0][1], config=0, mask=NO_FLOOD, advertise=0), FeaturesRequest())

        self.ask("delete by port", FlowMod(command=DELETE, out_port=two, flags=0))
        self.ask("delete strict", FlowMod(match=web, command=DELETE_STRICT, priority=301, flags=0),
                 FlowMod(match=web, command=DELETE_STRICT, priority=300, flags=0), events=1)
        self.flows("after delete")
        self.ask("delete", FlowMod(command=DELETE, flags=0))
        self.flows("at last")
        self.ask("config again", SetConfig(flags=0, miss_send_len=0xffff), GetConfigRequest())
        self.say("end")

    def learn(self):
        """A learning switch, for good."""
        while True:
            message = self.read()
            if not isinstance(message, PacketIn):
                continue
            data, port = bytes(message.data.value), number(message.in_port)
            destination, source = data[0:6], data[6:12]
            self.table[source] = port
            known = self.table.get(destination)
            buffer = number(message.buffer_id)
            if known is not None and not destination[0] & 1:
                mac = ":".join("%02x" % b for b in destination)
                self.send(FlowMod(match=Match(in_port=port, dl_dst=mac), command=ADD, priority=10, idle_timeout=30,
                                  flags=0, actions=[ActionOutput(port=known)]))
            self.send(PacketOut(buffer_id=buffer, in_port=port, data=b"" if buffer != NO_BUFFER else data,
                                actions=[ActionOutput(port=known or Port.OFPP_FLOOD)]))

    def serve(self):
        with self.conn:
            try:
                self.conversation()
                self.learn()
            except (EOFError, ConnectionError):
                pass
            except BaseException as err:
                self.say("failed", "%s: %s" % (type(err).__name__, err))
                raise


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening", flush=True)
    while True:
        conn, _ = listener.accept()
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Switch(conn).serve, daemon=True).start()


if __name__ == "__main__":
    main()
