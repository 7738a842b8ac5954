"""ovs-vsctl on our ovsdb-server: every command, and what it is kinder about than its model."""

import json
import re
import select
import shlex
import signal
import socket
import subprocess
import threading
import time

import ovs_test
import pytest


@pytest.fixture
def server(box):
    return box.start_ovsdb_server()


@pytest.fixture
def vsctl(box, server):
    """vsctl("add-br br0") runs ovs-vsctl --no-wait and returns what it prints."""
    def run(line, status=0, wait=False, timeout=20):
        words = shlex.split(line) if isinstance(line, str) else line
        done = box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-syslog", f"--timeout={timeout}",
                       *([] if wait else ["--no-wait"]), *words, status=status)
        run.stderr = re.sub(r"^\S*ovs-vsctl: ", "", done.stderr, flags=re.M)
        return done.stdout
    return run


def columns(vsctl, table, record, *names):
    return vsctl(["get", table, record, *names]).split("\n")[:-1]


def test_bridges(vsctl):
    vsctl("init")
    vsctl("add-br br0 -- add-br br1")
    vsctl("--may-exist add-br br0")
    vsctl("add-br br0", status=1)
    assert vsctl.stderr == "cannot create a bridge named br0 because a bridge named br0 already exists\n"
    vsctl("add-br vlan7 br0 7")
    assert vsctl("list-br") == "br0\nbr1\nvlan7\n"
    assert vsctl("--real list-br") == "br0\nbr1\n"
    assert vsctl("--fake list-br") == "vlan7\n"
    assert vsctl("br-to-vlan vlan7 -- br-to-parent vlan7 -- br-to-vlan br1") == "7\nbr0\n0\n"
    vsctl("br-exists br1")
    vsctl("br-exists br2", status=2)
    vsctl("br-set-external-id br0 a 'b c' -- br-set-external-id vlan7 k v")
    assert vsctl("br-get-external-id br0") == "a=b c\n"
    assert vsctl("br-get-external-id vlan7 k") == "v\n"
    vsctl("br-set-external-id br0 a")
    assert vsctl("br-get-external-id br0 a") == ""
    vsctl("add-br x br0 seven", status=1)
    assert vsctl.stderr == "add-br: vlan must be between 0 and 4095\n"
    vsctl("del-br br0")
    assert vsctl("list-br") == "br1\n"
    vsctl("del-br br0", status=1)
    assert vsctl.stderr == "no bridge named br0\n"
    vsctl("--if-exists del-br br0")
    assert vsctl("--columns=name list port") == "name                : br1\n"


def test_ports_bonds_and_interfaces(vsctl):
    vsctl("add-br br0 -- add-br vlan7 br0 7")
    vsctl("add-port br0 p1 tag=3 -- set interface p1 type=internal -- add-port vlan7 p2")
    assert columns(vsctl, "port", "p1", "tag") == ["3"]
    assert columns(vsctl, "port", "p2", "tag") == ["7"]
    assert vsctl("list-ports br0 -- list-ports vlan7") == "p1\np2\n"
    assert vsctl("port-to-br p2 -- iface-to-br p1") == "vlan7\nbr0\n"
    vsctl("--fake-iface add-bond br0 b0 e0 e1 lacp=active -- add-bond-iface b0 e2")
    assert vsctl("list-ifaces br0") == "e0\ne1\ne2\np1\n"
    assert columns(vsctl, "port", "b0", "bond_fake_iface", "lacp") == ["true", "active"]
    vsctl("del-bond-iface b0 e0 -- del-bond-iface e1")
    vsctl("del-bond-iface e2", status=1)
    assert vsctl.stderr == "cannot delete last interface from port b0\n"
    vsctl("--with-iface del-port br0 e2")
    vsctl("del-port br0 p2", status=1)
    assert vsctl.stderr == "bridge br0 does not have a port p2 (although its child bridge vlan7 does)\n"
    vsctl("del-port p2 -- --if-exists del-port p99")
    assert vsctl("list-ports br0 -- list-ports vlan7") == "p1\n"


