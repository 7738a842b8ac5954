"""ovs-conf against a real database server and switch: apply, diff, dump, and changes to be confirmed."""

import calendar
import contextlib
import json
import os
import random
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

import ovs_test
from certificates import Authority
from ovs_test import SOURCE_DIR, canonical_database, is_running, limit, wait_until

DONE, DIFFERS, MISTAKE, DATABASE, SWITCH, UNCONFIRMED, FAULTS = range(7)

NET = """
ovs_bridges="br0"
ovs_ports_br0="p0 p1 bond0"
ovs_bridge_br0="datapath_type=dummy fail_mode=standalone other_config:hwaddr=aa:55:00:00:00:01"
ovs_port_p0="tag=1"
ovs_port_p1="trunks=1,2 type=dummy"
ovs_bond_bond0="p2 p3"
ovs_port_bond0="bond_mode=active-backup"
ovs_internal_mgmt0="br0"
ovs_port_mgmt0="tag=10"
ovs_sflow_br0="agent=eth1 targets=10.0.0.1:6343 header=128 sampling=64 polling=10"
ovs_mirror_br0_m="select_src_port=p0 output_port=p1"
ovs_qos_p0="type=linux-htb other_config:max-rate=1000000"
ovs_queue_p0_0="other_config:min-rate=1000"
ovs_controller_br0="tcp:127.0.0.1:1 max_backoff=60000"
"""


# Declares that there is nothing, which an empty file does not.
NOTHING = 'ovs_bridges=""\n'


class Conf:
    """A sandbox with the means to run ovs-conf in it."""

    def __init__(self, box):
        self.box = box
        box.env["OVS_PKGDATADIR"] = str(SOURCE_DIR / "src" / "vswitchd")

    def __call__(self, *words, text=None, status=DONE, **options):
        done = self.box.run("ovs-conf", *words, input=text, status=None, **options)
        assert status in (None, done.returncode), f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def apply(self, text, *words, **options):
        return self(*words, "apply", "-", text=text, **options)

    def differs(self, text):
        return self("diff", "-", text=text, status=DIFFERS).stdout

    def same(self, text):
        assert self("diff", "-", text=text).stdout == ""

    def database(self):
        """The configuration, without what the switch reports."""
        with self.box.server.connect() as rpc:
            tables = canonical_database(rpc, ephemeral=False)
        return tables

    def settings(self):
        """The same without the numbers of configurations and what the switch writes."""
        with self.box.server.connect() as rpc:
            found = {}
            for table, columns in CONFIGURATION.items():
                rows = rpc.transact("Open_vSwitch", {"op": "select", "table": table, "where": [],
                                                     "columns": columns})[0]["rows"]
                found[table] = sorted(json.dumps(row, sort_keys=True) for row in rows)
            return found


# What tells two configurations apart, without references.
CONFIGURATION = {
    "Bridge": ["name", "datapath_type", "fail_mode", "other_config", "external_ids", "stp_enable"],
    "Port": ["name", "tag", "trunks", "vlan_mode", "bond_mode", "other_config", "external_ids"],
    "Interface": ["name", "type", "options", "other_config", "external_ids", "mtu_request"],
    "Controller": ["target", "max_backoff", "external_ids"],
    "Mirror": ["name", "select_all", "external_ids"],
    "sFlow": ["targets", "agent", "sampling", "polling", "header", "external_ids"],
    "NetFlow": ["targets", "active_timeout", "external_ids"],
    "QoS": ["type", "other_config", "external_ids"],
    "Queue": ["dscp", "other_config", "external_ids"],
    "Manager": ["target", "external_ids"],
}


@pytest.fixture
def conf(box):
    box.server = box.start_ovsdb_server()
    conf = Conf(box)
    yield conf
    # A guard is no child of the test's, and ends when there is nothing left to guard.
    if (box.run_dir / "ovs-conf.pid").exists():
        conf("confirm", status=None)


@pytest.fixture
def switch(conf):
    """The switch daemon, too."""
    conf.switch = conf.box.start_vswitchd()
    return conf


def transactions(conf):
    """How many transactions the database file holds."""
    log = conf.box.run("ovsdb-tool", "show-log", conf.box.db_dir / "conf.db").stdout
    return len(re.findall(r"(?m)^record \d+:", log))


# ------------------------------------------------------------------ apply

def test_a_collector_without_a_port_is_declared_and_dumped(switch):
    """The switch sends to sFlow's usual port then, so that a file can say so, too."""
    net = ('ovs_bridges="br0"\novs_bridge_br0="datapath_type=dummy"\n'
           'ovs_sflow_br0="targets=10.0.0.1:6344,10.0.0.9,\'[2001:db8::1]\',[2001:db8::1]:6344"\n')
    switch.apply(net)
    dumped = switch("dump")
    assert dumped.stderr == ""
    assert "targets=10.0.0.1:6344,10.0.0.9," in dumped.stdout
    switch.same(dumped.stdout)


def test_ranges_of_the_switch_are_those_of_check(switch):
    """The switch says in its log what it takes; the file is to be told the same before."""
    for key in ["flow-limit", "max-idle", "stats-update-interval", "vlan-limit"]:
        said = switch("check", "-", text=f'ovs_bridges=""\novs_switch="other_config:{key}=-1"\n', status=MISTAKE).stderr
        least, most = re.search(r"it is a number from (\d+) to (\d+)", said).groups()
        switch.box.run("ovs-vsctl", "set", "Open_vSwitch", ".", f"other_config:{key}=-1")
        assert f"other_config:{key}=-1 is not from {least} to {most}:" in (switch.box.log_dir /
                                                                                "ovs-vswitchd.log").read_text()


def test_apply_and_again(switch):
    done = switch.apply(NET)
    assert "add port p0 to bridge br0: tag=1\n" in done.stdout
    assert switch.box.run("ovs-vsctl", "list-ports", "br0").stdout.split() == ["bond0", "mgmt0", "p0", "p1"]
    assert switch.box.run("ovs-vsctl", "get", "Port", "p0", "tag").stdout == "1\n"
    # The switch has done it by the time that apply ends.
    assert int(switch.box.run("ovs-vsctl", "get", "Interface", "p0", "ofport").stdout) > 0
    before, database = transactions(switch), switch.database()
    assert switch.apply(NET).stdout == "nothing to change\n"
    assert transactions(switch) == before
    assert switch.database() == database


def test_only_what_differs_is_touched(switch):
    switch.apply(NET)
    uuids = switch.box.run("ovs-vsctl", "--columns=_uuid,name,ofport", "list", "Interface").stdout
    assert switch.apply(NET.replace('"tag=1"', '"tag=2"')).stdout == "change port p0 of br0: tag=2 (was 1)\n"
    assert switch.box.run("ovs-vsctl", "--columns=_uuid,name,ofport", "list", "Interface").stdout == uuids


