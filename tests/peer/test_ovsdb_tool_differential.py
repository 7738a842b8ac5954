"""Our ovsdb-tool and the packaged one on the same input: same output, same files for each other."""

import copy
import hashlib
import json
import random

import pytest

from ovs_test import SCHEMA, packaged_schema

BOTH = ("ours", "packaged")

TYPES = {
    "i": "integer", "r": "real", "b": "boolean", "s": "string", "u": "uuid",
    "ir": {"key": {"type": "integer", "minInteger": 1, "maxInteger": 4095}, "min": 0},
    "imin": {"key": {"type": "integer", "minInteger": 1}, "min": 0},
    "imax": {"key": {"type": "integer", "maxInteger": 10}},
    "rr": {"key": {"type": "real", "minReal": 1.5, "maxReal": 2.5}, "min": 0},
    "sl": {"key": {"type": "string", "minLength": 2, "maxLength": 4}, "min": 0},
    "se": {"key": {"type": "string", "enum": ["set", ["red", "green", "blue one"]]}, "min": 0},
    "ie": {"key": {"type": "integer", "enum": ["set", [1, 2, 4]]}, "min": 0},
    "oi": {"key": "integer", "min": 0}, "or": {"key": "real", "min": 0}, "ob": {"key": "boolean", "min": 0},
    "os": {"key": "string", "min": 0}, "ou": {"key": "uuid", "min": 0},
    "is": {"key": "integer", "min": 0, "max": "unlimited"},
    "i13": {"key": "integer", "min": 1, "max": 3},
    "rs": {"key": "real", "min": 0, "max": "unlimited"},
    "ss": {"key": "string", "min": 0, "max": "unlimited"},
    "us": {"key": "uuid", "min": 0, "max": "unlimited"},
    "m": {"key": "string", "value": "string", "min": 0, "max": "unlimited"},
    "mi": {"key": "integer", "value": "integer", "min": 0, "max": "unlimited"},
    "mir": {"key": {"type": "integer", "minInteger": 0, "maxInteger": 10}, "value": "real", "min": 0, "max": 3},
    "mu": {"key": "string", "value": "uuid", "min": 0, "max": "unlimited"},
    "om": {"key": "string", "value": "string", "min": 0},
}
COLUMNS = {name: {"type": type_} for name, type_ in TYPES.items()}
COLUMNS["imm"] = {"type": "integer", "mutable": False}
COLUMNS["eph"] = {"type": "integer", "ephemeral": True}
BASE = {"name": "D", "version": "1.2.3", "cksum": "1 2",
        "tables": {"T": {"columns": COLUMNS, "isRoot": True},
                   "N": {"columns": {"name": {"type": "string"}, "x": {"type": "integer"}}, "isRoot": True}}}
UUID = "01234567-89ab-cdef-0123-456789abcdef"
BIG, SMALL = 9223372036854775807, -9223372036854775808


def write_schema(box, value, name="d.schema"):
    path = box.top / name
    path.write_text(json.dumps(value) if not isinstance(value, str) else value)
    return path


@pytest.fixture
def databases(box):
    """One database for each tool, made by itself: {flavour: path}."""
    file = write_schema(box, BASE)
    paths = {flavour: box.top / f"{flavour}.db" for flavour in BOTH}
    for flavour, path in paths.items():
        box.run("ovsdb-tool", "create", path, file, flavour=flavour)
    return paths


def decoded(results):
    """Results in a form that compares: the JSON text in "syntax" as the value that it is."""
    for result in results if isinstance(results, list) else [results]:
        if result and "syntax" in result:
            try:
                result["syntax"] = json.loads(result["syntax"])
            except ValueError:
                pass
    return results


def both(box, databases, command, *operations):
    answers = []
    for flavour in BOTH:
        done = box.run("ovsdb-tool", command, databases[flavour], json.dumps(["D", *operations]), flavour=flavour)
        results = decoded(json.loads(done.stdout))
        # The packaged tool's query also reports that it could not write to the file.
        answers.append([r for r in results if not (r and "io-error" in r)] if isinstance(results, list) else results)
    return answers


