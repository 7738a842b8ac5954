"""Our programs and the packaged ones, mixed: each pair of client and server answers alike.

The packaged client on the packaged server is the reference.  The other three pairs go through
the same commands and must end with the same exit status, print the same and leave a database of
the same content.
"""

import json
import re
import shlex

import ovs_test
import pytest

PAIRS = [("packaged", "ours"), ("ours", "packaged"), ("ours", "ours")]

# What people and scripts do in a day, failures among it; one transaction a line.
VSCTL_COMMANDS = """
init
list-br
add-br br0
add-br br0
--may-exist add-br br0
add-br br1 br0 100
list-br
br-exists br0
br-exists nope
br-to-vlan br1
br-to-parent br1
add-port br0 p0
add-port br0 p0
--may-exist add-port br0 p0
add-port br0 p1 tag=10 -- set interface p1 type=internal
add-port br1 p2
add-bond br0 bond0 b0 b1 lacp=active bond_mode=balance-slb
add-port nope p9
list-ports br0
list-ports br1
list-ifaces br0
port-to-br p0
port-to-br nope
iface-to-br b1
br-set-external-id br0 owner ann
br-set-external-id br0 bridge-id br0
br-get-external-id br0
br-get-external-id br0 owner
br-set-external-id br0 owner
br-get-external-id br0
set-controller br0 tcp:127.0.0.1:6653 tcp:127.0.0.1:6654
get-controller br0
del-controller br0
get-controller br0
set-fail-mode br0 secure
get-fail-mode br0
set-fail-mode br0 nonsense
del-fail-mode br0
get-fail-mode br0
set-manager ptcp:6640:127.0.0.1
get-manager
del-manager
set-ssl /etc/key.pem /etc/cert.pem /etc/ca.pem
get-ssl
del-ssl
set bridge br0 other_config:hwaddr=02:00:00:00:00:01 other-config:disable-in-band=true
get bridge br0 other_config
get bridge br0 other_config:hwaddr
get bridge br0 other_config:nope
--if-exists get bridge br0 other_config:nope
get bridge br0 nope
get bridge nope name
set interface p0 mtu_request=1400
set interface p0 mtu_request=nonsense
set interface p0 type=patch options:peer=p1 'external_ids:iface-id="vm 1"'
get interface p0 type options external_ids mtu_request
add port p0 trunks 1 2 3
get port p0 trunks
remove port p0 trunks 2
get port p0 trunks
set port p0 trunks=4096
clear port p0 trunks
get port p0 trunks
set port p0 tag=5000
set port p0 vlan_mode=access tag=20
--columns=name,tag,vlan_mode find port tag=20
--columns=name,type,options find interface options:peer=p1
--bare --columns=name find interface type=internal name=p1
--format=json --columns=name,tag find port name=p0
--format=csv --columns=name,tag find port name=p0
--format=html --columns=name,tag find port name=p0
--format=table --columns=name,tag,trunks find port name=p0
--data=json --columns=name,tag,trunks find port name=p0
--columns=name list bridge br0
list bridge nope
--columns=nope list bridge
--id=@m create mirror name=m0 select_all=true -- add bridge br0 mirrors @m
--columns=name,select_all list mirror
clear bridge br0 mirrors
--columns=name list mirror
set port p0 qos=@q -- --id=@q create qos type=linux-htb other_config:max-rate=1000000
--columns=type,other_config list qos
--all destroy qos
clear port p0 qos
--all destroy qos
create bridge name=loose
destroy bridge nope
--if-exists destroy bridge nope
wait-until bridge br0 name=br0
comment hello -- set open_vswitch . external_ids:note=one
get open_vswitch . external_ids
--oneline list-br -- list-ports br0
--dry-run add-br br9
list-br
add-br br2 -- add-port br2 p20 -- add-port br0 p20
list-br
del-port p1
del-port nope
--if-exists del-port nope
del-port br0 p2
--if-exists del-br nope
del-br nope
show
del-br br1
list-br
frobnicate
add-br
add-br one two three four
set bridge
--nonsense
emer-reset
show
del-br br0
list-br
"""


