"""The process ovs-vswitchd: options, its lock, restarts of it and of the server, its control commands."""

import json
import re
import signal
import subprocess

import pytest

from ovs_test import RpcClient, can_connect, limit, program, wait_until

FRAME = "ffffffffffff0200000000010806" + 46 * "00"


def vsctl(box, *words):
    return box.run("ovs-vsctl", "--timeout=10", *words).stdout


def add_ports(box, *names, bridge="br0"):
    words = ["--may-exist", "add-br", bridge, "--", "set", "bridge", bridge, "datapath_type=dummy"]
    for name in names:
        words += ["--", "add-port", bridge, name, "--", "set", "interface", name, "type=dummy",
                  f"options:tx_pcap={box.top}/{name}.pcap"]
    vsctl(box, *words)


def frames(box, port):
    """How many frames have left a port: a file of pcap begins with 24 bytes, a frame with 16."""
    data = (box.top / f"{port}.pcap").read_bytes()
    order = "little" if data[:4] == b"\xd4\xc3\xb2\xa1" else "big"
    count, at = 0, 24
    while at < len(data):
        at += 16 + int.from_bytes(data[at + 8:at + 12], order)
        count += 1
    return count


def log(box):
    return (box.log_dir / "ovs-vswitchd.log").read_text()


@pytest.fixture
def switch(box):
    box.server = box.start_ovsdb_server()
    box.switch = box.start_vswitchd(args=("--enable-dummy",))
    add_ports(box, "p1", "p2")
    return box


# ------------------------------------------------------------------ options

def test_version_and_help(box):
    assert re.fullmatch(r"ovs-vswitchd \(Open vSwitch\) \d+\.\d+\.\d+\n", box.run("ovs-vswitchd", "--version").stdout)
    assert f"unix:{box.run_dir}/db.sock" in box.run("ovs-vswitchd", "--help").stdout


@pytest.mark.parametrize("words, message", [
    (("a", "b"), "at most one DATABASE"),
    (("--enable-dummy=maybe",), '--enable-dummy=maybe: only "system" and "override" are known'),
    (("carrier-pigeon:x",), "carrier-pigeon:x"),
    (("--enable-dumy",), "enable-dummy")])
def test_wrong_command_lines(box, words, message):
    done = box.run("ovs-vswitchd", *words, status=1)
    assert message in done.stderr


