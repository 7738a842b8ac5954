"""The switch on real interfaces, in network namespaces: what administrators do with it, and what
happens to interfaces, daemons and traffic meanwhile.
"""

import contextlib
import os
import pwd
import re
import signal
import socket
import stat
import struct
import threading
import time

import pytest

import netns
import ovs_test
import two_hosts

BROADCAST = b"\xff" * 6


class Lan(ovs_test.Closing):
    """One host with a switch, and machines on it: machine N has 10.0.0.N and fd00::N on eth0, and
    its cable ends in the host as `pN`.  The ports are not yet added to a bridge."""

    def __init__(self, machines=3, mtu=None):
        self.network = netns.Network()
        try:
            self.host = two_hosts.Host(self.network.namespace("host"))
            self.machines = {}
            for n in range(1, machines + 1):
                self.add_machine(n, mtu)
            self.host.start()
            self.host.vsctl("add-br", "br0")
        except BaseException:
            self.close()
            raise

    def add_machine(self, n, mtu=None):
        machine = self.network.namespace(f"m{n}")
        self.network.veth(self.host.namespace, f"p{n}", machine, "eth0", mtu)
        machine.address("eth0", f"10.0.0.{n}/24", f"fd00::{n}/64")
        self.machines[n] = machine
        return machine

    def add_port(self, n, *settings):
        self.host.vsctl("add-port", "br0", f"p{n}", *settings)

    def close(self):
        if hasattr(self, "host"):
            self.host.close()
        self.network.close()

    def __getitem__(self, n):
        return self.machines[n]


@pytest.fixture
def lan():
    with Lan() as lan_:
        for n in lan_.machines:
            lan_.add_port(n)
        yield lan_


def mac(n):
    return bytes.fromhex(f"0200000000{n:02x}")


def frame(destination, source, *tags, payload=b"\x90\x00" + b"p" * 46):
    """An Ethernet frame; a tag is (TPID, VLAN, priority) or a VLAN."""
    result = destination + source
    for tag in tags:
        tpid, vlan, priority = tag if isinstance(tag, tuple) else (0x8100, tag, 0)
        result += struct.pack("!HH", tpid, priority << 13 | vlan)
    return result + payload


