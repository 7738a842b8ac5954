"""The text of matches and flows: what we read and write is what the packaged programs do.

`ovs-ofctl parse-flow` reads a match, sends it through NXM and writes it again, without a switch; `ofproto/trace`
reads a whole flow and writes it.  Beside hand-picked texts there are random ones, made from our table
of fields (which test_match_fields.py holds against the packaged manual).  Each difference has its reason
in DIFFERENCES or in expected().
"""

import ipaddress
import json
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import ovs_test
import pytest
from ovs_test import program

ERROR = "error"

GOOD = """
ip,in_port=1
in_port=LOCAL
in_port=local
in_port=65534
in_port=CONTROLLER,tcp
in_port_oxm=4294967294
tcp
tcp6
udp
udp6
sctp
sctp6
icmp
icmp6
ipv6
arp
rarp
mpls
mplsm
ipv4
ip=
ip,ip,tcp
tcp,udp
ip,ipv6
ip , nw_proto=6
ip nw_proto=6
ip,,nw_proto=6
nw_src:1.2.3.4,ip
tcp,tp_src=80
udp,tp_dst=53
udp,tcp_dst=80
tcp,udp_src=1
sctp,tp_src=4
tcp,tp_dst=0x50/0xfff0
tcp,tp_src=0/0xf
tcp,tp_src=80/0
tcp,tp_src=80/65535
tcp,tp_src=*
icmp,tp_src=5
icmp,tp_dst=5
icmp6,tp_dst=5
icmp,icmp_type=8,icmp_code=0
icmp,icmpv6_type=135
ip,nw_src=10.0.0.1/8
ip,nw_src=10.1.2.3/255.255.255.0
ip,nw_src=10.0.0.1/255.0.255.0
ip,nw_src=1.2.3.4/0.0.0.255
ip,nw_src=10.0.0.1/32
ip,nw_src=10.0.0.1/0
ip,nw_src=0.0.0.0
ip,nw_src=*
ip,nw_proto=7
ip,nw_proto=132
ip,nw_proto=58
ipv6,nw_proto=1
tcp,nw_proto=17
dl_type=0x86dd,nw_proto=58,icmp_type=128
dl_type=0x05ff
dl_type=0
dl_type=0x800
NXM_OF_ETH_TYPE[]=0x800
reg0[0..3]=5
NXM_NX_REG0[4]=1
NXM_NX_REG15[]=3
arp,arp_op=1,arp_spa=1.2.3.4/24,arp_tpa=4.4.4.4,arp_sha=1:2:3:4:5:6,arp_tha=1:2:3:4:5:6/ff:0:0:0:0:0
arp,nw_proto=1
arp,nw_src=1.2.3.4,nw_dst=4.3.2.1
arp,ip_proto=1
rarp,arp_op=3
dl_src=01:02:03:04:05:06/ff:ff:ff:00:00:00
dl_dst=01:00:00:00:00:00/01:00:00:00:00:00
dl_dst=AB:CD:ef:0:1:2
dl_vlan=10
dl_vlan=0
dl_vlan=65535
dl_vlan=1/0xffff
dl_vlan=*
dl_vlan_pcp=3
dl_vlan=1,dl_vlan_pcp=3
dl_vlan=65535,dl_vlan_pcp=3
dl_vlan_pcp=3,dl_vlan=65535
dl_vlan=1,vlan_vid=0x1002
dl_vlan_pcp=1,vlan_vid=1/1
dl_vlan_pcp=1,vlan_vid=1/0
dl_vlan_pcp=1,dl_vlan=*
dl_vlan=3,vlan_pcp=*
dl_vlan=3,vlan_tci=*
vlan_vid=0x1005
vlan_vid=0x1005/0x1fff
vlan_vid=0x1001/0x1001
vlan_vid=0x1000/0x1000
vlan_vid=0
vlan_vid=1/1
vlan_vid=0/0x1001
vlan_vid=5
vlan_pcp=3
vlan_vid=0x1005,vlan_pcp=3
vlan_vid=1/1,dl_vlan_pcp=3
vlan_pcp=3,vlan_vid=0
vlan_tci=0
vlan_tci=0x1000/0x1000
vlan_tci=0xf123
vlan_tci=0x1123/0x1fff
vlan_tci=0x5000/0xf000
vlan_tci=0/0xfff
vlan_tci=0x5000/0xe000
vlan_tci=0/0xefff
vlan_tci=0xffff/0
vlan_tci=5
ip,nw_tos=4
ip,nw_tos=5
ip,ip_dscp=63
ip,nw_tos=8,ip_ecn=1
ip,nw_ttl=0x10
ip,nw_ttl=3/255
ip,nw_frag=no
ip,nw_frag=yes
ip,ip_frag=first
ip,nw_frag=later
ip,nw_frag=not_later
ip,nw_frag=*
tcp,nw_frag=later
tcp,nw_frag=not_later,tp_src=5
icmp,nw_frag=later,icmp_type=8
tcp,tcp_flags=+syn-ack
tcp,tcp_flags=syn|ack
tcp,tcp_flags=2/3
tcp,tcp_flags=0
tcp,tcp_flags=0xfff
tcp,tcp_flags=0/0xf00
tcp,tcp_flags=+[800]
ipv6,ipv6_label=5
ipv6,ipv6_label=0x5/0xff
ipv6,ipv6_src=2001:db8::1/64,ipv6_dst=FE80::A
ipv6,ipv6_src=2001:db8::1/ffff::ffff
ipv6,ipv6_src=::ffff:1.2.3.4,ipv6_dst=::2:3
ipv6,ipv6_dst=1:0:0:4:5:0:0:8
ipv6,ipv6_dst=::/0
mpls,mpls_label=16,mpls_tc=2,mpls_bos=0,mpls_ttl=255
icmp6,icmp_type=135,nd_target=fe80::1,nd_sll=1:2:3:4:5:6
icmp6,icmp_type=136,icmp_code=0,nd_target=fe80::1/ffff::,nd_tll=1:2:3:4:5:6/ff:0:0:0:0:0
icmp6,icmp_type=135,nd_target=fe80::1,nd_options_type=2,nd_reserved=5
dl_type=0x894f,nsh_flags=1/3,nsh_ttl=63,nsh_np=3,nsh_spi=0x123456,nsh_si=255
dl_type=0x894f,nsh_mdtype=1,nshc1=1,nshc2=2/3,nsh_c3=0,nsh_c4=4
dl_type=0x894f,nsp=5,nsi=4
conj_id=5
recirc_id=0,tcp
dp_hash=1,tcp
dp_hash=0/0xff
actset_output=1,tcp
actset_output=unset
pkt_mark=0x5/0xff
packet_type=(1,0x800)
packet_type=(1,0x800),nw_src=1.2.3.4
packet_type=(1,0x806),arp_op=1
packet_type=(1,0x800),nw_proto=6,tp_dst=80
packet_type=(1,0x86dd),nw_proto=58,ipv6_src=::1,icmp_type=5
packet_type=(1,0x8847),mpls_label=5
packet_type=(1,0x894f),nsh_mdtype=1
packet_type=(0,0),ip
packet_type=(2,0x1234)
packet_type=(0xffff,9)
packet_type=(1,10)
packet_type=( 1, 0x800)
eth,packet_type=(1,0x800)
eth,ip
ct_state=+trk+new-est
ct_state=trk
ct_state=new|trk
ct_state=0x21/0x21
ct_state=0
ct_state=0xff
ct_state=-trk-new-est-rel-rpl-inv-snat-dnat
ct_state=1/0xff
ct_state=*
ct_zone=0xffff
ct_mark=0x5/0xf,ct_label=0x5/0xf
ct_label=0x123456789abcdef0123456789abcdef0/0xffff0000000000000000000000000000
ct_state=+est,ip,ct_nw_src=10.0.0.0/8,ct_nw_dst=10.0.0.1,ct_nw_proto=6,ct_tp_src=5,ct_tp_dst=0x10/0xf0
ct_state=+est,ipv6,ct_ipv6_src=::1/64,ct_ipv6_dst=::3,ct_nw_proto=58,ct_tp_src=4
ct_state=+trk-inv,ip,ct_nw_src=1.1.1.1
metadata=0
metadata=0x5/0xff
xreg0=0x500000001/0xff000000ff
xxreg0=5
reg0=1,xreg0=5
xreg1=5,reg1=3
tun_id=0
tunnel_id=5/7
tun_src=1.2.3.4/8,tun_dst=4.4.4.4,tun_ipv6_src=::1,tun_ipv6_dst=::1/64
tun_gbp_id=5/7
tun_gbp_flags=5
tun_flags=+oam
tun_flags=0
tun_erspan_ver=1,tun_erspan_idx=5
tun_erspan_ver=2,tun_erspan_dir=1,tun_erspan_hwid=5
"""

