"""ovsdb-server over real sockets: options, remotes, several databases, control commands."""

import json
import os
import re
import signal
import socket

import pytest

from ovs_test import RpcClient, has_tls, wait_until

SCHEMA = {
    "name": "T", "version": "1.0.0",
    "tables": {
        "Top": {"isRoot": True, "maxRows": 1, "columns": {
            "targets": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
            "managers": {"type": {"key": {"type": "uuid", "refTable": "Manager"},
                                  "min": 0, "max": "unlimited"}}}},
        "Manager": {"indexes": [["target"]], "columns": {
            "target": {"type": "string"},
            "max_backoff": {"type": {"key": {"type": "integer", "minInteger": 1000},
                                     "min": 0, "max": 1}},
            "inactivity_probe": {"type": {"key": "integer", "min": 0, "max": 1}},
            "is_connected": {"type": "boolean", "ephemeral": True},
            "status": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"},
                       "ephemeral": True}}},
        "Item": {"isRoot": True, "columns": {"n": {"type": "integer"}}}}}


@pytest.fixture
def schema(box):
    path = box.top / "t.ovsschema"
    path.write_text(json.dumps(SCHEMA))
    return path


def insert(table, row, **more):
    return {"op": "insert", "table": table, "row": row, **more}


def manager(rpc):
    """The status of the only row of Manager."""
    return rpc.transact("T", {"op": "select", "table": "Manager", "where": [],
                              "columns": ["is_connected", "status"]})[0]["rows"][0]


def status_of(row):
    return dict(row["status"][1])


def test_remotes_from_a_column_of_strings(box, schema):
    server = box.start_ovsdb_server(schema=schema, remotes=["db:T,Top,targets"])
    path = box.run_dir / "more.sock"
    with server.connect() as rpc:
        rpc.transact("T", insert("Top", {"targets": f"punix:{path}"}))
        wait_until(path.exists)
        with RpcClient(path) as other:
            assert other.call("list_dbs", []) == ["T", "_Server"]
            rpc.transact("T", {"op": "update", "table": "Top", "where": [], "row": {"targets": ["set", []]}})
            assert other.recv() is None
        wait_until(lambda: not path.exists())


def test_a_listening_manager_and_its_status(box, schema):
    server = box.start_ovsdb_server(schema=schema, remotes=["db:T,Top,managers"])
    with server.connect() as rpc:
        rpc.transact("T", insert("Top", {"managers": ["named-uuid", "m"]}),
                     insert("Manager", {"target": "ptcp:0:127.0.0.1"}, **{"uuid-name": "m"}))
        wait_until(lambda: "bound_port" in status_of(manager(rpc)))
        assert manager(rpc)["is_connected"] is False
        port = int(status_of(manager(rpc))["bound_port"])
        sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        try:
            wait_until(lambda: manager(rpc)["is_connected"])
            wait_until(lambda: status_of(manager(rpc)).get("n_connections") == "2")
        finally:
            for sock in sockets:
                sock.close()
        wait_until(lambda: not manager(rpc)["is_connected"])


def test_the_locks_of_a_manager(box, schema):
    server = box.start_ovsdb_server(schema=schema, remotes=["db:T,Top,managers"])
    path = f"{box.run_dir}/m.sock"

    def locks():
        return {key: value for key, value in status_of(manager(rpc)).items() if key.startswith("locks")}
    with server.connect() as rpc:
        rpc.transact("T", insert("Top", {"managers": ["named-uuid", "m"]}),
                     insert("Manager", {"target": f"punix:{path}"}, **{"uuid-name": "m"}))
        wait_until(lambda: os.path.exists(path))
        rpc.call("lock", ["taken"])
        with RpcClient(path) as client:
            for name in ("b", "a", "taken"):
                client.call("lock", [name])
            wait_until(lambda: locks() == {"locks_held": "a b", "locks_waiting": "taken"})
            rpc.call("steal", ["b"])
            wait_until(lambda: locks() == {"locks_held": "a", "locks_waiting": "b taken", "locks_lost": "b"})
            rpc.call("unlock", ["b"])
            client.call("unlock", ["taken"])
            wait_until(lambda: locks() == {"locks_held": "a b"})