def transfer(server, client, address, amount=30_000_000):
    """Sends `amount` bytes over one TCP connection; returns how many arrived, and the seconds."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with server.entered():
        listener = socket.socket(family, socket.SOCK_STREAM)
    with listener, contextlib.ExitStack() as stack:
        listener.bind((address, 5001))
        listener.listen(1)
        with client.entered():
            sender = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sender.settimeout(ovs_test.limit(20))
        sender.connect((address, 5001))
        receiver, _ = listener.accept()
        stack.enter_context(receiver)
        receiver.settimeout(ovs_test.limit(20))
        began = time.monotonic()

        def send():
            sender.sendall(bytes(amount))
            sender.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=send)
        thread.start()
        received = 0
        while data := receiver.recv(1 << 20):
            received += len(data)
        thread.join()
        return received, time.monotonic() - began


# ---- the set-up of the documentation

def test_two_hosts_with_vlans():
    with two_hosts.TwoHosts() as setup:
        setup.start()
        for host in setup.hosts.values():
            host.namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
        with setup.hosts[2].namespace.sniff("eth0") as wire:
            setup.configure()
            answers = setup.reachability()
        for (a, b), reached in answers.items():
            assert reached == two_hosts.should_reach(a, b), (a.name, b.name)
        assert {netns.vlan_of(f) for f in wire.frames} == {1, 2}
        learned = {(line.split()[2], int(line.split()[1])) for line in
                   setup.hosts[1].appctl("fdb/show", "br0").splitlines()[1:]}
        for machine in two_hosts.MACHINES:
            assert (setup.machines[machine.name].mac("eth0"), machine.vlan) in learned


# ---- traffic as hosts send it by default

@pytest.mark.parametrize("address", ["10.0.0.2", "fd00::2"])
def test_tcp_with_default_offloads(lan, address):
    received, _ = transfer(lan[2], lan[1], address)
    assert received == 30_000_000


def test_tcp_through_a_trunk_between_hosts():
    with two_hosts.TwoHosts() as setup:
        setup.start()
        setup.configure()
        received, _ = transfer(setup.machines["vm3"], setup.machines["vm1"], "10.0.0.3", 10_000_000)
        assert received == 10_000_000


def test_ipv6(lan):
    assert lan[1].ping("fd00::3")


def test_jumbo_frames():
    with Lan(2, mtu=9000) as lan:
        lan.add_port(1)
        lan.add_port(2)
        assert lan[1].ping("10.0.0.2", size=8900)


def test_host_takes_part_through_its_internal_port(lan):
    lan.host.namespace.address("br0", "10.0.0.100/24")
    lan.host.namespace.run("ip", "link", "set", "br0", "up")
    assert lan[1].ping("10.0.0.100")
    received, _ = transfer(lan.host.namespace, lan[2], "10.0.0.100", 10_000_000)
    assert received == 10_000_000
    received, _ = transfer(lan[2], lan.host.namespace, "10.0.0.2", 10_000_000)
    assert received == 10_000_000


def test_host_does_not_answer_on_a_port(lan):
    """As with the kernel's module, an interface that is a port belongs to the switch alone."""
    lan.host.namespace.address("p1", "10.0.0.200/24")
    with lan[1].sniff("eth0", outgoing=False) as frames:
        assert not lan[1].ping("10.0.0.200", wait=1)
        assert lan[1].ping("10.0.0.2")
    answers = [f for f in frames.frames if f[12:14] == b"\x08\x06" and f[28:32] == bytes([10, 0, 0, 200])]
    assert not answers
    # Once it is no port, it is the host's again.
    lan.host.vsctl("del-port", "p1")
    ovs_test.wait_until(lambda: lan[1].ping("10.0.0.200", wait=1), what="the host's answer")


# ---- VLANs

# port: settings, as the tests below use them
MODES = {
    1: ("tag=10",),
    2: ("trunks=10,20",),
    3: ("vlan_mode=native-tagged", "tag=10", "trunks=20"),
    4: ("vlan_mode=native-untagged", "tag=10", "trunks=20"),
    5: ("vlan_mode=dot1q-tunnel", "tag=10"),
    6: ("tag=20",),
}

# (port, tags of the frame that comes in) -> {port: tags of what leaves it}
CASES = [
    ((1, ()), {2: (10,), 3: (10,), 4: (), 5: ()}),
    ((1, (20,)), {}),
    ((2, (10,)), {1: (), 3: (10,), 4: (), 5: ()}),
    ((2, (20,)), {3: (20,), 4: (20,), 6: ()}),
    ((2, (30,)), {}),
    ((2, ()), {}),
    ((3, ()), {1: (), 2: (10,), 4: (), 5: ()}),
    ((3, (20,)), {2: (20,), 4: (20,), 6: ()}),
    ((4, ()), {1: (), 2: (10,), 3: (10,), 5: ()}),
    ((5, ()), {1: (), 2: (10,), 3: (10,), 4: ()}),
    # An access port takes nothing that has a tag inside.
    ((5, (77,)), {2: (10, 77), 3: (10, 77), 4: (77,)}),
    ((6, ()), {2: (20,), 3: (20,), 4: (20,)}),
]


def tags_of(data):
    tags, at = [], 12
    while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        tags.append(struct.unpack("!H", data[at + 2:at + 4])[0] & 0xfff)
        at += 4
    return tuple(tags)


# port: (tags of a frame that comes in last, somebody who gets it)
LAST = {1: ((), 2), 2: ((10,), 1), 3: ((), 1), 4: ((), 1), 5: ((), 1), 6: ((), 2)}


