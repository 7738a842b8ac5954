"""Ports of type afxdp, on veth pairs: with the kernel's copies, in the driver (native) and before the stack (generic)."""

import contextlib
import os
import pwd
import re
import signal
import socket
import subprocess
import textwrap
import threading
import time

import pytest

import netns
import ovs_test
from test_switch_network import Lan, transfer


def why_not():
    """Why this build or this kernel cannot; None if they can."""
    if not re.search(r"^LIBBPF_LIBS = *\S", (ovs_test.build_dir() / "Makefile").read_text(), re.M):
        return "built without AF_XDP"
    try:
        socket.socket(44, socket.SOCK_RAW).close()  # AF_XDP
    except OSError as error:
        return f"this kernel has no AF_XDP: {error.strerror}"
    return None


pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

MODES = ("native", "generic")


def add(lan, n, *settings, mode="best-effort"):
    lan.host.vsctl("add-port", "br0", f"p{n}", *settings, "--", "set", "Interface", f"p{n}", "type=afxdp",
                   f"options:xdp-mode={mode}")


def interface(lan, n, column):
    return lan.host.vsctl("get", "Interface", f"p{n}", column).strip()


def await_port(lan, n):
    ovs_test.wait_until(lambda: interface(lan, n, "error") == "[]" and interface(lan, n, "ofport") not in ("[]", "-1"),
                        what=f"p{n} to work: {interface(lan, n, 'error')}")


def leave_nothing_to_the_interface(machine):
    """As the manual says for the mode generic."""
    machine.run("ethtool", "-K", "eth0", "tso", "off", "gso", "off", "txvlan", "off")


@pytest.fixture(params=MODES)
def lan(request):
    with Lan() as lan_:
        lan_.mode = request.param
        for n in lan_.machines:
            if lan_.mode == "generic":
                leave_nothing_to_the_interface(lan_[n])
            add(lan_, n, mode=lan_.mode)
        for n in lan_.machines:
            await_port(lan_, n)
        yield lan_


def has_program(lan, name):
    return "xdp" in lan.host.namespace.run("ip", "-d", "link", "show", name).stdout.split("link/ether")[0]


