"""What every daemon does: detaching, pidfiles, the monitor, another user.  Run with sample_daemon."""

import os
import pwd
import signal
import socket
import subprocess

import pytest
from ovs_test import can_connect, is_running, limit, parent_of, program, wait_until


def serves_as_another(sample, pid):
    """Whether a daemon that was process `pid` serves as another one."""
    try:
        return sample.pid() != pid and can_connect(sample.control)
    except (OSError, ValueError):  # the pidfile is being replaced
        return False


class Sample:
    """A sample_daemon that may detach, restart and change its pid: known by its pidfile."""

    def __init__(self, box):
        self.box = box
        self.pidfile = box.run_dir / "sample_daemon.pid"
        self.control = box.run_dir / "sample.ctl"
        self.pids = set()

    def run(self, *arguments, status=0):
        return self.box.run("sample_daemon", f"--unixctl={self.control}", *arguments, status=status)

    def pid(self):
        pid = int(self.pidfile.read_text())
        self.pids.add(pid)
        return pid

    def ask(self, *words, **options):
        return self.box.run("ovs-appctl", "-T", "20", "-t", self.control, *words, **options)

    def describe(self):
        return dict(line.split(" ", 1) for line in self.ask("describe").stdout.splitlines())

    def close(self):
        try:
            self.pid()
        except (OSError, ValueError):
            pass
        for pid in self.pids:
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def sample(box):
    sample = Sample(box)
    yield sample
    sample.close()


def test_detach_returns_when_the_daemon_serves(sample):
    sample.run("--detach", "--pidfile")
    # No waiting: the parent has ended, so the daemon answers.
    about = sample.describe()
    assert int(about["pid"]) == sample.pid()
    assert about["cwd"] == "/"
    assert about["stdout"] == "/dev/null"
    pid = sample.pid()
    assert os.getsid(pid) == pid
    sample.ask("exit")
    wait_until(lambda: not is_running(pid))
    assert not sample.pidfile.exists()
    assert not sample.control.exists()


def test_no_chdir(sample, box):
    sample.run("--detach", "--pidfile", "--no-chdir")
    assert sample.describe()["cwd"] == str(box.top)


def test_sigterm_cleans_up(sample):
    sample.run("--detach", "--pidfile")
    pid = sample.pid()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid))
    assert not sample.pidfile.exists()
    assert not sample.control.exists()


@pytest.mark.parametrize("monitor", [[], ["--monitor"]])
def test_a_daemon_that_cannot_start_gives_its_status(sample, monitor):
    done = sample.run("--detach", "--pidfile", "--fail", *monitor, status=3)
    assert done.stderr == "sample_daemon: told to fail\n"
    assert not sample.pidfile.exists()


@pytest.mark.parametrize("monitor", [[], ["--monitor"]])
def test_a_daemon_that_crashes_at_the_start_gives_its_signal(sample, monitor):
    done = sample.run("--detach", "--pidfile", "--crash", *monitor, status=None)
    assert done.returncode == -signal.SIGABRT


def test_second_copy_is_refused(sample, box):
    sample.run("--detach", "--pidfile")
    pid = sample.pid()
    done = box.run("sample_daemon", "--unixctl=none", "--detach", "--pidfile", status=1)
    assert done.stderr == f"sample_daemon: {sample.pidfile}: already running as pid {pid}, aborting\n"
    assert sample.pid() == pid
    assert is_running(pid)


def test_overwrite_pidfile(sample, box):
    sample.run("--detach", "--pidfile")
    first = sample.pid()
    box.run("sample_daemon", "--unixctl=other.ctl", "--detach", "--pidfile", "--overwrite-pidfile")
    second = sample.pid()
    assert second != first
    os.kill(first, signal.SIGTERM)
    wait_until(lambda: not is_running(first))
    assert sample.pidfile.exists()  # it is the second one's now
    os.kill(second, signal.SIGTERM)
    wait_until(lambda: not is_running(second))
    assert not sample.pidfile.exists()


def test_what_a_killed_daemon_leaves_is_no_obstacle(sample):
    sample.run("--detach", "--pidfile")
    pid = sample.pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid))
    assert sample.pidfile.exists() and sample.control.exists()
    sample.run("--detach", "--pidfile")
    assert sample.pid() != pid
    assert sample.describe()["pid"] == str(sample.pid())