def test_an_active_manager_connects_and_tries_again(box, schema):
    server = box.start_ovsdb_server(schema=schema, remotes=["db:T,Top,managers"])
    with socket.socket() as listener, server.connect() as rpc:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(20)
        target = "tcp:127.0.0.1:%d" % listener.getsockname()[1]
        rpc.transact("T", insert("Top", {"managers": ["named-uuid", "m"]}),
                     insert("Manager", {"target": target, "max_backoff": 1000}, **{"uuid-name": "m"}))
        for _ in range(2):
            peer, _ = listener.accept()
            with peer:
                wait_until(lambda: manager(rpc)["is_connected"])
                assert status_of(manager(rpc))["state"] == "ACTIVE"
                peer.sendall(b'{"method":"list_dbs","params":[],"id":1}')
                peer.settimeout(10)
                assert b'["T","_Server"]' in peer.recv(1000)
            row = wait_until(lambda: not (row := manager(rpc))["is_connected"] and row)
        assert "sec_since_disconnect" in status_of(row)


def test_run_ends_with_its_command(box, schema):
    path = box.create_database(box.db_dir / "t.db", schema)
    arguments = [path, f"--remote=punix:{box.run_dir}/db.sock", f"--unixctl={box.run_dir}/s.ctl", "--no-chdir"]
    assert box.start("ovsdb-server", *arguments, "--run=true").wait() == 0
    assert box.start("ovsdb-server", *arguments, "--run=exit 3").wait() == 1


def test_several_databases_and_control_commands(box, schema):
    second = box.top / "u.ovsschema"
    second.write_text(json.dumps({**SCHEMA, "name": "U"}))
    first_file, second_file = box.db_dir / "t.db", box.db_dir / "u.db"
    box.create_database(first_file, schema)
    box.create_database(second_file, second)
    server = box.start_ovsdb_server(databases=[first_file])
    with server.connect() as aware, server.connect() as unaware:
        aware.call("set_db_change_aware", [True])
        unaware.call("echo", [])
        server.appctl("ovsdb-server/add-db", str(second_file))
        assert unaware.recv() is None
        assert aware.call("list_dbs", []) == ["T", "U", "_Server"]
        aware.transact("U", insert("Item", {"n": 1}))
    assert server.appctl("ovsdb-server/list-dbs").stdout.split() == ["T", "U", "_Server"]
    assert server.appctl("ovsdb-server/list-remotes").stdout.split() == [f"punix:{server.socket}"]
    server.appctl("ovsdb-server/compact", "U")
    server.appctl("ovsdb-server/compact")
    assert re.match(r"atoms:\d+ cells:\d+ monitors:\d+ n-weak-refs:\d+", server.appctl("memory/show").stdout)
    assert "transactions: " in server.appctl("ovsdb-server/perf-counters-show").stdout
    server.appctl("ovsdb-server/perf-counters-clear")
    assert "sessions" not in server.appctl("memory/show").stdout
    assert "nope" in server.appctl("ovsdb-server/remove-db", "nope", status=2).stderr
    server.appctl("ovsdb-server/remove-db", "U")
    with server.connect() as rpc:
        assert rpc.call("list_dbs", []) == ["T", "_Server"]
        server.appctl("ovsdb-server/reconnect")
        assert rpc.recv() is None
    server.appctl("exit")
    assert server.wait() == 0
    assert not os.path.exists(server.socket)


def test_sigterm_ends_cleanly(box, schema):
    server = box.start_ovsdb_server(schema=schema)
    with server.connect() as rpc:
        rpc.transact("T", insert("Item", {"n": 1}))
        os.kill(server.pid, signal.SIGTERM)
        assert rpc.recv() is None
    assert server.wait() == 0
    assert not os.path.exists(server.socket)


def test_what_a_build_without_tls_says(box):
    """With TLS, the same is found wrong for another reason."""
    path = box.create_database()
    for words in (["ovs-vsctl", "--db=ssl:127.0.0.1:1", "show"], ["ovsdb-client", "list-dbs", "ssl:127.0.0.1:1"],
                  ["ovs-vswitchd", "ssl:127.0.0.1:1"], ["ovsdb-client", "list-dbs", "pssl:0"],
                  ["ovsdb-server", path, f"--unixctl={box.run_dir}/s.ctl", "--remote=pssl:0"],
                  *([program, "--certificate=", "show"] for program in
                    ("ovs-vsctl", "ovsdb-client", "ovs-vswitchd", "ovsdb-server"))):
        said = box.run(*words, status=1).stderr
        assert ("this build has no TLS" in said) != has_tls(), words
        assert "TLS" in said or "--certificate" in said


@pytest.mark.parametrize("option", ["--sync-from=tcp:127.0.0.1:6640", "--active",
                                    "--sync-exclude-tables=Open_vSwitch:SSL"])
def test_an_active_backup_pair_is_refused(box, option):
    path = box.create_database()
    refused = box.run("ovsdb-server", path, f"--remote=punix:{box.run_dir}/db.sock", option, status=1)
    assert refused.stderr == (f"ovsdb-server: {option.split('=')[0]}: active-backup pairs are not supported by "
                              "this version\n")