def assert_idle(lan, seconds):
    def ticks():
        fields = open(f"/proc/{lan.host.switch.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])
    # The measure is itself a length of time.
    before, began = ticks(), time.monotonic()
    threading.Event().wait(seconds)
    used = (ticks() - before) / 100 / (time.monotonic() - began)
    assert used < 0.02 * ovs_test.limit(1), f"{used:.2%} of a core"


@contextlib.contextmanager
def other_socket(namespace, name):
    """Another program's socket on the device's first queue."""
    code = textwrap.dedent("""
        import ctypes, mmap, signal, socket, struct, sys
        memory = mmap.mmap(-1, 16 * 2048)
        xdp = socket.socket(44, socket.SOCK_RAW)
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        xdp.setsockopt(283, 4, struct.pack("=QQIIII", start, len(memory), 2048, 0, 0, 0))  # XDP_UMEM_REG
        for ring in (5, 6, 2):  # XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING
            xdp.setsockopt(283, ring, 16)
        address = struct.pack("=HHIII", 44, 0, socket.if_nametoindex(sys.argv[1]), 0, 0)  # sockaddr_xdp
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.bind(xdp.fileno(), address, len(address)) == 0, ctypes.get_errno()
        print("bound", flush=True)
        signal.pause()
        """)
    with namespace.popen("/usr/bin/python3", "-c", code, name, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout.readline() == "bound\n"
            yield
        finally:
            program.terminate()


def test_machines_reach_each_other(lan):
    for a in lan.machines:
        for b in lan.machines:
            if a != b:
                assert lan[a].ping(f"10.0.0.{b}", wait=5) and lan[a].ping(f"fd00::{b}", wait=5), (a, b)
    assert interface(lan, 1, "status:xdp-mode") == f'"{lan.mode}"'.replace('"', "")
    assert interface(lan, 1, "status:n_rxq").strip('"') == "1"
    assert interface(lan, 1, "status:driver_name") == "veth"
    assert "afxdp" in lan.host.vsctl("get", "Open_vSwitch", ".", "iface_types")


@pytest.mark.parametrize("address", ["10.0.0.2", "fd00::2"])
def test_tcp(lan, address):
    """With checksums left to the interface, which AF_XDP does not tell of; in native mode, with all offloads."""
    received, _ = transfer(lan[2], lan[1], address, 10_000_000)
    assert received == 10_000_000


def test_tcp_with_other_kinds_of_ports(lan):
    """What a port of type system hands over whole is cut up and finished for AF_XDP."""
    lan.add_machine(4)
    lan.add_port(4)
    lan.host.namespace.address("br0", "10.0.0.100/24")
    lan.host.namespace.run("ip", "link", "set", "br0", "up")
    for server, client, address in ((lan[1], lan[4], "10.0.0.1"), (lan[4], lan[1], "10.0.0.4"),
                                    (lan[2], lan.host.namespace, "10.0.0.2"),
                                    (lan.host.namespace, lan[1], "10.0.0.100")):
        received, _ = transfer(server, client, address, 10_000_000)
        assert received == 10_000_000, address


def test_the_host_sees_nothing_of_a_port(lan):
    """Its own network stack does not answer for an address that is the host's."""
    lan.host.namespace.address("p1", "10.0.0.99/24")
    lan[1].run("ip", "neighbour", "replace", "10.0.0.99", "lladdr", lan.host.namespace.mac("p1"), "dev", "eth0")
    assert not lan[1].ping("10.0.0.99", wait=1)
    assert lan[1].ping("10.0.0.2")


def test_vlans():
    with Lan(4) as lan:
        for n, tag in ((1, 1), (2, 2), (3, 1)):
            add(lan, n, f"tag={tag}")
        add(lan, 4, "trunks=1,2")
        for n in lan.machines:
            await_port(lan, n)
        with lan[4].sniff("eth0", outgoing=False) as wire:
            assert lan[1].ping("10.0.0.3", wait=5)
            assert not lan[1].ping("10.0.0.2", wait=1)
            assert not lan[2].ping("10.0.0.3", wait=1)
            assert transfer(lan[3], lan[1], "10.0.0.3", 5_000_000)[0] == 5_000_000
            wire.wait_for(lambda frame: netns.vlan_of(frame) == 2)
        # What was flooded has the tag of its VLAN.  (The host's own stack sends through p4, too.)
        machines = {bytes.fromhex(lan[n].mac("eth0").replace(":", "")) for n in lan.machines}
        assert {netns.vlan_of(frame) for frame in wire.frames if frame[6:12] in machines} == {1, 2}
        # A tagged frame is the VLAN's.
        with lan[2].sniff("eth0", outgoing=False) as two, lan[3].sniff("eth0", outgoing=False) as three:
            with lan[4].sniff("eth0") as four:
                for vlan in (1, 2):
                    tag = b"\x81\x00" + vlan.to_bytes(2, "big")
                    addresses = b"\xff" * 6 + bytes.fromhex("020000000004")
                    four.send(addresses + tag + b"\x90\x00" + b"vlan%d" % vlan + bytes(50))
            two.wait_for(lambda frame: frame[14:19] == b"vlan2")
            three.wait_for(lambda frame: frame[14:19] == b"vlan1")
        assert not any(frame[14:19] == b"vlan1" for frame in two.frames)
        assert not any(frame[14:19] == b"vlan2" for frame in three.frames)


def test_an_mtu_that_is_too_large():
    """It is said in the database, and the port works as soon as it fits."""
    with Lan(1) as lan:
        lan.add_machine(2, mtu=9000)
        add(lan, 1)
        done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "p2", "--", "set", "Interface", "p2",
                                "type=afxdp", status=None)
        assert "its MTU is 9000, and AF_XDP carries 3818 at most" in done.stderr
        assert "its MTU is 9000" in interface(lan, 2, "error")
        for namespace, name in ((lan[2], "eth0"), (lan.host.namespace, "p2")):
            namespace.run("ip", "link", "set", name, "mtu", "1500")
        await_port(lan, 2)
        assert lan[1].ping("10.0.0.2", wait=5)
        # mtu_request is refused in the same words.
        lan.host.vsctl("set", "Interface", "p2", "mtu_request=9000")
        assert "AF_XDP carries 3818 at most" in interface(lan, 2, "error")
        assert lan[1].ping("10.0.0.2")


def test_wrong_options():
    with Lan(1) as lan:
        done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "p1", "--", "set", "Interface", "p1",
                                "type=afxdp", "options:xdp-mode=turbo", status=None)
        assert "options:xdp-mode is one of best-effort, native-with-zerocopy, native and generic" in done.stderr
        done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "p2", "--", "set", "Interface", "p2",
                                "type=afxdp", "options:n_rxq=65", status=None)
        assert 'options:n_rxq is a number of queues from 1 to 64, not "65"' in done.stderr
        # A key that is none is said, and the port works without it.
        lan.host.vsctl("remove", "Interface", "p1", "options", "xdp-mode", "--", "set", "Interface", "p1",
                       "options:xdpmode=generic")
        says = "options:xdpmode is none of an interface of type afxdp (did you mean xdp-mode?)"
        assert interface(lan, 1, "error").strip('"') == says and interface(lan, 1, "ofport") not in ("[]", "-1")
        assert f"|bridge|WARN|interface p1: {says}" in (lan.host.box.log_dir / "ovs-vswitchd.log").read_text()
        lan.host.vsctl("remove", "Interface", "p1", "options", "xdpmode")
        assert interface(lan, 1, "error") == "[]"
        lan.host.vsctl("set", "Interface", "p1", "options:xdp-mode=native-with-zerocopy")
        ovs_test.wait_until(lambda: "its driver has no AF_XDP without copies" in interface(lan, 1, "error"),
                            what="what the driver lacks")
        lan.host.vsctl("set", "Interface", "p1", "options:xdp-mode=generic")
        await_port(lan, 1)
        ovs_test.wait_until(lambda: interface(lan, 1, "status:xdp-mode") == "generic", what="the mode")