def vsctl_transcript(box, client):
    """What each command answers."""
    transcript = []
    for line in VSCTL_COMMANDS.strip().splitlines():
        done = box.run("ovs-vsctl", f"--db=unix:{box.run_dir}/db.sock", "--timeout=10",
                       "--no-wait", *shlex.split(line), flavour=client, status=None)
        output = ovs_test.normalize_uuids(done.stdout)
        if line == "show":  # ports come in any order
            output = sorted(output.splitlines())
        transcript.append((line, done.returncode, output, comparable_errors(done.stderr, box)))
    return transcript


def comparable_errors(text, box):
    """Standard error without what is different every time, and without log messages."""
    text = ovs_test.normalize_uuids(text.replace(str(box.top), "TOP"))
    text = re.sub(r"\S+/(ovs-vsctl|ovsdb-client): ", r"\1: ", text)
    return "".join(line for line in text.splitlines(keepends=True)
                   if not re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z\|", line))


def run_vsctl(box, client, server):
    daemon = box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour=server)
    transcript = vsctl_transcript(box, client)
    with daemon.connect() as rpc:
        return transcript, ovs_test.canonical_database(rpc)


def differences(expected, actual):
    """What is not the same; an error message may go on where the reference's ends, with advice."""
    def same(e, a):
        if e[:-1] != a[:-1]:
            return False
        return e[-1] == a[-1] or bool(e[-1] and a[-1].startswith(e[-1].rstrip("\n")))
    return [f"{e}\n  instead: {a[1:]}" for e, a in zip(expected, actual) if not same(e, a)]


@pytest.mark.parametrize("client,server", PAIRS)
def test_vsctl(box_pair, client, server):
    ours, reference = box_pair
    expected, expected_rows = run_vsctl(reference, "packaged", "packaged")
    actual, rows = run_vsctl(ours, client, server)
    different = differences(expected, actual)
    assert not different, "\n".join(different)
    assert rows == expected_rows


# --- ovsdb-client -----------------------------------------------------------------------------

INSERT = json.dumps(["Open_vSwitch", {
    "op": "insert", "table": "Open_vSwitch", "uuid": "11111111-1111-4111-8111-111111111111",
    "row": {"external_ids": ["map", [["a", "1"], ["b", "two words"]]], "next_cfg": 7}}, {
    "op": "insert", "table": "QoS", "uuid": "22222222-2222-4222-8222-222222222222",
    "row": {"type": "linux-htb"}}])
SELECT = json.dumps(["Open_vSwitch", {"op": "select", "table": "Open_vSwitch", "where": [],
                                      "columns": ["external_ids", "next_cfg", "bridges"]}])
BAD = json.dumps(["Open_vSwitch", {"op": "select", "table": "Nope", "where": []}])

# (arguments, how the output is compared); SERVER and DB stand for the remote and the database.
CLIENT_COMMANDS = [
    ("list-dbs SERVER", "text"),
    ("get-schema SERVER DB", "json"),
    ("get-schema-version SERVER DB", "text"),
    ("get-schema-cksum SERVER DB", "text"),
    ("list-tables SERVER DB", "lines"),
    ("list-columns SERVER DB Bridge", "lines"),
    ("list-columns SERVER DB", "lines"),
    ("--format=csv list-tables SERVER DB", "lines"),
    (["transact", "SERVER", INSERT], "json"),
    (["transact", "SERVER", SELECT], "json"),
    (["query", "SERVER", SELECT], "json"),
    (["transact", "SERVER", BAD], "json"),
    (["transact", "SERVER", "[1]"], "status"),
    (["transact", "SERVER", "not json"], "status"),
    ("dump SERVER DB QoS type", "text"),
    ("dump SERVER DB QoS", "text"),
    ("dump SERVER DB Open_vSwitch next_cfg external_ids", "text"),
    ("--format=json dump SERVER DB QoS type", "text"),
    ("--format=list dump SERVER DB", "lines"),
    ("dump SERVER DB", "lines"),
    ("needs-conversion SERVER SCHEMA", "text"),
    ("wait SERVER DB connected", "text"),
    ("--timeout=1 wait SERVER DB removed", "status"),
    ("dump unix:TOP/run/nope.sock DB", "status"),
]


