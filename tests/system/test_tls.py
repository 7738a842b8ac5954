"""Connections by TLS: our programs with each other, with OpenSSL's own, and with peers that behave badly."""

import contextlib
import json
import os
import random
import signal
import socket
import ssl
import subprocess

import pytest

import ovs_test
from certificates import Authority
from ovs_test import RpcClient, limit, wait_until


pytestmark = pytest.mark.usefixtures("tls")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Two authorities and who they have signed for; nobody writes there."""
    class Pki:
        pass
    top = tmp_path_factory.mktemp("pki")
    made = Pki()
    made.ca, made.other = Authority(top, "ca"), Authority(top, "other")
    made.server, made.client = made.ca.issue("server"), made.ca.issue("client")
    made.expired = made.ca.issue("expired", "20200101000000Z", "20200201000000Z")
    made.stranger = made.other.issue("stranger")
    return made


def add_manager(server, target):
    server.box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait", "set-manager", target)


def manager(server):
    """The columns is_connected and status of the only manager."""
    with server.connect() as rpc:
        rows = rpc.transact("Open_vSwitch", {"op": "select", "table": "Manager", "where": [],
                                             "columns": ["is_connected", "status"]})[0]["rows"]
    return {"is_connected": rows[0]["is_connected"], **dict(rows[0]["status"][1])} if rows else {}


def status_of(server, word):
    return wait_until(lambda: manager(server).get(word), timeout=30, what=f"the manager's {word}")


def start_server(box, options, **more):
    return box.start_ovsdb_server(remotes=["db:Open_vSwitch,Open_vSwitch,manager_options"], args=options, **more)


def listen(server):
    """Makes a server listen by TLS; its remote."""
    add_manager(server, "pssl:0:127.0.0.1")
    server.port = int(status_of(server, "bound_port"))
    return f"ssl:127.0.0.1:{server.port}"


@pytest.fixture
def server(box, pki):
    """A server with `remote`, where it listens by TLS."""
    server = start_server(box, pki.server.options())
    server.remote = listen(server)
    return server


def vsctl(server, identity, *words, **more):
    return server.box.run("ovs-vsctl", f"--db={server.remote}", "--no-wait", "--timeout=20",
                          *(identity if isinstance(identity, list) else identity.options()), *words, **more)


def python_context(identity, purpose=ssl.PROTOCOL_TLS_CLIENT, ca=None):
    context = ssl.SSLContext(purpose)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca or identity.ca.certificate)
    context.load_cert_chain(identity.certificate, identity.key)
    return context


def connect(server, identity):
    """A JSON-RPC client by TLS, of Python's."""
    rpc = RpcClient(("127.0.0.1", server.port))
    rpc.sock = python_context(identity).wrap_socket(rpc.sock)
    return rpc


def open_files(server):
    directory = f"/proc/{server.pid}/fd"
    for name in os.listdir(directory):
        # The server may close it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(f"{directory}/{name}")


def listens(server):
    """Whether the server listens by TCP."""
    with open(f"/proc/{server.pid}/net/tcp", encoding="ascii") as sockets:
        lines = [line.split() for line in sockets]
    listening = {f"socket:[{words[9]}]" for words in lines if words[3] == "0A"}
    return any(open_file in listening for open_file in open_files(server))


def log_of(box, name="ovsdb-server"):
    return (box.log_dir / f"{name}.log").read_text()


def wait_for_log(box, *texts):
    wait_until(lambda: all(text in log_of(box) for text in texts), what=f"{texts} in the log")


# ---- what works

def test_our_programs_talk_by_tls(server, pki):
    vsctl(server, pki.client, "add-br", "br0", "--", "add-port", "br0", "p0")
    assert vsctl(server, pki.client, "list-ports", "br0").stdout == "p0\n"
    options = pki.client.options()
    client = server.box.run("ovsdb-client", *options, "list-dbs", server.remote)
    assert client.stdout.split() == ["Open_vSwitch", "_Server"]
    dump = server.box.run("ovsdb-client", *options, "dump", server.remote, "Open_vSwitch", "Bridge", "name")
    assert "br0" in dump.stdout


