"""Our ovs-vswitchd.conf.db(5) describes every key that the packaged page describes, with its range.

Columns are held by man/make-conf-db against the schema; the keys inside maps are in no schema, so
the packaged page is what there is to hold them against.  Intended differences are in DIFFERENCES.
"""

import importlib.machinery
import importlib.util
import re
import shutil
import subprocess

import pytest

from ovs_test import SOURCE_DIR, packaged_dir

# (table, column, key) -> (packaged type, our type), each with its reason.
DIFFERENCES = {
    # Not in the packaged page, but in that of ovs-vsctl(8).
    ("Port", "other_config", "rstp-admin-p2p-mac"): (None, "one of 0, 1, 2"),
    ("Port", "other_config", "rstp-admin-port-state"): (None, "boolean"),
    # What is in use, as opposed to what was asked for by options.
    ("Interface", "status", "xdp-mode"): (None, "one of generic, native, native-with-zerocopy"),
    ("Interface", "status", "use-need-wakeup"): (None, "boolean"),
    ("Interface", "status", "n_rxq"): (None, "integer 1..64"),
    ("Interface", "status", "n_txq"): (None, "integer 1..64"),
}


def make_conf_db():
    path = SOURCE_DIR / "man/make-conf-db"
    loader = importlib.machinery.SourceFileLoader("make_conf_db", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_conf_db", loader))
    loader.exec_module(module)
    return module


def alternatives(words):
    return "one of " + ", ".join(sorted(words))


def our_keys():
    keys = {}
    texts = sorted((SOURCE_DIR / "man/conf.db").glob("*.txt"))
    for text in map(make_conf_db().Text, texts):
        for group in text.groups:
            for entry in group.entries:
                for column, key, kind in entry.heads:
                    if key is None:
                        continue
                    kind = kind.split(" default ")[0]
                    if kind.startswith("one of "):
                        kind = alternatives(kind[len("one of "):].split(", "))
                    keys[text.table, column, key] = "boolean" if kind == "one of false, true" else kind
    return keys


def packaged_kind(words):
    words = words.replace("optional ", "", 1)
    words = words.replace("string, containing an integer", "integer").replace(",", "")
    if match := re.fullmatch(r"integer at least (-?\d+)", words):
        return f"integer {match[1]}.."
    if match := re.fullmatch(r"integer in range (-?\d+) to (-?\d+)", words):
        return f"integer {match[1]}..{match[2]}"
    if match := re.fullmatch(r"string (?:one of|either) (.+)", words):
        choices = [w for w in match[1].split() if w != "or"]
        return "boolean" if sorted(choices) == ["false", "true"] else alternatives(choices)
    return {"none": "member"}.get(words, words)


def packaged_keys():
    page = packaged_dir() / "usr/share/man/man5/ovs-vswitchd.conf.db.5.gz"
    rendered = subprocess.run(["mandoc", "-T", "ascii", "-O", "width=1000", page], check=True,
                              stdout=subprocess.PIPE, timeout=60).stdout.decode()
    keys, table = {}, None
    for line in re.sub(r".\x08", "", rendered).splitlines():
        line = re.sub(r"\s+", " ", line)
        if match := re.fullmatch(r"(\w+) TABLE", line):
            table = match[1]
        elif match := re.fullmatch(r" (\w+) : (\S+): ([a-z].*)", line):
            keys[table, match[1], match[2]] = packaged_kind(match[3])
    return keys


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_same_keys():
    theirs, ours = packaged_keys(), our_keys()
    assert len(theirs) > 200
    differences = {key: (theirs.get(key), ours.get(key)) for key in theirs.keys() | ours.keys()
                   if theirs.get(key) != ours.get(key)}
    assert differences == DIFFERENCES
