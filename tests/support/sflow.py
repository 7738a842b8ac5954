"""sFlow as a test or the demonstration sees it: a collector that remembers what arrived.

    with Collector(namespace, "10.0.0.1:6343") as collector:
        ...
        samples = collector.wait_for(lambda: [s for s in collector.flow_samples() if s["input"] == 3])

What arrives is decoded by tests/support/sflow_collector, the program beside this file; the names of samples,
records and fields are those that it prints.

A Site is what the documentation of the field describes: a host whose bridge carries virtual machines, and a
collector at the other end of the host's interface eth1.
"""

import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
from dataclasses import dataclass

import netns
from ovs_test import Closing, build_dir, limit, wait_until
from two_hosts import Host


def record(sample, name):
    """The record of that name of a sample, or None."""
    return next((r for r in sample["records"] if r["record"] == name), None)


# The agent of the datagrams by which a collector finds out what it has not read yet.
MARKER = "255.255.255.255"


class Collector(Closing):
    """Listens in a namespace (None: here) at "[ADDRESS:]PORT", where an IPv6 address has brackets; a port of 0 is
    any free one."""

    def __init__(self, namespace=None, address="0"):
        self._namespace = namespace
        self._host = address.rpartition(":")[0].strip("[]") or "127.0.0.1"
        self._markers_sent = self._markers_seen = 0
        program = [build_dir() / "tests" / "support" / "sflow_collector", str(address)]
        prefix = list(namespace.prefix) if namespace else []
        self._process = subprocess.Popen([*prefix, *program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         text=True)
        first = self._process.stdout.readline()
        assert first, f"no collector at {address}"
        self.port = json.loads(first)["port"]
        self.datagrams = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:
            datagram = json.loads(line)
            if datagram.get("agent") == MARKER:
                self._markers_seen = datagram["sequence"]
            else:
                self.datagrams.append(datagram)

    def settle(self):
        """Waits until everything that was sent to it before is in `datagrams`."""
        self._markers_sent += 1
        number = self._markers_sent
        with self._namespace.entered() if self._namespace else contextlib.nullcontext():
            sock = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.sendto(struct.pack("!II4s4I", 5, 1, socket.inet_aton(MARKER), 0, number, 0, 0),
                        (self._host, self.port))
        wait_until(lambda: self._markers_seen >= number, what="the collector to read what it has got")

    def close(self):
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        self._process.stdout.close()
        # Nothing that is not sFlow may ever arrive.
        errors = [d["error"] for d in self.datagrams if "error" in d]
        assert not errors, errors

    def samples(self, kind):
        return [s for d in list(self.datagrams) for s in d["samples"] if s["sample"] == kind]

    def flow_samples(self):
        return self.samples("flow")

    def counter_samples(self):
        return self.samples("counters")

    def clear(self):
        """Forgets what was sent to it before, also what is still on its way."""
        self.settle()
        self.datagrams = []

    @staticmethod
    def wait_for(condition, timeout=10, what="datagrams of sFlow"):
        """Waits until condition() is true, and returns what it returned."""
        found = []

        def look():
            found[:] = [condition()]
            return found[0]

        wait_until(look, timeout, what)
        return found[0]


@dataclass(frozen=True)
class Machine:
    name: str
    tap: str       # its cable's end in the host
    vlan: int      # that the port belongs to; 0: none
    address: str
    mac: bytes


MACHINES = (
    Machine("vm1", "tap0", 10, "192.168.0.1", bytes.fromhex("020000000001")),
    Machine("vm2", "tap1", 10, "192.168.0.2", bytes.fromhex("020000000002")),
    Machine("vm3", "tap2", 20, "192.168.0.3", bytes.fromhex("020000000003")),
    Machine("vm4", "tap3", 20, "192.168.0.4", bytes.fromhex("020000000004")),
)


def udp_frame(source, destination, size=100, port=9, tags=()):
    """An Ethernet frame of `size` bytes from one machine to another; tags are (VLAN, priority)."""
    payload = size - 14 - 4 * len(tags) - 28
    udp = struct.pack("!HHHH", 4000 + port, port, 8 + payload, 0) + bytes(payload)
    addresses = bytes(map(int, f"{source.address}.{destination.address}".split(".")))
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    header = header[:10] + struct.pack("!H", ~total & 0xffff) + header[12:]
    tagged = b"".join(struct.pack("!HH", 0x8100, priority << 13 | vlan) for vlan, priority in tags)
    return destination.mac + source.mac + tagged + b"\x08\x00" + header + udp


class Site(Closing):
    """A host with br0 and machines on it, and a collector's host.

    host: eth1 has 10.0.0.2 and fd00::2; collector: eth0 has 10.0.0.1 and fd00::1.  The machines do not know IPv6,
    and know their IPv4 addresses only where they are to `answer`: otherwise no packet enters the bridge but those that
    a test sends.
    """

    def __init__(self, machines=MACHINES, flavour="ours", args=(), datapath_type=None, answer=False):
        self.machines = {m.name: m for m in machines}
        self.answer = answer
        self._log_mark = 0
        self.flavour, self.args, self.datapath_type = flavour, args, datapath_type
        self._open = contextlib.ExitStack()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        self.network = self._open.enter_context(netns.Network())
        self.namespaces = {name: self.network.namespace(name) for name in ("host", "collector", *self.machines)}
        for name, namespace in self.namespaces.items():
            if name != "collector":
                namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
        host, collector = self.namespaces["host"], self.namespaces["collector"]
        self.network.veth(host, "eth1", collector, "eth0")
        host.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6")
        host.address("eth1", "10.0.0.2/24", "fd00::2/64")
        collector.address("eth0", "10.0.0.1/24", "fd00::1/64")
        for m in self.machines.values():
            inside = self.namespaces[m.name]
            self.network.veth(host, m.tap, inside, "eth0", up=False)
            inside.run("ip", "link", "set", "eth0", "address", m.mac.hex(":"), "up")
            if self.answer:
                inside.address("eth0", m.address + "/24")
            host.run("ip", "link", "set", m.tap, "up")
        self.host = Host(host, self.flavour)
        self._open.callback(self.host.close)
        # A name server is not reachable from here; let that be known soon.
        self.host.box.env["RES_OPTIONS"] = "timeout:1 attempts:1"
        self.host.start(self.args)

        bridge = () if self.datapath_type is None else \
            ("--", "set", "bridge", "br0", f"datapath_type={self.datapath_type}")
        self.vsctl("add-br", "br0", *bridge)
        for m in self.machines.values():
            self.vsctl("add-port", "br0", m.tap, *([f"tag={m.vlan}"] if m.vlan else []))
            netns.wait_carrier(host, m.tap)
        self.wires = {name: self._open.enter_context(self.namespaces[name].sniff("eth0")) for name in self.machines}

    def close(self):
        self._open.close()

    def vsctl(self, *words, **options):
        return self.host.vsctl(*words, **options)

    def shell(self, script, status=0):
        """What an administrator types on the host: the programs are in PATH.  Returns the CompletedProcess."""
        build = build_dir()
        path = f"{build}/utilities:{build}/src/dbserver:{build}/src/vswitchd:{os.environ['PATH']}"
        done = subprocess.run([*self.namespaces["host"].prefix, "bash", "-c", script], text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, env={**self.host.box.env, "PATH": path}, timeout=limit(60))
        assert status is None or done.returncode == status, f"{script}\n{done.stdout}{done.stderr}"
        return done

    def collector(self, address="10.0.0.1:6343"):
        return Collector(self.namespaces["collector"], address)

    def ifindex(self, interface):
        return int(self.namespaces["host"].run("cat", f"/sys/class/net/{interface}/ifindex").stdout)

    def set_sflow(self, target='"10.0.0.1:6343"', **columns):
        """Gives br0 sFlow; returns the UUID of its record."""
        settings = [f"{name}={value}" for name, value in columns.items()]
        return self.vsctl("--", "--id=@s", "create", "sflow", f"target={target}", *settings,
                          "--", "set", "bridge", "br0", "sflow=@s").strip()

    def log(self):
        """What the switch has logged since the last mark_log()."""
        return (self.host.box.log_dir / "ovs-vswitchd.log").read_text()[self._log_mark:]

    def mark_log(self):
        self._log_mark += len(self.log())

    def restart_switch(self):
        self.host.switch.stop()
        self.host.start_switch(self.args)
        self.host.appctl("daemon/wait-ready")

    def restart_server(self):
        self.host.server.stop()
        self.host.server = self.host.box.start_ovsdb_server(flavour=self.flavour)

    def warp(self, seconds):
        """Lets the switch's timers run ahead by so much, in steps of a second."""
        self.host.appctl("time/warp", str(seconds * 1000), "1000")

    def send(self, source, destination, count=1, size=100, port=9, tags=()):
        """Sends frames from one machine to another, as they are."""
        frame = udp_frame(self.machines[source], self.machines[destination], size, port, tags)
        wire = self.wires[source]
        for _ in range(count):
            wire.send(frame)

    def pave(self, source, destination, size=100):
        """Sends one frame, and waits until the switch has a flow for those that follow: many at once would have to wait
        for the decision about the first one, as far as there is room for them."""
        self.send(source, destination, 1, size)
        macs = [self.machines[name].mac.hex(":") for name in (source, destination)]
        wait_until(lambda: any(f"eth(src={macs[0]},dst={macs[1]})" in line for line in
                               self.host.appctl("dpctl/dump-flows").splitlines()),
                   what=f"the flow from {source} to {destination}")

    def introduce(self):
        """Lets the bridge learn where each machine is, so that nothing that follows is flooded."""
        self.introduce_on("br0", *self.machines)

    def introduce_on(self, bridge, *names):
        macs = {name: self.machines[name].mac for name in names}

        def known():
            table = self.host.appctl("fdb/show", bridge, status=None)
            unknown = [name for name, mac in macs.items() if mac.hex(":") not in table]
            # Again each time: a switch that has just been started may not have its ports yet.
            for name in unknown:
                self.wires[name].send(b"\xff" * 6 + macs[name] + b"\x88\xb5" + bytes(46))
            return not unknown
        wait_until(known, what=f"{', '.join(names)} to be known on {bridge}")
