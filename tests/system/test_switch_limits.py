"""The switch under what is many, fast or wrong: VLANs, addresses, ports, frames."""

import random
import re
import statistics
import struct
import threading
import time

import netns
import ovs_test
import two_hosts

BROADCAST = b"\xff" * 6
PAYLOAD = b"\x90\x00" + b"x" * 46


class DummySwitch:
    """A switch with dummy devices, and a connection to its control socket."""

    def __init__(self, box, ports):
        self.box = box
        box.start_ovsdb_server()
        self.daemon = box.start_vswitchd(args=("--enable-dummy",))
        self.rpc = ovs_test.RpcClient(self.daemon.control, timeout=30)
        words = ["add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=dummy"]
        for number, settings in ports.items():
            words += ["--", "add-port", "br0", f"p{number}", *settings, "--", "set", "Interface", f"p{number}",
                      "type=dummy", f"ofport_request={number}", f"options:tx_pcap=p{number}.pcap"]
        box.run("ovs-vsctl", "--timeout=30", *words)

    def control(self, command, *arguments):
        return self.rpc.call(command, [str(a) for a in arguments])

    def receive(self, port, frame):
        self.control("netdev-dummy/receive", f"p{port}", frame.hex())

    def sent(self, port):
        """The frames that left a port so far."""
        data = (self.box.top / f"p{port}.pcap").read_bytes()
        frames, at = [], 24
        while at < len(data):
            length = struct.unpack("=I", data[at + 8:at + 12])[0]
            frames.append(data[at + 16:at + 16 + length])
            at += 16 + length
        return frames


def mac(number):
    return b"\x02\x00" + struct.pack("!I", number)


def test_every_vlan_at_once(box):
    """4,094 VLANs on a trunk: each learns its own addresses and reaches its own ports."""
    switch = DummySwitch(box, {1: (), 2: (), 3: ("tag=1",), 4: ("tag=4094",)})
    for vlan in range(1, 4095):
        switch.receive(1, BROADCAST + mac(7) + struct.pack("!HH", 0x8100, vlan) + PAYLOAD)
    assert [struct.unpack("!H", f[14:16])[0] for f in switch.sent(2)] == list(range(1, 4095))
    assert switch.sent(3) == [BROADCAST + mac(7) + PAYLOAD] == switch.sent(4)
    learned = [line.split() for line in switch.control("fdb/show", "br0").splitlines()[1:]]
    assert sorted(int(vlan) for _, vlan, _, _ in learned) == list(range(1, 4095))
    # And back: each of them is known where it is, so that nobody else gets the answer.
    before = len(switch.sent(3))
    for vlan in (1, 2, 4094):
        switch.receive(2, mac(7) + mac(8) + struct.pack("!HH", 0x8100, vlan) + PAYLOAD)
    assert [struct.unpack("!H", f[14:16])[0] for f in switch.sent(1)] == [1, 2, 4094]
    assert len(switch.sent(3)) == before


def test_more_addresses_than_the_table_holds(box):
    """A port that floods the table evicts its own addresses; others keep theirs."""
    switch = DummySwitch(box, {1: (), 2: (), 3: ()})
    box.run("ovs-vsctl", "--timeout=10", "set", "Bridge", "br0", "other_config:mac-table-size=100")
    for number in range(10):
        switch.receive(2, BROADCAST + mac(1000 + number) + PAYLOAD)
    for number in range(1000):
        switch.receive(1, BROADCAST + mac(5000 + number) + PAYLOAD)
    lines = [line.split() for line in switch.control("fdb/show", "br0").splitlines()[1:]]
    assert len(lines) == 100
    assert sum(line[0] == "2" for line in lines) == 10
    text = switch.control("fdb/stats-show", "br0")
    assert re.search(r"evicted MAC entries *: 910\b", text), text