VALUES = [
    ("i", "x"), ("i", 1.5), ("i", 1e300), ("i", 2.0), ("i", BIG), ("i", SMALL), ("i", True), ("i", None),
    ("i", ["set", []]), ("i", ["set", [1]]), ("i", ["set", [1, 2]]), ("i", ["map", []]), ("i", []), ("i", {}),
    ("i", ["set"]), ("i", ["uuid", "x"]), ("ir", 0), ("ir", 4096), ("ir", 4095), ("imin", 0), ("imax", 11),
    ("imax", -5), ("r", "x"), ("r", 1), ("r", 0.1), ("r", -2.5e-9), ("rr", 1), ("rr", 3), ("rr", 2), ("b", 1),
    ("b", "true"), ("b", False), ("s", 1), ("s", "\u00e4\U0001F600"), ("s", "\"\\/\b\f\n\r\t\u0001"), ("sl", "a"),
    ("sl", "abcde"), ("sl", "\u00e4\u00f6\u00fc"), ("sl", ""), ("se", "x"), ("se", "a b"), ("se", "blue one"),
    ("ie", 3), ("u", "x"), ("u", ["uuid", "x"]), ("u", ["uuid", UUID.upper()]), ("u", ["uuid", UUID[:-1] + "g"]),
    ("u", ["named-uuid", "x y"]), ("u", ["named-uuid", 1]), ("u", ["foo", "x"]), ("u", ["uuid"]),
    ("is", ["set", [1, 1]]), ("is", ["set", [3, 1, 2]]), ("is", ["set", [1, "x"]]), ("is", ["set", 1]),
    ("is", ["set", [1], 2]), ("is", ["foo", [1]]), ("is", ["set", [[1]]]), ("i13", ["set", []]),
    ("i13", ["set", [1, 2, 3, 4]]), ("i13", ["set", [1, 2, 3]]), ("oi", ["set", [1, 2]]), ("oi", ["set", []]),
    ("m", 1), ("m", ["set", []]), ("m", ["map", [["a"]]]), ("m", ["map", [["a", "b", "c"]]]), ("m", ["map", ["a"]]),
    ("m", ["map", [["a", 1]]]), ("m", ["map", [["a", "1"], ["a", "2"]]]), ("m", ["map", [["b", "1"], ["a", "2"]]]),
    ("m", ["map", 1]), ("m", ["map", [[1, "x"]]]), ("mir", ["map", [[11, 1]]]),
    ("mir", ["map", [[1, 1], [2, 2], [3, 3], [4, 4]]]), ("mir", ["map", [[1, 0.5]]]), ("is", ["map", []]),
    ("nosuch", 1), ("imm", 2), ("rs", ["set", [1, 1.0]]), ("rs", ["set", [0.0, -0.0]]), ("rs", ["set", [2.5, -1, 1e20]]),
    ("mu", ["map", [["a", ["uuid", "z"]]]]), ("ss", ["set", ["a", "a"]]), ("ss", ["set", ["b", "", "a"]]),
    ("us", ["set", [["uuid", "x"]]]), ("om", ["map", [["a", "b"]]]), ("om", ["map", [["a", "b"], ["c", "d"]]]),
]


def test_values(box, databases):
    """What each value becomes, or how it is refused."""
    for column, value in VALUES:
        ours, packaged = both(box, databases, "query", {"op": "insert", "table": "T", "row": {column: value}},
                              {"op": "select", "table": "T", "where": [], "columns": [column]})
        for results in (ours, packaged):
            results[0].pop("uuid", None)
        assert ours == packaged, (column, value)


