"""Dialogues with our ovsdb-server and with the packaged one: the same messages come back.

A dialogue is a list of steps (connection, message), on up to three connections.  After each step
every connection is asked for an echo, twice, so that whatever the step causes has arrived; what
came is compared connection by connection.  Of errors only the kind counts, not the explanation.
"""

import json

import ovs_test
import pytest

SCHEMA = {
    "name": "Talk", "version": "1.2.3",
    "tables": {
        "A": {"isRoot": True, "indexes": [["name"]], "columns": {
            "name": {"type": "string"},
            "numbers": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
            "map": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}}},
        "B": {"isRoot": True, "columns": {"x": {"type": "integer"}}}}}

ZERO = "00000000-0000-0000-0000-000000000000"


def uuid_of(number):
    return f"00000000-0000-4000-8000-{number:012x}"


class Talk:
    """Connections to one server; remembers what arrived."""

    def __init__(self, box, flavour):
        schema = box.top / "talk.ovsschema"
        schema.write_text(json.dumps(SCHEMA))
        self.server = box.start_ovsdb_server(schema=schema, flavour=flavour)
        self.connections = {}
        self.serial = 0

    def connection(self, name):
        if name not in self.connections:
            self.connections[name] = self.server.connect()
        return self.connections[name]

    def step(self, name, message):
        """What arrives anywhere after the message was sent, as text, with UUIDs numbered."""
        if message == "close":
            self.connections.pop(name).close()
        else:
            self.connection(name).send(message)
        arrived = {}
        for _ in range(2):
            for other, connection in self.connections.items():
                self.serial += 1
                mark = f"mark-{self.serial}"
                connection.send({"method": "echo", "params": [], "id": mark})
                while (reply := connection.recv()) and reply.get("id") != mark:
                    arrived.setdefault(other, []).append(comparable(reply))
                assert reply, "the server closed the connection"
        for messages in arrived.values():
            in_any_order(messages)
        return ovs_test.normalize_uuids(json.dumps(arrived, sort_keys=True))


def in_any_order(messages):
    """Sorts notifications that come one after the other: their order says nothing."""
    start = 0
    for end in range(len(messages) + 1):
        if end == len(messages) or "method" not in messages[end]:
            messages[start:end] = sorted(messages[start:end], key=json.dumps)
            start = end + 1


def comparable(value):
    if isinstance(value, dict):
        if value.get("error") is not None:
            error = value["error"]
            kind = error.get("error") if isinstance(error, dict) else error
            # Ours has the "result": null that RFC 7047 asks for beside an error.
            return {"error": kind, **({"id": value["id"]} if "id" in value else {})}
        return {k: comparable(v) for k, v in value.items() if k != "_version"}
    if isinstance(value, list):
        if len(value) == 2 and value[0] in ("set", "map") and isinstance(value[1], list):
            return [value[0], sorted(map(comparable, value[1]), key=json.dumps)]
        return [comparable(v) for v in value]
    return value


def request(method, *params, id=0):
    return {"method": method, "params": list(params), "id": id}


def insert(number, table="A", id=1, **row):
    if table == "A":
        row["name"] = f"n{number}"
    return request("transact", "Talk", {"op": "insert", "table": table, "uuid": uuid_of(number),
                                        "row": row}, id=id)


def update(which, id=2, **row):
    return request("transact", "Talk", {"op": "update", "table": "A",
                                        "where": [["name", "==", which]], "row": row}, id=id)


def wait_for(name, timeout=None, id=3):
    operation = {"op": "wait", "table": "A", "where": [["name", "==", name]], "columns": ["name"],
                 "until": "==", "rows": [{"name": name}]}
    if timeout is not None:
        operation["timeout"] = timeout
    return request("transact", "Talk", operation, {"op": "comment", "comment": "done"}, id=id)


EVERYTHING = {"A": [{}], "B": [{}]}

