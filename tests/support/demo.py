"""The demonstration that ./demo runs: see there.  OVS_BUILDDIR names the build directory."""

import argparse
import collections
import contextlib
import json
import math
import os
import shlex
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import netns  # noqa: E402
import ovs_test  # noqa: E402
import sflow  # noqa: E402
import two_hosts  # noqa: E402

INSIDE = "OVS_DEMO_INSIDE"  # set once we are in namespaces of our own
BEGAN = time.monotonic()


def step(text):
    print(f"\n== {text}", flush=True)


def go_inside():
    """Starts this program again in a mount and a network namespace of its own: whatever happens,
    nothing of it stays behind, and nothing outside is touched.  A user who is not root becomes
    root of a user namespace."""
    options = ["--mount", "--net", "--fork", "--kill-child=SIGTERM"]
    if os.geteuid() != 0:
        options += ["--user", "--map-root-user"]
    os.environ[INSIDE] = "user" if os.geteuid() != 0 else "root"
    os.execvp("unshare", ["unshare", *options, sys.executable, *sys.argv])


def prepare_inside():
    """Makes /run/netns ours alone."""
    for command in (["mount", "--make-rprivate", "/"], ["mount", "-t", "tmpfs", "tmpfs", "/run"]):
        netns.checked(*command)
    os.makedirs("/run/netns")


def print_reachability(answers):
    """Prints who reaches whom; returns the pairs for which that is not as it should be."""
    names = [m.name for m in two_hosts.MACHINES]
    print("from \\ to   " + "  ".join(f"{name:>5}" for name in names))
    wrong = []
    for a in two_hosts.MACHINES:
        cells = []
        for b in two_hosts.MACHINES:
            if a is b:
                cells.append("    .")
                continue
            reached = answers[a, b]
            right = reached == two_hosts.should_reach(a, b)
            cells.append(f"{('yes' if reached else 'no') + ('' if right else ' !'):>5}")
            if not right:
                wrong.append((a.name, b.name, reached))
        print(f"{a.name} (VLAN {a.vlan}) " + "  ".join(cells), flush=True)
    return wrong


def print_tags(frames):
    """Prints the tags that were seen on the wire; returns how many frames had none."""
    counts = collections.Counter(netns.vlan_of(frame) for frame in frames)
    for vlan, count in sorted(counts.items(), key=lambda item: (item[0] is None, item[0])):
        print(f"{'no tag' if vlan is None else f'VLAN {vlan}':>8}: {count} frames")
    return counts