def test_everything_goes_when_nothing_is_declared(switch):
    empty = switch.settings()
    switch.apply(NET)
    switch.apply(NOTHING)
    assert switch.settings() == empty


@pytest.mark.parametrize("text", ["", "# ovs_bridges=\"br0\"\n", 'ovs_keep_undeclared="no"\n'])
def test_a_file_that_declares_nothing_removes_nothing(switch, text):
    """The shipped file, or one that was commented out, at the next boot."""
    assert switch.apply(text).stdout == "nothing to change\n"
    switch.box.run("ovs-vsctl", "add-br", "theirs", "--", "set", "Bridge", "theirs", "datapath_type=dummy")
    assert switch.apply(text).stdout == "nothing to change\n"
    switch.apply(NET)
    before = transactions(switch)
    file = switch.box.top / "net"
    file.write_text(text)
    complaint = ("ovs-conf: {} declares nothing, but the switch has bridge br0 from an earlier file: to remove it, write "
                 'ovs_bridges=""; nothing is changed\n')
    for words in (["apply"], ["diff"], ["--no-wait", "apply"], ["--confirm=60", "apply"], ["--adopt", "apply"]):
        done = switch(*words, "-", text=text, status=MISTAKE)
        assert (done.stdout, done.stderr) == ("", complaint.format("standard input"))
        assert switch(*words, file, status=MISTAKE).stderr == complaint.format(file)
    assert not pending(switch)
    assert transactions(switch) == before
    switch("check", file)
    # Nor does a file that has lost the line of its bridges.
    done = switch.apply('ovs_switch="other_config:a=1"', status=MISTAKE)
    assert "does not set ovs_bridges, but the switch has bridge br0" in done.stderr
    assert transactions(switch) == before
    assert "remove bridge br0\n" in switch.apply(NOTHING + text).stdout
    assert switch.box.run("ovs-vsctl", "list-br").stdout == "theirs\n"
    # What is no bridge is not removed either.
    switch.apply(NOTHING + 'ovs_manager="punix:m.sock"')
    assert "has manager punix:m.sock from" in switch.apply(text, status=MISTAKE).stderr
    switch.apply(switch("dump").stdout.replace("ovs_manager=", "other="))
    assert switch.apply(text).stdout == "nothing to change\n"


def test_what_others_have_added_stays(switch):
    switch.apply(NET)
    switch.box.run("ovs-vsctl", "add-port", "br0", "vnet0", "tag=9")
    switch.box.run("ovs-vsctl", "set", "Port", "p0", "other_config:theirs=1")
    assert switch.apply(NET).stdout == "nothing to change\n"
    done = switch.apply(NOTHING)
    assert "bridge br0 stays" in done.stderr
    assert switch.box.run("ovs-vsctl", "list-ports", "br0").stdout == "vnet0\n"
    switch.box.run("ovs-vsctl", "del-port", "vnet0")
    assert switch.apply(NOTHING).stdout == "remove bridge br0\n"


def test_keep_undeclared(switch):
    switch.apply(NET)
    assert switch.apply('ovs_keep_undeclared="yes"').stdout == "nothing to change\n"


def test_adopt(switch):
    switch.box.run("ovs-vsctl", "add-br", "br0", "--", "add-port", "br0", "p0", "tag=1")
    net = switch("dump").stdout
    assert switch.apply(net).stdout == "nothing to change\n"
    switch.apply(net, "--adopt")
    assert switch.apply('ovs_bridges="br0"').stdout == "remove port p0 from bridge br0\n"


def test_missing_devices_are_named(conf):
    conf.box.start_vswitchd(args=("--enable-dummy=override",))
    done = conf.apply('ovs_bridges="br0"\novs_ports_br0="p0 bad"\novs_port_bad="type=patch options:peer=nobody"\n')
    assert "bad: " in done.stderr
    assert "p0" not in done.stderr


def test_what_worked_before_and_does_not_now(switch):
    patch = ('ovs_bridges="br0 br1"\novs_ports_br0="a"\novs_ports_br1="b"\n'
             'ovs_port_a="type=patch options:peer=b"\novs_port_b="type=patch options:peer=a"\n')
    # What is new, and has no peer yet, has not worked before.
    switch.apply(patch.replace('"type=patch options:peer=a"', '"type=patch options:peer=c"'))
    switch.apply(patch)
    done = switch.apply(patch.replace("peer=b", "peer=nobody"), status=FAULTS)
    assert "change interface a: " in done.stdout  # it is done
    assert done.stderr.splitlines()[-1] == "ovs-conf: a, b worked before this change, and do not now"
    # The next time they have not worked before.
    assert "a: " in switch.apply(patch.replace("peer=b", "peer=nobody")).stderr
    switch.apply(patch)
    switch.apply(patch.replace("peer=b", "peer=nobody"), "--confirm=600", status=FAULTS)
    assert switch("revert").stdout == "the old configuration is back\n"
    assert switch.apply(patch).stderr == ""


def test_a_setting_that_cannot_be_applied_is_said_and_stops_nothing(switch):
    net = ('ovs_bridges="br0"\novs_ports_br0="p1"\novs_bridge_br0="datapath_type=dummy"\n'
           'ovs_interface_p1="type=dummy{}"\n')
    switch.apply(net.format(""))
    for setting, complaint in [("ingress_policing_rate=1000", "policing is not supported yet"),
                               ("mac=none", "mac none is not the address of a device"),
                               ("mtu_request=100000", "MTU 100000 could not be set")]:
        done = switch.apply(net.format(" " + setting))
        assert setting in done.stdout
        assert done.stderr.startswith(f"ovs-conf: p1: {complaint}"), done.stderr
        assert "worked before" not in done.stderr
        assert int(switch.box.run("ovs-vsctl", "get", "Interface", "p1", "ofport").stdout) > 0


def test_types_of_another_switch(conf):
    """What a switch says that it knows is good; and only this version's own without a switch."""
    net = 'ovs_bridges="br0"\novs_ports_br0="x0"\novs_port_x0="type=mystery"\n'
    message = 'ovs_port_x0: type=mystery: the switch has no type "mystery"; there are afxdp, afxdp-nonpmd, internal, '
    for command in ("check", "diff", "apply"):
        assert message in conf(command, "-", text=net, status=MISTAKE).stderr
    conf.box.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "iface_types=system,mystery")
    assert "type=mystery" in conf.differs(net)
    assert conf.apply(net, "--no-wait").stderr == ""
    assert 'did you mean "mystery"' in conf.apply(net.replace("mystery", "mistery"), "--no-wait", status=MISTAKE).stderr


