#!/usr/bin/env python3
"""Compiles every header of the tree alone, with the build's own flags.

Usage: headers.py BUILD_DIR [SOURCE_DIR].  A header that needs another one included before it, that
lacks its `#pragma once`, or that warns is printed with the compiler's words; the exit status is
then 1.  What passed is remembered in BUILD_DIR by the contents of the header and of all that it
includes from the tree, so that a second run compiles only what has changed.

A header that a source file of the build includes before anything else needs no compilation of its
own: the build itself has shown that it stands alone.
"""

import concurrent.futures
import hashlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import makefile  # noqa: E402

ANY_INCLUDE = re.compile(rb'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


class Tree:
    """The headers of the source tree, and what each includes from it."""

    def __init__(self, top):
        self.top = top
        self.roots = [top / "src", top / "utilities", top / "tests" / "fuzz", top / "tests"]
        self.contents = {}

    def headers(self):
        for folder in ("src", "utilities", "tests", "bench"):
            yield from (self.top / folder).glob("**/*.h")

    def read(self, path):
        if path not in self.contents:
            self.contents[path] = path.read_bytes()
        return self.contents[path]

    def closure(self, path):
        """`path` and every file of the tree that it includes, directly or not, in stable order."""
        found, left = {path}, [path]
        while left:
            at = left.pop()
            for name in INCLUDE.findall(self.read(at)):
                for root in [at.parent, *self.roots]:
                    candidate = root / name.decode()
                    if candidate.is_file():
                        if candidate not in found:
                            found.add(candidate)
                            left.append(candidate)
                        break
        return sorted(found)


def included_first(tree, sources):
    """The headers that one of the `sources` includes before anything else."""
    found = set()
    for source in sources:
        first = ANY_INCLUDE.search(tree.read(source))
        if first and first[1] == b'"':
            for root in [source.parent, *tree.roots]:
                candidate = root / first[2].decode()
                if candidate.is_file():
                    found.add(candidate)
                    break
    return found


def compile_alone(command, path, build_dir):
    """Returns the compiler's output if it does not take a file that includes nothing but `path`."""
    run = subprocess.run(
        [*command, "-fsyntax-only", "-x", "c++", "-"], cwd=build_dir, text=True, capture_output=True,
        input=f'#include "{path}"\n', check=False)
    return run.stderr if run.returncode != 0 or run.stderr else ""


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build_dir = Path(sys.argv[1]).resolve()
    top = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent.parent).resolve()
    values = makefile.variables(build_dir, "CXXCOMPILE", "GTEST_CFLAGS", "SOURCES")
    command = shlex.split(values["CXXCOMPILE"] + " " + values["GTEST_CFLAGS"]) + [f"-I{top}/tests"]
    # Debugging information and optimisation do not change what is well-formed.
    command += ["-g0", "-O0", "-U_FORTIFY_SOURCE"]
    version = subprocess.run([command[0], "--version"], capture_output=True, check=False).stdout

    tree = Tree(top)
    cache_path = build_dir / "tests" / "tidy" / "headers.cache"
    known = set(cache_path.read_text().split()) if cache_path.exists() else set()
    passed, to_compile, bad = [], [], 0
    headers = sorted(tree.headers())
    sources = [top / name for name in values["SOURCES"].split() if name.endswith(".cc")]
    built = included_first(tree, [path for path in sources if path.is_file()])
    for path in headers:
        if b"#pragma once" not in tree.read(path):
            bad += 1
            print(f"{path.relative_to(top)}: no #pragma once")
        if path in built:
            continue
        digest = hashlib.sha256(version + "\0".join(command).encode())
        for part in tree.closure(path):
            digest.update(str(part).encode() + b"\0" + tree.read(part))
        if digest.hexdigest() in known:
            passed.append(digest.hexdigest())
        else:
            to_compile.append((path, digest.hexdigest()))

    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = pool.map(lambda item: compile_alone(command, item[0], build_dir), to_compile)
        for (path, digest), output in zip(to_compile, results):
            if output:
                bad += 1
                print(f"{path.relative_to(top)}: does not compile alone:\n{output}")
            else:
                passed.append(digest)
    cache_path.parent.mkdir(parents=True, exist_ok=True)
    cache_path.write_text("\n".join(passed) + "\n")
    if not headers:
        sys.exit(f"no headers below {top}")
    print(f"{len(headers)} headers, {len(built)} of them first in a source file, {len(to_compile)} compiled, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
