"""What `make install` puts where, and how the installed programs are linked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import makefile  # noqa: E402

BUILD = Path(os.environ["OVS_BUILDDIR"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The directory of a staged installation."""
    destination = tmp_path_factory.mktemp("install")
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-C", str(BUILD), "install", f"DESTDIR={destination}"],
                          capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return destination


@pytest.fixture(scope="module")
def directories():
    return makefile.variables(BUILD, "bindir", "sbindir", "mandir", "pkgdatadir")


def below(installed, directory, *names):
    return installed.joinpath(directory.lstrip("/"), *names)


def test_programs_are_where_users_know_them(installed, directories):
    for name in ("ovs-vsctl", "ovs-appctl", "ovsdb-client", "ovsdb-tool"):
        assert os.access(below(installed, directories["bindir"], name), os.X_OK), name
    assert os.access(below(installed, directories["sbindir"], "ovsdb-server"), os.X_OK)


def test_the_schema_is_installed(installed, directories):
    assert below(installed, directories["pkgdatadir"], "vswitch.ovsschema").is_file()


def test_every_program_has_its_page(installed, directories):
    pages = {path.name.rsplit(".", 1)[0] for path in below(installed, directories["mandir"]).glob("man*/*")}
    programs = {path.name for key in ("bindir", "sbindir") for path in below(installed, directories[key]).iterdir()}
    assert programs <= pages
    assert "ovs-vswitchd.conf.db" in pages


def test_programs_are_hardened(installed, directories):
    if not makefile.variables(BUILD, "HARDENING_LDFLAGS")["HARDENING_LDFLAGS"].strip():
        pytest.skip("configured with --disable-hardening")
    programs = [path for key in ("bindir", "sbindir") for path in below(installed, directories[key]).iterdir()]
    assert programs
    for program in programs:
        with program.open("rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
        text = subprocess.run(["readelf", "-hldW", str(program)], capture_output=True, text=True, check=True).stdout
        assert "DYN (Position-Independent Executable" in text, f"{program.name} is not position-independent"
        assert "GNU_RELRO" in text, f"{program.name} has no RELRO"
        assert "BIND_NOW" in text or "FLAGS_1) " in text and "NOW" in text, f"{program.name} binds lazily"
        stack = [line for line in text.splitlines() if "GNU_STACK" in line]
        assert stack and "RWE" not in stack[0], f"{program.name} has an executable stack"
        symbols = subprocess.run(["readelf", "--dyn-syms", "-W", str(program)], capture_output=True, text=True,
                                 check=True).stdout
        assert "__stack_chk_fail" in symbols, f"{program.name} has no stack protector"