def test_detach_returns_when_the_configuration_is_in_force(box):
    box.start_ovsdb_server()
    vsctl(box, "--no-wait", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy")
    box.run("ovs-vswitchd", "--enable-dummy", "--detach", "--pidfile", "--no-chdir", "--log-file", "-vconsole:off")
    try:
        assert box.run("ovs-appctl", "ofproto/list").stdout == "br0\n"
        assert vsctl(box, "--no-wait", "get", "interface", "br0", "ofport") == "65534\n"
        # The database has been told everything.
        assert vsctl(box, "--no-wait", "get", "Open_vSwitch", ".", "cur_cfg") == \
            vsctl(box, "--no-wait", "get", "Open_vSwitch", ".", "next_cfg")
        assert "internal" in vsctl(box, "--no-wait", "get", "Open_vSwitch", ".", "iface_types")
    finally:
        box.run("ovs-appctl", "exit")
    wait_until(lambda: not (box.run_dir / "ovs-vswitchd.pid").exists())


def test_detach_returns_with_an_empty_database(box):
    box.start_ovsdb_server()
    box.run("ovs-vswitchd", "--enable-dummy", "--detach", "--pidfile", "--no-chdir", "--log-file", "-vconsole:off")
    try:
        vsctl(box, "init")
        wait_until(lambda: "internal" in vsctl(box, "--no-wait", "get", "Open_vSwitch", ".", "iface_types"),
                   what="the types of interfaces")
    finally:
        box.run("ovs-appctl", "exit")
    wait_until(lambda: not (box.run_dir / "ovs-vswitchd.pid").exists())


@pytest.mark.parametrize("mode, dummies, others", [
    ("--enable-dummy", {"dummy"}, {"none0": "", "x0": "nonsense"}),
    ("--enable-dummy=system", {"dummy", "", "system"}, {"x0": "nonsense"}),
    ("--enable-dummy=override", {"dummy", "", "system", "internal", "tap"}, {"x0": "nonsense"})])
def test_modes_of_dummies(box, mode, dummies, others):
    box.start_ovsdb_server()
    box.start_vswitchd(args=(mode,))
    words = ["add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy"]
    ports = {f"d{i}": kind for i, kind in enumerate(sorted(dummies))}
    for name, kind in {**ports, **others}.items():
        words += ["--", "add-port", "br0", name, "--", "set", "interface", name, f"type={json.dumps(kind)}"]
    box.run("ovs-vsctl", "--timeout=10", *words, status=None)
    for name in ports:
        assert int(vsctl(box, "get", "interface", name, "ofport")) > 0, (name, ports[name])
    for name in others:
        assert vsctl(box, "get", "interface", name, "ofport") == "-1\n"


def test_the_datapath_type_system_is_said_to_be_user_space(switch):
    assert "forwarded in user space" not in log(switch)
    # Bridges without a device, so that nothing appears in the host.
    for name in ("a", "b"):
        vsctl(switch, "--id=@b", "create", "bridge", f"name={name}", "--", "add", "Open_vSwitch", ".", "bridges", "@b")
    assert log(switch).count("forwarded in user space") == 1
    assert switch.switch.appctl("ofproto/list").stdout.split() == ["br0", "a", "b"]


# ------------------------------------------------------------------ the lock

def start_second(switch, **options):
    """Another daemon on the same database; its log is second.log."""
    control = switch.run_dir / "second.ctl"
    second = switch.start("ovs-vswitchd", "--enable-dummy", f"--unixctl={control}",
                          f"--log-file={switch.log_dir}/second.log", "--no-chdir", ready=lambda: can_connect(control),
                          **options)
    second.control = control
    second.log = lambda: (switch.log_dir / "second.log").read_text()
    return second


def waits(daemon):
    return f"another ovs-vswitchd serves this database: this one (pid {daemon.pid}) waits"


def bridges(daemon):
    return daemon.appctl("ofproto/list").stdout.split()


def test_a_second_daemon_waits_and_takes_over(switch):
    second = start_second(switch)
    told = second.log
    wait_until(lambda: waits(second) in told())
    assert second.appctl("ofproto/list").stdout == ""
    # The first one works on meanwhile.
    vsctl(switch, "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy")
    switch.switch.stop()
    wait_until(lambda: "takes over" in told())
    wait_until(lambda: second.appctl("ofproto/list").stdout == "br0\n")
    vsctl(switch, "add-port", "br0", "p4", "--", "set", "interface", "p4", "type=dummy")
    assert vsctl(switch, "get", "interface", "p3", "ofport") == "3\n"
    assert vsctl(switch, "get", "interface", "p4", "ofport") == "4\n"


def test_detach_returns_although_another_daemon_has_the_lock(switch):
    switch.run("ovs-vswitchd", "--enable-dummy", "--detach", f"--pidfile={switch.run_dir}/second.pid", "--no-chdir",
               "-vconsole:off", timeout=20)
    pid = int((switch.run_dir / "second.pid").read_text())
    switch.run("ovs-appctl", "-t", switch.run_dir / f"ovs-vswitchd.{pid}.ctl", "exit")


def test_the_lock_is_lost_during_an_outage_of_the_server(switch):
    second = start_second(switch)
    wait_until(lambda: waits(second) in second.log())
    switch.server.kill()
    wait_until(lambda: bridges(switch.switch) == ["br0"], what="the first one to go on alone")
    # The second one asks first when the server is back.
    switch.switch.process.send_signal(signal.SIGSTOP)
    switch.server = switch.start_ovsdb_server()
    wait_until(lambda: "takes over" in second.log() and bridges(second) == ["br0"], timeout=20)
    switch.switch.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "forwarding goes on as it was configured, for 15 s at most" in log(switch), timeout=20)
    assert bridges(switch.switch) == ["br0"]
    wait_until(lambda: waits(switch.switch) in log(switch), timeout=30)
    wait_until(lambda: "the other one took over: removing all bridges here" in log(switch))
    wait_until(lambda: bridges(switch.switch) == [])
    # What is configured now, the second one does; then the first one again.
    vsctl(switch, "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy")
    assert "p3 3/" in second.appctl("dpif/show").stdout
    second.stop()
    wait_until(lambda: bridges(switch.switch) == ["br0"])
    assert "p3 3/" in switch.switch.appctl("dpif/show").stdout
    vsctl(switch, "add-port", "br0", "p4", "--", "set", "interface", "p4", "type=dummy")
    assert vsctl(switch, "get", "interface", "p4", "ofport") == "4\n"


