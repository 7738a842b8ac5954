"""Network namespaces as hosts: for tests and the demonstration that need real interfaces.

    with Network() as net:
        host, vm = net.namespace("host"), net.namespace("vm")
        net.veth(host, "tap0", vm, "eth0")
        vm.run("ip", "address", "add", "10.0.0.1/24", "dev", "eth0")
        with vm.sniff("eth0") as frames:
            ...
            frames.wait_for(lambda frame: frame[12:14] == b"\\x08\\x06")

Namespaces have names of their own below /run/netns, and go, with all interfaces in them, when the
Network closes.  Everything here needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN: root, or root
of a user namespace.
"""

import contextlib
import ctypes
import os
import re
import select
import socket
import struct
import subprocess
import threading
import time

from ovs_test import Closing, limit, wait_until

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000

# asm-generic/socket.h
_SO_RCVBUFFORCE = 33

# linux/if_packet.h, linux/if_ether.h
_SOL_PACKET, _PACKET_AUXDATA = 263, 8
_ETH_P_ALL = 0x0003
_TP_STATUS_VLAN_VALID, _TP_STATUS_VLAN_TPID_VALID = 1 << 4, 1 << 6
_PACKET_OUTGOING = 4


@contextlib.contextmanager
def _within(path):
    """Sockets that this thread makes meanwhile belong to the network namespace at `path`."""
    with open("/proc/thread-self/ns/net", "rb") as before, open(path, "rb") as there:
        if _libc.setns(there.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")
        try:
            yield
        finally:
            _libc.setns(before.fileno(), _CLONE_NEWNET)


class Sniffer(Closing):
    """What arrives at an interface from outside, or leaves it, from now on.

    frames: whole Ethernet frames in order, with the VLAN tags that the kernel keeps apart put back.
    outgoing: whether what the interface sends counts too.
    """

    def __init__(self, path, interface, outgoing=True):
        with _within(path):
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._sock.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
            # Room for what arrives while we are not running; beyond the system's limit, where we may.
            for option in (socket.SO_RCVBUF, _SO_RCVBUFFORCE):
                with contextlib.suppress(PermissionError):
                    self._sock.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
            self._sock.bind((interface, _ETH_P_ALL))
        self.frames = []
        self._outgoing = outgoing
        self._changed = threading.Condition()
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        """Takes what is still in the socket, then ends."""
        if self._thread.is_alive():
            os.write(self._stop_write, b"x")
            self._thread.join()
            self._sock.close()
            os.close(self._stop_read)
            os.close(self._stop_write)

    def _run(self):
        while True:
            ready, _, _ = select.select([self._sock, self._stop_read], [], [])
            if self._sock in ready:
                try:
                    self._receive()
                except OSError:  # the interface went down or away
                    if self._stop_read in ready:
                        return
                    time.sleep(0.01)
            elif self._stop_read in ready:
                return

    def _receive(self):
        frame, ancillary, _, address = self._sock.recvmsg(1 << 17, socket.CMSG_SPACE(32))
        if address[2] == _PACKET_OUTGOING and not self._outgoing:
            return
        for level, kind, data in ancillary:
            if level == _SOL_PACKET and kind == _PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
                if status & _TP_STATUS_VLAN_VALID:
                    tpid = tpid if status & _TP_STATUS_VLAN_TPID_VALID else 0x8100
                    frame = frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    def wait_for(self, wanted, timeout=10, what=""):
        """The first frame for which wanted(frame) is true; fails, naming `what`, when none comes in time."""
        deadline = time.monotonic() + limit(timeout)
        seen = 0
        with self._changed:
            while True:
                for frame in self.frames[seen:]:
                    if wanted(frame):
                        return frame
                seen = len(self.frames)
                left = deadline - time.monotonic()
                assert left > 0, f"no such frame among {seen} in {limit(timeout):g} s {what}"
                self._changed.wait(left)

    def send(self, frame):
        """Sends a frame out of the interface."""
        self._sock.send(frame)


class Namespace:
    """One network namespace, with a loopback interface that is up."""

    def __init__(self, name):
        self.name = name
        self.path = f"/run/netns/{name}"
        self.prefix = ("ip", "netns", "exec", name)
        checked("ip", "netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *command, check=True, timeout=30, input=None):
        """Runs a command in here and returns the CompletedProcess (text)."""
        return checked(*self.prefix, *command, check=check, timeout=timeout, input=input)

    def popen(self, *command, **options):
        return subprocess.Popen([*self.prefix, *map(str, command)], stdin=subprocess.DEVNULL, **options)

    def sniff(self, interface, outgoing=True):
        return Sniffer(self.path, interface, outgoing)

    @contextlib.contextmanager
    def entered(self):
        """Sockets made by this thread meanwhile belong to the namespace."""
        with _within(self.path):
            yield

    def interfaces(self):
        text = self.run("ip", "-o", "link", "show").stdout
        return [re.match(r"\d+: ([^:@]+)", line).group(1) for line in text.splitlines()]

    def mac(self, interface):
        return self.run("cat", f"/sys/class/net/{interface}/address").stdout.strip()

    def address(self, interface, *addresses):
        for address in addresses:
            # Without duplicate address detection, which keeps an IPv6 address unusable for a second.
            flags = ["nodad"] if ":" in address else []
            self.run("ip", "address", "add", address, "dev", interface, *flags)

    def ping(self, address, count=1, wait=5, size=None):
        """Whether the address answers, within so many seconds: as long as this takes where it does not."""
        options = [] if size is None else ["-s", str(size)]
        return self.run("ping", "-n", "-q", "-i", "0.01", "-c", str(count), "-W", str(wait), *options, address,
                        check=False, timeout=wait + count + 20).returncode == 0

    def close(self):
        # Not an error where the namespace is gone already.
        checked("ip", "netns", "delete", self.name, check=False)


def checked(*command, check=True, timeout=30, input=None):
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit(timeout), input=input,
                          stdin=subprocess.DEVNULL if input is None else None)
    assert not check or done.returncode == 0, \
        f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done


class Network(Closing):
    """Namespaces that are made and go together."""

    _count = 0

    def __init__(self, prefix=None):
        Network._count += 1
        self.prefix = f"ovs-{os.getpid()}-{Network._count}-" if prefix is None else prefix
        self.namespaces = []

    def close(self):
        for namespace in self.namespaces:
            namespace.close()

    def namespace(self, name):
        namespace = Namespace(self.prefix + name)
        self.namespaces.append(namespace)
        return namespace

    @staticmethod
    def veth(here, name, there, peer, mtu=None, up=True):
        """A cable between two namespaces: interface `name` here, `peer` there, both up."""
        options = [] if mtu is None else ["mtu", str(mtu)]
        here.run("ip", "link", "add", name, *options, "type", "veth", "peer", "name", peer,
                 *options, "netns", there.name)
        if up:
            here.run("ip", "link", "set", name, "up")
            there.run("ip", "link", "set", peer, "up")


def wait_carrier(namespace, interface, timeout=10):
    """Waits until an interface is up and has its link."""
    def up():
        done = namespace.run("cat", f"/sys/class/net/{interface}/carrier", check=False)
        return done.returncode == 0 and done.stdout.strip() == "1"
    wait_until(up, timeout, f"the link of {interface} in {namespace.name}")


def vlan_of(frame):
    """The VLAN of a frame's outermost 802.1Q or 802.1ad tag, or None where it has none."""
    tpid, tci = struct.unpack("!HH", frame[12:16])
    return tci & 0x0fff if tpid in (0x8100, 0x88a8) else None
