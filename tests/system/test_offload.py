"""Checksums that are finished and segments that are cut in software, byte for byte against scapy's."""

import random
import subprocess

import pytest
from ovs_test import program
from scapy.all import IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPv6, IPv6ExtHdrDestOpt, PadN, Raw

MACS = {"dst": "02:00:00:00:00:01", "src": "02:00:00:00:00:02"}
FIN, SYN, PSH, ACK, CWR = 0x01, 0x02, 0x08, 0x10, 0x80


def frame_tool(*arguments, lines):
    done = subprocess.run([program("frame_tool"), *map(str, arguments)],
                          input="".join(line + "\n" for line in lines), stdout=subprocess.PIPE, text=True, check=True,
                          timeout=60)
    return done.stdout.splitlines()


def network(version, identification):
    if version == 4:
        return IP(src="192.0.2.1", dst="198.51.100.7", id=identification & 0xffff, tos=2, ttl=17)
    if version == 6:
        return IPv6(src="2001:db8::1", dst="2001:db8::2", fl=0x12345, tc=3, hlim=9)
    return IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))])


LINKS = {
    "untagged": lambda: Ether(**MACS),
    "one tag": lambda: Ether(**MACS) / Dot1Q(vlan=10, prio=3),
    "two tags": lambda: Ether(**MACS) / Dot1AD(vlan=100) / Dot1Q(vlan=10),
}


@pytest.mark.parametrize("version", [4, 6, "6 with an extension header"])
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("size,step", [(60000, 1448), (2896, 1448), (2897, 1448), (100, 1448), (1000, 9)])
def test_tcp_segments(version, link, size, step):
    payload = random.Random(size).randbytes(size)
    flags, sequence, identification = FIN | PSH | ACK | CWR, 0xffffff00, 0xfff0
    options = [("NOP", None), ("NOP", None), ("Timestamp", (1, 2))]

    def frame(part, sequence, flags, identification):
        tcp = TCP(sport=80, dport=12345, seq=sequence & 0xffffffff, ack=7, flags=flags, window=500, options=options)
        return bytes(LINKS[link]() / network(version, identification) / tcp / Raw(part)).hex()

    expected = []
    for at in range(0, size, step):
        first, last = at == 0, at + step >= size
        part_flags = ACK | (CWR if first else 0) | (FIN | PSH if last else 0)
        expected.append(frame(payload[at:at + step], sequence + at, part_flags, identification + at // step))
    whole = frame(payload, sequence, flags, identification)
    assert frame_tool("segment", step, lines=[whole])[0].split() == expected


@pytest.mark.parametrize("version", [4, 6])
def test_udp_segments(version):
    payload = random.Random(5).randbytes(5000)

    def frame(part, identification):
        return bytes(LINKS["one tag"]() / network(version, identification) / UDP(sport=53, dport=9) / Raw(part)).hex()

    expected = [frame(payload[at:at + 1200], 7 + i) for i, at in enumerate(range(0, 5000, 1200))]
    assert frame_tool("segment", 1200, lines=[frame(payload, 7)])[0].split() == expected


def test_checksums():
    source = random.Random(6)
    frames = []
    for _ in range(500):
        transport = source.choice([lambda: UDP(sport=source.randrange(65536), dport=source.randrange(65536)),
                                   lambda: TCP(sport=source.randrange(65536), dport=1, flags=source.randrange(256))])
        link = LINKS[source.choice(list(LINKS))]
        packet = link() / network(source.choice([4, 6]), 1) / transport() / Raw(source.randbytes(source.randrange(200)))
        frames.append(bytes(packet).hex())
    assert frame_tool("checksum", lines=frames) == frames