def test_every_vlan_mode():
    marker = b"\x90\x00" + b"vlan mode test" + b"-" * 40
    end = b"\x90\x00" + b"end of the test" + b"-" * 40
    with Lan(6) as lan, contextlib.ExitStack() as stack:
        for n, settings in MODES.items():
            lan.add_port(n, *settings)
        sniffers = {n: stack.enter_context(lan[n].sniff("eth0", outgoing=False)) for n in MODES}
        for serial, ((port, tags), _) in enumerate(CASES):
            payload = marker + struct.pack("!I", serial)
            sniffers[port].send(frame(BROADCAST, mac(serial), *tags, payload=payload))
        # Frames of one port stay in order: when its last one is there, the others have been.
        for port, (tags, _) in LAST.items():
            sniffers[port].send(frame(BROADCAST, mac(90 + port), *tags, payload=end))
        for port, (_, receiver) in LAST.items():
            sniffers[receiver].wait_for(lambda f: f[6:12] == mac(90 + port) and f.endswith(end))
        for serial, ((port, tags), expected) in enumerate(CASES):
            payload = marker + struct.pack("!I", serial)
            for n, sniffer in sniffers.items():
                if n in expected:
                    got = sniffer.wait_for(lambda f: f.endswith(payload), what=(port, tags, n))
                    assert tags_of(got) == expected[n], (port, tags, n)
                else:
                    assert not any(f.endswith(payload) for f in sniffer.frames), (port, tags, n)


def test_a_tunnel_of_customers_vlans():
    """QinQ: two sites of a customer, joined through a trunk that knows the outer VLAN only."""
    with Lan(3) as lan:
        lan.add_port(1, "vlan_mode=dot1q-tunnel", "tag=100")
        lan.add_port(2, "vlan_mode=dot1q-tunnel", "tag=100")
        lan.add_port(3)
        with lan[2].sniff("eth0", outgoing=False) as site, lan[3].sniff("eth0", outgoing=False) as trunk, \
                lan[1].sniff("eth0") as sender:
            sent = frame(BROADCAST, mac(1), 5)
            sender.send(sent)
            assert site.wait_for(lambda f: f[6:12] == mac(1)) == sent
            outside = trunk.wait_for(lambda f: f[6:12] == mac(1))
            assert outside[12:16] == bytes.fromhex("88a80064") and outside[16:] == sent[12:]


# ---- bridges and ports that change

def test_patch_ports_join_two_bridges():
    with Lan(2) as lan:
        lan.host.vsctl("add-br", "br1")
        lan.add_port(1)
        lan.host.vsctl("add-port", "br1", "p2")
        assert not lan[1].ping("10.0.0.2", wait=1)
        lan.host.vsctl("add-port", "br0", "to1", "--", "set", "Interface", "to1", "type=patch", "options:peer=to0",
                       "--", "add-port", "br1", "to0", "--", "set", "Interface", "to0", "type=patch", "options:peer=to1")
        assert lan[1].ping("10.0.0.2")
        received, _ = transfer(lan[2], lan[1], "10.0.0.2", 5_000_000)
        assert received == 5_000_000
        lan.host.vsctl("del-port", "to1")
        assert not lan[1].ping("10.0.0.2", wait=1)