def without_details(reply):
    """A reply without the texts that explain an error and are each program's own."""
    if isinstance(reply, list):
        reply = [{k: v for k, v in result.items() if k not in ("details", "syntax")}
                 for result in reply]
    return reply


def run_client(box, client, server):
    box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour=server)
    words = {"SERVER": f"unix:{box.run_dir}/db.sock", "DB": "Open_vSwitch",
             "SCHEMA": str(ovs_test.packaged_schema())}
    transcript = []
    for command, how in CLIENT_COMMANDS:
        arguments = command.split() if isinstance(command, str) else command
        done = box.run("ovsdb-client",
                       *(words.get(a, a).replace("TOP", str(box.top)) for a in arguments),
                       flavour=client, status=None)
        output, errors = done.stdout, comparable_errors(done.stderr, box)
        if how == "lines":
            output = sorted(output.splitlines())
        elif how == "json":
            output = without_details(json.loads(output)) if output else output
        elif how == "status":
            output = errors = None
        transcript.append((command, done.returncode, output, errors))
    return transcript


@pytest.mark.parametrize("client,server", PAIRS)
def test_client(box_pair, client, server):
    ours, reference = box_pair
    different = differences(run_client(reference, "packaged", "packaged"),
                            run_client(ours, client, server))
    assert not different, "\n".join(different)


def uuid_of(number):
    return f"00000000-0000-4000-8000-{number:012x}"


def scripted_transactions():
    """Inserts, updates, references, garbage collection, weak references, and a failed one."""
    def insert(name, number, row):
        return {"op": "insert", "table": name, "uuid": uuid_of(number), "row": row}

    def change(table, number, **row):
        return {"op": "update", "table": table, "where": [["_uuid", "==", ["uuid", uuid_of(number)]]],
                "row": row}

    def mutate(name, number, *mutations):
        return {"op": "mutate", "table": name,
                "where": [["_uuid", "==", ["uuid", uuid_of(number)]]],
                "mutations": list(mutations)}

    def set_of(*numbers):
        return ["set", [["uuid", uuid_of(n)] for n in numbers]]

    def delete(name, number):
        return {"op": "delete", "table": name,
                "where": [["_uuid", "==", ["uuid", uuid_of(number)]]]}

    ports = {n: [insert("Interface", 100 + n, {"name": f"p{n}", "type": "internal"}),
                 insert("Port", 200 + n, {"name": f"p{n}", "tag": n,
                                          "interfaces": ["uuid", uuid_of(100 + n)]})]
             for n in range(1, 6)}
    return [
        [insert("Open_vSwitch", 1, {})],
        [insert("Bridge", 2, {"name": "br0", "ports": set_of(201, 202)}), *ports[1], *ports[2],
         mutate("Open_vSwitch", 1, ["bridges", "insert", set_of(2)])],
        [change("Bridge", 2, other_config=["map", [["k", "v"], ["quote\"", "back\\slash"]]])],
        [*ports[3], *ports[4], mutate("Bridge", 2, ["ports", "insert", set_of(203, 204)])],
        [insert("Mirror", 3, {"name": "m", "select_src_port": set_of(203, 204)}),
         change("Bridge", 2, mirrors=["uuid", uuid_of(3)])],
        [mutate("Bridge", 2, ["ports", "delete", set_of(203)])],
        [change("Port", 201, tag=["set", []], trunks=["set", [5, 3, 4]])],
        [change("Port", 201, tag=4096)],  # out of range: nothing happens
        [change("Port", 202, tag=2)],     # no change
        [mutate("Interface", 101, ["external_ids", "insert", ["map", [["id", "ä ☃"]]]])],
        [delete("Mirror", 3), change("Bridge", 2, mirrors=["set", []])],
        [change("Bridge", 2, name="br1")],  # not mutable: nothing happens
        [change("Bridge", 2, fail_mode="secure"), {"op": "comment", "comment": "safer"}],
        [mutate("Open_vSwitch", 1, ["next_cfg", "+=", 5])],
        [mutate("Open_vSwitch", 1, ["bridges", "delete", set_of(2)])],
        # What each of the monitors shows at last.
        [insert("Interface", 110, {"name": "p1",
                                   "external_ids": ["map", [["the-end", "yes"]]]}),
         insert("Port", 210, {"name": "the-end", "interfaces": ["uuid", uuid_of(110)]}),
         insert("Bridge", 4, {"name": "the-end", "ports": ["uuid", uuid_of(210)]}),
         mutate("Open_vSwitch", 1, ["bridges", "insert", set_of(4)])],
    ]


