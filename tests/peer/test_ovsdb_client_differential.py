"""Our ovsdb-client and the packaged one do the same: same output, same exit status.

Both go through the same command lines, each on a server of its own with the same contents; the
packaged client's transcript is the reference.  Where ours differs on purpose, DIFFERENT says why.
"""

import difflib
import json
import re
import shlex
import subprocess

import ovs_test
import pytest

# Every type of column, with values that need quotes, escapes and brackets.
KINDS = {
    "name": "Kinds", "version": "1.2.3", "cksum": "12345 678",
    "tables": {
        "Row": {"isRoot": True, "columns": {
            "i": {"type": "integer"}, "r": {"type": "real"}, "b": {"type": "boolean"},
            "s": {"type": "string"}, "u": {"type": "uuid"},
            "oi": {"type": {"key": "integer", "min": 0, "max": 1}},
            "os": {"type": {"key": "string", "min": 0, "max": 1}},
            "ss": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
            "is": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
            "us": {"type": {"key": "uuid", "min": 0, "max": "unlimited"}},
            "m": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
            "im": {"type": {"key": "integer", "value": "integer", "min": 0, "max": "unlimited"}},
            "bm": {"type": {"key": "boolean", "value": "real", "min": 0, "max": "unlimited"}},
            "en": {"type": {"key": {"type": "string", "enum": ["set", ["a", "b-c"]]}}},
            "small": {"type": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 9}}},
            "eph": {"type": "string", "ephemeral": True}}},
        "Child": {"columns": {
            "name": {"type": "string"},
            "up": {"type": {"key": {"type": "uuid", "refTable": "Row", "refType": "weak"},
                            "min": 0, "max": 1}}}},
        "Parent": {"isRoot": True, "columns": {
            "name": {"type": "string"},
            "children": {"type": {"key": {"type": "uuid", "refTable": "Child"},
                                  "min": 0, "max": "unlimited"}},
            "by_name": {"type": {"key": "string", "value": {"type": "uuid", "refTable": "Child"},
                                 "min": 0, "max": "unlimited"}}},
            "indexes": [["name"]]},
        "Empty": {"isRoot": True, "columns": {"x": {"type": "string"}}}}}


def uuid_of(n):
    return f"{n:08x}-0000-4000-8000-000000000000"


def insert(table, n, **row):
    return {"op": "insert", "table": table, "uuid": uuid_of(n), "row": row}


CONTENTS = [
    insert("Row", 1, i=1, r=2.5, b=True, s="hello", en="a", u=["uuid", uuid_of(99)], eph="gone"),
    insert("Row", 2, i=-5, r=1e100, s="with space, \"quoted\" <b>&amp;</b> 'x'", en="b-c", oi=7,
           os="opt", ss=["set", ["", "a", "true", "12", "x y", "_a", "a-b", "a.b", "tab\tline\n",
                                 "3a", uuid_of(2), f"x{uuid_of(3)}{uuid_of(4)}", "a,b", "]", "\\"]],
           us=["set", [["uuid", uuid_of(7)], ["uuid", uuid_of(5)]]],
           m=["map", [["k", "v"], ["a b", "c=d"], ["", ""], ["1", "true"], ["uuid", uuid_of(1)]]],
           im=["map", [[1, 2], [-3, 4]]], bm=["map", [[True, 1], [False, 0.1]]],
           **{"is": ["set", [3, 1, 2]]}),
    insert("Row", 9, i=6, en="a", m=["map", [["a", "2"], ["b", "1"]]], ss=["set", ["b", "c"]]),
    insert("Row", 8, i=6, en="a", m=["map", [["a", "1"], ["c", "1"]]], ss=["set", ["x"]]),
    insert("Row", 7, i=6, en="a", m=["map", [["z", "1"]]], s="é"),
    insert("Row", 6, i=6, en="a", s="zz"),
    insert("Row", 5, i=6, en="a", s="z"),
    insert("Row", 4, i=6, en="a", s="z"),
    insert("Row", 3, i=9223372036854775807, r=-0.000001, en="a", s="Z  "),
    insert("Child", 20, name="c1", up=["uuid", uuid_of(1)]),
    insert("Child", 21, name="c2"),
    insert("Parent", 30, name="p", children=["set", [["uuid", uuid_of(20)], ["uuid", uuid_of(21)]]],
           by_name=["map", [["c1", ["uuid", uuid_of(20)]]]]),
]