def test_a_machine_that_moves(lan):
    """A MAC address that shows up on another port is found there from then on."""
    moving, other = mac(7), bytes.fromhex(lan[3].mac("eth0").replace(":", ""))
    with lan[1].sniff("eth0", outgoing=False) as first, lan[2].sniff("eth0", outgoing=False) as second, \
            lan[3].sniff("eth0", outgoing=False) as third:
        for move, (here, elsewhere) in enumerate(((first, second), (second, first), (first, second))):
            here.send(frame(BROADCAST, moving))
            third.wait_for(lambda f: f[6:12] == moving)
            third.frames.clear()
            elsewhere.wait_for(lambda f: f[6:12] == moving)
            elsewhere.frames.clear()
            # Each move has payloads of its own: frames of the one before may still be read.
            search, check = (b"\x90\x00" + struct.pack("!II", move, n) + bytes(42) for n in range(2))

            def found():
                third.send(frame(moving, other, payload=search))
                return any(f.endswith(search) for f in list(here.frames))
            ovs_test.wait_until(found, 5, "the switch to know where the address is")
            third.send(frame(moving, other, payload=check))
            here.wait_for(lambda f: f.endswith(check))
            assert not [f for f in elsewhere.frames if f.endswith(check)]


def test_a_port_that_is_added_and_removed_under_traffic(lan):
    lan.network.veth(lan.host.namespace, "extra", lan.network.namespace("extra"), "eth0")
    answers = []

    def ping():
        done = lan[1].run("ping", "-n", "-i", "0.01", "-c", "200", "10.0.0.2", check=False)
        answers.append(re.search(r"(\d+) received", done.stdout).group(1))
    assert lan[1].ping("10.0.0.2")
    thread = threading.Thread(target=ping)
    thread.start()
    while thread.is_alive():
        lan.host.vsctl("add-port", "br0", "extra")
        lan.host.vsctl("del-port", "br0", "extra")
    thread.join()
    assert answers == ["200"]


def test_a_device_that_comes_later(lan):
    done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "late", status=None)
    assert "late" in done.stderr and "No such device" in done.stderr
    assert "No such device" in lan.host.vsctl("get", "Interface", "late", "error")
    machine = lan.network.namespace("late")
    lan.network.veth(lan.host.namespace, "late", machine, "eth0")
    machine.address("eth0", "10.0.0.50/24")
    ovs_test.wait_until(lambda: lan.host.vsctl("get", "Interface", "late", "error").strip() == "[]",
                        what="the error to go")
    assert machine.ping("10.0.0.1")


def test_a_device_that_is_made_anew(lan):
    """A virtual machine restarts: its tap device vanishes and comes back, and is a port again at once."""
    assert lan[1].ping("10.0.0.2")
    number = lan.host.vsctl("get", "Interface", "p2", "ofport")
    address = lan[2].mac("eth0")
    for _ in range(3):
        lan.host.namespace.run("ip", "link", "delete", "p2")
        lan.network.veth(lan.host.namespace, "p2", lan[2], "eth0")
        lan[2].run("ip", "link", "set", "eth0", "address", address)
        lan[2].address("eth0", "10.0.0.2/24")
        ovs_test.wait_until(lambda: lan[1].ping("10.0.0.2", wait=0.2), 5, "an answer by the new device")
    assert lan.host.vsctl("get", "Interface", "p2", "ofport") == number


def test_a_port_in_two_bridges(lan):
    """The first bridge keeps it; the other one, and the rest of the first, works."""
    lan.host.vsctl("add-br", "br1")
    port = lan.host.vsctl("get", "Port", "p1", "_uuid").strip()
    lan.host.vsctl("add", "Bridge", "br1", "ports", port)
    assert lan[1].ping("10.0.0.2")
    assert lan[3].ping("10.0.0.2")
    lan.host.vsctl("del-port", "p3")
    lan.host.vsctl("add-port", "br1", "p3")
    assert not lan[3].ping("10.0.0.2", wait=1)


def test_a_device_that_belongs_to_a_linux_bridge(lan):
    """It cannot be a port, which says so; when it is let go it becomes one."""
    lan.add_machine(4)
    lan.host.namespace.run("ip", "link", "add", "linux0", "type", "bridge")
    lan.host.namespace.run("ip", "link", "set", "p4", "master", "linux0")
    done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "p4", status=None)
    assert "p4" in done.stderr and "linux0" in done.stderr
    lan.host.namespace.run("ip", "link", "set", "p4", "nomaster")
    ovs_test.wait_until(lambda: lan.host.vsctl("get", "Interface", "p4", "error").strip() == "[]",
                        what="the error to go")
    assert lan[4].ping("10.0.0.1")


