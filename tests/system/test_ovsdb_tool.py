"""ovsdb-tool: creating, examining, changing and converting database files."""

import fcntl
import hashlib
import json
import os
import stat
import subprocess

import pytest

from ovs_test import SCHEMA, program

COLUMNS = {
    "name": {"type": "string"},
    "i": {"type": {"key": {"type": "integer", "maxInteger": 100}, "min": 0}},
    "tags": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
    "options": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
}


def schema(path, version="1.2.3", columns=None, **more):
    """Writes a small schema and returns its path."""
    tables = {"T": {"columns": columns or COLUMNS, "isRoot": True}}
    path.write_text(json.dumps({"name": "D", "version": version, "tables": tables, **more}))
    return path


@pytest.fixture
def db(box):
    """An empty database of the small schema."""
    box.run("ovsdb-tool", "create", box.top / "d.db", schema(box.top / "d.schema"))
    return box.top / "d.db"


def record(value, magic="JSON"):
    data = (json.dumps(value) + "\n").encode()
    return b"OVSDB %s %d %s\n" % (magic.encode(), len(data), hashlib.sha1(data).hexdigest().encode()) + data


def transact(box, path, *operations, command="transact"):
    done = box.run("ovsdb-tool", command, path, json.dumps(["D", *operations]))
    assert done.stderr == ""
    return json.loads(done.stdout)


def insert(**row):
    return {"op": "insert", "table": "T", "row": row}


def names(box, path):
    result = transact(box, path, {"op": "select", "table": "T", "where": [], "columns": ["name"]}, command="query")
    return sorted(row["name"] for row in result[0]["rows"])


def records(path):
    """The JSON of each record."""
    lines = path.read_text().splitlines()
    return [json.loads(line) for line in lines[1::2]]


def error(box, *arguments, status=1):
    done = box.run("ovsdb-tool", *arguments, status=status)
    assert done.stdout == ""
    assert done.stderr.startswith("ovsdb-tool: ") and done.stderr.endswith("\n"), done.stderr
    return done.stderr[len("ovsdb-tool: "):-1]


def test_a_database_has_the_properties_of_its_schema(box, db):
    file = schema(box.top / "x.schema", version="4.5.6", cksum="123 456")
    box.run("ovsdb-tool", "create", "x.db", file)
    for what, value in [("name", "D"), ("version", "4.5.6"), ("cksum", "123 456")]:
        assert box.run("ovsdb-tool", "schema-" + what, file).stdout == value + "\n"
        assert box.run("ovsdb-tool", "db-" + what, "x.db").stdout == value + "\n"
    assert box.run("ovsdb-tool", "db-cksum", db).stdout == "\n"
    assert stat.S_IMODE(os.stat(box.top / "x.db").st_mode) & 0o007 == 0


def test_the_defaults_are_the_switchs_database_and_schema(box):
    env = {"OVS_PKGDATADIR": str(SCHEMA.parent)}
    box.run("ovsdb-tool", "create", env=env)
    assert (box.db_dir / "conf.db").exists()
    assert box.run("ovsdb-tool", "db-name").stdout == "Open_vSwitch\n"
    assert box.run("ovsdb-tool", "needs-conversion", env=env).stdout == "no\n"
    done = box.run("ovsdb-tool", "query", '["Open_vSwitch",{"op":"select","table":"Bridge","where":[]}]')
    assert done.stdout == '[{"rows":[]}]\n'
    help_text = box.run("ovsdb-tool", "--help", env=env).stdout
    assert str(box.db_dir / "conf.db") in help_text and str(SCHEMA) in help_text
    assert box.run("ovsdb-tool", "help", env=env).stdout == help_text


def test_create_wants_a_directory(box):
    complaint = error(box, "create", "nothing/conf.db", SCHEMA)
    assert "there is no directory nothing; make it first" in complaint


def test_create_does_not_overwrite(box, db):
    before = db.read_bytes()
    assert "File exists" in error(box, "create", db, box.top / "d.schema")
    assert db.read_bytes() == before


def test_transact_changes_the_file_and_query_does_not(box, db):
    result = transact(box, db, insert(name="a", i=5), {"op": "comment", "comment": "first"})
    assert list(result[0]) == ["uuid"] and result[1] == {}
    assert records(db)[1]["_comment"] == "first" and records(db)[1]["_is_diff"] is True
    before = db.read_bytes()
    result = transact(box, db, insert(name="b"),
                      {"op": "select", "table": "T", "where": [], "columns": ["name"]}, command="query")
    assert sorted(row["name"] for row in result[1]["rows"]) == ["a", "b"]
    assert db.read_bytes() == before
    assert names(box, db) == ["a"]