def write_entrance(host, network_prefix):
    """A script that opens a shell in a host; returns its path."""
    path = host.box.top / "enter"
    user = ["--user", "--preserve-credentials"] if os.environ[INSIDE] == "user" else []
    build = ovs_test.build_dir()
    programs = f"{build}/utilities:{build}/src/dbserver:{build}/src/vswitchd"
    variables = [f"{name}={host.box.env[name]}" for name in
                 ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")]
    command = ["nsenter", "--target", str(os.getpid()), *user, "--mount", "--net",
               *host.namespace.prefix, "env", *variables, f"PATH={programs}:{os.environ['PATH']}",
               f"PS1={host.namespace.name[len(network_prefix):]}# "]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "${{@:-sh}}"\n')
    path.chmod(0o755)
    return path


def wait_for_the_end():
    """Sleeps until somebody stops us."""
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    signal.sigwait(signals)


# What the machines tell each other while they are watched: bytes of UDP payload, packets a second.
TALK = {("vm1", "vm3"): (1200, 12000), ("vm3", "vm1"): (200, 6000),
        ("vm2", "vm4"): (600, 6000), ("vm4", "vm2"): (100, 3000)}
TALK_SECONDS = 4
SAMPLING = 64
SFLOW = ("--", "--id=@sflow", "create", "sflow", "agent=eth1", 'target="192.0.2.1:6343"', "header=128",
         f"sampling={SAMPLING}", "polling=10", "--", "set", "bridge", "br0", "sflow=@sflow")

# Arguments: destination, payload, packets a second, seconds.  In small bursts, and the port is open.
TALKER = """
import socket, sys, time
to, size, rate, seconds = sys.argv[1], *map(int, sys.argv[2:])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 5000))
began = time.monotonic()
for i in range(rate * seconds // 4):
    time.sleep(max(0, began + i * 4 / rate - time.monotonic()))
    for _ in range(4):
        sock.sendto(bytes(size), (to, 5000))
time.sleep(0.5)
"""


def received(machine):
    """Bytes that a machine's network card has received."""
    shown = json.loads(machine.run("ip", "-json", "-statistics", "link", "show", "eth0").stdout)[0]
    return shown["stats64"]["rx"]["bytes"]


def estimate(samples):
    """{(from, to, VLAN): [samples, estimated bytes, their variance]}, as a collector would: each sample stands
    for as many packets like it as its rate says.  Bytes are those of a frame without tag and check sequence."""
    names = {m.address: m.name for m in two_hosts.MACHINES}
    found = {}
    for s in samples:
        header = sflow.record(s, "sampled_header")
        frame = bytes.fromhex(header["header"])
        tag = 4 if frame[12:14] == b"\x81\x00" else 0
        if frame[12 + tag:14 + tag] != b"\x08\x00":
            continue
        source, destination = (".".join(map(str, frame[at + tag:at + tag + 4])) for at in (26, 30))
        vlan = sflow.record(s, "extended_switch")["in_vlan"]
        key = names.get(source, source), names.get(destination, destination), vlan
        total = found.setdefault(key, [0, 0, 0])
        octets = s["rate"] * (header["frame_length"] - header["stripped"] - tag)
        total[0] += 1
        total[1] += octets
        total[2] += octets ** 2
    return found


def talk_lines(estimates, truth):
    lines = ["from   to     VLAN   samples   estimated bytes      true bytes   off by"]
    for (source, destination, vlan), (samples, octets, _) in sorted(estimates.items()):
        true = truth.get(destination, 0)
        off = f"{100 * (octets - true) / true:+.1f} %" if true else ""
        lines.append(f"{source:6} {destination:6} {vlan:4} {samples:9} {octets:17,} {true:15,} {off:>8}")
    return lines


def watch(setup, collector):
    """Lets the machines talk, and prints what the collector makes of it; returns what is wrong."""
    machines, collected = setup.machines, collector
    before = {name: received(machine) for name, machine in machines.items()}
    talkers = []
    with contextlib.ExitStack() as stack:
        for (source, destination), (size, rate) in TALK.items():
            address = next(m.address for m in two_hosts.MACHINES if m.name == destination)
            talkers.append(machines[source].popen("python3", "-c", TALKER, address, size, rate, TALK_SECONDS))
            stack.callback(talkers[-1].wait)
            stack.callback(talkers[-1].kill)
        drawn = 0
        while True:
            running = any(talker.poll() is None for talker in talkers)
            if not running:
                # The last datagram leaves half a second after its first sample.
                time.sleep(1)
            truth = {name: received(machine) - before[name] for name, machine in machines.items()}
            estimates = estimate(collected.flow_samples())
            if sys.stdout.isatty() or not running:
                print(f"\x1b[{drawn}A" if drawn else "", end="")
                lines = talk_lines(estimates, truth)
                print("\n".join(lines), flush=True)
                drawn = len(lines)
            if not running:
                break
            time.sleep(0.5)

    wrong = []
    vlans = {m.name: m.vlan for m in two_hosts.MACHINES}
    for source, destination in TALK:
        _, octets, variance = estimates.pop((source, destination, vlans[source]), (0, 0, 0))
        # Never by chance.  What hosts merge on its way is few large packets, whose variance the samples tell roughly.
        if abs(octets - truth[destination]) > 8 * math.sqrt(variance):
            wrong.append(f"{source} to {destination}: sFlow's {octets} bytes are too far from {truth[destination]}")
    wrong += [f"sFlow saw {source} talk to {destination} on VLAN {vlan}" for source, destination, vlan in estimates]
    return wrong


def monitor(setup):
    """Sets up sFlow on host1, through whose bridge everything goes, and shows it at work; returns what is wrong."""
    host, collector = setup.hosts[1], setup.network.namespace("collector")
    setup.network.veth(host.namespace, "eth1", collector, "eth0")
    host.namespace.address("eth1", "192.0.2.2/24")
    collector.address("eth0", "192.0.2.1/24")
    with sflow.Collector(collector, "192.0.2.1:6343") as collected:
        print(f"host1# ovs-vsctl {shlex.join(SFLOW)}", flush=True)
        uuid = host.vsctl(*SFLOW).strip()
        wrong = watch(setup, collected)
        print(f"host1# ovs-vsctl remove bridge br0 sflow {uuid}")
        host.vsctl("remove", "bridge", "br0", "sflow", uuid)
    return wrong


def demonstrate(keep):
    step("making two hosts and four virtual machines, each in a network namespace")
    with two_hosts.TwoHosts("") as setup:
        for host in setup.hosts.values():
            # The hosts themselves stay silent, so that what is on the wire is the machines' alone.
            host.namespace.run("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
        for m in two_hosts.MACHINES:
            print(f"{m.name}: {m.address}, to be in VLAN {m.vlan}, on {m.tap} of host{m.host}")

        step("starting ovsdb-server and ovs-vswitchd on each host")
        setup.start()

        with setup.hosts[2].namespace.sniff("eth0") as wire:
            step("wiring the machines")
            setup.configure(lambda number, arguments:
                            print(f"host{number}# ovs-vsctl {' '.join(arguments)}", flush=True))

            step("who reaches whom (ping)")
            wrong = print_reachability(setup.reachability())

        step("tags on the wire between the hosts")
        counts = print_tags(wire.frames)
        untagged = counts.pop(None, 0)
        tags_right = untagged == 0 and set(counts) == {m.vlan for m in two_hosts.MACHINES}

        for number, host in setup.hosts.items():
            step(f"host{number}# ovs-vsctl show")
            print(host.vsctl("show"), end="")
            step(f"host{number}# ovs-appctl fdb/show br0")
            print(host.appctl("fdb/show", "br0"), end="")

        step(f"sFlow: a collector sees who talks to whom, by one packet of {SAMPLING}")
        monitoring = monitor(setup)

        print()
        for text in monitoring:
            print(f"WRONG: {text}")
        for a, b, reached in wrong:
            print(f"WRONG: {a} {'reaches' if reached else 'does not reach'} {b}")
        if not tags_right:
            print("WRONG: on the wire every frame should have the tag of VLAN 1 or 2, and both should be seen")
        if wrong or monitoring or not tags_right:
            for number, host in setup.hosts.items():
                print(f"host{number}, log of ovs-vswitchd:")
                print((host.box.log_dir / "ovs-vswitchd.log").read_text(errors="replace"))
        else:
            print(f"As it should be: VLAN 1 joins vm1 and vm3, VLAN 2 joins vm2 and vm4, nobody else reaches "
                  f"anybody, and sFlow tells so.  ({time.monotonic() - BEGAN:.1f} s)")
        if keep:
            print("\nIt goes on running.  To enter a host, or run a command there:")
            for number, host in setup.hosts.items():
                print(f"    {write_entrance(host, setup.network.prefix)}     # host{number}")
            for m in two_hosts.MACHINES:
                entrance = setup.hosts[m.host].box.top / "enter"
                print(f"    {entrance} ip netns exec {m.name} sh     # {m.name}")
            print("To end it: press Ctrl-C here.", flush=True)
            wait_for_the_end()
        return 1 if wrong or monitoring or not tags_right else 0


def main():
    parser = argparse.ArgumentParser(prog="./demo", description=(
        "Shows two hosts with two virtual machines each, wired with ovs-vsctl: VLANs isolate them, and a collector of "
        "sFlow sees who talks to whom."))
    parser.add_argument("--keep", action="store_true",
                        help="leave it running, say how to enter it, and clean up on Ctrl-C")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        go_inside()
    prepare_inside()
    # Ctrl-C and a terminated parent clean up as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return demonstrate(options.keep)
    except KeyboardInterrupt:
        return 130
    except AssertionError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