def test_socket_in_use_is_refused(sample, box):
    sample.run("--detach", "--pidfile")
    done = box.run("sample_daemon", f"--unixctl={sample.control}", "--pidfile=other.pid", status=1)
    assert "another process listens on this socket" in done.stderr
    assert sample.describe()["pid"] == str(sample.pid())


def test_monitor_restarts_after_a_crash(sample):
    sample.run("--detach", "--pidfile", "--monitor", f"--log-file={sample.box.log_dir}/log")
    first = sample.pid()
    monitor = parent_of(first)
    sample.ask("crash", status=None)
    wait_until(lambda: serves_as_another(sample, first))
    second = sample.pid()
    assert sample.describe()["pid"] == str(second)
    assert parent_of(second) == monitor
    # A normal end is the end of the monitor too.
    sample.ask("exit")
    wait_until(lambda: not is_running(second) and not is_running(monitor))
    assert not sample.pidfile.exists()
    log = (sample.box.log_dir / "log").read_text()
    assert f"1 crashes: pid {first} was killed (Aborted)" in log


@pytest.mark.parametrize("target", ["daemon", "monitor"])
def test_monitor_does_not_restart_what_was_stopped(sample, target):
    sample.run("--detach", "--pidfile", "--monitor")
    pid = sample.pid()
    monitor = parent_of(pid)
    os.kill(pid if target == "daemon" else monitor, signal.SIGTERM)
    wait_until(lambda: not is_running(pid) and not is_running(monitor))
    assert not sample.pidfile.exists()


def test_monitor_that_is_asked_to_end_while_its_daemon_crashes_ends(sample):
    sample.run("--detach", "--pidfile", "--monitor", f"--log-file={sample.box.log_dir}/log")
    pid = sample.pid()
    monitor = parent_of(pid)
    os.kill(monitor, signal.SIGSTOP)  # so that it learns of both at once
    os.kill(pid, signal.SIGABRT)
    wait_until(lambda: not is_running(pid))
    os.kill(monitor, signal.SIGTERM)
    os.kill(monitor, signal.SIGCONT)
    wait_until(lambda: not is_running(monitor))
    assert sample.pid() == pid  # no other one was started
    assert f"pid {pid} was killed (Aborted), exiting as was asked for" in (sample.box.log_dir / "log").read_text()


def test_monitor_that_waits_with_the_next_start_can_be_asked_to_end(sample):
    sample.run("--detach", "--pidfile", "--monitor", f"--log-file={sample.box.log_dir}/log")
    log = sample.box.log_dir / "log"
    pid = sample.pid()
    monitor = parent_of(pid)
    os.kill(pid, signal.SIGABRT)
    wait_until(lambda: serves_as_another(sample, pid))
    os.kill(sample.pid(), signal.SIGABRT)
    wait_until(lambda: "since the last restart" in log.read_text())
    os.kill(monitor, signal.SIGHUP)  # means nothing now
    os.kill(monitor, signal.SIGTERM)
    wait_until(lambda: not is_running(monitor))


def test_monitor_in_the_foreground_ends_as_its_daemon(sample, box):
    process = subprocess.Popen([program("sample_daemon"), "--monitor", "--pidfile", f"--unixctl={sample.control}"],
                               env=box.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: can_connect(sample.control))
    os.kill(sample.pid(), signal.SIGKILL)
    assert process.wait(limit(20)) == -signal.SIGKILL


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")
def test_user_keeps_few_capabilities(sample, box):
    nobody = pwd.getpwnam("nobody")
    for directory in (box.top, box.run_dir):
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    sample.run("--detach", "--pidfile", "--user=nobody")
    about = sample.describe()
    assert (int(about["uid"]), int(about["gid"])) == (nobody.pw_uid, nobody.pw_gid)
    net_bind_service, ipc_lock = 10, 14
    assert int(about["capabilities"], 16) == 1 << net_bind_service | 1 << ipc_lock
    pid = sample.pid()
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_running(pid))
    assert not sample.pidfile.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")