def test_a_connection_that_is_taken_for_another_switch(switch):
    """As a server that hung may have one of this switch itself."""
    switch.switch.process.send_signal(signal.SIGSTOP)
    switch.server.kill()
    switch.server = switch.start_ovsdb_server()
    with RpcClient(switch.server.socket) as other:
        assert other.call("lock", ["ovs_vswitchd"]) == {"locked": True}
        switch.switch.process.send_signal(signal.SIGCONT)
        wait_until(lambda: "forwarding goes on as it was configured, for 15 s at most" in log(switch), timeout=20)
        # Nothing but forwarding goes on.
        vsctl(switch, "--no-wait", "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy")
        assert bridges(switch.switch) == ["br0"] and "p3" not in switch.switch.appctl("dpif/show").stdout
    wait_until(lambda: "p3 3/" in switch.switch.appctl("dpif/show").stdout, what="the new port")
    vsctl(switch, "add-port", "br0", "p4", "--", "set", "interface", "p4", "type=dummy")
    assert "removing all bridges" not in log(switch) and "deleted interface" not in log(switch)
    assert waits(switch.switch) not in log(switch)


def test_the_lock_is_kept_over_a_restart_of_the_server(switch):
    second = start_second(switch)
    wait_until(lambda: waits(second) in second.log())
    second.process.send_signal(signal.SIGSTOP)
    switch.server.stop()
    switch.server = switch.start_ovsdb_server()
    # That the database has its next configuration confirmed, only who has the lock can bring about.
    vsctl(switch, "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy")
    connections = second.log().count("connected")
    second.process.send_signal(signal.SIGCONT)
    wait_until(lambda: second.log().count("connected") > connections, timeout=20)
    vsctl(switch, "add-port", "br0", "p4", "--", "set", "interface", "p4", "type=dummy")
    assert bridges(switch.switch) == ["br0"] and bridges(second) == []
    assert "takes over" not in second.log()
    assert "removing all bridges" not in log(switch) and "deleted interface" not in log(switch)


def test_a_second_daemon_that_started_without_the_server_waits(switch):
    switch.server.stop()
    second = start_second(switch)
    second.process.send_signal(signal.SIGSTOP)
    switch.server = switch.start_ovsdb_server()
    vsctl(switch, "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy")
    second.process.send_signal(signal.SIGCONT)
    wait_until(lambda: waits(second) in second.log(), timeout=20)
    assert bridges(second) == []
    switch.switch.kill()
    wait_until(lambda: bridges(second) == ["br0"], timeout=20)


def test_the_lock_is_stolen(switch):
    with switch.server.connect() as thief:
        assert thief.call("steal", ["ovs_vswitchd"]) == {"locked": True}
        wait_until(lambda: waits(switch.switch) in log(switch))
        wait_until(lambda: bridges(switch.switch) == [])
    wait_until(lambda: bridges(switch.switch) == ["br0"])


# ------------------------------------------------------------------ the server comes and goes

def test_forwarding_goes_on_without_the_server(switch):
    switch.server.kill()
    switch.switch.appctl("netdev-dummy/receive", "p1", FRAME)
    assert frames(switch, "p2") == 1
    switch.server = switch.start_ovsdb_server()
    vsctl(switch, "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy")
    assert vsctl(switch, "get", "interface", "p3", "ofport") == "3\n"
    switch.switch.appctl("netdev-dummy/receive", "p1", FRAME)
    assert frames(switch, "p2") == 2
    # Nothing was removed and added again meanwhile.
    assert "deleted interface" not in log(switch)
    assert log(switch).count("added interface p1") == 1


