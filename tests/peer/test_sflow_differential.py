"""sFlow of the packaged ovs-vswitchd and of ours, for the same traffic: the same samples of the same
interfaces, and the same kinds of records."""

import re
import shutil
import struct
import subprocess

import pytest

import ovs_test
import sflow
from sflow import record

MPLS, LABELS = b"\x88\x47", 2
STRANGER = sflow.Machine("x", "", 0, "192.168.0.99", bytes.fromhex("0200000000ff"))


def port_of(sample):
    """The UDP port that a sampled packet is for, or None."""
    header = bytes.fromhex(record(sample, "sampled_header")["header"])
    at = 16 if header[12:14] == b"\x81\x00" else 12
    if header[at:at + 2] == MPLS:
        at += 4 * LABELS
    elif header[at:at + 2] != b"\x08\x00":
        return None
    return int.from_bytes(header[at + 24:at + 26], "big")


def is_datagram(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 17


class Seen:
    """What a switch reports about the traffic of this test, with names in place of interface numbers."""

    def __init__(self, flavour, pcap):
        with sflow.Site(flavour=flavour, datapath_type="netdev") as site, site.collector() as collector, \
                site.namespaces["collector"].sniff("eth0", outgoing=False) as wire:
            self.exchange(site, collector, wire)
            self.datagrams = list(collector.datagrams)
            frames = [f for f in wire.frames[:self.frames_without_counters] if is_datagram(f)]
        with open(pcap, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for frame in frames:
                file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
        self.pcap = pcap

    def exchange(self, site, collector, wire):
        site.introduce()
        site.vsctl("set", "port", "tap3", "tag=[]", "trunks=10,20")
        uuid = site.set_sflow(sampling=1, polling=0, agent="eth1")
        self.names = {site.ifindex(name): name for name in ("tap0", "tap1", "tap2", "tap3", "br0")}

        def sampled(port):
            """All packets of the last step have become samples, so that they come in this order."""
            collector.wait_for(lambda: len(self.flows(collector, port)) == 5, what=f"samples for port {port}")

        # The packaged switch begins to sample some time after ovs-vsctl has returned.
        def begun():
            site.send("vm1", "vm2", 1, port=1)
            return collector.flow_samples()
        collector.wait_for(begun)
        steps = {2: ("vm1", "vm2", 100, ()), 3: ("vm4", "vm1", 64, ((10, 5),)), 4: ("vm1", "vm4", 1514, ()),
                 5: ("vm4", "vm3", 300, ((20, 0),)), 6: ("vm1", "vm2", 100, ((77, 3),))}
        for port, (source, destination, size, tags) in steps.items():
            site.send(source, destination, 5, size, port, tags)
            sampled(port)
        for _ in range(5):
            site.wires["vm1"].send(sflow.udp_frame(site.machines["vm1"], STRANGER, port=7))
        sampled(7)
        packet = sflow.udp_frame(site.machines["vm1"], site.machines["vm2"], port=8)
        labelled = packet[:12] + MPLS + struct.pack("!II", 100 << 12 | 64, 200 << 12 | 0x100 | 64) + packet[14:]
        for _ in range(5):
            site.wires["vm1"].send(labelled)
        sampled(8)
        collector.settle()
        ovs_test.wait_until(lambda: sum(is_datagram(f) for f in wire.frames) == len(collector.datagrams),
                            what="all datagrams to be captured")
        self.frames_without_counters = len(wire.frames)
        site.vsctl("set", "sflow", uuid, "polling=2")
        sources = {f"0:{n}" for n in self.names} | {"2:1000"}
        collector.wait_for(lambda: {s["source"] for s in collector.counter_samples()} >= sources)

    @staticmethod
    def flows(collector, port):
        """Samples of packets for a UDP port."""
        return [s for s in collector.flow_samples() if port_of(s) == port]

    def samples(self, kind):
        return [s for d in self.datagrams for s in d["samples"] if s["sample"] == kind]

    def interfaces(self):
        """{sampled bytes: (input, output)} of each kind of packet."""
        return {record(s, "sampled_header")["header"]:
                (self.names[s["input"]], self.names.get(s["output"], s["output"])) for s in self.flow_samples()}

    def flow_samples(self):
        """Without those by which it was found out that sampling had begun."""
        return [s for s in self.samples("flow") if port_of(s) in range(2, 9)]

    def record_types(self, kind):
        """{source: names of its records}"""
        found = {}
        for s in self.samples(kind):
            kind_of_source, index = s["source"].split(":")
            source = self.names[int(index)] if kind_of_source == "0" else s["source"]
            found.setdefault(source, set()).update(r["record"] for r in s["records"])
        return found


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sflow")
    return Seen("ours", folder / "ours.pcap"), Seen("packaged", folder / "packaged.pcap")


def test_interfaces_and_packets(both):
    """Where each packet came in and went out, in ifIndexes and the standard's encodings, and what is sent of it."""
    ours, packaged = (seen.interfaces() for seen in both)
    assert len(packaged) == 7
    assert ours == packaged
    assert set(ours.values()) == {("tap0", "tap1"), ("tap0", "tap3"), ("tap3", "tap0"), ("tap3", "tap2"),
                                  ("tap0", "discarded:256"), ("tap0", "multiple:3")}


def test_lengths(both):
    def lengths(seen):
        return {(tuple(record(s, "sampled_header").values()), s["rate"], s["source"]) for s in seen.flow_samples()}
    assert lengths(both[0]) == lengths(both[1])


def test_kinds_of_records(both):
    ours, packaged = both
    assert ours.record_types("flow") == packaged.record_types("flow") == {
        "2:1000": {"sampled_header", "extended_switch", "extended_mpls"}}
    counters, theirs = ours.record_types("counters"), packaged.record_types("counters")
    # Ours tells of VLANs and the host's processors as well.
    assert {"1:10", "1:20"} <= counters.keys()
    for vlan in [source for source in counters if source.startswith("1:")]:
        assert counters.pop(vlan) == {"vlan_counters"}
    counters["2:1000"].remove("processor")
    assert counters == theirs


def test_counters(both):
    """The same of each interface, but for what the traffic counts, and the same counters that nobody counts."""
    def counters(seen):
        found = {}
        for s in seen.samples("counters"):
            if not (name := record(s, "port_name")):
                continue
            records = [record(s, which) for which in ("if_counters", "ethernet_counters", "of_port")]
            values = {key: value for each in records for key, value in each.items()}
            fixed = {key: values[key] for key in ("type", "speed", "direction", "status", "promiscuous", "port")}
            found[name["name"]] = fixed, {key for key in values if values[key] in (2**32 - 1, 2**64 - 1)}
        return found
    ours, packaged = (counters(seen) for seen in both)
    assert ours.keys() == {"tap0", "tap1", "tap2", "tap3", "br0"}
    assert ours == packaged


def test_numbers(both):
    """Both number datagrams and samples from 1, and the pool of sampling=1 is the number of the sample.  When the
    record changes, the packaged switch begins anew, ours goes on."""
    ours, packaged = ([d["sequence"] for d in seen.datagrams] for seen in both)
    assert ours == list(range(1, len(ours) + 1))
    changed = packaged.index(1, 1)
    assert packaged == [*range(1, changed + 1), *range(1, len(packaged) - changed + 1)]
    for seen in both:
        assert [s["sequence"] for s in seen.samples("flow")] == list(range(1, len(seen.samples("flow")) + 1))
        assert {(d["agent"], d["sub_agent"]) for d in seen.datagrams} == {("10.0.0.2", 0)}
        assert all(s["pool"] == s["sequence"] and s["drops"] == 0 for s in seen.samples("flow"))


def test_vlans(both):
    """The packaged switch says 0 for a packet without a tag on an access port, and so do collectors; ours says the
    VLAN that the port belongs to.  Where there are tags, both say the same."""
    def vlans(seen):
        return {record(s, "sampled_header")["header"]: tuple(record(s, "extended_switch").values())[1:]
                for s in seen.flow_samples()}
    ours, packaged = vlans(both[0]), vlans(both[1])
    for header, theirs in packaged.items():
        in_vlan, in_priority, out_vlan, out_priority = ours[header]
        assert theirs[0] in (0, in_vlan) and theirs[2] in (0, out_vlan)
        if theirs[0]:
            assert (in_vlan, in_priority) == theirs[:2]
        if theirs[2]:
            assert (out_vlan, out_priority) == theirs[2:]


def test_labels(both):
    """The packaged switch tells the labels that leave, ours also those that came in."""
    def stacks(seen):
        return {(tuple(mpls["in_stack"]), tuple(mpls["out_stack"]))
                for s in seen.flow_samples() if (mpls := record(s, "extended_mpls"))}
    labels = (100 << 12 | 64, 200 << 12 | 0x100 | 64)
    assert stacks(both[0]) == {(labels, labels)}
    assert stacks(both[1]) == {((), labels)}


@pytest.mark.skipif(not shutil.which("tshark"), reason="not run: tshark is not installed")
def test_tshark_sees_the_same(both):
    """The records of flow samples, and the interfaces, as tshark names them.  Of datagrams with counters it understands
    but the beginning, whoever sent them (see tests/system/test_sflow_collectors.py)."""
    def dissected(seen):
        text = subprocess.run(["tshark", "-r", str(seen.pcap), "-d", "udp.port==6343,sflow", "-O", "sflow"], text=True,
                              capture_output=True, check=True, timeout=ovs_test.limit(60)).stdout
        headings = set(re.findall(r"^        (Raw packet header|Extended .* data)$", text, re.M))
        ways = {(seen.names[int(a)], how, seen.names.get(int(b), b)) for a, how, b in re.findall(
            r"Input interface \(ifIndex\): (\d+)\n.*\n.*Output interface format: ([a-z ]+) .*\n.*value: (\d+)", text)}
        return headings, ways
    ours, packaged = dissected(both[0]), dissected(both[1])
    assert ours == packaged
    assert ours[0] == {"Raw packet header", "Extended switch data", "Extended MPLS data"}
    assert {way[:1] + way[2:] for way in ours[1] if way[1] == "ifindex"} == {
        ("tap0", "tap1"), ("tap0", "tap3"), ("tap3", "tap0"), ("tap3", "tap2")}
    assert {way[1] for way in ours[1]} >= {"ifindex", "multiple interfaces"}


@pytest.mark.parametrize("flavour", ["packaged", "ours"])
def test_targets_without_inner_quotes(box, flavour):
    """"target=10.0.0.1:6343", as people type it: the packaged ovs-vsctl refuses it, ours takes it."""
    box.start_ovsdb_server()
    box.run("ovs-vsctl", "--no-wait", "add-br", "br0")
    words = ("--no-wait", "--", "--id=@s", "create", "sflow", "target=10.0.0.1:6343", "--", "set", "bridge", "br0",
             "sflow=@s")
    done = box.run("ovs-vsctl", *words, flavour=flavour, status=None)
    if flavour == "ours":
        assert done.returncode == 0
        assert box.run("ovs-vsctl", "get", "sflow", done.stdout.strip(), "targets").stdout == '["10.0.0.1:6343"]\n'
    else:
        assert (done.returncode, done.stdout) == (1, ""), done
