"""The services of the daemons, under real OpenRC on a machine of its own (tests/support/openrc_machine.py)."""

import json
import os
import re
import subprocess
import time

import netns
import openrc_machine
import ovs_test
import pytest
from ovs_test import wait_until

DATABASE = "/var/lib/openvswitch/conf.db"
DAEMONS = re.compile(r"ovsdb-server|ovs-vswitchd|supervise-daemon")


@pytest.fixture
def host():
    reason = openrc_machine.why_not()
    if reason:
        pytest.skip(f"not run: {reason}")
    with openrc_machine.Machine() as machine:
        machine.rc_update("ovs-vswitchd")
        yield machine


@pytest.fixture
def vms():
    """Two virtual machines."""
    with netns.Network() as network:
        vm1, vm3 = network.namespace("vm1"), network.namespace("vm3")
        yield vm1, vm3


def plug_in(host, vms):
    """tap0 leads to vm1, tap1 to vm3."""
    for vm, tap, address in zip(vms, ("tap0", "tap1"), ("10.1.0.1/24", "10.1.0.3/24")):
        # The cable to a machine that was switched off goes a moment later.
        wait_until(lambda: "eth0" not in vm.interfaces(), 10, "the end of the last boot")
        host.connect(tap, vm, "eth0")
        vm.address("eth0", address)


def configure(host):
    host.run("ovs-vsctl", "add-br", "br0", "--", "add-port", "br0", "tap1", "tag=1", "--",
             "add-port", "br0", "tap0", "tag=1")


def reaches(vms, wait=5):
    return vms[0].ping("10.1.0.3", wait=wait)


def await_respawn(host, daemon, pid):
    """Waits until a daemon that was process `pid` serves as another one."""
    host.wait_for("sh", "-c", f'[ "$(cat /run/openvswitch/{daemon}.pid)" != {pid} ] && '
                              f"ovs-appctl --timeout=5 -t {daemon} daemon/wait-ready")


def started(host):
    return [host.status(name) for name in ("ovsdb-server", "ovs-vswitchd")]


def test_the_first_boot_needs_nothing(host):
    output = host.boot()
    assert started(host) == ["started", "started"]
    assert f"Creating {DATABASE}" in output
    assert "ERROR" not in output
    # Made for good, without anybody asking.
    system_id = host.read("/etc/openvswitch/system-id.conf").strip()
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", system_id)
    assert host.run("ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:system-id").stdout == f'"{system_id}"\n'
    assert "supervise-daemon" in host.run("ps", "ax").stdout


def test_what_needs_the_switch_finds_it_ready(host):
    probe = "ovs-vsctl --timeout=5 get Interface br0 ofport > /run/$RC_SVCNAME && ip link show br0 >/dev/null"
    host.service("guests", depend="need ovs-vswitchd", start=probe, runlevel="default")
    # Services that configure the network come after the switch without asking for it.
    host.service("anet", depend="provide net", start=probe, runlevel="default")
    host.rc_update("ovs-vswitchd")
    host.power_on()
    host.boot("sysinit", "boot")
    host.run("rc-service", "ovs-vswitchd", "start")
    host.run("ovs-vsctl", "add-br", "br0")
    host.power_off()
    for parallel in ("NO", "YES"):
        host.write("/etc/rc.conf", f'rc_sys=""\nrc_parallel="{parallel}"\n')
        with host.booted():
            assert [host.status("guests"), host.status("anet")] == ["started", "started"]
            assert [host.read("/run/guests"), host.read("/run/anet")] == ["65534\n", "65534\n"]


def test_the_second_boot_changes_nothing_in_the_database(host, vms):
    contents = []
    for boot in range(3):
        host.power_on()
        plug_in(host, vms)
        host.boot()
        if boot == 0:
            configure(host)
        assert reaches(vms)
        host.run("openrc", "shutdown")
        contents.append(host.path(DATABASE).read_bytes())
        host.power_off()
    # Not one record.
    assert contents[1] == contents[0]
    assert contents[2] == contents[0]


def test_forwarding_comes_back_after_a_crash_of_either_daemon(host, vms):
    host.boot()
    plug_in(host, vms)
    configure(host)
    assert reaches(vms)
    for daemon in ("ovs-vswitchd", "ovsdb-server"):
        before = host.pid_of(daemon)
        host.run("kill", "-SEGV", str(before))
        if daemon == "ovsdb-server":
            assert reaches(vms), "forwarding goes on without the database"

        await_respawn(host, daemon, before)
        wait_until(lambda: reaches(vms, wait=1), 10, "forwarding")
    assert started(host) == ["started", "started"]
    # And the switch has found the new server.
    host.run("ovs-vsctl", "--timeout=10", "add-br", "br1")


