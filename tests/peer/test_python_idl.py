"""The IDL of python3-openvswitch, which Neutron and others use, follows our ovsdb-server.

Each test runs on the packaged server too, which shows that the test itself is right.
"""

import time

import ovs_test
import pytest

ovs_idl = pytest.importorskip("ovs.db.idl", reason="python3-openvswitch is not installed")
ovs_poller = pytest.importorskip("ovs.poller")

pytestmark = pytest.mark.parametrize("flavour", ["ours", "packaged"])


class Follower:
    """An IDL on a server's database, driven until a condition holds."""

    def __init__(self, server, tables=None, lock=None):
        helper = ovs_idl.SchemaHelper(location=str(ovs_test.packaged_schema()))
        if tables is None:
            helper.register_all()
        for table in tables or []:
            helper.register_table(table)
        self.idl = ovs_idl.Idl(f"unix:{server.socket}", helper)
        self.idl.set_lock(lock)
        self.run_until(self.idl.has_ever_connected, "the first contents")

    def run_until(self, condition, what, timeout=20):
        deadline = time.monotonic() + ovs_test.limit(timeout)
        while True:
            self.idl.run()
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            poller = ovs_poller.Poller()
            self.idl.wait(poller)
            poller.timer_wait(100)
            poller.block()

    def rows(self, table):
        return list(self.idl.tables[table].rows.values())

    def named(self, table, name):
        return next((row for row in self.rows(table) if row.name == name), None)

    def transact(self, make):
        """make(txn) fills a transaction; returns its status."""
        txn = ovs_idl.Transaction(self.idl)
        made = make(txn)
        status = [txn.commit()]

        def finished():
            if status[0] == ovs_idl.Transaction.INCOMPLETE:
                status[0] = txn.commit()
            return status[0] != ovs_idl.Transaction.INCOMPLETE

        self.run_until(finished, "the transaction")
        return status[0], txn, made


@pytest.fixture
def server(box, flavour):
    server = box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour=flavour)
    with server.connect() as rpc:
        rpc.transact("Open_vSwitch", {"op": "insert", "table": "Open_vSwitch", "row": {}})
    return server


def add_bridge(name):
    def make(txn):
        root = next(iter(txn.idl.tables["Open_vSwitch"].rows.values()))
        bridge = txn.insert(txn.idl.tables["Bridge"])
        bridge.name = name
        bridge.external_ids = {"owner": "idl"}
        root.verify("bridges")
        root.bridges = [*root.bridges, bridge]
        return bridge
    return make


def test_it_writes_and_reads(server):
    follower = Follower(server)
    status, txn, bridge = follower.transact(add_bridge("br0"))
    assert status == ovs_idl.Transaction.SUCCESS
    uuid = str(txn.get_insert_uuid(bridge.uuid))
    row = follower.run_until(lambda: follower.named("Bridge", "br0"), "the bridge")
    assert str(row.uuid) == uuid
    assert row.external_ids == {"owner": "idl"}
    assert follower.rows("Open_vSwitch")[0].bridges == [row]
    with server.connect() as rpc:
        assert rpc.transact("Open_vSwitch", {
            "op": "select", "table": "Bridge", "where": [], "columns": ["_uuid", "name"]}) == [
                {"rows": [{"_uuid": ["uuid", uuid], "name": "br0"}]}]


def test_it_follows_the_changes_of_others(server):
    follower = Follower(server)
    with server.connect() as rpc:
        for number in range(20):
            made = rpc.transact(
                "Open_vSwitch",
                {"op": "insert", "table": "Bridge", "uuid-name": "b",
                 "row": {"name": f"br{number}"}},
                {"op": "mutate", "table": "Open_vSwitch", "where": [],
                 "mutations": [["bridges", "insert", ["set", [["named-uuid", "b"]]]]]})
        follower.run_until(lambda: len(follower.rows("Bridge")) == 20, "20 bridges")
        rpc.transact("Open_vSwitch", {
            "op": "mutate", "table": "Bridge", "where": [["name", "==", "br3"]],
            "mutations": [["other_config", "insert", ["map", [["a", "1"], ["b", "2"]]]]]})
        rpc.transact("Open_vSwitch", {
            "op": "mutate", "table": "Bridge", "where": [["name", "==", "br3"]],
            "mutations": [["other_config", "delete", ["set", ["a"]]]]})
        follower.run_until(lambda: follower.named("Bridge", "br3").other_config == {"b": "2"},
                           "the changed map")
        rpc.transact("Open_vSwitch", {
            "op": "mutate", "table": "Open_vSwitch", "where": [],
            "mutations": [["bridges", "delete", made[0]["uuid"]]]})
        follower.run_until(lambda: not follower.named("Bridge", "br19"), "the deletion")
        assert len(follower.rows("Bridge")) == 19