def test_user_does_without_capabilities_that_root_does_not_have(sample, box):
    """As in containers."""
    nobody = pwd.getpwnam("nobody")
    for directory in (box.top, box.run_dir):
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    box.prefix = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock", "--"]
    sample.run("--detach", "--pidfile", "--user=nobody")
    box.prefix = []
    about = sample.describe()
    assert int(about["uid"]) == nobody.pw_uid
    net_bind_service = 10
    assert int(about["capabilities"], 16) == 1 << net_bind_service


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")
def test_what_ovsdb_server_makes_belongs_to_the_user(box):
    nobody = pwd.getpwnam("nobody")
    database = box.create_database(box.db_dir / "conf.db")
    for path in (box.top, box.run_dir, box.db_dir, box.log_dir, *box.db_dir.iterdir()):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    server = box.start_ovsdb_server(args=["--user=nobody"])
    made = [server.socket, server.control, box.run_dir / "ovsdb-server.pid", box.log_dir / "ovsdb-server.log"]
    assert {str(path): path.stat().st_uid for path in made} == {str(path): nobody.pw_uid for path in made}
    server.appctl("vlog/reopen")
    server.appctl("ovsdb-server/compact")
    assert database.stat().st_uid == nobody.pw_uid


@pytest.mark.parametrize("user, message", [
    ("no-such-user-here", 'there is no user "no-such-user-here"'),
    ("nobody:no-such-group", 'there is no group "no-such-group"'),
    (":", "the user is missing"),
])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")
def test_unknown_user(sample, user, message):
    done = sample.run("--detach", f"--user={user}", status=1)
    assert message in done.stderr


def test_time_can_be_stopped_and_moved(sample):
    sample.run("--detach", "--pidfile")
    assert sample.ask("time/stop").stdout == ""
    assert sample.ask("time/warp", "1000").stdout == "warped\n"
    assert sample.ask("time/warp", "100000", "100").stdout == "warped\n"
    assert sample.ask("time/warp", "x", status=2).stderr.startswith("invalid MSECS\n")


def test_wait_ready_answers_when_the_daemon_is_ready(sample, box):
    process = subprocess.Popen([program("sample_daemon"), "--late", "--pidfile", f"--unixctl={sample.control}"],
                               env=box.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: can_connect(sample.control))
    early = box.run("ovs-appctl", "-T", "1", "-t", sample.control, "daemon/wait-ready", status=None)
    assert "timed out after 1 second" in early.stderr
    waiting = box.popen("ovs-appctl", "-t", sample.control, "daemon/wait-ready")
    sample.ask("begin")
    assert waiting.wait(limit(20)) == 0
    assert sample.ask("daemon/wait-ready").stdout == ""
    sample.ask("exit")
    assert process.wait(limit(20)) == 0


@pytest.mark.parametrize("options", [[], ["--detach"], ["--detach", "--monitor"], ["--user=nobody"]])
@pytest.mark.parametrize("abstract", [False, True])
def test_a_supervisor_is_told_when_the_daemon_is_ready(sample, box, options, abstract):
    if "--user=nobody" in options:
        if os.geteuid() != 0:
            pytest.skip("only root may change its user")
        nobody = pwd.getpwnam("nobody")
        for directory in (box.top, box.run_dir):
            os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        # Only we may write to the file, and so the daemon must reach it before it becomes another user.
        path = f"@{box.top}/notify" if abstract else str(box.top / "notify")
        notify.bind(path.replace("@", "\0"))
        if not abstract:
            os.chmod(path, 0o600)
        process = subprocess.Popen(
            [program("sample_daemon"), "--late", "--pidfile", f"--unixctl={sample.control}", *options],
            env={**box.env, "NOTIFY_SOCKET": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: can_connect(sample.control))
        notify.setblocking(False)
        with pytest.raises(BlockingIOError):
            notify.recv(100)
        sample.ask("begin")
        notify.settimeout(limit(20))
        assert notify.recv(100) == b"READY=1"
        sample.ask("exit")
        assert process.wait(limit(20)) == 0


@pytest.mark.parametrize("path", ["", "/" + "x" * 200, "/nobody/listens/here"])
def test_a_supervisor_that_cannot_be_told_is_no_obstacle(sample, path):
    sample.box.run("sample_daemon", "--detach", "--pidfile", f"--unixctl={sample.control}",
                   env={"NOTIFY_SOCKET": path})
    assert sample.describe()["pid"] == str(sample.pid())


def test_garbage_on_the_control_socket_harms_nobody(sample):
    sample.run("--detach", "--pidfile")
    for garbage in (b"\xff\xfe", b"[" * 100000, b'{"id":1}', b"GET / HTTP/1.0\r\n\r\n", b"{}" * 1000):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(limit(20))
            s.connect(str(sample.control))
            try:
                s.sendall(garbage)
                assert s.recv(100) == b""
            except (ConnectionResetError, BrokenPipeError):
                pass
    assert sample.describe()["pid"] == str(sample.pid())