def test_a_failed_transaction_changes_nothing(box, db):
    before = db.read_bytes()
    result = transact(box, db, insert(name="a"), insert(name="b", i=101))
    assert result[1]["error"] == "constraint violation"
    assert transact(box, db, {"op": "abort"})[0]["error"] == "aborted"
    wrong = json.loads(box.run("ovsdb-tool", "transact", db, '["Other"]').stdout)
    assert wrong["error"] == "syntax error"
    assert json.loads(box.run("ovsdb-tool", "transact", db, "{}").stdout)["details"] == "array expected"
    assert "transaction: byte 4" in error(box, "transact", db, '["D"')
    assert db.read_bytes() == before


def test_changed_sets_are_written_as_differences(box, db):
    transact(box, db, insert(name="a", tags=["set", [f"t{n:04}" for n in range(1000)]]))
    transact(box, db, {"op": "mutate", "table": "T", "where": [], "mutations": [["tags", "insert", "new"]]})
    (row,) = records(db)[-1]["T"].values()
    assert row == {"tags": "new"}


def test_waiting_ends_at_once(box, db):
    wait = {"op": "wait", "table": "T", "where": [], "columns": ["name"], "until": "==", "rows": [{"name": "x"}]}
    result = transact(box, db, insert(name="a"), {**wait, "timeout": 100000}, command="query")
    assert result[1]["error"] == "timed out"
    assert "for ever" in error(box, "query", db, json.dumps(["D", wait]))


def test_a_damaged_end_is_reported_and_replaced(box, db):
    transact(box, db, insert(name="a"))
    good = db.read_bytes()
    transact(box, db, insert(name="b"))
    torn = db.read_bytes()[:-5]
    db.write_bytes(torn)
    done = box.run("ovsdb-tool", "query", db, '["D",{"op":"select","table":"T","where":[],"columns":["name"]}]')
    assert done.stdout == '[{"rows":[{"name":"a"}]}]\n'
    assert f"offset {len(good)}" in done.stderr
    assert db.read_bytes() == torn
    assert f"offset {len(good)}" in box.run("ovsdb-tool", "show-log", db, status=1).stderr
    box.run("ovsdb-tool", "transact", db, json.dumps(["D", insert(name="c")]))
    assert db.read_bytes().startswith(good)
    assert names(box, db) == ["a", "c"]


def test_compact_forgets_the_history(box, db):
    for n in range(20):
        transact(box, db, insert(name=f"n{n}"))
    transact(box, db, {"op": "delete", "table": "T", "where": [["name", "!=", "n7"]]})
    size = db.stat().st_size
    box.run("ovsdb-tool", "compact", db, "target.db")
    assert db.stat().st_size == size
    box.run("ovsdb-tool", "compact", db)
    for path in (db, box.top / "target.db"):
        assert len(records(path)) == 2
        assert records(path)[1]["_comment"].startswith("compacted by ovsdb-tool ")
        assert names(box, path) == ["n7"]
    assert "File exists" in error(box, "compact", db, "target.db")
    assert sorted(p.name for p in box.top.glob("d.db*")) == ["d.db"]


def test_compaction_keeps_permissions_and_symbolic_links(box, db):
    db.chmod(0o604)
    link = box.top / "link.db"
    link.symlink_to("d.db")
    box.run("ovsdb-tool", "compact", link)
    assert link.is_symlink() and len(records(db)) == 2
    assert stat.S_IMODE(db.stat().st_mode) == 0o604


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_compaction_keeps_the_owner(box, db):
    os.chown(db, 12345, 54321)
    box.run("ovsdb-tool", "compact", db)
    assert (db.stat().st_uid, db.stat().st_gid) == (12345, 54321)


def test_convert(box, db):
    transact(box, db, insert(name="a", i=50, tags="x"))
    columns = {"name": {"type": "string"}, "i": {"type": {"key": "integer", "min": 0}},
               "fresh": {"type": "boolean"}}
    new = schema(box.top / "new.schema", version="2.0.0", columns=columns)
    assert box.run("ovsdb-tool", "needs-conversion", db, new).stdout == "yes\n"
    box.run("ovsdb-tool", "convert", db, new, "target.db")
    assert box.run("ovsdb-tool", "db-version", db).stdout == "1.2.3\n"
    box.run("ovsdb-tool", "convert", db, new)
    for path in (db, box.top / "target.db"):
        assert box.run("ovsdb-tool", "db-version", path).stdout == "2.0.0\n"
        assert box.run("ovsdb-tool", "needs-conversion", path, new).stdout == "no\n"
        (row,) = transact(box, path, {"op": "select", "table": "T", "where": []}, command="query")[0]["rows"]
        assert {k: v for k, v in row.items() if k[0] != "_"} == {"name": "a", "i": 50, "fresh": False}


