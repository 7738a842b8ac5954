"""ovsdb-client as a user meets it: what it says when things go wrong, what it waits for, daemons."""

import json
import os
import signal
import subprocess

import ovs_test
import pytest

SCHEMA = {"name": "D", "version": "1.0.0", "tables": {
    "T": {"isRoot": True, "columns": {"n": {"type": "integer"}, "s": {"type": "string"}}}}}


@pytest.fixture
def server(box):
    schema = box.top / "D.ovsschema"
    schema.write_text(json.dumps(SCHEMA))
    return box.start_ovsdb_server(schema=schema)


def insert(n, s=""):
    return {"op": "insert", "table": "T", "row": {"n": n, "s": s}}


def client(box, *arguments, status=0, **options):
    return box.run("ovsdb-client", *arguments, status=status, **options)


def popen(box, *arguments, **options):
    return subprocess.Popen([ovs_test.program("ovsdb-client"), *map(str, arguments)], env=box.env, cwd=box.top,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            **options)


# --- what it says -----------------------------------------------------------------------------

def test_a_missing_server_is_named_with_advice(box):
    done = client(box, "list-dbs", status=1)
    assert f"unix:{box.run_dir}/db.sock" in done.stderr
    assert "No such file or directory" in done.stderr and "is ovsdb-server running" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_socket_without_a_listener_is_told_from_a_missing_one(box, server):
    server.kill()
    done = client(box, "list-dbs", status=1)
    assert "Connection refused" in done.stderr or "No such file" in done.stderr
    assert "is ovsdb-server running" in done.stderr


@pytest.mark.parametrize("remote, reason", [
    ("ssl:127.0.0.1:6640", "TLS"),
    ("tcp:127.0.0.1:99999", "is not a port number"),
    ("tcp:[::1:6640", "bracket"),
    ("tcp:no-such-host.invalid:6640", "cannot be resolved"),
])
def test_a_wrong_remote_is_explained(box, remote, reason):
    done = client(box, "list-dbs", remote, status=1)
    assert reason in done.stderr
    assert "Invalid argument" not in done.stderr
    assert done.stderr.count(remote) == 1


def test_every_server_of_a_list_is_accounted_for(box):
    done = client(box, "list-dbs", "unix:a.sock,unix:b.sock", status=1)
    assert "unix:a.sock" in done.stderr and "unix:b.sock" in done.stderr


@pytest.mark.parametrize("remotes", ["unix:none.sock,unix:db.sock", "unix:db.sock,unix:none.sock"])
def test_one_good_server_of_a_list_is_enough(box, server, remotes):
    assert client(box, "get-schema-version", remotes, "D").stdout == "1.0.0\n"


def test_mistyped_words_are_answered_with_the_nearest(box, server):
    assert "did you mean 'list-tables'" in client(box, "list-table", status=1).stderr
    assert "did you mean '--format'" in client(box, "--fromat=csv", "dump", status=1).stderr
    assert 'no database "E"' in client(box, "list-tables", "E", status=1).stderr
    done = client(box, "dump", "D", "T", "nn", status=1)
    assert '"nn"' in done.stderr and "did you mean n?" in done.stderr


def test_a_wrong_number_of_arguments_shows_the_usage(box, server):
    for arguments in (["transact"], ["wait", "D"], ["monitor"], ["list-dbs", "a", "b"]):
        done = client(box, *arguments, status=1)
        assert f"usage: {arguments[0]} " in done.stderr, done.stderr


def test_help_shows_every_command_and_option(box):
    text = client(box, "--help").stdout
    assert text == client(box, "help").stdout
    for word in ("list-dbs", "get-schema", "get-schema-version", "get-schema-cksum", "list-tables",
                 "list-columns", "transact", "query", "dump", "backup", "restore", "monitor",
                 "monitor-cond", "monitor-cond-since", "wait", "lock", "steal", "unlock", "convert",
                 "needs-conversion", "--format", "--data", "--timeout", "--detach", "--log-file"):
        assert f"  {word}" in text or f", {word}" in text, word


