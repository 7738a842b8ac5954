"""A port with two interfaces between real ones: both lead to one switch at the other end, which knows nothing of
bonds, so that every frame that is flooded could come back by the other link."""

import pytest

import netns
import two_hosts
from ovs_test import Closing, wait_until

BROADCAST = b"\xff" * 6
PAYLOAD = b"\x90\x00" + b"bond" + bytes(46)


class Bond(Closing):
    """Machine 1 on br0 by p1; the bond of l0 and l1, which lead to w0 and w1 of a Linux bridge with 10.0.0.2."""

    def __init__(self):
        self.network = netns.Network()
        try:
            self.host = two_hosts.Host(self.network.namespace("host"))
            self.near, self.far = self.network.namespace("near"), self.network.namespace("far")
            self.network.veth(self.host.namespace, "p1", self.near, "eth0")
            self.near.address("eth0", "10.0.0.1/24")
            self.far.run("ip", "link", "add", "lan", "address", "02:00:00:00:00:fa", "type", "bridge",
                         "forward_delay", "0", "stp_state", "0")
            for n in range(2):
                self.network.veth(self.host.namespace, f"l{n}", self.far, f"w{n}")
                self.far.run("ip", "link", "set", f"w{n}", "master", "lan")
            self.far.address("lan", "10.0.0.2/24")
            self.far.run("ip", "link", "set", "lan", "up")
            self.members = {self.host.namespace.mac(name): name for name in ("l0", "l1")}
            self.host.start()
            self.host.vsctl("add-br", "br0", "--", "add-port", "br0", "p1")
            self.host.vsctl("add-bond", "br0", "bond0", "l0", "l1")
        except BaseException:
            self.close()
            raise

    def active(self):
        return self.members.get(self.host.vsctl("get", "port", "bond0", "bond_active_slave").strip().strip('"'))

    def await_active(self, name):
        wait_until(lambda: self.active() == name, what=f"{name} to become active, not {self.active()}")

    def close(self):
        if hasattr(self, "host"):
            self.host.close()
        self.network.close()


@pytest.fixture
def bond():
    with Bond() as made:
        made.await_active("l0")
        wait_until(lambda: made.near.ping("10.0.0.2", wait=1), what="the first ping")
        yield made


def count(frames, source):
    return sum(frame[6:12] == source and PAYLOAD[2:6] in frame for frame in frames)


def test_nothing_comes_twice_or_back(bond):
    near, far = b"\x02" + b"n" * 5, b"\x02" + b"f" * 5
    with bond.near.sniff("eth0", outgoing=False) as at_near, bond.far.sniff("lan", outgoing=False) as at_far:
        with bond.near.sniff("eth0") as sender:
            sender.send(BROADCAST + near + PAYLOAD)
        at_far.wait_for(lambda frame: frame[6:12] == near)
        with bond.far.sniff("lan") as sender:
            sender.send(BROADCAST + far + PAYLOAD)
        at_near.wait_for(lambda frame: frame[6:12] == far)
        # What is still on its way has arrived when a ping after it has.
        assert bond.near.ping("10.0.0.2", count=3)
    assert count(at_far.frames, near) == 1
    assert count(at_near.frames, far) == 1
    assert count(at_near.frames, near) == 0


@pytest.mark.parametrize("end", ["here", "there", "gone"])
def test_the_other_member_takes_over(bond, end):
    assert bond.near.ping("10.0.0.2", count=3)
    if end == "here":
        bond.host.namespace.run("ip", "link", "set", "l0", "down")
    elif end == "there":
        bond.far.run("ip", "link", "set", "w0", "down")
    else:
        bond.host.namespace.run("ip", "link", "del", "l0")
    wait_until(lambda: bond.near.ping("10.0.0.2", wait=1), what="the ping over the other link")
    bond.await_active("l1")
    if end == "gone":
        return
    if end == "here":
        bond.host.namespace.run("ip", "link", "set", "l0", "up")
    else:
        bond.far.run("ip", "link", "set", "w0", "up")
    netns.wait_carrier(bond.host.namespace, "l0")
    assert bond.near.ping("10.0.0.2", count=3)
    assert bond.active() == "l1"
