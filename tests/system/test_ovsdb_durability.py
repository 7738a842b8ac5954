"""What ovsdb-server has acknowledged is there after it was killed, its disk was full, or its file
was damaged at the end."""

import json
import random
import threading

import ovs_test
import pytest

SCHEMA = {
    "name": "Durable", "version": "1.0.0",
    "tables": {name: {"columns": {"number": {"type": "integer"}, "text": {"type": "string"}},
                      "indexes": [["number"]]} for name in ("Left", "Right")}}


@pytest.fixture
def schema(box):
    path = box.top / "durable.ovsschema"
    path.write_text(json.dumps(SCHEMA))
    return path


def pair(number, text="x", durable=True):
    """A transaction that adds a row with the number to each of the two tables."""
    operations = [{"op": "insert", "table": table, "row": {"number": number, "text": text}}
                  for table in ("Left", "Right")]
    if durable:
        operations.append({"op": "commit", "durable": True})
    return ["Durable", *operations]


def failed(reply):
    return reply["error"] is not None or any(r and "error" in r for r in reply["result"])


def numbers(server):
    """The numbers in the database; each must be in both tables, or a transaction was torn."""
    with server.connect() as rpc:
        left, right = ({row["number"] for row in result["rows"]} for result in rpc.transact(
            "Durable", *[{"op": "select", "table": table, "where": [], "columns": ["number"]}
                         for table in ("Left", "Right")]))
    assert left == right
    return left


class Committer:
    """Sends numbered transactions on one connection, several at a time, and notes the answers."""

    def __init__(self, server, first, window=32, text="x"):
        self.rpc = server.connect()
        self.next, self.window, self.text = first, window, text
        self.waiting = set()
        self.acknowledged = set()
        self.refused = []

    def fill(self):
        while len(self.waiting) < self.window:
            self.rpc.send({"method": "transact", "params": pair(self.next, self.text),
                           "id": self.next})
            self.waiting.add(self.next)
            self.next += 1

    def take_reply(self):
        """Notes one reply; returns whether there was one, or else the connection is gone."""
        try:
            reply = self.rpc.recv()
        except (OSError, AssertionError):  # reset, or cut off in the middle of a reply
            return False
        if reply is None:
            return False
        self.waiting.discard(reply["id"])
        if failed(reply):
            self.refused.append(reply)
        else:
            self.acknowledged.add(reply["id"])
        return True

    def run(self, count):
        """Until `count` more transactions are answered."""
        for _ in range(count):
            self.fill()
            assert self.take_reply(), "the server closed the connection"

    def drain(self):
        """Takes what was answered before the server was killed."""
        while self.waiting and self.take_reply():
            pass
        self.rpc.close()


def test_acknowledged_commits_survive_fifty_kills(box, schema):
    dice = random.Random(1)
    server = box.start_ovsdb_server(schema=schema)
    acknowledged, first = set(), 0
    for round_number in range(50):
        committer = Committer(server, first)
        committer.run(dice.randint(1, 400))
        server.kill()
        committer.drain()
        assert not committer.refused, committer.refused[0]
        acknowledged |= committer.acknowledged
        first = committer.next
        server = box.start_ovsdb_server(name=f"again{round_number}")
        there = numbers(server)
        assert acknowledged <= there, "acknowledged commits are gone"
        assert there <= set(range(first)), "there are rows that nobody added"
    assert len(acknowledged) > 5000


def commit_and_stop(box, schema, count):
    server = box.start_ovsdb_server(schema=schema)
    with server.connect() as rpc:
        for number in range(count):
            assert not failed(rpc.reply(rpc.request("transact", pair(number))))
    server.stop()
    return box.db_dir / "conf.db"


def last_record(data):
    return data.rindex(b"OVSDB JSON ")


def damages(data):
    """What can become of a file's end: (name, the damaged bytes)."""
    start = last_record(data)
    header_end = data.index(b"\n", start) + 1
    for name, size in (("cut in the header", start + 7), ("cut before the newline", header_end - 1),
                       ("cut after the header", header_end), ("cut in the data", header_end + 30),
                       ("without its last byte", len(data) - 1)):
        yield name, data[:size]
    yield "a flipped bit", data[:-10] + bytes([data[-10] ^ 1]) + data[-9:]
    yield "zeros in place of the data", data[:header_end] + bytes(len(data) - header_end)
    yield "garbage in place of the record", data[:start] + b"\xff garbage\n" * 10


def test_a_torn_tail_is_reported_and_cut_off(box, schema):
    path = commit_and_stop(box, schema, 3)
    whole = path.read_bytes()
    for index, (name, data) in enumerate(damages(whole)):
        path.write_bytes(data)
        server = box.start_ovsdb_server(name=f"torn{index}")
        log = (box.log_dir / f"torn{index}.log").read_text(errors="replace")
        assert "WARN" in log or "ERR" in log, f"{name}: nothing is said about it"
        assert str(path) in log, f"{name}: the file is not named"
        assert numbers(server) == {0, 1}, name
        committer = Committer(server, 5, window=1)
        committer.run(1)
        server.kill()
        # What is written after the damage is readable: the damage is not in between.
        server = box.start_ovsdb_server(name=f"mended{index}")
        assert {0, 1, 5} <= numbers(server), name
        server.stop()
        assert whole[:last_record(whole)] == path.read_bytes()[:last_record(whole)], name


