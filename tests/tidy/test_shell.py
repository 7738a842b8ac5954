"""Scripts in the language of POSIX's shell: shellcheck and checkbashisms find nothing to say."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests" / "support"))

import debian  # noqa: E402

# Sourced by net.lo, and by ./check: they name no interpreter.
SOURCED = ["rc/netifrc/openvswitch.sh", "build-aux/prepare.sh"]
CONFIGURATION = ["conf.d/ovs", "conf.d/ovs-vswitchd", "conf.d/ovsdb-server"]


def listed():
    """The files of the project: git's, or in a release, all."""
    done = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z"], capture_output=True, text=True, check=False)
    # A release that is unpacked within a checkout is not the checkout's.
    if done.returncode == 0 and (TOP / ".git").exists():
        return [name for name in done.stdout.split("\0") if name]
    found = [str(path.relative_to(TOP)) for path in TOP.rglob("*") if path.is_file()]
    return [name for name in found if not name.startswith("build-aux/")]  # automake's


def interpreter(name):
    try:
        with open(TOP / name, "rb") as file:
            return file.readline(200).decode(errors="replace").strip()
    except OSError:
        return ""


def scripts():
    found = [name for name in listed() if interpreter(name) in ("#!/bin/sh", "#!/sbin/openrc-run")]
    return sorted(set(found + [name for name in SOURCED + CONFIGURATION if (TOP / name).exists()]))


def test_the_services_are_among_them():
    assert {"check", "demo", "rc/ovs", "rc/ovsdb-server", "rc/ovs-vswitchd", *SOURCED} <= set(scripts())


@pytest.mark.parametrize("name", scripts())
def test_shellcheck(name):
    if not shutil.which("shellcheck"):
        pytest.skip("not run: there is no shellcheck")
    # Those that are sourced set variables for others, and have others'.
    exclude = ["--exclude=SC2034,SC2154"] if name in SOURCED + CONFIGURATION else []
    done = subprocess.run(["shellcheck", "-s", "sh", "-x", *exclude, name], cwd=TOP, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def checkbashisms(tmp_path_factory):
    """The program, which is one script of Debian's package devscripts."""
    if found := shutil.which("checkbashisms"):
        return found
    build = os.environ.get("OVS_BUILDDIR")
    directory = Path(build) / "devscripts" if build else tmp_path_factory.mktemp("devscripts") / "unpacked"
    try:
        return str(debian.unpacked(directory, "devscripts") / "usr/bin/checkbashisms")
    except OSError as error:
        pytest.skip(f"not run: {error}")


@pytest.mark.parametrize("name", scripts())
def test_checkbashisms(name, checkbashisms):
    done = subprocess.run([checkbashisms, "--force", "--posix", "--extra", name], cwd=TOP, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