def test_controllers_managers_and_ssl(vsctl):
    vsctl("add-br br0")
    vsctl("--inactivity-probe=5000 set-controller br0 tcp:127.0.0.1:6653 unix:/x")
    assert vsctl("get-controller br0") == "tcp:127.0.0.1:6653\nunix:/x\n"
    vsctl("set-controller br0 nonsense")
    assert 'target type "nonsense" is possibly erroneous' in vsctl.stderr
    vsctl("del-controller br0")
    assert vsctl("get-controller br0 -- --columns=target list controller") == ""
    vsctl("set-fail-mode br0 secure")
    assert vsctl("get-fail-mode br0") == "secure\n"
    vsctl("del-fail-mode br0")
    assert vsctl("get-fail-mode br0") == ""
    vsctl("set-manager ptcp:6640 tcp:127.0.0.1:6641")
    assert vsctl("get-manager") == "ptcp:6640\ntcp:127.0.0.1:6641\n"
    vsctl("del-manager")
    assert vsctl("get-manager") == ""
    vsctl("--bootstrap set-ssl /key /cert /ca")
    assert vsctl("get-ssl") == "Private key: /key\nCertificate: /cert\nCA Certificate: /ca\nBootstrap: true\n"
    vsctl("del-ssl")
    assert vsctl("get-ssl") == ""


def test_auto_attach_and_zones(vsctl):
    vsctl("add-br br0 -- add-aa-mapping br0 100 20 -- add-aa-mapping br0 101 21")
    assert vsctl("get-aa-mapping br0") == "100 20\n101 21\n"
    vsctl("del-aa-mapping br0 100 20")
    assert vsctl("get-aa-mapping br0") == "101 21\n"
    vsctl("--id=@d create datapath capabilities:recirc=true -- set open . datapaths:system=@d")
    vsctl("add-zone-tp system zone=1 icmp_first=30 icmp_reply=60 -- add-zone-tp system zone=2 icmp_first=30 icmp_reply=60")
    assert vsctl("list-zone-tp system") == ("Zone:1, Timeout Policies: icmp_first=30 icmp_reply=60\n"
                                           "Zone:2, Timeout Policies: icmp_first=30 icmp_reply=60\n")
    assert vsctl("--columns=timeouts list ct_timeout_policy").count("timeouts") == 1
    vsctl("add-zone-tp system zone=x icmp_first=1", status=1)
    assert vsctl.stderr == '"zone=x" is not a zone: write zone=NUMBER\n'
    vsctl("del-zone-tp system zone=1")
    assert vsctl("list-dp-cap system") == "recirc=true\n"


def test_database_commands(vsctl):
    vsctl("add-br br0 -- add-port br0 p1")
    qos = vsctl("set port p1 qos=@q -- --id=@q create qos type=linux-htb queues:0=@z -- --id=@z create queue dscp=1")
    first, second = qos.split()
    # What create prints are the UUIDs that the rows have.
    assert columns(vsctl, "qos", "p1", "_uuid") == [first]
    assert vsctl(f"get qos {first[:8]} queues") == f"{{0={second}}}\n"
    vsctl("add port p1 trunks 1 2 5-7 -- remove port p1 trunks 2 -- get port p1 trunks")
    assert columns(vsctl, "port", "p1", "trunks") == ["[1, 5, 6, 7]"]
    vsctl("clear port p1 qos trunks -- --all destroy qos -- --all destroy queue")
    assert vsctl("list qos -- list queue").strip() == ""
    assert vsctl("--columns=name find port 'trunks=[]' name=p1") == "name                : p1\n"
    assert vsctl("--format=csv --no-headings --columns=name,tag list port p1") == "p1,[]\n"
    # Rows of the same call are seen with their changes.
    out = vsctl("add-port br0 p2 -- set port p2 tag=9 -- --columns=name,tag list port p2 -- get port p2 _uuid")
    assert out.splitlines()[:2] == ["name                : p2", "tag                 : 9"]
    assert columns(vsctl, "port", "p2", "_uuid") == [out.splitlines()[2]]