MONITORS = [
    ["monitor", "ALL"],
    ["monitor", "Open_vSwitch", "Bridge", "name,ports,mirrors"],
    ["monitor", "Open_vSwitch", "Port", "!initial,name,tag"],
    ["monitor", "Open_vSwitch", "Port", "!modify,name,tag"],
    ["monitor-cond", "Open_vSwitch", '[["name","==","p1"]]', "Interface", "name,external_ids"],
]


def updates_by_table(text):
    """What a monitor has printed: for each table the updates in order, with their rows sorted.

    The tables of one update, and the rows of a table, come in any order; a `_version` is different
    on every server.
    """
    updates = {}
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        table = json.loads(line)
        keep = [i for i, heading in enumerate(table["headings"]) if heading != "_version"]
        rows = sorted(json.dumps([in_order(row[i]) for i in keep]) for row in table["data"])
        updates.setdefault(table.get("caption"), []).append((table["headings"], rows))
    return updates


def in_order(value):
    if isinstance(value, list) and len(value) == 2 and value[0] in ("set", "map"):
        return [value[0], sorted(value[1], key=json.dumps)]
    return value


def monitor_updates(box, client, server, arguments):
    daemon = box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour=server)
    transactions = scripted_transactions()
    with daemon.connect() as rpc:
        for operations in transactions[:2]:
            rpc.transact("Open_vSwitch", *operations)
        monitor = box.start("ovsdb-client", "--format=json", arguments[0],
                            f"unix:{daemon.socket}", *arguments[1:], flavour=client)
        ovs_test.wait_until(
            lambda: not monitor.alive() or "monitors:1" in daemon.appctl("memory/show").stdout,
            what="the server to serve the monitor")
        for operations in transactions[2:]:
            rpc.transact("Open_vSwitch", *operations)
        ovs_test.wait_until(lambda: "the-end" in monitor.stderr() or not monitor.alive(),
                            what="the monitor to show the end")
        # It reports that after everything else, and ends.
        daemon.appctl("ovsdb-server/remove-db", "Open_vSwitch")
        assert monitor.wait() == 1, monitor.stderr()
    return updates_by_table(monitor.stderr())


@pytest.mark.parametrize("client,server", PAIRS)
@pytest.mark.parametrize("arguments", MONITORS, ids=lambda a: " ".join(a))
def test_monitor(box_pair, client, server, arguments):
    ours, reference = box_pair
    expected = monitor_updates(reference, "packaged", "packaged", arguments)
    assert expected, "the reference itself shows nothing"
    assert monitor_updates(ours, client, server, arguments) == expected


# --- a file goes back and forth ---------------------------------------------------------------