# Fields without their prerequisites: both leave them out, and say so unless `silently` they.
LEFT_OUT = """
nw_src=10.0.0.1
tcp_dst=80
tp_dst=0x50/0xf0
nw_proto=6
dl_type=0x1234,nw_proto=3
ip,tp_dst=5
arp,nw_tos=4
arp,nw_ttl=1
mpls_label=1
icmpv6_type=135
icmp6,nd_target=::1
icmp6,icmp_type=130,nd_target=::1
icmp6,icmp_type=136,nd_sll=1:1:1:1:1:1
"""

BAD = """
in_port=0x10
in_port=65536
in_port=-1
in_port=foo
in_port=1/1
in_port=
foo=1
foo
tcpp
nsh_x=1
ip,nw_scr=1.2.3.4
ip,nw_src=
ip,nw_src
ip,nw_src=1.2.3
ip,nw_src=foo
ip,nw_src=1.2.3.4/33
ip,nw_src=1.2.3.4/foo
ip,nw_src=1.2.3.4/8/8
ip,nw_proto=tcp
ip,nw_proto=300
ip,nw_proto=-1
ip;nw_proto=6
IP,nw_proto=6
tcp,tp_src=65536
tcp,tp_src=80/0x10000
tcp,tp_src=80foo
tcp,tp_src=/1
tcp,tp_src=1/
icmp,icmp_type=300
icmp,icmp_type=3/3
arp,arp_op=65536
dl_src=1:2:3:4:5
dl_src=1:2:3:4:5:6:7
dl_src=1:2:3:4:5:g
dl_src=1:2:3:4:5:6/ff
dl_type=65536
dl_type=0x800/0xff00
dl_vlan=65536
dl_vlan=1/1
vlan_tci=0x10000
nw_ttl=3/7,ip
ip,nw_tos=256
ip,nw_tos=0x4/0xc
ip,nw_frag=foo
ip,nw_frag=1
tcp,nw_frag=later,tp_src=5
tcp,nw_frag=later,tcp_flags=+syn
tcp,tcp_flags=0x1000
tcp,tcp_flags=+syn|ack
tcp,tcp_flags=+foo
ipv6,ipv6_src=foo
ipv6,ipv6_src=::/129
ipv6,ipv6_label=0x100000
ct_state=0x100
ct_state=+foo
ct_state=+trk-trk
ct_state=+
ct_zone=5/255
ct_label=0x123456789abcdef0123456789abcdef01
ct_label=18446744073709551616
ct_nw_src=1.2.3.4
ct_nw_proto=3
ct_state=+trk,ip,ct_nw_src=1.1.1.1
ct_state=+est,ip,ct_ipv6_src=::1
ct_state=+est,ipv6,ct_nw_src=1.1.1.1
metadata=0x1ffffffffffffffff
reg0=0x100000000
reg16=1
conj_id=5/7
recirc_id=1/3
packet_type=0
packet_type=(1)
packet_type=(1,0x10000)
packet_type=(1,0x800),ip
packet_type=(1,0x800),dl_src=1:2:3:4:5:6
packet_type=(1,0x800),tcp,tp_dst=80
tun_flags=2
tun_flags=+oam+foo
nsh_flags=1
dl_type=0x894f,nsh_ttl=64
dl_type=0x894f,nsh_mdtype=3
"""