def test_dry_run_changes_nothing(vsctl):
    assert vsctl("--dry-run add-br br0 -- list-br") == "br0\n"
    assert vsctl("list-br") == ""


def test_emer_reset_keeps_bridges(vsctl):
    vsctl("add-br br0 -- set-controller br0 tcp:1.1.1.1 -- set-manager ptcp:1 -- "
          "set bridge br0 other_config:hwaddr=02:00:00:00:00:01 other_config:x=y fail_mode=secure -- "
          "set open . other_config:a=b -- --id=@m create mirror name=m -- set bridge br0 mirrors=@m")
    vsctl("emer-reset")
    assert vsctl("list-br") == "br0\n"
    assert columns(vsctl, "bridge", "br0", "other_config", "fail_mode", "controller", "mirrors") == [
        '{hwaddr="02:00:00:00:00:01"}', "[]", "[]", "[]"]
    assert columns(vsctl, "open", ".", "other_config", "manager_options") == ["{}", "[]"]


def test_pasted_examples(vsctl):
    vsctl("add-br br0")
    # One dash, and no inner quotes.
    vsctl("-- -id=@s create sflow agent=eth1 target=10.0.0.1:6343 header=128 -- set bridge br0 sflow=@s")
    assert columns(vsctl, "sflow", "br0", "targets") == ['["10.0.0.1:6343"]']
    vsctl(["set", "bridge", "br0", "external_ids:a=“x”"], status=1)
    assert "U+201C, left double quotation mark" in vsctl.stderr and 'type " instead' in vsctl.stderr
    vsctl(["–-id=@s", "create", "qos", "type=a"], status=1)
    assert "U+2013, en dash" in vsctl.stderr
    vsctl(["set", "bridge", "br0", 'external_ids:a="“x”"'])
    assert columns(vsctl, "bridge", "br0", "external_ids:a") == ['"“x”"']


def test_suggestions(vsctl):
    vsctl("add-br br0")
    for line, text in [("lst-br", "did you mean 'list-br'?"),
                       ("list brdge", 'unknown table "brdge"; did you mean "Bridge"?'),
                       ("get bridge br0 fial_mode", 'did you mean "fail_mode"?'),
                       ("--no-wiat list-br", "did you mean '--no-wait'?")]:
        vsctl(line, status=1)
        assert text in vsctl.stderr


@pytest.mark.parametrize("line, place", [
    ("set port p1 tag=5000", "table Port, record p1, column tag"),
    ("set port p1 tag=1,2", "table Port, record p1, column tag"),
    ("set port p1 vlan=10", 'table Port, record p1, column vlan_mode, which "vlan" is short for'),
    ("set bridge br0 flow_tables:300=@x", "table Bridge, record br0, column flow_tables, which refers to records of Flow_Table"),
    ("set bridge br0 flow_tables:3=x",
     "table Bridge, record br0, column flow_tables, which refers to records of Flow_Table"),
    ("set bridge br0 controller=tcp:192.0.2.1",
     "table Bridge, record br0, column controller, which refers to records of Controller"),
    ("add port p1 trunks 5000", "table Port, record p1, column trunks"),
    ("remove port p1 tru x", 'table Port, record p1, column trunks, which "tru" is short for'),
    ("create qos type=x queues:x=@y", "table QoS, column queues, which refers to records of Queue"),
    ("add-port br0 p2 tag=x", "table Port, record p2, column tag"),
    ("find port tag=x", "table Port, column tag"),
    ("find bridge flow_tables:x=@y", "table Bridge, column flow_tables, which refers to records of Flow_Table"),
    ("wait-until port p1 tag=x", "table Port, record p1, column tag"),
    ("get bridge br0 flow_tables:x", "table Bridge, record br0, column flow_tables, which refers to records of Flow_Table"),
])
def test_an_error_of_a_value_names_its_column(vsctl, line, place):
    vsctl("add-br br0 -- add-port br0 p1")
    assert vsctl(line, status=1) == ""
    assert vsctl.stderr.endswith(f" ({place})\n")
    assert vsctl.stderr.count("\n") == 1