def test_what_the_server_forgot_is_told_again(switch):
    switch.server.stop()
    switch.server = switch.start_ovsdb_server()
    wait_until(lambda: vsctl(switch, "--no-wait", "get", "interface", "p1", "admin_state") == "up\n")
    assert "rx_packets" in vsctl(switch, "--no-wait", "get", "interface", "p1", "statistics")


def test_a_changed_database_is_followed_after_a_restart(switch):
    switch.server.stop()
    database = switch.db_dir / "conf.db"
    switch.run("ovsdb-tool", "transact", database, json.dumps(["Open_vSwitch", {
        "op": "update", "table": "Bridge", "where": [], "row": {"ports": ["set", []]}}]))
    switch.server = switch.start_ovsdb_server()
    wait_until(lambda: "p1" not in switch.switch.appctl("dpif/show").stdout)
    assert switch.switch.appctl("ofproto/list").stdout == "br0\n"


def test_a_server_that_is_never_there_is_told_of(box):
    switch = box.start_vswitchd()
    wait_until(lambda: "No such file or directory" in log(box))
    assert switch.appctl("ofproto/list").stdout == ""
    box.start_ovsdb_server()
    vsctl(box, "add-br", "br0")
    assert switch.appctl("ofproto/list").stdout == "br0\n"