FORMS = ("the forms are punix:FILE, ptcp:[PORT][:IP], pssl:[PORT][:IP], unix:FILE, tcp:HOST[:PORT], "
         "ssl:HOST[:PORT] and db:DATABASE,TABLE,COLUMN")
REFUSED = [
    ("unx:/x", f"unx:/x: not a remote; {FORMS}"),
    ("/x.sock", f"/x.sock: not a remote; {FORMS} (did you mean punix:/x.sock?)"),
    ("ptcp:99999", 'ptcp:99999: "99999" is not a port number (0 to 65535)'),
    ("tcp:127.0.0.1:abc", 'tcp:127.0.0.1:abc: "abc" is not a port number (1 to 65535)'),
    ("db:T,Top", "db:T,Top: not of the form db:DATABASE,TABLE,COLUMN"),
    ("db:T,Nope,targets", "db:T,Nope,targets: no table named Nope (did you mean Top?)")]


@pytest.mark.parametrize("remote, why", REFUSED)
def test_a_remote_that_is_refused_at_the_start(box, schema, remote, why):
    path = box.create_database(box.db_dir / "t.db", schema)
    done = box.run("ovsdb-server", path, f"--unixctl={box.run_dir}/s.ctl", "--no-chdir", f"--remote={remote}",
                   status=1)
    assert done.stderr == f"ovsdb-server: {why}\n"


def test_remotes_that_are_refused_later(box, schema):
    server = box.start_ovsdb_server(schema=schema)
    for remote, why in REFUSED:
        assert why in server.appctl("ovsdb-server/add-remote", remote, status=2).stderr
    plain = box.top / "plain"
    plain.write_text("mine")
    assert (f"punix:{plain}: something that is not a socket has this name already; remove it, or use another name"
            in server.appctl("ovsdb-server/add-remote", f"punix:{plain}", status=2).stderr)
    assert plain.read_text() == "mine"
    assert server.appctl("ovsdb-server/list-remotes").stdout.split() == [f"punix:{server.socket}"]


def log_lines(box, text, name="ovsdb-server"):
    return [line for line in (box.log_dir / f"{name}.log").read_text().splitlines() if text in line]


def test_a_manager_that_cannot_be_used_is_reported_once(box, schema):
    server = box.start_ovsdb_server(schema=schema, remotes=["db:T,Top,managers"])
    with server.connect() as rpc:
        rpc.transact("T", insert("Top", {"managers": ["named-uuid", "m"]}),
                     insert("Manager", {"target": "ssk:192.0.2.1:6640"}, **{"uuid-name": "m"}))
        why = f"ssk:192.0.2.1:6640: not a remote; {FORMS}"
        wait_until(lambda: "last_error" in status_of(manager(rpc)))
        assert status_of(manager(rpc)) == {"state": "VOID", "last_error": why}
        for n in range(20):
            rpc.transact("T", insert("Item", {"n": n}))
        assert [line.split("|", 4)[3:] for line in log_lines(box, "ssk:")] == [["WARN", why]]
        # Another target is another matter, and the first one is reported again when it comes back.
        for target in ["pssk:1", "ssk:192.0.2.1:6640"]:
            rpc.transact("T", {"op": "update", "table": "Manager", "where": [], "row": {"target": target}})
        assert len(log_lines(box, "|WARN|pssk:1: not a remote")) == 1
        assert len(log_lines(box, f"|WARN|{why}")) == 2


def test_a_manager_whose_address_is_in_use_is_tried_again(box, schema):
    server = box.start_ovsdb_server(schema=schema, remotes=["db:T,Top,managers"])
    with socket.socket() as other, server.connect() as rpc:
        other.bind(("127.0.0.1", 0))
        other.listen()
        target = "ptcp:%d:127.0.0.1" % other.getsockname()[1]
        server.appctl("time/stop")
        rpc.transact("T", insert("Top", {"managers": ["named-uuid", "m"]}),
                     insert("Manager", {"target": target}, **{"uuid-name": "m"}))
        for n in range(5):
            rpc.transact("T", insert("Item", {"n": n}))
        server.appctl("time/warp", "5000")
        wait_until(lambda: "last_error" in status_of(manager(rpc)))
        other.close()
        server.appctl("time/warp", "10000")
        wait_until(lambda: "bound_port" in status_of(manager(rpc)))
        assert log_lines(box, f"|WARN|{target}: Address already in use")[1:] == []


