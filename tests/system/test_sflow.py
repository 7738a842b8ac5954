"""sFlow as an administrator sets it up: the commands of the documentation, on real interfaces in network
namespaces, with a collector that decodes what arrives.  Real collectors: test_sflow_collectors.py."""

import os
import re
import subprocess
import time

import pytest

import sflow
from ovs_test import limit, wait_until
from sflow import record

VARIABLES = ("export COLLECTOR_IP=10.0.0.1 COLLECTOR_PORT=6343 AGENT_IP=eth1 "
             "HEADER_BYTES=128 SAMPLING_N={n} POLLING_SECS=10\n")
CREATE = r"""ovs-vsctl -- --id=@sflow create sflow agent=${AGENT_IP} target=\"${COLLECTOR_IP}:${COLLECTOR_PORT}\" \
    header=${HEADER_BYTES} sampling=${SAMPLING_N} polling=${POLLING_SECS} -- set bridge br0 sflow=@sflow
"""


@pytest.fixture
def own_site():
    """A site that the test may change as it likes."""
    with sflow.Site() as made:
        made.introduce()
        yield made


@pytest.fixture(scope="module")
def shared_site():
    with sflow.Site() as made:
        made.introduce()
        yield made


@pytest.fixture
def site(shared_site):
    """A site whose bridge has no sFlow yet; the test changes nothing but that."""
    shared_site.mark_log()
    yield shared_site
    shared_site.vsctl("clear", "bridge", "br0", "sflow")
    assert shared_site.host.switch.alive(), shared_site.host.switch.stderr()


@pytest.fixture
def collector(request):
    site_ = request.getfixturevalue("own_site" if "own_site" in request.fixturenames else "site")
    with site_.collector() as made:
        yield made


def port_of(sample):
    """The UDP port that a sampled packet of Site.send() was for; None: another packet."""
    header = bytes.fromhex(record(sample, "sampled_header")["header"])
    at = 12
    while header[at:at + 2] == b"\x81\x00":
        at += 4
    return int.from_bytes(header[at + 24:at + 26]) if header[at:at + 2] == b"\x08\x00" else None


def samples_of(collector, port):
    return [s for s in collector.flow_samples() if port_of(s) == port]


def assert_exported(site, collector, port, count=10):
    """Packets between vm1 and vm2 are sampled, each of them."""
    site.send("vm1", "vm2", count, port=port)
    try:
        return collector.wait_for(lambda: len(found := samples_of(collector, port)) == count and found)
    except AssertionError:
        flows = site.host.appctl("dpctl/dump-flows")
        raise AssertionError(f"{len(samples_of(collector, port))} samples of {count} packets for port {port}:\n"
                             f"{flows}\n{collector.datagrams[-3:]}\n{site.log()}") from None


def await_log(site, pattern, count=1):
    wait_until(lambda: len(re.findall(pattern, site.log())) >= count, what=f"{pattern!r} in the log")
    found = re.findall(pattern, site.log())
    assert len(found) == count, found
    # What was decided when it was logged holds for the next packet of every flow, too.
    site.host.appctl("revalidator/wait")


# ---- the commands of the documentation

def test_the_commands_of_the_documentation(site, collector):
    uuid = site.shell(VARIABLES.format(n=64) + CREATE).stdout.strip()
    shown = site.shell("ovs-vsctl list sflow").stdout
    assert re.sub(r" +", " ", shown) == (
        f"_uuid : {uuid}\nagent : eth1\nexternal_ids : {{}}\nheader : 128\npolling : 10\nsampling : 64\n"
        'targets : ["10.0.0.1:6343"]\n')

    site.pave("vm1", "vm2", size=200)
    site.send("vm1", "vm2", 6399, size=200)
    found = collector.wait_for(lambda: len(f := collector.flow_samples()) >= 50 and f)
    for s in found:
        assert (s["rate"], s["drops"], s["source"]) == (64, 0, "2:1000")
        assert (s["input"], s["output"]) == (site.ifindex("tap0"), site.ifindex("tap1"))
        header = record(s, "sampled_header")
        assert (header["protocol"], header["frame_length"], header["stripped"]) == (1, 204, 4)
        whole = sflow.udp_frame(site.machines["vm1"], site.machines["vm2"], 200)
        assert header["header"] == whole[:128].hex()
        assert record(s, "extended_switch") == {
            "record": "extended_switch", "in_vlan": 10, "in_priority": 0, "out_vlan": 10, "out_priority": 0}
    assert [s["sequence"] for s in found] == list(range(1, len(found) + 1))
    assert {d["agent"] for d in collector.datagrams} == {"10.0.0.2"}

    # "ovs-vsctl remove bridge br0 sflow $SFLOWUUID"
    site.shell(f"SFLOWUUID={uuid}\novs-vsctl remove bridge br0 sflow $SFLOWUUID")
    assert site.vsctl("get", "bridge", "br0", "sflow") == "[]\n"
    assert site.vsctl("list", "sflow") == ""


@pytest.mark.parametrize("word", ["--id=@sflow", "-id=@sflow"])
@pytest.mark.parametrize("target", [r"\"${COLLECTOR_IP}:${COLLECTOR_PORT}\"", "10.0.0.1:6343", "10.0.0.1",
                                    "'\"10.0.0.1:6343\"'"])