CONDITIONS = [
    ["i", "<", 5], ["i", "<=", 5], ["i", "=", 5], ["i", "==", ["set", [5]]], ["i", "==", ["set", []]],
    ["i", "includes", 5], ["i", "includes", ["set", []]], ["i", "excludes", 5], ["s", "<", "x"],
    ["s", "includes", "abc"], ["b", "<", True], ["oi", "<", 4], ["oi", "<", ["set", []]], ["oi", "==", 3],
    ["oi", "==", ["set", []]], ["or", "<", 4], ["or", "!=", 4.5], ["or", "!=", ["set", []]],
    ["oi", "<", ["set", [1, 2]]], ["is", "<", 3], ["is", "includes", 1], ["is", "includes", ["set", [1, 2]]],
    ["is", "includes", ["set", [1, 9]]], ["is", "excludes", ["set", [1, 9]]], ["is", "excludes", ["set", [8, 9]]],
    ["is", "==", ["set", [3, 2, 1]]], ["is", "!=", ["set", [3, 2, 1]]], ["is", "includes", ["set", []]],
    ["is", "excludes", ["set", []]], ["i13", "includes", ["set", []]], ["i13", "==", ["set", []]],
    ["i13", "includes", ["set", [1, 2, 3, 4, 5]]], ["i13", "excludes", ["set", [1, 2, 3, 4, 5]]],
    ["m", "includes", ["map", [["a", "b"]]]], ["m", "includes", ["map", [["a", "x"]]]],
    ["m", "excludes", ["map", [["a", "x"]]]], ["m", "excludes", ["map", [["a", "b"]]]],
    ["m", "includes", ["set", ["a"]]], ["m", "==", ["map", []]], ["m", "<", ["map", []]], ["ir", "==", 5000],
    ["se", "==", "zzz"], ["_uuid", "==", ["uuid", "x"]], ["_uuid", "<", ["uuid", UUID]],
    ["_uuid", "includes", ["uuid", UUID]], ["_version", "!=", ["uuid", UUID]], ["nosuch", "==", 1], ["i", "=="],
    "x", 5, True, False, [1, "==", 1], ["i", 1, 1], ["i", "==", 1, 2], [],
    ["om", "includes", ["map", [["a", "b"], ["c", "d"]]]], ["rs", ">", 1], ["u", ">=", ["uuid", UUID]],
]
ROW = {"i": 5, "r": 2.5, "s": "abc", "is": ["set", [1, 2, 3]], "m": ["map", [["a", "b"], ["c", "d"]]], "oi": 3,
       "mi": ["map", [[1, 2], [3, 4]]], "ss": ["set", ["a", "b"]], "ir": 5, "i13": ["set", [1, 2]], "imm": 7,
       "rr": 1.5, "rs": ["set", [0.5, 1.5]], "se": "red"}


def test_conditions(box, databases):
    for clause in CONDITIONS:
        ours, packaged = both(box, databases, "query", {"op": "insert", "table": "T", "row": ROW},
                              {"op": "select", "table": "T", "where": [clause], "columns": ["i"]})
        assert ours[1:] == packaged[1:], clause


MUTATIONS = [
    ["i", "+=", 1], ["i", "+=", BIG], ["i", "-=", SMALL], ["i", "*=", BIG], ["i", "/=", 0], ["i", "%=", 0],
    ["i", "/=", -2], ["i", "%=", -2], ["i", "-=", ["set", []]], ["i", "-=", ["set", [1, 2]]], ["i", "+=", 1.5],
    ["i", "+=", "x"], ["i", "insert", 1], ["i", "delete", 1], ["r", "+=", 1], ["r", "/=", 0], ["r", "%=", 1],
    ["r", "*=", 1e308], ["r", "-=", 0.5], ["r", "/=", 2], ["r", "+=", -2.5], ["ir", "+=", 5000], ["ir", "-=", 5],
    ["rr", "+=", 1], ["rr", "+=", 2], ["ir", "+=", 4000], ["is", "+=", 1], ["is", "*=", 0], ["is", "%=", 2],
    ["is", "*=", -1], ["is", "insert", 4], ["is", "insert", ["set", [1, 9]]], ["is", "delete", ["set", [1, 9]]],
    ["is", "delete", 1], ["is", "/=", 2], ["oi", "+=", 1], ["oi", "insert", 4], ["oi", "insert", 3],
    ["oi", "delete", 3], ["oi", "delete", 4], ["or", "+=", 1], ["i13", "delete", ["set", [1, 2]]],
    ["i13", "delete", ["set", [1, 2, 3, 4]]], ["i13", "insert", ["set", [1, 2, 3, 4]]],
    ["i13", "insert", ["set", [3, 4]]], ["i13", "insert", 3], ["i13", "insert", ["set", []]], ["b", "+=", 1],
    ["b", "insert", True], ["s", "+=", "x"], ["s", "insert", "x"], ["ss", "insert", "x"],
    ["ss", "delete", ["set", ["a", "b"]]], ["ss", "insert", ["set", ["x", "x"]]], ["ss", "+=", "x"],
    ["m", "insert", ["map", [["a", "x"], ["e", "f"]]]], ["m", "insert", ["set", ["a"]]],
    ["m", "delete", ["map", [["a", "x"], ["c", "d"]]]], ["m", "delete", ["set", ["a", "zz"]]], ["m", "delete", "a"],
    ["m", "delete", ["set", []]], ["m", "delete", ["map", []]], ["m", "+=", 1], ["m", "delete", ["set", [1]]],
    ["mi", "+=", 1], ["mi", "insert", ["map", [[1, 9], [5, 6]]]],
    ["mi", "delete", ["map", [[1, 2], [3, 9]]]], ["mir", "insert", ["map", [[1, 1], [2, 2], [3, 3], [4, 4]]]],
    ["mir", "insert", ["map", [[11, 1]]]], ["mir", "delete", ["set", [11]]], ["ir", "insert", 5],
    ["se", "insert", "zz"], ["se", "delete", "zz"], ["se", "delete", "red"], ["imm", "+=", 1], ["nosuch", "+=", 1],
    ["_uuid", "insert", ["uuid", UUID]], ["i", "+="], ["i", "foo", 1], [1, "+=", 1], ["i", 1, 1], 5,
    ["i", "+=", 1, 2], ["om", "insert", ["map", [["a", "b"], ["c", "d"]]]], ["om", "insert", ["map", [["a", "b"]]]],
]