DIALOGUES = {
    "requests that are wrong": [
        ("a", request(method, *params)) for method, params in [
            ("nonsense", []), ("list_dbs", []), ("get_schema", ["Nope"]), ("get_schema", []),
            ("get_schema", [1]), ("transact", []), ("transact", ["Nope"]), ("transact", [1]),
            ("transact", ["Talk"]), ("transact", ["Talk", 1]), ("transact", ["Talk", {}]),
            ("transact", ["Talk", {"op": "nope"}]), ("transact", ["Talk", {"op": "insert"}]),
            ("transact", ["Talk", {"op": "insert", "table": "A", "row": {"x": 1}}]),
            ("transact", ["Talk", {"op": "insert", "table": "A", "row": {"name": 1}}]),
            ("transact", ["Talk", {"op": "insert", "table": "A", "row": {"_uuid": ["uuid", ZERO]}}]),
            ("transact", ["Talk", {"op": "select", "table": "A"}]),
            ("transact", ["Talk", {"op": "select", "table": "A", "where": [["x", "==", 1]]}]),
            ("transact", ["Talk", {"op": "select", "table": "A", "where": [["name", "~", "x"]]}]),
            ("transact", ["Talk", {"op": "select", "table": "A", "where": [["name", "=="]]}]),
            ("transact", ["Talk", {"op": "select", "table": "A", "where": [], "columns": ["z"]}]),
            ("transact", ["Talk", {"op": "mutate", "table": "A", "where": [],
                                   "mutations": [["name", "+=", 1]]}]),
            ("transact", ["Talk", {"op": "mutate", "table": "A", "where": [],
                                   "mutations": [["_uuid", "+=", 1]]}]),
            ("transact", ["Talk", {"op": "wait", "table": "A", "where": [], "columns": [],
                                   "until": "maybe", "rows": []}]),
            ("transact", ["Talk", {"op": "comment"}]),
            ("transact", ["Talk", {"op": "commit"}]),
            ("transact", ["Talk", {"op": "assert", "lock": "bad name"}]),
            ("transact", ["Talk", {"op": "abort"}, {"op": "comment", "comment": "x"}]),
            ("monitor", ["Nope", None, {}]), ("monitor", ["Talk", None, {"Nope": [{}]}]),
            ("monitor", ["Talk", None, {"A": [{"columns": ["nope"]}]}]),
            ("monitor", ["Talk", None, {"A": [{"columns": ["name", "name"]}]}]),
            ("monitor", ["Talk", None, {"A": [{"select": {"initial": 1}}]}]),
            ("monitor", ["Talk", None, {"A": [{"nope": 1}]}]),
            ("monitor_cond", ["Talk", "m", {"A": [{"where": [["nope", "==", 1]]}]}]),
            ("monitor_cancel", ["nope"]), ("monitor_cancel", []),
            ("monitor_cond_change", ["nope", "new", {}]),
            ("lock", []), ("lock", ["bad name"]), ("lock", [1]), ("unlock", ["never_locked"]),
            ("steal", ["bad name"]), ("set_db_change_aware", ["x"]), ("set_db_change_aware", []),
        ]],
    "requests that are right": [
        ("a", request("list_dbs")), ("a", request("get_schema", "Talk")),
        ("a", request("echo", 1, "two", {"three": None}, id="an id")),
        ("a", request("echo", id={"any": ["json"]})),
        ("a", request("set_db_change_aware", True)),
        ("a", {"method": "echo", "params": [], "id": None}),
        ("a", request("transact", "Talk", {"op": "comment", "comment": "x"},
                      {"op": "commit", "durable": True}, {"op": "commit", "durable": False})),
        ("a", request("transact", "Talk", {"op": "select", "table": "A", "where": []},
                      {"op": "delete", "table": "A", "where": []})),
    ],
    "locks": [
        ("a", request("lock", "one")), ("b", request("lock", "one")), ("c", request("lock", "one")),
        ("a", request("lock", "one")),
        ("b", request("transact", "Talk", {"op": "assert", "lock": "one"})),
        ("a", request("transact", "Talk", {"op": "assert", "lock": "one"})),
        ("a", request("unlock", "one")),
        ("c", request("steal", "one")),
        ("b", request("transact", "Talk", {"op": "assert", "lock": "one"})),
        # Not here: c's unlock while b has the lock.  The packaged server tells b a second time.
        ("b", request("unlock", "one")),
        ("c", request("transact", "Talk", {"op": "assert", "lock": "one"})),
        ("b", "close"),
        ("a", request("steal", "other")), ("c", request("lock", "other")), ("a", "close"),
    ],
    "a plain monitor": [
        ("a", insert(1)),
        ("b", request("monitor", "Talk", "id", {"A": [{"columns": ["name", "map"]}]})),
        ("b", request("monitor", "Talk", "id", EVERYTHING)),  # the id is taken
        ("b", request("monitor", "Talk", ["json", "id"], {"B": {"columns": ["x"]}})),
        ("a", insert(2, map=["map", [["k", "v"], ["l", "w"]]])),
        ("a", update("n2", map=["map", [["k", "other"]]])),
        ("a", update("n2", numbers=["set", [1, 2]])),  # not monitored
        ("a", update("n2", name="new name")),
        ("a", update("new name", name="new name")),    # no change
        ("b", insert(3, table="B", x=7)),
        ("b", request("transact", "Talk", {"op": "insert", "table": "A", "row": {"name": "n1"}})),
        ("a", request("transact", "Talk", {"op": "delete", "table": "A", "where": []})),
        ("b", request("monitor_cancel", "id")), ("a", insert(4)),
        ("b", request("monitor_cancel", ["json", "id"])), ("a", insert(5, table="B")),
    ],
    "what a monitor selects": [
        ("a", insert(1)),
        *[("b", request("monitor", "Talk", what, {"A": [{
            "columns": ["name", "numbers"],
            "select": {k: k == what for k in ("initial", "insert", "delete", "modify")}}]}))
          for what in ("initial", "insert", "delete", "modify")],
        ("b", request("monitor", "Talk", "two", {"A": [
            {"columns": ["name"], "select": {"modify": False}},
            {"columns": ["numbers"], "select": {"insert": False}}]})),
        ("a", insert(2)), ("a", update("n2", numbers=7)),
        # Not here: an update of the name alone.  Of it the packaged server tells "two" without
        # saying what has changed, since that was not asked for.
        ("b", request("monitor_cancel", "two")),
        ("a", update("n2", name="n3")),
        ("a", request("transact", "Talk", {"op": "delete", "table": "A", "where": []})),
    ],
    "a conditional monitor": [
        ("a", insert(1, numbers=5)), ("a", insert(2, numbers=["set", [1, 2, 3]])),
        ("b", request("monitor_cond", "Talk", "m", {"A": [{
            "columns": ["name", "numbers", "map"],
            "where": [["name", "==", "n1"], ["name", "==", "n9"]]}]})),
        ("a", update("n2", numbers=["set", [1, 2, 4]])),
        ("a", update("n2", name="n9")), ("a", update("n9", numbers=["set", [2, 4, 8, 16]])),
        ("a", update("n9", map=["map", [["a", "1"], ["b", "2"]]])),
        ("a", update("n9", map=["map", [["b", "3"], ["c", "4"]]])),
        ("a", update("n9", name="n8")), ("a", update("n1", numbers=["set", []])),
        ("b", request("monitor_cond_change", "m", "m2", {"A": [{"where": [["name", "==", "n8"]]}]})),
        ("a", update("n8", numbers=1)),
        ("b", request("monitor_cond_change", "m2", "m3", {"A": [{"where": [True]}]})),
        ("b", request("monitor_cond_change", "m3", "m3", {"A": [{"where": []}]})),
        ("b", request("monitor_cond_change", "m3", "m4", {"A": [{"where": [False]}]})),
        ("a", insert(3)),
        ("b", request("monitor_cond_change", "m", "m5", {"A": [{"where": [True]}]})),
        ("b", request("monitor_cancel", "m4")),
    ],
    "a transaction that waits": [
        ("a", wait_for("n1")), ("b", insert(2)), ("b", insert(1)),
        ("a", wait_for("n5", timeout=0)),
        ("a", wait_for("n6", id="x")), ("a", wait_for("n7", id="y")), ("b", insert(7)),
        ("a", {"method": "cancel", "params": ["no such"], "id": None}),
        ("b", insert(6)),
        ("c", wait_for("n8", id="z")), ("c", "close"), ("b", insert(8)),
    ],
}


