"""What /etc/conf.d/ovs declares is there after a boot, and changes when it says so: `rc-service ovs ...`."""

import os
import subprocess
import textwrap
import time
from pathlib import Path

import declared_hosts
import openrc_machine
import ovs_test
import pytest
from declared_hosts import DATABASE


def openrc():
    reason = openrc_machine.why_not()
    if reason:
        pytest.skip(f"not run: {reason}")


@pytest.fixture(scope="module")
def hosts():
    openrc()
    with declared_hosts.Hosts() as hosts:
        yield hosts


@pytest.fixture
def booted(hosts):
    """Both hosts after a boot with the VLANs, on databases that begin empty."""
    hosts.forget()
    hosts.declare(declared_hosts.VLANS)
    hosts.boot()
    hosts.await_network()
    yield hosts
    hosts.power_off()


@pytest.fixture
def host():
    """One host without anything plugged in; the service ovs is in its runlevel."""
    openrc()
    with openrc_machine.Machine() as machine:
        machine.rc_update("ovs")
        yield machine


@pytest.mark.parametrize("setup, moment, boots", [("vlan", "before", 2), ("vlan", "during", 2), ("vlan", "after", 1),
                                                  ("sflow", "before", 2)])
def test_boots(hosts, setup, moment, boots):
    """From an empty database to machines that reach each other; the next boot changes nothing."""
    hosts.forget()
    hosts.declare(declared_hosts.SETUPS[setup])
    databases, contents = [], []
    for boot in range(boots):
        hosts.boot(moment)
        hosts.await_network()
        if setup == "sflow" and boot > 0:
            assert hosts.await_samples() == "10.9.0.2"
        for host in hosts.hosts():
            assert [host.status(name) for name in ("ovsdb-server", "ovs-vswitchd", "ovs")] == ["started"] * 3
            host.run("openrc", "shutdown")
        databases.append(hosts.databases())
        contents.append(hosts.contents())
        hosts.power_off()
    assert contents[0] == contents[-1]
    # Devices that come late are reported as missing for so long.  With all there, nothing is written at all.
    if moment == "before":
        assert databases[0] == databases[-1]


def test_reload_touches_only_what_differs(booted):
    host = booted.host1
    ports = host.run("ovs-vsctl", "get", "Interface", "eth0", "ofport", "_uuid").stdout
    ping = booted.vms["vm1"].popen("ping", "-n", "-q", "-i", "0.01", "-c", "300", declared_hosts.ADDRESSES["vm3"],
                                   stdout=subprocess.PIPE, text=True)
    host.write("/etc/conf.d/ovs", declared_hosts.VLANS.replace('tap1="tag=2"', 'tap1="tag=1"'))
    host.run("rc-service", "ovs", "reload")
    output = ping.communicate(timeout=ovs_test.limit(60))[0]
    assert " 0% packet loss" in output
    assert host.run("ovs-vsctl", "get", "Interface", "eth0", "ofport", "_uuid").stdout == ports
    assert booted.reaches("vm1", "vm2") and not booted.reaches("vm2", "vm4", wait=1)
    # What is not declared any more, and was put there by the service, goes.
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\novs_ports_br0="eth0 tap0"\novs_port_tap0="tag=1"\n')
    host.run("rc-service", "ovs", "reload")
    assert host.run("ovs-vsctl", "list-ports", "br0").stdout == "eth0\ntap0\n"
    assert booted.reaches("vm1", "vm3")
    # Nothing to do: nothing is written.
    before = host.path(DATABASE).read_bytes()
    host.run("rc-service", "ovs", "reload")
    host.run("rc-service", "ovs", "restart")
    assert host.path(DATABASE).read_bytes() == before


def test_restart_and_stop_leave_the_network(booted):
    host = booted.host1
    host.run("rc-service", "ovs", "restart")
    assert booted.reaches("vm1", "vm3")
    output = host.run("rc-service", "ovs", "stop").stdout
    assert "stay as they are" in output
    assert host.status("ovs") == "stopped"
    assert booted.reaches("vm1", "vm3")
    # A person's own port is none of the service's business.
    host.run("ovs-vsctl", "add-port", "br0", "mine", "--", "set", "Interface", "mine", "type=internal")
    host.run("rc-service", "ovs", "start")
    assert "mine" in host.run("ovs-vsctl", "list-ports", "br0").stdout
    # Restarting the switch below it.
    host.run("rc-service", "ovs-vswitchd", "restart")
    ovs_test.wait_until(lambda: host.status("ovs") == "started", 20, "the service to be started again")
    ovs_test.wait_until(lambda: booted.reaches("vm1", "vm3", wait=1), 10, "forwarding")


