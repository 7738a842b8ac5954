"""tests/run counts what there is, and takes nothing for a success that is none."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parent.parent / "run"

# Stands for a GoogleTest program: says how each test ended, in the report's format.
UNIT = """#!{python}
import json, sys
report = next(a for a in sys.argv if a.startswith("--gtest_output")).partition("json:")[2]
tests = [{{"name": f"t{{i}}", "status": "RUN", "result": "COMPLETED"}} for i in range({passed})]
tests += [{{"name": f"f{{i}}", "status": "RUN", "result": "COMPLETED", "failures": [{{}}]}} for i in range({failed})]
tests += [{{"name": f"s{{i}}", "status": "RUN", "result": "SKIPPED",
           "skipped": [{{"message": "x_test.cc:1\\nnot here"}}]}} for i in range({skipped})]
json.dump({{"testsuites": [{{"name": "Suite", "testsuite": tests}}]}}, open(report, "w"))
print("words of the program")
sys.exit({status})
"""


@pytest.fixture
def build(tmp_path):
    """A build directory whose Makefile names what the test adds."""

    class Build:
        def __init__(self):
            self.units, self.fuzzers = [], []

        def program(self, name, text):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

        def unit(self, folder, passed=0, failed=0, skipped=0, status=0):
            name = f"tests/unit/{folder}/{folder}_tests"
            self.program(name, UNIT.format(python=sys.executable, passed=passed, failed=failed, skipped=skipped,
                                           status=status))
            self.units.append(name)

        def run(self, *arguments, slowness="1"):
            names = " ".join(self.units + self.fuzzers)
            (tmp_path / "Makefile").write_text(
                f"UNIT_TESTS = {' '.join(self.units)}\nFUZZ_TARGETS = {' '.join(self.fuzzers)}\n"
                f"check_PROGRAMS = {names}\n")
            done = subprocess.run([sys.executable, str(RUN), str(tmp_path), *arguments], capture_output=True, text=True,
                                  env=dict(os.environ, OVS_TEST_SLOWNESS=slowness), check=False)
            return done.returncode, done.stdout + done.stderr

    return Build()


def last_line(output):
    return output.splitlines()[-1]


def test_adds_up_what_passed(build):
    build.unit("a", passed=3)
    build.unit("b", passed=4)
    status, output = build.run("unit/")
    assert (status, last_line(output)) == (0, "7 passed, 0 failed")
    assert "words of the program" not in output


def test_words_select_suites(build):
    build.unit("a", passed=3)
    build.unit("b", passed=4)
    assert last_line(build.run("unit/b")[1]) == "4 passed, 0 failed"
    status, output = build.run("nosuch")
    assert (status, last_line(output)) == (1, "0 passed, 1 failed")


def test_a_failure_is_shown_and_counted(build):
    build.unit("a", passed=3, failed=2, status=1)
    status, output = build.run("unit/")
    assert (status, last_line(output)) == (1, "3 passed, 2 failed")
    assert "words of the program" in output


def test_a_skipped_test_is_named_with_its_reason(build):
    build.unit("a", passed=1, skipped=1)
    status, output = build.run("unit/")
    assert (status, last_line(output)) == (0, "1 passed, 0 failed, 1 skipped")
    assert "skipped unit/a: Suite.s0: not here" in output


def test_no_test_is_a_failure(build):
    build.unit("a")
    status, output = build.run("unit/")
    assert (status, last_line(output)) == (1, "0 passed, 1 failed")


@pytest.mark.parametrize("text", ["#!/bin/sh\necho dying; kill -SEGV $$\n", "#!/bin/sh\nexit 0\n", "#!/nonexistent\n"])
def test_a_program_without_a_report_is_a_failure(build, text):
    build.program("tests/unit/a/a_tests", text)
    build.units.append("tests/unit/a/a_tests")
    status, output = build.run("unit/")
    assert (status, last_line(output)) == (1, "0 passed, 1 failed")


def test_a_bad_exit_status_is_a_failure_whatever_the_report_says(build):
    build.unit("a", passed=3, status=1)
    status, output = build.run("unit/")
    assert (status, last_line(output)) == (1, "3 passed, 1 failed")


def test_a_program_that_was_not_built_is_a_failure(build):
    build.units.append("tests/unit/a/a_tests")
    assert last_line(build.run("unit/")[1]) == "0 passed, 1 failed"


def test_a_fuzz_target_is_one_test(build):
    build.program("tests/fuzz/json_stream_fuzz", '#!/bin/sh\nfor i in "$@"; do [ -f "$i" ] || exit 1; done\n')
    build.fuzzers.append("tests/fuzz/json_stream_fuzz")
    assert last_line(build.run("fuzz/")[1]) == "1 passed, 0 failed"


def test_a_corpus_that_is_not_there_is_a_failure(build):
    build.program("tests/fuzz/nosuch_fuzz", '#!/bin/sh\nfor i in "$@"; do [ -f "$i" ] || exit 1; done\n')
    build.fuzzers.append("tests/fuzz/nosuch_fuzz")
    assert build.run("fuzz/")[0] == 1


def test_a_program_that_says_nothing_is_ended(build):
    build.program("tests/unit/a/a_tests", "#!/bin/sh\nexec sleep 600\n")
    build.units.append("tests/unit/a/a_tests")
    status, output = build.run("unit/", slowness="0.001")
    assert (status, last_line(output)) == (1, "0 passed, 1 failed")
    assert "nothing heard of it" in output


# ---- --again

UNSTABLE = """
import pathlib, pytest