def test_restart_and_stop(host, vms):
    host.boot()
    plug_in(host, vms)
    configure(host)
    assert reaches(vms)
    before = [host.pid_of(name) for name in ("ovsdb-server", "ovs-vswitchd")]
    host.run("rc-service", "ovs-vswitchd", "restart")
    assert reaches(vms)
    # What needs the server is started again with it.
    host.run("rc-service", "ovsdb-server", "restart")
    wait_until(lambda: started(host) == ["started", "started"], 20, "both services")
    assert reaches(vms)
    after = [host.pid_of(name) for name in ("ovsdb-server", "ovs-vswitchd")]
    assert not set(before) & set(after)
    host.run("rc-service", "ovsdb-server", "stop")
    assert started(host) == ["stopped", "stopped"]
    assert not DAEMONS.search(host.run("ps", "ax").stdout)
    assert not reaches(vms, wait=1)
    assert [file.name for file in host.path("/run/openvswitch").iterdir()] == []


def test_reload_opens_the_logs_anew(host):
    host.boot()
    for daemon in ("ovsdb-server", "ovs-vswitchd"):
        log = host.path(f"/var/log/openvswitch/{daemon}.log")
        log.rename(f"{log}.1")
        pid = host.pid_of(daemon)
        host.run("rc-service", daemon, "reload")
        wait_until(log.exists, 10, f"{log} to be made anew")
        assert host.pid_of(daemon) == pid


def test_rotation_of_logs(host):
    """What the logrotate file says is to be done after a rotation."""
    host.boot()
    script = host.path("/etc/logrotate.d/openvswitch").read_text().split("postrotate\n")[1].split("endscript")[0]
    for daemon in ("ovsdb-server", "ovs-vswitchd"):
        host.path(f"/var/log/openvswitch/{daemon}.log").rename(host.path(f"/var/log/openvswitch/{daemon}.log.1"))
    host.shell(script)
    assert host.path("/var/log/openvswitch/ovsdb-server.log").exists()
    assert host.path("/var/log/openvswitch/ovs-vswitchd.log").exists()
    # What is open as standard error is emptied in its place.
    text = host.read("/etc/logrotate.d/openvswitch")
    emptied = [line.split()[:-1] for line in text.splitlines() if line.startswith("/") and "copytruncate"
               in text.split(line)[1].split("\n}")[0]]
    held = {host.run("readlink", f"/proc/{host.pid_of(daemon)}/fd/2").stdout.strip()
            for daemon in ("ovsdb-server", "ovs-vswitchd")}
    assert len(held) == 2 and held == set(sum(emptied, []))
    # Nothing runs: nothing to do.
    host.run("rc-service", "ovsdb-server", "stop")
    assert host.shell(script).stdout == ""


def test_shutdown_does_not_take_the_network_away(host, vms):
    host.boot()
    plug_in(host, vms)
    configure(host)
    host.run("openrc", "shutdown")
    # What is mounted over the network is unmounted later; init ends the daemons last.
    assert reaches(vms)
    assert started(host) == ["started", "started"]

    def daemons():
        return re.findall(r"^[^Z]\S* +/usr/sbin/(ovs\S+)", host.run("ps", "-eo", "stat,args").stdout, re.M)
    assert {*daemons()} == {"ovsdb-server", "ovs-vswitchd"}
    host.run("/lib/rc/bin/kill_all", "15")
    # A supervise-daemon that gets the signal at the time when its daemon ends may wait for it as long as `retry` says.
    wait_until(lambda: not daemons(), 20, "the daemons to end")
    host.run("ovsdb-tool", "show-log", DATABASE)


def test_a_daemon_that_hangs_is_ended(host):
    for daemon in ("ovsdb-server", "ovs-vswitchd"):
        host.write(f"/etc/conf.d/{daemon}", 'retry="SIGTERM/1/SIGKILL/10"\n')
    host.boot()
    for daemon in ("ovs-vswitchd", "ovsdb-server"):
        host.run("kill", "-STOP", str(host.pid_of(daemon)))
        host.run("rc-service", daemon, "stop")
        assert host.status(daemon) == "stopped"
        wait_until(lambda name=daemon: name not in DAEMONS.findall(host.run("ps", "ax").stdout), 20, f"{daemon} to end")
    # What they left behind is no obstacle.
    host.run("rc-service", "ovs-vswitchd", "start")
    assert started(host) == ["started", "started"]