def test_short_options_and_names_of_files_in_the_current_directory(server, pki):
    words = ["-p", pki.client.key.name, "-c", pki.client.certificate.name, "-C", pki.ca.certificate.name]
    done = server.box.run("ovs-vsctl", f"--db={server.remote}", "--no-wait", *words, "list-br",
                          cwd=pki.ca.directory)
    assert done.stderr == ""


def test_ipv6_and_a_name(box, pki):
    server = start_server(box, pki.server.options())
    for target, host in (("pssl:0:[::1]", "[::1]"), ("pssl:0:[::]", "localhost")):
        add_manager(server, target)
        server.remote = f"ssl:{host}:{status_of(server, 'bound_port')}"
        assert vsctl(server, pki.client, "list-br").stderr == ""
        server.box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait", "del-manager")


def test_a_remote_of_the_command_line(box, pki):
    # The port is the system's choice, so the log of a client of it cannot be had: it is enough that it listens.
    server = box.start_ovsdb_server(remotes=["pssl:0:127.0.0.1"], args=pki.server.options())
    assert "pssl:0:127.0.0.1" in server.appctl("ovsdb-server/list-remotes").stdout


def test_a_server_connects_to_its_manager(box, pki):
    server = start_server(box, pki.server.options())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(limit(20))
        add_manager(server, f"ssl:127.0.0.1:{listener.getsockname()[1]}")
        accepted, _ = listener.accept()
        accepted.settimeout(limit(20))
        with python_context(pki.client, ssl.PROTOCOL_TLS_SERVER).wrap_socket(accepted, server_side=True) as sock:
            sock.sendall(json.dumps({"id": 1, "method": "list_dbs", "params": []}).encode())
            assert b"Open_vSwitch" in sock.recv(10000)
            wait_until(lambda: manager(server)["is_connected"])
            assert manager(server)["state"] == "ACTIVE"
        wait_until(lambda: not manager(server)["is_connected"])
    assert "last_error" in manager(server)


def test_the_switch_finds_its_database_by_tls(box, pki, server):
    switch = box.start("ovs-vswitchd", server.remote, "--enable-dummy=override", "--no-chdir",
                       f"--pidfile={box.run_dir}/ovs-vswitchd.pid", f"--unixctl={box.run_dir}/v.ctl",
                       f"--log-file={box.log_dir}/ovs-vswitchd.log", *pki.client.options(),
                       ready=lambda: ovs_test.can_connect(box.run_dir / "v.ctl"))
    changed = ["ovs-vsctl", f"--db={server.remote}", "--timeout=20", *pki.client.options()]
    box.run(*changed, "add-br", "br0")
    # The server dies and comes back at the same place.
    add_manager(server, f"pssl:{server.port}:127.0.0.1")
    wait_until(lambda: manager(server).get("bound_port") == str(server.port))
    server.kill()
    again = start_server(box, pki.server.options(), name="again")
    status_of(again, "bound_port")
    box.run(*changed, "add-br", "br1")
    assert switch.alive()


def test_s_client_of_openssl(server, pki):
    request = json.dumps({"id": 1, "method": "list_dbs", "params": []})
    words = ["openssl", "s_client", "-quiet", "-verify_return_error", "-connect", f"127.0.0.1:{server.port}",
             "-CAfile", pki.ca.certificate, "-cert", pki.client.certificate, "-key", pki.client.key]
    for version in ("-tls1_2", "-tls1_3"):
        with subprocess.Popen([*map(str, words), version], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as client:
            client.stdin.write(request.encode())
            client.stdin.flush()
            answer = b""
            while b"}" not in answer:
                more = os.read(client.stdout.fileno(), 10000)
                assert more, client.stderr.read()
                answer += more
            client.stdin.close()
            client.kill()
        assert json.loads(answer) == {"id": 1, "result": ["Open_vSwitch", "_Server"], "error": None}


def test_old_versions_are_refused(server, pki):
    for version in ("-tls1", "-tls1_1"):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", version,
                               "-cipher", "ALL:@SECLEVEL=0"], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=limit(30), check=False)
        assert done.returncode != 0


# ---- where keys come from

