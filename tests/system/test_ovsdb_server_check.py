"""ovsdb-server --check: what would keep it from starting, without a start."""

import os
import pathlib
import shutil
import tempfile

import pytest

import ovs_test
from certificates import Authority

SCHEMA = f"--check={ovs_test.SCHEMA}"
MANAGERS = "--remote=db:Open_vSwitch,Open_vSwitch,manager_options"


@pytest.fixture(scope="module")
def pki(tls):
    # Below /tmp itself, where users of any name get in.
    with tempfile.TemporaryDirectory(prefix="ovs-pki-") as top:
        os.chmod(top, 0o755)
        ca = Authority(pathlib.Path(top), "ca")
        yield ca, ca.issue("server"), ca.issue("other")


def check(box, *arguments, option=SCHEMA):
    """What is wrong, line by line; and what is said is what the exit status says."""
    before = everything(box)
    done = box.run("ovsdb-server", "-vconsole:off", option, *arguments, status=None)
    assert done.stdout == "" and everything(box) == before
    lines = done.stderr.splitlines()
    assert all(line.startswith("ovsdb-server: ") for line in lines)
    lines = [line.removeprefix("ovsdb-server: ") for line in lines]
    assert done.returncode == (0 if all(line.startswith("warning: ") for line in lines) else 1)
    return lines


def everything(box):
    """All that is in the sandbox, and what is known of it."""
    states = [(path, path.lstat()) for path in sorted(box.top.rglob("*"))]
    return [(path, s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns) for path, s in states]


def starts(box, *arguments):
    """Whether a server starts with that."""
    done = box.run("ovsdb-server", "-vconsole:off", "--run=true", f"--remote=punix:{box.run_dir}/it.sock", *arguments,
                   status=None)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.returncode == 0