def test_a_bridge_whose_name_is_taken(lan):
    """Its own port cannot be made; when the name is free it is, without a word from anybody."""
    host = lan.host
    lan.network.veth(host.namespace, "br1", lan.network.namespace("x"), "eth0")
    done = host.box.run("ovs-vsctl", "--timeout=20", "add-br", "br1", status=None)
    assert "br1" in done.stderr
    host.namespace.run("ip", "link", "delete", "br1")
    ovs_test.wait_until(lambda: host.vsctl("get", "Interface", "br1", "error").strip() == "[]",
                        what="the error to go")
    assert host.vsctl("get", "Interface", "br1", "ofport").strip() == "65534"
    assert "Open vSwitch" in host.namespace.run("ip", "link", "show", "br1").stdout


def test_long_names(lan):
    lan.network.veth(lan.host.namespace, "fifteen-letters", lan.network.namespace("x"), "eth0")
    lan.host.vsctl("add-port", "br0", "fifteen-letters")
    assert lan.host.vsctl("get", "Interface", "fifteen-letters", "error").strip() == "[]"
    done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "sixteen-letters.", status=None)
    assert "sixteen-letters." in done.stderr
    assert lan.host.vsctl("get", "Interface", "sixteen-letters.", "ofport").strip() == "-1"


# ---- daemons that end

def test_killed_and_started_again(lan):
    """kill -9 and a new start: traffic flows within a second, and br0 has kept its address."""
    host = lan.host
    host.namespace.address("br0", "10.0.0.100/24")
    host.namespace.run("ip", "link", "set", "br0", "up")
    assert lan[1].ping("10.0.0.2") and lan[1].ping("10.0.0.100")
    seconds = []
    # Again where others have kept the machine busy meanwhile.
    while not seconds or (min(seconds) >= ovs_test.limit(1.0) and len(seconds) < 4):
        host.switch.kill()
        assert "10.0.0.100" in host.namespace.run("ip", "address", "show", "br0").stdout
        began = time.monotonic()
        host.start_switch()
        ovs_test.wait_until(lambda: lan[1].ping("10.0.0.2", wait=0.1), what="traffic after the restart")
        seconds.append(time.monotonic() - began)
        assert lan[1].ping("10.0.0.100")
        assert "10.0.0.100" in host.namespace.run("ip", "address", "show", "br0").stdout
    assert min(seconds) < ovs_test.limit(1.0), seconds


def test_a_device_that_leaves_takes_its_address_along(lan):
    """Also when it left while no switch ran: the bridge goes back to an address of its own."""
    def address(bridge):
        return lan.host.vsctl("get", "Interface", bridge, "mac_in_use").strip().strip('"')
    own = address("br0")
    lan.host.namespace.run("ip", "link", "set", "p1", "address", "00:00:5e:00:53:01")
    ovs_test.wait_until(lambda: address("br0") == "00:00:5e:00:53:01", what="the address to be taken over")
    lan.host.vsctl("del-port", "br0", "p1")
    assert address("br0") == own
    # An address that was set by hand stays, as long as no device gives one.
    lan.host.namespace.run("ip", "link", "set", "br0", "address", "02:00:5e:00:53:07")
    ovs_test.wait_until(lambda: address("br0") == "02:00:5e:00:53:07", what="the address to be seen")
    lan.host.vsctl("del-port", "br0", "p2")
    assert address("br0") == "02:00:5e:00:53:07"
    lan.host.vsctl("add-port", "br0", "p1")
    assert address("br0") == "00:00:5e:00:53:01"
    lan.host.appctl("exit")
    assert lan.host.switch.wait() == 0
    lan.host.box.run("ovs-vsctl", "--no-wait", "del-port", "br0", "p1", "--", "add-br", "br1", "--", "add-port", "br1",
                     "p1")
    lan.host.start_switch()
    lan.host.appctl("daemon/wait-ready")
    ovs_test.wait_until(lambda: address("br1") == "00:00:5e:00:53:01", what="the report")
    assert int(address("br0")[:2], 16) & 3 == 2
    assert len({lan.host.vsctl("get", "Bridge", bridge, "datapath_id") for bridge in ("br0", "br1")}) == 2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_database_server_ends(lan, how):
    """Forwarding goes on, for known and for new traffic; changes are taken when it is back."""
    assert lan[1].ping("10.0.0.2")
    lan.host.server.stop(how)
    assert lan[1].ping("10.0.0.2", count=20)
    assert lan[3].ping("10.0.0.2")
    lan.host.server = lan.host.box.start_ovsdb_server()
    assert lan[1].ping("10.0.0.2", count=20)
    lan.host.vsctl("set", "Port", "p3", "tag=5")
    assert not lan[3].ping("10.0.0.2", wait=1)
    assert lan[1].ping("10.0.0.2")