@pytest.mark.parametrize("daemon, mistake, message", [
    ("ovs-vswitchd", 'OPTIONS="--no-such-option"', "no-such-option"),
    ("ovs-vswitchd", 'OPTIONS="--unixctl=/typo/x"', "it cannot be created in /typo: No such file or directory"),
    ("ovs-vswitchd", 'OVS_USER_ID="nobody-here:nor-this"', 'there is no user "nobody-here"'),
    ("ovs-vswitchd", 'START_TIMEOUT="soon"', "no number of seconds"),
    ("ovsdb-server", 'OPTIONS="--no-such-option"', "no-such-option"),
    ("ovsdb-server", 'OPTIONS="--pidfile=/typo/x"', "it cannot be created in /typo: No such file or directory"),
    ("ovsdb-server", 'OPTIONS="/typo/second.db"', "/typo/second.db"),
    ("ovsdb-server", 'OVS_USER_ID="root:nor-this"', 'there is no group "nor-this"'),
    ("ovsdb-server", 'DB_SOCKET="db.sock"', "not an absolute path"),
    ("ovsdb-server", 'SYSTEM_ID="x y"', "only letters, digits"),
])
def test_a_mistake_does_not_stop_what_runs(host, daemon, mistake, message):
    host.boot()
    pid = host.pid_of(daemon)
    good = host.read(f"/etc/conf.d/{daemon}")
    host.write(f"/etc/conf.d/{daemon}", f"{good}\n{mistake}\n")
    for command in ("checkconfig", "reload", "restart"):
        done = host.run("rc-service", daemon, command, status=None)
        assert done.returncode != 0, command
        assert message in done.stdout, command
        assert host.pid_of(daemon) == pid
        # Before OpenRC asks the server, it stops what needs the server, and then starts that again.
        wait_until(lambda: started(host) == ["started", "started"], 20, "both daemons")
    # It can be stopped, and then not be started.
    host.run("rc-service", daemon, "stop")
    done = host.run("rc-service", daemon, "start", status=None)
    assert done.returncode != 0 and message in done.stdout
    assert host.status(daemon) == "stopped"
    host.write(f"/etc/conf.d/{daemon}", good)
    host.run("rc-service", daemon, "checkconfig")
    host.run("rc-service", daemon, "start")


def test_checkconfig_says_all_mistakes_at_once(host):
    host.write("/etc/conf.d/ovsdb-server", 'OVS_USER_ID="nobody-here:nor-this"\nSTART_TIMEOUT=x\nDATABASE=relative\n'
                                           'OPTIONS="--bogus"\n')
    host.boot("sysinit", "boot")
    done = host.run("rc-service", "ovsdb-server", "checkconfig", status=None)
    assert done.returncode != 0
    for message in ("nobody-here", "nor-this", "START_TIMEOUT", "relative", "--bogus"):
        assert message in done.stdout, message
    assert not host.path("/var/lib/openvswitch").exists()  # it only looks


def test_a_daemon_that_cannot_start_is_an_error_in_good_time(host):
    host.boot("sysinit", "boot")
    # Accepted by the command line, and found impossible when the server runs.
    host.write("/etc/conf.d/ovsdb-server", 'OPTIONS="--remote=ptcp:1:192.0.2.77"\nSTART_TIMEOUT=20\n')
    begin = time.monotonic()
    done = host.run("rc-service", "ovs-vswitchd", "start", status=None)
    assert done.returncode != 0
    # At most the time to start, and then that of a stop: supervise-daemon 0.45 waits out the latter in vain
    # when the daemon has just died again.
    assert time.monotonic() - begin < ovs_test.limit(20 + 25 + 5)
    assert "192.0.2.77" in done.stdout
    assert started(host) == ["stopped", "stopped"]
    assert "supervise-daemon" not in host.run("ps", "ax").stdout


def test_an_openrc_that_waits_without_end(host):
    """OpenRC from 0.62 on waits until the daemon is ready, however long that takes.  A script stands for it."""
    host.boot("sysinit", "boot")
    program = host.run("sh", "-c", "command -v supervise-daemon").stdout.strip()
    host.run("mv", program, f"{program}.real")
    host.write(program, f"""#!/bin/sh
        {program}.real "$@" || exit
        case " $* " in
        *" --start "*)
            : >"/run/openrc/supervise-$1.sock" || exit 1
            until ovs-appctl --timeout=1 -t "$1" daemon/wait-ready >/dev/null 2>&1; do sleep 0.1; done
            rm "/run/openrc/supervise-$1.sock"
            ;;
        esac
        """, 0o755)
    good = host.read("/etc/conf.d/ovsdb-server")
    for mistake in ("--remote=ptcp:1:192.0.2.77", "--unixctl=/run/elsewhere"):  # it ends again and again; it is not found
        host.write("/etc/conf.d/ovsdb-server", f'OPTIONS="{mistake}"\nSTART_TIMEOUT=5\n')
        begin = time.monotonic()
        done = host.run("rc-service", "ovs-vswitchd", "start", status=None)
        assert done.returncode != 0
        assert time.monotonic() - begin < ovs_test.limit(5 + 25 + 5)
        assert "its last words" in done.stdout
        assert started(host) == ["stopped", "stopped"]
        assert "supervise-daemon" not in host.run("ps", "ax").stdout
        assert host.path("/run/openrc/supervise-ovsdb-server.sock").exists()
    host.write("/etc/conf.d/ovsdb-server", good)
    host.run("rc-service", "ovs-vswitchd", "start")
    assert started(host) == ["started", "started"]
    assert not host.path("/run/openrc/supervise-ovsdb-server.sock").exists()


