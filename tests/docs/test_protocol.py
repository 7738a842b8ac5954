"""What ovsdb-server(7) tells authors of clients, held against the server."""

import pytest

import ovs_test

DB = "Open_vSwitch"
ZERO = "00000000-0000-0000-0000-000000000000"
CHOSEN = "f7a1c5d2-4b11-4b5c-9d0a-1f6f6c1f3c6e"


@pytest.fixture
def server(box):
    return box.start_ovsdb_server()


@pytest.fixture
def rpc(server):
    with server.connect() as connection:
        yield connection


def insert(dscp):
    return {"op": "insert", "table": "Queue", "row": {"dscp": dscp}}


def select(*where):
    return {"op": "select", "table": "Queue", "where": list(where), "columns": ["dscp"]}


def update(dscp):
    return {"op": "update", "table": "Queue", "where": [], "row": {"dscp": dscp}}


def test_json(rpc):
    rpc.send(b'{"method":"transact","id":1,"params":["Open_vSwitch",{"op":"insert","table":"Queue",'
             b'"row":{"dscp":1,"dscp":2e0}}]}{"method":"echo","id":2,"params":[3]}')
    assert rpc.recv()["error"] is None
    assert rpc.recv()["result"] == [3]
    assert rpc.transact(DB, select()) == [{"rows": [{"dscp": 2}]}]  # the last of two; 2e0 is an integer


@pytest.mark.parametrize("message", [b"[" * 20000, b'{"method":"echo","id":1,"params":["\xff"]}', b"{]",
                                     b'{"nothing":1}'])
def test_what_ends_a_connection(box, server, message):
    with server.connect() as rpc, server.connect() as other:
        rpc.send(message)
        try:
            assert rpc.recv() is None
        except ConnectionResetError:
            pass  # with what was not read
        ovs_test.wait_until(lambda: "received bad JSON" in (box.log_dir / "ovsdb-server.log").read_text(),
                            what="the reason in the log")
        assert other.call("echo", [1]) == [1]


def test_errors(rpc):
    def error(*operations):
        return rpc.transact(DB, *operations)[-1]["error"]

    assert error({**select(), "table": "Nowhere"}) == "syntax error"
    assert error(select(["nothing", "==", 1])) == "unknown column"
    assert error({"op": "insert", "table": "Queue",
                  "row": {"other_config": ["map", [["a", "1"], ["a", "2"]]]}}) == "ovsdb error"
    assert rpc.call_error("get_schema", ["Nowhere"])["error"] == "unknown database"
    assert rpc.call_error("do_it", []) == "unknown method"
    assert rpc.call_error("monitor_cancel", ["none"]) == "unknown monitor"
    assert rpc.transact(DB, {"op": "comment", "comment": "x"}, {"op": "commit", "durable": False}) == [{}, {}]
    assert error({"op": "abort"}) == "aborted"
    root = {"op": "insert", "table": "Open_vSwitch", "row": {}}
    results = rpc.transact(DB, root, root)  # good one by one, but one row too many in all
    assert [set(r) & {"uuid", "error"} for r in results] == [{"uuid"}, {"uuid"}, {"error"}]


def test_insert_with_uuid(rpc):
    assert rpc.transact(DB, {**insert(1), "uuid": CHOSEN}) == [{"uuid": ["uuid", CHOSEN]}]
    assert rpc.transact(DB, {**insert(1), "uuid": CHOSEN})[0]["error"] == "duplicate uuid"


def test_conditions(rpc):
    rpc.transact(DB, insert(1), insert(5), {"op": "insert", "table": "Queue", "row": {}})

    def found(*where):
        return sorted(str(row["dscp"]) for row in rpc.transact(DB, select(*where))[0]["rows"])

    assert found(["dscp", "<", 5]) == ["1"]
    assert found(["dscp", ">=", 1]) == ["1", "5"]
    assert found(True) == found() == ["1", "5", "['set', []]"]
    assert found(False) == []