def test_the_log_tells_of_a_port_that_stops():
    """Once for each reason, and when it works again."""
    with Lan(2) as lan:
        path = lan.host.box.log_dir / "ovs-vswitchd.log"
        for n in lan.machines:
            add(lan, n)
            await_port(lan, n)

        def told(text, level="WARN", count=1):
            lines = [line for line in path.read_text().splitlines() if text in line]
            assert len(lines) <= count and all(f"|bridge|{level}|bridge br0: " in line for line in lines), lines
            return len(lines) == count
        stopped = "nothing passes network device p2 until that changes"
        lan.host.vsctl("set", "Interface", "p2", "options:xdp-mode=native-with-zerocopy")
        ovs_test.wait_until(lambda: told(f"{stopped} (its driver has no AF_XDP without copies; "
                                         "options:xdp-mode=best-effort does with them"), what="the driver's refusal")
        # Each of these looks at the port anew.
        for value in ("1", "2", "3"):
            lan.host.vsctl("set", "Interface", "p2", f"external_ids:again={value}")
        lan.host.vsctl("remove", "Interface", "p2", "options", "xdp-mode")
        ovs_test.wait_until(lambda: told("network device p2 works again", "INFO"), what="the recovery")
        lan.host.namespace.run("ip", "link", "delete", "p2")
        ovs_test.wait_until(lambda: told(f"{stopped} (No such device)"), what="the device's end")
        assert told(stopped, count=2)


