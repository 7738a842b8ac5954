"""The packet parser: what the packaged `ovs-ofctl parse-pcap` sees in a frame, we see.

Thousands of frames made by scapy, as they are, cut off, and with bytes changed where headers are.  OVS_TEST_SEED
chooses another sequence.  Where only the text differs, normalized() says how.
"""

import os
import random
import struct
import subprocess

import pytest
from ovs_test import program
from scapy.all import (ARP, GRE, ICMP, IP, LLC, SNAP, TCP, UDP, AH, Dot1AD, Dot1Q, Dot3, Ether, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                       ICMPv6NDOptUnknown, IPOption, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN, Raw)
from scapy.contrib.igmp import IGMP
from scapy.contrib.mpls import MPLS
from scapy.contrib.nsh import NSH
from scapy.layers.sctp import SCTP

# (seed, number of frames that scapy makes); each frame is also changed some times.
ROUNDS = [(serial, 150) for serial in range(8)]
CHANGED = 5


class Maker:
    """Frames of all kinds that the parser knows, and some that it does not."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def choice(self, *things):
        return self.random.choice(things)

    def mac(self):
        return "02:00:00:00:00:%02x" % self.random.randrange(4)

    def ip(self):
        return "10.%d.0.%d" % (self.random.randrange(3), self.random.randrange(256))

    def ip6(self):
        return "2001:db8::%x" % self.random.randrange(65536)

    def payload(self):
        return Raw(self.random.randbytes(self.choice(0, 1, 7, 8, 18, 46, 200)))

    def tags(self, frame):
        for _ in range(self.choice(0, 0, 0, 1, 1, 2, 3)):
            tag = self.choice(Dot1Q, Dot1Q, Dot1AD)
            frame = frame / tag(vlan=self.random.randrange(4096), prio=self.random.randrange(8))
        return frame

    def neighbor(self):
        kind = self.choice(ICMPv6ND_NS, ICMPv6ND_NA)
        layer = kind(tgt=self.ip6(), res=self.random.randrange(16))
        for _ in range(self.choice(0, 1, 1, 1, 2, 3)):
            option = self.choice(ICMPv6NDOptSrcLLAddr, ICMPv6NDOptDstLLAddr, ICMPv6NDOptUnknown)
            layer = layer / (option(data=self.random.randbytes(6)) if option is ICMPv6NDOptUnknown
                             else option(lladdr=self.mac()))
        return layer

    def transport(self):
        port = self.random.randrange
        return self.choice(
            lambda: TCP(sport=port(65536), dport=port(65536), flags=port(512), seq=port(1 << 32)) / self.payload(),
            lambda: TCP(sport=1, dport=2, options=[("MSS", 1460), ("SAckOK", b"")]) / self.payload(),
            lambda: UDP(sport=port(65536), dport=port(65536)) / self.payload(),
            lambda: SCTP(sport=port(65536), dport=port(65536)) / self.payload(),
            lambda: ICMP(type=port(20), code=port(4)) / self.payload(),
            lambda: IGMP(type=self.choice(0x11, 0x16, 0x17), gaddr="224.0.0.%d" % port(256)),
            lambda: GRE() / self.payload(),
            lambda: self.payload(),
        )()

    def transport6(self):
        return self.choice(
            lambda: ICMPv6EchoRequest() / self.payload(),
            lambda: ICMPv6ND_RS(),
            self.neighbor, self.neighbor, self.neighbor,
            self.transport, self.transport,
        )()

    def ipv4(self):
        fragment = self.choice(0, 0, 0, 0, 0, 1, 2)
        options = self.choice([], [], [], [IPOption(b"\x01\x01\x01\x01")], [IPOption(b"\x94\x04\x00\x00")])
        return IP(src=self.ip(), dst=self.ip(), tos=self.random.randrange(256), ttl=self.random.randrange(256),
                  flags=self.choice(0, "DF") if not fragment else "MF",
                  frag=self.random.randrange(1, 8000) if fragment == 2 else 0, options=options) / self.transport()

    def ipv6(self):
        layer = IPv6(src=self.ip6(), dst=self.ip6(), tc=self.random.randrange(256),
                     fl=self.random.randrange(1 << 20), hlim=self.random.randrange(256))
        for _ in range(self.choice(0, 0, 0, 1, 2, 3)):
            layer = layer / self.choice(
                lambda: IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(self.choice(4, 12)))]),
                lambda: IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(self.choice(4, 12)))]),
                lambda: IPv6ExtHdrRouting(addresses=[self.ip6()] * self.choice(0, 1, 2)),
                lambda: IPv6ExtHdrFragment(offset=self.choice(0, 0, 5), m=self.choice(0, 1), id=7),
                lambda: AH(spi=1, seq=2, icv=bytes(12), payloadlen=4),
            )()
        return layer / self.transport6()

    def arp(self):
        return ARP(op=self.choice(1, 2, 3, 9, 255, 256, 300), psrc=self.ip(), pdst=self.ip(), hwsrc=self.mac(),
                   hwdst=self.mac(), hwtype=self.choice(1, 1, 1, 6), hwlen=6)

    def mpls(self):
        labels = self.choice(1, 1, 2, 3, 4)
        layer = None
        for i in range(labels):
            label = MPLS(label=self.random.randrange(1 << 20), cos=self.random.randrange(8), s=i == labels - 1,
                         ttl=self.random.randrange(256))
            layer = layer / label if layer else label
        return layer / self.ipv4()

    def nsh(self):
        kind = self.choice(1, 1, 2)
        return NSH(mdtype=kind, length=6 if kind == 1 else 2, ttl=self.random.randrange(64),
                   oam=self.random.randrange(2), nextproto=1, spi=self.random.randrange(1 << 24),
                   si=self.random.randrange(256)) / self.ipv4()

    def frame(self):
        kind = self.random.randrange(20)
        if kind == 0:
            return bytes(Dot3(dst=self.mac(), src=self.mac()) / LLC(dsap=0x42, ssap=0x42, ctrl=3) / self.payload())
        if kind == 1:
            organization = self.choice(0, 0, 0, 12)
            return bytes(Dot3(dst=self.mac(), src=self.mac()) / LLC(dsap=0xaa, ssap=0xaa, ctrl=3)
                         / SNAP(OUI=organization, code=0x800) / self.ipv4())
        if kind == 2:
            return bytes(Ether(dst=self.mac(), src=self.mac(), type=self.random.randrange(65536)) / self.payload())
        layer = self.tags(Ether(dst=self.mac(), src=self.mac()))
        body = self.choice(self.ipv4, self.ipv4, self.ipv4, self.ipv6, self.ipv6, self.ipv6, self.arp, self.mpls,
                           self.nsh)()
        padding = Raw(bytes(self.choice(0, 0, 0, 6, 18, 300)))
        return bytes(layer / body / padding)

    def changed(self, frame):
        """The frame cut off, or with a few bytes of its headers changed, or both."""
        data = bytearray(frame)
        if self.random.randrange(2):
            data = data[:self.random.randrange(1, min(len(data), 130) + 1)]
        for _ in range(self.choice(0, 1, 1, 2, 4)):
            at = self.random.randrange(min(len(data), 90))
            data[at] = self.choice(0, 1, 0xff, data[at] ^ 1 << self.random.randrange(8), self.random.randrange(256))
        return bytes(data)


def packaged_flows(frames, directory):
    file = directory / "frames.pcap"
    with open(file, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            f.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    done = subprocess.run([program("ovs-ofctl", "packaged"), "parse-pcap", file], stdout=subprocess.PIPE, text=True,
                          check=True, timeout=60)
    return done.stdout.splitlines()


def frame_tool(*arguments, lines):
    done = subprocess.run([program("frame_tool"), *arguments], input="".join(line + "\n" for line in lines),
                          stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


def normalized(flow):
    """One form for what the two write differently, though they mean the same."""
    # NSH has no fields of IP.
    if "dl_type=0x894f" in flow:
        flow = flow.replace(",nw_proto=0,nw_tos=0,nw_ecn=0,nw_ttl=0,nw_frag=no", "")
    return flow


@pytest.mark.parametrize("serial,count", ROUNDS)
def test_frames(serial, count, tmp_path):
    maker = Maker(f"{os.environ.get('OVS_TEST_SEED', '1')}/{serial}")
    frames = []
    for _ in range(count):
        frame = maker.frame()
        frames += [frame] + [maker.changed(frame) for _ in range(CHANGED)]
    theirs = packaged_flows(frames, tmp_path)
    ours = frame_tool("flow", lines=[frame.hex() for frame in frames])
    assert len(ours) == len(theirs) == len(frames)
    different = [(frame.hex(), t, o) for frame, t, o in zip(frames, theirs, ours) if normalized(t) != normalized(o)]
    assert not different, f"{len(different)} differ, first:\n" + "\n".join(different[0])


def test_composed_flows_come_back(tmp_path):
    """The packaged switch sees in a frame that we compose what it saw in the frame that we composed it from."""
    maker = Maker("compose")
    frames = [maker.frame() for _ in range(400)]
    flows = packaged_flows(frames, tmp_path)
    composed = frame_tool("recompose", lines=[frame.hex() for frame in frames])
    again = packaged_flows([bytes.fromhex(c) for c in composed], tmp_path)
    different = [(frame.hex(), c, a, b) for frame, c, a, b in zip(frames, composed, flows, again) if a != b]
    assert not different, f"{len(different)} differ, first:\n" + "\n".join(different[0])
