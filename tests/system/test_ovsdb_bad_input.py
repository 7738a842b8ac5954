"""What bad input gets from ovsdb-server: an error for that request, or a closed connection with a
logged reason.  Never a crash, never another client's loss."""

import json
import os
import random
import re
import socket
import time

import ovs_test
import pytest

SCHEMA = {"name": "D", "version": "1.0.0", "tables": {
    "T": {"isRoot": True, "columns": {
        "i": {"type": "integer"}, "r": {"type": "real"}, "b": {"type": "boolean"},
        "s": {"type": "string"}, "u": {"type": "uuid"},
        "ref": {"type": {"key": {"type": "uuid", "refTable": "C"}, "min": 0, "max": 1}},
        "few": {"type": {"key": "integer", "min": 0, "max": 2}},
        "one": {"type": {"key": "integer", "min": 1, "max": 2}},
        "map": {"type": {"key": "string", "value": "integer", "min": 0, "max": "unlimited"}},
        "small": {"type": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 9}}},
        "short": {"type": {"key": {"type": "string", "maxLength": 3}}},
        "fixed": {"type": "string", "mutable": False},
        "color": {"type": {"key": {"type": "string", "enum": ["set", ["red", "green"]]}}}}},
    "C": {"columns": {"x": {"type": "string"}}},
    "Single": {"isRoot": True, "maxRows": 1, "columns": {"k": {"type": "string"}}},
    "Indexed": {"isRoot": True, "columns": {"k": {"type": "string"}}, "indexes": [["k"]]},
    "Config": {"isRoot": True, "columns": {
        "remotes": {"type": {"key": {"type": "uuid", "refTable": "Remote"}, "min": 0, "max": "unlimited"}}}},
    "Remote": {"columns": {
        "target": {"type": "string"},
        "inactivity_probe": {"type": {"key": "integer", "min": 0, "max": 1}},
        "is_connected": {"type": "boolean", "ephemeral": True}}}}}


@pytest.fixture
def server(box):
    schema = box.top / "D.ovsschema"
    schema.write_text(json.dumps(SCHEMA))
    path = box.create_database(schema=schema)
    return box.start_ovsdb_server([path], args=("--remote=db:D,Config,remotes",))


def log_of(server):
    return (server.box.log_dir / "ovsdb-server.log").read_text(errors="replace")


class Bystander:
    """A client that must not notice anything: its connection stays, its rows stay, it is served."""

    def __init__(self, server):
        self.server = server
        self.rpc = server.connect()

    def __enter__(self):
        self.rpc.transact("D", {"op": "insert", "table": "T", "row": {"s": "bystander", "color": "red"}})
        return self.rpc

    def __exit__(self, kind, *_):
        if kind is None:
            assert self.server.alive()
            assert self.rpc.transact("D", {"op": "select", "table": "T", "where": [["s", "==", "bystander"]],
                                           "columns": ["s"]}) == [{"rows": [{"s": "bystander"}]}]
        self.rpc.close()


# --- texts that are no JSON-RPC ---------------------------------------------------------------

ECHO = b'{"id":1,"method":"echo","params":["still here"]}'

CLOSING = {
    "not JSON": b"hello\n",
    "half a literal": b"nul]",
    "a stray bracket": b"]",
    "a stray comma": b'{"id":1,,"method":"echo","params":[]}',
    "a trailing comma": b'{"id":1,"method":"echo","params":[],}',
    "single quotes": b"{'id':1,'method':'echo','params':[]}",
    "no quotes": b"{id:1}",
    "a leading zero": b'{"id":01,"method":"echo","params":[]}',
    "a bare minus": b'{"id":-,"method":"echo","params":[]}',
    "a control character in a string": b'{"id":1,"method":"echo","params":["\x01"]}',
    "a wrong escape": b'{"id":1,"method":"echo","params":["\\q"]}',
    "half a \\u": b'{"id":1,"method":"echo","params":["\\u12"]}',
    "a lone low surrogate": b'{"id":1,"method":"echo","params":["\\udc00"]}',
    "a lone high surrogate": b'{"id":1,"method":"echo","params":["\\ud800x"]}',
    "10,000 deep arrays": b'{"id":1,"method":"echo","params":' + b"[" * 10000 + b"]" * 10000 + b"}",
    "10,000 deep objects": b'{"id":1,"method":"echo","params":[' + b'{"a":' * 10000 + b"1" + b"}" * 10000 + b"]}",
    "a million opening brackets": b"[" * 1000000,
    "bytes that are not UTF-8": b'{"id":1,"method":"echo","params":["\xff\xfe"]}',
    "an overlong form of UTF-8": b'{"id":1,"method":"echo","params":["\xc0\xaf"]}',
    "a surrogate in UTF-8": b'{"id":1,"method":"echo","params":["\xed\xa0\x80"]}',
    "a number": b"17 ",
    "a string": b'"echo"',
    "an array": b'[{"id":1,"method":"echo","params":[]}]',
    "null": b"null ",
    "an empty object": b"{}",
    "a method that is no string": b'{"id":1,"method":1,"params":[]}',
    "params that are no array": b'{"id":1,"method":"echo","params":{}}',
    "no params": b'{"id":1,"method":"echo"}',
    "a method and a result": b'{"id":1,"method":"echo","params":[],"result":1}',
    "a result and an error": b'{"id":1,"result":1,"error":2}',
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(100000),
    "random bytes": random.Random(1).randbytes(10000),
}