def test_what_is_set_is_in_force(lan):
    """When ovs-vsctl returns: the port works, or its error is what it is, and never the switch's own former socket."""
    for _ in range(4):
        for wakeup in ("false", "true"):
            lan.host.vsctl("set", "Interface", "p2", f"options:use-need-wakeup={wakeup}")
            assert interface(lan, 2, "error") == "[]"
            assert interface(lan, 2, "status:use-need-wakeup").strip('"') == wakeup
        done = lan.host.box.run("ovs-vsctl", "--timeout=20", "set", "Interface", "p2",
                                "options:xdp-mode=native-with-zerocopy")
        assert done.stderr == "" and "without copies" in interface(lan, 2, "error")
        lan.host.vsctl("set", "Interface", "p2", f"options:xdp-mode={lan.mode}")
        assert interface(lan, 2, "error") == "[]" and interface(lan, 2, "status:xdp-mode") == lan.mode
        number = interface(lan, 2, "ofport")
        lan.host.vsctl("del-port", "br0", "p2")
        done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "p2", "--", "set", "Interface", "p2",
                                "type=afxdp", f"options:xdp-mode={lan.mode}", f"ofport_request={number}")
        assert done.stderr == ""
        assert interface(lan, 2, "error") == "[]" and interface(lan, 2, "ofport") == number
    assert "another program" not in (lan.host.box.log_dir / "ovs-vswitchd.log").read_text()
    ovs_test.wait_until(lambda: lan[1].ping("10.0.0.2", wait=1), what="traffic")


def test_a_device_that_comes_later_and_again():
    with Lan(1) as lan:
        add(lan, 1)
        done = lan.host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "p2", "--", "set", "Interface", "p2",
                                "type=afxdp", status=None)
        assert "No such device" in done.stderr
        machine = lan.add_machine(2)
        address = machine.mac("eth0")
        await_port(lan, 2)
        assert lan[1].ping("10.0.0.2", wait=5)
        number = interface(lan, 2, "ofport")
        for _ in range(3):
            lan.host.namespace.run("ip", "link", "delete", "p2")
            lan.network.veth(lan.host.namespace, "p2", machine, "eth0")
            machine.run("ip", "link", "set", "eth0", "address", address)
            machine.address("eth0", "10.0.0.2/24")
            ovs_test.wait_until(lambda: lan[1].ping("10.0.0.2", wait=1), what="traffic with the new device")
        assert interface(lan, 2, "ofport") == number


def test_killed_and_started_again(lan):
    """The device is the host's at once, and the switch's when there is one again."""
    host = lan.host
    assert has_program(lan, "p1")
    host.namespace.address("p1", "10.0.0.99/24")
    lan[1].run("ip", "neighbour", "replace", "10.0.0.99", "lladdr", host.namespace.mac("p1"), "dev", "eth0")
    host.switch.kill()
    assert not has_program(lan, "p1")
    assert lan[1].ping("10.0.0.99", wait=5)
    host.namespace.run("ip", "address", "flush", "dev", "p1")
    host.start_switch()
    ovs_test.wait_until(lambda: lan[1].ping("10.0.0.2", wait=1), what="traffic after the restart")
    assert has_program(lan, "p1")
    host.appctl("exit")
    assert host.switch.wait() == 0
    assert not has_program(lan, "p1")


def test_ports_that_come_and_go(lan):
    """Fifty times, with traffic meanwhile: no descriptor, mapping or memory stays behind."""
    pid = lan.host.switch.pid
    stop = threading.Event()

    def talk():
        while not stop.is_set():
            lan[1].ping("10.0.0.2", count=20)
    talker = threading.Thread(target=talk)
    talker.start()

    def held():
        with open(f"/proc/{pid}/maps") as maps:
            areas = sum("anon_inode:[xsk" in line or "socket:" in line for line in maps)
        return len(os.listdir(f"/proc/{pid}/fd")), areas
    try:
        for round_ in range(50):
            lan.host.vsctl("del-port", "br0", "p3")
            if round_ == 5:
                before, memory = held(), lan.host.switch.memory()
            if round_ == 49:
                ovs_test.wait_until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)),
                                    what=f"no more than {before} to be held")
                assert lan.host.switch.memory() < memory + 32_768  # a queue has 8 MB
            add(lan, 3, mode=lan.mode)
    finally:
        stop.set()
        talker.join()
    await_port(lan, 3)
    assert lan[3].ping("10.0.0.1", wait=5)