SELECT = json.dumps(["Kinds", {"op": "select", "table": "Row", "where": [["i", "<", 2]]}])
INSERT = json.dumps(["Kinds", {"op": "insert", "table": "Empty", "row": {"x": "1"}}])
INSERT_IT = json.dumps(["Kinds", insert("Empty", 40, x="1")])

# A line a command.  S: the server, KINDS, OTHER, BAD, CHANGED, UNKNOWN: files with schemas.
COMMANDS = f"""
list-dbs
list-dbs S
list-dbs unix:db.sock
--pretty list-dbs
list-dbs nonsense
list-dbs S nonsense
get-schema Kinds
get-schema S Kinds
--pretty get-schema Kinds
get-schema Nope
get-schema
get-schema-version
get-schema-version Kinds
get-schema-version Empty
get-schema-version S Kinds
get-schema-cksum Kinds
get-schema-cksum Empty
get-schema-cksum
get-schema-cksum Nope
list-tables
list-tables S Kinds
-f list list-tables Kinds
-f html list-tables Kinds
-f csv --no-headings list-tables Kinds
-f json list-tables Kinds
-f json --pretty list-tables Kinds
list-tables Kinds Row
list-columns Kinds Row nonsense
list-columns Kinds NOPE
transact {shlex.quote(SELECT)}
transact S {shlex.quote(SELECT)}
--pretty transact {shlex.quote(SELECT)}
transact {shlex.quote(INSERT_IT)}
query {shlex.quote(SELECT)}
query {shlex.quote(INSERT)}
--pretty query {shlex.quote(INSERT)}
dump Kinds Empty
query '["Kinds"]'
query '["Kinds",{{"op":"abort"}}]'
query '["Kinds",{{"op":"select","table":"Nope","where":[]}}]'
query '["Nope"]'
query '[]'
transact '["Kinds"]'
--pretty transact '["Kinds",{{"op":"comment","comment":"x"}}]'
transact '["Kinds",{{"op":"abort"}}]'
transact '["Kinds",{{"op":"insert","table":"Row","row":{{"small":10}}}}]'
transact '["Nope"]'
transact '[1]'
transact '{{}}'
transact '[}}'
transact
transact S
transact a b c
dump
dump Kinds
dump S Kinds Parent
dump Kinds Row
dump Kinds Row i
dump Kinds Row s i
dump Kinds Row i _uuid
dump Kinds Row ss
dump Kinds Row m
dump Kinds Row r
dump Kinds Row u _version
dump Kinds Row nope
dump Kinds Row i,s
dump Kinds Nope
dump Nope
-f list dump Kinds
-f html dump Kinds
-f csv dump Kinds
-f json dump Kinds
-f json --pretty dump Kinds Row
-d bare dump Kinds
-d json dump Kinds
-f list -d bare dump Kinds
-f list -d json dump Kinds
-f html -d bare dump Kinds
-f html -d json dump Kinds
-f csv -d bare dump Kinds
-f csv -d json dump Kinds
-f json -d bare dump Kinds
--bare dump Kinds
--no-headings dump Kinds
--no-headings -f list dump Kinds
--no-headings -f html dump Kinds
--no-headings -f csv dump Kinds
--no-headings -f json dump Kinds
--max-column-width=0 dump Kinds
--max-column-width=1 dump Kinds
--max-column-width=5 dump Kinds
--max-column-width=12 --no-headings dump Kinds
--format=nonsense dump Kinds
--data=nonsense dump Kinds
needs-conversion KINDS
needs-conversion S KINDS
needs-conversion CHANGED
needs-conversion UNKNOWN
needs-conversion nofile
needs-conversion BAD
convert BAD
convert TIGHT
convert UNKNOWN
convert CHANGED
needs-conversion CHANGED
list-columns Kinds Empty
convert S KINDS
get-schema Kinds
convert nofile
convert
monitor
monitor Kinds
monitor Kinds Nope
monitor Kinds Row nope
monitor Kinds Row i i
monitor Kinds Row i,i
monitor Kinds ALL nope
monitor-cond Kinds x Row i
monitor-cond Kinds '{{}}' Row i
monitor-cond Kinds '[["nope","==",1]]' Row i
monitor-cond Kinds '[["i","==","x"]]' Row i
monitor-cond Kinds '[]' ALL
monitor-cond Kinds '[]'
monitor-cond-since Kinds 1111 '[]' Row i
wait Kinds added
wait S Kinds connected
wait Nope removed
wait Kinds nonsense
wait Kinds
-t1 wait Kinds removed
--timeout=1 wait Nope added
--timeout=0 list-dbs
--timeout=x list-dbs
--db-change-aware get-schema-version
--no-db-change-aware get-schema-version
--no-leader-only get-schema-version
list-dbs --format=json
lock
help-me
nonsense

--nonsense
-V extra
list-dbs unix:/nonexistent/sock
-t1 monitor unix:/nonexistent/sock Kinds ALL
list-dbs unix:/nonexistent/sock,S
list-dbs S,unix:/nonexistent/sock
list-dbs unix:/nonexistent/1,unix:/nonexistent/2
backup Nope
backup Kinds Row
"""