@pytest.mark.parametrize("line", [
    "add-port br0 p2 tag 5", "set port p1 tag= 5", "set interface p1 bfd:min_rx"])
def test_a_setting_in_several_words_is_explained(vsctl, line):
    vsctl("add-br br0 -- add-port br0 p1")
    vsctl(line, status=1)
    assert 'argument does not end in "=" followed by a value.' in vsctl.stderr
    target = "bfd:min_rx" if "bfd" in line else "tag"
    empty = " ('\"\"' is the empty text)" if "=" in line else ""
    assert vsctl.stderr.endswith(f"  Write {target}=VALUE as one word, without spaces{empty}.\n")


def test_no_server(box):
    done = box.run("ovs-vsctl", f"--db=unix:{box.run_dir}/none.sock", "list-br", status=1)
    lines = done.stderr.splitlines()
    assert lines[0].endswith(f"unix:{box.run_dir}/none.sock: database connection failed (No such file or directory)")
    assert "is ovsdb-server running?" in lines[1]
    done = box.run("ovs-vsctl", f"--db={box.run_dir}/none.sock", "list-br", status=1)
    assert done.stderr.endswith(f"did you mean --db=unix:{box.run_dir}/none.sock?\n")


def test_an_unknown_host(box):
    done = box.run("ovs-vsctl", "--db=tcp:no-such-host.invalid:6640", "list-br", status=1)
    assert "cannot be resolved" in done.stderr
    assert done.stderr.count("\n") == 1


def test_killed_server(box, server):
    server.kill()
    done = box.run("ovs-vsctl", f"--db=unix:{server.socket}", "list-br", status=1)
    lines = done.stderr.splitlines()
    assert lines[0].endswith(f"unix:{server.socket}: database connection failed (Connection refused)")
    assert "nobody answers on it" in lines[1]