def test_mutations(box, databases):
    everything = [name for name in COLUMNS if name != "u"]
    for mutation in MUTATIONS:
        ours, packaged = both(box, databases, "query", {"op": "insert", "table": "T", "row": ROW},
                              {"op": "mutate", "table": "T", "where": [], "mutations": [mutation]},
                              {"op": "select", "table": "T", "where": [], "columns": everything})
        assert ours[1:] == packaged[1:], mutation
    extreme = {"i": SMALL}
    # Without *= -1: there the packaged one overflows without an error.
    for mutation in (["i", "/=", -1], ["i", "%=", -1], ["i", "-=", 1]):
        ours, packaged = both(box, databases, "query", {"op": "insert", "table": "T", "row": extreme},
                              {"op": "mutate", "table": "T", "where": [], "mutations": [mutation]})
        assert ours[1:] == packaged[1:], mutation


# --- schemas


def changed(*path, to):
    """BASE with one member changed, or removed."""
    value = copy.deepcopy(BASE)
    at = value
    for name in path[:-1]:
        at = at[name]
    if to is None:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return value


COLUMN = {"columns": {"c": {"type": "integer"}}}
SCHEMAS = [
    BASE, [], 5, changed("name", to=None), changed("name", to=5), changed("name", to="a b"), changed("name", to="_x"),
    changed("version", to=None), changed("version", to="1"), changed("version", to="1.2.3.4"),
    changed("version", to="a.b.c"), changed("version", to="01.2.3"), changed("version", to=5),
    changed("cksum", to=5), changed("cksum", to="foo"), changed("cksum", to=None), changed("tables", to=None),
    changed("tables", to={}), changed("tables", to=[]), changed("zz", to=1), changed("tables", "T", to=[]),
    changed("tables", "T", to={}), changed("tables", "_X", to=COLUMN), changed("tables", "a b", to=COLUMN),
    changed("tables", "T", "columns", to={}), changed("tables", "T", "columns", "_c", to={"type": "integer"}),
    changed("tables", "T", "columns", "c d", to={"type": "integer"}), changed("tables", "T", "columns", "c", to={}),
    changed("tables", "T", "columns", "c", to=5),
    changed("tables", "T", "columns", "c", to={"type": "integer", "zz": 1}), changed("tables", "T", "maxRows", to=0),
    changed("tables", "T", "maxRows", to=1), changed("tables", "T", "maxRows", to="x"),
    changed("tables", "T", "maxRows", to=4294967296), changed("tables", "T", "isRoot", to=False),
    changed("tables", "T", "isRoot", to=5), changed("tables", "T", "indexes", to=[]),
    changed("tables", "T", "indexes", to=[["i"], ["s", "i"]]), changed("tables", "T", "indexes", to=[["d"]]),
    changed("tables", "T", "indexes", to=[[]]), changed("tables", "T", "indexes", to=[["i", "i"]]),
    changed("tables", "T", "indexes", to=["i"]), changed("tables", "T", "indexes", to=[["eph"]]),
    changed("tables", "T", "mutable", to=True),
]
SCHEMAS += [changed("tables", "T", "columns", "c", to={"type": t}) for t in [
    "integer", "foo", 5, {}, {"key": "integer"}, {"key": "integer", "min": 1, "max": 1},
    {"key": "integer", "min": 2, "max": 3}, {"key": "integer", "min": 0, "max": 0},
    {"key": "integer", "max": "unlimited"}, {"key": "integer", "max": "x"}, {"key": "integer", "min": -1},
    {"key": "integer", "max": 4294967294}, {"key": "integer", "max": 4294967295}, {"key": "integer", "zz": 1},
    {"key": "foo"}, {"key": {"type": "foo"}}, {"key": {}}, {"key": {"type": "integer", "enum": ["set", [2, 1]]}},
    {"key": {"type": "integer", "enum": ["set", []]}}, {"key": {"type": "integer", "enum": ["set", ["x"]]}},
    {"key": {"type": "integer", "enum": ["set", [1, 1]]}}, {"key": {"type": "integer", "enum": 3}},
    {"key": {"type": "integer", "enum": ["set", [3]]}}, {"key": {"type": "integer", "enum": 3, "minInteger": 1}},
    {"key": {"type": "integer", "minInteger": 5, "maxInteger": 1}}, {"key": {"type": "integer", "minInteger": 1.5}},
    {"key": {"type": "integer", "minReal": 1}}, {"key": {"type": "real", "minReal": 5, "maxReal": 1}},
    {"key": {"type": "real", "minReal": 0.1, "maxReal": 1e300}}, {"key": {"type": "string", "minLength": -5}},
    {"key": {"type": "string", "minLength": 5, "maxLength": 1}}, {"key": {"type": "string", "maxLength": 0}},
    {"key": {"type": "string", "maxLength": 4294967295}}, {"key": {"type": "string", "maxLength": 4294967296}},
    {"key": {"type": "uuid", "refTable": "T"}}, {"key": {"type": "uuid", "refTable": "Z"}},
    {"key": {"type": "uuid", "refTable": "a b"}}, {"key": {"type": "uuid", "refTable": "T", "refType": "weak"}},
    {"key": {"type": "uuid", "refTable": "T", "refType": "x"}}, {"key": {"type": "uuid", "refType": "weak"}},
    {"key": {"type": "uuid", "refTable": "T", "refType": "strong"}, "min": 0},
    {"key": {"type": "uuid", "enum": ["uuid", UUID]}}, {"key": "string", "value": {"type": "uuid", "refTable": "Z"}},
    {"key": "string", "value": {"type": "uuid", "refTable": "N", "refType": "weak"}, "min": 0},
    {"key": "string", "value": "string"}, {"key": {"type": "boolean", "enum": True}}, {"value": "string"}]]


