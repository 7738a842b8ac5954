"""Completion in bash offers what the programs and the database know."""

import re
import subprocess

import pytest

import manual
import ovs_test

DRIVER = """
source "$1"
complete_function=$2
shift 2
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
$complete_function
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def complete(box):
    """complete(WORDS...) are the words that bash offers for the last one of a command line."""
    manual.start_server(box)
    box.run("ovs-vsctl", "--no-wait", "add-br", "br0", "--", "add-port", "br0", "eth0",
            "--", "add-bond", "br0", "bond0", "eth1", "eth2")

    def run(*words):
        program = words[0]
        done = subprocess.run(
            ["bash", "-c", DRIVER, "bash", ovs_test.SOURCE_DIR / f"completion/{program}.bash",
             "_" + program.replace("-", "_"), *words],
            env=manual.environment(box), cwd=box.top, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=ovs_test.limit(30))
        assert (done.returncode, done.stderr) == (0, "")
        return sorted(done.stdout.split())

    return run


def test_vsctl_commands(box, complete):
    listed = {line.split(",")[1] for line in box.run("ovs-vsctl", "--commands").stdout.splitlines()}
    assert set(complete("ovs-vsctl", "")) == listed
    assert complete("ovs-vsctl", "add-b") == ["add-bond", "add-bond-iface", "add-br"]
    assert complete("ovs-vsctl", "--no-wait", "-t", "5", "br-e") == ["br-exists"]
    assert complete("ovs-vsctl", "add-br", "x", "--", "port-") == ["port-to-br"]
    assert complete("ovs-vsctl", "--", "--with-iface", "") == ["del-port"]
    assert complete("ovs-vsctl", "--columns", "=", "name", "") == ["find", "list"]


def test_vsctl_options(complete):
    assert complete("ovs-vsctl", "--no-w") == ["--no-wait"]
    assert complete("ovs-vsctl", "--may") == ["--may-exist"]
    assert complete("ovs-vsctl", "list-br", "--", "--no-w") == []


@pytest.mark.parametrize("words, offered", [
    (["del-br", ""], ["--", "br0"]),
    (["list-ports", "b"], ["br0"]),
    (["port-to-br", ""], ["--", "bond0", "br0", "eth0"]),
    (["iface-to-br", "e"], ["eth0", "eth1", "eth2"]),
    (["del-port", "b"], ["bond0", "br0"]),
    (["del-port", "br0", "e"], ["eth0"]),
    (["set-fail-mode", "br0", "s"], ["secure", "standalone"]),
    (["list", "Fl"], ["Flow_Sample_Collector_Set", "Flow_Table"]),
    (["get", "Bridge", ""], ["--", "br0"]),
    (["get", "Open_vSwitch", "."], ["."]),
    (["get", "Bridge", "br0", "stp"], ["stp_enable"]),
    (["set", "Interface", "eth0", "ofport"], ["ofport", "ofport_request"]),
    (["set", "Interface", "eth0", "type", "=", "internal", "mtu_"], ["mtu_request"]),
    (["set", "Interface", "eth0", "options", ":", "key", "=", "7", "mtu_"], ["mtu_request"]),
    (["add-port", "br0", "eth9", "vlan_"], ["vlan_mode"]),
    (["add-bond", "br0", "b", "x", "y", "bond_up"], ["bond_updelay"]),
    (["set", "Interface", "eth0", "type", "="], []),
    (["list-br", ""], ["--"]),
])
def test_vsctl_arguments(complete, words, offered):
    assert complete("ovs-vsctl", *words) == offered


def test_without_server(box):
    """Where no server answers, the commands are offered nevertheless, and nothing hangs."""
    done = subprocess.run(
        ["bash", "-c", DRIVER, "bash", ovs_test.SOURCE_DIR / "completion/ovs-vsctl.bash", "_ovs_vsctl",
         "ovs-vsctl", "del-br", ""], env=manual.environment(box), stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=ovs_test.limit(10))
    assert (done.returncode, done.stdout, done.stderr) == (0, "--\n", "")


def test_conf(box, complete):
    assert complete("ovs-conf", "") == ["apply", "check", "confirm", "diff", "dump", "revert"]
    assert complete("ovs-conf", "-t", "5", "d") == ["diff", "dump"]
    assert complete("ovs-conf", "apply", "--con") == ["--confirm="]
    assert complete("ovs-conf", "--confirm", "=", "") == []
    (box.top / "net.conf").write_text("")
    assert complete("ovs-conf", "check", "net") == ["net.conf"]
    assert complete("ovs-conf", "check", "net.conf", "") == []
    assert complete("ovs-conf", "dump", "") == []
    for words in (["-p"], ["--ca-cert"], ["--ca-cert", "="]):
        assert complete("ovs-conf", "dump", *words, "net") == ["net.conf"]
    assert complete("ovs-conf", "-p", "key.pem", "--ca-cert", "=", "ca.pem", "d") == ["diff", "dump"]
    assert complete("ovs-conf", "--ssl-protocols", "") == []
    assert set(complete("ovs-conf", "--")) == {
        option + value for option, value in re.findall(r"(?m)^  (?:-., )?(--[a-z-]+)(=?)",
                                                       box.run("ovs-conf", "--help").stdout)}


def test_appctl(box, complete):
    assert complete("ovs-appctl", "-t", "") == ["ovsdb-server"]
    assert complete("ovs-appctl", "--target", "=", "ov") == ["ovsdb-server"]
    assert complete("ovs-appctl", "-t", "ovsdb-server", "vlog/l") == ["vlog/list", "vlog/list-pattern"]
    assert complete("ovs-appctl", "-t", "ovsdb-server", "exit", "") == []
    assert complete("ovs-appctl", "--ti") == ["--timeout="]
    assert complete("ovs-appctl", "--fo") == ["--format="]
    assert set(complete("ovs-appctl", "--")) == {
        option + value for option, value in re.findall(r"(?m)^  (?:-., )?(--[a-z-]+)(=?)",
                                                       box.run("ovs-appctl", "--help").stdout)}