def test_an_outdated_verify_makes_it_try_again(server):
    follower = Follower(server)

    def make(txn):
        root = next(iter(txn.idl.tables["Open_vSwitch"].rows.values()))
        root.verify("next_cfg")
        root.next_cfg = root.next_cfg + 1
        with server.connect() as rpc:  # somebody else is faster
            rpc.transact("Open_vSwitch", {
                "op": "mutate", "table": "Open_vSwitch", "where": [],
                "mutations": [["next_cfg", "+=", 10]]})

    assert follower.transact(make)[0] == ovs_idl.Transaction.TRY_AGAIN
    follower.run_until(lambda: follower.rows("Open_vSwitch")[0].next_cfg == 10, "the change")

    def increment(txn):
        root = next(iter(txn.idl.tables["Open_vSwitch"].rows.values()))
        root.setkey("external_ids", "who", "idl")
        root.increment("next_cfg")

    status, txn, _ = follower.transact(increment)
    assert status == ovs_idl.Transaction.SUCCESS
    assert txn.get_increment_new_value() == 11
    follower.run_until(lambda: follower.rows("Open_vSwitch")[0].next_cfg == 11, "the increment")


def test_a_failed_transaction_is_an_error(server):
    follower = Follower(server)

    def make(txn):
        add_bridge("br0")(txn)
        add_bridge("br0")(txn)  # the name is an index

    assert follower.transact(make)[0] == ovs_idl.Transaction.ERROR
    assert follower.rows("Bridge") == []


def test_it_syncs_after_a_restart_of_the_server(box, server, flavour):
    follower = Follower(server)
    assert follower.transact(add_bridge("br0"))[0] == ovs_idl.Transaction.SUCCESS
    before = follower.idl.change_seqno
    server.stop()
    server = box.start_ovsdb_server(flavour=flavour, name="again")
    with server.connect() as rpc:
        rpc.transact("Open_vSwitch", {
            "op": "update", "table": "Open_vSwitch", "where": [],
            "row": {"external_ids": ["map", [["while", "away"]]]}})
    follower.run_until(
        lambda: follower.rows("Open_vSwitch")
        and follower.rows("Open_vSwitch")[0].external_ids == {"while": "away"},
        "the contents after the restart", timeout=30)
    assert follower.named("Bridge", "br0")
    assert follower.idl.change_seqno != before


def test_conditions_choose_rows(server):
    follower = Follower(server, ["Bridge"])
    with server.connect() as rpc:
        for name in ("br0", "br1"):
            rpc.transact(
                "Open_vSwitch",
                {"op": "insert", "table": "Bridge", "uuid-name": "b", "row": {"name": name}},
                {"op": "mutate", "table": "Open_vSwitch", "where": [],
                 "mutations": [["bridges", "insert", ["set", [["named-uuid", "b"]]]]]})
    follower.run_until(lambda: len(follower.rows("Bridge")) == 2, "both bridges")
    follower.idl.cond_change("Bridge", [["name", "==", "br1"]])
    follower.run_until(lambda: len(follower.rows("Bridge")) == 1, "the chosen bridge")
    assert follower.rows("Bridge")[0].name == "br1"
    follower.idl.cond_change("Bridge", [True])
    follower.run_until(lambda: len(follower.rows("Bridge")) == 2, "both bridges again")


def test_one_of_two_gets_the_lock(server):
    first = Follower(server, lock="the_lock")
    first.run_until(lambda: first.idl.has_lock, "the lock")
    second = Follower(server, lock="the_lock")
    second.run_until(lambda: second.idl.is_lock_contended, "the other's lock")
    assert not second.idl.has_lock
    first.idl.close()
    second.run_until(lambda: second.idl.has_lock, "the free lock")