def test_what_does_not_work_any_more_is_said(host):
    """A reload fails then; a start does not, for the sake of what needs it."""
    patch = ('ovs_bridges="br0 br1"\novs_ports_br0="a"\novs_ports_br1="b"\n'
             'ovs_port_a="type=patch options:peer=b"\novs_port_b="type=patch options:peer=a"\n')
    host.write("/etc/conf.d/ovs", patch)
    host.boot()
    # A setting that the switch only stores is told, and is no failure.
    host.write("/etc/conf.d/ovs", patch.replace("peer=b", "peer=b ingress_policing_rate=1000"))
    done = host.run("rc-service", "ovs", "reload")
    assert "a: policing is not supported" in done.stdout
    message = "a, b worked before this change, and do not now"
    host.write("/etc/conf.d/ovs", patch.replace("peer=b", "peer=nobody"))
    done = host.run("rc-service", "ovs", "reload", status=None)
    assert done.returncode != 0 and message in done.stdout
    host.write("/etc/conf.d/ovs", patch)
    host.run("rc-service", "ovs", "reload")
    host.run("rc-service", "ovs", "stop")
    host.write("/etc/conf.d/ovs", patch.replace("peer=b", "peer=nobody"))
    done = host.run("rc-service", "ovs", "start")
    assert message in done.stdout and "Not all of /etc/conf.d/ovs works" in done.stdout
    assert host.status("ovs") == "started"


@pytest.mark.parametrize("mistake, message", [
    ('ovs_port_tap0="tags=1"', "tag"),
    ('ovs_port_tap0="tag=4096"', "4096"),
    ('ovs_prots_br0="tap0"', "ovs_ports_br0"),
    ('ovs_port_tap0="tag=1', "conf.d/ovs: Syntax error"),
])
def test_a_mistake_changes_nothing(booted, mistake, message):
    host = booted.host1
    before = host.path(DATABASE).read_bytes()
    host.write("/etc/conf.d/ovs", f"{declared_hosts.VLANS}{mistake}\n")
    for command in ("checkconfig", "reload", "restart"):
        done = host.run("rc-service", "ovs", command, status=None)
        assert done.returncode != 0, command
        assert message in done.stdout, command
        assert host.path(DATABASE).read_bytes() == before
    host.write("/etc/conf.d/ovs", declared_hosts.VLANS)
    assert host.status("ovs") == "started"
    assert booted.reaches("vm1", "vm3")


@pytest.mark.parametrize("mistake", ['ovs_port_tap0="tag=1', "exit 1"])
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_file_that_ends_the_shell_does_not_keep_the_switch_down(host, shell, mistake):
    """OpenRC reads the file itself, before it knows what the service needs: the shell of /bin/sh decides what then is."""
    if not os.access(f"/bin/{shell}", os.X_OK):
        pytest.skip(f"not run: there is no {shell}")
    link = host.path("/usr/bin/sh" if Path("/bin").is_symlink() else "/bin/sh")
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"/bin/{shell}")
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
    with host.booted():
        assert host.run("readlink", "-f", "/bin/sh").stdout.endswith(f"/{shell}\n")
        assert host.status("ovs") == "started"
        # What is said in two places is one dependency.
        assert sorted(host.run("rc-service", "ovs", "ineed").stdout.split()) == ["localmount", "ovs-vswitchd", "ovsdb-server"]
    host.write("/etc/conf.d/ovs", f'ovs_bridges="br0 br1"\n{mistake}\n')
    with host.booted():
        assert [host.status(name) for name in ("ovsdb-server", "ovs-vswitchd")] == ["started"] * 2
        assert host.run("ovs-vsctl", "list-br").stdout == "br0\n"
        host.run("ip", "link", "show", "br0")
        done = host.run("rc-service", "ovs", "reload", status=None)
        assert done.returncode != 0
        assert mistake == "exit 1" or "conf.d/ovs" in done.stdout
        # Repaired, it is as ever.
        host.write("/etc/conf.d/ovs", 'ovs_bridges="br0 br1"\n')
        host.run("rc-service", "ovs", "start")
        assert host.run("ovs-vsctl", "list-br").stdout == "br0\nbr1\n"