def test_a_conversion_that_the_data_does_not_permit_changes_nothing(box, db):
    transact(box, db, insert(name="a", i=50))
    before = db.read_bytes()
    columns = {"i": {"type": {"key": {"type": "integer", "maxInteger": 10}, "min": 0}}}
    new = schema(box.top / "new.schema", columns=columns)
    assert "constraint violation: 50" in error(box, "convert", db, new)
    assert "constraint violation: 50" in error(box, "convert", db, new, "target.db")
    assert db.read_bytes() == before
    assert not (box.top / "target.db").exists()


@pytest.mark.parametrize("a, op, b, holds", [
    ("1.2.3", "<", "1.2.4", True), ("1.2.3", "<", "1.2.3", False), ("1.9.0", "<", "1.10.0", True),
    ("1.2.3", "<=", "1.2.3", True), ("1.2.4", "<=", "1.2.3", False),
    ("1.2.3", "==", "1.2.3", True), ("1.2.3", "==", "2.2.3", False),
    ("1.2.3", "!=", "1.2.4", True), ("1.2.3", "!=", "1.2.3", False),
    ("1.2.3", ">=", "1.2.3", True), ("1.2.3", ">=", "1.2.4", False),
    ("2.0.0", ">", "1.99.99", True), ("1.2.3", ">", "1.2.3", False)])
def test_compare_versions(box, a, op, b, holds):
    assert box.run("ovsdb-tool", "compare-versions", a, op, b, status=0 if holds else 2).stdout == ""


def test_compare_versions_refuses_what_is_no_version(box):
    assert error(box, "compare-versions", "1.2", "<", "1.2.3").startswith("1.2: not a schema version")
    assert error(box, "compare-versions", "1.2.3", "<", "x").startswith("x: not a schema version")
    assert error(box, "compare-versions", "1.2.3", "lt", "1.2.3").startswith("lt: not a comparison")


def test_clustered_databases_are_recognized_and_refused(box, db):
    clustered = box.top / "c.db"
    clustered.write_bytes(record({"name": "D", "server_id": "00000000-0000-0000-0000-000000000001"}, "CLUSTER"))
    box.run("ovsdb-tool", "db-is-clustered", clustered)
    box.run("ovsdb-tool", "db-is-standalone", clustered, status=2)
    box.run("ovsdb-tool", "db-is-clustered", db, status=2)
    box.run("ovsdb-tool", "db-is-standalone", db)
    for arguments in (["db-name"], ["compact"], ["show-log"], ["needs-conversion"]):
        assert "clustered" in error(box, *arguments, clustered, *([SCHEMA] if arguments == ["needs-conversion"] else []))
    assert "clustered" in error(box, "transact", clustered, '["D"]')
    for command in ("create-cluster", "join-cluster", "check-cluster", "db-cid", "db-sid", "db-local-address"):
        assert "not with clusters" in error(box, command, "a", "b", "c")


def test_files_that_are_no_database(box):
    (box.top / "empty.db").write_bytes(b"")
    (box.top / "text.db").write_text("hello\n")
    (box.top / "other.db").write_bytes(record({"no": "schema"}))
    for arguments in (["db-name"], ["query"], ["show-log"], ["compact"]):
        transaction = ['["D"]'] if arguments == ["query"] else []
        assert "not an OVSDB database file" in error(box, *arguments, "empty.db", *transaction)
        assert "not an OVSDB database file" in error(box, *arguments, "text.db", *transaction)
        assert "Required 'name' member is missing" in error(box, *arguments, "other.db", *transaction)
        assert "No such file" in error(box, *arguments, "nothing.db", *transaction)
    assert "No such file" in error(box, "schema-name", "nothing.schema")


def test_a_locked_database_is_not_written(box, db):
    transact(box, db, insert(name="a"))
    with open(db.parent / f".{db.name}.~lock~", "r+b") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for arguments in (["transact", db, json.dumps(["D", insert(name="b")])], ["compact", db],
                          ["convert", db, box.top / "d.schema"]):
            complaint = error(box, *arguments)
            assert f"locked by process {os.getpid()}" in complaint
            assert "is changed with ovsdb-client" in complaint
        assert names(box, db) == ["a"]
        box.run("ovsdb-tool", "compact", db, "copy.db")
        box.run("ovsdb-tool", "show-log", db)
    transact(box, db, insert(name="b"))
    assert names(box, db) == ["a", "b"]


def limited(box, blocks, *arguments):
    """Runs ovsdb-tool with a limit to the size of files, in blocks of 512 bytes."""
    script = f"trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""
    return subprocess.run(["sh", "-c", script, "sh", program("ovsdb-tool"), *map(str, arguments)],
                          capture_output=True, text=True, env=box.env, cwd=box.top)


