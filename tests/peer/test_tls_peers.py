"""Connections by TLS between our programs and the packaged ones, and python3-openvswitch."""

import socket
import subprocess
import sys

import ovs_test
import pytest
from certificates import Authority

flavours = pytest.mark.parametrize("server_flavour, client_flavour", [("ours", "packaged"), ("packaged", "ours")])


@pytest.fixture(scope="module", autouse=True)
def tls():
    if not ovs_test.has_tls():
        pytest.skip("our programs were built without TLS")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A server's identity, a client's, and one that another authority has signed."""
    top = tmp_path_factory.mktemp("pki")
    ca, other = Authority(top, "ca"), Authority(top, "other")
    return ca.issue("server"), ca.issue("client"), other.issue("stranger")


def port_of(server):
    """Where a server listens for its only manager."""
    def bound():
        rows = rpc.transact("Open_vSwitch", {"op": "select", "table": "Manager", "where": [],
                                             "columns": ["status"]})[0]["rows"]
        return dict(rows[0]["status"][1]).get("bound_port")
    with server.connect() as rpc:
        return ovs_test.wait_until(bound, timeout=20, what="the server to listen")


def start(box, flavour, options):
    """A server that listens by TLS; its remote."""
    server = box.start_ovsdb_server(flavour=flavour, args=options,
                                    remotes=["db:Open_vSwitch,Open_vSwitch,manager_options"])
    local = ["ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait"]
    box.run(*local, "set-manager", "pssl:0:127.0.0.1")
    return server, f"ssl:127.0.0.1:{port_of(server)}"


@flavours
def test_both_directions(box, pki, server_flavour, client_flavour):
    own, client, stranger = pki
    _, remote = start(box, server_flavour, own.options())
    run = {"flavour": client_flavour}
    box.run("ovs-vsctl", f"--db={remote}", "--no-wait", *client.options(), "add-br", "br0", **run)
    shown = box.run("ovs-vsctl", f"--db={remote}", *client.options(), "list-br", **run)
    assert shown.stdout == "br0\n"
    listed = box.run("ovsdb-client", *client.options(), "list-dbs", remote, **run)
    assert listed.stdout.split() == ["Open_vSwitch", "_Server"]
    for words in (stranger.options(client.ca.certificate), client.options(stranger.ca.certificate)):
        refused = box.run("ovsdb-client", *words, "list-dbs", remote, status=None, **run)
        assert refused.returncode != 0
        assert "Open_vSwitch" not in refused.stdout


@flavours
def test_bootstrap(box, pki, tmp_path, server_flavour, client_flavour):
    own, client, _ = pki
    _, remote = start(box, server_flavour, [*own.options(), f"--peer-ca-cert={own.ca.certificate}"])
    taken = tmp_path / "taken.pem"
    words = ["ovsdb-client", *client.options(taken, bootstrap=True), "list-dbs", remote]
    # The packaged client does not connect a second time by itself.
    box.run(*words, flavour=client_flavour, status=0 if client_flavour == "ours" else None)
    assert box.run(*words, flavour=client_flavour).stdout.split() == ["Open_vSwitch", "_Server"]
    # The packaged one writes what openssl prints above it, too.
    assert taken.read_text()[taken.read_text().index("-----BEGIN"):].strip() in own.ca.certificate.read_text()


@flavours
def test_the_database_names_the_files(box, pki, server_flavour, client_flavour):
    own, client, _ = pki
    remotes = ["db:Open_vSwitch,Open_vSwitch,manager_options"]
    server = box.start_ovsdb_server(flavour=server_flavour, remotes=remotes, args=[
        "--private-key=db:Open_vSwitch,SSL,private_key", "--certificate=db:Open_vSwitch,SSL,certificate",
        "--ca-cert=db:Open_vSwitch,SSL,ca_cert"])
    local = ["ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait"]
    box.run(*local, "set-ssl", own.key, own.certificate, own.ca.certificate, "--", "set-manager", "pssl:0:127.0.0.1",
            flavour=client_flavour)
    box.run("ovs-vsctl", f"--db=ssl:127.0.0.1:{port_of(server)}", *client.options(), "show", flavour=client_flavour)


@flavours
def test_the_server_connects(box, pki, server_flavour, client_flavour):
    own, client, _ = pki
    server = box.start_ovsdb_server(flavour=server_flavour, args=own.options(),
                                    remotes=["db:Open_vSwitch,Open_vSwitch,manager_options"])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = box.run_dir / "passive.sock"
    local = ["ovs-vsctl", f"--db=unix:{server.socket}", "--no-wait"]
    box.run(*local, "set-manager", f"ssl:127.0.0.1:{port}", f"unix:{path}")
    # ovs-vsctl listens as long as one call takes; the server tries again after a second, or two, or four.
    for remote in (f"pssl:{port}:127.0.0.1", f"punix:{path}"):
        done = box.run("ovs-vsctl", f"--db={remote}", "--no-wait", "--timeout=40", *client.options(), "--may-exist",
                       "add-br", "br0", "--", "list-br", flavour=client_flavour, timeout=50)
        assert done.stdout == "br0\n"


FOLLOW = """
import sys
import ovs.db.idl, ovs.poller, ovs.stream
remote, schema, key, certificate, ca = sys.argv[1:]
ovs.stream.Stream.ssl_set_private_key_file(key)
ovs.stream.Stream.ssl_set_certificate_file(certificate)
ovs.stream.Stream.ssl_set_ca_cert_file(ca)
helper = ovs.db.idl.SchemaHelper(location=schema)
helper.register_all()
idl = ovs.db.idl.Idl(remote, helper)
while not idl.has_ever_connected():
    idl.run()
    poller = ovs.poller.Poller()
    idl.wait(poller)
    poller.timer_wait(100)
    poller.block()
print(*(row.name for row in idl.tables["Bridge"].rows.values()))
"""


@pytest.mark.parametrize("server_flavour", ["ours", "packaged"])
def test_python(box, pki, server_flavour):
    pytest.importorskip("ovs.db.idl", reason="python3-openvswitch is not installed")
    own, client, _ = pki
    _, remote = start(box, server_flavour, own.options())
    box.run("ovs-vsctl", f"--db={remote}", "--no-wait", *client.options(), "add-br", "br0")
    done = subprocess.run([sys.executable, "-c", FOLLOW, remote, ovs_test.packaged_schema(), client.key,
                           client.certificate, client.ca.certificate], capture_output=True, text=True,
                          timeout=ovs_test.limit(60), check=False)
    assert done.stdout == "br0\n", done.stderr
