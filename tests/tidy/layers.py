#!/usr/bin/env python3
"""Holds every #include of the tree against the table in layers.txt.

Usage: layers.py [SOURCE_DIR].  Prints each violation as FILE:LINE and exits 1 if there is one.
"""

import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_table(path):
    """Returns ({folder: allowed folders}, [(header prefix, folders)])."""
    folders, libraries = {}, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        name, colon, rest = line.partition(":")
        if not colon:
            sys.exit(f"{path}:{number}: no ':' in this line")
        words = name.split()
        if len(words) == 2 and words[0] == "library":
            libraries.append((words[1], set(rest.split())))
        elif len(words) == 1:
            folders[words[0]] = set(rest.split())
        else:
            sys.exit(f"{path}:{number}: neither a folder nor a library")
    for folder, allowed in folders.items():
        for other in allowed - {"*"} - folders.keys():
            sys.exit(f"{path}: {folder} may include {other}, which is not in the table")
    return folders, libraries


def sources(top):
    """(folder, path) of every C++ file."""
    for suffix in ("h", "cc"):
        for path in (top / "src").glob(f"*/**/*.{suffix}"):
            yield path.relative_to(top / "src").parts[0], path
        for folder in ("utilities", "tests", "bench"):
            for path in (top / folder).glob(f"**/*.{suffix}"):
                yield folder, path


def is_ours(top, path, name):
    """Whether `name`, included in quotes by `path`, is a file of the tree without a folder of src/."""
    places = (path.parent, top / "utilities", top / "tests" / "fuzz", top / "tests")
    return any((place / name).is_file() for place in places)


def violations(top, folder, path, folders, libraries):
    if folder not in folders:
        yield 0, f"the folder {folder} is not in the table"
        return
    allowed = folders[folder]
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, name = match.groups()
        ours = quote == '"' and (top / "src" / name).is_file()  # our own netlink/ is not libnl's
        for prefix, users in libraries if not ours else ():
            if name.startswith(prefix) and folder not in users and folder not in ("tests", "bench"):
                yield number, f"{folder} includes <{name}>, which is for {' '.join(sorted(users))} alone"
        if quote == "<":
            continue
        if ours:
            other = Path(name).parts[0]
            if len(Path(name).parts) == 1:
                yield number, f'"{name}" does not name its folder'
            elif other != folder and other not in allowed and "*" not in allowed:
                yield number, f'{folder} includes "{name}": {folder} may not know {other}'
        elif not is_ours(top, path, name):
            yield number, f'"{name}" is in no folder of ours: headers of libraries stand in <>'
        elif folder not in ("utilities", "tests", "bench"):
            yield number, f'{folder} includes "{name}", which is not in src/'


def main():
    top = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent.parent
    folders, libraries = read_table(top / "tests" / "tidy" / "layers.txt")
    count = bad = 0
    for folder, path in sorted(sources(top), key=lambda item: item[1]):
        count += 1
        for number, text in violations(top, folder, path, folders, libraries):
            bad += 1
            print(f"{path.relative_to(top)}:{number}: {text}")
    if count == 0:
        sys.exit(f"no sources below {top}")
    print(f"{count} files, {bad} violations")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
