"""Two hosts that OpenRC boots, with the network that /etc/conf.d/ovs declares: VLANs as the documentation
of the field has them, and sFlow.

    host1: vm1 on tap0 in VLAN 1, vm2 on tap1 in VLAN 2     host2: vm3 and vm4 likewise
    eth0 of both: the cable between them, with all VLANs    eth1 of host1: the collector of sFlow

The devices of virtual machines and the cable may appear before, during or after the boot.
"""

import json
import select
import socket
import threading
import time

import netns
import openrc_machine
from ovs_test import Closing, RpcClient, limit, wait_until

VLANS = """
ovs_bridges="br0"
ovs_ports_br0="eth0 tap0 tap1"
ovs_port_tap0="tag=1"
ovs_port_tap1="tag=2"
"""
COLLECTOR = "10.9.0.1"
SFLOW = VLANS + f'ovs_sflow_br0="agent=eth1 targets={COLLECTOR}:6343 header=128 sampling=1 polling=1"\n'
SETUPS = {"vlan": VLANS, "sflow": SFLOW}

# When devices appear: before `openrc default`, while it runs, 5 seconds after its end.
MOMENTS = ("before", "during", "after")
LATE = 5.0

DATABASE = "/var/lib/openvswitch/conf.db"
ADDRESSES = {"vm1": "10.1.0.1", "vm2": "10.1.0.2", "vm3": "10.1.0.3", "vm4": "10.1.0.4"}


class Hosts(Closing):
    def __init__(self):
        self.network = netns.Network()
        self.host1 = self.host2 = None
        try:
            self.vms = {name: self.network.namespace(name) for name in ADDRESSES}
            self.collector = self.network.namespace("collector")
            self.host1, self.host2 = openrc_machine.Machine(), openrc_machine.Machine()
            for host in self.hosts():
                host.rc_update("ovs")
            # The address of eth1 comes with the network, after the switch.
            self.host1.service("anet", depend="provide net",
                               start="ip address add 10.9.0.2/24 dev eth1; ip link set eth1 up", runlevel="default")
        except BaseException:
            self.close()
            raise

    def close(self):
        for host in self.hosts():
            if host:
                host.close()
        self.network.close()

    def hosts(self):
        return self.host1, self.host2

    def declare(self, text):
        for host in self.hosts():
            # Only host1 has a collector.
            lines = text.splitlines(keepends=True)
            host.write("/etc/conf.d/ovs", "".join(line for line in lines if host is self.host1 or "sflow" not in line))

    def forget(self):
        """Disks as after the installation."""
        for host in self.hosts():
            openrc_machine.remove(host.path("/var/lib/openvswitch"))
            openrc_machine.remove(host.path("/etc/openvswitch"))

    def power_off(self):
        for host in self.hosts():
            host.power_off()
        # The other ends of the cables go a moment later.
        for namespace in (*self.vms.values(), self.collector):
            wait_until(lambda n=namespace: "eth0" not in n.interfaces(), 10, "the cables of the last boot to go")

    def power_on(self):
        for host in self.hosts():
            host.power_on()
            host.boot("sysinit", "boot")
        self.host1.connect("eth1", self.collector, "eth0", up=False)
        self.collector.address("eth0", COLLECTOR + "/24")

    def plug_in(self):
        for number, (name, vm) in enumerate(self.vms.items()):
            self.hosts()[number // 2].connect(f"tap{number % 2}", vm, "eth0")
            vm.address("eth0", ADDRESSES[name] + "/24")
        self.host1.run("ip", "link", "add", "name", "eth0", "type", "veth", "peer", "name", "cable")
        # Handed over from process to process: neither machine knows the other's processes.
        netns.checked("nsenter", f"--target={self.host1.pid}", "--net", "ip", "link", "set", "cable", "netns",
                      self.host2.pid, "name", "eth0")
        for host in self.hosts():
            host.run("ip", "link", "set", "eth0", "up")

    def boot(self, moment="before"):
        """Boots both hosts, devices appearing at `moment`; returns how many seconds `openrc default` took."""
        self.power_on()
        if moment == "before":
            self.plug_in()
        begin = time.monotonic()
        failures = []

        def default(host):
            try:
                host.boot("default")
            except AssertionError as error:
                failures.append(str(error))
        threads = [threading.Thread(target=default, args=(host,)) for host in self.hosts()]
        for thread in threads:
            thread.start()
        if moment == "during":
            # In the middle: there is a database, and the switch may be starting.
            wait_until(lambda: self.host1.path(DATABASE).exists() or failures, 20, "the database")
            self.plug_in()
        for thread in threads:
            thread.join()
        assert not failures, "\n".join(failures)
        seconds = time.monotonic() - begin
        if moment == "after":
            time.sleep(LATE)  # what is tested is this time
            self.plug_in()
        return seconds

    def reaches(self, one, other, wait=5):
        return self.vms[one].ping(ADDRESSES[other], wait=wait)

    def await_network(self, timeout=20):
        """Waits until machines of one VLAN reach each other; those of different ones must not."""
        for one, other in (("vm1", "vm3"), ("vm2", "vm4")):
            wait_until(lambda a=one, b=other: self.reaches(a, b, wait=1), timeout, f"{one} to reach {other}")
        assert not self.reaches("vm1", "vm2", wait=0.2)
        assert not self.reaches("vm1", "vm4", wait=0.2)

    def databases(self):
        """The files of both databases, to the byte."""
        return [host.path(DATABASE).read_bytes() for host in self.hosts()]

    def contents(self):
        """All rows of both databases, but for what the switch reports of the devices of the moment."""
        return [self._content(host) for host in self.hosts()]

    @staticmethod
    def _content(host):
        with RpcClient(host.path("/run/openvswitch/db.sock")) as rpc:
            tables = rpc.call("get_schema", ["Open_vSwitch"])["tables"]
            content = {}
            for table, definition in tables.items():
                kept = ["_uuid"] + [name for name, column in definition["columns"].items()
                                    if not column.get("ephemeral") and name not in ("ofport", "error")]
                rows = rpc.transact("Open_vSwitch", {"op": "select", "table": table, "where": [], "columns": kept})
                content[table] = sorted(json.dumps(row, sort_keys=True) for row in rows[0]["rows"])
        return content

    def await_samples(self, timeout=20):
        """Waits until a datagram of sFlow version 5 has come to the collector; returns the agent's address."""
        with self.collector.entered():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.bind((COLLECTOR, 6343))
            deadline = time.monotonic() + limit(timeout)
            while time.monotonic() < deadline:
                self.reaches("vm1", "vm3", wait=1)  # something to sample
                if select.select([sock], [], [], 0.1)[0]:
                    datagram = sock.recv(65536)
                    assert datagram[:8] == bytes.fromhex("0000000500000001"), "version 5, an agent with IPv4"
                    return socket.inet_ntoa(datagram[8:12])
        raise AssertionError("no datagram of sFlow")