# (text, what the packaged program makes of it, what ours does), with the reason.
DIFFERENCES = [
    # A value beyond the field is refused, not cut.
    ("ip,nw_src=1.2.3.256", "ip,nw_src=1.2.3.0", ERROR),
    ("dl_src=100:2:3:4:5:6", "dl_src=00:02:03:04:05:06", ERROR),
    ("dl_vlan=4096", "dl_vlan=0", ERROR),
    ("dl_vlan_pcp=8", "dl_vlan_pcp=0", ERROR),
    ("vlan_vid=0xffff", "dl_vlan=4095", ERROR),
    ("ip,ip_dscp=64", "ip,nw_tos=0", ERROR),
    ("ip,nw_ecn=4", "ip,nw_ecn=0", ERROR),
    ("mpls,mpls_label=0x100000", "mpls,mpls_label=0", ERROR),
    ("mpls,mpls_tc=8", "mpls,mpls_tc=0", ERROR),
    ("dl_type=0x894f,nsp=0x1000000", "dl_type=0x894f,nsh_spi=0x0", ERROR),
    ("tun_erspan_ver=16", "tun_erspan_ver=16", ERROR),
    ("metadata=-1", "metadata=0xffffffffffffffff", ERROR),
    # ARP opcodes have 16 bits.
    ("arp,arp_op=256", "arp,arp_op=0", "arp,arp_op=256"),
    # Octal to one program and decimal to another.
    ("tcp,tp_src=010", "tcp,tp_src=8", ERROR),
    # Fields of another protocol are left out, rather than taken for one that has their bits.
    ("tcp,icmp_type=3", "tcp,tp_src=3", "tcp"),
    ("ip,arp_op=1", "icmp", "ip"),
    # A word for a protocol has no value.
    ("tcp=1", "tcp", ERROR),
    # That a packet is an Ethernet frame is said even if nothing else implies it.
    ("eth", "", "eth"),
    ("packet_type=(0,0)", "", "eth"),
    ("in_port=1,eth", "in_port=1", "eth,in_port=1"),
    # What has a mask is written with its mask, under the documented name.
    ("tun_gbp_flags=0x8/0x8", "tun_gbp_flags=0x8", "tun_gbp_flags=0x8/0x8"),
    ("tun_gtpu_flags=0x30/0xf0", "gtpu_flags=0x30", "tun_gtpu_flags=0x30/0xf0"),
    ("tun_gtpu_msgtype=255", "gtpu_msgtype=255", "tun_gtpu_msgtype=255"),
    ("tun_gtpu_msgtype=0", "", "tun_gtpu_msgtype=0"),
    ("tun_erspan_ver=2/3", "tun_erspan_ver=2", "tun_erspan_ver=2/0x3"),
    ("tun_erspan_ver=0", "", "tun_erspan_ver=0"),
    ("tun_erspan_ver=2,tun_erspan_dir=0", "tun_erspan_ver=2", "tun_erspan_ver=2,tun_erspan_dir=0"),
    # Ports above 0xffffff00 may be written in 32 bits, as OpenFlow 1.1 has them.
    ("in_port=4294967294", "in_port=LOCAL", "in_port=LOCAL"),
    # A word for NSH.
    ("nsh", ERROR, "dl_type=0x894f"),
    # An IPv6 mask that begins with decimal digits is taken for a prefix length, but by us.
    ("ipv6,ipv6_src=::/2000::1", ERROR, "ipv6,ipv6_src=::/2000::1"),
    # Protocol 0 can be matched in the original direction, too.
    ("ct_state=+est,ip,ct_nw_proto=0", "ct_state=+est,ip", "ct_state=+est,ct_nw_proto=0,ip"),
    # A packet whose NSH is cut off has no metadata type.
    ("dl_type=0x894f,nsh_mdtype=0", ERROR, "dl_type=0x894f,nsh_mdtype=0"),
    # Nothing is no state.
    ("ct_state=", "", ERROR),
    # Tunnel options are refused until they can be bound.
    ("tun_metadata0=5", "tun_metadata0=0x5", ERROR),
    # OXM names need no brackets.
    ("NXM_OF_ETH_TYPE=0x800", ERROR, "ip"),
]


