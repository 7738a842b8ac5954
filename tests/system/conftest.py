"""What every system test needs: a private copy of the switch's directories, programs, daemons.

    def test_version(private):
        server = private.start_daemon("ovsdb-server", private.db_dir / "conf.db", "--remote=punix:db.sock")
        assert private.run("ovs-appctl", "-t", "ovsdb-server", "version").stdout.startswith("ovsdb-server")

The environment names what is tested: OVS_BUILDDIR is the build directory (needed), PEER the
directory where the packaged Open vSwitch is unpacked (tests that use `peer` are skipped without it).

Nothing here touches the machine's own switch: every directory is below a temporary one, and only
processes that a test started are stopped, by their pid.
"""

import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_TIMEOUT = 30  # seconds; a loaded machine is slow, a hanging program is a failure


def wait_until(predicate, timeout=DEFAULT_TIMEOUT, what="the condition"):
    """Looks at `predicate` until it is true and returns its value; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {timeout} s")
        time.sleep(0.01)


def find_program(build_dir, name):
    """The built program called `name`: in utilities/ or in a folder of src/."""
    for candidate in [build_dir / "utilities" / name, *sorted(build_dir.glob(f"src/*/{name}"))]:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    pytest.fail(f"{name} is not built in {build_dir}")


class Daemon:
    """A process that the test started, known by its pid."""

    def __init__(self, name, pid, pidfile=None):
        self.name = name
        self.pid = pid
        self.pidfile = pidfile
        self._pidfd = os.pidfd_open(pid)

    def is_running(self):
        return not select.select([self._pidfd], [], [], 0)[0]

    def signal(self, number):
        if self.is_running():
            signal.pidfd_send_signal(self._pidfd, number)

    def wait(self, timeout=DEFAULT_TIMEOUT):
        """Waits until the process has ended; fails if it does not."""
        if not select.select([self._pidfd], [], [], timeout)[0]:
            pytest.fail(f"{self.name} (pid {self.pid}) still runs after {timeout} s")

    def stop(self, number=signal.SIGTERM, timeout=DEFAULT_TIMEOUT):
        self.signal(number)
        self.wait(timeout)

    def close(self):
        """At the end of a test: the process is gone, one way or the other."""
        if self.is_running():
            self.signal(signal.SIGTERM)
            if not select.select([self._pidfd], [], [], 5)[0]:
                self.signal(signal.SIGKILL)
        os.close(self._pidfd)


class Private:
    """Directories of its own, the environment that names them, and what runs in it."""

    def __init__(self, build_dir):
        self.build_dir = build_dir
        # Short, because a unix socket's path has a limit that pytest's own directories may pass.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ovs."))
        self.run_dir = self.dir / "run"
        self.log_dir = self.dir / "log"
        self.db_dir = self.dir / "db"
        self.etc_dir = self.dir / "etc"
        for directory in (self.run_dir, self.log_dir, self.db_dir, self.etc_dir):
            directory.mkdir()
        self.env = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "OVS_RUNDIR": str(self.run_dir),
            "OVS_LOGDIR": str(self.log_dir),
            "OVS_DBDIR": str(self.db_dir),
            "OVS_SYSCONFDIR": str(self.etc_dir),
            "OVS_PKGDATADIR": str(SOURCE_DIR / "src" / "vswitchd"),
        }
        self.daemons = []

    def program(self, name):
        """`name` itself if it is a path, else the built program of that name."""
        return str(name) if os.sep in str(name) else str(find_program(self.build_dir, name))

    def popen(self, program, *arguments, **options):
        """Starts a program and returns its subprocess.Popen, with pipes; killed when the test ends."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "text": True, "env": self.env, "cwd": self.dir, **options}
        process = subprocess.Popen([self.program(program), *map(str, arguments)], **options)
        self.daemons.append(process)
        return process

    def run(self, program, *arguments, timeout=DEFAULT_TIMEOUT, check=False, **options):
        """Runs a program to its end; returns a CompletedProcess with returncode, stdout, stderr."""
        options = {"capture_output": True, "text": True, "env": self.env, "cwd": self.dir, **options}
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        result = subprocess.run([self.program(program), *map(str, arguments)], timeout=timeout,
                                check=False, **options)
        if check and result.returncode != 0:
            pytest.fail(f"{program} {' '.join(map(str, arguments))} ended with {result.returncode}:\n"
                        f"{result.stdout}{result.stderr}")
        return result

    def start_daemon(self, program, *arguments, timeout=DEFAULT_TIMEOUT):
        """Starts a daemon with --detach, which returns when the daemon serves; its log is in log_dir."""
        name = pathlib.Path(str(program)).name
        pidfile = self.run_dir / f"{name}.pid"
        self.run(program, *arguments, "--detach", "--no-chdir", f"--pidfile={pidfile}",
                 f"--log-file={self.log_dir / (name + '.log')}", timeout=timeout, check=True)
        daemon = Daemon(name, int(pidfile.read_text()), pidfile)
        self.daemons.append(daemon)
        return daemon

    def close(self):
        for daemon in reversed(self.daemons):
            if isinstance(daemon, subprocess.Popen):
                if daemon.poll() is None:
                    daemon.kill()
                daemon.communicate()
            else:
                daemon.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Peer:
    """The packaged programs, unpacked and not installed."""

    def __init__(self, directory):
        self.directory = directory
        self.schema = directory / "usr/share/openvswitch/vswitch.ovsschema"

    def program(self, name):
        for place in ("usr/bin", "usr/sbin", "usr/lib/openvswitch-switch", "usr/lib/openvswitch-common"):
            candidate = self.directory / place / name
            if candidate.is_file():
                return str(candidate)
        pytest.fail(f"the packaged {name} is not in {self.directory}")


@pytest.fixture(scope="session")
def build_dir():
    directory = os.environ.get("OVS_BUILDDIR")
    if not directory:
        pytest.fail("OVS_BUILDDIR must name the build directory")
    return pathlib.Path(directory).resolve()


@pytest.fixture
def private(build_dir):
    private = Private(build_dir)
    yield private
    private.close()


@pytest.fixture(scope="session")
def peer():
    directory = os.environ.get("PEER")
    if not directory:
        pytest.skip("PEER does not name the packaged Open vSwitch")
    return Peer(pathlib.Path(directory).resolve())