def test_what_is_right(box):
    socket = f"--remote=punix:{box.run_dir}/db.sock"
    assert check(box, socket, MANAGERS) == []  # a database that the service is going to create
    box.create_database()
    for option in (SCHEMA, "--check"):
        assert check(box, socket, MANAGERS, "--remote=ptcp:0", "--pidfile", "--detach", option=option) == []
    # The addresses and the files of one that runs are no obstacle.
    server = box.start_ovsdb_server(args=["--pidfile"], remotes=["ptcp:0:127.0.0.1"])
    before = set(box.top.rglob("*"))
    assert check(box, f"--remote=punix:{server.socket}", MANAGERS, "--pidfile") == []
    assert set(box.top.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_nothing_is_changed_beside_a_running_server(box):
    box.top.chmod(0o755)
    server = box.start_ovsdb_server(args=["--pidfile"])
    pidfile, log = box.run_dir / "ovsdb-server.pid", box.log_dir / "ovsdb-server.log"
    assert pidfile.exists() and log.exists()
    assert check(box, f"--remote=punix:{server.socket}", "--user=nobody", f"--pidfile={pidfile}",
                 f"--log-file={log}") == []
    assert check(box, "--user=nobody", f"--log-file={box.log_dir}/new.log") == []


def test_all_mistakes_at_once(box):
    assert check(box, "--remote=ptcp:99999", "--remote=bogus:x", "--remote=db:Open_vSwitch,Open_vSwitch,managers",
                 "--remote=db:Open_vSwitch,Manger,target", "--remote=db:Nope,T,c", "--remote=db:x") == [
        'ptcp:99999: "99999" is not a port number (0 to 65535)',
        "bogus:x: not a remote; the forms are punix:FILE, ptcp:[PORT][:IP], pssl:[PORT][:IP], unix:FILE, "
        "tcp:HOST[:PORT], ssl:HOST[:PORT] and db:DATABASE,TABLE,COLUMN",
        "db:Open_vSwitch,Open_vSwitch,managers: no column named managers",
        "db:Open_vSwitch,Manger,target: no table named Manger (did you mean Manager?)",
        "db:Nope,T,c: no database named Nope",
        "db:x: not of the form db:DATABASE,TABLE,COLUMN"]


def test_databases(box):
    missing = box.db_dir / "none.db"
    assert any(str(missing) in line for line in check(box, missing, option="--check"))
    broken = box.db_dir / "broken.db"
    broken.write_text("this is no database\n")
    said = check(box, broken, MANAGERS)
    assert len(said) == 1 and str(broken) in said[0]  # and nothing about columns of what cannot be read
    assert str(missing) in check(box, option=f"--check={missing}")[0]
    # A database that is going to be converted has the columns of its new schema.
    older = box.top / "older.ovsschema"
    older.write_text('{"name": "Open_vSwitch", "version": "1.0.0", '
                     '"tables": {"Open_vSwitch": {"columns": {"x": {"type": "integer"}}}}}')
    path = box.create_database(schema=older)
    assert check(box, path, MANAGERS) == []
    assert "manager_options" in check(box, path, MANAGERS, option="--check")[0]


def test_columns_that_name_keys(box, pki):
    options = ["--private-key=db:Open_vSwitch,SSL,private_kee", "--certificate=db:Open_vSwitch,SLL,certificate",
               "--bootstrap-ca-cert=db:Open_vSwitch,SSL,external_ids"]
    assert check(box, *options) == [
        "warning: --private-key: db:Open_vSwitch,SSL,private_kee: no column named private_kee (did you mean private_key?)",
        "warning: --certificate: db:Open_vSwitch,SLL,certificate: no table named SLL (did you mean SSL?)",
        "warning: --bootstrap-ca-cert: db:Open_vSwitch,SSL,external_ids: column external_ids does not hold strings"]
    # What they hold is looked at when it is needed.
    good = [f"--{option}=db:Open_vSwitch,SSL,{column}" for option, column in (
        ("private-key", "private_key"), ("certificate", "certificate"), ("ca-cert", "ca_cert"))]
    assert check(box, *good, "--remote=pssl:6640") == []


def test_keys(box, pki):
    ca, server, other = pki
    listen = "--remote=pssl:6640:127.0.0.1"
    need = "TLS needs a private key, a certificate and the CA's certificate; missing: "
    assert check(box, listen, *server.options()) == []
    assert check(box, listen) == [
        f"pssl:6640:127.0.0.1: {need}--private-key, --certificate, --ca-cert (or --bootstrap-ca-cert)"]
    both = [f"--private-key={server.key}", f"--certificate={server.certificate}"]
    assert check(box, listen, *both) == [f"pssl:6640:127.0.0.1: {need}--ca-cert (or --bootstrap-ca-cert)"]
    said = check(box, listen, f"--private-key={other.key}", *both[1:], f"--ca-cert={ca.certificate}")
    assert len(said) == 1 and f"{other.key}: this private key does not fit the certificate" in said[0]
    # Each file that cannot be read, and what is missing besides.
    assert check(box, listen, "--private-key=/none/key.pem", "--peer-ca-cert=/none/peers.pem") == [
        f"pssl:6640:127.0.0.1: {need}--certificate, --ca-cert (or --bootstrap-ca-cert)",
        "--private-key=/none/key.pem: cannot be read: No such file or directory",
        "--peer-ca-cert=/none/peers.pem: cannot be read: No such file or directory"]
    # A certificate that is taken from the first peer needs a place.
    assert check(box, listen, *both, f"--bootstrap-ca-cert={box.top}/taken.pem") == []
    assert check(box, listen, *both, "--bootstrap-ca-cert=/none/taken.pem") == [
        "warning: --bootstrap-ca-cert=/none/taken.pem: it cannot be created in /none: No such file or directory"]


def test_what_a_start_survives_is_a_warning(box, pki):
    """Keys that no remote of the command line listens with: managers are in the database, and stay as they are."""
    box.create_database()
    ca, server, other = pki
    missing, cert = "--private-key=/none/key.pem", f"--certificate={server.certificate}"
    unfit, trust = f"--private-key={other.key}", f"--ca-cert={ca.certificate}"
    column = "--private-key=db:Open_vSwitch,SSL,private_key"
    key = f"--private-key={server.key}"
    listen, connect = "--remote=pssl:0:127.0.0.1", "--remote=ssl:127.0.0.1:1"
    for survived, said, *options in (
            (True, "/none/key.pem: cannot be read", MANAGERS, missing, cert, trust),
            (True, "does not fit", MANAGERS, unfit, cert, trust),
            (True, "missing: --ca-cert", MANAGERS, key, cert),
            (True, "missing: --certificate", MANAGERS, missing),
            (True, "does not fit", unfit, cert, trust),
            (True, "TLS needs", connect),
            (True, "does not fit", connect, unfit, cert, trust),
            (True, "missing: --certificate", listen, column),
            (True, "/none/cert.pem: cannot be read", listen, column, "--certificate=/none/cert.pem", trust),
            (True, "no column named no_key", listen, "--private-key=db:Open_vSwitch,SSL,no_key", cert, trust),
            (True, "it cannot be created", listen, key, cert, "--bootstrap-ca-cert=/none/taken.pem"),
            (False, "/none/key.pem: cannot be read", listen, missing, cert, trust),
            (False, "does not fit", listen, connect, unfit, cert, trust),
            (False, "/none/peers.pem: cannot be read", listen, key, cert, trust, "--peer-ca-cert=/none/peers.pem"),
            (False, "TLS needs", MANAGERS, listen),
    ):
        lines = check(box, *options, option="--check")
        assert any(said in line for line in lines), (options, lines)
        assert all(line.startswith("warning: ") == survived for line in lines), (options, lines)
        assert starts(box, *options) == survived, options


def test_places(box):
    """Files and sockets that cannot be made where they are wanted, for which a start fails, too."""
    box.create_database()
    missing = "it cannot be created in /none: No such file or directory"
    long = f"{box.run_dir}/{'x' * 120}"
    for said, *options in (
            (f"--pidfile=/none/x: {missing}", "--pidfile=/none/x"),
            (f"cannot make the control socket: punix:/none/x: {missing}", "--unixctl=/none/x"),
            (f"cannot make the control socket: punix:{long}: the socket's name: File name too long", f"--unixctl={long}"),
            (f"punix:/none/x: {missing}", "--remote=punix:/none/x"),
            (f"punix:{long}: the socket's name: File name too long", f"--remote=punix:{long}"),
    ):
        for option in (SCHEMA, "--check"):
            assert check(box, *options, option=option) == [said]
        assert not starts(box, *options), options
    # No socket needs no place, and a name below the run directory has one.
    for options in (["--unixctl=none"], ["--unixctl=x"], ["--pidfile=x"], [f"--unixctl={box.run_dir}/{'x' * 80}"]):
        assert check(box, *options, option="--check") == []
        assert starts(box, *options), options


def test_places_that_the_service_makes(box):
    """Before the first start there are no directories; who gives the schema makes them."""
    for directory in (box.run_dir, box.db_dir):
        shutil.rmtree(directory)
    options = [f"--remote=punix:{box.run_dir}/db.sock", "--pidfile"]
    assert check(box, *options) == []
    link = box.top / "link"
    link.symlink_to(box.top)
    assert check(box, f"--remote=punix:{link}/{box.run_dir.relative_to(box.top)}/db.sock") == []
    assert check(box, f"--unixctl={box.run_dir}/sub/x") == [
        f"cannot make the control socket: punix:{box.run_dir}/sub/x: it cannot be created in {box.run_dir}/sub: No such "
        "file or directory"]
    assert len(check(box, *options, option="--check")) == 4  # and the database is missing
    assert not starts(box, *options)


def test_databases_given_twice(box):
    path = box.create_database()
    link = box.top / "link.db"
    link.symlink_to(path)
    for twice in ([path, path], [path, link]):
        for option in (SCHEMA, "--check"):
            assert check(box, *twice, option=option) == [f"{twice[1]}: this database is given twice"]
        assert not starts(box, *twice)


def test_only_the_last_database_is_made(box):
    path, missing = box.create_database(), box.db_dir / "none.db"
    said = check(box, missing, path)
    assert len(said) == 1 and str(missing) in said[0]
    assert not starts(box, missing, path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_places_of_the_servers_user(box):
    box.top.chmod(0o755)
    user, denied = "--user=nobody", "Permission denied for the user nobody"
    path = box.create_database()
    secret = box.top / "secret"
    secret.mkdir()
    socket, control = f"punix:{secret}/db.sock", f"{secret}/x.ctl"
    lock = path.parent / f".{path.name}.~lock~"
    assert check(box, user, f"--remote={socket}", f"--unixctl={control}", path) == [
        f"{socket}: it cannot be created in {secret}: {denied}",
        f"cannot make the control socket: punix:{control}: it cannot be created in {secret}: {denied}"]
    # What root gives the user in the end is enough, whatever step is missing before.
    shutil.chown(box.run_dir, "nobody")
    path.chmod(0o600)
    lock.unlink(missing_ok=True)
    steps = [(lambda: shutil.chown(path, "nobody"), f"{path}: cannot be read and written: {denied}"),
             (lambda: shutil.chown(path.parent, "nobody"),
              f"{path}: its lock file {lock}: it cannot be created in {path.parent}: {denied}")]
    for repair, said in steps:
        assert check(box, user, path, option="--check") == [said]
        assert not starts(box, user, path)
        repair()
    assert check(box, user, path, option="--check") == []
    # The pidfile is root's to make.
    assert check(box, user, f"--pidfile={secret}/pid", path, option="--check") == []
    assert starts(box, user, f"--pidfile={secret}/pid", path)
    lock.unlink(missing_ok=True)
    lock.touch(0o600)
    assert check(box, user, path, option="--check") == [f"{path}: its lock file {lock}: {denied}"]
    assert not starts(box, user, path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_keys_of_the_servers_user(box, pki):
    ca, server, _ = pki
    box.top.chmod(0o755)
    key = ca.directory / "secret.pem"
    shutil.copy(server.key, key)
    key.chmod(0o600)
    options = ["--remote=pssl:6640", f"--private-key={key}", f"--certificate={server.certificate}",
               f"--bootstrap-ca-cert={ca.directory}/taken.pem"]
    assert check(box, *options) == []
    # The database is read as root: it is the service that gives it to the user, and the directories.
    path = box.create_database()
    path.chmod(0o600)
    assert check(box, path, MANAGERS, *options, "--user=nobody") == [
        f"--private-key={key}: cannot be read: Permission denied for the user nobody",
        f"warning: --bootstrap-ca-cert={ca.directory}/taken.pem: it cannot be created in {ca.directory}: Permission "
        "denied for the user nobody"]
    shutil.chown(key, "nobody")
    shutil.chown(ca.directory, "nobody")
    assert check(box, path, MANAGERS, *options, "--user=nobody") == []
    assert "nobody-here" in check(box, "--user=nobody-here")[0]