def test_settings_that_are_too_large(box):
    """Numbers of 64 bits, where fewer are of use, mean the largest."""
    switch = DummySwitch(box, {1: (), 2: ()})
    for key, value in (("vlan-limit", 2**32 + 1), ("max-idle", 2**63 - 1), ("flow-limit", 2**63 - 1),
                       ("stats-update-interval", 2**63 - 1)):
        box.run("ovs-vsctl", "--timeout=10", "set", "Open_vSwitch", ".", f"other_config:{key}={value}")
    two_tags = BROADCAST + mac(7) + bytes.fromhex("88a8000a 81000014") + PAYLOAD
    assert "dl_vlan1=20" in switch.control("ofproto/trace", "br0", "in_port=1", two_tags.hex())
    switch.receive(1, two_tags)
    switch.control("revalidator/wait")
    assert "packets:0" in switch.control("dpif/dump-flows", "br0")
    switch.receive(1, two_tags)
    assert switch.sent(2) == [two_tags, two_tags]


def test_frames_that_are_cut_or_nonsense(box):
    """Whatever arrives: no crash, and good frames pass before and after."""
    switch = DummySwitch(box, {1: (), 2: ("tag=5",), 3: ("vlan_mode=dot1q-tunnel", "tag=6")})
    chance = random.Random(4)
    whole = [
        BROADCAST + mac(1) + bytes.fromhex("08004500003c000040004006000001020304050607081f9000500000000000000000a002"
                                           "faf0000000000204050b0402080a0000000000000000"),
        BROADCAST + mac(1) + bytes.fromhex("86dd6000000000203aff") + bytes(31) + bytes.fromhex("018700") + bytes(29),
        BROADCAST + mac(1) + bytes.fromhex("810000058100000608060001080006040001") + bytes(20),
        BROADCAST + mac(1) + bytes.fromhex("8847000120400001214008004500001c") + bytes(24),
        BROADCAST + mac(1) + bytes.fromhex("894f02060101000001ff") + bytes(40),
        BROADCAST + mac(1) + bytes.fromhex("88a8000a810000140800450000140000200040840000") + bytes(20),
    ]
    for frame in whole:
        for length in range(14, len(frame)):
            switch.receive(chance.choice((1, 2, 3)), frame[:length])
        for _ in range(60):
            spoiled = bytearray(frame)
            for _ in range(chance.randint(1, 4)):
                spoiled[chance.randrange(12, len(spoiled))] = chance.randrange(256)
            switch.receive(chance.choice((1, 2, 3)), bytes(spoiled))
    good = BROADCAST + mac(9) + PAYLOAD
    switch.receive(2, good)
    assert switch.sent(1)[-1] == BROADCAST + mac(9) + b"\x81\x00\x00\x05" + PAYLOAD
    assert switch.daemon.alive()


def test_frames_that_are_no_frames(box):
    switch = DummySwitch(box, {1: (), 2: ()})
    for text in ("00", "xyz", "in_port(1),eth(", "00" * 13):
        done = switch.daemon.appctl("netdev-dummy/receive", "p1", text, status=None)
        assert done.returncode == 2 and done.stderr, text
    assert switch.daemon.appctl("netdev-dummy/receive", "p9", "00" * 60, status=None).returncode == 2


def test_contradictory_rows(box):
    """Each is an error of its own row or ignored; what is right works."""
    switch = DummySwitch(box, {1: (), 2: ()})

    def vsctl(*words):
        return box.run("ovs-vsctl", "--timeout=10", *words, status=None)
    vsctl("add-port", "br0", "bad1", "--", "set", "Interface", "bad1", "type=no-such-type")
    vsctl("add-port", "br0", "bad2", "--", "set", "Interface", "bad2", "type=patch")
    vsctl("add-port", "br0", "bad3", "--", "set", "Interface", "bad3", "type=patch", "options:peer=bad3")
    vsctl("add-port", "br0", "bad4", "--", "set", "Interface", "bad4", "type=patch", "options:peer=nowhere")
    vsctl("add-port", "br0", "dup", "--", "set", "Interface", "dup", "type=dummy", "ofport_request=1")
    vsctl("add-port", "br0", "far", "--", "set", "Interface", "far", "type=dummy", "ofport_request=65000")
    vsctl("set", "Port", "p2", "trunks=5", "tag=5", "vlan_mode=access")
    vsctl("set", "Bridge", "br0", "other_config:hwaddr=nonsense", "other_config:mac-aging-time=-5",
          "other_config:mac-table-size=many", "other_config:datapath-id=xyz")
    vsctl("add-br", "weird/name", "--", "set", "Bridge", "weird/name", "datapath_type=dummy")
    vsctl("--", "--id=@b", "create", "Bridge", "name=unknown-dp", "datapath_type=fancy",
          "--", "add", "Open_vSwitch", ".", "bridges", "@b")
    for bad in ("bad1", "bad2"):
        assert vsctl("get", "Interface", bad, "ofport").stdout.strip() == "-1"
        assert vsctl("get", "Interface", bad, "error").stdout.strip() != "[]"
    number = int(vsctl("get", "Interface", "dup", "ofport").stdout)
    assert number > 0 and number != 1
    assert vsctl("get", "Interface", "far", "ofport").stdout.strip() == "65000"
    switch.receive(1, BROADCAST + mac(1) + struct.pack("!HH", 0x8100, 5) + PAYLOAD)
    assert switch.sent(2) == [BROADCAST + mac(1) + PAYLOAD]