def test_a_broken_database_is_left_alone(host):
    host.write(DATABASE, "this is no database\n")
    host.boot("sysinit", "boot")
    done = host.run("rc-service", "ovs-vswitchd", "start", status=None)
    assert done.returncode != 0
    assert f"{DATABASE} cannot be used" in done.stdout
    assert host.read(DATABASE) == "this is no database\n"


def with_schema(version, remove=(), add=()):
    """The switch's schema with another version: without some columns, with others, as (table, column)."""
    schema = json.loads(ovs_test.SCHEMA.read_text())
    schema["version"] = version
    del schema["cksum"]
    for table, column in remove:
        del schema["tables"][table]["columns"][column]
    for table, column in add:
        schema["tables"][table]["columns"][column] = {"type": {"key": "string", "min": 0, "max": 1}}
    return json.dumps(schema)


def schema_version(host):
    return host.run("ovsdb-tool", "db-version", DATABASE).stdout.strip()


def test_an_older_database_is_converted_and_kept(host):
    ours = json.loads(ovs_test.SCHEMA.read_text())["version"]
    host.write("/tmp.old", with_schema("7.9.0", remove=[("Open_vSwitch", "system_version")]))
    host.power_on()
    host.shell(f"mkdir -p /var/lib/openvswitch && ovsdb-tool create {DATABASE} /tmp.old")
    host.shell(f"""ovsdb-tool transact {DATABASE} '["Open_vSwitch",{{"op":"insert","table":"Open_vSwitch","row":
        {{"external_ids":["map",[["system-id","kept"],["who","me"]]]}}}}]'""")
    before = host.path(DATABASE).read_bytes()
    # Whoever may write to the directory of the database does not write elsewhere by root's hand.
    host.run("ln", "-s", "/etc/victim", f"{DATABASE}.backup-7.9.0.new")
    output = host.boot()
    assert f"from schema version 7.9.0 to {ours}" in output
    assert started(host) == ["started", "started"]
    backups = list(host.path(DATABASE).parent.glob("conf.db.backup-7.9.0*"))
    assert not host.path("/etc/victim").exists()
    assert [backup.read_bytes() for backup in backups] == [before]
    # Its name went with it.
    assert host.run("ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:who").stdout == "me\n"
    assert host.read("/etc/openvswitch/system-id.conf") == "kept\n"
    host.run("rc-service", "ovsdb-server", "stop")
    assert schema_version(host) == ours


def test_a_newer_database_is_converted_back(host):
    ours = json.loads(ovs_test.SCHEMA.read_text())["version"]
    own_schema = "/usr/share/openvswitch/vswitch.ovsschema"
    host.power_on()
    newer = with_schema("9.1.0", add=[("Bridge", "novelty")])
    installed = host.read(own_schema)
    host.boot()
    host.run("ovs-vsctl", "add-br", "br0")
    host.run("rc-service", "ovsdb-server", "stop")
    # The newer version is installed, used, and taken away again.
    host.write(own_schema, newer)
    host.run("rc-service", "ovs-vswitchd", "start")
    host.run("ovs-vsctl", "set", "Bridge", "br0", "novelty=x", "--", "add-br", "br1")
    host.run("rc-service", "ovsdb-server", "stop")
    assert schema_version(host) == "9.1.0"
    host.write(own_schema, installed)
    host.run("rc-service", "ovs-vswitchd", "start")
    assert host.run("ovs-vsctl", "list-br").stdout == "br0\nbr1\n"
    host.run("rc-service", "ovsdb-server", "stop")
    assert schema_version(host) == ours
    kept = sorted(file.name.split("-")[1] for file in host.path(DATABASE).parent.glob("conf.db.backup-*"))
    assert kept == [ours, "9.1.0"]


def test_what_cannot_be_converted_back_is_replaced_by_what_was(host):
    own_schema = "/usr/share/openvswitch/vswitch.ovsschema"
    installed = ovs_test.SCHEMA.read_text()
    newer = json.loads(with_schema("9.1.0"))
    newer["tables"]["Bridge"]["columns"]["fail_mode"] = {"type": {"key": "string", "min": 0, "max": 1}}
    host.boot()
    host.run("ovs-vsctl", "add-br", "br0")
    host.run("rc-service", "ovsdb-server", "stop")
    host.write(own_schema, json.dumps(newer))
    host.run("rc-service", "ovs-vswitchd", "start")
    host.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br0", "fail_mode=novelty", "--", "add-br", "br1")
    host.run("rc-service", "ovsdb-server", "stop")
    host.write(own_schema, installed)
    output = host.run("rc-service", "ovs-vswitchd", "start").stdout
    assert "going back to what it was with this version" in output
    assert host.run("ovs-vsctl", "list-br").stdout == "br0\n"