def test_the_same_as_other_pages_write_it(site, collector, word, target):
    command = CREATE.replace("--id=@sflow", word).replace(r"\"${COLLECTOR_IP}:${COLLECTOR_PORT}\"", target)
    done = site.shell(VARIABLES.format(n=1) + command)
    assert done.stderr == ""
    assert_exported(site, collector, 1000)


def test_counters_arrive(site, collector):
    def counter(interface, name):
        return int(site.namespaces["host"].run("cat", f"/sys/class/net/{interface}/statistics/{name}").stdout)

    interfaces = ("tap0", "tap1", "tap2", "tap3", "br0")
    indexes = {name: site.ifindex(name) for name in interfaces}
    before = counter("tap1", "tx_packets")
    site.pave("vm1", "vm2", size=500)
    site.send("vm1", "vm2", 19, size=500)
    wait_until(lambda: counter("tap1", "tx_packets") == before + 20, what="the packets to be forwarded")
    site.set_sflow(polling=1, sampling=0)

    def latest():
        by_source = {s["source"]: s for s in collector.counter_samples()}
        found = {name: by_source.get(f"0:{indexes[name]}") for name in interfaces}
        return by_source if None not in found.values() and "2:1000" in by_source else None
    samples = collector.wait_for(latest)
    for name in interfaces:
        sample = samples[f"0:{indexes[name]}"]
        assert record(sample, "port_name")["name"] == name
        number = int(site.vsctl("get", "interface", name, "ofport"))
        dpid = int(site.vsctl("get", "bridge", "br0", "datapath_id").strip().strip('"'), 16)
        assert record(sample, "of_port") == {"record": "of_port", "datapath_id": dpid, "port": number % (1 << 16)}
        assert record(sample, "ethernet_counters")
    # What a machine sends comes in.
    sent = record(samples[f"0:{indexes['tap0']}"], "if_counters")
    assert (sent["in_unicast"], sent["in_octets"]) == (counter("tap0", "rx_packets"), counter("tap0", "rx_bytes"))
    assert (sent["index"], sent["type"], sent["status"]) == (indexes["tap0"], 6, 3)
    got = record(samples[f"0:{indexes['tap1']}"], "if_counters")
    assert (got["out_unicast"], got["out_octets"]) == (counter("tap1", "tx_packets"), counter("tap1", "tx_bytes"))
    assert got["out_unicast"] >= 20
    assert record(samples["2:1000"], "ovs_dp_stats")["hits"] >= 19
    assert record(samples["2:1000"], "app_resources")["memory_used"] > 1 << 20
    assert collector.flow_samples() == []

    # They come again, once in an interval, numbered.
    def again():
        return [s["sequence"] for s in collector.counter_samples() if s["source"] == f"0:{indexes['tap0']}"]
    numbers = collector.wait_for(lambda: len(n := again()) >= 3 and n)
    assert numbers == list(range(1, len(numbers) + 1))


def test_counters_of_vlans_and_the_host(site, collector):
    """What entered the bridge in each VLAN; the load and the memory of the host."""
    site.set_sflow(polling=1, sampling=0)
    site.send("vm1", "vm2", 20, size=500)
    site.send("vm3", "vm4", 10, size=60)
    site.wires["vm1"].send(b"\xff" * 6 + site.machines["vm1"].mac + b"\x88\xb5" + bytes(86))

    def counted():
        latest = {s["source"]: record(s, "vlan_counters") for s in collector.counter_samples()}
        ten, twenty = latest.get("1:10"), latest.get("1:20")
        return ten and twenty and ten["unicast"] == 20 and ten["broadcast"] == 1 and twenty["unicast"] == 10 and latest
    latest = collector.wait_for(counted)
    assert latest["1:10"] == {"record": "vlan_counters", "vlan": 10, "octets": 20 * 500 + 100, "unicast": 20,
                              "multicast": 0, "broadcast": 1, "discards": 0}
    assert latest["1:20"]["octets"] == 600

    def loaded():
        hosts = [record(s, "processor") for s in collector.counter_samples() if s["source"] == "2:1000"]
        return [h for h in hosts if h["load_5s"] != 0xffffffff]
    load = collector.wait_for(loaded)[0]
    assert 0 <= load["load_5s"] <= 10000
    assert 0 < load["memory_free"] < load["memory_total"]


def test_counters_are_spread_over_the_interval(own_site, collector):
    """The sources are not all polled at one moment."""
    own_site.host.appctl("time/stop")
    own_site.set_sflow(polling=3, sampling=0)
    own_site.host.appctl("time/warp", "4000", "100")
    collector.settle()
    assert len({s["source"] for s in collector.counter_samples()}) >= 6
    assert len(collector.datagrams) >= 3


def test_remove_stops_at_once(site, collector):
    uuid = site.set_sflow(sampling=1, polling=1)
    assert_exported(site, collector, 1000)
    site.vsctl("remove", "bridge", "br0", "sflow", uuid)
    assert "sFlow" not in site.host.appctl("dpctl/dump-flows")
    with site.namespaces["vm2"].sniff("eth0") as frames:
        site.send("vm1", "vm2", 50, port=2000)
        frames.wait_for(lambda frame: len([f for f in frames.frames if f[36:38] == (2000).to_bytes(2)]) == 50)
    site.set_sflow(sampling=1)
    assert_exported(site, collector, 3000)
    assert samples_of(collector, 2000) == []