def first_record(path):
    return json.loads(path.read_text().splitlines()[1])


def test_schemas(box):
    """The same schemas are taken, and written in the same form; the same are refused."""
    for number, value in enumerate(SCHEMAS):
        file = write_schema(box, value, f"{number}.schema")
        done = {f: box.run("ovsdb-tool", "create", box.top / f"{number}.{f}", file, flavour=f, status=None) for f in BOTH}
        assert done["ours"].returncode == done["packaged"].returncode, (value, done)
        if done["ours"].returncode == 0:
            assert first_record(box.top / f"{number}.ours") == first_record(box.top / f"{number}.packaged"), value


def test_the_switchs_schema(box):
    for file in (SCHEMA, packaged_schema()):
        for f in BOTH:
            path = box.top / f"{f}.{file.parent.name}"
            box.run("ovsdb-tool", "create", path, file, flavour=f)
        paths = [box.top / f"{f}.{file.parent.name}" for f in BOTH]
        assert first_record(paths[0]) == first_record(paths[1])
        for command in ("schema-name", "schema-version", "schema-cksum"):
            assert box.run("ovsdb-tool", command, file).stdout == \
                box.run("ovsdb-tool", command, file, flavour="packaged").stdout
        for path in paths:
            for f in BOTH:
                assert box.run("ovsdb-tool", "needs-conversion", path, file, flavour=f).stdout == "no\n"


def test_needs_conversion(box, databases):
    for number, value in enumerate([BASE, changed("version", to="1.2.4"), changed("cksum", to="2 3"),
                                    changed("tables", "T", "isRoot", to=False),
                                    changed("tables", "T", "maxRows", to=5),
                                    changed("tables", "T", "columns", "i", "type", to={"key": {"type": "integer"}}),
                                    changed("tables", "T", "columns", "i", "mutable", to=False)]):
        file = write_schema(box, value, f"{number}.schema")
        answers = [box.run("ovsdb-tool", "needs-conversion", databases[f], file, flavour=f).stdout for f in BOTH]
        assert answers[0] == answers[1], value


