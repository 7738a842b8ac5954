"""What system and peer tests share: a private copy of the programs, and small helpers.

A test that starts daemons does so in a Sandbox: its own run, log, database and configuration
directory in a short temporary path (a unix socket's path must fit into 108 bytes), named to the
programs by OVS_RUNDIR, OVS_LOGDIR, OVS_DBDIR and OVS_SYSCONFDIR.  Nothing of it touches an
installed copy, and closing the sandbox stops, by process id, exactly the daemons it started.

Programs come in two flavours:
    "ours"      from the build directory that OVS_BUILDDIR names
    "packaged"  from the unpacked distribution packages below the directory that PEER names

    with Sandbox() as box:
        server = box.start_ovsdb_server(schema=SCHEMA)          # ours, listening on box.run/db.sock
        box.run("ovs-vsctl", "--no-wait", "add-br", "br0")      # asserts exit status 0
        box.run("ovs-vsctl", "show", flavour="packaged")
        with server.connect() as rpc:
            assert "Open_vSwitch" in rpc.call("list_dbs", [])

Every wait has a limit and ends as soon as what it waits for has happened.  OVS_TEST_SLOWNESS
multiplies the limits, for builds with sanitizers or slow machines.
"""

import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

SOURCE_DIR = Path(__file__).resolve().parent.parent.parent
SCHEMA = SOURCE_DIR / "src" / "vswitchd" / "vswitch.ovsschema"

_OUR_FOLDERS = ("utilities", "src/dbserver", "src/vswitchd", "tests/support")
_PACKAGED_FOLDERS = ("usr/bin", "usr/sbin", "usr/lib/openvswitch-switch")

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")


def limit(seconds):
    """A time limit in seconds, stretched for slow builds."""
    return seconds * float(os.environ.get("OVS_TEST_SLOWNESS", "1"))


def stretched(arguments):
    """The words of a command line, in which a --timeout that is but to end a test that hangs, of ten seconds or
    more, is stretched, too.  A test of such limits writes -t."""
    return [re.sub(r"^--timeout=(\d\d+)$", lambda m: f"--timeout={max(1, round(limit(int(m[1]))))}", str(word))
            for word in arguments]


def build_dir():
    """The build directory that holds our programs."""
    value = os.environ.get("OVS_BUILDDIR")
    assert value, "OVS_BUILDDIR must name the build directory"
    return Path(value).resolve()


def packaged_dir():
    """The directory of the unpacked packages, or None where there is none."""
    value = os.environ.get("PEER")
    return Path(value).resolve() if value else None


def packaged_schema():
    return packaged_dir() / "usr/share/openvswitch/vswitch.ovsschema"


def program(name, flavour="ours"):
    """The path of a program, as a string."""
    if flavour == "ours":
        top, folders = build_dir(), _OUR_FOLDERS
    else:
        assert flavour == "packaged", flavour
        top, folders = packaged_dir(), _PACKAGED_FOLDERS
        assert top, "PEER must name the directory of the unpacked packages"
    for folder in folders:
        path = top / folder / name
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    raise AssertionError(f"no {flavour} program {name} in {', '.join(folders)} of {top}")


def has_tls():
    """Whether our programs were built with TLS."""
    return "this build has no TLS" not in subprocess.run(
        [program("ovsdb-server"), "--help"], check=True, capture_output=True, text=True, timeout=limit(60)).stdout


def normalize_uuids(text):
    """Replaces each distinct UUID by <0>, <1>, ... in the order of their first appearance."""
    seen = {}
    return _UUID.sub(lambda m: seen.setdefault(m.group(0), f"<{len(seen)}>"), text)


def is_running(pid):
    """Whether there is such a process, and it is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def wait_until(condition, timeout=10, what="the condition"):
    """Returns condition()'s first true value; fails when there is none within the limit."""
    deadline = time.monotonic() + limit(timeout)
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {limit(timeout):g} s in vain for {what}"
        time.sleep(0.005)