def test_garbage_after_the_end_is_cut_off(box, schema):
    path = commit_and_stop(box, schema, 3)
    path.write_bytes(path.read_bytes() + b"OVSDB JSON 5 0000000000000000000000000000000000000000\n")
    server = box.start_ovsdb_server(name="again")
    assert numbers(server) == {0, 1, 2}


def test_records_behind_a_damaged_one_are_kept(box, schema):
    path = commit_and_stop(box, schema, 6)
    whole = path.read_bytes()
    records = [at for at in range(len(whole)) if whole.startswith(b"OVSDB JSON ", at)]
    hurt = records[3]
    path.write_bytes(whole[:hurt + 80] + b"#" + whole[hurt + 81:])
    server = box.start_ovsdb_server(name="hurt")
    Committer(server, 9, window=1).run(1)
    server.stop()
    kept = path.with_name(path.name + ".damaged")
    assert kept.read_bytes() == path_tail(whole, hurt, 80)
    assert path.read_bytes().startswith(whole[:hurt])
    assert str(kept) in (box.log_dir / "hurt.log").read_text(errors="replace")


def path_tail(whole, hurt, offset):
    """What stood behind the last good record, with the byte that was overwritten."""
    return whole[hurt:hurt + offset] + b"#" + whole[hurt + offset + 1:]


def test_a_file_that_is_no_database_is_refused(box, schema):
    path = box.db_dir / "conf.db"
    for data in (b"", b"hello\n", b"OVSDB JSON 3 " + b"0" * 40 + b"\n{}\n"):
        path.write_bytes(data)
        done = box.run("ovsdb-server", path, f"--remote=punix:{box.run_dir}/db.sock",
                       f"--unixctl={box.run_dir}/no.ctl", status=None)
        assert done.returncode != 0
        assert str(path) in done.stderr
        assert path.read_bytes() == data, "a file that is not ours must not be changed"


def test_two_servers_do_not_share_a_file(box, schema):
    server = box.start_ovsdb_server(schema=schema)
    done = box.run("ovsdb-server", box.db_dir / "conf.db",
                   f"--remote=punix:{box.run_dir}/second.sock",
                   f"--unixctl={box.run_dir}/second.ctl", status=None)
    assert done.returncode != 0
    assert "lock" in done.stderr
    assert numbers(server) == set()


def test_compaction_does_not_lose_or_stop_commits(box, schema):
    server = box.start_ovsdb_server(schema=schema)
    committers = [Committer(server, 1000000 * i, window=8) for i in range(4)]
    enough = threading.Event()

    def work(committer):
        while not enough.is_set():
            committer.run(1)

    threads = [threading.Thread(target=work, args=(c,)) for c in committers]
    for thread in threads:
        thread.start()
    try:
        progress = 0
        for _ in range(10):
            server.appctl("ovsdb-server/compact", "Durable")
            # Commits go on between one compaction and the next.
            progress = ovs_test.wait_until(
                lambda: sum(len(c.acknowledged) for c in committers) > progress + 100
                and sum(len(c.acknowledged) for c in committers), what="commits")
    finally:
        enough.set()
        for thread in threads:
            thread.join()
    for committer in committers:
        committer.drain()
        assert not committer.refused, committer.refused[0]
    acknowledged = set().union(*(c.acknowledged for c in committers))
    assert acknowledged == numbers(server)
    server.kill()
    assert numbers(box.start_ovsdb_server(name="again")) == acknowledged


def test_a_kill_during_compaction_loses_nothing(box, schema):
    server = box.start_ovsdb_server(schema=schema)
    acknowledged, first = set(), 0
    for round_number in range(10):
        committer = Committer(server, first, text="a long text " * 50)
        committer.run(300)
        # The command is sent and not waited for, so that the kill meets the compaction.
        compaction = box.popen("ovs-appctl", "-t", server.control, "ovsdb-server/compact")
        while compaction.poll() is None and round_number % 2:
            committer.run(1)
        committer.run(round_number)
        server.kill()
        compaction.wait(ovs_test.limit(10))
        committer.drain()
        acknowledged |= committer.acknowledged
        first = committer.next
        server = box.start_ovsdb_server(name=f"again{round_number}")
        assert acknowledged <= numbers(server)
        left_over = [p.name for p in box.db_dir.iterdir() if "tmp" in p.name]
        assert not left_over, "a half-written file stays behind"


def test_a_full_disk_is_an_error_and_nothing_is_lost(box, schema):
    path = box.create_database(schema=schema)
    limit_in_blocks = 200  # of 512 or 1024 bytes, as the shell counts
    server = box.start_ovsdb_server(
        prefix=("sh", "-c", f"trap '' XFSZ; ulimit -f {limit_in_blocks}; exec \"$@\"", "sh"))
    committer = Committer(server, 0, window=1, text="a long text " * 50)
    while not committer.refused:
        assert committer.next < 2000, "the disk is never full"
        committer.run(1)
    # The server lives, answers, and holds exactly what it acknowledged, in memory too.
    assert numbers(server) == committer.acknowledged
    assert len(committer.acknowledged) > 10
    committer.run(5)
    assert len(committer.refused) == 6
    assert numbers(server) == committer.acknowledged
    server.stop()
    assert path.stat().st_size <= limit_in_blocks * 1024
    server = box.start_ovsdb_server(name="again")
    assert numbers(server) == committer.acknowledged
    again = Committer(server, 5000)
    again.run(10)
    assert not again.refused