def test_the_database_names_the_files(box, pki):
    server = start_server(box, ["--private-key=db:Open_vSwitch,SSL,private_key",
                                "--certificate=db:Open_vSwitch,SSL,certificate",
                                "--ca-cert=db:Open_vSwitch,SSL,ca_cert"])
    add_manager(server, "pssl:0:127.0.0.1")
    assert "TLS needs a private key" in status_of(server, "last_error")
    assert manager(server)["state"] == "VOID"
    local = ["ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait"]
    box.run(*local, "set-ssl", pki.server.key, pki.server.certificate, pki.ca.certificate)
    server.port = int(status_of(server, "bound_port"))
    server.remote = f"ssl:127.0.0.1:{server.port}"
    vsctl(server, pki.client, "add-br", "br0")
    # Another identity, whom the client does not trust.
    box.run(*local, "set-ssl", pki.stranger.key, pki.stranger.certificate, pki.ca.certificate)
    assert "is not signed by the CA of" in vsctl(server, pki.client, "list-br", status=1).stderr
    box.run(*local, "del-ssl")
    assert "TLS" in vsctl(server, pki.client, "list-br", status=1).stderr
    wait_for_log(box, "TLS needs a private key, a certificate and the CA's certificate; not set in the database")
    wait_until(lambda: "TLS needs a private key" in manager(server).get("last_error", ""), what="the reason")
    assert manager(server)["bound_port"] == str(server.port)
    box.run(*local, "set-ssl", pki.server.key, pki.server.certificate, pki.ca.certificate)
    assert vsctl(server, pki.client, "list-br").stdout == "br0\n"
    wait_until(lambda: "last_error" not in manager(server), what="no error")


def test_keys_that_are_taken_away_are_said_once_for_all_remotes(box, pki):
    server = start_server(box, ["--private-key=db:Open_vSwitch,SSL,private_key",
                                "--certificate=db:Open_vSwitch,SSL,certificate",
                                "--ca-cert=db:Open_vSwitch,SSL,ca_cert"])
    local = ["ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait"]
    box.run(*local, "set-ssl", pki.server.key, pki.server.certificate, pki.ca.certificate, "--",
            "set-manager", "pssl:0:127.0.0.1", "ssl:127.0.0.1:1")
    wait_for_log(box, "ssl:127.0.0.1:1: ", "trying again")
    box.run(*local, "del-ssl")
    # The options are given: what is missing is in the database.
    wait_for_log(box, "|TLS needs a private key, a certificate and the CA's certificate; not set in the database: "
                      "db:Open_vSwitch,SSL,private_key, db:Open_vSwitch,SSL,certificate, db:Open_vSwitch,SSL,ca_cert "
                      "(ovs-vsctl set-ssl does it); until that changes, no connection by TLS is accepted or made\n")
    assert log_of(box).count("until that changes") == 1


def test_files_newly_named_by_the_database_that_are_wrong(box, pki, tmp_path):
    server = start_server(box, ["--private-key=db:Open_vSwitch,SSL,private_key",
                                "--certificate=db:Open_vSwitch,SSL,certificate",
                                "--ca-cert=db:Open_vSwitch,SSL,ca_cert"])
    local = ["ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait"]
    good = [pki.server.key, pki.server.certificate, pki.ca.certificate]
    box.run(*local, "set-ssl", *good, "--", "set-manager", "pssl:0:127.0.0.1")
    server.port = int(status_of(server, "bound_port"))
    server.remote = f"ssl:127.0.0.1:{server.port}"
    missing, kept = tmp_path / "missing.pem", "; the keys and certificates that were read before stay in use"
    for files, complaint in (
            ([pki.stranger.key, *good[1:]],
             f"{pki.stranger.key}: this private key does not fit the certificate {pki.server.certificate}{kept}"),
            ([*good[:2], missing], f"{missing}: the CA's certificate cannot be read: No such file or directory{kept}"),
            (["key.pem", *good[1:]], "key.pem: the private key cannot be read: No such file or directory; give its "
                                     f"absolute name, which begins with a slash{kept}")):
        box.run(*local, "set-ssl", *files)
        wait_until(lambda text=complaint: manager(server).get("last_error") == text, what=complaint)
        assert vsctl(server, pki.client, "list-br").stderr == ""
        assert log_of(box).count(f"{complaint}\n") == 1
    box.run(*local, "set-ssl", *good)
    wait_until(lambda: "last_error" not in manager(server), what="no error")


