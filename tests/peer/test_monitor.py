"""--monitor: after which ends of ovsdb-server is it started again?  The packaged one's answer is ours."""

import os
import signal

import pytest
from ovs_test import can_connect, is_running, parent_of, wait_until


def pid_in(pidfile):
    try:
        return int(pidfile.read_text())
    except (OSError, ValueError):  # it is being replaced
        return None


@pytest.mark.parametrize("flavour", ["ours", "packaged"])
@pytest.mark.parametrize("end, restarts", [
    (signal.SIGSEGV, True), (signal.SIGABRT, True), (signal.SIGBUS, True), (signal.SIGALRM, True),
    (signal.SIGKILL, False), (signal.SIGTERM, False)], ids=lambda value: getattr(value, "name", str(value)))
def test_restart(box, flavour, end, restarts):
    # AddressSanitizer, where we are built with it, would report these signals and exit(1).
    asan = os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_sigbus=0"
    box.create_database()
    socket, pidfile = box.run_dir / "db.sock", box.run_dir / "ovsdb-server.pid"
    box.run("ovsdb-server", box.db_dir / "conf.db", f"--remote=punix:{socket}", "--detach", "--monitor",
            f"--pidfile={pidfile}", "--no-chdir", "--log-file", flavour=flavour, env={"ASAN_OPTIONS": asan})
    first = int(pidfile.read_text())
    monitor = parent_of(first)
    try:
        os.kill(first, end)
        wait_until(lambda: not is_running(first))
        if not restarts:
            wait_until(lambda: not is_running(monitor))
            assert not can_connect(socket)
            return
        wait_until(lambda: pid_in(pidfile) not in (None, first) and can_connect(socket))
        second = int(pidfile.read_text())
        assert parent_of(second) == monitor
        assert box.run("ovsdb-client", "list-dbs", f"unix:{socket}").stdout == "Open_vSwitch\n_Server\n"
        os.kill(second, signal.SIGTERM)
        wait_until(lambda: not is_running(second) and not is_running(monitor))
    finally:
        if is_running(monitor):
            os.kill(monitor, signal.SIGTERM)
