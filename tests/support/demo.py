"""The demonstration that ./demo runs: see there.  OVS_BUILDDIR names the build directory."""

import argparse
import collections
import os
import shlex
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import netns  # noqa: E402
import ovs_test  # noqa: E402
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

        print()
        for a, b, reached in wrong:
            print(f"WRONG: {a} {'reaches' if reached else 'does not reach'} {b}")
        if not tags_right:
            print("WRONG: on the wire every frame should have the tag of VLAN 1 or 2, and both should be seen")
        if wrong or not tags_right:
            for number, host in setup.hosts.items():
                print(f"host{number}, log of ovs-vswitchd:")
                print((host.box.log_dir / "ovs-vswitchd.log").read_text(errors="replace"))
        else:
            print(f"As it should be: VLAN 1 joins vm1 and vm3, VLAN 2 joins vm2 and vm4, and nobody else "
                  f"reaches anybody.  ({time.monotonic() - BEGAN:.1f} s)")
        if keep:
            print("\nIt goes on running.  To enter a host, or run a command there:")
            for number, host in setup.hosts.items():
                print(f"    {write_entrance(host, setup.network.prefix)}     # host{number}")
            for m in two_hosts.MACHINES:
                entrance = setup.hosts[m.host].box.top / "enter"
                print(f"    {entrance} ip netns exec {m.name} sh     # {m.name}")
            print("To end it: press Ctrl-C here.", flush=True)
            wait_for_the_end()
        return 1 if wrong or not tags_right else 0


def main():
    parser = argparse.ArgumentParser(prog="./demo", description=(
        "Shows two hosts with two virtual machines each, wired with ovs-vsctl: VLANs isolate them."))
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