def lines(text):
    return [line for line in text.splitlines() if line]


def packaged(text):
    """What the packaged ovs-ofctl makes of a match, and whether it left out something and said so."""
    done = subprocess.run([program("ovs-ofctl", "packaged"), "-F", "nxm+table_id", "parse-flow", f"{text},actions=drop"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    match = re.search(r"_FLOW_MOD \(xid=0x1\): ADD table:255 (.*?) ?actions=drop\n", done.stdout)
    if done.returncode != 0 or match is None:
        assert "decode error" in done.stdout or done.stderr.startswith("ovs-ofctl: ") or "WARN" in done.stderr, done
        return ERROR, False
    return match[1].strip(), "normalization changed" in done.stderr


def all_packaged(texts):
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(packaged, texts))


def ours(texts, mode="match"):
    """The same of our own functions, for many texts at once."""
    done = subprocess.run([program("match_text_tool"), mode], input="".join(t + "\n" for t in texts), check=True,
                          stdout=subprocess.PIPE, text=True, timeout=60)
    answers, warned = [], False
    for line in done.stdout.splitlines():
        kind, _, rest = line.partition(": ")
        if kind == "warning":
            warned = True
            continue
        answers.append((ERROR if kind == "error" else rest.strip(), warned))
        warned = False
    assert len(answers) == len(texts), done.stdout
    return answers


def compare(texts):
    """The texts of which the two make something different."""
    return [(text, them, us) for text, (them, _), (us, _) in zip(texts, all_packaged(texts), ours(texts), strict=True)
            if them != us]


def test_matches():
    assert compare(lines(GOOD)) == []


def test_what_lacks_its_prerequisites_is_left_out_with_a_warning():
    texts = lines(LEFT_OUT)
    assert compare(texts) == []
    assert [text for text, (_, warned) in zip(texts, ours(texts), strict=True) if not warned] == []
    assert [text for text, (_, warned) in zip(texts, all_packaged(texts), strict=True) if not warned] == []


def test_errors():
    texts = lines(BAD)
    assert [text for text, (them, _) in zip(texts, all_packaged(texts), strict=True) if them != ERROR] == []
    assert [text for text, (us, _) in zip(texts, ours(texts), strict=True) if us != ERROR] == []


def test_known_differences():
    texts = [text for text, _, _ in DIFFERENCES]
    seen = list(zip(texts, [t for t, _ in all_packaged(texts)], [t for t, _ in ours(texts)], strict=True))
    assert seen == DIFFERENCES


# ---- random texts

# What the match must say for fields with a prerequisite.
PREREQUISITES = {
    "none": [""], "Ethernet": [""], "VLAN VID": ["dl_vlan=5"], "MPLS": ["mpls", "mplsm"], "IPv4": ["ip"],
    "IPv6": ["ipv6"], "IPv4/IPv6": ["ip", "ipv6"], "ARP": ["arp", "rarp"], "NSH": ["dl_type=0x894f,nsh_mdtype=1"],
    "TCP": ["tcp", "tcp6"], "UDP": ["udp", "udp6"], "SCTP": ["sctp", "sctp6"], "ICMPv4": ["icmp"], "ICMPv6": ["icmp6"],
    "ND": ["icmp6,icmp_type=135,icmp_code=0"], "ND solicit": ["icmp6,icmp_type=135,icmp_code=0"],
    "ND advert": ["icmp6,icmp_type=136,icmp_code=0"], "CT": ["ct_state=+est,ip", "ct_state=+est,ipv6"],
}

# Written otherwise (DIFFERENCES), or not matchable through NXM: skb_priority.
UNLIKE = re.compile("tun_metadata|tun_gtpu|tun_erspan|tun_gbp_flags|skb_priority|packet_type|arp_op")


def table():
    shown = subprocess.run([program("match_text_tool"), "table"], check=True, stdout=subprocess.PIPE, text=True,
                           timeout=60).stdout
    names = ("name", "alias", "width", "bits", "format", "masking", "prerequisites", "access")
    rows = [dict(zip(names, line.split("|"))) for line in shown.splitlines()]
    return [row for row in rows if not UNLIKE.search(row["name"])]


def random_bits(rng, bits):
    return rng.choice([0, 1, (1 << bits) - 1, rng.getrandbits(bits), rng.getrandbits(bits)]) & ((1 << bits) - 1)


def random_value(rng, row):
    bits, masked = int(row["bits"]), row["masking"] == "any" and rng.random() < 0.4
    value, mask = random_bits(rng, bits), random_bits(rng, bits)
    kind = row["format"]
    # Some values are refused, or written otherwise (DIFFERENCES).
    if row["name"] == "vlan_vid":
        value |= 0x1000
    if row["name"] == "nw_tos":
        value &= 0xFC
    if row["name"] == "ct_nw_proto":
        value |= 1
    if row["name"] == "nsh_ttl":
        value &= 63
    if row["name"] == "nsh_mdtype":
        value = 1 + value % 2
    if kind == "IPv6":
        mask |= 0xF << 124
    if kind == "Ethernet":
        def text(n):
            return ":".join(f"{b:02x}" for b in n.to_bytes(6, "big"))
    elif kind in ("IPv4", "IPv6"):
        text = ipaddress.IPv4Address if kind == "IPv4" else ipaddress.IPv6Address
        if masked and rng.random() < 0.5:
            return f"{text(value)}/{rng.randint(0, bits)}"
    elif "port" in kind:
        return rng.choice(["LOCAL", "CONTROLLER", "any", str(rng.randint(0, 0xFEFF)), str(rng.randint(0xFFF7, 0xFFFF))])
    elif kind == "frag":
        return rng.choice(["no", "yes", "first", "later", "not_later"])
    elif kind in ("ct state", "TCP flags", "tunnel flags"):
        known = {"ct state": 0xFF, "TCP flags": 0xFFF, "tunnel flags": 1}[kind]
        return f"{value & known:#x}/{mask & known:#x}" if masked else f"{value & known:#x}"
    else:
        text = hex if bits > 64 or rng.random() < 0.5 else str
        if masked:
            return f"{text(value)}/{mask:#x}"
    return f"{text(value)}/{text(mask)}" if masked else str(text(value))


def random_match(rng, rows):
    row = rng.choice(rows)
    base = rng.choice(PREREQUISITES[row["prerequisites"]])
    fitting = [r for r in rows if base in PREREQUISITES[r["prerequisites"]] or r["prerequisites"] in ("none", "Ethernet")
               or ("tcp" in base or "udp" in base) and r["prerequisites"] == "IPv4/IPv6"]
    chosen = [row] + rng.sample(fitting, rng.randint(0, 4))
    items = [f"{r['alias'] if r['alias'] and rng.random() < 0.5 else r['name']}={random_value(rng, r)}" for r in chosen]
    return ",".join(filter(None, [base] + items))


@pytest.mark.parametrize("seed", range(3))
def test_random_matches(seed):
    rng, rows = random.Random(seed), table()
    texts = [random_match(rng, rows) for _ in range(200)]
    assert compare(texts) == []
    # Most of them are matches at all.
    assert sum(text != ERROR for text, _ in ours(texts)) > 120


def test_every_match_reads_back():
    rng, rows = random.Random(7), table()
    written = [text for text, _ in ours([random_match(rng, rows) for _ in range(2000)] + lines(GOOD)) if text != ERROR]
    assert len(written) > 1500
    assert [pair for pair in zip(written, [t for t, _ in ours(written)], strict=True) if pair[0] != pair[1]] == []


# ---- values of fields, as actions write them

def set_field(row, value, base):
    """What the packaged program writes of a set_field action, or None if it refuses the value."""
    done = subprocess.run([program("ovs-ofctl", "packaged"), "-O", "OpenFlow15", "parse-flow",
                           f"{base}{',' if base else ''}actions=set_field:{value}->{row['name']}"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    written = re.search(r"actions=set_field:(.*)->", done.stdout)
    return written and written[1]


def test_values_of_fields():
    """Actions write a field in its own format; set_field takes no bits outside the mask, and no empty masks."""
    rng, compared = random.Random(0), set()
    for row in table():
        if row["access"] != "read/write" or re.match("ct_|dl_vlan|in_port_oxm|actset", row["name"]):
            continue
        values = [random_value(rng, row) for _ in range(5)]
        answers = [a for a, _ in ours([f"{row['name']} {v}" for v in values], "field")]
        base = "dl_vlan=3" if row["name"].startswith("vlan") else rng.choice(PREREQUISITES[row["prerequisites"]])
        for answer in answers:
            if re.search(r"/(0|0\.0\.0\.0|::|00:00:00:00:00:00)$", answer):
                continue
            written = set_field(row, answer, base)
            if written is not None:
                assert written == answer, row
                compared.add(row["name"])
    assert len(compared) > 60


# ---- whole flows, by ofproto/trace

FLOWS = """
in_port=1
in_port=LOCAL
tcp
in_port=1,tcp
in_port=1 tcp
in_port=1,tcp,tp_src=5,tcp_flags=0x12
in_port=1,udp
in_port=1,sctp
in_port=1,icmp
in_port=1,icmp,icmp_type=8,icmp_code=3
in_port=1,icmp6
in_port=1,icmp6,icmpv6_type=135,icmpv6_code=0,nd_target=fe80::1,nd_sll=1:2:3:4:5:6
in_port=1,icmp6,icmpv6_type=136,icmpv6_code=1
in_port=1,tcp6,ipv6_label=0x12345,nw_tos=252,nw_ecn=3,nw_ttl=255,ipv6_src=fe80::1
in_port=1,ip,nw_proto=5
in_port=1,ip,nw_frag=first
in_port=1,tcp,nw_frag=first
in_port=1,tcp,nw_frag=later
in_port=1,ipv6,nw_frag=later
in_port=1,arp
in_port=1,arp,arp_op=1,arp_sha=1:1:1:1:1:1
in_port=1,rarp
in_port=1,mpls
in_port=1,mpls,mpls_bos=1,mpls_label=4
in_port=1,dl_type=0x1234
in_port=1,dl_type=0x05ff
in_port=1,dl_vlan=10
in_port=1,dl_vlan=10,dl_vlan_pcp=3,tcp
in_port=1,dl_vlan=65535
in_port=1,dl_vlan_pcp=3
in_port=1,vlan_tci=5
in_port=1,vlan_vid=0x1005
in_port=1,reg0=1,reg5=0
in_port=1,xreg1=1
in_port=1,metadata=1
in_port=1,tun_id=1
in_port=1,pkt_mark=1,skb_priority=2,metadata=4,tun_id=6,ct_state=trk|inv,ct_zone=4,ct_mark=1,ct_label=3,reg3=1,dp_hash=4
in_port=1,recirc_id=3
in_port=1,conj_id=1
in_port=1,actset_output=1,tcp
in_port=1,ct_state=trk|est,ip
in_port=1,ct_state=trk|est,ct_nw_proto=6,ct_tp_src=4,ct_nw_src=1.1.1.1,tcp
in_port=1,ct_state=trk|est,ct_nw_proto=6,ct_tp_src=4,ct_ipv6_src=::3,ipv6
in_port=1,packet_type=(1,0x806)
in_port=1,packet_type=(1,0x8847)
in_port=1,packet_type=(1,0x1234)
in_port=1,packet_type=(0,0)
in_port=1,tcp,nw_tos=5
in_port=1,tcp,nw_src=1.1.1.1/32
in_port=1,tcp,ip_dscp=3
in_port=1,reg0=0x1/0x1
in_port=1,tcp,nw_src=10.0.0.0/8
in_port=1,tcp,tcp_flags=+syn
in_port=1,ct_state=+trk
in_port=1,foo=1
in_port=1,tp_src=3
in_port=1,nw_src=1.2.3.4
in_port=1,tcp,in_port=2
in_port=1,ip,nw_src=*
in_port=1,vlan_tci=0x1005/0x1fff
in_port=1,icmp,tp_src=300
"""


@pytest.fixture
def daemon(box):
    """The packaged ovs-vswitchd with a bridge br0 and a port 1, p1."""
    box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour="packaged")
    box.run("ovs-vsctl", "--timeout=20", "--no-wait", "init", flavour="packaged")
    started = box.start_vswitchd(flavour="packaged")
    box.run("ovs-vsctl", "--timeout=20", "add-br", "br0", "--", "add-port", "br0", "p1", "--", "set", "interface", "p1",
            "type=dummy", "ofport_request=1", flavour="packaged")
    return started


def test_flows(daemon):
    texts, seen = lines(FLOWS), []
    for text, (answer, _) in zip(texts, ours(texts, "flow"), strict=True):
        done = daemon.appctl("ofproto/trace", "br0", text, status=None)
        match = re.match(r"Flow: (.*)\n", done.stdout)
        seen.append((text, match[1] if match else ERROR, answer))
    assert [case for case in seen if case[1] != case[2]] == []


# The numbers of the ports with these names are their places here.
PORT_NAMES = ["", "p1", "eth0.5", "a-b_c", "77", "5abc", "local", 'q"x', "p 1,x", "_x", "a_b", "A1_", "back\\slash"]


def test_names_of_ports(box, daemon):
    """Names are written plain or quoted alike, and what is written reads back (the packaged one cannot always)."""
    for number, name in enumerate(PORT_NAMES):
        if number > 1:
            quoted = json.dumps(name)
            box.run("ovs-vsctl", "--timeout=20", "--", "--id=@i", "create", "interface", f"name={quoted}", "type=dummy",
                    f"ofport_request={number}", "--", "--id=@p", "create", "port", f"name={quoted}", "interfaces=@i",
                    "--", "add", "bridge", "br0", "ports", "@p", flavour="packaged")
    numbers = range(1, len(PORT_NAMES))
    theirs = []
    for number in numbers:
        shown = daemon.appctl("ofproto/trace", "--names", "br0", f"in_port={number}").stdout
        theirs.append(re.match(r"Flow: (in_port=.*?),vlan_tci=", shown)[1])
    done = subprocess.run([program("match_text_tool"), "match", *PORT_NAMES], stdout=subprocess.PIPE, text=True,
                          input="".join(f"in_port={n}\n" for n in numbers), check=True, timeout=60)
    written = [line.removeprefix("match: ") for line in done.stdout.splitlines()]
    # Where the packaged one writes the name of a reserved port, it would read that one.
    assert written == [text.replace("=local", '="local"') for text in theirs]
    done = subprocess.run([program("match_text_tool"), "match", *PORT_NAMES], stdout=subprocess.PIPE, text=True,
                          input="".join(f"{text}\n" for text in written), check=True, timeout=60)
    assert [line.removeprefix("match: ") for line in done.stdout.splitlines()] == written
