"""What sampling by sFlow promises in numbers, through real interfaces: estimates without bias, and no sample lost
without being counted.  The pipeline alone is in tests/unit/datapath/sampler_test.cc, what it costs in bench/pipeline."""

import math
import time

import pytest

import sflow
from ovs_test import limit, program, wait_until
from sflow import record

SIZES = (60, 60, 128, 590, 1514)
FLOWS = (("vm1", "vm2", 90), ("vm1", "vm3", 10))
MACHINES = tuple(sflow.Machine(m.name, m.tap, 10, m.address, m.mac) for m in sflow.MACHINES)


@pytest.fixture
def site():
    with sflow.Site(MACHINES) as made:
        made.introduce()
        for source, destination, _ in FLOWS:
            made.pave(source, destination)
        yield made


def send(site, count, rate, flows=FLOWS, sizes=SIZES, wait=60):
    """Sends frames of mixed sizes from vm1; returns {destination: [packets, bytes, sum of squared bytes]}."""
    lines, kinds = [], []
    for source, destination, weight in flows:
        assert source == "vm1"
        for size in sizes:
            lines.append(f"{weight} {sflow.udp_frame(site.machines[source], site.machines[destination], size).hex()}\n")
            kinds.append((destination, size))
    done = site.namespaces["vm1"].run(program("frame_sender"), "eth0", count, rate, input="".join(lines), timeout=wait)
    sent = {}
    for (destination, size), number in zip(kinds, done.stdout.split(), strict=True):
        total = sent.setdefault(destination, [0, 0, 0])
        total[0] += int(number)
        total[1] += int(number) * (size + 4)
        total[2] += int(number) * (size + 4) ** 2
    return sent


def totals(site, samples):
    """{destination: [packets, bytes]} that samples stand for: each for as many packets as its rate says."""
    names = {m.mac.hex(): m.name for m in site.machines.values()}
    found = {}
    for s in samples:
        header = record(s, "sampled_header")
        total = found.setdefault(names[header["header"][:12]], [0, 0])
        total[0] += s["rate"]
        total[1] += s["rate"] * header["frame_length"]
    return found


def received(site):
    """{destination: (packets, bytes with FCS)} that have come to the machines, by their kernels' counts."""
    counts = {}
    for _, name, _ in FLOWS:
        folder = "/sys/class/net/eth0/statistics"
        done = site.namespaces[name].run("cat", f"{folder}/rx_packets", f"{folder}/rx_bytes")
        packets, octets = map(int, done.stdout.split())
        counts[name] = packets, octets + 4 * packets
    return counts


def await_end(site, collector):
    """Waits until everything that was sent has been forwarded and sampled; returns what has arrived."""
    seen = [None, time.monotonic()]

    def quiet():
        count = received(site), len(collector.datagrams)
        if count != seen[0]:
            seen[:] = count, time.monotonic()
        return time.monotonic() - seen[1] > 1  # longer than a datagram waits for more
    wait_until(quiet, 30, what="quiet")
    return received(site)


def deviations(site, n):
    """How far estimates are from the truth, in standard deviations: the greatest of packets and bytes of both flows."""
    with site.collector() as collector:
        uuid = site.set_sflow(sampling=n, polling=0, header=64)
        before = arrived = received(site)
        sent = {}
        # On a busy machine interfaces lose packets before the switch sees them.
        while (missing := 1_000_000 - sum(arrived[d][0] - before[d][0] for d in arrived)) > 0:
            for destination, more in send(site, min(missing, 250_000), 150_000).items():
                sent[destination] = [a + b for a, b in zip(sent.get(destination, (0, 0, 0)), more)]
            arrived = await_end(site, collector)
        arrived = {d: tuple(a - b for a, b in zip(counts, before[d])) for d, counts in arrived.items()}
        estimates = totals(site, collector.flow_samples())
        last = collector.flow_samples()[-1]
        assert last["drops"] == 0
        assert 1_000_000 - 20 * n < last["pool"] <= 1_000_000
        site.vsctl("remove", "bridge", "br0", "sflow", uuid)
    found = []
    for destination, (packets, octets) in arrived.items():
        squares = sent[destination][2] * packets / sent[destination][0]
        # Each packet is a sample with the probability 1/n: the variance is n^2 * 1/n * (1 - 1/n) for each.
        found.append(abs(estimates[destination][0] - packets) / math.sqrt(packets * (n - 1)))
        found.append(abs(estimates[destination][1] - octets) / math.sqrt(squares * (n - 1)))
    return max(found)


@pytest.mark.parametrize("n", [64, 512])
def test_estimates_are_unbiased(site, n):
    """A million packets of mixed sizes on two flows of 90 % and 10 %: estimated packets and bytes are within three
    standard deviations of the truth.  One run out of a hundred is not, by chance; three in a row never are."""
    for wire in site.wires.values():
        wire.close()
    found = [deviations(site, n)]
    while found[-1] > 3 and len(found) < 3:
        found.append(deviations(site, n))
    assert found[-1] <= 3, found
    # Sampled traffic goes by megaflows.
    shown = site.host.appctl("dpctl/show")
    hits, missed = (int(shown.split(word)[1].split()[0]) for word in ("hit:", "missed:"))
    assert missed < 10_000 and hits + missed >= 1_000_000


def test_ten_thousand_samples_a_second(site):
    """For some seconds (for a minute: bench/sflow): each packet is a sample that arrives, or is counted as dropped, and
    memory does not grow with them."""
    for wire in site.wires.values():
        wire.close()
    with site.collector() as collector:
        site.set_sflow(sampling=1, polling=0, header=128)
        before = received(site)
        send(site, 10_000, 10_000)
        memory = site.host.switch.memory()
        send(site, 50_000, 10_000)
        arrived = await_end(site, collector)
        # On a busy machine interfaces lose packets before the switch sees them.
        passed = sum(arrived[name][0] - before[name][0] for name in arrived)
        assert passed > 50_000
        # Whether the last ones were dropped is told with the next sample.
        send(site, 1, 1)
        wait_until(lambda: collector.flow_samples()[-1]["pool"] > passed, 20, what="the last sample")
        collector.settle()
        last = collector.flow_samples()[-1]
        assert last["pool"] == last["sequence"] + last["drops"] == passed + 1
        assert len(collector.flow_samples()) == last["sequence"]
        assert [d["sequence"] for d in collector.datagrams] == list(range(1, len(collector.datagrams) + 1))
        assert site.host.switch.memory() - memory < 4096 * limit(1)
