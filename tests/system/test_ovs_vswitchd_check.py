"""ovs-vswitchd --check: what is wrong with its command line, without a start."""

import os
import shutil

import pytest

import ovs_test
from certificates import Authority


def everything(box):
    """All that is in the sandbox, and what is known of it."""
    states = [(path, path.lstat()) for path in sorted(box.top.rglob("*"))]
    return [(path, s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns) for path, s in states]


def check(box, *arguments):
    """What is wrong, or nothing; nothing is changed."""
    before = everything(box)
    done = box.run("ovs-vswitchd", "-vconsole:off", "--check", *arguments, status=None)
    assert done.stdout == "" and everything(box) == before
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr.removeprefix("ovs-vswitchd: ").removesuffix("\n")


@pytest.mark.parametrize("remotes", [
    "ptcp:99999", "punix:", "", " ", ",", "bogus:x", "tcp:127.0.0.1:x", "cid:1234",
    "unix:/none/db.sock,ptcp:99999"])
def test_it_refuses_what_a_start_refuses(box, remotes):
    said = check(box, remotes)
    started = box.run("ovs-vswitchd", "-vconsole:off", "--enable-dummy=override", remotes, status=None)
    assert started.returncode == 1 and said != ""
    assert started.stderr == f"ovs-vswitchd: {said}\n"


def test_it_says_why(box):
    assert check(box, "ptcp:99999") == 'ptcp:99999: "99999" is not a port number (0 to 65535)'
    assert check(box, "") == "no remote to connect to was given"
    for remotes in ("unix:/none/db.sock", "ptcp:6640:127.0.0.1", "punix:/none/db.sock", "tcp:h:1, unix:/none/db.sock"):
        assert check(box, remotes) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_nothing_is_changed_beside_a_running_switch(box):
    box.top.chmod(0o755)
    box.start_ovsdb_server()
    box.start_vswitchd(args=["--enable-dummy=override", "--log-file"])
    pidfile, log = box.run_dir / "ovs-vswitchd.pid", box.log_dir / "ovs-vswitchd.log"
    assert pidfile.exists() and log.exists()
    before = [path.lstat() for path in (pidfile, log)]
    done = box.run("ovs-vswitchd", "-vconsole:off", "--check", "--user=nobody", f"--pidfile={pidfile}",
                   f"--log-file={log}", f"unix:{box.run_dir}/db.sock")
    assert done.stderr == ""
    assert [(s.st_uid, s.st_gid) for s in before] == [(p.lstat().st_uid, p.lstat().st_gid) for p in (pidfile, log)]
    assert "runs as user" not in log.read_text()
    box.run("ovs-vswitchd", "-vconsole:off", "--check", f"--log-file={box.log_dir}/new.log")
    assert not (box.log_dir / "new.log").exists()


@pytest.mark.parametrize("option", ["--pidfile=/none/x", "--unixctl=/none/x", f"--unixctl={'x' * 120}"])
def test_places(box, option):
    box.start_ovsdb_server()
    said = check(box, option)
    assert "/none: No such file or directory" in said or said.endswith("the socket's name: File name too long")
    assert box.run("ovs-vswitchd", "-vconsole:off", "--enable-dummy=override", option, status=None).returncode == 1


def test_places_that_are_right(box):
    for option in ("--unixctl=none", "--unixctl=x", "--pidfile", f"--pidfile={box.top}/x"):
        assert check(box, option) == ""
    # Before the first start the service has made no directory.
    shutil.rmtree(box.run_dir)
    assert check(box, "--pidfile") == ""


def test_a_ca_certificate_without_a_place(box, tls):
    own = Authority(box.top, "ca").issue("own")
    options = [f"--private-key={own.key}", f"--certificate={own.certificate}"]
    remote = "ssl:127.0.0.1:1"
    assert check(box, *options, f"--bootstrap-ca-cert={box.top}/taken.pem", remote) == ""
    options.append("--bootstrap-ca-cert=/none/taken.pem")
    assert check(box, *options, "unix:/none/db.sock") == ""
    done = box.run("ovs-vswitchd", "-vconsole:off", "--check", *options, remote)
    assert done.stderr == ("ovs-vswitchd: warning: --bootstrap-ca-cert=/none/taken.pem: it cannot be created in /none: "
                           "No such file or directory\n")
    # A start survives it, and the switch tries again and again.
    daemon = box.start("ovs-vswitchd", "--enable-dummy=override", *options, remote)
    ovs_test.wait_until(lambda: f"{remote}: " in daemon.stderr(), 10, "an attempt to connect")
    assert daemon.alive()


def test_keys(box, tls):
    ca = Authority(box.top, "ca")
    own, other = ca.issue("own"), ca.issue("other")
    assert check(box, *own.options(), "ssl:127.0.0.1:6640") == ""
    assert "TLS needs a private key" in check(box, "ssl:127.0.0.1:6640")
    unfit = [f"--private-key={other.key}", *[o for o in own.options() if not o.startswith("--private-key")]]
    assert "does not fit the certificate" in check(box, *unfit, "pssl:6640:127.0.0.1")
    assert check(box, *unfit, "unix:/none/db.sock") == ""