def outcome(server, data):
    """What a connection sees after `data`: "closed", or the replies before an echo's."""
    with server.connect() as rpc:
        try:
            rpc.send(data)
            rpc.send(b" " + ECHO)
        except (BrokenPipeError, ConnectionResetError):
            return "closed"
        replies = []
        while True:
            try:
                message = rpc.recv()
            except ConnectionResetError:
                return "closed"
            if message is None:
                return "closed"
            if message.get("result") == ["still here"]:
                return replies
            replies.append(message)


@pytest.mark.parametrize("what", CLOSING)
def test_what_is_no_json_rpc_closes_the_connection(server, what):
    with Bystander(server):
        before = len(log_of(server).splitlines())
        result = outcome(server, CLOSING[what])
        if result != "closed":
            # Or each text gets an error of its own.
            assert all(r.get("error") is not None for r in result), result
        else:
            ovs_test.wait_until(lambda: len(log_of(server).splitlines()) > before,
                                what="the reason in the log")


def patient_connect(server):
    """Connects where so many connections have just come that the listener's queue may be full."""
    def attempt():
        try:
            return server.connect()
        except BlockingIOError:
            return None
    return ovs_test.wait_until(attempt, what="room in the listener's queue")


def test_texts_cut_anywhere(server):
    """A request that ends in the middle is no request; one that comes byte by byte is one."""
    request = json.dumps({"id": 7, "method": "transact", "params": [
        "D", {"op": "insert", "table": "T", "row": {"s": "cut \u00e9\u20ac\U0001f600", "color": "red"}}]},
        ensure_ascii=False).encode()
    with Bystander(server) as bystander:
        for end in range(1, len(request)):
            with patient_connect(server) as rpc:
                rpc.send(request[:end])
        count = [{"op": "select", "table": "T", "where": [["s", "!=", "bystander"]], "columns": ["s"]}]
        assert bystander.transact("D", *count) == [{"rows": []}]
        with patient_connect(server) as rpc:
            for byte in request:
                rpc.send(bytes([byte]))
            assert rpc.reply(7)["error"] is None
        assert bystander.transact("D", *count) == [{"rows": [{"s": "cut \u00e9\u20ac\U0001f600"}]}]


def test_a_request_of_many_megabytes(server):
    """Large is not bad: it is carried out, while others are served."""
    with Bystander(server), server.connect(timeout=60) as rpc:
        text = "x" * (16 << 20)
        rpc.transact("D", {"op": "insert", "table": "T", "row": {"s": text, "i": 1, "color": "red"}})
        rows = rpc.transact("D", {"op": "select", "table": "T", "where": [["i", "==", 1]], "columns": ["s"]})
        assert rows[0]["rows"][0]["s"] == text


# --- requests that are wrong ------------------------------------------------------------------