def test_the_only_database_is_the_default(box, server):
    assert client(box, "list-tables").stdout == "Table\n-----\nT\n"
    assert client(box, "get-schema-version").stdout == "1.0.0\n"


def test_full_disk(box, server):
    with open("/dev/full", "w") as full:
        done = subprocess.run([ovs_test.program("ovsdb-client"), "dump"], env=box.env, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=ovs_test.limit(10))
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


# --- what it waits for ------------------------------------------------------------------------

def test_a_timeout_says_what_was_waited_for(box, server):
    done = client(box, "--timeout=1", "wait", "D", "removed", status=-signal.SIGALRM)
    assert "timed out after 1 second, waiting for D to be removed" in done.stderr


def test_a_server_that_does_not_answer_is_named(box):
    """A listener that accepts and then says nothing."""
    path = box.run_dir / "mute.sock"
    with ovs_test.socket.socket(ovs_test.socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        seconds = 3 * round(ovs_test.limit(1))
        done = client(box, "-t", seconds, "list-dbs", f"unix:{path}", status=-signal.SIGALRM)
    lines = done.stderr.splitlines()
    assert lines[0] == f'ovsdb-client: waiting for the reply to "list_dbs" from unix:{path}'
    assert lines[1].startswith(f"ovsdb-client: timed out after {seconds} seconds")


def test_wait_until_a_database_comes_and_goes(box, server):
    schema = box.top / "other.ovsschema"
    schema.write_text(json.dumps({**SCHEMA, "name": "Other"}))
    other = box.create_database(box.db_dir / "other.db", schema)
    client(box, "wait", "D", "added")
    client(box, "wait", "D", "connected")
    client(box, "wait", "Other", "removed")
    added = popen(box, "wait", "Other", "added")
    connected = popen(box, "wait", "Other", "connected")
    server.appctl("ovsdb-server/add-db", other)
    assert added.wait(ovs_test.limit(10)) == 0
    assert connected.wait(ovs_test.limit(10)) == 0
    removed = popen(box, "wait", "Other", "removed")
    server.appctl("ovsdb-server/remove-db", "Other")
    assert removed.wait(ovs_test.limit(10)) == 0
    for process in (added, connected, removed):
        process.communicate()


def test_wait_outlives_the_server(box, server):
    """A server that is not there, or goes away, is waited for."""
    waiting = popen(box, "wait", "D", "removed")
    server.stop()
    first_line = waiting.stderr.readline()
    assert "waiting for D to be removed" in first_line
    schema = box.top / "other.ovsschema"
    schema.write_text(json.dumps({**SCHEMA, "name": "Other"}))
    box.start_ovsdb_server([box.create_database(box.db_dir / "other.db", schema)], name="second")
    assert waiting.wait(ovs_test.limit(15)) == 0
    waiting.communicate()


def test_a_wait_that_ends_says_why_the_server_was_not_reached(box):
    seconds = 2 * round(ovs_test.limit(1))
    done = client(box, "-t", seconds, "wait", "tcp:127.0.0.1:1", "D", "added", status=-signal.SIGALRM)
    reason = 'failed to connect to "tcp:127.0.0.1:1" (Connection refused); nobody listens there'
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"ovsdb-client: {reason}") and "waiting for D to be added at tcp:127.0.0.1:1" in lines[0]
    assert lines[1].startswith(f"ovsdb-client: timed out after {seconds} seconds")
    assert reason in lines[1] or "to take the connection" in lines[1]


def test_the_reasons_of_several_remotes_are_said_once(box):
    seconds = 4 * round(ovs_test.limit(1))
    remotes = f"tcp:127.0.0.1:1,unix:{box.run_dir}/a.sock,unix:{box.run_dir}/b.sock"
    done = client(box, "-t", seconds, "wait", remotes, "D", "added", status=-signal.SIGALRM)
    first, last = done.stderr.splitlines()
    assert first.startswith("ovsdb-client: no server was available: ")
    assert first.endswith(f"; waiting for D to be added at {remotes}")
    assert last.startswith(f"ovsdb-client: timed out after {seconds} seconds, waiting for ")