def test_the_database_of_the_former_package_is_taken_over(host):
    host.power_on()
    host.shell(f"""mkdir -p /etc/openvswitch
        ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
        ovsdb-tool transact /etc/openvswitch/conf.db '["Open_vSwitch",{{"op":"insert","table":"Open_vSwitch","row":
            {{"external_ids":["map",[["who","me"]]]}}}}]'""")
    output = host.boot()
    assert f"Taking /etc/openvswitch/conf.db over as {DATABASE}" in output
    assert host.run("ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:who").stdout == "me\n"
    assert host.path("/etc/openvswitch/conf.db").exists()


def add_user_switch(host):
    with open("/etc/passwd", encoding="utf-8") as file:
        host.write("/etc/passwd", file.read() + "switch:x:4242:4242::/var/empty:/sbin/nologin\n")
    with open("/etc/group", encoding="utf-8") as file:
        host.write("/etc/group", file.read() + "switch:x:4242:\n")


def test_another_user(host, vms):
    add_user_switch(host)
    # Root has run it before: everything is there, and root's.
    with host.booted():
        pass
    for daemon in ("ovsdb-server", "ovs-vswitchd"):
        host.write(f"/etc/conf.d/{daemon}", 'OVS_USER_ID="switch:switch"\n')
    with host.booted():
        assert started(host) == ["started", "started"]
        assert host.path("/run/openvswitch").stat().st_uid == 4242
        for daemon in ("ovsdb-server", "ovs-vswitchd"):
            status = host.read(f"/proc/{host.pid_of(daemon)}/status")
            assert re.search(r"^Uid:\s+4242\s+4242\s+4242\s+4242$", status, re.M), daemon
            assert re.search(r"^Gid:\s+4242\s+4242\s+4242\s+4242$", status, re.M), daemon
        plug_in(host, vms)
        configure(host)
        assert reaches(vms)
        # All that root must do is done again for those that crash.
        for daemon in ("ovsdb-server", "ovs-vswitchd"):
            pid = host.pid_of(daemon)
            host.run("kill", "-SEGV", str(pid))
            await_respawn(host, daemon, pid)
        wait_until(lambda: reaches(vms, wait=1), 10, "forwarding")
        host.run("ovs-vsctl", "--timeout=10", "add-br", "br1")
        host.run("rc-service", "ovsdb-server", "stop")
    # And back.
    for daemon in ("ovsdb-server", "ovs-vswitchd"):
        host.write(f"/etc/conf.d/{daemon}", "")
    with host.booted():
        assert started(host) == ["started", "started"]
        assert host.run("ovs-vsctl", "list-br").stdout == "br0\nbr1\n"


def test_only_the_server_as_another_user(host):
    host.write("/etc/conf.d/ovsdb-server", 'OVS_USER_ID="nobody"\n')
    with host.booted():
        assert started(host) == ["started", "started"]
        pid = host.pid_of("ovsdb-server")
        host.run("kill", "-SEGV", str(pid))
        await_respawn(host, "ovsdb-server", pid)


def test_the_variables_of_conf_d(host):
    host.write("/etc/conf.d/ovsdb-server", """
        DB_SOCKET="/run/other/db.sock"
        REMOTE_DB="ptcp:6640:127.0.0.1 punix:/run/openvswitch/a;*.sock"
        DATABASE="/srv/ovs/network;db"
        OPTIONS="--remote='punix:/run/openvswitch/third socket' --verbose=console:off"
        PRIVATE_KEY="db:Open_vSwitch,SSL,private_key"
        CERTIFICATE='/etc/ssl/$(touch /run/expanded)'
        BOOTSTRAP_CA_CERT="/etc/ssl/a'b\\"c"
        SYSTEM_ID="host-7.example"
    """)
    host.write("/etc/conf.d/ovs-vswitchd", """
        DATABASE="unix:/run/other/db.sock"
        OPTIONS="
            --log-file='/var/log/openvswitch/the switch.log'
            -vfile:info
        "
        MODULES=""
    """)
    # The server looks at it when it is used, and the service that it is there.
    host.write("/etc/ssl/$(touch /run/expanded)", "")
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
    host.rc_update("ovs")
    host.boot()
    assert started(host) == ["started", "started"]
    # What configures the switch finds it there.
    assert host.status("ovs") == "started"
    assert host.run("ovs-vsctl", "--db=unix:/run/other/db.sock", "list-br").stdout == "br0\n"
    assert host.run("ovs-vsctl", "--db=unix:/run/other/db.sock", "get", "Open_vSwitch", ".",
                    "external_ids:system-id").stdout == "host-7.example\n"
    assert not host.path("/etc/openvswitch/system-id.conf").exists()
    for remote in ("unix:/run/other/db.sock", "unix:/run/openvswitch/third socket", "tcp:127.0.0.1:6640",
                   "unix:/run/openvswitch/a;*.sock"):
        assert "Open_vSwitch" in host.run("ovsdb-client", "list-dbs", remote).stdout
    assert host.path("/srv/ovs/network;db").exists()
    assert not host.path(DATABASE).exists()
    assert not host.path("/run/expanded").exists()
    arguments = host.path(f"/proc/{host.pid_of('ovsdb-server')}/cmdline").read_bytes().decode().split("\0")
    for word in ("--private-key=db:Open_vSwitch,SSL,private_key", "--certificate=/etc/ssl/$(touch /run/expanded)",
                 "--bootstrap-ca-cert=/etc/ssl/a'b\"c"):
        assert word in arguments
    assert host.path("/var/log/openvswitch/the switch.log").exists()
    arguments = host.path(f"/proc/{host.pid_of('ovs-vswitchd')}/cmdline").read_text().split("\0")
    assert "-vfile:info" in arguments and "--mlockall" not in arguments