# Why our output or exit status is another one.
DIFFERENT = {
    "-V extra": "each program prints its own version",
    "needs-conversion UNKNOWN": "the packaged client crashes where the server has no such database",
    "convert UNKNOWN": "the packaged client crashes where the server has no such database",
    "list-columns Kinds NOPE": "a table that does not exist is an error, not an empty list",
    "monitor-cond Kinds '{}' Row i": "conditions that are no array are refused before they are sent",
}
# Their rows come in the order of a hash table from the packaged client; ours sorts them.
UNORDERED = re.compile(r"\blist-(tables|columns)\b")
# Columns with text beyond ASCII: ours are measured in characters, the packaged client's in bytes.
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def write_schemas(box):
    changed = json.loads(json.dumps(KINDS))
    changed["version"] = "1.3.0"
    changed["tables"]["Empty"]["columns"]["y"] = {"type": "integer"}
    tight = json.loads(json.dumps(KINDS))
    tight["tables"]["Row"]["columns"]["i"] = {"type": {"key": {"type": "integer", "maxInteger": 5}}}
    schemas = {"KINDS": KINDS, "CHANGED": changed, "TIGHT": tight,
               "UNKNOWN": {**KINDS, "name": "Unknown"},
               "EMPTY": {"name": "Empty", "tables": {"T": {"columns": {"x": {"type": "string"}}}}}}
    words = {}
    for name, schema in schemas.items():
        path = box.top / f"{name}.ovsschema"
        path.write_text(json.dumps(schema))
        words[name] = str(path)
    bad = box.top / "BAD.ovsschema"
    bad.write_text("{]")
    words["BAD"] = str(bad)
    return words


def start_server(box, flavour):
    """A server with the databases Kinds, Empty and Open_vSwitch, and the words of COMMANDS."""
    words = write_schemas(box)
    files = []
    for name, schema in (("kinds", words["KINDS"]), ("empty", words["EMPTY"]),
                         ("conf", ovs_test.packaged_schema())):
        files.append(box.create_database(box.db_dir / f"{name}.db", schema, flavour))
    server = box.start_ovsdb_server(files, flavour=flavour)
    words["S"] = f"unix:{server.socket}"
    with server.connect() as rpc:
        results = rpc.transact("Kinds", *CONTENTS)
        assert not any("error" in r for r in results), results
    return server, words