def test_retry_waits_for_the_server(box):
    process = subprocess.Popen(
        [ovs_test.program("ovs-vsctl"), f"--db=unix:{box.run_dir}/db.sock", "--retry", "--no-wait",
         "--no-syslog", "--timeout=20", "add-br", "br0", "--", "list-br"],
        env=box.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    box.start_ovsdb_server()
    assert process.communicate(timeout=ovs_test.limit(20))[0] == "br0\n"
    assert process.returncode == 0


def test_timeout_ends_by_the_alarm(vsctl):
    started = time.monotonic()
    vsctl("wait-until bridge br0", status=-signal.SIGALRM, timeout=1)
    assert time.monotonic() - started >= 1
    assert "timed out after 1 second, waiting for" in vsctl.stderr


def test_waits_for_the_switch(box, server, vsctl):
    """Without an ovs-vswitchd a change waits, says so after two seconds, and ends when it comes."""
    box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-syslog", "--no-wait", "init")
    started = time.monotonic()
    process = subprocess.Popen(
        [ovs_test.program("ovs-vsctl"), f"--db=unix:{server.socket}", "--no-syslog",
         f"--timeout={int(ovs_test.limit(20))}", "add-br", "br0", "--", "list-br"],
        env=box.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "br0\n"  # committed, and printed before the wait
    line = process.stderr.readline()
    assert "waiting for ovs-vswitchd" in line and "--no-wait" in line
    assert time.monotonic() - started >= 1.9
    with server.connect() as rpc:
        row = rpc.transact("Open_vSwitch", {"op": "select", "table": "Open_vSwitch", "where": [],
                                            "columns": ["next_cfg", "cur_cfg"]})[0]["rows"][0]
        assert row == {"next_cfg": 1, "cur_cfg": 0}
        rpc.transact("Open_vSwitch", {"op": "update", "table": "Open_vSwitch", "where": [],
                                      "row": {"cur_cfg": 1}})
    out, err = process.communicate(timeout=ovs_test.limit(20))
    assert (process.returncode, out, err) == (0, "", "")
    # What changes nothing waits for nothing.
    vsctl("--may-exist add-br br0 -- list-br", wait=True)
    vsctl("set bridge br0 stp_enable=false", wait=True)


def test_reading_an_empty_database_waits_for_nobody(box, server, vsctl):
    """It gets its first row, whose UUID is printed, as ever; that is no change to wait for."""
    uuid = vsctl("show", wait=True).strip()
    assert vsctl.stderr == ""
    assert vsctl("list-br -- get open . next_cfg", wait=True) == "0\n"
    assert vsctl("get open . _uuid") == f"{uuid}\n"


def test_reports_the_switch_errors(box, server):
    """What ovs-vswitchd writes into Interface.error of a new interface is printed."""
    box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-syslog", "--no-wait", "add-br", "br0")

    def play_switch():
        with server.connect() as rpc:
            ovs_test.wait_until(lambda: rpc.transact("Open_vSwitch", {
                "op": "select", "table": "Interface", "where": [["name", "==", "bad"]]})[0]["rows"])
            rpc.transact("Open_vSwitch",
                         {"op": "update", "table": "Interface", "where": [["name", "==", "bad"]],
                          "row": {"error": "no such device", "ofport": -1}},
                         {"op": "update", "table": "Open_vSwitch", "where": [], "row": {"cur_cfg": 1}})

    switch = threading.Thread(target=play_switch)
    switch.start()
    done = box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-syslog", "--timeout=20",
                   "add-port", "br0", "bad")
    switch.join()
    assert re.sub(r"\S*ovs-vsctl: ", "", done.stderr) == (
        "Error detected while setting up 'bad': no such device.  See ovs-vswitchd log for details.\n"
        f"The default log directory is \"{box.log_dir}\".\n")


def test_wait_until(box, server, vsctl):
    vsctl("add-br br0")
    process = subprocess.Popen(
        [ovs_test.program("ovs-vsctl"), f"--db=unix:{server.socket}", "--no-syslog", "--timeout=20",
         "wait-until", "bridge", "br0", "other_config:x=y", "stp_enable=true", "--",
         "get", "bridge", "br0", "other_config"],
        env=box.env, stdout=subprocess.PIPE, text=True)
    vsctl("set bridge br0 other_config:x=z stp_enable=true")
    vsctl("set bridge br0 other_config:x=y")
    assert process.communicate(timeout=ovs_test.limit(20))[0] == "{x=y}\n"
    assert process.returncode == 0
    process = subprocess.Popen(
        [ovs_test.program("ovs-vsctl"), f"--db=unix:{server.socket}", "--no-syslog", "--timeout=20",
         "wait-until", "bridge", "later", "--", "br-exists", "later"], env=box.env)
    vsctl("add-br later")
    assert process.wait(ovs_test.limit(20)) == 0


def test_calls_at_once_do_not_lose_changes(box, server, vsctl):
    """Eight programs add ports to one bridge at the same time; two of them, the same port."""
    vsctl("add-br br0")
    processes = []
    for worker in range(8):
        commands = []
        for i in range(20):
            commands += ["--", "--may-exist", "add-port", "br0", f"w{worker}p{i}"]
        commands += ["--", "--may-exist", "add-port", "br0", f"shared{worker // 2}"]
        processes.append(subprocess.Popen(
            [ovs_test.program("ovs-vsctl"), f"--db=unix:{server.socket}", "--no-syslog", "--no-wait",
             f"--timeout={int(ovs_test.limit(30))}", *commands], env=box.env))
    assert [p.wait(ovs_test.limit(40)) for p in processes] == [0] * 8
    assert len(vsctl("list-ports br0").splitlines()) == 8 * 20 + 4


def bytes_exchanged(box, server, words):
    """How many bytes ovs-vsctl sends and receives, counted by a relay before the server."""
    counts = [0, 0]
    path = box.run_dir / "relay.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)

    def relay():
        client, _ = listener.accept()
        upstream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        upstream.connect(str(server.socket))

        def copy(source, to, index):
            while data := source.recv(65536):
                counts[index] += len(data)
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)

        back = threading.Thread(target=copy, args=(upstream, client, 1))
        back.start()
        copy(client, upstream, 0)
        back.join()
        client.close()
        upstream.close()

    thread = threading.Thread(target=relay)
    thread.start()
    box.run("ovs-vsctl", f"--db=unix:{path}", "--no-syslog", "--no-wait", *words)
    thread.join()
    listener.close()
    path.unlink()
    return counts