def test_a_server_may_come_to_us(box, server):
    """A passive remote: ovsdb-client listens, and ovsdb-server connects."""
    path = box.run_dir / "passive.sock"
    process = popen(box, "--timeout=20", "list-dbs", f"punix:{path}")
    ovs_test.wait_until(path.exists, what="the client to listen")
    server.appctl("ovsdb-server/add-remote", f"unix:{path}")
    output, errors = process.communicate(timeout=ovs_test.limit(20))
    assert process.returncode == 0, errors
    assert output == "D\n_Server\n"


# --- monitors ---------------------------------------------------------------------------------

def test_monitor_ends_with_its_server(box, server):
    process = popen(box, "monitor", "D", "ALL")
    with server.connect() as rpc:
        rpc.transact("D", insert(1))
    assert process.stdout.readline().startswith("row ")
    server.kill()
    _, errors = process.communicate(timeout=ovs_test.limit(10))
    assert process.returncode == 1 and f"unix:{box.run_dir}/db.sock" in errors


def test_monitor_ends_with_its_database(box, server):
    with server.connect() as rpc:
        rpc.transact("D", insert(1))
    process = popen(box, "monitor", "D", "ALL")
    assert process.stdout.readline().startswith("row ")
    server.appctl("ovsdb-server/remove-db", "D")
    _, errors = process.communicate(timeout=ovs_test.limit(10))
    assert process.returncode == 1 and "D database was removed" in errors


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_monitor_and_removes_its_pidfile(box, server, how):
    with server.connect() as rpc:
        rpc.transact("D", insert(1))
    process = popen(box, "--pidfile", "monitor", "D", "ALL")
    assert process.stdout.readline().startswith("row ")
    pidfile = box.run_dir / "ovsdb-client.pid"
    assert int(pidfile.read_text()) == process.pid
    process.send_signal(how)
    process.communicate(timeout=ovs_test.limit(10))
    assert process.returncode == -how
    assert not pidfile.exists()


class DetachedClient:
    """ovsdb-client --detach: its pid, control socket and output."""

    def __init__(self, box, *arguments):
        self.box = box
        self.output_path = box.top / "output"
        self.pidfile = box.run_dir / "detached.pid"
        with open(self.output_path, "w") as output:
            subprocess.run([ovs_test.program("ovsdb-client"), "--detach", "--no-chdir",
                            f"--pidfile={self.pidfile}", *arguments], env=box.env, stdout=output,
                           stderr=subprocess.PIPE, check=True, timeout=ovs_test.limit(20))
        self.pid = int(self.pidfile.read_text())

    def output(self):
        return self.output_path.read_text()

    def appctl(self, *arguments, status=0):
        control = self.box.run_dir / f"ovsdb-client.{self.pid}.ctl"
        return self.box.run("ovs-appctl", "-t", control, *arguments, status=status).stdout

    def alive(self):
        return ovs_test.is_running(self.pid)

    def end(self):
        self.appctl("exit")
        ovs_test.wait_until(lambda: not self.alive(), what="the detached client to end")
        assert not self.pidfile.exists()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)


def test_monitor_detaches_after_the_first_contents(box, server):
    with server.connect() as rpc:
        rpc.transact("D", insert(1, "first"))
        with DetachedClient(box, "--bare", "monitor", "D", "T", "s") as detached:
            assert detached.output().splitlines()[1:] == ["initial", "first"]
            rpc.transact("D", insert(2, "second"))
            ovs_test.wait_until(lambda: "second" in detached.output())
            assert "ovsdb-client/block" in detached.appctl("list-commands")
            detached.appctl("ovsdb-client/block")
            rpc.transact("D", insert(3, "third"))
            detached.appctl("version")
            assert "third" not in detached.output()
            detached.appctl("ovsdb-client/unblock")
            ovs_test.wait_until(lambda: "third" in detached.output())
            detached.end()


def test_detach_fails_where_the_monitor_cannot_begin(box, server):
    done = client(box, "--detach", "--pidfile", "monitor", "D", "Nope", status=1)
    assert 'does not have a table named "Nope"' in done.stderr
    assert not (box.run_dir / "ovsdb-client.pid").exists()