def comparable(text, box):
    return ovs_test.normalize_uuids(text.replace(str(box.top), "TOP"))


def in_characters(text):
    """Without the padding and the dashes, whose number depends on how text is measured."""
    return [re.sub(r" +", " ", re.sub(r"-{2,}", "-", line)).rstrip() for line in text.splitlines()]


def without_explanations(text):
    """The servers' own words about an error are the server's, and not compared here."""
    return re.sub(r'"(details|syntax)": ?"(\\.|[^"\\])*"', r'"\1":""', text)


def in_any_order(text):
    if text.startswith("{"):
        table = json.loads(text)
        return [table["headings"], sorted(table["data"])]
    return sorted(text.splitlines())


def difference(expected, got):
    """The lines that differ, for a message that can be read."""
    a, b = ((t.splitlines() if isinstance(t, str) else list(map(str, t))) for t in (expected, got))
    return "\n".join(line for line in difflib.unified_diff(a, b, "expected", "got", n=0, lineterm=""))


def run_commands(box, client, server):
    _, words = start_server(box, server)
    transcript = {}
    for line in COMMANDS.splitlines()[1:]:
        arguments = [words.get(a, a) for a in shlex.split(line)]
        arguments = [re.sub(r"\bS\b", lambda _: words["S"], a) if "," in a and "nonexistent" in a else a
                     for a in arguments]
        done = box.run("ovsdb-client", *arguments, flavour=client, status=None, timeout=20)
        transcript[line] = (done.returncode, comparable(done.stdout, box), done.stderr)
    return transcript


@pytest.mark.parametrize("server", ["packaged", "ours"])
def test_commands(box_pair, server):
    box, reference_box = box_pair
    reference = run_commands(reference_box, "packaged", server)
    ours = run_commands(box, "ours", server)
    wrong = []
    for line, (status, output, errors) in reference.items():
        if line in DIFFERENT:
            # A difference that is gone has no place in the list.
            if (status, output) == ours[line][:2]:
                wrong.append(f"{line}: no longer different")
            continue
        our_status, our_output, our_errors = ours[line]
        expected, got = without_explanations(output), without_explanations(our_output)
        if UNORDERED.search(line):
            expected, got = in_any_order(expected), in_any_order(got)
        elif BEYOND_ASCII.search(expected) and expected != got and "max-column-width" not in line:
            expected, got = in_characters(expected), in_characters(got)
        elif BEYOND_ASCII.search(expected) or "max-column-width" in line:
            # Cut columns: only what is ASCII is cut at the same place.
            keep = [i for i, row in enumerate(expected.splitlines()) if "\ufffd" not in row and row.isascii()]
            expected, got = ([in_characters(t)[i] for i in keep] for t in (expected, got))
        if status != our_status or expected != got:
            wrong.append(f"{line}: expected {status}, got {our_status} {our_errors!r}\n{difference(expected, got)}")
        if status not in (0, -14) and not our_errors.startswith("ovsdb-client: "):
            wrong.append(f"{line}: fails without saying why: {our_errors!r}")
    assert not wrong, "\n".join(wrong)


# --- monitors ---------------------------------------------------------------------------------

MONITORS = [
    "monitor Kinds Row i,s,ss,m,oi",
    "monitor Kinds Row",
    "monitor Kinds Row i !initial,s,m",
    "monitor Kinds Row !initial,!insert",
    "monitor Kinds Row !initial,!delete,i _version !modify,s",
    "monitor Kinds Row _uuid,i",
    "monitor Kinds ALL",
    "--timestamp monitor Kinds Row i",
    "--timestamp -f csv monitor Kinds Row i,ss",
    "--timestamp -f html monitor Kinds ALL",
    "-f json monitor Kinds Row",
    "-f list monitor Kinds Row i,s",
    "--bare monitor Kinds Row i,s,ss,m",
    "--no-headings monitor Kinds Row i",
    "monitor-cond Kinds [] Row i,s,ss,m,oi",
    "monitor-cond Kinds [] Row",
    'monitor-cond Kinds [["i","<",50]] Row i,s,m',
    'monitor-cond Kinds [["i","<",50],["s","==","the-end"]] Row i,s',
    "monitor-cond Kinds [false] Row",
    "-f json monitor-cond Kinds [] Row i,ss",
    "monitor-cond-since Kinds [] Row i,ss,m",
    "monitor-cond-since Kinds 00000000-0000-0000-0000-000000000001 [] Row i",
    "--timestamp -f list monitor-cond-since Kinds [true] Row i",
]