def test_several_queues():
    with Lan(1) as lan:
        machine = lan.network.namespace("m2")
        queues = ("numrxqueues", "4", "numtxqueues", "4")
        lan.host.namespace.run("ip", "link", "add", "p2", *queues, "type", "veth", "peer", "name", "eth0", *queues,
                               "netns", machine.name)
        lan.host.namespace.run("ip", "link", "set", "p2", "up")
        machine.run("ip", "link", "set", "eth0", "up")
        machine.address("eth0", "10.0.0.2/24")
        add(lan, 1)
        add(lan, 2)
        await_port(lan, 2)
        assert interface(lan, 2, "status:n_rxq").strip('"') == "4"
        # Queues are chosen by ports: each of many flows arrives.
        with lan[1].entered():
            listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with listener:
            listener.bind(("10.0.0.1", 4000))
            listener.settimeout(ovs_test.limit(10))
            assert machine.ping("10.0.0.1", wait=5)
            missing = set()
            for n in range(100):
                with machine.entered():
                    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                with sender:
                    sender.sendto(b"%d" % n, ("10.0.0.1", 4000))
                missing.add(n)
            while missing:
                missing.discard(int(listener.recv(100)))
        # Fewer sockets than queues would lose some of this.
        lan.host.vsctl("--no-wait", "set", "Interface", "p2", "options:n_rxq=2")
        ovs_test.wait_until(lambda: "ethtool -L p2" in interface(lan, 2, "error"), what="the error")
        machine.run("ethtool", "-L", "eth0", "tx", "2", "rx", "2")
        lan.host.namespace.run("ethtool", "-L", "p2", "rx", "2", "tx", "2")
        await_port(lan, 2)
        ovs_test.wait_until(lambda: interface(lan, 2, "status:n_rxq").strip('"') == "2", what="two queues")
        assert machine.ping("10.0.0.1", wait=5)


def test_statistics(lan):
    assert lan[1].ping("10.0.0.2", count=100)

    def counted():
        return int(interface(lan, 1, "statistics:rx_packets")) >= 100 and \
            int(interface(lan, 2, "statistics:tx_packets")) >= 100
    ovs_test.wait_until(counted, 20, "the statistics of 100 packets")
    assert interface(lan, 1, "statistics:rx_dropped") == "0"
    assert interface(lan, 2, "statistics:tx_dropped") == "0"


def test_another_type(lan):
    """A port changes between system and afxdp, and forwards as either."""
    for type_ in ("system", "afxdp", "system", "afxdp-nonpmd"):
        lan.host.vsctl("set", "Interface", "p1", f"type={type_}")
        ovs_test.wait_until(lambda: lan[1].ping("10.0.0.2", wait=1), what=f"traffic as {type_}")
        assert has_program(lan, "p1") == (type_ != "system")


def test_idle(lan):
    """A switch without traffic uses no processor."""
    for machine in (*lan.machines.values(), lan.host.namespace):
        machine.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")

    assert_idle(lan, 3)


def test_the_configuration_goes_while_a_port_waits():
    """For the row that would be told that it is in force."""
    with Lan(1) as lan, other_socket(lan.host.namespace, "p1"):
        box, server = lan.host.box, f"unix:{lan.host.box.run_dir}/db.sock"
        lan.host.namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
        box.run("ovs-vsctl", "--no-wait", "add-port", "br0", "p1", "--", "set", "Interface", "p1", "type=afxdp")
        box.run("ovsdb-client", "transact", server,
                '["Open_vSwitch", {"op": "delete", "table": "Open_vSwitch", "where": []}]')
        ovs_test.wait_until(lambda: "br0" not in lan.host.appctl("dpctl/show"), what="the bridge to go")
        assert_idle(lan, 2)
        lan.host.vsctl("add-br", "br1")


def test_an_unprivileged_user():
    """With --user, what AF_XDP needs is kept."""
    with Lan(2) as lan:
        host = lan.host
        host.switch.stop(signal.SIGTERM)
        nobody = pwd.getpwnam("nobody")
        for path in (host.box.top, host.box.run_dir, host.box.log_dir, *host.box.run_dir.iterdir(),
                     *host.box.log_dir.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        host.start_switch(args=("--user=nobody",))
        for n in lan.machines:
            host.vsctl("--no-wait", "add-port", "br0", f"p{n}", "--", "set", "Interface", f"p{n}", "type=afxdp")
        ovs_test.wait_until(lambda: lan[1].ping("10.0.0.2", wait=1), what="traffic")
        assert interface(lan, 1, "status:xdp-mode") == "native"