class Closing:
    """`with` ends by close()."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RpcClient(Closing):
    """A JSON-RPC 1.0 client on a unix socket or on ("host", port), for dialogue tests.

    call() returns the result and fails on an error; transact() is call("transact").  Messages
    that arrive meanwhile (updates, locked, ...) wait in order for notification().  An echo
    request of the server is answered at once, so that a slow test is not taken for a dead peer.
    """

    def __init__(self, address, timeout=10):
        self.timeout = timeout
        family = socket.AF_UNIX if isinstance(address, (str, Path)) else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(limit(timeout))
        self.sock.connect(str(address) if family == socket.AF_UNIX else address)
        self._decoder = json.JSONDecoder()
        self._buffer = ""
        self._bytes = b""
        self._notifications = []
        self._next_id = 0

    def close(self):
        self.sock.close()

    def send(self, message):
        """Sends a message (any JSON value), or bytes as they are."""
        self.sock.sendall(message if isinstance(message, bytes) else json.dumps(message).encode())

    def recv(self, timeout=None):
        """The next message, or None at end of file."""
        deadline = time.monotonic() + limit(timeout or self.timeout)
        while True:
            text = self._buffer.lstrip()
            if text:
                try:
                    value, end = self._decoder.raw_decode(text)
                    self._buffer = text[end:]
                    return value
                except json.JSONDecodeError:
                    pass  # not complete yet
            left = deadline - time.monotonic()
            assert left > 0, f"no message in time; so far: {self._buffer[:200]!r}"
            self.sock.settimeout(left)
            data = self.sock.recv(1 << 20)
            if not data:
                assert not self._buffer.strip(), f"cut off: {self._buffer[:200]!r}"
                return None
            self._bytes += data
            try:
                self._buffer += self._bytes.decode()
                self._bytes = b""
            except UnicodeDecodeError as e:  # a character is cut in two
                self._buffer += self._bytes[: e.start].decode()
                self._bytes = self._bytes[e.start:]

    def request(self, method, params):
        """Sends a request and returns its id."""
        self._next_id += 1
        self.send({"method": method, "params": params, "id": self._next_id})
        return self._next_id

    def reply(self, request_id):
        """Waits for the reply to a request: the whole message."""
        while True:
            message = self.recv()
            assert message is not None, "the server closed the connection"
            if message.get("method") == "echo":
                self.send({"id": message["id"], "result": message["params"], "error": None})
            elif "method" in message:
                self._notifications.append(message)
            else:
                assert message["id"] == request_id, message
                return message

    def call(self, method, params):
        message = self.reply(self.request(method, params))
        assert message["error"] is None, message["error"]
        return message["result"]

    def call_error(self, method, params):
        """Like call(), for a request that must fail: returns the error."""
        message = self.reply(self.request(method, params))
        assert message["error"] is not None, message
        return message["error"]

    def transact(self, database, *operations):
        return self.call("transact", [database, *operations])

    def has_notification(self):
        """Whether notification() has something without reading."""
        return bool(self._notifications)

    def notification(self, timeout=None):
        """The next message that is not a reply."""
        while not self._notifications:
            message = self.recv(timeout)
            assert message is not None, "the server closed the connection"
            assert "method" in message, message
            if message["method"] == "echo":
                self.send({"id": message["id"], "result": message["params"], "error": None})
            else:
                self._notifications.append(message)
        return self._notifications.pop(0)


class Daemon:
    """A running daemon, started in the foreground as our child."""

    def __init__(self, box, name, flavour, process, stderr_path):
        self.box, self.name, self.flavour = box, name, flavour
        self.process, self.pid, self.stderr_path = process, process.pid, stderr_path
        self.socket = None   # an ovsdb-server's first unix socket
        self.control = None  # the control socket, where it is known
        self.expected_status = None  # set by stop() and kill()

    def alive(self):
        return self.process.poll() is None

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def connect(self, timeout=10):
        """A JSON-RPC connection to this ovsdb-server."""
        return RpcClient(self.socket, timeout)

    def appctl(self, *arguments, flavour=None, **options):
        """Runs a command on the control socket; the program is of the daemon's own flavour."""
        return self.box.run("ovs-appctl", "-t", str(self.control), *arguments,
                            flavour=flavour or self.flavour, **options)

    def wait(self, timeout=10):
        """Waits for the daemon's own end and returns its exit status (negative: a signal)."""
        try:
            status = self.process.wait(limit(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in time") from None
        self.expected_status = status
        return status

    def stop(self, how=signal.SIGTERM, timeout=10):
        """Sends a signal, waits for the end and returns the exit status."""
        if self.alive():
            self.process.send_signal(how)
        return self.wait(timeout)

    def kill(self):
        return self.stop(signal.SIGKILL)

    def memory(self, field="VmRSS"):
        """A field of /proc/PID/status, in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {field} of {self.name}")


class Sandbox(Closing):
    """A private set of directories and the daemons that run in them."""

    def __init__(self, prefix=()):
        """prefix: a command in front of every program, such as ("ip", "netns", "exec", NAME)."""
        self.prefix = tuple(prefix)
        self.top = Path(tempfile.mkdtemp(prefix="ovs-"))
        assert len(str(self.top)) < 60, f"{self.top} is too long for unix sockets; set TMPDIR"
        self.run_dir, self.log_dir = self.top / "run", self.top / "log"
        self.db_dir, self.etc_dir = self.top / "db", self.top / "etc"
        for folder in (self.run_dir, self.log_dir, self.db_dir, self.etc_dir):
            folder.mkdir()
        self.env = dict(os.environ, OVS_RUNDIR=str(self.run_dir), OVS_LOGDIR=str(self.log_dir),
                        OVS_DBDIR=str(self.db_dir), OVS_SYSCONFDIR=str(self.etc_dir),
                        LC_ALL="C.UTF-8", TZ="UTC")
        self.env.pop("OVN_DB", None)
        self.daemons = []

    def close(self):
        """Stops the daemons, the last started first, and removes the directories."""
        for daemon in reversed(self.daemons):
            if daemon.alive():
                daemon.process.terminate()
                try:
                    daemon.process.wait(limit(10))
                except subprocess.TimeoutExpired:
                    daemon.process.kill()
                    daemon.process.wait()
        shutil.rmtree(self.top, ignore_errors=True)

    def run(self, name, *arguments, flavour="ours", status=0, timeout=30, input=None, env=None,
            cwd=None):
        """Runs a program to its end, in this sandbox, and returns the CompletedProcess (text).

        status: the exit status that it must have; None where the caller looks for itself.
        """
        command = [*self.prefix, program(name, flavour), *stretched(arguments)]
        try:
            done = subprocess.run(command, input=input, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL if input is None else None,
                                  timeout=limit(timeout), env={**self.env, **(env or {})},
                                  cwd=cwd or self.top)
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"{command} did not end in time; "
                                 f"stdout {e.stdout!r}, stderr {e.stderr!r}") from None
        if status is not None:
            assert done.returncode == status, \
                f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def popen(self, name, *arguments, flavour="ours"):
        """Starts a program in this sandbox and does not wait for it: the subprocess.Popen."""
        return subprocess.Popen([*self.prefix, program(name, flavour), *map(str, arguments)], env=self.env,
                                cwd=self.top, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, name, *arguments, flavour="ours", ready=None, timeout=20, prefix=(), env=None):
        """Starts a daemon in the foreground and waits until ready() is true.

        ready: a function without arguments, or None not to wait.  prefix: a command in front of
        the program, such as ("strace", "-f").  Ends the test when the daemon ends first.
        """
        stderr_path = self.log_dir / f"{name}.{len(self.daemons)}.stderr"
        with open(stderr_path, "wb") as stderr:
            process = subprocess.Popen([*self.prefix, *prefix, program(name, flavour), *map(str, arguments)],
                                       stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                                       env={**self.env, **(env or {})}, cwd=self.top)
        daemon = Daemon(self, name, flavour, process, stderr_path)
        self.daemons.append(daemon)
        if ready:
            self._await_ready(daemon, ready, timeout)
        return daemon

    @staticmethod
    def _await_ready(daemon, ready, timeout):
        # The process's descriptor becomes readable when it ends, so that a daemon that fails to
        # start is noticed at once.
        deadline = time.monotonic() + limit(timeout)
        fd = os.pidfd_open(daemon.pid)
        try:
            while not ready():
                ended, _, _ = select.select([fd], [], [], 0.005)
                assert not ended, f"{daemon.name} ended early:\n{daemon.stderr()}"
                assert time.monotonic() < deadline, \
                    f"{daemon.name} was not ready in time:\n{daemon.stderr()}"
        finally:
            os.close(fd)

    def create_database(self, path=None, schema=None, flavour="ours"):
        """Creates a database file (default: db/conf.db with the switch's schema)."""
        path = Path(path) if path else self.db_dir / "conf.db"
        self.run("ovsdb-tool", "create", path, schema or SCHEMA, flavour=flavour)
        return path

    def start_ovsdb_server(self, databases=None, schema=None, flavour="ours", socket="db.sock",
                           remotes=(), args=(), name="ovsdb-server", **options):
        """Starts an ovsdb-server on run/SOCKET and waits until it accepts connections.

        databases: files to serve; by default db/conf.db, which is created when there is none.
        name: base name of its pidfile, control socket and log, for a second server in a sandbox.
        """
        if databases is None:
            databases = [self.db_dir / "conf.db"]
            if not databases[0].exists():
                self.create_database(databases[0], schema, flavour)
        path = self.run_dir / socket
        control = self.run_dir / f"{name}.ctl"
        daemon = self.start(
            "ovsdb-server", *databases, f"--remote=punix:{path}",
            *(f"--remote={r}" for r in remotes), f"--pidfile={self.run_dir}/{name}.pid",
            f"--unixctl={control}", f"--log-file={self.log_dir}/{name}.log", "--no-chdir", *args,
            flavour=flavour, ready=lambda: can_connect(path) and answers(control), **options)
        daemon.socket, daemon.control = path, control
        return daemon

    def start_vswitchd(self, flavour="ours", socket="db.sock", args=("--enable-dummy=override",),
                       usual_control=False, **options):
        """Starts an ovs-vswitchd on the database at run/SOCKET; ready when commands reach it.

        usual_control: with its control socket where it is without --unixctl, so that ovs-appctl
        finds it without -t.
        """
        path = self.run_dir / "ovs-vswitchd.ctl"

        def control():
            if not usual_control:
                return path
            try:
                pid = (self.run_dir / "ovs-vswitchd.pid").read_text().strip()
            except FileNotFoundError:
                return path
            return self.run_dir / f"ovs-vswitchd.{pid}.ctl"
        daemon = self.start(
            "ovs-vswitchd", f"unix:{self.run_dir / socket}", "--pidfile", "--no-chdir",
            *([] if usual_control else [f"--unixctl={path}"]),
            f"--log-file={self.log_dir}/ovs-vswitchd.log", *args,
            flavour=flavour, ready=lambda: answers(control()), **options)
        daemon.control = control()
        return daemon


def can_connect(path):
    """Whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(str(path))
            return True
        except OSError:
            return False


def answers(path):
    """Whether a daemon answers on its control socket.  It has begun its work then, and minds signals."""
    if not can_connect(path):
        return False
    try:
        with RpcClient(path) as rpc:
            return bool(rpc.call("version", []))
    except (OSError, AssertionError):  # it has ended
        return False


def canonical_database(rpc, database="Open_vSwitch", ephemeral=True):
    """The rows of a database in a form that does not depend on UUIDs: sorted text per table.

    ephemeral: with the ephemeral columns, which do not outlive the server.
    A reference is replaced by a digest of the row that it points to, so that two databases with
    the same shape and content are equal and a differing row shows in a readable line.
    """
    schema = rpc.call("get_schema", [database])
    tables = {table: rpc.transact(database, {"op": "select", "table": table, "where": []})[0]["rows"]
              for table in schema["tables"]}
    without = {table: {"_uuid", "_version"} | {
        name for name, column in definition["columns"].items()
        if column.get("ephemeral") and not ephemeral}
        for table, definition in schema["tables"].items()}
    labels = {row["_uuid"][1]: "" for rows in tables.values() for row in rows}

    def text(table, row):
        def replace(value):
            if isinstance(value, list):
                if len(value) == 2 and value[0] == "uuid":
                    return ["row", labels.get(value[1], "none")]
                if len(value) == 2 and value[0] in ("set", "map"):
                    return [value[0], sorted((replace(v) for v in value[1]), key=json.dumps)]
                return [replace(v) for v in value]
            return value
        return json.dumps({c: replace(v) for c, v in sorted(row.items())
                           if c not in without[table]})

    for _ in range(6):  # a digest sees one more step along the references each time
        labels = {row["_uuid"][1]: hashlib.sha1((table + text(table, row)).encode()).hexdigest()[:8]
                  for table, rows in tables.items() for row in rows}
    return {table: sorted(text(table, row) for row in rows) for table, rows in tables.items() if rows}