def change(n, **row):
    return {"op": "update", "table": "Row", "where": [["_uuid", "==", ["uuid", uuid_of(n)]]], "row": row}


# One row changes at a time: the order of several in one update is the server's.
CHANGES = [
    [insert("Row", 50, i=77, en="a", small=3)],
    [change(1, i=2, ss=["set", ["a", "b"]], m=["map", [["k", "v2"], ["z", "1"]]], oi=3)],
    [change(1, ss=["set", ["b", "c"]], m=["map", [["k", "v"]]], s="x y")],
    [change(1, ss=["set", []], m=["map", []], oi=["set", []])],
    [change(1, i=60)],
    [change(1, i=1)],
    [{"op": "delete", "table": "Row", "where": [["_uuid", "==", ["uuid", uuid_of(50)]]]}],
]
# What every monitor of the table shows, last of all.
END = {"op": "insert", "table": "Empty", "row": {"x": "end"}}


def one_row(server):
    """Leaves one row in Row and empties the other tables, so that the first contents have one order."""
    with server.connect() as rpc:
        rpc.transact("Kinds", {"op": "delete", "table": "Parent", "where": []},
                     {"op": "delete", "table": "Row", "where": [["i", "!=", 1]]})


def run_monitor(box, client, server_flavour, line):
    server, _ = start_server(box, server_flavour)
    one_row(server)
    path = box.log_dir / "ovsdb-client.0.stderr"
    with server.connect() as rpc:
        before = rpc.call("list_dbs", [])
        assert "Kinds" in before
        monitor = box.start("ovsdb-client", *shlex.split(line, posix=False), flavour=client)
        ovs_test.wait_until(
            lambda: not monitor.alive() or "monitors:1" in server.appctl("memory/show").stdout,
            what="the server to serve the monitor")
        for operations in CHANGES:
            results = rpc.transact("Kinds", *operations)
            assert not any("error" in r for r in results), results
        # The end of the monitor's output cannot be told from a pause: the monitor is asked to
        # report the removal of its database, which it does after everything else.
        server.appctl("ovsdb-server/remove-db", "Kinds")
        assert monitor.wait() == 1, monitor.stderr()
    text = ovs_test.normalize_uuids(monitor.stderr())
    text = re.sub(r'>[0-9a-f]{8}</a>', ">UUID</a>", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "TIMESTAMP", text).replace(str(box.top), "TOP")


@pytest.mark.parametrize("server", ["packaged", "ours"])
@pytest.mark.parametrize("line", MONITORS)
def test_monitors(box_pair, server, line):
    box, reference_box = box_pair
    expected = run_monitor(reference_box, "packaged", server, line)
    assert "Kinds database was removed" in expected
    assert run_monitor(box, "ours", server, line) == expected


# --- backup and restore -----------------------------------------------------------------------

def restore(box, client, snapshot, *options, status=0):
    """Runs restore with a file as standard input: the packaged client cannot read from a pipe."""
    path = box.top / "snapshot"
    path.write_text(snapshot)
    with open(path) as stdin:
        done = subprocess.run([ovs_test.program("ovsdb-client", client), *options, "restore", "Kinds"],
                              stdin=stdin, capture_output=True, text=True, env=box.env,
                              timeout=ovs_test.limit(20))
    assert done.returncode == status, done.stderr
    return done


REFERENCES = {"u", "us", "up", "children", "by_name"}