def test_types_that_are_stored_only(switch):
    """A tunnel is no mistake, though it does not work in this version: whoever reads the file is told, and it is made."""
    net = ('ovs_bridges="br0"\novs_bridge_br0="datapath_type=dummy"\novs_ports_br0="p0 vx0"\n'
           'ovs_port_p0="type=dummy"\novs_port_vx0="type=vxlan options:remote_ip=192.0.2.1 tag=5"\n')
    remark = ("standard input:5: ovs_port_vx0: type=vxlan: the switch of this version does not have this type yet: the port "
              "is stored, and nothing passes it\n")
    assert switch("check", "-", text=net).stderr == remark
    assert switch("diff", "-", text=net, status=DIFFERS).stderr == remark
    done = switch.apply(net)
    assert done.stderr.startswith(remark + "ovs-conf: vx0: "), done.stderr
    assert switch.box.run("ovs-vsctl", "get", "Interface", "vx0", "type", "options:remote_ip").stdout == \
        'vxlan\n"192.0.2.1"\n'
    assert int(switch.box.run("ovs-vsctl", "get", "Interface", "p0", "ofport").stdout) > 0
    switch.same(net)


def test_every_type_of_the_manual_is_known(conf):
    text = (SOURCE_DIR / "man" / "conf.db" / "Interface.txt").read_text()
    column = re.search(r"(?s)@column type\n(.*?)\n@column", text)[1]
    types = [name.strip() for line in re.findall(r"(?m)^= (.*?) = ", column) for name in line.split(",")]
    types = [name for name in types if name != "or empty"]
    assert {"system", "vxlan", "dpdk", "afxdp"} <= set(types)
    net = f'ovs_bridges="br0"\novs_ports_br0="{" ".join(f"p{i}" for i in range(len(types)))}"\n'
    net += "".join(f'ovs_port_p{i}="type={name}{" options:peer=x" if name == "patch" else ""}"\n'
                   for i, name in enumerate(types))
    conf("check", "-", text=net)


def test_a_manager_that_cannot_be_opened(box):
    """The server says why, and ovs-conf repeats it."""
    conf = Conf(box)
    box.server = box.start_ovsdb_server(remotes=["db:Open_vSwitch,Open_vSwitch,manager_options"])
    box.start_vswitchd()
    good = f'ovs_bridges=""\novs_manager="punix:{box.run_dir}/m.sock"\n'
    assert conf.apply(good).stderr == ""
    bad = f'ovs_bridges=""\novs_manager="punix:{box.top}/none/m.sock"\n'
    for _ in range(2):  # also when there is nothing to change
        said = conf.apply(bad, status=FAULTS).stderr
        assert said.startswith(f"ovs-conf: the database server cannot use the manager punix:{box.top}/none/m.sock: ")
        assert "No such file or directory" in said
    assert conf.apply(good).stderr == ""