@pytest.mark.parametrize("service, page", [("ovsdb-server", "ovsdb-server.1"), ("ovs-vswitchd", "ovs-vswitchd.8")])
def test_what_conf_d_describes_is_there(service, page):
    """Each variable is used by the service, and told in the manual."""
    text = (ovs_test.SOURCE_DIR / "conf.d" / service).read_text()
    script = (ovs_test.SOURCE_DIR / "rc" / service).read_text()
    manual = (ovs_test.SOURCE_DIR / "man" / page).read_text()
    variables = re.findall(r"(?m)^#([A-Z_]+)=", text)
    assert "OVS_USER_ID" in variables
    for name in variables:
        assert re.search(rf"\$\{{?{name}\b", script.replace(f': "${{{name}', "")), name
        assert f".It Va {name}\n" in manual, name


def test_the_configuration_of_gentoos_package(host):
    """The values that the files of net-misc/openvswitch had before, which an update leaves in place."""
    host.write("/etc/conf.d/ovsdb-server", """
        DB_SOCKET="/var/run/openvswitch/db.sock"
        REMOTE_DB="db:Open_vSwitch,Open_vSwitch,manager_options"
        PRIVATE_KEY="db:Open_vSwitch,SSL,private_key"
        CERTIFICATE="db:Open_vSwitch,SSL,certificate"
        BOOTSTRAP_CA_CERT="db:Open_vSwitch,SSL,ca_cert"
        OVS_USER_ID="root:root"
    """)
    host.write("/etc/conf.d/ovs-vswitchd", """
        DATABASE="unix:/run/openvswitch/db.sock"
        OPTIONS="--mlockall"
        OVS_USER_ID="root:root"
    """)
    host.boot()
    assert started(host) == ["started", "started"]
    host.run("ovs-vsctl", "set-manager", "ptcp:6640:127.0.0.1")
    host.wait_for("ovsdb-client", "list-dbs", "tcp:127.0.0.1:6640")
    if not ovs_test.has_tls():
        return
    host.shell(MAKE_KEYS)
    host.run("ovs-vsctl", "set-ssl", f"{KEYS}/server-key.pem", f"{KEYS}/server-cert.pem", f"{KEYS}/taken.pem",
             "--", "set-manager", "pssl:6641:127.0.0.1")
    client = [f"--private-key={KEYS}/client-key.pem", f"--certificate={KEYS}/client-cert.pem",
              f"--ca-cert={KEYS}/ca-cert.pem", f"--peer-ca-cert={KEYS}/ca-cert.pem"]
    # The server takes the CA's certificate from the first client, which then comes again.
    host.wait_for("ovsdb-client", *client, "list-dbs", "ssl:127.0.0.1:6641")
    assert "CERTIFICATE" in host.read(f"{KEYS}/taken.pem")


KEYS = "/etc/ssl/openvswitch"
MAKE_KEYS = f"""
    mkdir -p -m 0750 {KEYS} && cd {KEYS} || exit
    openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 30 -subj /CN=ca \\
        -keyout ca-key.pem -out ca-cert.pem || exit
    for name in server client; do
        openssl req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=$name \\
            -keyout $name-key.pem -out $name.csr &&
            openssl x509 -req -in $name.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 30 \\
                -out $name-cert.pem || exit
    done
"""