def test_changes_of_the_record_count_at_once(site, collector):
    uuid = site.set_sflow(sampling=1, header=128)
    assert_exported(site, collector, 1000)
    site.vsctl("set", "sflow", uuid, "header=64")
    found = assert_exported(site, collector, 2000)
    assert {len(record(s, "sampled_header")["header"]) // 2 for s in found} == {64}
    site.vsctl("set", "sflow", uuid, "sampling=2")
    site.send("vm1", "vm2", 200, port=3000)
    found = collector.wait_for(lambda: len(f := samples_of(collector, 3000)) > 50 and f)
    assert {s["rate"] for s in found} == {2}
    site.vsctl("set", "sflow", uuid, "sampling=1")
    with site.collector("10.0.0.1:7000") as other:
        site.vsctl("set", "sflow", uuid, "target=10.0.0.1:7000")
        assert_exported(site, other, 4000)
        other.settle()
    collector.settle()
    assert samples_of(collector, 4000) == []
    # The numbers went on.
    sequences = [s["sequence"] for s in collector.flow_samples() + other.flow_samples()]
    assert sequences == list(range(1, len(sequences) + 1))


def test_the_pool_counts_every_packet_whatever_the_rate_was(site, collector):
    """Collectors that take the rate from the pool must not find packets of an earlier time between two samples."""
    uuid = site.set_sflow(sampling=4294967295)
    with site.namespaces["vm2"].sniff("eth0", outgoing=False) as frames:
        for done in range(200, 2001, 200):
            site.send("vm1", "vm2", 200, port=1000)
            wait_until(lambda: len(frames.frames) >= done, what="the packets to be forwarded")
    site.vsctl("set", "sflow", uuid, "sampling=1")
    # First from another port, which may belong to another thread.
    site.send("vm2", "vm1", 10, port=2000)
    site.send("vm1", "vm2", 10, port=2000)
    found = collector.wait_for(lambda: len(f := collector.flow_samples()) == 20 and f)
    assert [s["pool"] for s in found] == [2000 + n for n in range(1, 21)]


# ---- what is in a sample

def test_flooded_dropped_and_trunk(own_site, collector):
    """The standard's encodings: several outputs, none, and the VLAN and priority of each way."""
    own_site.vsctl("set", "port", "tap3", "tag=[]", "trunks=10,20")
    own_site.vsctl("set", "port", "tap2", "tag=30")
    own_site.set_sflow(sampling=1)
    # To an address that nobody has: all ports of VLAN 10, which are tap1, tap3 and the bridge's own.
    stranger = sflow.Machine("x", "", 0, "192.168.0.99", bytes.fromhex("0200000000ff"))
    for size in (60, 1514):
        own_site.wires["vm1"].send(sflow.udp_frame(own_site.machines["vm1"], stranger, size))
    flooded = collector.wait_for(lambda: len(f := collector.flow_samples()) == 2 and f)
    assert [s["output"] for s in flooded] == ["multiple:3"] * 2
    assert sorted(record(s, "sampled_header")["frame_length"] for s in flooded) == [64, 1518]
    # An access port does not accept the tag of another VLAN.
    own_site.wires["vm1"].send(sflow.udp_frame(own_site.machines["vm1"], stranger, tags=[(77, 0)]))
    dropped = collector.wait_for(lambda: len(f := collector.flow_samples()) == 3 and f)[2]
    assert dropped["output"] == "discarded:256"
    assert record(dropped, "extended_switch")["in_vlan"] == 77
    # From an access port to the trunk: the tag is added; back, it is removed.  The priority is the packet's.
    own_site.send("vm4", "vm1", 1, port=500, tags=[(10, 5)])
    back = collector.wait_for(lambda: samples_of(collector, 500))[0]
    assert record(back, "extended_switch") == {
        "record": "extended_switch", "in_vlan": 10, "in_priority": 5, "out_vlan": 10, "out_priority": 5}
    assert (back["input"], back["output"]) == (own_site.ifindex("tap3"), own_site.ifindex("tap0"))
    own_site.send("vm1", "vm4", 1, port=600)
    there = collector.wait_for(lambda: samples_of(collector, 600))[0]
    assert (there["input"], there["output"]) == (own_site.ifindex("tap0"), own_site.ifindex("tap3"))
    assert record(there, "extended_switch")["out_vlan"] == 10


def test_the_bridges_own_port(own_site, collector):
    """What the host itself sends into the bridge is sampled as coming from br0."""
    host = own_site.namespaces["host"]
    own_site.vsctl("set", "port", "br0", "tag=10")
    host.address("br0", "192.168.0.100/24")
    host.run("ip", "link", "set", "br0", "up")
    host.run("ip", "neighbour", "add", "192.168.0.1", "lladdr", own_site.machines["vm1"].mac.hex(":"), "dev", "br0")
    own_site.set_sflow(sampling=1)
    own = own_site.ifindex("br0")

    def sampled():
        host.ping("192.168.0.1", wait=0.1)
        return [s for s in collector.flow_samples() if s["input"] == own]
    found = collector.wait_for(sampled)
    assert found[0]["output"] == own_site.ifindex("tap0")
    assert record(found[0], "extended_switch")["in_vlan"] == 10


def test_large_frames_of_offloading_guests():
    """A guest hands over a segment of up to 64 KB: it is one packet, of that length."""
    with sflow.Site(answer=True) as site, site.collector() as collector:
        site.set_sflow(sampling=1)
        vm1, vm2 = site.namespaces["vm1"], site.namespaces["vm2"]
        server = vm2.popen("python3", "-c", (
            "import socket\ns=socket.create_server(('192.168.0.2',5001))\nc,_=s.accept()\n"
            "while c.recv(1<<16): pass\nc.send(b'.')"))
        try:
            wait_until(lambda: ":5001" in vm2.run("ss", "-ltn").stdout, what="the listener")
            vm1.run("python3", "-c", "import socket\ns=socket.create_connection(('192.168.0.2',5001))\n"
                                     "s.sendall(bytes(1000000))\ns.shutdown(1)\ns.recv(1)")
        finally:
            server.kill()
            server.wait()
        tap0 = site.ifindex("tap0")
        lengths = [record(s, "sampled_header")["frame_length"]
                   for s in collector.wait_for(lambda: [s for s in collector.flow_samples() if s["input"] == tap0])]
        collector.wait_for(lambda: sum(record(s, "sampled_header")["frame_length"]
                                       for s in collector.flow_samples() if s["input"] == tap0) > 1000000)
        assert max(record(s, "sampled_header")["frame_length"]
                   for s in collector.flow_samples() if s["input"] == tap0) > 1518, lengths
        assert not [s for s in collector.flow_samples() if s["drops"]]


# ---- agents and targets

@pytest.mark.parametrize("agent,expected", [
    ("eth1", "10.0.0.2"), ("10.0.0.2", "10.0.0.2"), ("198.51.100.7", "198.51.100.7"), (None, "10.0.0.2"),
    ('"fd00::2"', "fd00::2"), ("lo", "127.0.0.1")])
def test_agent(site, collector, agent, expected):
    site.set_sflow(sampling=1, **({} if agent is None else {"agent": agent}))
    assert_exported(site, collector, 1000)
    assert {d["agent"] for d in collector.datagrams} == {expected}


@pytest.mark.parametrize("agent,expected", [(None, "fd00::2"), ("eth1", "10.0.0.2")])
@pytest.mark.parametrize("target", ["[fd00::1]:6343", "[fd00::1]"])
def test_ipv6_collector(site, target, agent, expected):
    with site.collector("[fd00::1]:6343") as collector:
        site.set_sflow(target=f'"{target}"', sampling=1, **({"agent": agent} if agent else {}))
        assert_exported(site, collector, 1000)
        assert {d["agent"] for d in collector.datagrams} == {expected}


def test_an_agent_without_an_address_is_waited_for(own_site, collector):
    host = own_site.namespaces["host"]
    own_site.set_sflow(sampling=1, agent="eth2")
    await_log(own_site, r"br0: no IP address for the sFlow agent: \"eth2\" is neither an IP address nor a device")
    own_site.send("vm1", "vm2", 10, port=1000)
    own_site.network.veth(host, "eth2", own_site.namespaces["collector"], "eth2")
    host.address("eth2", "203.0.113.5/24")
    await_log(own_site, "sFlow agent 203.0.113.5 ")
    assert_exported(own_site, collector, 2000)
    assert samples_of(collector, 1000) == []
    assert {d["agent"] for d in collector.datagrams} == {"203.0.113.5"}
    assert own_site.log().count("no IP address for the sFlow agent") == 1


def test_the_agent_is_a_device_with_ipv6_alone(own_site, collector):
    host = own_site.namespaces["host"]
    own_site.network.veth(host, "eth2", own_site.namespaces["collector"], "eth2")
    host.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth2/disable_ipv6")
    host.address("eth2", "fd00:2::5/64")
    wait_until(lambda: "fe80::" in host.run("ip", "address", "show", "dev", "eth2").stdout, what="its own address")
    own_site.set_sflow(sampling=1, agent="eth2")
    assert_exported(own_site, collector, 1000)
    assert {d["agent"] for d in collector.datagrams} == {"fd00:2::5"}


def test_the_agent_loses_its_address(own_site, collector):
    """Nothing is exported with an address that is gone; a new one counts within a second."""
    host = own_site.namespaces["host"]
    own_site.network.veth(host, "ag0", own_site.namespaces["collector"], "ag0")
    host.address("ag0", "203.0.113.5/24")
    own_site.set_sflow(sampling=1, agent="ag0", polling=1)
    assert_exported(own_site, collector, 1000)

    def is_silent():
        """The counters, which come several times a second, do not."""
        own_site.warp(3)
        collector.clear()
        own_site.warp(10)
        own_site.send("vm1", "vm2", 10, port=2000)
        collector.settle()
        assert collector.datagrams == []
        return "sFlow" not in own_site.host.appctl("dpctl/dump-flows")
    host.run("ip", "address", "del", "203.0.113.5/24", "dev", "ag0")
    await_log(own_site, "br0: no IP address for the sFlow agent: the device ag0 has no IP address")
    assert is_silent()
    host.address("ag0", "203.0.113.6/24")
    await_log(own_site, "sFlow agent 203.0.113.6 ")
    assert_exported(own_site, collector, 3000)
    # Another one in its place is nothing to complain about.
    own_site.mark_log()
    host.run("sh", "-c", "ip address add 203.0.113.7/32 dev ag0; ip address del 203.0.113.6/24 dev ag0")
    await_log(own_site, "sFlow agent 203.0.113.7 ")
    host.run("ip", "link", "del", "ag0")
    await_log(own_site, 'br0: no IP address for the sFlow agent: "ag0" is neither an IP address nor a device')
    assert is_silent()
    assert "203.0.113.6" not in own_site.log()


def test_a_link_local_address_is_none(own_site, collector):
    """But for a collector on the same link."""
    host, far = own_site.namespaces["host"], own_site.namespaces["collector"]
    own_site.network.veth(host, "eth2", far, "eth2")
    host.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth2/disable_ipv6")
    far.address("eth2", "fe80::9/64")
    wait_until(lambda: "fe80::" in host.run("ip", "address", "show", "dev", "eth2").stdout, what="its own address")
    uuid = own_site.set_sflow(sampling=1, agent="eth2")
    await_log(own_site, "br0: no IP address for the sFlow agent: the device eth2 has no IP address but a link-local one")
    assert "sFlow agent fe80" not in own_site.log()
    with own_site.collector("[::]:6344") as near:
        own_site.vsctl("set", "sflow", uuid, 'target="[fe80::9%eth2]:6344"')
        await_log(own_site, "sFlow agent fe80::")

        def arrives():
            own_site.send("vm1", "vm2", 1)
            return near.flow_samples()
        near.wait_for(arrives)
        assert all(d["agent"].startswith("fe80::") for d in near.datagrams)
        own_site.vsctl("set", "sflow", uuid, "target=10.0.0.1:6343")
        await_log(own_site, "no IP address for the sFlow agent", 2)
        host.address("eth2", "fd00:2::5/64")
        await_log(own_site, "sFlow agent fd00:2::5 ")
        assert_exported(own_site, collector, 1000)


def test_several_targets(site):
    """Each gets everything, whatever becomes of the others."""
    with site.collector("10.0.0.1:6343") as a, site.collector("10.0.0.1:6344") as b, \
            site.collector("[fd00::1]:6345") as c:
        site.vsctl("--", "--id=@s", "create", "sflow", "sampling=1", "agent=eth1",
                   'targets="10.0.0.1:6343","10.0.0.1:6344","[fd00::1]:6345","192.0.2.1:6343","no.such.invalid",'
                   '"10.0.0.1:6346"', "--", "set", "bridge", "br0", "sflow=@s")
        for collector in (a, b, c):
            assert_exported(site, collector, 1000 + collector.port)
        for collector in (a, b, c):
            collector.settle()
            assert [s["sequence"] for s in collector.flow_samples()] == list(range(1, 31))


def test_the_agent_is_found_though_some_collectors_cannot_be_reached(site, collector):
    """The database sorts targets: the first ones are those that cannot be used."""
    site.set_sflow(target='"0.no.such.invalid","1.2.3.4","10.0.0.1:6343"', sampling=1)
    assert_exported(site, collector, 1000)
    assert {d["agent"] for d in collector.datagrams} == {"10.0.0.2"}
    assert "no IP address for the sFlow agent" not in site.log()


def test_the_log_tells_who_reports_to_how_many_collectors(site):
    def said():
        return [line.split("|INFO|")[1] for line in site.log().splitlines() if "|sflow|INFO|" in line]
    uuid = site.set_sflow(agent="eth1")
    begin = ["br0: sFlow agent 10.0.0.2 (sub-agent 0) reports to 1 collector(s)"]
    assert said() == begin
    site.vsctl("set", "sflow", uuid, 'targets="10.0.0.1:6343","10.0.0.1:6344"')
    two = [*begin, "br0: sFlow agent 10.0.0.2 (sub-agent 0) reports to 2 collector(s)"]
    assert said() == two
    site.vsctl("set", "sflow", uuid, "sampling=10", "polling=5")
    assert said() == two
    site.vsctl("set", "sflow", uuid, "agent=10.0.0.9", 'targets="10.0.0.1:6344"')
    three = [*two, "br0: sFlow agent 10.0.0.9 (sub-agent 0) reports to 1 collector(s)"]
    assert said() == three
    site.vsctl("clear", "bridge", "br0", "sflow")
    assert said() == [*three, "br0: sFlow ends"]


def test_a_hundred_targets(site):
    targets = ",".join(f'"10.0.0.1:{7000 + i}"' for i in range(100))
    with site.collector("10.0.0.1:7000") as first, site.collector("10.0.0.1:7099") as last:
        site.set_sflow(target=targets, sampling=1)
        assert_exported(site, first, 1000)
        last.wait_for(lambda: len(samples_of(last, 1000)) == 10)


def test_names_are_resolved(site):
    with sflow.Collector(site.namespaces["host"], "127.0.0.1:6343") as collector:
        site.set_sflow(target="localhost", sampling=1)
        await_log(site, "sFlow agent 127.0.0.1 ")
        assert_exported(site, collector, 1000)
        assert {d["agent"] for d in collector.datagrams} == {"127.0.0.1"}


@pytest.mark.parametrize("target,why", [
    ('"192.0.2.1:6343"', "Network is unreachable"), ("no.such.invalid", "the host name .* cannot be resolved: .*"),
    ('"10.0.0.1:6343"', "Connection refused")])
def test_a_target_that_cannot_be_reached_is_said_once(own_site, target, why):
    # Every datagram is answered, however fast the switch's clock runs.
    own_site.namespaces["collector"].run("sh", "-c", "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit")
    uuid = own_site.set_sflow(target=target, sampling=1, agent="10.0.0.2")
    pattern = rf"sFlow of br0: cannot send to collector {re.escape(target.strip(chr(34)))}: {why} \(will keep trying\)"
    for round_ in range(3):
        own_site.send("vm1", "vm2", 20, port=1000 + round_)
        if round_ == 0:
            # What the collector's host answers is known when the next datagram is sent.
            def said():
                own_site.send("vm1", "vm2", 20)
                return re.search(pattern, own_site.log())
            wait_until(said, what=pattern)
        own_site.warp(6)
    assert len(re.findall(pattern, own_site.log())) == 1
    assert len([line for line in own_site.log().splitlines() if "cannot send" in line]) == 1
    with own_site.collector() as collector:
        own_site.vsctl("set", "sflow", uuid, "target=10.0.0.1:6343")
        assert_exported(own_site, collector, 2000)


def test_a_neighbour_that_does_not_answer_is_named_and_so_is_its_return(own_site):
    """Nobody has the address on the own subnet; later somebody has it."""
    own_site.set_sflow(target='"10.0.0.77:6343"', sampling=1, polling=1, agent="10.0.0.2")
    again = "sFlow of br0: sending to collector 10.0.0.77:6343 again"
    await_log(own_site, "sFlow of br0: cannot send to collector 10.0.0.77:6343: No route to host")
    assert again not in own_site.log()
    # It listens before it is found, so that nothing is refused.
    with own_site.collector("6343") as collector:
        own_site.namespaces["collector"].address("eth0", "10.0.0.77/24")

        def arrives():
            own_site.send("vm1", "vm2", 1)
            return collector.flow_samples()
        collector.wait_for(arrives)
        wait_until(lambda: again in own_site.log(), 20, what=again)
    # Who is gone again is named again.
    await_log(own_site, "cannot send to collector 10.0.0.77:6343: Connection refused")


def test_the_address_of_the_way_to_the_collector_is_replaced(own_site, collector):
    """The switch goes on by the other one, and has nothing to complain about."""
    host = own_site.namespaces["host"]
    own_site.set_sflow(sampling=1)
    assert_exported(own_site, collector, 1000)
    # Within another network, or it would go together with the first one.
    host.run("sh", "-c", "ip address add 10.0.0.3/25 dev eth1; ip address del 10.0.0.2/24 dev eth1")
    await_log(own_site, "sFlow agent 10.0.0.3 ")
    assert_exported(own_site, collector, 2000)
    assert "cannot send" not in own_site.log()


def test_it_is_sent_as_soon_as_the_collector_can_be_reached(own_site):
    """Without a route first, and later with one: nothing has to be configured anew."""
    own_site.set_sflow(target='"198.51.100.1:6343"', sampling=1, agent="eth1")
    await_log(own_site, "cannot send to collector 198.51.100.1:6343: Network is unreachable")
    own_site.namespaces["collector"].address("eth0", "198.51.100.1/32")
    own_site.namespaces["host"].run("ip", "route", "add", "198.51.100.1", "via", "10.0.0.1")
    with own_site.collector("198.51.100.1:6343") as collector:
        def arrives():
            own_site.send("vm1", "vm2", 1)
            return collector.flow_samples()
        collector.wait_for(arrives)


def test_a_collector_on_a_link_that_comes_later(own_site):
    host, far = own_site.namespaces["host"], own_site.namespaces["collector"]
    with own_site.collector("6343") as collector:
        own_site.set_sflow(target='"[fe80::9%eth2]:6343"', sampling=1)
        await_log(own_site, r"cannot send to collector \[fe80::9%eth2\]:6343: ")
        own_site.network.veth(host, "eth2", far, "eth2")
        host.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth2/disable_ipv6")
        far.address("eth2", "fe80::9/64")
        own_site.warp(6)

        def arrives():
            own_site.send("vm1", "vm2", 1)
            return collector.flow_samples()
        collector.wait_for(arrives)
        assert all(d["agent"].startswith("fe80::") for d in collector.datagrams)


def test_a_name_is_looked_up_until_it_resolves(own_site, collector, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("10.0.0.1 collector.invalid\n")
    own_site.set_sflow(target="collector.invalid", sampling=1)
    await_log(own_site, "cannot send to collector collector.invalid: the host name .* cannot be resolved")
    # The switch has mounts of its own, as "ip netns exec" makes them.
    pid = own_site.host.switch.pid
    assert os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    subprocess.run(["nsenter", f"--mount=/proc/{pid}/ns/mnt", "mount", "--bind", hosts, "/etc/hosts"], check=True)
    own_site.warp(6)
    await_log(own_site, "sFlow agent 10.0.0.2 ")
    assert_exported(own_site, collector, 1000)


# ---- one record for several bridges, and restarts

def test_one_record_for_two_bridges(own_site, collector):
    uuid = own_site.set_sflow(sampling=1, polling=1)
    own_site.vsctl("add-br", "br1", "--", "set", "bridge", "br1", f"sflow={uuid}")
    for tap in ("tap2", "tap3"):
        own_site.vsctl("del-port", tap, "--", "add-port", "br1", tap)
    own_site.introduce_on("br1", "vm3", "vm4")
    own_site.send("vm1", "vm2", 10, port=1000)
    own_site.send("vm3", "vm4", 10, port=2000)
    found = collector.wait_for(lambda: len(samples_of(collector, 1000)) == len(samples_of(collector, 2000)) == 10)
    assert found
    # They are told apart by the source, and by the number of the agent within the host.
    assert {s["source"] for s in samples_of(collector, 1000)} == {"2:1000"}
    assert {s["source"] for s in samples_of(collector, 2000)} == {"2:1001"}
    assert {d["sub_agent"] for d in collector.datagrams} == {0, 1}
    for sub_agent in (0, 1):
        numbers = [d["sequence"] for d in collector.datagrams if d["sub_agent"] == sub_agent]
        assert numbers == list(range(1, len(numbers) + 1))
    # One of them without: the other one goes on.
    own_site.vsctl("clear", "bridge", "br0", "sflow")
    own_site.send("vm1", "vm2", 10, port=3000)
    own_site.send("vm3", "vm4", 10, port=4000)
    collector.wait_for(lambda: len(samples_of(collector, 4000)) == 10)
    own_site.vsctl("set", "bridge", "br0", f"sflow={uuid}")
    assert_exported(own_site, collector, 5000)
    assert samples_of(collector, 3000) == []
    own_site.vsctl("del-br", "br1")
    assert_exported(own_site, collector, 6000)


def test_the_agents_of_several_bridges_are_numbered_by_their_names(own_site, collector):
    """When the switch starts: after a restart, collectors find everything where it was."""
    uuid = own_site.set_sflow(sampling=0, polling=1)
    names = ["br0"]
    for name in ("br4", "br2", "br5", "br1", "br3"):
        own_site.vsctl("add-br", name, "--", "set", "bridge", name, f"sflow={uuid}")
        names.append(name)

    def numbered():
        found = {}
        for d in collector.datagrams:
            for port in (record(s, "port_name") for s in d["samples"] if s["sample"] == "counters"):
                if port and port["name"] in names:
                    found[port["name"]] = d["sub_agent"]
        return len(found) == len(names) and found
    assert collector.wait_for(numbered) == {name: number for number, name in enumerate(names)}
    for _ in range(2):
        own_site.host.switch.stop()
        collector.clear()
        own_site.host.start_switch()
        assert collector.wait_for(numbered) == {name: number for number, name in enumerate(sorted(names))}


def test_after_a_restart_of_ovs_vswitchd(own_site, collector):
    own_site.set_sflow(sampling=1, agent="eth1")
    assert_exported(own_site, collector, 1000)
    own_site.restart_switch()
    own_site.introduce()
    assert_exported(own_site, collector, 2000)
    assert [d["sequence"] for d in collector.datagrams].count(1) == 2


def test_after_a_restart_of_ovsdb_server(own_site, collector):
    uuid = own_site.set_sflow(sampling=1, agent="eth1")
    assert_exported(own_site, collector, 1000)
    own_site.host.server.stop()
    assert_exported(own_site, collector, 2000)
    own_site.host.server = own_site.host.box.start_ovsdb_server()
    assert_exported(own_site, collector, 3000)
    assert own_site.vsctl("get", "bridge", "br0", "sflow").strip() == uuid
    numbers = [d["sequence"] for d in collector.datagrams]
    assert numbers == list(range(1, len(numbers) + 1))
    own_site.vsctl("remove", "bridge", "br0", "sflow", uuid)
    assert "sFlow" not in own_site.host.appctl("dpctl/dump-flows")


# ---- values that make no sense

def test_without_numbers_the_defaults_are_used(site, collector):
    site.set_sflow()
    site.pave("vm1", "vm2")
    site.send("vm1", "vm2", 8000)
    found = collector.wait_for(collector.flow_samples)
    assert found[0]["rate"] == 400


@pytest.mark.parametrize("header,copied,said", [
    (0, 0, None), (1, 1, None), (20, 20, None), (1024, 1024, None),
    (65536, 1024, "sFlow header=65536 is not from 0 to 1024: 1024 is used"),
    (-1, 128, "sFlow header=-1 is not from 0 to 1024: 128 is used")])
def test_header(site, collector, header, copied, said):
    site.set_sflow(sampling=1, header=header)
    site.send("vm1", "vm2", 10, size=1514)
    found = collector.wait_for(lambda: len(f := collector.flow_samples()) == 10 and f)
    assert {len(record(s, "sampled_header")["header"]) // 2 for s in found} == {copied}
    assert {record(s, "sampled_header")["frame_length"] for s in found} == {1518}
    assert [line for line in site.log().splitlines() if "sFlow header" in line] == \
        [line for line in site.log().splitlines() if said and said in line]
    assert said is None or said in site.log()


@pytest.mark.parametrize("sampling,said", [
    (0, None), (4294967295, None),
    (4294967296, "sFlow sampling=4294967296 is not from 0 to 4294967295: 4294967295 is used"),
    (-1, "sFlow sampling=-1 is not from 0 to 4294967295: 400 is used")])
def test_sampling(site, collector, sampling, said):
    uuid = site.set_sflow(sampling=sampling, polling=1)
    assert (said or "sFlow agent") in site.log()
    site.send("vm1", "vm2", 100)
    collector.wait_for(lambda: len(collector.counter_samples()) >= 6)
    if sampling >= 0:
        assert collector.flow_samples() == []
    site.vsctl("set", "sflow", uuid, "sampling=1")
    assert_exported(site, collector, 2000)


def test_polling_zero(own_site, collector):
    uuid = own_site.set_sflow(sampling=1, polling=0)
    assert_exported(own_site, collector, 1000)
    own_site.warp(100)
    # Meanwhile the database may have been taken for dead, and the bridge been made anew.
    own_site.introduce()
    assert_exported(own_site, collector, 2000)
    assert collector.counter_samples() == []
    own_site.vsctl("set", "sflow", uuid, "polling=1")
    collector.wait_for(collector.counter_samples)


@pytest.mark.parametrize("bad", ["10.0.0.1:99999", "10.0.0.1:x", "10.0.0.1:0", "10.0.0.1:-1", "[fd00::1", ":6343", "",
                                 "10.0.0.1:6344,10.0.0.1:6345", "udp:10.0.0.1:6343", "10.0.0.300:6343"])
def test_a_target_that_makes_no_sense(site, collector, bad):
    """It is left out and named in the log; the others get everything."""
    site.vsctl("--", "--id=@s", "create", "sflow", "sampling=1", f'targets="{bad}","10.0.0.1:6343"',
               "--", "set", "bridge", "br0", "sflow=@s")
    assert_exported(site, collector, 1000)
    said = [line for line in site.log().splitlines() if "sFlow target" in line]
    assert len(said) == 1 and "it is left out" in said[0] and bad in said[0], said


def test_no_target_that_can_be_used(site, collector):
    uuid = site.set_sflow(target='"10.0.0.1:99999"', sampling=1)
    assert "sFlow has no target that can be used: nothing is exported" in site.log()
    site.send("vm1", "vm2", 10, port=1000)
    site.vsctl("set", "sflow", uuid, "target=10.0.0.1:6343")
    assert_exported(site, collector, 2000)
    assert samples_of(collector, 1000) == []


def test_a_record_without_targets(site):
    """The database puts in an empty string, which is no target either."""
    site.vsctl("--", "--id=@s", "create", "sflow", "sampling=1", "--", "set", "bridge", "br0", "sflow=@s")
    assert "sFlow has no target that can be used: nothing is exported" in site.log()


def test_patch_ports_have_no_ifindex(own_site, collector):
    """A packet that goes through a patch port is sampled where it came in; the port itself is not reported about."""
    own_site.vsctl("add-br", "br1", "--", "del-port", "tap1", "--", "add-port", "br1", "tap1", "tag=10",
               "--", "add-port", "br0", "p0", "--", "set", "interface", "p0", "type=patch", "options:peer=p1",
               "--", "add-port", "br1", "p1", "--", "set", "interface", "p1", "type=patch", "options:peer=p0")
    own_site.introduce_on("br0", "vm1", "vm2")
    own_site.set_sflow(sampling=1, polling=1)
    found = assert_exported(own_site, collector, 1000)
    assert {(s["input"], s["output"]) for s in found} == {(own_site.ifindex("tap0"), own_site.ifindex("tap1"))}
    uuid = own_site.vsctl("get", "bridge", "br0", "sflow").strip()
    own_site.vsctl("clear", "bridge", "br0", "sflow", "--", "set", "bridge", "br1", f"sflow={uuid}")
    names = []

    def reported():
        names[:] = [record(s, "port_name")["name"] for s in collector.counter_samples() if record(s, "port_name")]
        return "tap1" in names
    collector.wait_for(reported)
    assert "p0" not in names and "p1" not in names


def test_dummy_ports(own_site, collector):
    """Devices that only exist in the switch: samples without interfaces, no counters, no crash."""
    own_site.args = ("--enable-dummy",)
    own_site.restart_switch()
    own_site.vsctl("add-br", "dummies", "--", "set", "bridge", "dummies", "datapath_type=dummy",
               "--", "add-port", "dummies", "d1", "--", "set", "interface", "d1", "type=dummy",
               "--", "add-port", "dummies", "d2", "--", "set", "interface", "d2", "type=dummy")
    own_site.vsctl("--", "--id=@s", "create", "sflow", "target=10.0.0.1:6343", "sampling=1", "polling=1",
               "--", "set", "bridge", "dummies", "sflow=@s")
    frame = sflow.udp_frame(own_site.machines["vm1"], own_site.machines["vm2"]).hex()
    own_site.host.appctl("netdev-dummy/receive", "d1", frame)
    found = collector.wait_for(collector.flow_samples)
    assert (found[0]["input"], found[0]["output"]) == (0, "multiple:2")
    collector.wait_for(lambda: len(collector.counter_samples()) >= 2)
    assert {s["source"] for s in collector.counter_samples()} == {"2:1000"}


def test_a_port_that_goes_and_comes_back(own_site, collector):
    """Its packets are sampled again, with the number that the interface has now."""
    own_site.set_sflow(sampling=1, polling=1)
    before = assert_exported(own_site, collector, 1000)[0]["input"]
    host, vm1 = own_site.namespaces["host"], own_site.namespaces["vm1"]
    own_site.wires["vm1"].close()
    host.run("ip", "link", "delete", "tap0")
    own_site.network.veth(host, "tap0", vm1, "eth0")
    vm1.run("ip", "link", "set", "eth0", "address", own_site.machines["vm1"].mac.hex(":"))
    own_site.wires["vm1"] = vm1.sniff("eth0")
    now = own_site.ifindex("tap0")
    assert now != before

    def sampled():
        own_site.send("vm1", "vm2", 1, port=2000)
        return samples_of(collector, 2000)
    assert collector.wait_for(sampled)[-1]["input"] == now
    own_site.wires["vm1"].close()


def test_idle_time_costs_nothing(site, collector):
    """The switch sleeps between samples: it does not poll for them faster than ten times a second."""
    site.set_sflow(sampling=64, polling=10)
    pid = site.host.switch.pid

    def ticks():
        with open(f"/proc/{pid}/stat") as stat:
            words = stat.read().rpartition(")")[2].split()
        return int(words[11]) + int(words[12])
    before, began = ticks(), time.monotonic()
    wait_until(lambda: time.monotonic() - began > 2, what="two seconds to pass")
    used = (ticks() - before) / 100 / (time.monotonic() - began)
    assert used <= 0.02 * limit(1), f"{used:.2%} of a core"