def test_what_the_operator_adds_is_refused_at_once_though_a_manager_waits_for_it(box, schema):
    server = box.start_ovsdb_server(schema=schema, remotes=["db:T,Top,managers"])
    with socket.create_server(("127.0.0.1", 0)) as other, server.connect() as rpc:
        target = "ptcp:%d:127.0.0.1" % other.getsockname()[1]
        rpc.transact("T", insert("Top", {"managers": ["named-uuid", "m"]}),
                     insert("Manager", {"target": target}, **{"uuid-name": "m"}))
        wait_until(lambda: "last_error" in status_of(manager(rpc)))
        refused = server.appctl("ovsdb-server/add-remote", target, status=2)
        assert f"{target}: Address already in use" in refused.stderr
        assert target not in server.appctl("ovsdb-server/list-remotes").stdout


def test_a_database_that_is_not_there(box):
    options = [f"--unixctl={box.run_dir}/s.ctl", "--no-chdir"]
    for name, schema in ("conf.db", "/share/vswitch.ovsschema"), ("x.db", "SCHEMA"):
        path = box.db_dir / name
        done = box.run("ovsdb-server", path, *options, status=1, env={"OVS_PKGDATADIR": "/share"})
        assert done.stderr == (f"ovsdb-server: {path}: there is no such database; "
                               f'create it with "ovsdb-tool create {path} {schema}"\n')
    assert list(box.db_dir.iterdir()) == []
    done = box.run("ovsdb-server", box.top, *options, status=1)
    assert done.stderr == f"ovsdb-server: {box.top}: opening: Is a directory\n"


def test_a_start_that_fails_says_so_in_the_log_too(box, schema):
    path = box.create_database(schema=schema)
    log = box.log_dir / "ovsdb-server.log"
    words = ["-vconsole:off", f"--log-file={log}", f"--pidfile={box.run_dir}/s.pid", "--no-chdir"]
    missing = box.db_dir / "none.db"
    for more, reason in (
            ([path, "--remote=udp:1", f"--unixctl={box.run_dir}/s.ctl"], "udp:1: not a remote"),
            ([path, f"--remote=punix:{box.top}/none/s", f"--unixctl={box.run_dir}/s.ctl"], f"punix:{box.top}/none/s: "),
            ([path, f"--unixctl={box.top}/none/s.ctl"], f"{box.top}/none/s.ctl"),
            ([missing, f"--unixctl={box.run_dir}/s.ctl"], f"{missing}: there is no such database")):
        done = box.run("ovsdb-server", *words, *more, status=1)
        (complaint,) = done.stderr.splitlines()
        assert reason in complaint
        last = log.read_text().splitlines()[-1]
        assert last.endswith("|ovsdb_server|ERR|" + complaint.removeprefix("ovsdb-server: "))


@pytest.mark.parametrize("same_pidfile", [True, False])
def test_a_second_server_leaves_the_first_alone(box, schema, same_pidfile):
    server = box.start_ovsdb_server(schema=schema)
    log = box.log_dir / "ovsdb-server.log"
    before = log.read_text()
    assert "opened log file" in before.splitlines()[0]
    pidfile = f"{box.run_dir}/{'ovsdb-server' if same_pidfile else 'other'}.pid"
    path = box.db_dir / "conf.db"
    done = box.run("ovsdb-server", path, f"--remote=punix:{server.socket}", f"--log-file={log}",
                   f"--pidfile={pidfile}", f"--unixctl={box.run_dir}/s.ctl", "--no-chdir", status=1)
    if same_pidfile:
        assert done.stderr.splitlines()[-1] == f"ovsdb-server: {pidfile}: already running as pid {server.pid}, aborting"
    else:
        lock = path.parent / ".conf.db.~lock~"
        assert done.stderr.splitlines()[-1] == (
            f"ovsdb-server: {path}: cannot be locked: it is locked by process {server.pid} already "
            f"(lock file {lock})")
    assert log.read_text() == before
    with server.connect() as rpc:
        assert rpc.call("list_dbs", []) == ["T", "_Server"]
    assert server.appctl("version").stdout.startswith("ovsdb-server ")


@pytest.mark.parametrize("arguments", [["relay:T:tcp:127.0.0.1:1"], ["--sync-from=tcp:127.0.0.1:1"]])
def test_what_is_not_supported_is_refused(box, schema, arguments):
    path = box.create_database(box.db_dir / "t.db", schema)
    server = box.start("ovsdb-server", path, f"--unixctl={box.run_dir}/s.ctl", "--no-chdir", *arguments)
    assert server.wait() == 1
    assert "ovsdb-server: " in server.stderr()