def test_detach_says_what_it_waits_for(box):
    path = box.run_dir / "db.sock"
    process = subprocess.Popen([program("ovs-vswitchd"), f"unix:{path}", "--enable-dummy", "--detach", "--pidfile",
                                "--no-chdir", "-vconsole:off", "--unixctl=" + str(box.run_dir / "ovs-vswitchd.ctl")],
                               env=box.env, cwd=box.top, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline() == (
            f"ovs-vswitchd: waiting for ovsdb-server at unix:{path} (the last attempt: No such file or directory)\n")
        assert process.poll() is None
        box.start_ovsdb_server()
        assert process.wait(limit(20)) == 0
        assert process.stderr.read() == ""
    finally:
        box.run("ovs-appctl", "-t", box.run_dir / "ovs-vswitchd.ctl", "exit")
        process.stderr.close()


def test_a_server_without_the_switchs_database(box):
    schema = box.top / "other.ovsschema"
    schema.write_text(json.dumps({"name": "Other", "version": "1.0.0", "tables": {}}))
    box.start_ovsdb_server(schema=schema)
    box.start_vswitchd()
    wait_until(lambda: "the database cannot be used" in log(box))


# ------------------------------------------------------------------ a start that waits

def test_flow_restore_wait(switch):
    switch.switch.stop()
    vsctl(switch, "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
    switch.switch = switch.start_vswitchd(args=("--enable-dummy",))
    # Everything is configured, but nothing passes.
    vsctl(switch, "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy")
    switch.switch.appctl("netdev-dummy/receive", "p1", FRAME)
    assert frames(switch, "p2") == 0
    assert switch.switch.appctl("dpctl/dump-flows").stdout == ""
    assert "flow-restore-wait is set: nothing is forwarded" in log(switch)
    vsctl(switch, "remove", "Open_vSwitch", ".", "other_config", "flow-restore-wait")
    before = frames(switch, "p2")
    switch.switch.appctl("netdev-dummy/receive", "p1", FRAME)
    assert frames(switch, "p2") > before
    # It counts at the start only.
    vsctl(switch, "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true")
    before = frames(switch, "p2")
    switch.switch.appctl("netdev-dummy/receive", "p1", FRAME)
    assert frames(switch, "p2") == before + 1


# ------------------------------------------------------------------ the switch comes and goes

def test_killed_and_started_again(switch):
    switch.switch.kill()
    switch.switch = switch.start_vswitchd(args=("--enable-dummy",))
    wait_until(lambda: "p2" in switch.switch.appctl("dpif/show").stdout)
    switch.switch.appctl("netdev-dummy/receive", "p1", FRAME)
    assert frames(switch, "p2") == 1


def test_configuration_of_the_time_between(switch):
    switch.switch.stop()
    vsctl(switch, "--no-wait", "del-port", "p1", "--", "add-port", "br0", "p9", "--", "set", "interface", "p9", "type=dummy")
    switch.switch = switch.start_vswitchd(args=("--enable-dummy",))
    wait_until(lambda: vsctl(switch, "--no-wait", "get", "Open_vSwitch", ".", "cur_cfg", "next_cfg").split()[0]
               == vsctl(switch, "--no-wait", "get", "Open_vSwitch", ".", "next_cfg").strip())
    shown = switch.switch.appctl("dpif/show").stdout
    assert "p9 1/" in shown and "p1" not in shown


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signals(switch, how):
    assert switch.switch.stop(how) == 0
    assert not (switch.run_dir / "ovs-vswitchd.pid").exists()
    assert not (switch.run_dir / "ovs-vswitchd.ctl").exists()


@pytest.mark.parametrize("option", [(), ("--cleanup",)])
def test_exit(switch, option):
    switch.switch.appctl("exit", *option)
    assert switch.switch.wait() == 0


def test_exit_with_a_wrong_word(switch):
    assert "--cleanup" in switch.switch.appctl("exit", "--clean", status=2).stderr
    assert switch.switch.alive()


# ------------------------------------------------------------------ control commands

def test_receive_forms(switch):
    for words, count in (((FRAME,), 1), ((FRAME, FRAME), 3), (("--qid", "0", FRAME), 4),
                         (("in_port(1),eth(src=02:00:00:00:00:01,dst=ff:ff:ff:ff:ff:ff),eth_type(0x0806)",), 5),
                         (("in_port(p1),eth(src=02:00:00:00:00:01,dst=ff:ff:ff:ff:ff:ff),eth_type(0x1234)",
                           "--len", "100"), 6)):
        switch.switch.appctl("netdev-dummy/receive", "p1", *words)
        assert frames(switch, "p2") == count
    assert (switch.top / "p2.pcap").read_bytes()[-100:-86].hex() == "ffffffffffff0200000000011234"


@pytest.mark.parametrize("words, why", [
    (("p9", FRAME), "no such dummy netdev: p9"), (("p1", "xyz"), "neither the bytes of a packet nor a flow"),
    (("p1", "ff"), "shorter than an Ethernet header"), (("p1", "--qid", "1", FRAME), "the only receive queue is 0"),
    (("p1", FRAME, "--len", "100"), "--len belongs to a flow"), (("p1", "eth()", "--len"), "--len is followed by")])
def test_receive_of_nonsense(switch, words, why):
    assert why in switch.switch.appctl("netdev-dummy/receive", *words, status=2).stderr


def test_other_commands(switch):
    run = lambda *words: switch.switch.appctl(*words).stdout
    assert run("version").startswith("ovs-vswitchd (Open vSwitch) ")
    assert re.search(r"\bbridges:1 .*interfaces:3 .*ports:3 ", run("memory/show"))
    assert run("dpctl/dump-dps") == "dummy@ovs-dummy\n"
    assert "no bridge nonesuch" in switch.switch.appctl("bridge/reconnect", "nonesuch", status=2).stderr
    assert "No QoS" in run("qos/show-types", "p1")
    assert "up or down" in switch.switch.appctl("netdev-dummy/set-admin-state", "p1", "sideways", status=2).stderr


def test_commands_go_to_the_bridge_that_is_meant(box):
    """With two datapaths there are two Switches behind one control socket."""
    box.start_ovsdb_server()
    switch = box.start_vswitchd(args=("--enable-dummy=override",))
    for kind in ("dummy", "netdev", "system"):
        vsctl(box, "add-br", f"{kind}0", "--", "set", "bridge", f"{kind}0", f"datapath_type={kind}")
    run = lambda *words, **more: switch.appctl(*words, **more).stdout
    assert run("ofproto/list").split() == ["dummy0", "netdev0", "system0"]
    for bridge in ("dummy0", "netdev0", "system0"):
        assert run("fdb/show", bridge).split() == ["port", "VLAN", "MAC", "Age"]
    shown = run("dpif/show")
    for datapath in ("dummy@ovs-dummy", "netdev@ovs-netdev", "system@ovs-system"):
        assert datapath in shown
        assert run("dpctl/show", datapath).count("@ovs-") == 1
    assert switch.appctl("fdb/show", "nonesuch", status=2).stderr
    assert run("revalidator/wait") == ""
