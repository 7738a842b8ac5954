"""Two hosts with two virtual machines each, and a cable between the hosts: the VLAN set-up that
the documentation of the field begins with.  The demonstration and the system tests both run it.

    host1: vm1 (VLAN 1), vm2 (VLAN 2)       host2: vm3 (VLAN 1), vm4 (VLAN 2)

Every host, and every virtual machine, is a network namespace; a machine's network card is a veth
interface whose other end is `tap0` or `tap1` in its host.  Each host has a database and a switch
daemon of its own, in directories of its own.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import netns
import ovs_test


@dataclass(frozen=True)
class Machine:
    name: str
    host: int      # 1 or 2
    tap: str
    vlan: int
    address: str


MACHINES = (
    Machine("vm1", 1, "tap0", 1, "10.0.0.1"),
    Machine("vm2", 1, "tap1", 2, "10.0.0.2"),
    Machine("vm3", 2, "tap0", 1, "10.0.0.3"),
    Machine("vm4", 2, "tap1", 2, "10.0.0.4"),
)

# What is typed on each host.
COMMANDS = (
    ("add-br", "br0"),
    ("add-port", "br0", "eth0"),
    ("add-port", "br0", "tap0", "tag=1"),
    ("add-port", "br0", "tap1", "tag=2"),
)


def should_reach(a, b):
    """Whether machine a is meant to reach machine b."""
    return a.vlan == b.vlan


class Host:
    """A namespace with a database server and a switch daemon."""

    def __init__(self, namespace, flavour="ours"):
        self.namespace = namespace
        self.flavour = flavour
        self.box = ovs_test.Sandbox(namespace.prefix)
        self.server = self.switch = None

    def start(self, args=()):
        self.server = self.box.start_ovsdb_server(flavour=self.flavour)
        self.start_switch(args)

    def start_switch(self, args=()):
        self.switch = self.box.start_vswitchd(flavour=self.flavour, args=args, usual_control=True)

    def vsctl(self, *arguments, **options):
        options.setdefault("flavour", self.flavour)
        return self.box.run("ovs-vsctl", "--timeout=20", *arguments, **options).stdout

    def appctl(self, *arguments, **options):
        return self.switch.appctl(*arguments, **options).stdout

    def close(self):
        self.box.close()


class TwoHosts(ovs_test.Closing):
    """The set-up; `start()` and `configure()` bring it up, `close()` takes all of it down."""

    def __init__(self, prefix=None, flavour="ours"):
        self.network = netns.Network(prefix)
        self.hosts = {}
        self.machines = {}
        try:
            for number in (1, 2):
                self.hosts[number] = Host(self.network.namespace(f"host{number}"), flavour)
            for machine in MACHINES:
                self.machines[machine.name] = self.network.namespace(machine.name)
            self.network.veth(self.hosts[1].namespace, "eth0", self.hosts[2].namespace, "eth0")
            for machine in MACHINES:
                inside = self.machines[machine.name]
                self.network.veth(self.hosts[machine.host].namespace, machine.tap, inside, "eth0")
                inside.address("eth0", machine.address + "/24")
        except BaseException:
            self.close()
            raise

    def start(self):
        for host in self.hosts.values():
            host.start()

    def configure(self, before=None):
        """Types the commands on both hosts.  before: called with (host number, arguments)."""
        for number, host in self.hosts.items():
            for arguments in COMMANDS:
                if before:
                    before(number, arguments)
                host.vsctl(*arguments)

    def reachability(self):
        """{(from, to): whether a ping is answered} over all ordered pairs of machines."""
        pairs = [(a, b) for a in MACHINES for b in MACHINES if a is not b]
        with ThreadPoolExecutor(len(pairs)) as pool:
            answers = pool.map(lambda pair: self.machines[pair[0].name].ping(pair[1].address, wait=2), pairs)
            return dict(zip(pairs, answers))

    def close(self):
        for host in self.hosts.values():
            host.close()
        self.network.close()