def test_exit_leaves_or_removes_the_internal_port(lan):
    lan.host.appctl("exit")
    assert lan.host.switch.wait() == 0
    assert "br0" in lan.host.namespace.interfaces()
    lan.host.start_switch()
    lan.host.appctl("daemon/wait-ready")
    lan.host.appctl("exit", "--cleanup")
    assert lan.host.switch.wait() == 0
    assert "br0" not in lan.host.namespace.interfaces()


def test_exit_with_cleanup_before_the_first_configuration(lan):
    """What an earlier run has left is removed without a word of the database, too."""
    lan.host.switch.stop(signal.SIGKILL)
    lan.host.server.stop()
    lan.host.switch = lan.host.box.start_vswitchd(usual_control=True)
    assert "br0" in lan.host.namespace.interfaces()
    lan.host.appctl("exit", "--cleanup")
    assert lan.host.switch.wait() == 0
    assert "br0" not in lan.host.namespace.interfaces()


def test_a_user_who_may_not_open_the_tun_device(lan):
    """It is said what cannot be opened by whom, and what an earlier run has made stays."""
    host = lan.host
    host.appctl("exit")
    assert host.switch.wait() == 0
    nobody = pwd.getpwnam("nobody")
    for path in (host.box.top, host.box.run_dir, host.box.log_dir, *host.box.run_dir.iterdir(),
                 *host.box.log_dir.iterdir()):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    # In a mount namespace of its own, /dev/net/tun is root's alone.
    node = host.box.top / "tun"
    os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(10, 200))
    hidden = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /dev/net/tun && exec "$@"', str(node))
    host.switch = host.box.start_vswitchd(args=("--user=nobody",), usual_control=True, prefix=hidden)

    def error():
        return host.vsctl("--no-wait", "get", "Interface", "br0", "error")
    ovs_test.wait_until(lambda: "Permission denied" in error(), what="the error")
    assert "the user nobody cannot open /dev/net/tun to make a TAP interface: Permission denied" in error()
    assert "br0" in host.namespace.interfaces()
    host.appctl("exit")
    assert host.switch.wait() == 0
    assert "br0" in host.namespace.interfaces()


def test_a_deleted_bridge_takes_its_internal_port_along(lan):
    assert "br0" in lan.host.namespace.interfaces()
    lan.host.vsctl("del-br", "br0")
    assert "br0" not in lan.host.namespace.interfaces()
    assert not lan[1].ping("10.0.0.2", wait=1)


# ---- floods