# --- files


def random_operations(rng):
    # Without columns of at least one and at most several elements, such as i13: the packaged 3.1 reads
    # the difference from their default value wrongly, its own as well as ours.
    value = {
        "is": lambda: ["set", rng.sample(range(40), rng.randrange(12))],
        "ss": lambda: ["set", rng.sample(["a", "b", "c d", "", "true", "e\u00e9"], rng.randrange(5))],
        "m": lambda: ["map", [[k, rng.choice("xyz")] for k in rng.sample("abcdefg", rng.randrange(6))]],
        "om": lambda: ["map", [["k", rng.choice("xyz")]][: rng.randrange(2)]],
        "i": lambda: rng.randrange(5), "s": lambda: rng.choice(["", "x", "y z"]), "r": lambda: rng.randrange(9) / 4,
        "oi": lambda: ["set", [rng.randrange(3)][: rng.randrange(2)]], "b": lambda: rng.random() < 0.5,
        "eph": lambda: rng.randrange(9),
    }

    def row():
        return {c: value[c]() for c in rng.sample(sorted(value), rng.randrange(6))}

    where = [["i", "==", rng.randrange(5)]]
    return rng.choice([
        lambda: [{"op": "insert", "table": "T", "row": row()}, {"op": "comment", "comment": "more \"rows\""}],
        lambda: [{"op": "insert", "table": "N", "row": {"name": rng.choice(["n1", "n2", "odd name"])}}],
        lambda: [{"op": "update", "table": "T", "where": where, "row": row()}],
        lambda: [{"op": "update", "table": "N", "where": [], "row": {"x": rng.randrange(9)}}],
        lambda: [{"op": "mutate", "table": "T", "where": where,
                  "mutations": [["is", rng.choice(["insert", "delete"]), value["is"]()],
                                ["m", "insert", value["m"]()], ["i", "+=", 1]]}],
        lambda: [{"op": "delete", "table": "T", "where": where}],
    ])()


def rows_of(box, path, flavour):
    result = json.loads(box.run("ovsdb-tool", "query", path, json.dumps(
        ["D", *({"op": "select", "table": t, "where": []} for t in ("T", "N"))]), flavour=flavour).stdout)
    rows = [row for table in result for row in table["rows"]]
    for row in rows:
        row.pop("_version")
    return sorted(rows, key=lambda row: row["_uuid"])


def sorted_log(text):
    """show-log's text with the rows of a record, and the columns of a row, in one order: members of
    a JSON object have none."""
    out = []
    for record in text.split("\nrecord "):
        lines = record.split("\n")
        rows = []
        for line in lines[1:]:
            if line.startswith("    ") and rows:
                rows[-1].append(line)
            else:
                rows.append([line])
        out.append((lines[0], sorted((row[0], *sorted(row[1:])) for row in rows)))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_a_file_goes_back_and_forth(box, databases, seed):
    """Both tools write to one file in turn; both read the same rows and the same history from it."""
    rng = random.Random(seed)
    path = databases[BOTH[seed % 2]]
    for step in range(60):
        writer = rng.choice(BOTH)
        done = box.run("ovsdb-tool", "transact", path, json.dumps(["D", *random_operations(rng)]), flavour=writer)
        assert done.stderr == ""
        if step % 20 == 19:
            reader = BOTH[1 - BOTH.index(writer)]
            for ours, packaged in zip(rows_of(box, path, "ours"), rows_of(box, path, "packaged"), strict=True):
                assert ours == packaged
            box.run("ovsdb-tool", "compact", path, flavour=reader) if step == 39 else None
    assert len(rows_of(box, path, "ours")) > 3
    for more in ([], ["-m"], ["-mm"]):
        logs = [box.run("ovsdb-tool", *more, "show-log", path, flavour=f).stdout for f in BOTH]
        assert sorted_log(logs[0]) == sorted_log(logs[1])