def test_files_of_tls(host, tls):
    """The three variables with files; what is wrong with them is said before the server is started."""
    host.boot("sysinit", "boot")
    host.shell(MAKE_KEYS)

    def write(**variables):
        host.write("/etc/conf.d/ovsdb-server", "".join(f'{name}="{value}"\n' for name, value in {
            "PRIVATE_KEY": f"{KEYS}/server-key.pem", "CERTIFICATE": f"{KEYS}/server-cert.pem",
            "BOOTSTRAP_CA_CERT": f"{KEYS}/taken.pem",
            "REMOTE_DB": "db:Open_vSwitch,Open_vSwitch,manager_options pssl:6640:127.0.0.1", **variables}.items()))

    def complaint():
        done = host.run("rc-service", "ovsdb-server", "checkconfig", status=None)
        return done.stdout if done.returncode else ""
    write(CERTIFICATE="")
    assert "missing: --certificate" in complaint()
    write(PRIVATE_KEY="")
    assert "missing: --private-key" in complaint()
    write(BOOTSTRAP_CA_CERT="")
    assert "pssl:6640:127.0.0.1: TLS needs a private key, a certificate and the CA's certificate" in complaint()
    write(PRIVATE_KEY=f"{KEYS}/client-key.pem")
    assert f"{KEYS}/client-key.pem: this private key does not fit the certificate" in complaint()
    write(PRIVATE_KEY="db:Open_vSwitch,SSL,private_kee")
    assert "no column named private_kee (did you mean private_key?)" in complaint()
    write(PRIVATE_KEY=f"{KEYS}/none.pem", BOOTSTRAP_CA_CERT="/none/ca.pem", CERTIFICATE="cert.pem",
          REMOTE_DB="db:Open_vSwitch,Open_vSwitch,manager pssl:x")
    said = complaint()
    assert f"--private-key={KEYS}/none.pem: cannot be read: No such file or directory" in said
    assert "--bootstrap-ca-cert=/none/ca.pem: it cannot be created in /none: No such file or directory" in said
    assert 'CERTIFICATE="cert.pem" is neither a file with an absolute path' in said
    assert "no column named manager" in said and "pssl:x" in said
    assert not host.path("/var/lib/openvswitch").exists()  # it only looks
    add_user_switch(host)
    write(OVS_USER_ID="switch:switch")
    said = complaint()
    assert f"--private-key={KEYS}/server-key.pem: cannot be read: Permission denied for the user switch" in said
    assert f"--bootstrap-ca-cert={KEYS}/taken.pem: cannot be read: Permission denied for the user switch" in said
    host.shell(f"chown -R switch:switch {KEYS}")
    assert complaint() == ""
    host.run("rc-service", "ovsdb-server", "start")
    client = [f"--private-key={KEYS}/client-key.pem", f"--certificate={KEYS}/client-cert.pem",
              f"--ca-cert={KEYS}/ca-cert.pem", f"--peer-ca-cert={KEYS}/ca-cert.pem"]
    host.wait_for("ovsdb-client", *client, "list-dbs", "ssl:127.0.0.1:6640")
    assert host.path(f"{KEYS}/taken.pem").stat().st_uid == 4242
    # What could not come back is not stopped.
    pid = host.pid_of("ovsdb-server")
    write(OVS_USER_ID="switch:switch", PRIVATE_KEY=f"{KEYS}/client-key.pem")
    for command in ("restart", "reload"):
        assert host.run("rc-service", "ovsdb-server", command, status=None).returncode != 0
        assert host.pid_of("ovsdb-server") == pid


def test_a_renewal_that_is_half_done_does_not_keep_a_host_from_booting(host, tls):
    """Keys that only managers in the database use: a restart waits until they are right again, a boot does not."""
    host.boot("sysinit", "boot")
    host.shell(MAKE_KEYS)
    variables = f'CERTIFICATE="{KEYS}/server-cert.pem"\nCA_CERT="{KEYS}/ca-cert.pem"\n'
    host.write("/etc/conf.d/ovsdb-server", f'PRIVATE_KEY="{KEYS}/server-key.pem"\n{variables}')
    host.run("rc-service", "ovsdb-server", "start")
    host.run("ovs-vsctl", "--no-wait", "set-manager", "pssl:6640:127.0.0.1")
    pid = host.pid_of("ovsdb-server")
    for key, fault in ((f"{KEYS}/client-key.pem", "this private key does not fit the certificate"),
                       (f"{KEYS}/none.pem", "cannot be read: No such file or directory"),
                       ("none.pem", "is neither a file with an absolute path")):
        host.write("/etc/conf.d/ovsdb-server", f'PRIVATE_KEY="{key}"\n{variables}')
        for command in ("checkconfig", "restart", "reload"):
            done = host.run("rc-service", "ovsdb-server", command, status=None)
            assert done.returncode != 0 and fault in done.stdout, (command, done.stdout)
            assert host.pid_of("ovsdb-server") == pid
        host.run("rc-service", "ovsdb-server", "stop")
        assert fault in host.run("rc-service", "ovsdb-server", "start").stdout
        pid = host.pid_of("ovsdb-server")
        assert host.run("ovs-vsctl", "get-manager").stdout == "pssl:6640:127.0.0.1\n"
    # With the right ones it restarts in spite of what it did without.
    host.write("/etc/conf.d/ovsdb-server", f'PRIVATE_KEY="{KEYS}/server-key.pem"\n{variables}')
    host.run("rc-service", "ovsdb-server", "restart")
    # Where no start would survive it, none is tried.
    host.run("rc-service", "ovsdb-server", "stop")
    host.write("/etc/conf.d/ovsdb-server", f'PRIVATE_KEY="{KEYS}/none.pem"\nREMOTE_DB="pssl:6641"\n{variables}')
    done = host.run("rc-service", "ovsdb-server", "start", status=None)
    assert done.returncode != 0 and f"{KEYS}/none.pem: cannot be read" in done.stdout