def contents(server, restorer="ours"):
    """The rows, with each UUID of a row replaced by that row's other contents.

    Restored rows have new UUIDs.  Our restore renames them wherever they stand; the packaged one
    only in columns that are references to a table, so that the others then point nowhere.
    """
    references = REFERENCES if restorer == "ours" else REFERENCES - {"u", "us"}
    with server.connect() as rpc:
        tables = {name: rpc.transact("Kinds", {"op": "select", "table": name, "where": []})[0]["rows"]
                  for name in KINDS["tables"]}
    hidden = REFERENCES | {"_uuid", "_version", "eph"}

    def text(row):
        return json.dumps({k: v for k, v in sorted(row.items()) if k not in hidden})

    labels = {row["_uuid"][1]: text(row) for rows in tables.values() for row in rows}
    by_label = re.compile("|".join(labels))

    def label(value):
        return sorted(by_label.findall(json.dumps(value)), key=labels.get)

    return {name: sorted((text(row), [[c, [labels[u] for u in label(row[c])]]
                                      for c in sorted(references & row.keys())]) for row in rows)
            for name, rows in tables.items()}


@pytest.mark.parametrize("server", ["packaged", "ours"])
@pytest.mark.parametrize("saver,restorer", [("ours", "packaged"), ("packaged", "ours"), ("ours", "ours")])
def test_backup_and_restore(box, server, saver, restorer):
    daemon, _ = start_server(box, server)
    before = contents(daemon, restorer)
    snapshot = box.run("ovsdb-client", "backup", "Kinds", flavour=saver).stdout
    with daemon.connect() as rpc:
        rpc.transact("Kinds", {"op": "delete", "table": "Parent", "where": []},
                     {"op": "delete", "table": "Row", "where": []},
                     {"op": "insert", "table": "Empty", "row": {"x": "to be deleted"}})
    assert contents(daemon, restorer) != before
    restore(box, restorer, snapshot)
    assert contents(daemon, restorer) == before


@pytest.mark.parametrize("saver", ["packaged", "ours"])
def test_a_backup_is_a_database_file(box, saver):
    daemon, _ = start_server(box, "packaged")
    before = contents(daemon)
    path = box.db_dir / "copy.db"
    path.write_text(box.run("ovsdb-client", "backup", "Kinds", flavour=saver).stdout)
    for flavour in ("packaged", "ours"):
        assert box.run("ovsdb-tool", "db-name", path, flavour=flavour).stdout == "Kinds\n"
    second = box.start_ovsdb_server([path], flavour="packaged", socket="second.sock", name="second")
    assert contents(second) == before
    with second.connect() as rpc:  # unlike a restored one, it has the rows' UUIDs
        rows = rpc.transact("Kinds", {"op": "select", "table": "Row", "where": [], "columns": ["_uuid"]})[0]["rows"]
    assert sorted(r["_uuid"][1] for r in rows) == [uuid_of(n) for n in range(1, 10)]


@pytest.mark.parametrize("client", ["packaged", "ours"])
def test_restore_refuses_another_schema(box, client):
    daemon, words = start_server(box, "packaged")
    before = contents(daemon)
    other = box.run("ovsdb-client", "backup", "Empty", flavour=client).stdout
    done = restore(box, client, other, status=1)
    assert 'has version ""' in done.stderr and "1.2.3" in done.stderr and "--force" in done.stderr
    restore(box, client, "nonsense\n", status=1)
    restore(box, client, "", status=1)
    assert contents(daemon) == before


@pytest.mark.parametrize("client", ["packaged", "ours"])
def test_force_restores_a_snapshot_of_another_version(box, client):
    daemon, words = start_server(box, "packaged")
    before = contents(daemon, client)
    snapshot = box.run("ovsdb-client", "backup", "Kinds", flavour=client).stdout
    box.run("ovsdb-client", "convert", words["CHANGED"], flavour=client)
    restore(box, client, snapshot, status=1)
    restore(box, client, snapshot, "--force")
    box.run("ovsdb-client", "convert", words["KINDS"], flavour=client)
    assert contents(daemon, client) == before