def test_a_remote_of_the_operator_waits_for_the_keys_of_the_database(box, pki):
    server = box.start_ovsdb_server(remotes=["pssl:0:127.0.0.1"], args=[
        "--private-key=db:Open_vSwitch,SSL,private_key", "--certificate=db:Open_vSwitch,SSL,certificate",
        "--bootstrap-ca-cert=db:Open_vSwitch,SSL,ca_cert"])
    wait_for_log(box, "pssl:0:127.0.0.1: TLS needs")
    box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait", "set-ssl", pki.server.key,
            pki.server.certificate, pki.ca.certificate)
    wait_until(lambda: listens(server), what="the server to listen")


def test_a_remote_that_waited_for_keys_waits_for_its_port_too(box, pki):
    with socket.create_server(("127.0.0.1", 0)) as other:
        remote = f"pssl:{other.getsockname()[1]}:127.0.0.1"
        server = box.start_ovsdb_server(remotes=[remote], args=[
            "--private-key=db:Open_vSwitch,SSL,private_key", "--certificate=db:Open_vSwitch,SSL,certificate",
            "--ca-cert=db:Open_vSwitch,SSL,ca_cert"])
        wait_for_log(box, f"{remote}: TLS needs")
        box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait", "set-ssl", pki.server.key,
                pki.server.certificate, pki.ca.certificate)
        wait_for_log(box, "Address already in use")
    wait_until(lambda: listens(server), timeout=30, what="the server to listen")
    assert log_of(box).count("Address already in use") == 1