WRONG_REQUESTS = [
    ("nope", []),
    ("transact", []), ("transact", [1]), ("transact", ["Nope"]), ("transact", [["D"]]),
    ("get_schema", []), ("get_schema", ["Nope"]), ("get_schema", [1]),
    ("monitor", ["Nope", None, {}]), ("monitor", ["D", None, {"Nope": {}}]),
    ("monitor", ["D", None, {"T": {"columns": ["nope"]}}]), ("monitor", ["D", None, {"T": 1}]),
    ("monitor", ["D", None, 1]),
    ("monitor_cond", ["D", None, {"T": [{"where": [["nope", "==", 1]]}]}]),
    ("monitor_cond", ["D", None, {"T": [{"where": [["i", "==", "x"]]}]}]),
    ("monitor_cancel", ["no such monitor"]),
    ("lock", []), ("lock", ["1 bad"]), ("lock", [1]), ("unlock", ["not held"]), ("steal", []),
    ("set_db_change_aware", ["x"]),
    ("convert", ["D", {}]), ("convert", ["D", {"name": "D"}]), ("convert", ["Nope", SCHEMA]),
]


@pytest.mark.parametrize("method,params", WRONG_REQUESTS, ids=lambda v: json.dumps(v)[:50])
def test_a_wrong_request_gets_an_error(server, method, params):
    with Bystander(server), server.connect() as rpc:
        assert rpc.call_error(method, params)
        assert rpc.call("echo", ["still here"]) == ["still here"]


def insert(table="T", **row):
    return {"op": "insert", "table": table, "row": {"color": "red", **row} if table == "T" else row}


def select(**members):
    return {"op": "select", "table": "T", **members}


def mutate(*mutation):
    return {"op": "mutate", "table": "T", "where": [], "mutations": [list(mutation)]}


def wait(**members):
    return {"op": "wait", "table": "T", "where": [], "columns": ["i"], "until": "==", "rows": [], "timeout": 0,
            **members}


SYNTAX, CONSTRAINT = "syntax error", "constraint violation"
SAME_UUID = {**insert(), "uuid": "00000000-0000-4000-8000-000000000005"}

# (operations, the error, of which operation; len(operations): of the whole when it is committed)
WRONG_OPERATIONS = [
    *(([wrong], SYNTAX, 0) for wrong in (
        1, "x", None, [], {}, {"op": 1}, {"op": "nope"}, {"op": "insert"}, insert("Nope"),
        {"op": "insert", "table": "T", "row": []}, {"op": "insert", "table": 1, "row": {}},
        {**insert(), "extra": 1})),
    ([insert(nope=1)], "unknown column", 0),
    *(([insert(**row)], SYNTAX, 0) for row in (
        {"i": 1 << 63}, {"i": -(1 << 63) - 1}, {"i": 1.5}, {"i": "1"}, {"i": True}, {"i": None}, {"r": "x"},
        {"b": 1}, {"s": 1}, {"u": "x"}, {"u": ["uuid", "x"]}, {"u": ["uuid", 1]}, {"u": ["uuid"]},
        {"u": ["named-uuid", "1 bad"]}, {"few": ["set", [1, 2, 3]]}, {"few": ["set", 1]},
        {"few": ["set", [1], 2]}, {"one": ["set", []]}, {"map": ["map", [["a"]]]}, {"map": ["map", ["a", 1]]},
        {"map": ["set", []]}, {"map": ["map", [["a", "b"]]]})),
    *(([insert(**row)], "ovsdb error", 0) for row in ({"few": ["set", [1, 1]]},
                                                      {"map": ["map", [["a", 1], ["a", 2]]]})),
    *(([insert(**row)], CONSTRAINT, 0) for row in ({"small": 10}, {"small": -1}, {"short": "long"},
                                                   {"color": "blue"})),
    ([insert(ref=["uuid", "00000000-0000-4000-8000-000000000001"])], "referential integrity violation", 1),
    ([{**insert(), "uuid-name": "a"}, {**insert(), "uuid-name": "a"}], "duplicate uuid-name", 1),
    ([{**insert(), "uuid-name": "1 bad"}], SYNTAX, 0),
    ([{**insert(), "uuid": "x"}], SYNTAX, 0),
    ([SAME_UUID, SAME_UUID], "duplicate uuid", 1),
    *(([select(**members)], SYNTAX, 0) for members in (
        {}, {"where": {}}, {"where": [[]]}, {"where": [["i", "==", 1, 2]]}, {"where": [["s", "<", "x"]]},
        {"where": [["i", "==", "x"]]}, {"where": [], "columns": ["nope"]}, {"where": [], "columns": ["i", "i"]},
        {"where": [], "columns": 1})),
    ([select(where=[["i", "=", 1]])], "unknown function", 0),
    ([select(where=[["nope", "==", 1]])], "unknown column", 0),
    ([{"op": "update", "table": "T", "where": [], "row": {"fixed": "x"}}], CONSTRAINT, 0),
    ([insert(i=1), mutate("i", "/=", 0)], "domain error", 1),
    ([insert(i=1), mutate("i", "%=", 0)], "domain error", 1),
    ([insert(i=(1 << 63) - 1), mutate("i", "+=", 1)], "range error", 1),
    ([insert(i=-(1 << 63)), mutate("i", "/=", -1)], "range error", 1),
    ([insert(r=1e308), mutate("r", "*=", 1e308)], "range error", 1),
    ([insert(), mutate("i", "nope", 1)], "unknown mutator", 1),
    ([insert(), mutate("i", "+=")], SYNTAX, 1),
    ([insert(), mutate("s", "+=", 1)], SYNTAX, 1),
    ([insert(), mutate("fixed", "insert", "x")], CONSTRAINT, 1),
    ([insert(small=9), mutate("small", "+=", 1)], CONSTRAINT, 1),
    ([wait(rows=[{"i": 1}])], "timed out", 0),
    ([wait(until="<")], SYNTAX, 0),
    ([wait(rows=[{"q": 1}])], "unknown column", 0),
    ([wait(timeout=-1)], SYNTAX, 0),
    ([wait(timeout="x")], SYNTAX, 0),
    *(([wrong], SYNTAX, 0) for wrong in (
        {"op": "commit"}, {"op": "commit", "durable": 1}, {"op": "abort", "x": 1}, {"op": "comment"},
        {"op": "comment", "comment": 1}, {"op": "assert"}, {"op": "assert", "lock": "1 bad"},
        {"op": "delete", "table": "T"}, {"op": "delete", "table": "T", "where": [], "row": {}})),
    ([{"op": "assert", "lock": "l"}], "not owner", 0),
    ([insert("Single", k="1"), insert("Single", k="2")], CONSTRAINT, 2),
    ([insert("Indexed", k="1"), insert("Indexed", k="1")], CONSTRAINT, 2),
]


