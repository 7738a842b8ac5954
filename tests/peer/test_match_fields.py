"""The table of match fields (src/flow/fields.h) says what the packaged ovs-fields(7) says, row by row.

Every field has a line in one of the page's summaries; most have a table of their own with formats and
OXM and NXM numbers.  Both are held against what match_text_tool prints of our table.
"""

import re
import shutil
import subprocess

import pytest

from ovs_test import packaged_dir, program

pytestmark = pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")

# The classes of codes, by the beginning of their names: the page's table of prefixes.
PREFIXES = {"NXM_OF_": (0, 0), "NXM_NX_": (1, 0), "ERICOXM_OF_": (0x1000, 0), "OXM_OF_": (0x8000, 0),
            "OXM_OF_PKT_REG": (0x8001, 0), "NXOXM_ET_": (0xFFFF, 0x2320),
            "NXOXM_NSH_": (0xFFFF, 0x5AD650), "ONFOXM_ET_": (0xFFFF, 0x4F4E4600)}


def version(text):
    return tuple(int(n) for n in text.split(".")) if text else ()


def our_fields():
    shown = subprocess.run([program("match_text_tool"), "table"], check=True, stdout=subprocess.PIPE,
                           text=True, timeout=60).stdout
    columns = ("name", "alias", "width", "bits", "format", "masking", "prerequisites", "access", "of10",
               "of11", "codes")
    fields = {}
    for line in shown.splitlines():
        row = dict(zip(columns, line.split("|"), strict=True))
        row["width"], row["bits"] = int(row["width"]), int(row["bits"])
        codes = set()
        for code in filter(None, row["codes"].split(";")):
            name, class_, experimenter, number, openflow, ovs = code.split(":")
            codes.add((name, int(class_, 0), int(experimenter, 0), int(number), openflow, ovs))
        row["codes"] = codes
        fields[row["name"]] = row
    return fields


def page_lines():
    page = packaged_dir() / "usr/share/man/man7/ovs-fields.7.gz"
    rendered = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=1000", page], check=True,
                              stdout=subprocess.PIPE, timeout=60).stdout.decode()
    return re.sub(r".\x08", "", rendered).splitlines()


def packaged_codes(text):
    """'OXM_OF_X (5) since OpenFlow 1.2 and Open vSwitch 1.7; ...' as a set."""
    codes = set()
    for code in text.split(";"):
        if code.strip() == "none":
            continue
        match = re.fullmatch(r"(\w+) \((\d+)\) since (?:OpenFlow ([\d.]+) and )?Open vSwitch ([\d.]+)",
                             code.strip())
        assert match, code
        prefix = max((p for p in PREFIXES if match[1].startswith(p)), key=len)
        codes.add((match[1], *PREFIXES[prefix], int(match[2]), match[3] or "", match[4]))
    return codes


def packaged_details():
    """Field -> the properties in its own table."""
    fields, current = {}, None
    for line in page_lines():
        match = re.fullmatch(r"\s*(Name|Width|Format|Masking|Prerequisites|Access|OpenFlow 1\.[01]|OXM|NXM):\s*(.+?)",
                             line.rstrip())
        if not match:
            continue
        key, value = match[1], re.sub(r"\s+", " ", match[2])
        if key == "Name":
            name = re.fullmatch(r"(\w+)(?: \(aka (\w+)\))?", value)
            current = fields[name[1]] = {"name": name[1], "alias": name[2] or "", "codes": set()}
        elif key == "Width":
            width = re.fullmatch(r"(\d+) bits(?: \(only the least-significant (\d+) bits may be nonzero\)"
                                 r"| \(\d+ bytes\))?", value)
            current["width"] = int(width[1])
            current["bits"] = int(width[2] or width[1])
        elif key in ("OXM", "NXM"):
            current["codes"] |= packaged_codes(value)
        elif key == "Masking":
            current["masking"] = {"arbitrary bitwise masks": "any", "not maskable": "exact"}[value]
        else:
            current[{"OpenFlow 1.0": "of10", "OpenFlow 1.1": "of11"}.get(key, key.lower())] = value
    return fields


def packaged_summaries():
    """Field -> the properties in the summaries at the beginning of the sections."""
    fields = {}
    for line in page_lines():
        match = re.fullmatch(r"\s+(\w+)(?: aka (\w+))?\s+(\d+)(?: \(low (\d+) bits\))?\s+(yes|no)\s+(yes|no)\s+"
                             r"(\S+(?: \S+)?)(?:\s{2,}(.*?))?\s*", line)
        if not match:
            continue
        support = re.fullmatch(r"(?:OF ([\d.]+)\+ and )?OVS ([\d.]+)\+", match[8] or "")
        fields[match[1]] = {"alias": match[2] or "", "width": 8 * int(match[3]),
                            "bits": int(match[4] or 8 * int(match[3])),
                            "masking": "any" if match[5] == "yes" else "exact",
                            "access": "read/write" if match[6] == "yes" else "read-only",
                            "prerequisites": match[7],
                            "since": (support[1] or "", support[2]) if support else ("", "")}
    return fields


def differences(theirs, ours):
    return {(name, key): (value, ours[name][key]) for name, row in theirs.items() for key, value in row.items()
            if ours[name][key] != value}


def test_every_field_is_there_and_as_its_own_table_says():
    theirs, ours = packaged_details(), our_fields()
    assert len(theirs) > 85
    assert all(len(row) == 11 for row in theirs.values())
    assert theirs.keys() <= ours.keys()
    assert differences(theirs, ours) == {}


def test_the_summaries_name_the_same_fields():
    theirs, ours = packaged_summaries(), our_fields()
    assert theirs.keys() == ours.keys()
    for row in ours.values():
        row["since"] = tuple(min((code[i] for code in row["codes"] if code[i]), key=version, default="")
                             for i in (4, 5))
    assert differences(theirs, ours) == {}


@pytest.mark.parametrize("name,first,count", [("reg", 0, 16), ("xreg", 0, 8), ("xxreg", 111, 4),
                                              ("tun_metadata", 40, 64)])
def test_numbers_of_series_are_consecutive(name, first, count):
    ours = our_fields()
    theirs = packaged_details()[f"{name}0"]["codes"]
    ((_, class_, experimenter, number, openflow, _),) = theirs
    assert number == first
    for i in range(count):
        ((code, *rest, _),) = ours[f"{name}{i}"]["codes"]
        assert code.endswith(str(i))
        assert rest == [class_, experimenter, first + i, openflow]