def test_a_renewed_certificate_is_used_and_a_bad_one_is_not(box, pki, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    key.write_bytes(pki.server.key.read_bytes())
    pki.ca.certify(key, "first", certificate)
    server = start_server(box, [f"--private-key={key}", f"--certificate={certificate}",
                                f"--ca-cert={pki.ca.certificate}"])
    server.remote = listen(server)

    def name():
        with connect(server, pki.client) as rpc:
            return dict(pair[0] for pair in rpc.sock.getpeercert()["subject"])["commonName"]
    with connect(server, pki.client) as early:
        assert name() == "first"
        pki.ca.certify(key, "second", certificate)
        assert name() == "second"
        key.write_text("nonsense")
        assert name() == name() == "second"
        complaint = f"{key}: no private key in PEM form"
        assert log_of(box).count(complaint) == 1
        assert "stay in use" in log_of(box)
        key.write_bytes(pki.server.key.read_bytes())
        pki.ca.certify(key, "third", certificate)
        assert name() == "third"
        assert "Open_vSwitch" in early.call("list_dbs", [])


def test_a_client_bootstraps(box, pki, tmp_path):
    server = start_server(box, [*pki.server.options(), f"--peer-ca-cert={pki.ca.certificate}"])
    server.remote = listen(server)
    taken = tmp_path / "taken.pem"
    done = vsctl(server, pki.client.options(taken, bootstrap=True), "add-br", "br0")
    assert done.stdout == ""
    assert taken.read_text().strip() in pki.ca.certificate.read_text()
    # From now on only that CA counts.
    other = start_server(box, pki.stranger.options(pki.ca.certificate), socket="other.sock", name="other",
                         databases=[box.create_database(box.db_dir / "other.db")])
    other.remote = listen(other)
    refused = vsctl(other, pki.client.options(taken, bootstrap=True), "list-br", status=1)
    assert f"is not signed by the CA of {taken}" in refused.stderr


def test_a_server_bootstraps(box, pki, tmp_path):
    taken = tmp_path / "taken.pem"
    server = start_server(box, pki.server.options(taken, bootstrap=True))
    server.remote = listen(server)
    peer = [*pki.client.options(), f"--peer-ca-cert={pki.ca.certificate}"]
    vsctl(server, peer, "list-br", status=1)
    wait_for_log(box, "took the CA's certificate from the peer", "it has to connect again")
    assert taken.read_text().strip() in pki.ca.certificate.read_text()
    vsctl(server, peer, "list-br")
    vsctl(server, pki.stranger.options(pki.ca.certificate), "list-br", status=1)
    wait_for_log(box, "(CN=stranger) is not signed by the CA of")


def test_a_key_that_everybody_may_read_is_named_once(box, pki, tmp_path):
    """By daemons; tools use it without a word."""
    key = tmp_path / "key.pem"
    key.write_bytes(pki.server.key.read_bytes())
    words = [f"--private-key={key}", *pki.server.options()[1:]]
    key.chmod(0o640)
    server = start_server(box, words, name="first")
    server.remote = listen(server)
    vsctl(server, pki.client, "list-br")
    server.stop()
    assert "may read this private key" not in log_of(box, "first")
    key.chmod(0o644)
    server = start_server(box, words)
    wait_until(lambda: "bound_port" in manager(server))
    server.port = int(manager(server)["bound_port"])
    server.remote = f"ssl:127.0.0.1:{server.port}"
    mine = tmp_path / "mine.pem"
    mine.write_bytes(pki.client.key.read_bytes())
    mine.chmod(0o644)
    mine_open = [f"--private-key={mine}", *pki.client.options()[1:]]
    assert vsctl(server, mine_open, "list-br").stderr == ""
    assert box.run("ovsdb-client", *mine_open, "list-dbs", server.remote).stderr == ""
    assert log_of(box).count(f"{key}: everybody on this host may read this private key") == 1


# ---- what is refused, and how that is said

def test_what_is_wrong_is_said(box, pki, server, tmp_path):
    client, missing = pki.client, tmp_path / "missing.pem"

    def complaint(*options, status=1):
        return vsctl(server, list(map(str, options)), "list-br", status=status).stderr
    p, c, ca = f"-p{client.key}", f"-c{client.certificate}", f"-C{pki.ca.certificate}"
    assert complaint() == (
        f"ovs-vsctl: {server.remote}: TLS needs a private key, a certificate and the CA's certificate; missing: "
        "--private-key, --certificate, --ca-cert (or --bootstrap-ca-cert)\n")
    assert complaint(p, c).endswith("missing: --ca-cert (or --bootstrap-ca-cert)\n")
    assert f"{missing}: the private key cannot be read: No such file or directory" in complaint(f"-p{missing}", c, ca)
    assert f"{missing}: the CA's certificate cannot be read" in complaint(p, c, f"-C{missing}")
    assert (f"{pki.server.key}: this private key does not fit the certificate {client.certificate}"
            in complaint(f"-p{pki.server.key}", c, ca))
    assert f"{client.certificate}: no private key in PEM form" in complaint(f"-p{client.certificate}", c, ca)
    # One thing at a time: of a certificate that is not used it is not said that it has expired.
    assert complaint(p, f"-c{pki.expired.certificate}", ca) == (
        f"ovs-vsctl: {server.remote}: database connection failed ({client.key}: this private key does not fit the "
        f"certificate {pki.expired.certificate})\n")
    passive = ["--db=pssl:0:127.0.0.1", c, ca, "show"]
    for key, wrong in ((pki.server.key, f"this private key does not fit the certificate {client.certificate}"),
                       (missing, "the private key cannot be read: No such file or directory")):
        done = box.run("ovs-vsctl", f"-p{key}", *passive, status=1)
        assert done.stderr == f"ovs-vsctl: pssl:0:127.0.0.1: database connection failed ({key}: {wrong})\n"
        done = box.run("ovsdb-client", f"-p{key}", c, ca, "list-dbs", "pssl:0:127.0.0.1", status=1)
        assert done.stderr == f'ovsdb-client: failed to listen on "pssl:0:127.0.0.1" ({key}: {wrong})\n'
    assert f"is not signed by the CA of {pki.other.certificate}" in complaint(p, c, f"-C{pki.other.certificate}")
    expired = complaint(*pki.expired.options())
    assert f"{pki.expired.certificate}: the certificate has expired" in expired
    assert "certificate expired" in expired
    assert ("database connection lost (the peer refuses the connection by TLS: unknown CA"
            in complaint(*pki.stranger.options(pki.ca.certificate)))
    wait_for_log(box, "(CN=expired) has expired on Feb  1 00:00:00 2020 GMT",
                 f"(CN=stranger) is not signed by the CA of {pki.ca.certificate}")
    assert "exclude each other" in complaint(p, c, ca, f"--bootstrap-ca-cert={missing}")
    assert "not a version of TLS" in complaint(p, c, ca, "--ssl-protocols=SSLv3")
    assert "names no cipher" in complaint(p, c, ca, "--ssl-ciphers=NONE-SUCH")
    assert complaint(p, c, ca, "--ssl-protocols=TLSv1.2", "--ssl-ciphers=ECDHE-ECDSA-AES256-GCM-SHA384",
                     status=0) == ""
    assert complaint(p, c, "-Cnone", status=0) == ""


def test_who_waits_says_why_tls_fails(box, pki, server):
    seconds = 3 * int(limit(1))
    done = box.run("ovs-vsctl", f"--db={server.remote}", "--retry", "-t", str(seconds),
                   *pki.client.options(pki.other.certificate), "show", status=-signal.SIGALRM)
    first, last = done.stderr.splitlines()
    reason = f"the peer's certificate (CN=server) is not signed by the CA of {pki.other.certificate}"
    assert first.startswith(f"ovs-vsctl: waiting for a connection to {server.remote} (the last attempt: {reason}")
    assert last.startswith(f"ovs-vsctl: timed out after {seconds} seconds") and reason in last
    with subprocess.Popen(
            [ovs_test.program("ovs-vswitchd"), server.remote, "--enable-dummy", "--detach", "--pidfile", "--no-chdir",
             "-vconsole:off", f"--unixctl={box.run_dir}/v.ctl", *pki.client.options(pki.other.certificate)],
            env=box.env, cwd=box.top, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as switch:
        try:
            assert f"at {server.remote} (the last attempt: {reason}" in switch.stderr.readline()
        finally:
            box.run("ovs-appctl", "-t", box.run_dir / "v.ctl", "exit")


def test_the_server_comes_to_ovs_vsctl_by_tls(box, pki):
    server = start_server(box, pki.server.options())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    add_manager(server, f"ssl:127.0.0.1:{port}")
    done = box.run("ovs-vsctl", f"--db=pssl:{port}:127.0.0.1", "--no-wait", "--timeout=40", *pki.client.options(),
                   "add-br", "br0", "--", "list-br", timeout=50)
    assert done.stdout == "br0\n"
    assert box.run("ovs-vsctl", "--db=pssl:0", "show", status=1).stderr.startswith(
        "ovs-vsctl: pssl:0: TLS needs a private key")


def test_tls_and_plain_do_not_mix(box, pki, server):
    plain = box.run("ovs-vsctl", f"--db=tcp:127.0.0.1:{server.port}", "--no-wait", "list-br", status=1)
    assert "closed by peer" in plain.stderr and "is it a port for TLS?" in plain.stderr
    plain = box.run("ovsdb-client", "list-dbs", f"tcp:127.0.0.1:{server.port}", status=1)
    assert "is it a port for TLS?" in plain.stderr
    wait_for_log(box, "the peer does not speak TLS; is it a tcp: client at this pssl: port?")
    box.run("ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait", "set-manager", "ptcp:0:127.0.0.1")
    wait_until(lambda: manager(server).get("bound_port") not in (None, str(server.port)))
    server.remote = f"ssl:127.0.0.1:{manager(server)['bound_port']}"
    assert "is this a ptcp: port" in vsctl(server, pki.client, "list-br", status=1).stderr
    wait_for_log(box, "the peer speaks TLS, and this connection does not")


def test_a_server_whose_files_are_wrong_does_not_start(box, pki, tmp_path):
    path, missing = box.create_database(), tmp_path / "missing.pem"
    words = ["ovsdb-server", path, "--remote=pssl:0:127.0.0.1", "--no-chdir", f"--unixctl={box.run_dir}/s.ctl"]
    done = box.run(*words, f"--private-key={missing}", *pki.server.options()[1:], status=1)
    assert done.stderr == (f"ovsdb-server: pssl:0:127.0.0.1: {missing}: the private key cannot be read: "
                           "No such file or directory\n")
    assert "missing: --private-key" in box.run(*words, status=1).stderr
    switch = box.run("ovs-vswitchd", "ssl:127.0.0.1:1", "--no-chdir", status=1)
    assert switch.stderr.startswith("ovs-vswitchd: ssl:127.0.0.1:1: TLS needs a private key")


# ---- peers that behave badly, and many

def test_silent_peers_hold_nobody_up(box, pki, server):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    for n, sock in enumerate(silent):
        sock.sendall(b"\x16\x03\x01\x02\x00\x01"[:n % 7])
    vsctl(server, pki.client, "add-br", "br0")
    assert manager(server).get("n_connections") is None
    # They are dropped after their time.
    server.appctl("time/stop")
    server.appctl("time/warp", "16000")
    for sock in silent:
        sock.settimeout(limit(20))
        assert sock.recv(1) == b""
        sock.close()
    assert "no TLS handshake within 15 s" in log_of(box)


def test_peers_that_die_in_their_handshake(box, pki, server):
    # What a client says first, cut at random places.
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = python_context(pki.client).wrap_bio(incoming, outgoing)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello, chance = outgoing.read(), random.Random(1)
    before = len(os.listdir(f"/proc/{server.pid}/fd"))
    for n in range(200):
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(hello[:chance.randrange(len(hello) + 1)])
            if n % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    vsctl(server, pki.client, "add-br", "br0")
    wait_until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= before, what="all sockets to be closed")


def test_five_thousand_requests_at_once(pki, server):
    with connect(server, pki.client) as rpc:
        requests = b"".join(json.dumps({"id": n, "method": "echo", "params": [n, "x" * (n % 300)]}).encode()
                            for n in range(5000))
        sent = 0
        answered = 0
        rpc.sock.setblocking(True)
        rpc.sock.settimeout(limit(60))
        while answered < 5000:
            if sent < len(requests):
                sent += rpc.sock.send(requests[sent:sent + 20000])
                if sent % 3 and sent < len(requests):
                    continue
            reply = rpc.recv()
            assert reply["id"] == answered
            answered += 1


def test_a_peer_that_reads_slowly_gets_everything(pki, server):
    with connect(server, pki.client) as slow, server.connect() as rpc:
        slow.call("monitor", ["Open_vSwitch", "m", {"Bridge": {"columns": ["external_ids"]}}])
        for n in range(20):
            rpc.transact("Open_vSwitch", {"op": "insert", "table": "Bridge", "uuid-name": "b", "row": {
                "name": f"b{n}", "external_ids": ["map", [["x", "y" * 300_000]]]}},
                {"op": "mutate", "table": "Open_vSwitch", "where": [],
                 "mutations": [["bridges", "insert", ["set", [["named-uuid", "b"]]]]]})
        for n in range(20):
            update = slow.notification(timeout=30)["params"][1]["Bridge"]
            (row,) = update.values()
            assert row["new"]["external_ids"] == ["map", [["x", "y" * 300_000]]]


def test_a_peer_that_never_reads_does_not_fill_the_memory(pki, server):
    with connect(server, pki.client) as dead, server.connect() as rpc:
        dead.call("monitor", ["Open_vSwitch", "m", {"Open_vSwitch": {"columns": ["external_ids"]}}])
        before = server.memory()
        value = "x" * 1_000_000
        for n in range(150):
            rpc.transact("Open_vSwitch", {"op": "update", "table": "Open_vSwitch", "where": [], "row": {
                "external_ids": ["map", [["n", f"{n}{value}"]]]}})
        # Its connection goes when too much waits for it, and with it what waited.
        assert server.memory() - before < 400_000
        assert rpc.call("list_dbs", [])


def test_a_killed_peer_is_noticed(box, pki, server):
    follower = box.popen("ovsdb-client", *pki.client.options(), "monitor", server.remote, "Open_vSwitch", "Bridge")
    wait_until(lambda: manager(server)["is_connected"])
    follower.send_signal(signal.SIGKILL)
    follower.wait()
    wait_until(lambda: not manager(server)["is_connected"])
