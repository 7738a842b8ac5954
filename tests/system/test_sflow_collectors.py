"""Collectors that others wrote read our datagrams: sfcapd and nfdump, sfacctd (pmacct), tshark.  Their totals per
machine and VLAN are what was sent."""

import collections
import contextlib
import csv
import io
import json
import math
import re
import shutil
import signal
import struct
import subprocess

import pytest

import ovs_test
import sflow
from ovs_test import wait_until


def needs(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    return pytest.mark.skipif(bool(missing), reason=f"not run: {' and '.join(missing)} is not installed")


@pytest.fixture
def site():
    with sflow.Site() as made:
        made.introduce()
        yield made


# (from, to): packets and bytes of each on the wire without FCS
TRAFFIC = {("vm1", "vm2"): (900, 200), ("vm2", "vm1"): (90, 1514),
           ("vm3", "vm4"): (400, 60), ("vm4", "vm3"): (10, 1000)}


def send(site, traffic, rounds=10):
    """In small portions, all flows in turn, each when the one before is forwarded: what is lost afterwards is not lost
    because collectors have small buffers."""
    with contextlib.ExitStack() as stack:
        wires = {to: stack.enter_context(site.namespaces[to].sniff("eth0", outgoing=False)) for _, to in traffic}
        expected = collections.Counter()
        for _ in range(rounds):
            for (source, destination), (packets, size) in traffic.items():
                site.send(source, destination, packets // rounds, size)
                expected[destination] += packets // rounds
                wait_until(lambda: len(wires[destination].frames) == expected[destination],
                           what=f"packets of {source} to {destination}")


def expected_totals(site, traffic, fcs=4):
    """{(address, address, VLAN): (packets, bytes)}; bytes as sFlow counts them, with FCS."""
    return {(site.machines[a].address, site.machines[b].address, site.machines[a].vlan): (n, n * (size + fcs))
            for (a, b), (n, size) in traffic.items()}


@contextlib.contextmanager
def running(site, *command, log):
    """A collector in the collector's namespace that listens at port 6343; ends it with SIGINT."""
    namespace = site.namespaces["collector"]
    with open(log, "wb") as output:
        process = namespace.popen(*command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        wait_until(lambda: process.poll() is not None or ":6343" in namespace.run("ss", "-lun").stdout, 20,
                   what=f"{command[0]} to listen")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(ovs_test.limit(20))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# ---- nfdump

def nfdump_totals(folder):
    done = subprocess.run(["nfdump", "-R", str(folder), "-A", "srcip,dstip,srcvlan", "-o", "csv"], text=True,
                          capture_output=True, check=True, timeout=60)
    flows, _, _ = done.stdout.partition("Summary")
    totals = {}
    for row in csv.DictReader(io.StringIO(flows)):
        totals[row["sa"], row["da"], int(row["svln"])] = int(row["ipkt"]), int(row["ibyt"])
    return totals


@contextlib.contextmanager
def sfcapd(site, folder):
    folder.mkdir()
    log = folder.parent / "sfcapd.log"
    with running(site, "sfcapd", "-w", folder, "-p", "6343", "-b", "10.0.0.1", "-t", "3600", log=log):
        yield
    report = log.read_text()
    assert "Sequence Errors: 0, Bad Packets: 0" in report, report


def flushed(site, own, uuid):
    """Removes sFlow, by which the last datagram leaves, and waits until our own collector and the one at port 6343
    have read all."""
    site.vsctl("remove", "bridge", "br0", "sflow", uuid)
    own.settle()

    def waiting():
        shown = site.namespaces["collector"].run("ss", "-lunH", "sport = :6343").stdout
        return [int(line.split()[1]) for line in shown.splitlines()]
    wait_until(lambda: waiting() and not any(waiting()), what="the collector to read what it has got")


TARGETS = '"10.0.0.1:6343","10.0.0.1:7000"'


@needs("sfcapd", "nfdump")
def test_nfdump_counts_what_was_sent(site, tmp_path):
    with sfcapd(site, tmp_path / "flows"), site.collector("10.0.0.1:7000") as own:
        uuid = site.set_sflow(target=TARGETS, sampling=1, polling=1, agent="eth1")
        send(site, TRAFFIC)
        own.wait_for(lambda: len(own.flow_samples()) == 1400 and own.counter_samples())
        flushed(site, own, uuid)
    assert nfdump_totals(tmp_path / "flows") == expected_totals(site, TRAFFIC)


@needs("sfcapd", "nfdump")
def test_nfdump_estimates_what_was_sent(site, tmp_path):
    """One packet of 20 is sampled: within five standard deviations, which never fails by chance."""
    n = 20
    traffic = {("vm1", "vm2"): (18000, 300), ("vm3", "vm4"): (2000, 1000)}
    with sfcapd(site, tmp_path / "flows"), site.collector("10.0.0.1:7000") as own:
        uuid = site.set_sflow(target=TARGETS, sampling=n, agent="eth1")
        send(site, traffic, rounds=200)
        # What passed since the last sample is in no pool: more than twenty times n once in hundreds of millions of runs.
        wait_until(lambda: own.flow_samples() and own.flow_samples()[-1]["pool"] > 20000 - 20 * n, what="the last samples")
        flushed(site, own, uuid)
    totals = nfdump_totals(tmp_path / "flows")
    for key, (packets, octets) in expected_totals(site, traffic).items():
        deviation = math.sqrt(packets * (n - 1))
        assert abs(totals[key][0] - packets) <= 5 * deviation, (key, totals, packets, deviation)
        assert abs(totals[key][1] - octets) <= 5 * deviation * octets / packets, (key, totals)


# ---- pmacct

@contextlib.contextmanager
def sfacctd(site, folder):
    """Gives a list to which, at the end, the rows of its table are added."""
    configuration, output = folder / "sfacctd.conf", folder / "totals.json"
    configuration.write_text(f"""\
daemonize: false
sfacctd_ip: 10.0.0.1
sfacctd_port: 6343
sfacctd_renormalize: true
plugins: print[totals]
aggregate[totals]: src_host,dst_host,vlan,in_iface,out_iface
print_output[totals]: json
print_output_file[totals]: {output}
print_output_file_append[totals]: true
print_refresh_time[totals]: 3600
""")
    rows = []
    with running(site, "sfacctd", "-f", configuration, log=folder / "sfacctd.log"):
        yield rows
    wait_until(lambda: output.exists() and output.read_text().endswith("}\n"), 20,
               what=(folder / "sfacctd.log").read_text())
    rows += [json.loads(line) for line in output.read_text().splitlines()]


def pmacct_totals(rows):
    totals = {(row["ip_src"], row["ip_dst"], row["vlan"]): (row["packets"], row["bytes"]) for row in rows}
    assert len(totals) == len(rows)
    return totals


@needs("sfacctd")
def test_sfacctd_counts_what_was_sent(site, tmp_path):
    with sfacctd(site, tmp_path) as rows, site.collector("10.0.0.1:7000") as own:
        uuid = site.set_sflow(target=TARGETS, sampling=1, polling=1, agent="eth1")
        send(site, TRAFFIC)
        own.wait_for(lambda: len(own.flow_samples()) == 1400 and own.counter_samples())
        flushed(site, own, uuid)
    assert pmacct_totals(rows) == expected_totals(site, TRAFFIC), (tmp_path / "sfacctd.log").read_text()
    interfaces = {(row["ip_src"], row["ip_dst"], row["vlan"]): (row["iface_in"], row["iface_out"]) for row in rows}
    for a, b in TRAFFIC:
        m, n = site.machines[a], site.machines[b]
        assert interfaces[m.address, n.address, m.vlan] == (site.ifindex(m.tap), site.ifindex(n.tap))


@needs("sfacctd")
def test_sfacctd_is_not_misled_by_another_rate(site, tmp_path):
    """It takes the rate from the pool, where nothing may turn up late that passed before the rate was changed."""
    n, before = 16, {("vm1", "vm2"): (8000, 300)}
    # First those of another port, which may belong to another thread.
    after = {("vm2", "vm1"): (8000, 1000), ("vm1", "vm2"): (8000, 300)}
    with sfacctd(site, tmp_path) as rows, site.collector("10.0.0.1:7000") as own:
        uuid = site.set_sflow(target=TARGETS, sampling=4294967295, agent="eth1")
        send(site, before, rounds=80)
        site.vsctl("set", "sflow", uuid, f"sampling={n}")
        send(site, after, rounds=80)
        wait_until(lambda: own.flow_samples() and own.flow_samples()[-1]["pool"] > 24000 - 20 * n, what="the last samples")
        flushed(site, own, uuid)
    totals = pmacct_totals(rows)
    for key, (packets, _) in expected_totals(site, after).items():
        deviation = math.sqrt(packets * (n - 1))
        assert abs(totals[key][0] - packets) <= 5 * deviation, (key, totals, packets, deviation)


# ---- tshark

def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def tshark(path, *arguments):
    return subprocess.run(["tshark", "-r", str(path), "-d", "udp.port==6343,sflow", *arguments], text=True,
                          capture_output=True, check=True, timeout=ovs_test.limit(60)).stdout


def capture(site, path, **columns):
    """Sends TRAFFIC, with tags and a flood, and records the datagrams of sFlow."""
    with site.namespaces["collector"].sniff("eth0", outgoing=False) as wire, site.collector() as own:
        uuid = site.set_sflow(agent="eth1", **columns)
        send(site, TRAFFIC)
        site.send("vm1", "vm2", 5, tags=[(77, 3)])
        stranger = sflow.Machine("x", "", 0, "192.168.0.99", bytes.fromhex("0200000000ff"))
        for _ in range(5):
            site.wires["vm1"].send(sflow.udp_frame(site.machines["vm1"], stranger))
        own.wait_for(lambda: own.flow_samples() and own.flow_samples()[-1]["pool"] >= 1410)
        if columns.get("polling") != 0:
            own.wait_for(lambda: len(own.counter_samples()) >= 6)
        flushed(site, own, uuid)
    datagrams = [f for f in wire.frames
                 if f[12:14] == b"\x08\x00" and f[23] == 17 and f[36:38] == struct.pack("!H", 6343)]
    assert len(datagrams) == len(own.datagrams)
    write_pcap(path, datagrams)
    return own


@needs("tshark")
@pytest.mark.parametrize("header", [0, 1, 64, 128, 1024])
def test_tshark_finds_nothing_malformed(site, tmp_path, header):
    path = tmp_path / "sflow.pcap"
    own = capture(site, path, sampling=1, polling=0, header=header)
    text = tshark(path, "-O", "sflow")
    # Of the sampled packets themselves, which are cut off, it may well complain; of sFlow never.
    assert "Malformed Packet: sFlow" not in text
    assert text.count("Flow sample, seq") == len(own.flow_samples()) == 1410
    assert text.count("Sampling rate: 1 out of 1 packets") == 1410
    assert text.count("Raw packet header\n") == text.count("Extended switch data\n") == 1410
    assert "Unknown" not in text
    assert text.count(f"Sampled header length: {min(header, 200)}\n") >= 900
    assert text.count("Incoming 802.1Q VLAN: 20\n") == text.count("Outgoing 802.1Q VLAN: 20\n") == 410
    assert text.count("Incoming 802.1Q VLAN: 77\n") == 5
    assert text.count(f"Input interface (ifIndex): {site.ifindex('tap2')}\n") == 400
    assert text.count("Output interface format: packet discarded (1)") == 5
    assert text.count("Output interface format: multiple interfaces (2)") == 5
    if header >= 64:
        fields = tshark(path, "-T", "fields", "-e", "_ws.malformed")
        assert fields.strip() == ""


@needs("tshark")
def test_tshark_reads_the_counters(site, tmp_path):
    """It does not know the records of OpenFlow ports and of the process, and takes their contents for records, so that
    datagrams with counters look malformed to it; what comes before that it reads."""
    path = tmp_path / "sflow.pcap"
    own = capture(site, path, sampling=1, polling=2)
    text = tshark(path, "-O", "sflow")
    found = set(re.findall(r"Interface index: (\d+)\n +Interface Type: 6\n", text))
    assert len(found) >= 2
    assert found <= {str(site.ifindex(name)) for name in ("tap0", "tap1", "tap2", "tap3", "br0")}
    assert text.count("Generic interface counters\n") == text.count("Ethernet interface counters\n") >= 2
    assert len(own.flow_samples()) == 1410