def test_a_flood_of_addresses_does_not_stop_others(lan):
    """One port sends from ever new MAC addresses; two others go on talking."""
    assert lan[1].ping("10.0.0.2")
    stop = threading.Event()
    sent = [0]

    def flood():
        with lan[3].sniff("eth0", outgoing=False) as port:
            while not stop.is_set():
                sent[0] += 1
                with contextlib.suppress(OSError):
                    port.send(frame(BROADCAST, b"\x02\x01" + struct.pack("!I", sent[0])))
    thread = threading.Thread(target=flood)
    thread.start()
    try:
        # As long as it takes to make a flood.
        lost, rounds = 0, 0
        while rounds == 0 or sent[0] <= 5000:
            done = lan[1].run("ping", "-n", "-i", "0.01", "-c", "200", "-W", "2", "10.0.0.2", check=False)
            lost += 200 - int(re.search(r"(\d+) received", done.stdout).group(1))
            rounds += 1
        # A new connection has to get through, too.
        received, _ = transfer(lan[2], lan[1], "10.0.0.2", 1_000_000)
    finally:
        stop.set()
        thread.join()
    assert lost <= 5 * rounds
    assert received == 1_000_000
    shown = lan.host.appctl("fdb/stats-show", "br0")
    current, most = map(int, re.search(r"(\d+)/(\d+)", shown).groups())
    assert current <= most


def test_idle_with_a_hundred_ports():
    with Lan(0) as lan:
        namespace = lan.host.namespace
        # Interfaces that come up speak IPv6 of their own accord.
        namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; "
                      "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
        batch = "".join(f"link add v{i} type veth peer name w{i}\nlink set v{i} up\nlink set w{i} up\n"
                        for i in range(100))
        namespace.run("ip", "-batch", "-", input=batch)
        lan.host.vsctl(*(word for i in range(100) for word in ("--", "add-port", "br0", f"v{i}")))

        def ticks():
            fields = open(f"/proc/{lan.host.switch.pid}/stat").read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        # The measure is itself a length of time: five seconds, with one round of statistics in them.
        before, began = ticks(), time.monotonic()
        threading.Event().wait(6)
        used = (ticks() - before) / 100 / (time.monotonic() - began)
        assert used < 0.01 * ovs_test.limit(1), f"{used:.2%} of a core"


def test_an_internal_port_in_another_namespace(lan):
    """As containers get their interface: it works there, and its counters go on."""
    guest = lan.network.namespace("guest")
    lan.host.vsctl("add-port", "br0", "inner", "--", "set", "interface", "inner", "type=internal")
    lan.host.namespace.run("ip", "link", "set", "inner", "netns", guest.name)
    guest.address("inner", "10.0.0.9/24")
    guest.run("ip", "link", "set", "inner", "up")
    assert lan[1].ping("10.0.0.9", count=20)

    def counted(key):
        return int(lan.host.vsctl("get", "interface", "inner", f"statistics:{key}"))

    ovs_test.wait_until(lambda: counted("rx_packets") >= 20 and counted("tx_packets") >= 20, timeout=20,
                        what="the counters to go on")
    shown = lan.host.switch.appctl("dpctl/show", "-s").stdout
    packets = re.search(r"inner \(internal\)\n    RX packets:(\d+)", shown).group(1)
    assert int(packets) >= 20
    lan.host.vsctl("del-port", "inner")
    assert "inner" not in guest.interfaces()


def test_a_datapath_port_without_a_bridge(lan):
    """dpctl/del-if removes the interface that dpctl/add-if made."""
    lan.host.switch.appctl("dpctl/add-if", "ovs-netdev", "spare,type=internal")
    assert "spare" in lan.host.namespace.interfaces()
    lan.host.switch.appctl("dpctl/del-if", "ovs-netdev", "spare")
    assert "spare" not in lan.host.namespace.interfaces()
    done = lan.host.switch.appctl("dpctl/add-if", "ovs-netdev", "nosuch", status=2)
    assert "nosuch: failed to open network device (No such device)" in done.stderr
    assert "nosuch" not in lan.host.switch.appctl("dpctl/show").stdout