def test_a_cancelled_transaction_is_answered(box):
    """As RFC 7047 section 4.1.4 says; the packaged server never answers."""
    talk = Talk(box, "ours")
    assert talk.step("a", wait_for("n5", id="w")) == "{}"
    arrived = json.loads(talk.step("a", {"method": "cancel", "params": ["w"], "id": None}))
    assert arrived == {"a": [{"error": "canceled", "id": "w"}]}


@pytest.mark.parametrize("name", DIALOGUES)
def test_dialogue(box_pair, name):
    ours, packaged = Talk(box_pair[0], "ours"), Talk(box_pair[1], "packaged")
    for number, (connection, message) in enumerate(DIALOGUES[name]):
        expected = packaged.step(connection, message)
        assert ours.step(connection, message) == expected, f"step {number}: {message}"


def test_monitor_cond_since(box_pair):
    """A client that was away gets what it missed from ours, and all rows from the packaged server."""
    for box, flavour in zip(box_pair, ("ours", "packaged")):
        talk = Talk(box, flavour)
        a, b, c = (talk.connection(name) for name in "abc")

        def since(connection, name, last):
            return connection.call("monitor_cond_since", ["Talk", name, EVERYTHING, last])

        a.transact("Talk", *insert(1)["params"][1:])
        found, first, updates = since(b, "m1", ZERO)
        assert (found, comparable(updates)) == (False, {"A": {uuid_of(1): {
            "initial": {"name": "n1"}}}})
        a.transact("Talk", *insert(2, numbers=["set", [1, 2]])["params"][1:])
        update3 = b.notification()
        assert update3["method"] == "update3"
        name, second, updates = update3["params"]
        assert (name, comparable(updates)) == ("m1", {"A": {uuid_of(2): {"insert": {
            "name": "n2", "numbers": ["set", [1, 2]]}}}})
        a.transact("Talk", *update("n2", numbers=["set", [2, 3]])["params"][1:])
        a.transact("Talk", *update("n1", map=["map", [["a", "b"]]])["params"][1:])

        rows = {uuid_of(1): {"name": "n1", "map": ["map", [["a", "b"]]]},
                uuid_of(2): {"name": "n2", "numbers": ["set", [2, 3]]}}
        everything = {"A": {uuid: {"initial": row} for uuid, row in rows.items()}}
        newest = None
        for number, (last, missed) in enumerate([
                (first, {uuid_of(1): {"modify": {"map": ["map", [["a", "b"]]]}},
                         uuid_of(2): {"insert": rows[uuid_of(2)]}}),
                (second, {uuid_of(1): {"modify": {"map": ["map", [["a", "b"]]]}},
                          uuid_of(2): {"modify": {"numbers": ["set", [1, 3]]}}})]):
            found, newest, updates = since(c, f"m{number}", last)
            if flavour == "ours":
                assert (found, comparable(updates)) == (True, {"A": missed})
            else:
                assert (found, comparable(updates)) == (False, everything)
        found, _, updates = since(c, "unknown", uuid_of(99))
        assert (found, comparable(updates)) == (False, everything)
        if flavour == "ours":
            assert since(c, "newest", newest) == [True, newest, {}]