def test_a_restart_leaves_alone_what_waits_to_be_confirmed(host):
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
    host.boot()
    host.write("/root/ovs.new", 'ovs_bridges="br0 br1"\n')
    host.run("ovs-conf", "apply", "--confirm", "600", "/root/ovs.new")
    for command in ("restart", "reload"):
        done = host.run("rc-service", "ovs", command, status=None)
        assert done.returncode != 0
        assert "ovs-conf confirm" in done.stdout and "ovs-conf revert" in done.stdout, command
        assert host.status("ovs") == "started"
        assert host.run("ovs-vsctl", "list-br").stdout == "br0\nbr1\n"
    # As the manual recommends it.
    host.run("ovs-conf", "confirm")
    host.run("mv", "/root/ovs.new", "/etc/conf.d/ovs")
    host.run("rc-service", "ovs", "restart")
    assert host.status("ovs") == "started"
    assert host.run("ovs-vsctl", "list-br").stdout == "br0\nbr1\n"


def test_devices_that_are_missing_are_named(host):
    host.write("/etc/conf.d/ovs", declared_hosts.VLANS)
    output = host.boot()
    assert host.status("ovs") == "started"
    for device in ("eth0", "tap0", "tap1"):
        assert device in output
    assert host.run("ovs-vsctl", "list-ports", "br0").stdout == "eth0\ntap0\ntap1\n"


def test_an_empty_declaration_is_fine(host):
    host.write("/etc/conf.d/ovs", "# nothing yet\n")
    host.boot()
    assert host.status("ovs") == "started"
    assert host.run("ovs-vsctl", "list-br").stdout == ""


def test_a_declaration_that_was_commented_out_removes_nothing(host):
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
    with host.booted():
        assert host.run("ovs-vsctl", "list-br").stdout == "br0\n"
        host.write("/etc/conf.d/ovs", '#ovs_bridges="br0"\n')
        done = host.run("rc-service", "ovs", "reload", status=None)
        assert done.returncode != 0
        assert "declares nothing, but the switch has bridge br0" in done.stdout
        assert host.run("ovs-vsctl", "list-br").stdout == "br0\n"
    with host.booted():
        assert host.status("ovs") == "stopped"
        assert [host.status(name) for name in ("ovsdb-server", "ovs-vswitchd")] == ["started"] * 2
        assert host.run("ovs-vsctl", "list-br").stdout == "br0\n"
        host.write("/etc/conf.d/ovs", 'ovs_bridges=""\n')
        host.run("rc-service", "ovs", "start")
        assert host.run("ovs-vsctl", "list-br").stdout == ""


def test_diff(host):
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
    host.boot()
    assert "br1" not in host.run("rc-service", "ovs", "diff").stdout
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0 br1"\n')
    assert "br1" in host.run("rc-service", "ovs", "diff", status=None).stdout
    assert host.run("ovs-vsctl", "list-br").stdout == "br0\n"


def test_what_the_readme_declares_is_right(box):
    text = (ovs_test.SOURCE_DIR / "README.md").read_text()
    block = text.split("Then declare your network in `/etc/conf.d/ovs`")[1].split("\n\n")[1]
    assert "ovs_sflow_br0" in block
    file = box.etc_dir / "ovs"
    file.write_text(textwrap.dedent(block))
    done = box.run("ovs-conf", "check", file, env={"OVS_PKGDATADIR": str(ovs_test.SCHEMA.parent)})
    assert done.stdout + done.stderr == ""


def test_a_server_that_does_not_answer_is_said_in_good_time(host):
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
    host.boot()
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0 br1"\n')
    # Stopped, so that it neither answers nor is started again.
    host.run("kill", "-STOP", str(host.pid_of("ovsdb-server")))
    begin = time.monotonic()
    done = host.run("rc-service", "ovs", "reload", status=None)
    assert time.monotonic() - begin < ovs_test.limit(20)
    assert done.returncode != 0
    assert "/run/openvswitch/db.sock" in done.stdout
    host.run("kill", "-CONT", str(host.pid_of("ovsdb-server")))
    assert host.status("ovs") == "started"
    host.run("rc-service", "ovs", "reload")
    assert host.run("ovs-vsctl", "list-br").stdout == "br0\nbr1\n"
