"""Our schema against the packaged one: the same tables, columns, types and constraints.

Existing databases and clients must need no conversion, so a difference is either a mistake or is
listed in DIFFERENCES below with the reason for it.

The member "cksum" of a schema names a revision together with "version"; `ovsdb-tool
needs-conversion` compares it as text.  As long as the content is that of the field's 8.3.1, ours
carries 8.3.1's text, so that no boot script converts a database for nothing.  A revision of our
own takes the next version and a cksum computed over its own file (see cksum_of_file).
"""

import json
import re
import subprocess

import pytest

from ovs_test import SCHEMA, packaged_schema

# (table, column, what) -> (packaged, ours): every intended difference.  "column" is None for the
# properties of a table, and both are None for those of the schema.
DIFFERENCES = {}


def base_type(base):
    """A base type with its defaults spelled out."""
    full = {"type": base} if isinstance(base, str) else dict(base)
    if "enum" in full:
        tag, members = full["enum"]
        assert tag == "set"
        full["enum"] = sorted(members)
    if full["type"] == "uuid" and "refTable" in full:
        full.setdefault("refType", "strong")
    return full


def column_type(column):
    """A column's type with its defaults spelled out."""
    full = column["type"]
    if isinstance(full, str):
        full = {"key": full}
    return {
        "key": base_type(full["key"]),
        "value": base_type(full["value"]) if "value" in full else None,
        "min": full.get("min", 1),
        "max": full.get("max", 1),
    }


def facts(schema):
    """Everything that a schema says, as a flat map, so that two can be compared fact by fact."""
    found = {(None, None, key): schema[key] for key in ("name", "version", "cksum")}
    for table_name, table in schema["tables"].items():
        unknown = set(table) - {"columns", "isRoot", "maxRows", "indexes"}
        assert not unknown, f"{table_name}: {unknown}"
        found[table_name, None, "isRoot"] = table.get("isRoot", False)
        found[table_name, None, "maxRows"] = table.get("maxRows")
        found[table_name, None, "indexes"] = sorted(map(sorted, table.get("indexes", [])))
        for name, column in table["columns"].items():
            unknown = set(column) - {"type", "mutable", "ephemeral"}
            assert not unknown, f"{table_name}.{name}: {unknown}"
            for what, value in column_type(column).items():
                found[table_name, name, what] = value
            found[table_name, name, "mutable"] = column.get("mutable", True)
            found[table_name, name, "ephemeral"] = column.get("ephemeral", False)
    return found


def cksum_of_file(path):
    """The conventional cksum of a schema: cksum(1) of the file without the line of "cksum"."""
    kept = re.sub(rb'(?m)^.*"cksum":.*\n', b"", path.read_bytes())
    return subprocess.run(["cksum"], input=kept, stdout=subprocess.PIPE, check=True,
                          timeout=60).stdout.decode().strip()


@pytest.fixture(scope="module")
def ours():
    return json.loads(SCHEMA.read_text())


@pytest.fixture(scope="module")
def packaged():
    return json.loads(packaged_schema().read_text())


def test_same_facts(ours, packaged):
    theirs, mine = facts(packaged), facts(ours)
    differences = {
        key: (theirs.get(key), mine.get(key))
        for key in theirs.keys() | mine.keys()
        if theirs.get(key) != mine.get(key) or (key in theirs) != (key in mine)
    }
    assert differences == DIFFERENCES


def test_size_is_what_we_think(packaged):
    """The comparison above has something to compare: no table is lost on the way."""
    columns = {key[:2] for key in facts(packaged) if key[1] is not None}
    assert len({table for table, _ in columns}) == 19
    assert len(columns) == sum(len(t["columns"]) for t in packaged["tables"].values()) > 150


def test_cksum_convention(packaged):
    """The packaged schema shows how a cksum is made."""
    assert cksum_of_file(packaged_schema()) == packaged["cksum"]


def test_own_revision_has_own_cksum(ours, packaged):
    """Another version must not go by the name of the packaged revision, nor the other way round."""
    if ours["version"] == packaged["version"]:
        assert ours["cksum"] == packaged["cksum"]
    else:
        assert ours["cksum"] == cksum_of_file(SCHEMA)


@pytest.mark.parametrize("flavour", ["ours", "packaged"])
def test_no_conversion_either_way(box, flavour):
    """Both ovsdb-tools agree: a database goes from one schema to the other as it is."""
    for number, (of, to) in enumerate(((packaged_schema(), SCHEMA), (SCHEMA, packaged_schema()))):
        database = box.create_database(box.db_dir / f"{number}.db", of, flavour=flavour)
        answer = box.run("ovsdb-tool", "needs-conversion", database, to, flavour=flavour)
        assert answer.stdout == "no\n"
