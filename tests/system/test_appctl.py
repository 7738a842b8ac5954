"""ovs-appctl against our own sample_daemon and against the packaged daemons."""

import json
import signal
import socket
import subprocess
import threading

import pytest
from ovs_test import can_connect, limit, program, wait_until


@pytest.fixture
def sample(box):
    control = box.run_dir / "sample.ctl"
    daemon = box.start("sample_daemon", f"--unixctl={control}", "--pidfile", ready=lambda: can_connect(control))
    daemon.control = control
    return daemon


@pytest.fixture
def mute_socket(box):
    """A socket whose server takes connections and says nothing."""
    path = box.run_dir / "mute.ctl"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen()
        yield path


def test_arguments_arrive_as_they_are(sample):
    words = ["a b", "", '"quoted"', "é", "--help", "-t", "--", "x"]
    done = sample.appctl("echo", *words)
    assert done.stdout == "".join(f"[{w}]" for w in words) + "\n"
    assert done.stderr == ""


def test_options_end_with_two_dashes(sample, box):
    done = box.run("ovs-appctl", "-t", sample.control, "--", "echo", "-x")
    assert done.stdout == "[-x]\n"


def test_large_answer(sample):
    assert sample.appctl("large").stdout == "x" * 5_000_000 + "\n"


def test_empty_answer(sample):
    assert sample.appctl("exit").stdout == ""
    assert sample.wait() == 0


def test_json_format(sample):
    done = sample.appctl("--format=json", "echo", 'say "hi"')
    assert json.loads(done.stdout) == {"reply": '[say "hi"]\n', "reply-format": "plain"}
    assert done.stdout.endswith("}\n")
    assert sample.appctl("--format", "text", "echo", "x").stdout == "[x]\n"
    assert "--format" in sample.appctl("--format=xml", "echo", status=1).stderr


def test_error_of_the_daemon(sample):
    done = sample.appctl("nosuch", status=2)
    assert done.stdout == ""
    assert done.stderr.endswith(f"ovs-appctl: {sample.control}: server returned an error\n")
    assert '"nosuch" is not a valid command' in done.stderr


def test_target_by_name(box):
    # Only the default name of the socket is found through the pidfile.
    daemon = box.start("sample_daemon", "--pidfile")
    wait_until(lambda: can_connect(box.run_dir / f"sample_daemon.{daemon.pid}.ctl"), what="the daemon to serve")
    done = box.run("ovs-appctl", "-t", "sample_daemon", "describe")
    assert f"pid {daemon.pid}\n" in done.stdout
    daemon.kill()
    done = box.run("ovs-appctl", "-t", "sample_daemon", "describe", status=1)
    assert f"is left from pid {daemon.pid}, which runs no more" in done.stderr


def complaint(box, *words):
    """The lines on standard error of an ovs-appctl that finds nobody to ask."""
    done = box.run("ovs-appctl", *words, "version", status=1)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert all(line.startswith("ovs-appctl: ") for line in lines), done.stderr
    return [line.removeprefix("ovs-appctl: ") for line in lines]


def test_no_daemon(box):
    first, advice = complaint(box)
    assert first == f'cannot read pidfile "{box.run_dir}/ovs-vswitchd.pid" (No such file or directory)'
    assert "ovs-vswitchd does not seem to run" in advice and "--pidfile" in advice and "-t FILE" in advice
    first, advice = complaint(box, "-t", "/nosuch")
    assert first == 'cannot connect to "/nosuch" (No such file or directory)'
    assert "no such socket" in advice
    assert "begins with a slash" in complaint(box, "-t", "run/nosuch.ctl")[1]


def test_another_daemon_is_suggested(box):
    pidfile = box.run_dir / "sample_daemon.pid"
    daemon = box.start("sample_daemon", "--pidfile", ready=pidfile.exists)
    assert complaint(box)[2] == "running now, and to be asked with -t NAME: sample_daemon"
    daemon.kill()
    assert len(complaint(box)) == 2  # its pidfile is still there


def test_killed_daemon(box):
    pidfile = box.run_dir / "sample_daemon.pid"
    # The socket is made after the pidfile.
    daemon = box.start("sample_daemon", "--pidfile", ready=lambda: list(box.run_dir.glob("*.ctl")))
    control = box.run_dir / f"sample_daemon.{daemon.pid}.ctl"
    daemon.kill()
    first, advice = complaint(box, "-t", "sample_daemon")
    assert str(pidfile) in first and f"pid {daemon.pid}, which runs no more" in first
    assert "sample_daemon was killed" in advice
    first, advice = complaint(box, "-t", control)
    assert first == f'cannot connect to "{control}" (Connection refused)'
    assert "the socket exists, but nobody answers" in advice


