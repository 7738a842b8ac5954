"""The manual pages tell what the programs do: the same commands and options, and true examples."""

import contextlib
import re
import shutil
import subprocess

import pytest

import manual
import netns  # noqa: E402
import ovs_test

PROGRAMS = ["ovsdb-server.1", "ovsdb-client.1", "ovsdb-tool.1", "ovs-vsctl.8", "ovs-appctl.8",
            "ovs-conf.8", "ovs-vswitchd.8"]

# Commands that are not the program's own but those of daemons.
CONTROL_COMMANDS = {"ovsdb-server.1", "ovs-appctl.8", "ovs-vswitchd.8"}


def page_ids():
    names = [p.name for p in manual.MAN.iterdir() if re.fullmatch(r".+\.[1-8]", p.name)]
    return sorted({*names, "ovs-vswitchd.conf.db.5"})


def texts_with_examples():
    """The pages, and the texts beside them, that have examples to run."""
    paths = [manual.MAN / name for name in page_ids()]
    paths += [ovs_test.SOURCE_DIR / name for name in ("README.md", "HACKING.md")]
    return [p.name for p in paths if p.name == "ovs-vswitchd.conf.db.5" or manual.examples(p)]


def help_text(box, name):
    return box.run(name.rsplit(".", 1)[0], "--help").stdout


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("name", page_ids())
def test_lint(name):
    found = subprocess.run(["mandoc", "-T", "lint", "-W", "style", manual.page(name)], text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60).stdout
    # Whether the pages that it refers to are installed on this machine is not the page's fault.
    complaints = [line for line in found.splitlines() if "referenced manual not found" not in line]
    assert complaints == []


def test_pages_are_installed():
    listed = set(re.findall(r"man/([\w.-]+\.[1-8])\b", (manual.MAN / "man.mk").read_text()))
    assert listed == set(page_ids())


@pytest.mark.parametrize("name", page_ids())
def test_references(name):
    """A page of ours that another one refers to is there."""
    ours = {".".join(r) for r in manual.references(manual.page(name)) if r[0].startswith("ovs")}
    assert ours <= set(page_ids())


@pytest.mark.parametrize("text", ["README.md", "HACKING.md", "NEWS.md"])
def test_paths(text):
    """Files and folders of the tree that a text names are there."""
    source = (ovs_test.SOURCE_DIR / text).read_text()
    paths = set(re.findall(r"`((?:src|utilities|man|tests|bench|completion)/[^`\s]*)`", source))
    assert text == "NEWS.md" or len(paths) > 5
    gone = {p for p in paths
            if not (ovs_test.SOURCE_DIR / re.sub(r"/?[A-Z]{2,}.*|NAME.*", "", p)).exists()}
    assert gone == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_options(box, name):
    assert manual.described_options(manual.page(name)) == manual.help_options(help_text(box, name))


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n not in CONTROL_COMMANDS])
def test_commands(box, name):
    ours = manual.help_commands(help_text(box, name))
    assert len(ours) > 5
    assert manual.described_commands(manual.page(name)) == ours


def test_control_commands(box):
    manual.start_server(box)
    listed = box.run("ovs-appctl", "-t", "ovsdb-server", "list-commands").stdout
    served = manual.help_commands("\n".join(listed.splitlines()[1:]))
    described = manual.described_commands(manual.page("ovsdb-server.1"))
    common = manual.described_commands(manual.page("ovs-appctl.8"))
    assert described | common == served
    assert not described & common
    # ovs-appctl --help has a list of its own of what all daemons take.
    listed = re.findall(r"(?m)^  (?:([a-z][a-z/-]+), )?([a-z][a-z/-]+)(?: \[\S+\])?  ", box.run("ovs-appctl", "--help").stdout)
    names = {name for pair in listed for name in pair if name}
    assert len(names) > 5 and names <= common


def test_control_commands_of_ovs_vswitchd(box):
    switch = box.start_vswitchd()
    served = manual.help_commands("\n".join(switch.appctl("list-commands").stdout.splitlines()[1:]))
    common = manual.described_commands(manual.page("ovs-appctl.8"))
    assert manual.described_commands(manual.page("ovs-vswitchd.8")) == served - common
    described = manual.described_arguments(manual.page("ovs-vswitchd.8"))
    listed = manual.help_arguments(switch.appctl("list-commands").stdout)
    assert described == {name: listed[name] for name in described}


def test_control_commands_of_ovsdb_client(box):
    """A program that monitors and one that holds a lock have commands of their own."""
    manual.start_server(box)
    served = set()
    for words in (["monitor-cond", "[]", "Bridge"], ["lock", "x"]):
        pidfile = box.run_dir / "ovsdb-client.pid"
        # What it prints keeps a pipe open.
        subprocess.run([ovs_test.program("ovsdb-client"), "--detach", "--pidfile", "--no-chdir", *words],
                       env=box.env, cwd=box.top, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=True, timeout=ovs_test.limit(30))
        listed = box.run("ovs-appctl", "-t", "ovsdb-client", "list-commands").stdout
        served |= manual.help_commands("\n".join(listed.splitlines()[1:]))
        box.run("ovs-appctl", "-t", "ovsdb-client", "exit")
        ovs_test.wait_until(lambda: not pidfile.exists())
    common = manual.described_commands(manual.page("ovs-appctl.8"))
    assert manual.described_commands(manual.page("ovsdb-client.1"), control=True) == served - common


def test_options_for_completion(box):
    """What ovs-vsctl lists for completion is what --help and the page tell."""
    listed = set(re.findall(r"(?m)^--[a-z-]+", box.run("ovs-vsctl", "--options").stdout))
    of_commands = set(re.findall(r"--[a-z-]+", box.run("ovs-vsctl", "--commands").stdout))
    assert listed | of_commands == manual.described_options(manual.page("ovs-vsctl.8"))


@pytest.mark.parametrize("name", texts_with_examples())
def test_examples(name):
    path = ovs_test.SOURCE_DIR / name if name.endswith(".md") else manual.page(name)
    examples = manual.examples(path)
    assert examples
    wants = set().union(*(example.wants for example in examples))
    with contextlib.ExitStack() as stack:
        prefix = ()
        if wants & {"namespace", "switch"}:
            prefix = stack.enter_context(netns.Network()).namespace("docs").prefix
        box = stack.enter_context(ovs_test.Sandbox(prefix))
        environment = manual.environment(box)
        if wants & {"server", "switch"}:
            manual.start_server(box)
        if "switch" in wants:
            manual.start_switch(box)
        stack.callback(manual.stop_daemons, box)
        for example in examples:
            if "tls" in example.wants and not ovs_test.has_tls():
                continue
            for step in example.steps:
                variables = box.top / "variables"
                script = f"set -a\n{step.command}\nstatus=$?\nenv -0 >{variables}\nexit $status"
                done = subprocess.run([*prefix, "bash", "-c", script], env=environment, cwd=box.top,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True,
                                      timeout=ovs_test.limit(30))
                if variables.exists():
                    environment = dict(line.split("=", 1) for line in variables.read_text().split("\0") if line)
                where = f"{name}:{example.line}: {step.command}\n{done.stdout}"
                assert done.returncode == 0, where
                assert manual.normalize(done.stdout) == manual.normalize(step.output), where