def test_a_switch_by_tls(host, tls):
    """Both services of the switch reach a database by TLS, with the keys that one of them names."""
    host.boot("sysinit", "boot")
    host.shell(MAKE_KEYS)
    host.write("/etc/conf.d/ovsdb-server",
               f'PRIVATE_KEY="{KEYS}/server-key.pem"\nCERTIFICATE="{KEYS}/server-cert.pem"\n'
               f'CA_CERT="{KEYS}/ca-cert.pem"\nREMOTE_DB="pssl:6640:127.0.0.1"\n')
    host.run("rc-service", "ovsdb-server", "start")
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')

    def write(**variables):
        host.write("/etc/conf.d/ovs-vswitchd", "".join(f'{name}="{value}"\n' for name, value in {
            "DATABASE": "ssl:127.0.0.1:6640", "PRIVATE_KEY": f"{KEYS}/client-key.pem",
            "CERTIFICATE": f"{KEYS}/client-cert.pem", "CA_CERT": f"{KEYS}/ca-cert.pem", "rc_need": "!net",
            **variables}.items()))

    def complaint():
        done = host.run("rc-service", "ovs-vswitchd", "checkconfig", status=None)
        return done.stdout if done.returncode else ""
    write(CERTIFICATE="")
    assert "missing: --certificate" in complaint()
    write(CA_CERT="ca-cert.pem")
    assert 'CA_CERT="ca-cert.pem" is no file with an absolute path' in complaint()
    write(CERTIFICATE=f"{KEYS}/server-cert.pem")
    assert "this private key does not fit the certificate" in complaint()
    add_user_switch(host)
    write(OVS_USER_ID="switch:switch")
    assert "Permission denied" in complaint()
    write(DATABASE="ssk:127.0.0.1:6640")
    assert "ssk:127.0.0.1:6640" in complaint()
    write(CA_CERT="", BOOTSTRAP_CA_CERT="/none/ca.pem")
    assert "--bootstrap-ca-cert=/none/ca.pem: it cannot be created in /none" in complaint()
    write()
    assert complaint() == ""
    host.run("rc-service", "ovs", "start")
    assert host.run("ovs-vsctl", "list-br").stdout == "br0\n"
    assert host.run("rc-service", "ovs", "diff").stdout == ""


def test_a_remote_database_is_behind_the_network(host):
    host.write("/etc/conf.d/ovs-vswitchd", 'DATABASE="tcp:127.0.0.1:6640"\nSTART_TIMEOUT=10\n')
    host.service("anet", depend="provide net",
                 start="mkdir -p /run/x; ovsdb-tool create /run/x/db /usr/share/openvswitch/vswitch.ovsschema && "
                       "OVS_RUNDIR=/run/x ovsdb-server --detach --remote=ptcp:6640:127.0.0.1 /run/x/db && "
                       "ovs-vsctl --db=tcp:127.0.0.1:6640 --no-wait init")
    host.write("/etc/conf.d/ovs", 'ovs_bridges="br0"\n')
    host.rc_update("ovs")
    host.boot()
    assert host.status("ovs") == "started"
    assert host.run("ovs-vsctl", "--db=tcp:127.0.0.1:6640", "list-br").stdout == "br0\n"
    assert host.status("ovs-vswitchd") == "started"
    assert host.status("ovsdb-server") == "stopped"


def test_describe(host):
    host.boot("sysinit", "boot")
    for service in ("ovsdb-server", "ovs-vswitchd", "ovs"):
        text = host.run("rc-service", service, "describe").stdout
        assert "no description" not in text.lower()
        for command in ("checkconfig", "reload"):
            assert f"{command}:" in text


def test_no_script_takes_what_is_not_posix():
    """The services use neither bash's nor dash's own language."""
    scripts = [ovs_test.SOURCE_DIR / "rc" / name for name in ("ovs", "ovsdb-server", "ovs-vswitchd")]
    for script in scripts:
        assert os.access(script, os.X_OK)
        subprocess.run(["sh", "-n", script], check=True)
