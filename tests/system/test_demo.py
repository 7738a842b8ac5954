"""./demo does what README.md promises, as root and as a user, and leaves nothing behind."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

import ovs_test

DEMO = ovs_test.SOURCE_DIR / "demo"


def environment():
    return dict(os.environ, OVS_BUILDDIR=str(ovs_test.build_dir()))


def left_behind():
    """The network namespaces of programs that have ended; their names are ovs-PID-..."""
    folder = Path("/run/netns")
    made = folder.glob("ovs-*") if folder.is_dir() else []
    return {path for path in made if not Path("/proc", path.name.split("-")[1]).exists()}


def check_output(text):
    rows = re.findall(r"^(vm\d) \(VLAN \d\) (.*)$", text, re.M)
    assert [(name, cells.split()) for name, cells in rows] == [
        ("vm1", [".", "no", "yes", "no"]), ("vm2", ["no", ".", "no", "yes"]),
        ("vm3", ["yes", "no", ".", "no"]), ("vm4", ["no", "yes", "no", "."])]
    assert "host1# ovs-vsctl add-port br0 tap0 tag=1" in text
    assert re.search(r"VLAN 1: \d+ frames\n +VLAN 2: \d+ frames\n\n", text)
    assert text.count("Bridge br0") == 2
    watched = re.findall(r"^(vm\d) +(vm\d) +(\d) +(\d+) +([\d,]+) +([\d,]+) +[-+][\d.]+ %$", text, re.M)
    assert [row[:3] for row in watched] == [("vm1", "vm3", "1"), ("vm2", "vm4", "2"), ("vm3", "vm1", "1"),
                                            ("vm4", "vm2", "2")]
    for row in watched:
        samples, estimated, true = (int(number.replace(",", "")) for number in row[3:])
        assert samples > 5 and 0.2 < estimated / true < 5, row
    assert "As it should be" in text


def test_as_root():
    before = left_behind()
    done = subprocess.run([DEMO], env=environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=ovs_test.limit(120))
    assert done.returncode == 0, done.stdout + done.stderr
    check_output(done.stdout)
    assert not left_behind() - before


def test_as_a_user(tmp_path):
    """In a user namespace.  The programs are copied to where every user may read them."""
    allowed = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                              "unshare", "--user", "--map-root-user", "--net", "true"], capture_output=True)
    if allowed.returncode != 0:
        pytest.skip("this kernel does not let users make namespaces")
    top = Path("/tmp") / f"ovs-demo-{os.getpid()}"
    try:
        for folder in ("utilities", "src/dbserver", "src/vswitchd", "tests/support"):
            (top / "build" / folder).mkdir(parents=True)
        for name in ("ovs-vsctl", "ovs-appctl", "ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "sflow_collector"):
            program = Path(ovs_test.program(name))
            shutil.copy(program, top / "build" / program.relative_to(ovs_test.build_dir()))
        for name in ("demo", "build-aux/prepare.sh", "src/vswitchd/vswitch.ovsschema", "tests/support"):
            source, target = ovs_test.SOURCE_DIR / name, top / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        subprocess.run(["chmod", "-R", "a+rX", top], check=True)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", top / "demo"],
                              env={"PATH": os.environ["PATH"], "OVS_BUILDDIR": str(top / "build"), "HOME": "/",
                                   **{k: v for k, v in os.environ.items() if k.startswith(("ASAN", "OVS_TEST"))}},
                              cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=ovs_test.limit(120))
        assert done.returncode == 0, done.stdout + done.stderr
        check_output(done.stdout)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def test_keep():
    """It stays until it is told to end, and the printed line leads into a host."""
    before = left_behind()
    with subprocess.Popen([DEMO, "--keep"], env=environment(), text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as demo:
        try:
            text = ""
            while "To end it" not in text:
                line = demo.stdout.readline()
                assert line, text
                text += line
            check_output(text)
            enter = re.search(r"^ +(\S+/enter) +# host2$", text, re.M).group(1)

            def inside(*command):
                return subprocess.run([enter, *command], capture_output=True, text=True, timeout=ovs_test.limit(20))
            assert inside("ovs-vsctl", "list-ports", "br0").stdout.split() == ["eth0", "tap0", "tap1"]
            assert "tap1" in inside("ovs-appctl", "dpif/show").stdout
            assert inside("ip", "netns", "exec", "vm4", "ping", "-c", "1", "10.0.0.2").returncode == 0
            os.killpg(demo.pid, signal.SIGINT)
            demo.stdout.read()
            demo.wait(ovs_test.limit(30))
        finally:
            if demo.poll() is None:
                os.killpg(demo.pid, signal.SIGKILL)
    assert not Path(enter).exists()
    assert not left_behind() - before