def test_conversion_gives_the_same_rows(box, databases):
    new = changed("version", to="2.0.0")
    del new["tables"]["T"]["columns"]["s"]
    del new["tables"]["N"]
    new["tables"]["T"]["columns"]["fresh"] = {"type": "boolean"}
    file = write_schema(box, new, "new.schema")
    box.run("ovsdb-tool", "transact", databases["packaged"],
            json.dumps(["D", {"op": "insert", "table": "T", "row": {**ROW, "ss": ["set", ["p", "q"]]}},
                        {"op": "insert", "table": "N", "row": {"name": "gone"}}]), flavour="packaged")
    results = []
    for flavour in BOTH:
        box.run("ovsdb-tool", "convert", databases["packaged"], file, f"{flavour}.converted", flavour=flavour)
        for reader in BOTH:
            done = box.run("ovsdb-tool", "query", f"{flavour}.converted",
                           '["D",{"op":"select","table":"T","where":[]}]', flavour=reader)
            (row,) = json.loads(done.stdout)[0]["rows"]
            row.pop("_version")
            results.append(row)
    assert all(row == results[0] for row in results)
    bad = changed("tables", "T", "columns", "i", to={"type": {"key": {"type": "integer", "maxInteger": 1}}})
    file = write_schema(box, bad, "bad.schema")
    for flavour in BOTH:
        done = box.run("ovsdb-tool", "convert", databases["packaged"], file, "bad.db", flavour=flavour, status=1)
        assert "5 is greater than maximum allowed value 1" in done.stderr


def test_records_without_differences_are_read(box):
    """Versions before 2.17 wrote new values where newer ones write differences."""
    file = box.top / "old.db"
    uuid = "00000000-0000-0000-0000-000000000001"
    with open(file, "wb") as out:
        for value in (BASE, {"T": {uuid: {"is": ["set", [1, 2]], "m": ["map", [["a", "b"]]]}}, "_date": 1269999999},
                      {"T": {uuid: {"is": ["set", [2, 3]], "m": ["map", [["c", "d"]]]}}, "_date": 1700000000000},
                      {"T": {uuid: {"is": ["set", [3, 4]]}}, "_date": 1700000000000, "_is_diff": True}):
            data = (json.dumps(value) + "\n").encode()
            out.write(b"OVSDB JSON %d %s\n" % (len(data), hashlib.sha1(data).hexdigest().encode()) + data)
    ours, packaged = (rows_of(box, file, f) for f in BOTH)
    assert ours == packaged
    assert ours[0]["is"] == ["set", [2, 4]] and ours[0]["m"] == ["map", [["c", "d"]]]


@pytest.mark.parametrize("flavour", BOTH)
def test_a_served_database_is_refused_by_the_other_side(box, flavour):
    other = BOTH[1 - BOTH.index(flavour)]
    server = box.start_ovsdb_server(flavour=flavour, schema=SCHEMA)
    path = box.db_dir / "conf.db"
    for arguments in (["transact", path, '["Open_vSwitch"]'], ["compact", path], ["convert", path, SCHEMA]):
        done = box.run("ovsdb-tool", *arguments, flavour=other, status=1)
        assert "lock" in done.stderr
        assert str(server.pid) in done.stderr
    box.run("ovsdb-tool", "query", path, '["Open_vSwitch"]', flavour=other)


@pytest.mark.parametrize("arguments, status", [
    (["compare-versions", "1.2.3", "<", "1.10.0"], 0), (["compare-versions", "1.2.3", "==", "1.10.0"], 2),
    (["compare-versions", "1.2", "==", "1.10.0"], 1), (["compare-versions", "1.2.3", "=", "1.10.0"], 1),
    (["db-is-standalone", "d"], 0), (["db-is-clustered", "d"], 2), (["db-is-standalone", "nothing"], 1),
    (["db-name", "nothing"], 1), (["show-log", "nothing"], 1), (["nosuch"], 1), ([], 1), (["create", "d"], 1),
    (["transact", "d", "x"], 1), (["transact", "d", "{}"], 0), (["transact", "d", '["Z"]'], 0), (["query", "d", "[]"], 0),
    (["db-cid", "d"], 1), (["create", "a", "b", "c"], 1), (["transact", "d", '["D",{"op":"nosuch"}]'], 0)])
def test_exit_status_and_output(box, databases, arguments, status):
    results = []
    for flavour in BOTH:
        words = [str(databases[flavour]) if word == "d" else word for word in arguments]
        done = box.run("ovsdb-tool", *words, flavour=flavour, status=status)
        results.append(decoded(json.loads(done.stdout)) if done.stdout else "")
    assert results[0] == results[1]