def test_a_wrong_operation_gets_its_error_and_changes_nothing(server):
    after = insert(s="after")
    wrong = []
    with Bystander(server), server.connect() as rpc:
        def everything():
            return [rpc.transact("D", {"op": "select", "table": t, "where": []}) for t in SCHEMA["tables"]]

        before = everything()
        for operations, error, at in WRONG_OPERATIONS:
            # The operation behind the wrong one is not carried out.
            more = [*operations, after] if at < len(operations) else operations
            results = rpc.transact("D", *more)
            tags = [r.get("error") if r else None for r in results]
            expected = [None] * at + [error] + [None] * (len(more) - at - 1)
            if tags[:len(expected)] != expected or any(tags[len(expected):]):
                wrong.append(f"{json.dumps(operations)}: expected {expected}, got {tags}")
            elif not results[at].get("details") and error not in ("timed out", "unknown column", "aborted"):
                wrong.append(f"{json.dumps(operations)}: no details: {results[at]}")
            if everything() != before:
                wrong.append(f"{json.dumps(operations)}: changed the database")
                before = everything()
    assert not wrong, "\n".join(wrong)


# --- clients that do not keep up --------------------------------------------------------------

def fill(rpc, rows, size):
    for _ in range(rows):
        rpc.transact("D", insert("Indexed", k=os.urandom(size // 2).hex()))


def test_a_client_that_does_not_read_its_replies(server):
    """Many requests with large replies: the server stops reading them instead of growing."""
    with Bystander(server) as bystander, server.connect() as greedy:
        fill(bystander, 50, 20000)  # a reply of 1 MB
        request = json.dumps({"id": 1, "method": "transact", "params": [
            "D", {"op": "select", "table": "Indexed", "where": []}]}).encode()
        before = server.memory()
        greedy.sock.setblocking(False)
        sent = 0
        # 2 GB of replies are asked for, unless the server takes no more of the requests, or closes.
        quiet_since = time.monotonic()
        slow = 0
        while sent < 2000 * len(request) and time.monotonic() - quiet_since < ovs_test.limit(1):
            try:
                sent += greedy.sock.send(request)
                quiet_since = time.monotonic()
            except BlockingIOError:
                started = time.monotonic()
                assert bystander.call("echo", ["quick"]) == ["quick"]
                # Once it may have been others on this machine.
                slow += time.monotonic() - started >= ovs_test.limit(2)
                assert slow <= 1
            except (BrokenPipeError, ConnectionResetError):
                break
        assert bystander.call("echo", ["quick"]) == ["quick"]
        assert server.memory() - before < 200000, "more than 200 MB for one client"


def test_a_monitor_that_does_not_read_its_updates(server):
    """Changes for a client that does not read: bounded memory, and the others go on."""
    with Bystander(server) as bystander, server.connect() as monitor:
        monitor.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert monitor.call("monitor", ["D", None, {"T": {}}]) is not None
        before = server.memory()
        text = "y" * 20000
        for n in range(5000):  # 200 MB of updates
            results = bystander.transact("D", {"op": "delete", "table": "T", "where": [["s", "!=", "bystander"]]},
                                         insert(s=f"{n} {text}"))
            assert "error" not in results[1], results
        assert server.memory() - before < 200000, "more than 200 MB for one client"


# --- remotes of the database, and silent clients ----------------------------------------------

def set_remotes(rpc, *remotes):
    """Makes the database name these remotes and no others; each is a row's columns."""
    rows = [{"op": "insert", "table": "Remote", "uuid-name": f"r{n}", "row": row} for n, row in enumerate(remotes)]
    results = rpc.transact("D", {"op": "delete", "table": "Config", "where": []}, *rows, {
        "op": "insert", "table": "Config",
        "row": {"remotes": ["set", [["named-uuid", f"r{n}"] for n in range(len(rows))]]}})
    assert not any(r and "error" in r for r in results), results


def listens(path):
    return path.exists() and ovs_test.can_connect(path)


def test_remotes_come_and_go_with_their_rows(box, server):
    path = box.run_dir / "second.sock"
    with server.connect() as rpc:
        set_remotes(rpc, {"target": f"punix:{path}"})
        ovs_test.wait_until(lambda: listens(path), what="the new remote")
        with ovs_test.RpcClient(path) as second:
            assert "D" in second.call("list_dbs", [])
            set_remotes(rpc)
            ovs_test.wait_until(lambda: not listens(path), what="the end of the remote")
            assert second.recv() is None, "a connection of a remote that is gone stays"


def test_remotes_come_and_go_by_command(box, server):
    path = box.run_dir / "second.sock"
    server.appctl("ovsdb-server/add-remote", f"punix:{path}")
    assert listens(path)
    assert f"punix:{path}" in server.appctl("ovsdb-server/list-remotes").stdout.split()
    with ovs_test.RpcClient(path) as second:
        assert "D" in second.call("list_dbs", [])
        server.appctl("ovsdb-server/remove-remote", f"punix:{path}")
        assert second.recv() is None
    assert not listens(path)
    server.appctl("ovsdb-server/remove-remote", f"punix:{path}", status=2)


def test_a_remote_that_cannot_be_had_is_logged_and_hurts_nobody(box, server):
    with Bystander(server) as rpc:
        set_remotes(rpc, {"target": f"punix:{box.top}/no/such/folder/sock"}, {"target": "gibberish"})
        ovs_test.wait_until(lambda: re.search("no/such/folder", log_of(server)), what="the reason in the log")


def test_a_silent_client_is_dropped(box, server):
    """One that answers no echo is taken for dead; one that answers stays."""
    path = box.run_dir / "probed.sock"
    with Bystander(server) as rpc:
        set_remotes(rpc, {"target": f"punix:{path}", "inactivity_probe": 1000})
        ovs_test.wait_until(lambda: listens(path), what="the new remote")
        # By the server's clock: it does not run on while we are held up.
        server.appctl("time/stop")
        with ovs_test.RpcClient(path, timeout=30) as silent, ovs_test.RpcClient(path, timeout=30) as alive:
            assert "D" in silent.call("list_dbs", [])
            assert "D" in alive.call("list_dbs", [])
            for turn in range(4):
                server.appctl("time/warp", "1000")
                probe = alive.recv()
                assert probe["method"] == "echo"
                alive.send({"id": probe["id"], "result": probe["params"], "error": None})
                # When it answers this, it has taken the other answer.
                assert "D" in alive.call("list_dbs", [])
                if turn == 0:
                    assert silent.recv()["method"] == "echo"
            assert silent.recv() is None, "the silent client stays"