def test_control_socket_elsewhere(sample, box):
    first, advice = complaint(box, "-t", "sample_daemon")
    assert f"{box.run_dir}/sample_daemon.{sample.pid}.ctl" in first
    assert "sample_daemon runs, but" in advice and "--unixctl" in advice


def test_wrong_usage(box):
    assert "non-option argument is required" in box.run("ovs-appctl", status=1).stderr
    for seconds in ("x", "-1", "0", ""):
        done = box.run("ovs-appctl", f"--timeout={seconds}", "version", status=1)
        assert done.stderr == f"ovs-appctl: value {seconds} on -T or --timeout is invalid\n"
    assert "unrecognized option '--nosuch'" in box.run("ovs-appctl", "--nosuch", status=1).stderr


def test_help_and_version(box):
    text = box.run("ovs-appctl", "--help").stdout
    for option in ("--target=TARGET", "--timeout=SECS", "--format=text|json", "--help", "--version"):
        assert option in text
    assert box.run("ovs-appctl", "-V").stdout.startswith("ovs-appctl (Open vSwitch) ")


def test_timeout_ends_by_sigalrm_and_says_what_it_waited_for(box, mute_socket):
    done = box.run("ovs-appctl", "-T", "1", "-t", mute_socket, "version", status=None)
    assert done.returncode == -signal.SIGALRM
    assert f"waiting for {mute_socket} to answer version" in done.stderr


def test_long_wait_is_explained(box, sample):
    # The daemon never answers this command.
    process = subprocess.Popen([program("ovs-appctl"), "-T", str(round(limit(20))), "-t", str(sample.control), "never"],
                               env=box.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stderr.readline() == f"ovs-appctl: waiting for {sample.control} to answer never\n"
        process.kill()


def test_daemon_that_goes_away_meanwhile(box, mute_socket):
    # mute_socket's server is the test: here it closes the connection.
    server = socket.socket(socket.AF_UNIX)
    path = box.run_dir / "leaving.ctl"
    server.bind(str(path))
    server.listen()
    leaving = threading.Thread(target=lambda: server.accept()[0].close())
    leaving.start()
    done = box.run("ovs-appctl", "-T", "20", "-t", path, "version", status=1)
    leaving.join()
    server.close()
    assert f'ovs-appctl: transaction error on "{path}"' in done.stderr


# ---- the packaged daemons

def test_packaged_ovsdb_server(box, packaged):
    server = box.start_ovsdb_server(schema=None, flavour=packaged)
    ours = [server.appctl(*words, flavour=flavour, status=None)
            for flavour in ("ours", packaged)
            for words in (["version"], ["list-commands"], ["vlog/list"], ["nosuch"], ["version", "x"],
                          ["ovsdb-server/list-dbs"], ["vlog/set", "--", "x"])]
    half = len(ours) // 2
    for a, b in zip(ours[:half], ours[half:]):
        assert (a.returncode, a.stdout, a.stderr) == (b.returncode, b.stdout, b.stderr)
    assert server.appctl("exit", flavour="ours").stdout == ""
    assert server.wait() == 0


def test_packaged_ovs_vswitchd(box, packaged):
    box.start_ovsdb_server(flavour=packaged)

    def serves():
        return any(can_connect(path) for path in box.run_dir.glob("ovs-vswitchd.*.ctl"))
    box.start("ovs-vswitchd", f"unix:{box.run_dir}/db.sock", "--pidfile", "--enable-dummy=override",
              flavour=packaged, ready=serves)
    ours = box.run("ovs-appctl", "version")  # the default target, by its pidfile
    assert ours.stdout == box.run("ovs-appctl", "version", flavour=packaged).stdout
    assert "ovs-vswitchd" in ours.stdout
    assert box.run("ovs-appctl", "coverage/show").stdout
    box.run("ovs-appctl", "exit")


def test_packaged_appctl_with_our_daemon(sample, packaged):
    assert sample.appctl("echo", "a b", flavour=packaged).stdout == "[a b]\n"
    done = sample.appctl("nosuch", flavour=packaged, status=2)
    assert '"nosuch" is not a valid command' in done.stderr
    assert sample.appctl("large", flavour=packaged).stdout == "x" * 5_000_000 + "\n"