def test_waiting_holds_nobody_up(server, rpc):
    wait = {"op": "wait", "table": "Queue", "columns": ["dscp"], "where": [], "until": "==",
            "rows": [{"dscp": 7}], "timeout": 60000}
    waiting = rpc.request("transact", [DB, wait])
    echo = rpc.request("echo", [])
    assert rpc.recv()["id"] == echo
    with server.connect() as other:
        other.transact(DB, insert(7))
    assert rpc.reply(waiting)["result"] == [{}]


def test_monitors(rpc):
    uuid = rpc.transact(DB, insert(2))[0]["uuid"][1]
    assert rpc.call("monitor", [DB, "one", {"Queue": {"columns": ["dscp"]}}]) == \
        {"Queue": {uuid: {"new": {"dscp": 2}}}}
    below = [{"columns": ["dscp"], "where": [["dscp", "<", 3]]}]
    assert rpc.call("monitor_cond", [DB, "two", {"Queue": below}]) == \
        {"Queue": {uuid: {"initial": {"dscp": 2}}}}
    assert rpc.call_error("monitor", [DB, "two", {"Queue": [{}]}])["error"] == "syntax error"
    found, last, rows = rpc.call("monitor_cond_since", [DB, "three", {"Queue": [{"columns": ["dscp"]}]}, ZERO])
    assert (found, rows) == (False, {"Queue": {uuid: {"initial": {"dscp": 2}}}})

    # Updates come before the reply to the transaction that caused them.
    request = rpc.request("transact", [DB, update(9)])
    messages = [rpc.recv() for _ in range(4)]
    assert messages[3]["id"] == request
    changes = {m["method"]: m["params"] for m in messages[:3]}
    assert changes["update"][1] == {"Queue": {uuid: {"old": {"dscp": 2}, "new": {"dscp": 9}}}}
    assert changes["update2"] == ["two", {"Queue": {uuid: {"delete": None}}}]
    assert changes["update3"][2] == {"Queue": {uuid: {"modify": {"dscp": 9}}}}

    # A client that comes back gets what it has missed.
    newest = changes["update3"][1]
    assert rpc.call("monitor_cond_since", [DB, "four", {"Queue": [{"columns": ["dscp"]}]}, last]) == \
        [True, newest, {"Queue": {uuid: {"modify": {"dscp": 9}}}}]

    change = rpc.request("monitor_cond_change", ["two", "five", {"Queue": [{"where": [["dscp", "==", 9]]}]}])
    assert rpc.recv()["params"] == ["five", {"Queue": {uuid: {"insert": {"dscp": 9}}}}]
    assert rpc.reply(change)["result"] == {}
    for name in ("one", "three", "four", "five"):
        assert rpc.call("monitor_cancel", [name]) == {}


def test_databases_that_change(server, rpc):
    schema = rpc.call("get_schema", [DB])
    del schema["tables"]["AutoAttach"], schema["tables"]["Bridge"]["columns"]["auto_attach"]
    with server.connect() as aware:
        assert aware.call("set_db_change_aware", [True]) == {}
        aware.call("monitor", [DB, "mine", {"Queue": [{}]}])
        assert rpc.call("convert", [DB, schema]) == {}
        assert aware.notification()["method"] == "monitor_canceled"
        assert "AutoAttach" not in aware.call("get_schema", [DB])["tables"]
    assert rpc.recv() is None  # it was not aware of changes


def test_server_id(server, rpc):
    with server.connect() as other:
        assert rpc.call("get_server_id", []) == other.call("get_server_id", []) != ZERO


def test_silence(server, rpc):
    """A silent client is asked, and loses its connection if it does not answer."""
    server.appctl("time/stop")
    rpc.call("echo", [])
    server.appctl("time/warp", "5000", "1000")
    assert rpc.recv()["method"] == "echo"
    server.appctl("time/warp", "10000", "1000")
    assert ovs_test.wait_until(lambda: rpc.recv() is None, what="the end of the connection")