def test_a_port_costs_the_same_on_a_large_bridge(box, server, vsctl):
    vsctl("add-br br0")
    small = bytes_exchanged(box, server, ["add-port", "br0", "before"])
    commands = []
    for i in range(1300):
        commands += ["--", "add-port", "br0", f"port{i}"]
    vsctl(commands)
    large = bytes_exchanged(box, server, ["add-port", "br0", "after1"])
    assert abs(large[0] - small[0]) < 50 and abs(large[1] - small[1]) < 50, (small, large)
    assert sum(large) < 4000
    removed = bytes_exchanged(box, server, ["del-port", "br0", "after1"])
    assert sum(removed) < 6000
    listed = bytes_exchanged(box, server, ["list-br"])
    assert sum(listed) < 1500
    assert len(vsctl("list-ports br0").splitlines()) == 1301


def test_an_older_schema(box):
    """A server whose schema lacks columns that the commands know."""
    schema = json.loads(ovs_test.SCHEMA.read_text())
    for table, column in [("Bridge", "auto_attach"), ("Port", "bond_fake_iface"), ("Interface", "error")]:
        del schema["tables"][table]["columns"][column]
    for table in ("AutoAttach", "CT_Zone", "CT_Timeout_Policy", "Datapath"):
        del schema["tables"][table]
    del schema["tables"]["Open_vSwitch"]["columns"]["datapaths"]
    del schema["cksum"]
    path = box.top / "old.ovsschema"
    path.write_text(json.dumps(schema))
    server = box.start_ovsdb_server(schema=path)

    def run(*words, status=0):
        return box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-syslog", "--no-wait", *words, status=status)
    run("add-br", "br0", "--", "add-port", "br0", "p1")
    assert "Interface p1" in run("show").stdout
    assert run("list-ports", "br0").stdout == "p1\n"
    assert run("get-aa-mapping", "br0").stdout == ""
    run("list-dp-cap", "system", status=1)
    run("add-aa-mapping", "br0", "1", "2", status=1)
    run("del-br", "br0")


def test_help_and_lists(box):
    text = box.run("ovs-vsctl", "--help").stdout
    names = [line.split(",")[1] for line in box.run("ovs-vsctl", "--commands").stdout.splitlines()]
    assert len(names) >= 50
    for name in names:
        assert re.search(rf"^  (\[\S+\] )*{name}( |$)", text, re.M), name
    assert "--no-wait" in box.run("ovs-vsctl", "--options").stdout
    assert box.run("ovs-vsctl", "--version").stdout.startswith("ovs-vsctl (Open vSwitch) ")


