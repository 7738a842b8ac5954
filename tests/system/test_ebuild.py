"""The Gentoo overlay in ebuild/: its form, and what its phases do, with stand-ins for the package manager."""

import filecmp
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import ovs_test
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import makefile  # noqa: E402

TOP = ovs_test.SOURCE_DIR
OVERLAY = TOP / "ebuild"
PACKAGE = OVERLAY / "net-misc/openvswitch"
PHASES = TOP / "tests/support/ebuild_phases.sh"
DIRECTORIES = ["prefix=/usr", "sysconfdir=/etc", "localstatedir=/var", "rundir=/run/openvswitch", "mandir=/usr/share/man"]


def version():
    return re.search(r"AC_INIT\(\[openvswitch\], \[([^]]+)\]", (TOP / "configure.ac").read_text()).group(1)


def release():
    return PACKAGE / f"openvswitch-{version()}.ebuild"


def run_phases(ebuild, image, *phases, use="", cwd=TOP, replacing=""):
    environment = {**os.environ, "USE": use, "REPLACING_VERSIONS": replacing}
    done = subprocess.run(["bash", str(PHASES), str(ebuild), ebuild.stem.split("-")[1], str(image), *phases], cwd=cwd,
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return done.stdout.splitlines()


def variables(ebuild):
    lines = run_phases(ebuild, "/nonexistent")
    return dict(line.removeprefix("variable ").split("=", 1) for line in lines if line.startswith("variable "))


def make(*arguments):
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    done = subprocess.run(["make", "-s", "-C", str(ovs_test.build_dir()), *arguments], capture_output=True, text=True,
                          env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_below(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """What `make install` puts where with --with-openrc."""
    directory = tmp_path_factory.mktemp("install")
    make("install", "install-openrc", f"DESTDIR={directory}", *DIRECTORIES)
    return directory


def test_the_overlay_has_its_form():
    assert (OVERLAY / "profiles/repo_name").read_text() == "openvswitch\n"
    layout = (OVERLAY / "metadata/layout.conf").read_text()
    assert re.search(r"^masters = gentoo$", layout, re.M)
    assert re.search(r"^thin-manifests = true$", layout, re.M)
    ebuilds = sorted(path.name for path in PACKAGE.glob("*.ebuild"))
    assert ebuilds == [release().name, "openvswitch-9999.ebuild"]
    # One text for both, which asks for its version.
    assert filecmp.cmp(release(), PACKAGE / "openvswitch-9999.ebuild", shallow=False)


def test_variables():
    for ebuild in (release(), PACKAGE / "openvswitch-9999.ebuild"):
        values = variables(ebuild)
        for name in ("EAPI", "DESCRIPTION", "HOMEPAGE", "LICENSE", "SLOT", "RDEPEND"):
            assert values[name], name
        assert values["EAPI"] == "8"
        assert values["LICENSE"] == "Apache-2.0"
        assert len(values["DESCRIPTION"]) <= 80
    live = variables(PACKAGE / "openvswitch-9999.ebuild")
    assert live["EGIT_REPO_URI"] and not live["KEYWORDS"] and not live["SRC_URI"]
    assert variables(release())["SRC_URI"] == f"openvswitch-{version()}.tar.xz"


def test_kernel_options_are_checked_and_not_fatal():
    options = variables(release())["CONFIG_CHECK"].split()
    assert all(option.startswith("~") for option in options)
    assert {"~OPENVSWITCH", "~TUN", "~NET_CLS_ACT", "~NET_SCH_INGRESS", "~NET_SCH_HFSC", "~NET_SCH_HTB"} <= set(options)
    # What the sources say that they need, too.
    for header in ("ingress_filter.h", "netfilter_drop.h"):
        needed = re.findall(r"CONFIG_(\w+)", (TOP / "src/netlink" / header).read_text())
        text = release().read_text()
        assert needed and all(re.search(rf"\b{name}\b", text) for name in needed), header
    # Each says what it is for, and those that this version does without that nobody needs them.
    text = release().read_text()
    for option in {option.lstrip("~") for option in options}:
        assert re.search(rf'^ERROR_{option}="CONFIG_{option}: .+"$', text, re.M), option
    for option in ("OPENVSWITCH", "NET_ACT_POLICE", "NET_CLS_BASIC", "NET_CLS_U32", "NET_SCH_HFSC", "NET_SCH_HTB"):
        assert re.search(rf'^ERROR_{option}="CONFIG_{option}: not needed; ', text, re.M), option
    lines = run_phases(release(), "/nonexistent", "pkg_setup")
    assert "inherit linux-info toolchain-funcs" in lines and "linux-info_pkg_setup" in lines


def test_the_readme_leads_to_an_installed_package():
    """Its names, paths and keywords are those of the ebuilds."""
    recipe = (TOP / "README.md").read_text().split("## On Gentoo")[1].split("Then declare your network")[0]
    typed = [line.strip() for line in recipe.splitlines() if line.startswith("    ")]
    checkout = re.search(r"^ *location = (.*)/ebuild$", recipe, re.M)[1]
    live, values = variables(PACKAGE / "openvswitch-9999.ebuild"), variables(release())
    assert live["EGIT_REPO_URI"] == f"file://{checkout}"
    assert f"git config --system --add safe.directory {checkout}/.git" in typed
    assert f"{checkout}/ebuild/{release().relative_to(OVERLAY)} manifest" in recipe
    assert f'cp {values["SRC_URI"]} "$(portageq envvar DISTDIR)"' in typed
    # What has keywords for testing alone, or none, is accepted by name.
    keywords = [shlex.split(line)[1] for line in typed if line.startswith("echo")]
    assert keywords == ["net-misc/openvswitch::openvswitch ~amd64", "=net-misc/openvswitch-9999::openvswitch **"]
    assert "~amd64" in values["KEYWORDS"].split() and not live["KEYWORDS"]
    name = (OVERLAY / "profiles/repo_name").read_text().strip()
    assert f"[{name}]" in typed and all(f"::{name} " in keyword for keyword in keywords)


def test_every_flag_is_described():
    described = {flag.get("name") for flag in ElementTree.parse(PACKAGE / "metadata.xml").getroot().iter("flag")}
    flags = {flag.lstrip("+-") for flag in variables(release())["IUSE"].split()}
    assert flags == described


def test_dependencies_are_those_of_configure():
    needed = variables(release())["RDEPEND"]
    packages = {"fmt": "dev-libs/libfmt", "libcap-ng": "sys-libs/libcap-ng", "libnl-3.0": "dev-libs/libnl",
                "libssl": "ssl? ( >=dev-libs/openssl-3:= )"}
    modules = re.findall(r"PKG_CHECK_MODULES\(\[(?!GTEST)\w+\], \[([^]]+)\]", (TOP / "configure.ac").read_text())
    names = {words.split()[0] for words in modules}
    assert names == set(packages)
    for package in packages.values():
        assert package in needed
    assert ">=dev-libs/boost-1.81" in needed


def test_the_flag_xdp(tmp_path):
    """It decides what is configured, and which options of the kernel are looked at."""
    for use in ("", "xdp"):
        lines = run_phases(release(), tmp_path, "src_configure", use=use)
        econf = next(line for line in lines if line.startswith("econf")).split()[1:]
        assert ("--enable-afxdp" if use else "--disable-afxdp") in econf
        lines = run_phases(release(), tmp_path, "pkg_setup", use=use)
        assert "linux-info_pkg_setup" in lines
        checked = next(line for line in lines if line.startswith("checked "))
        assert {"~XDP_SOCKETS", "~BPF_SYSCALL"} <= set(checked.split()) if use else "XDP" not in checked
    assert re.search(r"PKG_CHECK_MODULES\(\[LIBBPF\], \[libbpf >= 1.0\]", (TOP / "m4/ovs_afxdp.m4").read_text())
    assert "xdp? ( >=dev-libs/libbpf-1.0:= )" in variables(release())["RDEPEND"]


@pytest.mark.parametrize("compiler, good", [("gcc-11", False), ("gcc-12", True), ("clang-13", False), ("clang-14", True)])
def test_a_compiler_that_is_too_old_is_said_at_once(monkeypatch, compiler, good):
    monkeypatch.setenv("COMPILER", compiler)
    command = ["bash", str(PHASES), str(release()), version(), "/nonexistent", "pkg_pretend"]
    assert ("die The sources" in subprocess.run(command, capture_output=True, text=True, check=False).stdout) != good
    monkeypatch.setenv("MERGE_TYPE", "binary")
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0


def test_a_kernel_that_is_too_old_for_af_xdp(monkeypatch):
    for kernel, use, warned in ((5008, "xdp", True), (5008, "", False), (5009, "xdp", False)):
        monkeypatch.setenv("KERNEL", str(kernel))
        lines = run_phases(release(), "/nonexistent", "pkg_setup", use=use)
        assert any(line.startswith("ewarn This kernel is older than 5.9") for line in lines) == warned


def test_configure_knows_the_options(tmp_path):
    lines = run_phases(release(), tmp_path, "src_prepare", "src_configure")
    econf = next(line for line in lines if line.startswith("econf")).split()[1:]
    assert "--with-openrc" in econf and "--localstatedir=/var" in econf
    assert "--disable-ssl" in econf
    known = subprocess.run([str(TOP / "configure"), "--help"], capture_output=True, text=True, check=True).stdout
    for option in econf:
        assert re.search(rf"^\s+{re.escape(option.split('=')[0])}\b", known, re.M), option


def test_the_unit_tests_are_what_src_test_runs(tmp_path):
    lines = run_phases(release(), tmp_path, "src_test", use="test")
    assert [line for line in lines if line.startswith("emake")] == ["emake check CHECK=unit"]
    listed = subprocess.run([sys.executable, str(TOP / "tests/run"), "--list", str(ovs_test.build_dir()), "unit"],
                            capture_output=True, text=True, check=True).stdout
    assert "unit/base" in listed and "system" not in listed


def test_the_files_are_those_of_make_install(installed, tmp_path):
    lines = run_phases(release(), tmp_path, "src_install")
    assert [line for line in lines if line.startswith("emake")] == [f"emake DESTDIR={tmp_path} install"]
    make("install", "install-openrc", f"DESTDIR={tmp_path}", *DIRECTORIES)
    made = files_below(tmp_path)
    more = {"etc/openvswitch", "etc/ssl/openvswitch", "var/lib/openvswitch", "var/log/openvswitch"}
    expected = files_below(installed) | {f"{path}/.keep_net-misc_openvswitch-0" for path in more}
    documents = {f"usr/share/doc/openvswitch-{version()}/{name}" for name in ("README.md", "NEWS.md")}
    assert made == expected | documents
    for path in ("etc/init.d/ovs", "etc/init.d/ovsdb-server", "etc/init.d/ovs-vswitchd", "etc/conf.d/ovsdb-server",
                 "etc/conf.d/ovs-vswitchd", "etc/logrotate.d/openvswitch", "lib/netifrc/net/openvswitch.sh",
                 "usr/share/bash-completion/completions/ovs-vsctl", "usr/sbin/ovs-vswitchd", "usr/bin/ovs-vsctl",
                 "usr/share/man/man8/ovs-vswitchd.8", "usr/share/openvswitch/vswitch.ovsschema"):
        assert path in made, path
    modes = {path: (tmp_path / path).stat().st_mode & 0o777 for path in
             ("etc/ssl/openvswitch", "var/log/openvswitch", "etc/init.d/ovs", "etc/conf.d/ovs-vswitchd")}
    assert modes == {"etc/ssl/openvswitch": 0o750, "var/log/openvswitch": 0o750, "etc/init.d/ovs": 0o755,
                     "etc/conf.d/ovs-vswitchd": 0o644}


def test_what_is_installed_for_gentoo_is_what_is_in_the_source(installed):
    for name in ("ovs", "ovsdb-server", "ovs-vswitchd"):
        assert filecmp.cmp(installed / "etc/init.d" / name, TOP / "rc" / name, shallow=False)
    for path in (installed / "etc/conf.d").iterdir():
        assert filecmp.cmp(path, TOP / "conf.d" / path.name, shallow=False)
    assert filecmp.cmp(installed / "lib/netifrc/net/openvswitch.sh", TOP / "rc/netifrc/openvswitch.sh", shallow=False)


def test_services_know_other_directories(tmp_path):
    make("install-openrc", f"DESTDIR={tmp_path}", "prefix=/opt/ovs", "sysconfdir=/opt/etc", "localstatedir=/opt/var",
         "rundir=/opt/run/openvswitch", "netifrcdir=/opt/netifrc")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            text = path.read_text()
            for place in ("/usr/", "/run/openvswitch", "/var/lib/", "/var/log/", "/etc/openvswitch", "/etc/conf.d"):
                for match in re.finditer(re.escape(place), text):
                    before = text[:match.start()].rsplit("\n", 1)[-1]
                    assert before.endswith("/opt"), f"{path.name}: {before}{place}"


def test_edited_files_survive(tmp_path):
    """What an administrator has written is neither overwritten by an installation nor removed."""
    arguments = (f"DESTDIR={tmp_path}", *DIRECTORIES)
    make("install-openrc", *arguments)
    fresh = files_below(tmp_path)
    assert make("install-openrc", *arguments) == "", "what is as it was needs no words"
    assert files_below(tmp_path) == fresh
    edited = {"etc/conf.d/ovs": "etc/conf.d/ovs.new", "etc/conf.d/ovs-vswitchd": "etc/conf.d/ovs-vswitchd.new",
              "etc/logrotate.d/openvswitch": "etc/logrotate.d/openvswitch.disabled"}
    originals = {name: (tmp_path / name).read_text() for name in edited}
    for name in edited:
        (tmp_path / name).write_text("# mine\n")
    (tmp_path / "etc/init.d/ovs").write_text("# an older one\n")
    (tmp_path / "etc/conf.d/ovsdb-server").unlink()
    (tmp_path / "etc/conf.d/ovsdb-server").symlink_to("elsewhere")
    output = make("install-openrc", *arguments)
    assert filecmp.cmp(tmp_path / "etc/init.d/ovs", TOP / "rc/ovs", shallow=False), "scripts are not configuration"
    for name, beside in edited.items():
        assert (tmp_path / name).read_text() == "# mine\n"
        assert (tmp_path / beside).read_text() == originals[name]
        assert f"{tmp_path}/{name} is kept as it is; that of this version is {tmp_path}/{beside}\n" in output
    assert os.readlink(tmp_path / "etc/conf.d/ovsdb-server") == "elsewhere"
    assert (tmp_path / "etc/conf.d/ovsdb-server.new").is_file()
    # What is beside the files is nobody's work, and goes.
    output = make("uninstall-openrc", *arguments)
    assert files_below(tmp_path) == {*edited, "etc/conf.d/ovsdb-server"}
    for name in edited:
        assert f"{tmp_path}/{name} was changed, and stays\n" in output


def test_nothing_stays_of_an_unchanged_installation(tmp_path):
    make("install-openrc", f"DESTDIR={tmp_path}", *DIRECTORIES)
    assert make("uninstall-openrc", f"DESTDIR={tmp_path}", *DIRECTORIES) == ""
    assert files_below(tmp_path) == set()


def test_html_with_the_flag_doc(installed, tmp_path):
    if not shutil.which("mandoc"):
        pytest.skip("not run: there is no mandoc")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("README.md", "NEWS.md", "HACKING.md"):
        shutil.copy(TOP / name, source)
    (source / "man").mkdir()
    for page in (installed / "usr/share/man").rglob("*.[1-9]"):
        shutil.copy(page, source / "man")
    image = tmp_path / "image"
    run_phases(release(), image, "src_compile", "src_install", use="doc", cwd=source)
    pages = {path.name for path in (image / f"usr/share/doc/openvswitch-{version()}/html").iterdir()}
    assert "ovs-vswitchd.8.html" in pages and len(pages) == len(list((source / "man").iterdir()))
    assert (image / f"usr/share/doc/openvswitch-{version()}/HACKING.md").is_file()


def test_the_last_words_say_what_to_type():
    def typed(replacing):
        lines = run_phases(release(), "/nonexistent", "pkg_postinst", replacing=replacing)
        return [line.removeprefix("elog").strip() for line in lines if line.startswith("elog     ")]
    assert typed("") == ["ovs-conf check /etc/conf.d/ovs", "rc-update add ovs default", "rc-service ovs start"]
    # Who has it already knows these.
    assert typed("3.3.0") == ["rc-service ovsdb-server restart"]
    values = makefile.variables(ovs_test.build_dir(), "OPENRC_SERVICES")["OPENRC_SERVICES"]
    assert {"rc/ovs", "rc/ovsdb-server"} <= set(values.split())
