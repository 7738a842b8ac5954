"""The packaged ovs-vswitchd runs on our ovsdb-server and does what our ovs-vsctl says.

The same on the packaged server, with the packaged ovs-vsctl, shows that the test itself is right.
"""

import ovs_test
import pytest

PROGRAMS = [("ours", "ours"), ("ours", "packaged"), ("packaged", "ours"), ("packaged", "packaged")]


class Switch:
    """A packaged ovs-vswitchd with dummy devices, on a server of either flavour."""

    def __init__(self, box, server, client):
        self.box, self.client = box, client
        self.database = box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour=server)
        self.vsctl("--no-wait", "init")
        self.daemon = box.start_vswitchd(flavour="packaged")

    def vsctl(self, *arguments, **options):
        """Runs ovs-vsctl, which waits for the switch, and returns what it prints."""
        return self.box.run("ovs-vsctl", "--timeout=20", *arguments, flavour=self.client,
                            **options).stdout

    def ports(self):
        """The names of the ports that the switch has, from the switch itself."""
        shown = self.daemon.appctl("dpif/show").stdout.splitlines()
        return sorted(line.split()[0] for line in shown if line.startswith("    "))


@pytest.fixture(params=PROGRAMS, ids=lambda p: f"{p[0]} server, {p[1]} vsctl")
def switch(box, request):
    switch = Switch(box, *request.param)
    yield switch
    assert switch.daemon.alive(), switch.daemon.stderr()


def test_ports_come_and_go(switch):
    switch.vsctl("add-br", "br0")
    assert switch.ports() == ["br0"]
    switch.vsctl("add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy",
                 "ofport_request=7")
    switch.vsctl("add-port", "br0", "p2", "tag=10", "--", "set", "interface", "p2", "type=dummy")
    assert switch.ports() == ["br0", "p1", "p2"]
    assert switch.vsctl("get", "interface", "p1", "ofport") == "7\n"
    assert switch.vsctl("get", "interface", "p2", "admin_state") in ("up\n", "down\n")
    assert "dummy" in switch.vsctl("get", "open_vswitch", ".", "iface_types")
    switch.vsctl("del-port", "p1")
    assert switch.ports() == ["br0", "p2"]
    switch.vsctl("del-br", "br0")
    assert switch.ports() == []


def test_a_port_that_fails_says_why(switch):
    switch.vsctl("add-br", "br0")
    done = switch.box.run("ovs-vsctl", "--timeout=20", "add-port", "br0", "p1", "--", "set",
                          "interface", "p1", "type=nonsense", flavour=switch.client, status=None)
    assert done.returncode == 0
    assert "Error detected while setting up 'p1'" in done.stderr
    assert switch.vsctl("get", "interface", "p1", "ofport") == "-1\n"


def test_many_ports_in_one_call(switch):
    commands = ["add-br", "br0"]
    for i in range(200):
        commands += ["--", "add-port", "br0", f"p{i}", "--", "set", "interface", f"p{i}",
                     "type=dummy"]
    switch.vsctl(*commands)
    assert switch.ports() == sorted(["br0", *(f"p{i}" for i in range(200))])
    commands = []
    for i in range(0, 200, 2):
        commands += [*(["--"] if i else []), "del-port", f"p{i}"]
    switch.vsctl(*commands)
    assert switch.ports() == sorted(["br0", *(f"p{i}" for i in range(1, 200, 2))])


def test_the_switch_lives_on_when_the_database_restarts(switch):
    switch.vsctl("add-br", "br0", "--", "add-port", "br0", "p1", "--", "set", "interface", "p1",
                 "type=dummy")
    switch.database.stop()
    switch.box.start_ovsdb_server(flavour=switch.database.flavour, name="again")
    switch.vsctl("add-port", "br0", "p2", "--", "set", "interface", "p2", "type=dummy")
    assert switch.ports() == ["br0", "p1", "p2"]


def test_the_switch_reports_its_state(switch):
    switch.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "--",
                 "set", "open_vswitch", ".", "other_config:stats-update-interval=1000")
    switch.vsctl("set", "interface", "br0", "external_ids:a=b")
    show = switch.vsctl("show")
    assert "fail_mode: secure" in show
    ovs_test.wait_until(
        lambda: "rx_packets" in switch.vsctl("get", "interface", "br0", "statistics"),
        timeout=20, what="the statistics")


def test_our_appctl_reaches_the_packaged_switch(box):
    box.start_ovsdb_server(schema=ovs_test.packaged_schema(), flavour="packaged")
    daemon = box.start_vswitchd(flavour="packaged")
    # It has all its commands when it has read its configuration.
    box.run("ovs-vsctl", "--timeout=20", "add-br", "br0", flavour="packaged")
    for flavour in ("packaged", "ours"):
        assert "(Open vSwitch) 3.1.0" in daemon.appctl("version", flavour=flavour).stdout
    outputs = [daemon.appctl("list-commands", flavour=f).stdout for f in ("packaged", "ours")]
    assert outputs[0] == outputs[1]
    done = [daemon.appctl("no/such", flavour=f, status=None) for f in ("packaged", "ours")]
    assert done[0].returncode == done[1].returncode == 2
    assert done[0].stderr.splitlines()[0] == done[1].stderr.splitlines()[0]