def test_wait_until_says_what_it_waits_for(box, server, vsctl):
    """After two seconds, and once, however often the row changes in vain."""
    vsctl("add-br br0")
    started = time.monotonic()
    process = subprocess.Popen(
        [ovs_test.program("ovs-vsctl"), f"--db=unix:{server.socket}", "--no-syslog",
         f"--timeout={int(ovs_test.limit(20))}", "wait-until", "bridge", "br0", "other_config:x=y"],
        env=box.env, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline().endswith(
        "ovs-vsctl: waiting for the condition of wait-until on table Bridge\n")
    assert time.monotonic() - started >= 1.9
    vsctl("set bridge br0 other_config:x=z")
    assert not select.select([process.stderr], [], [], 2.5)[0]
    vsctl("set bridge br0 other_config:x=y")
    assert process.communicate(timeout=ovs_test.limit(20))[1] == ""
    assert process.returncode == 0


@pytest.mark.parametrize("where, why", [("unix:nobody.sock", "No such file or directory"),
                                        ("tcp:127.0.0.1:1", "Connection refused")])
def test_a_connection_that_does_not_come_is_explained(box, where, why):
    seconds = 3 * int(ovs_test.limit(1))
    done = box.run("ovs-vsctl", "--retry", "-t", seconds, f"--db={where}", "show", status=-signal.SIGALRM)
    what = f"a connection to {where} (the last attempt: {why})"
    assert done.stderr.splitlines() == [f"ovs-vsctl: waiting for {what}",
                                        f"ovs-vsctl: timed out after {seconds} seconds, waiting for {what}"]


def test_the_reasons_of_several_remotes_are_said_once(box):
    seconds = 5 * int(ovs_test.limit(1))
    remotes = f"tcp:127.0.0.1:1,unix:{box.run_dir}/none.sock"
    done = box.run("ovs-vsctl", "--retry", "-t", seconds, f"--db={remotes}", "show", status=-signal.SIGALRM)
    first, last = done.stderr.splitlines()
    assert first.startswith(f"ovs-vsctl: waiting for a connection to {remotes} (the last attempt: ")
    assert last.startswith(f"ovs-vsctl: timed out after {seconds} seconds, waiting for a connection to {remotes} (")


def test_a_server_may_come_to_us(box, server):
    """A passive --db: ovs-vsctl listens, and ovsdb-server connects."""
    path = box.run_dir / "passive.sock"
    for words in (["add-br", "br0", "--", "list-br"], ["list-br"]):
        process = subprocess.Popen(
            [ovs_test.program("ovs-vsctl"), f"--db=punix:{path}", "--no-wait", "--no-syslog",
             f"--timeout={int(ovs_test.limit(20))}", *words],
            env=box.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ovs_test.wait_until(path.exists, what="ovs-vsctl to listen")
        server.appctl("ovsdb-server/add-remote", f"unix:{path}")
        assert process.communicate(timeout=ovs_test.limit(20))[0] == "br0\n"
        assert process.returncode == 0
        assert not path.exists()
        server.appctl("ovsdb-server/remove-remote", f"unix:{path}")


def test_what_a_passive_db_says_that_waits_or_cannot(box):
    seconds = 3 * int(ovs_test.limit(1))
    done = box.run("ovs-vsctl", "-t", seconds, "--db=ptcp:0:127.0.0.1", "show", status=-signal.SIGALRM)
    what = "a server to connect to ptcp:0:127.0.0.1"
    assert done.stderr.splitlines() == [f"ovs-vsctl: waiting for {what}",
                                        f"ovs-vsctl: timed out after {seconds} seconds, waiting for {what}"]
    done = box.run("ovs-vsctl", f"--db=punix:{box.run_dir}/none/s", "show", status=1)
    assert done.stderr == (f"ovs-vsctl: punix:{box.run_dir}/none/s: database connection failed "
                           "(No such file or directory)\n")
    path = box.start_ovsdb_server().socket
    done = box.run("ovs-vsctl", f"--db=punix:{path}", "show", status=1)
    assert done.stderr == (f"ovs-vsctl: punix:{path}: database connection failed "
                           "(another process listens on this socket)\n")
    done = box.run("ovs-vsctl", "--db=udp:1", "show", status=1)
    for form in ("unix:", "tcp:", "ssl:", "punix:", "ptcp:", "pssl:"):
        assert form in done.stderr


def test_an_option_behind_its_command_is_explained(box):
    done = box.run("ovs-vsctl", "list-br", "--fake", status=None)
    assert done.returncode == 1
    assert "options of a command stand before its name" in done.stderr