def test_ports_that_flap():
    """Links that go up and down, and devices that come and go, a hundred times a second where nobody else is busy."""
    with netns.Network() as network:
        host = two_hosts.Host(network.namespace("host"))
        try:
            machines = [network.namespace(f"m{n}") for n in (1, 2, 3)]
            for n, machine in enumerate(machines, 1):
                network.veth(host.namespace, f"p{n}", machine, "eth0")
                machine.address("eth0", f"10.0.0.{n}/24")
            host.start()
            host.vsctl("add-br", "br0", *(w for n in (1, 2, 3) for w in ("--", "add-port", "br0", f"p{n}")))
            assert machines[0].ping("10.0.0.2")
            stop, flaps = threading.Event(), [0]

            def flap():
                while not stop.is_set():
                    batch = "link set p3 down\nlink set p3 up\n" * 10
                    batch += "link add x0 type veth peer name x1\nlink set x0 up\nlink del x0\n" * 5
                    host.namespace.run("ip", "-batch", "-", input=batch)
                    flaps[0] += 15
            host.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "x0", status=None)
            thread = threading.Thread(target=flap)
            thread.start()
            lost, rounds = 0, 0
            try:
                # As long as it takes until there were enough.
                while rounds == 0 or flaps[0] < 300:
                    done = machines[0].run("ping", "-n", "-i", "0.01", "-c", "300", "-W", "2", "10.0.0.2", check=False)
                    lost += 300 - int(re.search(r"(\d+) received", done.stdout).group(1))
                    rounds += 1
                    assert rounds <= ovs_test.limit(10), f"only {flaps[0]} flaps were made"
            finally:
                stop.set()
                thread.join()
            assert lost <= 2 * rounds
            ovs_test.wait_until(lambda: machines[2].ping("10.0.0.1", wait=1), what="the port that flapped to work again")
            assert host.switch.alive()
        finally:
            host.close()


def test_many_ports(box):
    """Adding a port to a bridge with many costs what adding one to a bridge with few does."""
    count = 1300
    switch = DummySwitch(box, {1: ()})

    def one_by_one(first, n):
        seconds = []
        for i in range(first, first + n):
            began = time.monotonic()
            box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", f"v{i}", "--", "set", "Interface", f"v{i}",
                    "type=dummy")
            seconds.append(time.monotonic() - began)
        # One that others have held up says nothing.
        return statistics.median(seconds)
    few = one_by_one(0, 20)
    box.run("ovs-vsctl", "--timeout=60", *(w for i in range(100, 100 + count) for w in (
        "--", "add-port", "br0", f"v{i}", "--", "set", "Interface", f"v{i}", "type=dummy")), timeout=90)
    many = one_by_one(5000, 20)
    assert many < 4 * few + 0.005, f"{many * 1000:.1f} ms with {count} ports, {few * 1000:.1f} ms with few"
    switch.receive(1, BROADCAST + mac(1) + PAYLOAD)
    assert len(switch.control("dpif/show").splitlines()) == count + 40 + 4
