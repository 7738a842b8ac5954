"""Standard output and standard error that cannot be written, or are closed: the exit status is what it would be."""

import subprocess

import pytest
from ovs_test import program

COMMAND_LINES = [(["ovs-vsctl", "bogus"], 1), (["ovs-appctl", "bogus"], 1), (["ovs-appctl", "-t", "nope", "bogus"], 1),
                 (["ovsdb-client", "bogus"], 1), (["ovsdb-tool", "bogus"], 1), (["ovs-vswitchd", "--bogus"], 1),
                 (["ovsdb-server", "--bogus"], 1), (["ovsdb-server", "/dev/null"], 1),
                 (["ovsdb-tool", "show-log", "/nonexistent"], 1), (["ovs-conf", "bogus"], 2)]
IDS = [" ".join(words) for words, _ in COMMAND_LINES]


@pytest.mark.parametrize("words, status", COMMAND_LINES, ids=IDS)
def test_full(box, words, status):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program(words[0]), *words[1:]], stdout=full, stderr=full, env=box.env, timeout=30)
    assert done.returncode == status


@pytest.mark.parametrize("words, status", COMMAND_LINES, ids=IDS)
def test_closed(box, words, status):
    done = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", program(words[0]), *words[1:]], env=box.env,
                          timeout=30)
    assert done.returncode == status


def test_show_log_on_a_full_disk(box):
    path = box.create_database()
    with open("/dev/full", "w") as full:
        done = subprocess.run([program("ovsdb-tool"), "show-log", path], stdout=full, stderr=subprocess.PIPE, text=True,
                              env=box.env)
    assert (done.returncode, done.stderr) == (1, "ovsdb-tool: writing standard output failed\n")


def test_a_closed_standard_error_is_not_the_database(box):
    """What is opened first would otherwise be descriptor 2, and messages would end up in it."""
    path = box.db_dir / "conf.db"
    box.create_database()
    before = path.read_bytes()
    done = subprocess.run(["sh", "-c", 'exec "$@" 0>&- >&- 2>&-', "sh", program("ovsdb-server"), path, "-vconsole:dbg",
                           f"--remote=punix:{box.run_dir}/db.sock", "--run=true"], env=box.env, timeout=30)
    assert done.returncode == 0
    assert path.read_bytes() == before