def round_of_changes(number):
    """Transactions that leave every kind of record in the file; they build on the round before."""
    key, before = f"round{number}", f"round{number - 1}"
    yield [{"op": "mutate", "table": "Open_vSwitch", "where": [],
            "mutations": [["external_ids", "insert", ["map", [[key, "ä \"quoted\" ☃"]]]],
                          ["next_cfg", "+=", 1]]},
           {"op": "comment", "comment": f"test: {key}\nsecond line"}]
    yield [{"op": "insert", "table": "Interface", "uuid-name": "i",
            "row": {"name": key, "statistics": ["map", [["rx_bytes", number]]]}},
           {"op": "insert", "table": "Port", "uuid-name": "p", "row": {
               "name": key, "interfaces": ["named-uuid", "i"], "trunks": ["set", [1, 2, 3]]}},
           {"op": "insert", "table": "Mirror", "uuid-name": "m", "row": {
               "name": key, "select_src_port": ["named-uuid", "p"]}},
           {"op": "mutate", "table": "Bridge", "where": [["name", "==", "br0"]],
            "mutations": [["ports", "insert", ["set", [["named-uuid", "p"]]]],
                          ["mirrors", "insert", ["set", [["named-uuid", "m"]]]]]}]
    yield [{"op": "mutate", "table": "Port", "where": [["name", "==", key]],
            "mutations": [["trunks", "insert", ["set", [4, 5]]], ["trunks", "delete", 1]]},
           {"op": "update", "table": "Port", "where": [["name", "==", key]],
            "row": {"tag": number}}]
    # The port of two rounds ago goes; the weak reference of its mirror with it.
    gone = f"round{number - 2}"
    yield [{"op": "select", "table": "Port", "where": [["name", "==", gone]],
            "columns": ["_uuid"]}]
    yield [{"op": "update", "table": "Port", "where": [["name", "==", before]],
            "row": {"tag": ["set", []], "trunks": ["set", []]}},
           {"op": "commit", "durable": True}]


def change_database(daemon, number):
    with daemon.connect() as rpc:
        for operations in round_of_changes(number):
            results = rpc.transact("Open_vSwitch", *operations)
            assert not any("error" in r for r in results if r), results
            if operations[0]["op"] == "select" and results[0]["rows"]:
                port = results[0]["rows"][0]["_uuid"]
                results = rpc.transact("Open_vSwitch", {
                    "op": "mutate", "table": "Bridge", "where": [],
                    "mutations": [["ports", "delete", ["set", [port]]]]})
                assert results == [{"count": 1}], results
        return ovs_test.canonical_database(rpc, ephemeral=False)


def same_by_both_tools(box, path):
    """Both ovsdb-tools read the file alike."""
    query = json.dumps(["Open_vSwitch", {
        "op": "select", "table": "Open_vSwitch", "where": [], "columns": ["external_ids"]}, {
        "op": "select", "table": "Port", "where": [["name", "==", "round1"]],
        "columns": ["name", "trunks", "tag"]}])
    for arguments in (["db-name"], ["db-version"], ["db-cksum"], ["show-log"]):
        outputs = [box.run("ovsdb-tool", arguments[0], path, flavour=f).stdout
                   for f in ("ours", "packaged")]
        assert outputs[0] == outputs[1], arguments
    answers = [json.loads(box.run("ovsdb-tool", "query", path, query, flavour=f).stdout)
               for f in ("ours", "packaged")]
    assert answers[0] == answers[1]


def test_a_file_goes_back_and_forth(box):
    path = box.create_database(schema=ovs_test.packaged_schema(), flavour="packaged")
    rows = None
    for number in range(10):
        flavour, other = ("ours", "packaged") if number % 2 else ("packaged", "ours")
        server = box.start_ovsdb_server([path], flavour=flavour)
        with server.connect() as rpc:
            if rows is None:
                results = rpc.transact(
                    "Open_vSwitch",
                    {"op": "insert", "table": "Bridge", "uuid-name": "b", "row": {"name": "br0"}},
                    {"op": "insert", "table": "Open_vSwitch", "row": {
                        "bridges": ["named-uuid", "b"]}})
                assert not any("error" in r for r in results), results
            else:
                assert ovs_test.canonical_database(rpc, ephemeral=False) == rows, \
                    f"round {number}, {flavour}"
        rows = change_database(server, number)
        if number in (4, 5):
            server.appctl("ovsdb-server/compact")
            rows = change_database(server, number + 100)
        if number in (2, 3):
            server.kill()  # the last commit of a round is durable
        else:
            server.stop()
        same_by_both_tools(box, path)
        if number in (6, 7):
            box.run("ovsdb-tool", "compact", path, flavour=other)
            same_by_both_tools(box, path)
    text = path.read_text()
    assert '"_is_diff":true' in text, "the file has no record that holds a difference"
    assert len(rows["Port"]) > 1