@pytest.mark.parametrize("word", ["a b", "c"])
def test_unstable(word):
    seen = pathlib.Path(__file__).with_name(f"seen {word}")
    if not seen.exists():
        seen.touch()
        raise AssertionError(f"the first time of {word}")
"""


def tree(tmp_path, text):
    """A copy of tests/run over a suite of its own; returns a function that runs it."""
    for name in ("run", "support/makefile.py"):
        (tmp_path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RUN.parent / name, tmp_path / "tests" / name)
    (tmp_path / "tests" / "system").mkdir()
    (tmp_path / "tests" / "system" / "test_it.py").write_text(text)
    (tmp_path / "Makefile").write_text("UNIT_TESTS =\nFUZZ_TARGETS =\n")

    def run(*arguments):
        done = subprocess.run([sys.executable, tmp_path / "tests" / "run", *arguments, tmp_path, "system"],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr
    return run


def test_an_unstable_test_has_failed(tmp_path):
    status, output = tree(tmp_path, UNSTABLE)()
    assert (status, last_line(output)) == (1, "0 passed, 2 failed")
    assert "unstable" not in output.splitlines()[-2]


def test_an_unstable_test_is_named_when_it_passes_again(tmp_path):
    status, output = tree(tmp_path, UNSTABLE)("--again")
    assert (status, last_line(output)) == (0, "2 passed, 0 failed")
    for word in ("a b", "c"):
        assert f"unstable tests/system/test_it.py::test_unstable[{word}]: it failed" in output
        assert f"the first time of {word}" in output


@pytest.mark.parametrize("text,expected", [
    ("def test_a(): assert False, 'always'\ndef test_b(): pass\n", "1 passed, 1 failed"),
    ("import os\ndef test_a(): os._exit(1)\n", "0 passed, 1 failed"),
    ("import os\ndef test_a(): assert False\ndef test_b(): os._exit(1)\n", "0 passed, 1 failed"),
    ("import pytest\n@pytest.fixture\ndef f():\n  yield\n  assert False\ndef test_a(f): pass\n", "0 passed, 1 failed"),
    ("import nosuchmodule\n", "0 passed, 1 failed"),
    (UNSTABLE.replace('"c"]', '"c", "d", "e"]'), "0 passed, 4 failed")])
def test_what_fails_again_or_too_often_has_failed(tmp_path, text, expected):
    status, output = tree(tmp_path, text)("--again")
    assert (status, last_line(output)) == (1, expected)
    assert "unstable tests/" not in output
