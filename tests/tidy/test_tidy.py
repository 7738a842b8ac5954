"""The checks of this folder find what they are there to find."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TIDY = Path(__file__).resolve().parent


def run(script, *arguments):
    done = subprocess.run([sys.executable, str(TIDY / script), *map(str, arguments)],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path):
    """A small source tree with the real table and two clean headers."""
    for folder in ("src/base", "src/runtime", "src/flow", "utilities", "tests/tidy"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tests/tidy/layers.txt").write_text((TIDY / "layers.txt").read_text())
    (tmp_path / "src/base/text.h").write_text("#pragma once\n#include <string>\nstd::string text();\n")
    (tmp_path / "src/runtime/loop.h").write_text('#pragma once\n#include "base/text.h"\n')
    return tmp_path


def test_a_clean_tree_passes(tree):
    status, output = run("layers.py", tree)
    assert (status, output) == (0, "2 files, 0 violations\n")


@pytest.mark.parametrize("path, line, complaint", [
    ("src/base/a.cc", '#include "runtime/loop.h"', "base may not know runtime"),
    ("src/flow/a.cc", '#  include "runtime/loop.h"', "flow may not know runtime"),
    ("src/base/a.h", "#include <boost/asio/ip/tcp.hpp>", "which is for runtime alone"),
    ("src/flow/a.cc", "#include <openssl/ssl.h>", "which is for runtime tests alone"),
    ("utilities/a.cc", "#include <cap-ng.h>", "which is for runtime alone"),
    ("src/base/a.cc", '#include "text.h"', "which is not in src/"),
    ("src/base/a.cc", '#include "fmt/core.h"', "headers of libraries stand in <>"),
    ("src/runtime/a.cc", '#include "table.h"', "in no folder of ours"),
    ("src/newfolder/a.cc", '#include "base/text.h"', "newfolder is not in the table"),
])
def test_layers_reports(tree, path, line, complaint):
    (tree / path).parent.mkdir(exist_ok=True)
    (tree / path).write_text(f"// a comment\n{line}\n")
    status, output = run("layers.py", tree)
    assert status == 1
    assert complaint in output
    assert f"{path}:" in output


def test_an_empty_tree_is_no_success(tmp_path):
    (tmp_path / "tests/tidy").mkdir(parents=True)
    (tmp_path / "tests/tidy/layers.txt").write_text("base:\n")
    assert run("layers.py", tmp_path)[0] == 1


def test_headers_reports_what_does_not_stand_alone(tree, tmp_path_factory):
    build = tmp_path_factory.mktemp("build")
    real = Path(os.environ["OVS_BUILDDIR"])
    # The real compiler and flags, with a cache of its own.
    sys.path.insert(0, str(TIDY.parent / "support"))
    import makefile
    values = makefile.variables(real, "CXX", "OVS_CXXFLAGS")
    (build / "Makefile").write_text(
        f"CXXCOMPILE = {values['CXX']} {values['OVS_CXXFLAGS']} -Wall -I{tree}/src\n")
    assert run("headers.py", build, tree) == (0, "2 headers, 0 of them first in a source file, 2 compiled, 0 bad\n")
    assert run("headers.py", build, tree) == (0, "2 headers, 0 of them first in a source file, 0 compiled, 0 bad\n")

    # A change in what a header includes is a change of both.
    (tree / "src/base/text.h").write_text("#include <string>\nstd::string_view text();\n")
    status, output = run("headers.py", build, tree)
    assert status == 1
    assert "src/base/text.h: no #pragma once" in output
    assert "2 compiled, 1 bad" in output

    (tree / "src/runtime/loop.h").write_text("#pragma once\nvoid f(std::string);\n")
    status, output = run("headers.py", build, tree)
    assert status == 1
    assert "src/runtime/loop.h: does not compile alone" in output
    # What failed is not remembered as passed.
    assert "1 compiled, 2 bad" in run("headers.py", build, tree)[1]

    # A source file that includes a header before all else has compiled it alone.
    (tree / "src/base/text.h").write_text("#pragma once\n")
    (tree / "src/runtime/loop.cc").write_text('// words\n#include "runtime/loop.h"\n#include <string>\n')
    with (build / "Makefile").open("a") as makefile_text:
        makefile_text.write("SOURCES = src/runtime/loop.cc src/runtime/missing.cc\n")
    assert run("headers.py", build, tree) == (0, "2 headers, 1 of them first in a source file, 1 compiled, 0 bad\n")