def test_conditions_change_while_it_runs(box, server):
    with server.connect() as rpc:
        rpc.transact("D", insert(1, "one"), insert(2, "two"))
        with DetachedClient(box, "--bare", "monitor-cond", "D", '[["n","==",1]]', "T", "s") as detached:
            assert "one" in detached.output() and "two" not in detached.output()
            detached.appctl("ovsdb-client/cond_change", "T", '[["n","==",2]]')
            ovs_test.wait_until(lambda: "two" in detached.output())
            detached.appctl("ovsdb-client/cond_change", "U", "[]", status=2)
            detached.appctl("ovsdb-client/cond_change", "T", '[["q","==",2]]', status=2)
            detached.end()


# --- locks ------------------------------------------------------------------------------------

def test_locks(box, server):
    with DetachedClient(box, "lock", "L") as first:
        assert first.output() == '{"locked":true}\n'
        second = popen(box, "lock", "L")
        assert second.stdout.readline() == '{"locked":false}\n'
        assert first.appctl("unlock", "L") == "{}\n"
        assert [second.stdout.readline() for _ in range(2)] == ["locked\n", '["L"]\n']
        assert first.appctl("steal", "L") == '{"locked":true}\n'
        assert [second.stdout.readline() for _ in range(2)] == ["stolen\n", '["L"]\n']
        second.terminate()
        second.communicate(timeout=ovs_test.limit(10))
        first.end()


def test_a_lock_with_a_bad_name_is_an_error(box, server):
    assert '"lock" failed' in client(box, "lock", "1-bad", status=1).stderr


# --- backup and restore -----------------------------------------------------------------------

@pytest.fixture
def snapshot(box, server):
    with server.connect() as rpc:
        rpc.transact("D", *(insert(n, "x" * 100) for n in range(100)))
    return client(box, "backup").stdout


def rows(server):
    with server.connect() as rpc:
        return rpc.transact("D", {"op": "select", "table": "T", "where": [], "columns": ["n"]})[0]["rows"]


@pytest.mark.parametrize("damage", [
    lambda text: text[:-1],                      # the last byte is missing
    lambda text: text[:len(text) // 2],
    lambda text: text.replace("x", "y", 1),      # the checksum no longer fits
    lambda text: text + "OVSDB JSON 5",
    lambda text: text.splitlines()[0] + "\n",    # a header alone
    lambda text: "",
    lambda text: "nonsense\n",
    lambda text: text.replace("OVSDB JSON", "OVSDB CLUSTER"),
], ids=["last byte", "half", "checksum", "torn header", "header alone", "empty", "nonsense", "clustered"])
def test_a_damaged_snapshot_changes_nothing(box, server, snapshot, damage):
    done = client(box, "restore", input=damage(snapshot), status=1)
    assert "snapshot" in done.stderr
    assert len(rows(server)) == 100


def test_restore_replaces_what_is_there(box, server, snapshot):
    with server.connect() as rpc:
        rpc.transact("D", {"op": "delete", "table": "T", "where": [["n", "<", 50]]}, insert(1000))
    assert client(box, "restore", input=snapshot).stdout == ""
    assert sorted(r["n"] for r in rows(server)) == list(range(100))


def test_a_snapshot_with_later_transactions(box, server):
    """Not only what backup writes: the file of a live database has many records."""
    with server.connect() as rpc:
        for n in range(20):
            rpc.transact("D", insert(n, "before"))
        rpc.transact("D", {"op": "update", "table": "T", "where": [["n", "<", 5]], "row": {"s": "after"}})
        rpc.transact("D", {"op": "delete", "table": "T", "where": [["n", ">", 10]]})
        before = sorted((r["n"], r["s"]) for r in rpc.transact(
            "D", {"op": "select", "table": "T", "where": []})[0]["rows"])
        text = (box.db_dir / "conf.db").read_text()
        rpc.transact("D", {"op": "delete", "table": "T", "where": []})
        client(box, "restore", input=text)
        assert before == sorted((r["n"], r["s"]) for r in rpc.transact(
            "D", {"op": "select", "table": "T", "where": []})[0]["rows"])