def test_somebody_changes_the_same_at_the_same_time(switch):
    """Two at once: both end well, and the result is what the file says."""
    programs = [subprocess.Popen([ovs_test.program("ovs-conf"), "apply", "-"], env=switch.box.env, text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(4)]
    for p in programs:
        p.stdin.write(NET)
        p.stdin.close()
    for p in programs:
        assert p.wait(limit(60)) == DONE, p.stderr.read()
        p.stdout.close()
        p.stderr.close()
    switch.same(NET)


class Way(ovs_test.Closing):
    """A way to the server with something in it for the first transaction: where it breaks, the answer does not come
    back; else the transaction waits for `go`.  Afterwards all comes through."""

    def __init__(self, box, breaks=False):
        self.breaks, self.server = breaks, str(box.run_dir / "db.sock")
        self.arrived, self.go = threading.Event(), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(box.run_dir / "way.sock"))
        self.listener.listen()
        self.db = f"--db=unix:{box.run_dir}/way.sock"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.go.set()
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(ConnectionError):
            server.connect(self.server)
            while True:
                for end in select.select([client, server], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    first = end is client and b'"transact"' in data and not self.arrived.is_set()
                    if first and not self.breaks:
                        self.arrived.set()
                        self.go.wait(limit(30))
                    (server if end is client else client).sendall(data)
                    if first and self.breaks:
                        server.recv(1)  # the server has made the change when it says something
                        self.arrived.set()
                        return


def apply_while(conf, net, meanwhile):
    """Applies a file whose transaction arrives after `meanwhile()`, which it does not know of; what it printed."""
    with Way(conf.box) as way:
        process = subprocess.Popen([ovs_test.program("ovs-conf"), way.db, "--no-wait", "apply", "-"], env=conf.box.env,
                                   text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        process.stdin.write(net)
        process.stdin.close()
        assert way.arrived.wait(limit(20))
        meanwhile()
        way.go.set()
        output = process.stdout.read()
        assert process.wait(limit(60)) == DONE, output
        process.stdout.close()
        return output


def test_rows_without_names_are_made_once(conf):
    """Two at once add what the database would also take twice: a controller and a mirror."""
    bridge = 'ovs_bridges="br0"\novs_ports_br0="p0"\n'
    conf.apply(bridge, "--no-wait")
    net = bridge + 'ovs_controller_br0="tcp:127.0.0.1:1"\novs_mirror_br0_m="select_all=true output_port=p0"\n'
    assert apply_while(conf, net, lambda: conf.apply(net, "--no-wait")) == "nothing to change\n"
    settings = conf.settings()
    assert len(settings["Controller"]) == 1 and len(settings["Mirror"]) == 1


def test_somebody_puts_a_port_into_a_bridge_that_goes(conf):
    conf.apply('ovs_bridges="br0 br1"\n', "--no-wait")
    output = apply_while(conf, 'ovs_bridges="br0"\n',
                         lambda: conf.box.run("ovs-vsctl", "--no-wait", "add-port", "br1", "vnet0"))
    assert "bridge br1 stays" in output
    assert conf.box.run("ovs-vsctl", "list-ports", "br1").stdout == "vnet0\n"


def test_somebody_removes_a_bridge_that_gets_a_port(conf):
    conf.apply('ovs_bridges="br0"\n', "--no-wait")
    apply_while(conf, 'ovs_bridges="br0"\novs_ports_br0="p0"\n',
                lambda: conf.box.run("ovs-vsctl", "--no-wait", "del-br", "br0"))
    assert conf.box.run("ovs-vsctl", "list-ports", "br0").stdout == "p0\n"


def test_a_server_that_is_started_again_meanwhile(switch):
    """While apply waits for the switch: both find it again."""
    switch.apply(NET)
    os.kill(switch.switch.pid, signal.SIGSTOP)
    try:
        process = subprocess.Popen([ovs_test.program("ovs-conf"), "apply", "-"], env=switch.box.env, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        process.stdin.write(OTHER)
        process.stdin.close()
        wait_until(lambda: '"tag": 2' in "".join(switch.settings()["Port"]), what="the change")
        switch.box.server.stop()
        switch.box.server = switch.box.start_ovsdb_server()
    finally:
        os.kill(switch.switch.pid, signal.SIGCONT)
    output = process.stdout.read()
    assert process.wait(limit(60)) == DONE, output
    process.stdout.close()
    switch.same(OTHER)


# ------------------------------------------------------------------ bad input

def test_mistakes_change_nothing(switch):
    switch.apply(NET)
    before = switch.database()
    for text, message in [
        (NET.replace("tag=1\"", "tags=1\""), "standard input:5: ovs_port_p0: there is no setting \"tags\"; "
                                             "did you mean \"tag\"?"),
        (NET.replace("tag=1\"", "tag=1"), "a quote is missing"),
        (NET + "ovs_bridges = \"br0\"\n", "standard input:16: "),
        (NET + "ovs_port_p9=\"tag=1\"\n", "standard input:16: ovs_port_p9: no port \"p9\" is declared; "
                                          "did you mean ovs_port_p0?"),
        ('ovs_bridges="br0"\novs_ports_br0="p0,p1"\n', "standard input:2: ovs_ports_br0: \"p0,p1\" cannot be a device: "
                                                        "names are separated by spaces"),
        ("ovs_bridges=\u201cbr0\u201d\n", "standard input:1: ovs_bridges=\u201cbr0\u201d: the character \u201c (U+201C, "),
        (NET.replace("datapath_type=dummy", "datapath_type=netdv").replace(" type=dummy", " type=afxpd"),
         'standard input:4: ovs_bridge_br0: datapath_type=netdv: the switch has no datapath_type "netdv"; did you mean '
         '"netdev"?\nstandard input:6: ovs_port_p1: type=afxpd: the switch has no type "afxpd"; did you mean "afxdp"?\n'),
        (NET.replace("type=dummy\"", "type=\u201cdummy\u201d\""), "comes from a word processor"),
        (NET.replace("type=dummy\"", "type=afxdp options:xdp-mode=nativ\""), 'did you mean "native"?'),
        (NET + 'ovs_ssl="private_key=/a certificate=b"\n', "ca_cert= is missing"),
        ("\0\0", "standard input:1: a byte of value 0"),
        ("exit 0\n", "before the end of the file"),
        ("ovs_bridges=\"$(reboot-now)\"\n", "not found"),
    ]:
        done = switch.apply(text, status=MISTAKE)
        assert message in done.stderr, done.stderr
        assert done.stdout == ""
        assert switch("check", "-", text=text, status=MISTAKE).stderr == done.stderr
    assert switch.database() == before


@pytest.mark.parametrize("value", ["$(touch {flag})", "`touch {flag}`", "; touch {flag};", "\n touch {flag} \n",
                                   "' ; touch {flag}; '", "\" ; touch {flag}; \"", "\\", "a b", "$HOME", "|", "&"])
def test_values_are_data(switch, value):
    """Whatever a value holds arrives in the database as it is, and runs nowhere: not from the file, not from what
    diff prints, not from a dump."""
    flag = switch.box.top / "flag"
    value = value.replace("{flag}", str(flag))
    # A file whose variable gets the value by a substitution.
    (switch.box.top / "value").write_text("external_ids:k=" + json.dumps(value))
    net = f'ovs_bridges="br0"\novs_bridge_br0="$(cat {switch.box.top}/value)"\n'
    commands = switch.differs(net).split("\n\n", 1)[1]
    path = ":".join(os.path.dirname(ovs_test.program(p)) for p in ("ovs-vsctl", "ovs-conf"))
    subprocess.run(["sh", "-c", commands], env={**switch.box.env, "PATH": path + ":/bin:/usr/bin"}, check=True,
                   cwd=switch.box.top, timeout=limit(30))
    stored = json.loads(switch.box.run("ovs-vsctl", "get", "Bridge", "br0", "external_ids:k").stdout) \
        if not re.fullmatch(r"[\w]+", value) else value
    assert stored == value
    switch.same(net)
    switch.same(switch("dump").stdout)
    assert not flag.exists()


def test_an_endless_file_is_given_up(conf):
    begin = time.monotonic()
    done = conf("check", "-", text="sleep 1000\n", status=MISTAKE, timeout=60)
    assert "has not finished the file within 10 seconds" in done.stderr
    assert time.monotonic() - begin < limit(30)


def test_a_pipe_that_nobody_writes_to_is_given_up(conf):
    fifo = conf.box.top / "fifo"
    os.mkfifo(fifo)
    begin = time.monotonic()
    done = conf("check", fifo, status=MISTAKE, timeout=60)
    assert "no end of file in time" in done.stderr
    assert time.monotonic() - begin < limit(20)


def test_a_variable_that_is_set_twice(conf):
    done = conf("check", "-", text='ovs_bridges="br0"\n\novs_bridges="br1"\n')
    assert done.stderr == "standard input: ovs_bridges is set in line 1 and again in line 3: only the last one counts\n"


def test_without_the_right_to_the_database(conf):
    """As a user who is not root: the message names this program."""
    if os.getuid() != 0:
        pytest.skip("needs root, to give root's rights up")
    program = os.path.realpath(ovs_test.program("ovs-conf"))
    directory = conf.box.top
    while directory != directory.parent:
        directory.chmod(directory.stat().st_mode | 0o055)
        directory = directory.parent
    done = subprocess.run([program, "dump"], env=conf.box.env, user="nobody", group="nogroup", extra_groups=[],
                          capture_output=True, text=True, timeout=limit(30))
    assert done.returncode == DATABASE
    assert "permission denied: run ovs-conf as root, or with sudo" in done.stderr


def test_no_database_server(box):
    conf = Conf(box)
    for words in (["apply", "-"], ["diff", "-"], ["dump"]):
        done = conf(*words, text=NET, status=DATABASE)
        assert "is ovsdb-server running?" in done.stderr


def test_a_database_server_that_does_not_answer(conf):
    os.kill(conf.box.server.pid, signal.SIGSTOP)
    try:
        begin = time.monotonic()
        done = conf.apply(NET, "-t", "1", status=DATABASE)
        assert "waited 1 seconds in vain" in done.stderr
        assert time.monotonic() - begin < limit(10)
    finally:
        os.kill(conf.box.server.pid, signal.SIGCONT)
    assert conf.settings()["Bridge"] == []


def test_a_switch_that_does_not_answer(switch):
    switch.apply(NET)
    before = switch.settings()
    os.kill(switch.switch.pid, signal.SIGSTOP)
    try:
        done = switch.apply(NET.replace("tag=1\"", "tag=3\"").replace("p0 p1", "p0 p1 p7"), "--wait=1",
                            status=SWITCH)
        assert "ovs-vswitchd to carry out the change" in done.stderr
        assert "the old configuration is in the database again" in done.stderr
        assert switch.settings() == before
        # Who does not want to wait need not.
        switch.apply(NET.replace("tag=1\"", "tag=3\""), "--no-wait")
    finally:
        os.kill(switch.switch.pid, signal.SIGCONT)
    assert switch.box.run("ovs-vsctl", "get", "Port", "p0", "tag").stdout == "3\n"


def test_the_command_line(conf):
    for words, message in [(["aply"], "apply"), ([], "missing command"), (["check", "a", "b"], "check"),
                           (["--confirm=5", "dump"], "--confirm"), (["--wait=x", "apply"], "no number"),
                           (["--nosuch"], "nosuch"), (["check", "/does/not/exist"], "No such file")]:
        assert message in conf(*words, status=MISTAKE).stderr
    # No server could answer there.
    for server, message in [("foo:1", "not a connection method"), ("ptcp:99999", "port number"), ("", "no remote"),
                            ("unix:x.sock,tcp:", "host is missing"), ("ssl:127.0.0.1:1", "TLS"), ("pssl:1", "TLS")]:
        assert message in conf(f"--db={server}", "dump", status=MISTAKE).stderr


# ------------------------------------------------------------------ TLS

@pytest.fixture
def conf_with_tls(box, tls):
    """With a switch, and a server that takes the keys which the database names."""
    conf = Conf(box)
    column = "=db:Open_vSwitch,SSL,"
    box.server = box.start_ovsdb_server(remotes=["db:Open_vSwitch,Open_vSwitch,manager_options"],
                                        args=[f"--private-key{column}private_key", f"--certificate{column}certificate",
                                              f"--ca-cert{column}ca_cert"])
    box.start_vswitchd()
    return conf


def test_wrong_keys_of_a_manager_that_is_open_are_said(conf_with_tls, tmp_path):
    """The server goes on with the keys that it has, and would have no manager after its next start."""
    ca = Authority(tmp_path, "ca")
    one, other = ca.issue("one"), ca.issue("other")

    def net(key, certificate):
        return (f'ovs_bridges=""\novs_manager="pssl:0:127.0.0.1"\novs_ssl="private_key={key} certificate={certificate} '
                f'ca_cert={ca.certificate}"\n')
    good = net(one.key, one.certificate)
    assert conf_with_tls.apply(good).stderr == ""
    missing = tmp_path / "missing.pem"
    for key, certificate, reason in [(missing, one.certificate, f"{missing}: the private key cannot be read"),
                                     (other.key, one.certificate, str(one.certificate))]:
        for _ in range(2):  # also when there is nothing to change
            said = conf_with_tls.apply(net(key, certificate), status=FAULTS).stderr
            assert said.startswith("ovs-conf: the database server cannot use the keys for the manager pssl:0:127.0.0.1: ")
            assert reason in said
        assert conf_with_tls.apply(good).stderr == ""
    # Keys that fit are no fault, and neither is their exchange.
    assert conf_with_tls.apply(net(other.key, other.certificate)).stderr == ""
    # From now on everybody is refused.
    for _ in range(2):
        said = conf_with_tls.apply('ovs_bridges=""\novs_manager="pssl:0:127.0.0.1"\n', status=FAULTS).stderr
        assert said.startswith("ovs-conf: the database server cannot use the keys for the manager pssl:0:127.0.0.1: "
                               "TLS needs a private key")


def test_a_manager_to_connect_to_by_tls_without_keys_is_said(conf_with_tls, tmp_path):
    """The server tries again and again, which helps where nobody is there yet, and not where it has no keys."""
    net = 'ovs_bridges=""\novs_manager="ssl:127.0.0.1:1"\n'
    fault = "ovs-conf: the database server cannot use the keys for the manager ssl:127.0.0.1:1: "
    for _ in range(2):
        assert conf_with_tls.apply(net, status=FAULTS).stderr.startswith(fault + "TLS needs a private key")
    # Keys that fit are said to be missing no more, also before the server has tried them.
    ca = Authority(tmp_path, "ca")
    one = ca.issue("one")
    keys = f'ovs_ssl="private_key={one.key} certificate={one.certificate} ca_cert={ca.certificate}"\n'
    assert conf_with_tls.apply(net + keys).stderr == ""


def test_a_server_that_follows_no_managers_is_said(switch):
    """It was started without the option that makes it look at them."""
    said = switch.apply('ovs_bridges=""\novs_manager="ptcp:0:127.0.0.1"\n').stderr
    assert said == ("ovs-conf: the database server says nothing about the manager ptcp:0:127.0.0.1: it may have been "
                    "started without --remote=db:Open_vSwitch,Open_vSwitch,manager_options, and use no managers\n")


@pytest.fixture
def remote(conf, tmp_path, tls):
    """The options for a server that is reached by TLS alone, and the authority."""
    ca = Authority(tmp_path, "ca")
    conf.box.server.stop()
    conf.box.server = conf.box.start_ovsdb_server(remotes=["db:Open_vSwitch,Open_vSwitch,manager_options"],
                                                  args=ca.issue("server").options())
    conf.box.run("ovs-vsctl", "--no-wait", "set-manager", "pssl:0:127.0.0.1")
    bound = wait_until(lambda: re.search(r"bound_port=\W*(\d+)", conf.box.run("ovs-vsctl", "--columns=status", "list",
                                                                              "Manager").stdout),
                       30, "the server to listen")
    options = [f"--db=ssl:127.0.0.1:{bound[1]}", *ca.issue("client").options()]
    conf.ca, conf.remote = ca, options
    return conf


def test_by_tls(remote):
    remote.apply(NET, "--no-wait", *remote.remote)
    assert remote("diff", "-", *remote.remote, text=NET).stdout == ""
    assert 'ovs_port_p0="tag=1"' in remote("dump", *remote.remote).stdout
    # Relative names, the file of the CA made of what the server shows, and everything that is missing.
    (remote.box.top / "ca.pem").unlink(missing_ok=True)
    keys = [os.path.relpath(name, remote.box.top) for name in (remote.ca.directory / "client-key.pem",
                                                               remote.ca.directory / "client-cert.pem")]
    assert "p0" in remote("dump", remote.remote[0], "-p", keys[0], "-c", keys[1], "--bootstrap-ca-cert=ca.pem").stdout
    assert (remote.box.top / "ca.pem").read_text() == remote.ca.certificate.read_text()
    assert "missing: --private-key, --certificate" in remote("dump", remote.remote[0], status=MISTAKE).stderr


def test_confirm_by_tls(remote):
    """The guard, and whoever takes its place, knows the keys."""
    box = remote.box
    remote.apply('ovs_bridges="br0"\n', "--no-wait", *remote.remote)
    remote.apply('ovs_bridges="br0 br1"\n', "--no-wait", "--confirm=600", *remote.remote)
    assert remote("revert").stdout == "the old configuration is back\n"
    assert box.run("ovs-vsctl", "list-br").stdout == "br0\n"
    remote.apply('ovs_bridges="br0 br1"\n', "--no-wait", "--confirm=600", *remote.remote)
    guard = int((box.run_dir / "ovs-conf.pid").read_text())
    parent = int(re.search(r"(?m)^PPid:\s*(\d+)", open(f"/proc/{guard}/status").read())[1])
    for pid in (parent, guard):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(parent) and not is_running(guard), 10, "both guards to be gone")
    assert remote("revert").stdout == "the old configuration is back\n"
    assert box.run("ovs-vsctl", "list-br").stdout == "br0\n"


# ------------------------------------------------------------------ diff and dump

def random_net(seed):
    """A file with random bridges, ports and the rest."""
    rnd = random.Random(seed)
    lines, bridges = [], [f"br{i}" for i in range(rnd.randint(1, 3))]
    lines.append(f'ovs_bridges="{" ".join(bridges)}"')
    free = [f"p{i}" for i in range(12)]
    rnd.shuffle(free)
    for bridge in bridges:
        ports = [free.pop() for _ in range(rnd.randint(0, 2))]
        names = list(ports)
        if rnd.random() < .4 and len(free) >= 2:
            lines.append(f'ovs_bond_bond{bridge}="{free.pop()} {free.pop()}"')
            lines.append(f'ovs_port_bond{bridge}="bond_mode={rnd.choice(["active-backup", "balance-slb"])}"')
            names.append(f"bond{bridge}")
        lines.append(f'ovs_ports_{bridge}="{" ".join(names)}"')
        words = ["datapath_type=dummy"]
        words += rnd.sample(["fail_mode=secure", "stp_enable=true", "other_config:a='x y'"], rnd.randint(0, 2))
        lines.append(f'ovs_bridge_{bridge}="{" ".join(words)}"')
        for port in ports:
            words = rnd.sample([f"tag={rnd.randint(0, 4095)}", "trunks=1-3,7", "vlan_mode=native-tagged", "mtu_request=1400",
                                "external_ids:owner='$(id) \\\"q\\\"'", "type=dummy"], rnd.randint(0, 3))
            lines.append(f'ovs_port_{port}="{" ".join(words)}"')
            if rnd.random() < .3:
                lines.append(f'ovs_qos_{port}="type=linux-htb other_config:max-rate={rnd.randint(1, 9)}000"')
                for n in range(rnd.randint(0, 2)):
                    lines.append(f'ovs_queue_{port}_{n}="dscp={rnd.randint(0, 63)}"')
        if names and rnd.random() < .4:
            lines.append(f'ovs_mirror_{bridge}_m="select_src_port={rnd.choice(names)} output_port={rnd.choice(names)}"')
        if rnd.random() < .4:
            lines.append(f'ovs_sflow_{bridge}="targets=10.0.0.{rnd.randint(1, 9)}:6343,[::1]:1 sampling=64"')
        if rnd.random() < .3:
            lines.append(f'ovs_netflow_{bridge}="targets=10.0.0.1:{rnd.randint(1, 9)}"')
        if rnd.random() < .4:
            lines.append(f'ovs_controller_{bridge}="tcp:127.0.0.1:{rnd.randint(1, 2)} tcp:127.0.0.2:1 max_backoff=9000"')
    if rnd.random() < .5:
        lines.append(f'ovs_manager="punix:m{rnd.randint(0, 1)}.sock"')
    rnd.shuffle(lines)
    return "\n".join(lines) + "\n"


SEED = int(os.environ.get("OVS_TEST_SEED", "1"))


def test_random_changes(conf):
    """From one random file to the next: what diff prints does the same as apply, apply and its undoing are exact, and
    a dump of each state says the same as the file."""
    path = ":".join(os.path.dirname(ovs_test.program(p)) for p in ("ovs-vsctl", "ovs-conf"))
    env = {**conf.box.env, "PATH": path + ":/bin:/usr/bin"}
    conf.apply(random_net(SEED), "--no-wait")
    for seed in range(SEED + 1, SEED + 13):
        net, before = random_net(seed), conf.settings()
        old_dump = conf("dump").stdout
        # Changed and taken back.
        conf.apply(net, "--no-wait", "--confirm=600")
        conf.same(net)
        applied, dumped = conf.settings(), conf("dump").stdout
        conf("revert")
        assert conf.settings() == before, f"seed {seed}"
        assert conf("dump").stdout == old_dump, f"seed {seed}"
        # The same by ovs-vsctl.
        commands = conf.differs(net).split("\n\n", 1)[1]
        subprocess.run(["sh", "-c", commands.replace("ovs-vsctl", "ovs-vsctl --no-wait", 1)], env=env, check=True,
                       cwd=conf.box.top, timeout=limit(30), stdout=subprocess.DEVNULL)
        assert conf.settings() == applied, f"seed {seed}\n{commands}"
        assert conf("dump").stdout == dumped
        conf.same(net)
        conf.same(dumped)


def test_the_dump_of_a_hand_made_switch(switch):
    switch.box.run("ovs-vsctl", "add-br", "br0", "--", "add-port", "br0", "p0", "tag=1", "--", "add-bond", "br0", "bond0", "p1", "p2",
                   "--", "add-br", "fake", "br0", "7", "--", "add-port", "fake", "p3", "--", "set-controller", "br0", "tcp:127.0.0.1:1",
                   "--", "--id=@m", "create", "Mirror", "name=\"m 1\"", "select_all=true", "--", "add", "Bridge", "br0", "mirrors", "@m",
                   "--", "set", "Interface", "p0", "external_ids:iface-id=\"it's\"")
    net = switch("dump").stdout
    assert 'ovs_mirror_br0_m_1=' in net
    before = transactions(switch)
    assert switch.apply(net).stdout == "nothing to change\n"
    assert transactions(switch) == before


def test_a_dump_leaves_out_what_cannot_be_a_device(conf):
    conf.box.run("ovs-vsctl", "--no-wait", "add-br", "br0", "--", "add-port", "br0", "eth0,tap0", "--", "add-port", "br0", "p0",
                 "--", "add-port", "br0", "patch-to-another-bridge", "--", "set", "Interface", "patch-to-another-bridge",
                 "type=patch", "options:peer=x")
    done = conf("dump")
    assert 'ovs_ports_br0="p0 patch-to-another-bridge"\n' in done.stdout
    assert "interface eth0,tap0 is left out: " in done.stderr
    before = transactions(conf)
    assert conf.apply(done.stdout, "--no-wait").stdout == "nothing to change\n"
    assert transactions(conf) == before


def test_the_dump_of_a_switch_with_more(switch):
    """What comes from another version's switch: its dump has no mistakes, and changes nothing, whoever has made it."""
    vsctl = ["add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=dummy", "--", "add-br", "br1", "--", "set", "Bridge",
             "br1", "datapath_type=fancy"]
    for name, settings in [("vx0", "type=vxlan options:remote_ip=192.0.2.1 options:key=7"), ("p0", "type=mystery"),
                           ("x0", "type=afxdp options:n_rxq_desc=1024 options:xdp-mode=skb options:n_rxq=2"),
                           ("to-br1", "type=patch options:peer=to-br0 options:odd=yes")]:
        vsctl += ["--", "add-port", "br0", name, "--", "set", "Interface", name, *settings.split()]
    switch.box.run("ovs-vsctl", "--no-wait", *vsctl)
    for ours in (False, True):
        if ours:
            for table, record in [("Bridge", "br1"), ("Port", "p0"), ("Interface", "p0"), ("Interface", "x0")]:
                switch.box.run("ovs-vsctl", "--no-wait", "set", table, record,
                               'external_ids:ovs-conf="made type datapath_type options:xdp-mode options:n_rxq_desc"')
        dumped = switch("dump")
        for word in ("port p0", "datapath_type of bridge br1", "options:n_rxq_desc of interface x0",
                     "options:xdp-mode of interface x0", "options:odd of interface to-br1"):
            assert f"ovs-conf: {word} is left out: " in dumped.stderr
        assert 'ovs_port_vx0="options:key=7 options:remote_ip=192.0.2.1 type=vxlan"\n' in dumped.stdout
        assert ('ovs_keep_undeclared="yes"\n' in dumped.stdout) == ours
        before, count = switch.database(), transactions(switch)
        assert "mistake" not in switch("check", "-", text=dumped.stdout).stderr
        switch.same(dumped.stdout)
        assert switch.apply(dumped.stdout).stdout == "nothing to change\n"
        assert switch.database() == before and transactions(switch) == count


def test_the_example_file(conf):
    """conf.d/ovs declares nothing as it is; the set-ups in it are right."""
    example = (SOURCE_DIR / "conf.d" / "ovs").read_text()
    conf("check", "-", text=example)
    assert conf("diff", "-", text=example).stdout == ""
    everything = re.sub(r"(?m)^#(?=ovs_)", "", example)
    everything += 'ovs_ports_br0="eth0 tap0 tap1 tap9 bond0 to-br1"\n'
    conf("check", "-", text=everything)
    first = re.search(r"(?s)# Two VLANs.*?# The host's own", example)[0]
    conf.apply(re.sub(r"(?m)^#(?=ovs_)", "", first), "--no-wait")
    assert conf.box.run("ovs-vsctl", "get", "Port", "tap1", "tag").stdout == "2\n"
    assert conf.box.run("ovs-vsctl", "get", "sFlow", "br0", "sampling").stdout == "64\n"


# ------------------------------------------------------------------ to be confirmed

OTHER = NET.replace("tag=1\"", "tag=2\"").replace("p0 p1 bond0", "p0 p1 p5").replace('ovs_bond_bond0="p2 p3"', "") \
    .replace('ovs_port_bond0="bond_mode=active-backup"', "").replace("sflow", "netflow").replace(
        "agent=eth1 targets=10.0.0.1:6343 header=128 sampling=64 polling=10", "targets=10.0.0.1:2055")


def guard_pid(conf):
    return int((conf.box.run_dir / "ovs-conf.pid").read_text())


def await_another_guard(conf, pid):
    """Waits until another process has taken the place of the guard that was process `pid`."""
    def another():
        try:
            return guard_pid(conf) != pid
        except (OSError, ValueError):  # the file is being replaced
            return False
    wait_until(another, what="another guard")


def guarded(conf):
    return (conf.box.run_dir / "ovs-conf.pid").exists()


def pending(conf):
    return (conf.box.run_dir / "ovs-conf.pending").exists()


def test_confirmed(switch):
    switch.apply(NET)
    done = switch.apply(OTHER, "--confirm=60")
    assert "confirm with" in done.stdout
    assert switch.apply(NET, status=UNCONFIRMED).stderr.count("waits to be confirmed") == 1
    switch.same(OTHER)
    assert switch("confirm").stdout == "the configuration is kept\n"
    switch.same(OTHER)
    wait_until(lambda: not (switch.box.run_dir / "ovs-conf.pid").exists(), what="the guard's end")
    assert [p.name for p in switch.box.run_dir.iterdir() if p.name.startswith("ovs-conf")] == []
    assert "no configuration waits" in switch("confirm", status=UNCONFIRMED).stderr
    assert "no configuration waits" in switch("revert", status=UNCONFIRMED).stderr


def test_not_confirmed(switch):
    switch.apply(NET)
    before = switch.settings()
    began = time.monotonic()
    switch.apply(OTHER, "--confirm=1")
    wait_until(lambda: not pending(switch), what="the old configuration")
    assert time.monotonic() - began >= 1
    assert switch.settings() == before
    switch.same(NET)
    # What somebody else has done meanwhile stays.
    switch.apply(OTHER, "--confirm=600")
    switch.box.run("ovs-vsctl", "add-port", "br0", "vnet0", "--", "set", "Port", "p1", "trunks=77")
    switch("revert")
    switch.box.run("ovs-vsctl", "get", "Port", "vnet0", "name")
    assert switch.box.run("ovs-vsctl", "get", "Port", "p0", "tag").stdout == "1\n"
    assert switch.box.run("ovs-vsctl", "get", "Port", "p1", "trunks").stdout == "[77]\n"


def test_confirmed_too_late(switch):
    """Who comes too late hears what has become of it, and when; once."""
    switch.apply(NET)
    for way, why in [("time", "it was not confirmed in time"), ("revert", "ovs-conf revert was called")]:
        begin = int(time.time())
        switch.apply(OTHER, "--confirm=1" if way == "time" else "--confirm=600")
        if way == "revert":
            switch("revert")
        wait_until(lambda: not guarded(switch), what="the old configuration")
        done = switch("confirm", status=UNCONFIRMED)
        found = re.fullmatch(r"ovs-conf: no configuration waits to be confirmed: that of standard input was taken back at "
                             r"(.*?): (.*)\n", done.stderr)
        assert found and found[2] == why, done.stderr
        assert begin <= calendar.timegm(time.strptime(found[1], "%Y-%m-%d %H:%M:%S")) <= time.time()
        assert switch("confirm", status=UNCONFIRMED).stderr == "ovs-conf: no configuration waits to be confirmed\n"
    # The next one is another matter.
    switch.apply(OTHER, "--confirm=600")
    switch("revert")
    switch.apply(OTHER, "--confirm=600")
    switch("confirm")
    assert not guarded(switch)
    assert switch("confirm", status=UNCONFIRMED).stderr == "ovs-conf: no configuration waits to be confirmed\n"


def test_two_at_once(conf):
    """One of them makes its change, and the other one hears that it has to wait."""
    for n in range(12):
        both = [subprocess.Popen([ovs_test.program("ovs-conf"), "--no-wait", "--confirm=600", "apply", "-"], env=conf.box.env,
                                 text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(4)]
        for i, process in enumerate(both):
            process.stdin.write(f'ovs_bridges="br{n}x{i}"\n')
        for process in both:
            process.stdin.close()
        found = []
        for process in both:
            stderr = process.stderr.read()
            process.stdout.read()
            found.append((process.wait(), stderr))
        assert sorted(status for status, _ in found) == [DONE] + 3 * [UNCONFIRMED], found
        for status, stderr in found:
            assert status == DONE or stderr == ('ovs-conf: a configuration waits to be confirmed: "ovs-conf confirm" keeps '
                                                'it, "ovs-conf revert" puts the old one back; then try again\n')
        conf("revert")
        wait_until(lambda: not guarded(conf), what="the guard's end")


def test_sockets_of_dead_guards_go(switch):
    switch.apply(NET)
    switch.apply(OTHER, "--confirm=600")
    first = guard_pid(switch)
    os.kill(first, signal.SIGKILL)
    await_another_guard(switch, first)
    dead = switch.box.run_dir / f"ovs-conf.{first}.ctl"
    assert dead.exists()
    switch("revert")
    wait_until(lambda: not guarded(switch), what="the guard's end")
    other = switch.box.run_dir / f"ovs-conf.{os.getpid()}.ctl"  # of a process that lives
    other.touch()
    switch.apply(OTHER, "--confirm=600")
    assert not dead.exists()
    assert other.exists()
    switch("confirm")


def test_nothing_to_confirm(switch):
    switch.apply(NET)
    assert switch.apply(NET, "--confirm=60").stdout == "nothing to change\n"
    assert not pending(switch)
    assert "waits" not in switch.apply(NET).stderr


def test_ovs_conf_is_killed(switch):
    """Whoever is killed, from a switch that never answers to the guard itself: the old configuration comes back."""
    switch.apply(NET)
    before = switch.settings()
    os.kill(switch.switch.pid, signal.SIGSTOP)
    try:
        words = ("--confirm=1", f"--wait={round(limit(4))}", "apply", "-")
        process = subprocess.Popen([ovs_test.program("ovs-conf"), *words], env=switch.box.env, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        process.stdin.write(OTHER)
        process.stdin.close()
        wait_until(lambda: switch.settings() != before, what="the change")
        # With its whole process group, as a terminal that closes does, and nobody reads what it prints.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        wait_until(lambda: not pending(switch), timeout=20, what="the old configuration")
        assert switch.settings() == before
    finally:
        os.kill(switch.switch.pid, signal.SIGCONT)


def test_the_guard_is_killed(switch):
    switch.apply(NET)
    before = switch.settings()
    # The other one has to be seen in this time.
    switch.apply(OTHER, f"--confirm={round(limit(5))}")
    first = guard_pid(switch)
    os.kill(first, signal.SIGKILL)
    await_another_guard(switch, first)
    wait_until(lambda: not pending(switch), timeout=20, what="the old configuration")
    assert switch.settings() == before


def test_both_guards_are_killed(switch):
    switch.apply(NET)
    before = switch.settings()
    switch.apply(OTHER, "--confirm=600")
    guard = guard_pid(switch)
    parent = int(re.search(r"PPid:\s+(\d+)", open(f"/proc/{guard}/status").read())[1])
    os.kill(parent, signal.SIGKILL)
    os.kill(guard, signal.SIGKILL)
    wait_until(lambda: not is_running(guard), what="the guard's end")
    assert "its guard has been killed" in switch.apply(NET, status=UNCONFIRMED).stderr
    assert switch("revert").stdout == "the old configuration is back\n"
    assert switch.settings() == before


def test_the_guard_is_ended(switch):
    switch.apply(NET)
    before = switch.settings()
    switch.apply(OTHER, "--confirm=600")
    os.kill(guard_pid(switch), signal.SIGTERM)
    wait_until(lambda: not pending(switch), what="the old configuration")
    assert switch.settings() == before


def test_the_server_is_away_when_it_is_time(switch):
    switch.apply(NET)
    before = switch.settings()
    # The server has to be gone before.
    switch.apply(OTHER, f"--confirm={round(limit(3))}")
    switch.box.server.stop()
    log = switch.box.run_dir / "ovs-conf.pending"
    deadline = json.loads(log.read_text())["deadline"]
    wait_until(lambda: time.time() > deadline + 0.5, timeout=20, what="the time to go back")
    assert pending(switch)
    switch.box.server = switch.box.start_ovsdb_server()
    wait_until(lambda: not pending(switch), timeout=20, what="the old configuration")
    assert switch.settings() == before


def test_the_answer_to_a_change_is_lost(switch):
    """Nobody knows whether the change was made: it was, and it is taken back as if that were known."""
    switch.apply(NET)
    before = switch.settings()
    with Way(switch.box, breaks=True) as way:
        done = switch.apply(OTHER, way.db, "--confirm=1", status=DATABASE)
        assert way.arrived.is_set()
        assert "before the server's answer" in done.stderr
        wait_until(lambda: not pending(switch), timeout=20, what="the old configuration")
    assert switch.settings() == before


def test_who_ends_what_is_called_ovs_conf_does_not_end_the_guards(switch):
    switch.apply(NET)
    switch.apply(OTHER, "--confirm=600")
    guard = guard_pid(switch)
    for pid in (guard, ovs_test.parent_of(guard)):
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            assert file.read() == "ovs-guard\n"
    switch("revert")


def test_a_link_in_the_place_of_what_is_kept(switch):
    """The directory may be that of another user, who must not lead root's writing elsewhere."""
    victim = switch.box.top / "victim"
    victim.write_text("precious")
    (switch.box.run_dir / "ovs-conf.pending.new").symlink_to(victim)
    switch.apply(NET, "--confirm=600")
    assert pending(switch)
    assert victim.read_text() == "precious"
    switch("confirm")


def test_a_mistake_with_confirm(switch):
    done = switch.apply("ovs_x=1", "--confirm=60", status=MISTAKE)
    assert "ovs_x" in done.stderr
    assert not pending(switch)


# ------------------------------------------------------------------ size

def test_many_ports(switch):
    """A loose form of bench/conf: a thousand ports."""
    net = subprocess.run([SOURCE_DIR / "bench" / "conf" / "declare", "50", "20"], check=True, capture_output=True,
                         text=True, timeout=limit(30)).stdout
    begin = time.monotonic()
    switch.apply(net, timeout=60)
    assert time.monotonic() - begin < limit(10)
    before = transactions(switch)
    begin = time.monotonic()
    assert switch.apply(net).stdout == "nothing to change\n"
    assert time.monotonic() - begin < limit(2)
    assert transactions(switch) == before