def test_the_server_database(box_pair):
    """What _Server says about the databases."""
    outcomes = []
    for box, flavour in zip(box_pair, ("ours", "packaged")):
        talk = Talk(box, flavour)
        connection = talk.connection("a")
        schema = connection.call("get_schema", ["_Server"])
        rows = connection.transact("_Server", {"op": "select", "table": "Database", "where": []})
        rows = sorted(({k: v for k, v in row.items() if k not in ("_uuid", "_version")}
                       for row in rows[0]["rows"]), key=lambda row: row["name"])
        for row in rows:  # the text of a schema may have its members in any order
            schema_text = row["schema"]
            row["schema"] = json.loads(schema_text) if isinstance(schema_text, str) else schema_text
        change = connection.transact("_Server", {"op": "delete", "table": "Database", "where": []})
        identity = connection.call("get_server_id", [])
        outcomes.append((schema["tables"], comparable(rows), comparable(change), len(identity)))
    ours, packaged = outcomes
    server_rows = [row for row in ours[1] if row["name"] == "_Server"]
    assert server_rows and server_rows[0]["schema"]["name"] == "_Server"
    for outcome in outcomes:  # _Server's own schema has a checksum of each one's text
        for row in outcome[1]:
            row["schema"].pop("cksum", None)
    assert ours == packaged