def test_a_file_that_cannot_grow_stays_whole(box, db):
    transact(box, db, insert(name="a"))
    before = db.read_bytes()
    blocks = len(before) // 512 + 1
    done = limited(box, blocks, "transact", db, json.dumps(["D", insert(name="b" * 1000)]))
    assert done.returncode == 1 and "File too large" in done.stderr
    assert db.read_bytes() == before
    done = limited(box, 1, "compact", db)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert db.read_bytes() == before
    assert not list(box.top.glob("d.db.tmp*"))
    done = limited(box, 1, "create", "new.db", SCHEMA)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert not (box.top / "new.db").exists()


def test_what_a_killed_compaction_left_is_no_obstacle(box, db):
    transact(box, db, insert(name="a"))
    (box.top / "d.db.tmp").write_text("half a database")
    box.run("ovsdb-tool", "compact", db)
    assert names(box, db) == ["a"]
    assert not (box.top / "d.db.tmp").exists()


LOG = [
    {"name": "D", "version": "1.2.3", "cksum": "1 2", "tables": {"T": {"columns": COLUMNS}}},
    {"T": {"00000000-0000-0000-0000-000000000001": {"name": "n1", "tags": ["set", ["a", "b c"]]}},
     "_date": 1269999999},
    {"T": {"00000000-0000-0000-0000-000000000001": {"tags": "q", "i": 3, "options": ["map", [["k", "v"]]]}},
     "_date": 1700000000123, "_is_diff": True, "_comment": "say \"hi\"\nthere"},
    {"T": {"00000000-0000-0000-0000-000000000001": {"name": "n2"}}, "_date": 1700000000000},
    {"T": {"00000000-0000-0000-0000-000000000001": None, "12345678-0000-0000-0000-000000000002": {"i": 1}}},
    {"T": {"12345678-0000-0000-0000-000000000002": {"zz": [1], "i": "no integer"}}, "_date": 1},
    {"_date": 1700000000000, "_comment": "nothing"},
]

LOG_TEXT = '''\
record 0: "D" schema, version="1.2.3", cksum="1 2"

record 1: 2010-03-31 01:46:39.000
  table T insert row "n1" (00000000):
    name=n1
    tags=[a, "b c"]

record 2: 2023-11-14 22:13:20.123 "say "hi"
there"
  table T row "n1" (00000000) diff:
    tags=[q]
    i=3
    options={k=v}

record 3: 2023-11-14 22:13:20.000
  table T row "n1" (00000000):
    name=n2

record 4:
  table T row "n2" (00000000):
    delete row
  table T insert row 12345678:
    i=1

record 5: 1970-01-01 00:00:01.000
  table T row 12345678 (12345678):
    zz=[1]
    i="no integer"

record 6: 2023-11-14 22:13:20.000 "nothing"
'''


def test_show_log(box):
    path = box.top / "log.db"
    path.write_bytes(b"".join(record(value) for value in LOG))
    assert box.run("ovsdb-tool", "-mm", "show-log", path, env={"TZ": "Asia/Tokyo"}).stdout == LOG_TEXT
    assert box.run("ovsdb-tool", "show-log", path, "--more", "-m").stdout == LOG_TEXT
    rows = [line for line in LOG_TEXT.splitlines() if not line.startswith("    ") or "delete row" in line]
    assert box.run("ovsdb-tool", "-m", "show-log", path).stdout.splitlines() == rows
    records_only = box.run("ovsdb-tool", "show-log", path).stdout.splitlines()
    assert [line for line in records_only if line.startswith("record")] == \
        [line for line in rows if line.startswith("record")]
    assert not [line for line in records_only if line.startswith(" ")]


def test_command_lines_that_are_wrong(box):
    assert error(box) == "missing command name; use --help for help"
    assert error(box, "crate") == "unknown command 'crate'; did you mean 'create'?"
    assert error(box, "create", "a", "b", "c").startswith("'create' command takes at most 2 arguments")
    assert error(box, "query").startswith("'query' command requires at least 1 argument")
    assert error(box, "--nosuch").startswith("unrecognized option '--nosuch'")


def test_list_commands_lists_every_command_of_the_help_text(box):
    listed = [line.split()[0] for line in box.run("ovsdb-tool", "list-commands").stdout.splitlines()[1:]]
    help_text = box.run("ovsdb-tool", "--help").stdout
    assert listed and all(f"\n  {name}" in help_text for name in listed)


def test_output_that_cannot_be_written_is_an_error(box, db):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("ovsdb-tool"), "db-name", str(db)], stdout=full, stderr=subprocess.PIPE,
                              text=True, env=box.env)
    assert done.returncode == 1 and "standard output" in done.stderr
