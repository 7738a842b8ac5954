"""man/make-conf-db refuses what would make ovs-vswitchd.conf.db(5) untrue."""

import json
import subprocess
import sys

import pytest

from ovs_test import SOURCE_DIR

SCHEMA = {
    "name": "Small", "version": "1.0.0",
    "tables": {"Box": {
        "columns": {
            "name": {"type": "string", "mutable": False},
            "size": {"type": {"key": {"type": "integer", "minInteger": 1, "maxInteger": 5}, "min": 0}},
            "extra": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
            "marks": {"type": {"key": "string", "min": 0, "max": "unlimited"}, "ephemeral": True},
        },
        "indexes": [["name"]],
    }},
}

TEXT = """@table Box
@summary A box.

What it is for, see small(7).

@group Core
@column name
The name.  Any `word` will do.

@column size
How large it is.

@group More
@column extra
Further settings:

- one
- two

    an example \\

@key extra:weight integer 0.. default 3
@key extra:colour one of red, green
About it.

@column marks
What is written on it.

@key marks:fragile member
Be careful.
"""


@pytest.fixture
def make(tmp_path):
    """Runs the program on a text and a schema: its exit status, output and complaint."""
    def run(text=TEXT, schema=SCHEMA):
        (tmp_path / "s.ovsschema").write_text(json.dumps(schema))
        (tmp_path / "Box.txt").write_text(text)
        return subprocess.run([sys.executable, SOURCE_DIR / "man/make-conf-db",
                               "s.ovsschema", "Box.txt"], cwd=tmp_path, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return run


def test_page(make):
    done = make()
    assert done.returncode == 0, done.stderr
    for line in (".Xr small 7 .",
                 r".It \fB\%name\fR: string; unique in the table; fixed once the row exists",
                 r"Any \fB\%word\fR will do.",
                 r".It \fB\%size\fR: optional integer from 1 to 5",
                 r".It \fB\%extra\fR: map from string to string",
                 r"an example \e",
                 r".It \fB\%extra:weight\fR: integer, at least 0; default \fB3\fR",
                 r".It \fB\%extra:colour\fR: \fB\%red\fR or \fB\%green\fR",
                 r".It \fB\%marks\fR: set of strings; not stored on disk",
                 r".It \fB\%marks:fragile\fR: member of the set"):
        assert line in done.stdout.splitlines()


@pytest.mark.parametrize("before, after, complaint", [
    ("@column size\nHow large it is.\n", "", "no text for the columns ['size']"),
    ("@column size", "@column sise", "the schema has no column sise"),
    ("@column marks", "@column name", "column name is there twice"),
    ("extra:colour one of red, green", "extra:weight integer", "key extra:weight is there twice"),
    ("extra:colour one of red, green", "extra:colour number", "unknown type 'number'"),
    ("extra:colour one of", "extras:colour one of", "the schema has no column extras"),
    ("extra:colour one of red, green", "extra:colour member", "extra is a map"),
    ("marks:fragile member", "marks:fragile string", "marks is not a map"),
    ("What is written on it.", "", "no description"),
    ("`word`", "`word", "a back quote is missing"),
    ("@group More", "@groop More", "unknown mark-up @groop"),
    ("@table Box", "@table Bin", "['Bin', 'Box']"),
    ("@summary A box.\n", "", "no @summary"),
])
def test_mistakes(make, before, after, complaint):
    assert before in TEXT
    done = make(TEXT.replace(before, after))
    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stdout == ""
