"""ovs-vswitchd does what the database says, and tells the database what is: with dummy devices, which
need no privileges."""

import json

import pytest

from ovs_test import wait_until

DUMMY_BRIDGE = ("datapath_type=dummy",)


class Switch:
    """A server, a switch daemon, and ovs-vsctl."""

    def __init__(self, box, args=("--enable-dummy",)):
        self.box = box
        self.server = box.start_ovsdb_server()
        self.args = args
        self.daemon = box.start_vswitchd(args=args)

    def vsctl(self, *words, status=0):
        return self.box.run("ovs-vsctl", "--timeout=10", *words, status=status)

    def get(self, table, record, column):
        """A column, as JSON without the wrapping of sets and maps; None for an empty optional value."""
        out = self.box.run("ovs-vsctl", "--timeout=10", "--no-wait", "-f", "json", f"--columns={column}",
                           "list", table, record).stdout
        value = json.loads(out)["data"][0][0]
        if isinstance(value, list) and value[0] == "set":
            return None if not value[1] else value[1]
        if isinstance(value, list) and value[0] == "map":
            return dict(value[1])
        return value

    def interface(self, name, column):
        return self.get("Interface", name, column)

    def await_interface(self, name, column, value):
        wait_until(lambda: self.interface(name, column) == value,
                   what=f"{column} of {name} to become {value!r}, not {self.interface(name, column)!r}")

    def await_active(self, member):
        address = self.interface(member, "mac_in_use")
        wait_until(lambda: self.get("Port", "bond0", "bond_active_slave") == address, what=f"{member} to become active")

    def appctl(self, *words, **options):
        return self.daemon.appctl(*words, **options).stdout

    def add_bridge(self, name="br0"):
        self.vsctl("add-br", name, "--", "set", "bridge", name, *DUMMY_BRIDGE)

    def add_port(self, bridge, name, *settings, status=0):
        return self.vsctl("add-port", bridge, name, "--", "set", "interface", name, "type=dummy", *settings,
                          status=status)

    def log(self):
        return (self.box.log_dir / "ovs-vswitchd.log").read_text()


@pytest.fixture
def switch(box):
    made = Switch(box)
    made.add_bridge()
    return made


# ------------------------------------------------------------------ what is reported

def test_a_port_is_reported_when_add_port_returns(switch):
    switch.add_port("br0", "p1")
    assert switch.interface("p1", "ofport") == 1
    assert switch.interface("p1", "error") is None
    assert switch.interface("p1", "mtu") == 1500
    assert switch.interface("p1", "admin_state") == "up"
    assert switch.interface("p1", "link_state") == "up"
    assert switch.interface("p1", "link_resets") == 0
    assert switch.interface("p1", "ifindex") == 0
    assert switch.interface("p1", "mac_in_use").startswith("aa:55:aa:55:")
    assert switch.interface("p1", "statistics")["rx_packets"] == 0


def test_statistics_of_the_host(switch):
    assert switch.get("Open_vSwitch", ".", "statistics") == {}
    switch.vsctl("set", "Open_vSwitch", ".", "other_config:enable-statistics=true")
    wait_until(lambda: switch.get("Open_vSwitch", ".", "statistics"), what="statistics")
    statistics = switch.get("Open_vSwitch", ".", "statistics")
    assert int(statistics["cpu"]) >= 1
    assert len([float(load) for load in statistics["load_average"].split(",")]) == 3
    total, used, disposable, _, _ = map(int, statistics["memory"].split(","))
    assert 0 < disposable and 0 < used <= total
    for daemon in (switch.server, switch.daemon):
        size, resident, cpu, crashes, age, running = map(int, statistics[f"process_{daemon.name}"].split(","))
        assert resident == pytest.approx(daemon.memory(), rel=0.5) and size > resident
        # It may have run on several processors at once.
        assert crashes == 0 and age == running and cpu <= age * int(statistics["cpu"])
    for system in statistics.get("file_systems", "").split():
        mount, blocks, used = system.split(",")
        assert mount.startswith("/") and int(blocks) >= int(used)
    # They are kept up to date.
    wait_until(lambda: switch.get("Open_vSwitch", ".", "statistics")["process_ovs-vswitchd"]
               != statistics["process_ovs-vswitchd"], timeout=20)
    switch.vsctl("set", "Open_vSwitch", ".", "other_config:enable-statistics=false")
    wait_until(lambda: switch.get("Open_vSwitch", ".", "statistics") == {}, what="statistics to go")


def test_dummies_have_no_connections(switch):
    switch.add_port("br0", "p1")
    assert switch.appctl("netdev-dummy/conn-state", "p1") == "p1: unknown\n"
    assert switch.appctl("netdev-dummy/conn-state") == switch.appctl("netdev-dummy/conn-state", "x") == ""


def test_bridge_and_its_own_port(switch):
    assert switch.interface("br0", "ofport") == 65534
    mac = switch.interface("br0", "mac_in_use").replace(":", "")
    assert switch.get("Bridge", "br0", "datapath_id") == "0000" + mac
    assert switch.get("Bridge", "br0", "datapath_version") == "<built-in>"


def test_the_root_row(switch):
    root = {column: switch.get("Open_vSwitch", ".", column) for column in
            ("ovs_version", "db_version", "system_type", "system_version", "datapath_types", "iface_types",
             "dpdk_initialized", "cur_cfg", "next_cfg")}
    version = switch.box.run("ovs-vswitchd", "--version").stdout.split()[-1]
    schema = json.loads((switch.box.run("ovsdb-client", "get-schema", f"unix:{switch.box.run_dir}/db.sock").stdout))
    assert root["ovs_version"] == version
    assert root["db_version"] == schema["version"]
    assert root["system_type"] and root["system_version"]
    assert root["datapath_types"] == ["dummy", "netdev", "system"]
    assert {"dummy", "internal", "patch", "system", "tap"} <= set(root["iface_types"])
    assert root["dpdk_initialized"] is False
    assert root["cur_cfg"] == root["next_cfg"]


def test_names_of_the_system_are_the_administrators(box):
    box.start_ovsdb_server()
    box.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "system_type=mine", "system_version=7")
    box.start_vswitchd()
    box.run("ovs-vsctl", "--timeout=10", "add-br", "br0")
    assert box.run("ovs-vsctl", "get", "Open_vSwitch", ".", "system_type").stdout == "mine\n"


def test_what_others_write_into_the_switchs_columns_is_put_right(switch):
    switch.add_port("br0", "p1")
    switch.vsctl("--no-wait", "set", "interface", "p1", "ofport=77", "error=wrong")
    switch.await_interface("p1", "ofport", 1)
    switch.await_interface("p1", "error", None)


def test_link_state_and_resets(switch):
    switch.add_port("br0", "p1")
    for state, resets in (("down", 1), ("up", 2)):
        switch.appctl("netdev-dummy/set-admin-state", "p1", state)
        switch.await_interface("p1", "admin_state", state)
        switch.await_interface("p1", "link_state", state)
        switch.await_interface("p1", "link_resets", resets)
    switch.appctl("netdev-dummy/set-admin-state", "down")
    switch.await_interface("p1", "link_state", "down")


def test_a_link_that_flaps(switch):
    switch.add_port("br0", "p1")
    for i in range(200):
        switch.appctl("netdev-dummy/set-admin-state", "p1", "up" if i % 2 else "down")
    switch.await_interface("p1", "link_resets", 200)
    switch.await_interface("p1", "link_state", "up")


def test_statistics(switch):
    switch.add_port("br0", "p1")
    switch.add_port("br0", "p2")
    switch.appctl("time/stop")
    switch.appctl("netdev-dummy/receive", "p1", "ffffffffffff0200000000010806" + 46 * "00")
    switch.appctl("time/warp", "5000")
    wait_until(lambda: switch.interface("p1", "statistics").get("rx_packets") == 1)
    assert switch.interface("p1", "statistics")["rx_bytes"] == 60
    assert switch.interface("p2", "statistics")["tx_packets"] == 1
    assert switch.interface("p2", "statistics")["rx_packets"] == 0


def test_interval_of_statistics(switch):
    switch.vsctl("set", "Open_vSwitch", ".", "other_config:stats-update-interval=60000")
    switch.add_port("br0", "p1")
    switch.appctl("time/stop")
    switch.appctl("netdev-dummy/receive", "p1", "ffffffffffff0200000000010806" + 46 * "00")
    switch.appctl("time/warp", "30000")
    switch.vsctl("set", "bridge", "br0", "external_ids:round=1")
    assert switch.interface("p1", "statistics")["rx_packets"] == 0
    switch.appctl("time/warp", "30000")
    wait_until(lambda: switch.interface("p1", "statistics")["rx_packets"] == 1)


# ------------------------------------------------------------------ port numbers

def test_port_numbers_are_the_lowest_free_ones(switch):
    for name in ("p1", "p2", "p3"):
        switch.add_port("br0", name)
    switch.vsctl("del-port", "p2")
    switch.add_port("br0", "p4")
    assert [switch.interface(p, "ofport") for p in ("p1", "p3", "p4")] == [1, 3, 2]


def test_requested_numbers(switch):
    switch.add_port("br0", "p1", "ofport_request=40")
    assert switch.interface("p1", "ofport") == 40
    switch.vsctl("set", "interface", "p1", "ofport_request=41")
    assert switch.interface("p1", "ofport") == 41
    # Taken by request: the second one gets another.
    switch.add_port("br0", "p2", "ofport_request=41")
    assert switch.interface("p2", "ofport") == 1
    # It stays where it is when it asks again in vain; the log says once who has that number.
    switch.vsctl("clear", "interface", "p2", "ofport_request")
    before = len(switch.log())
    switch.vsctl("set", "interface", "p2", "ofport_request=41")
    assert switch.interface("p2", "ofport") == 1
    log = switch.log()[before:]
    assert "deleted interface" not in log and "added interface" not in log
    assert log.count("bridge br0: interface p2 cannot have port 41: p1 has asked for it, too, and has it\n") == 1
    # Taken by chance: the holder moves.
    switch.add_port("br0", "p3", "ofport_request=1")
    assert switch.interface("p3", "ofport") == 1
    assert switch.interface("p2", "ofport") not in (1, 41, -1)
    # A request that is withdrawn changes nothing.
    switch.vsctl("clear", "interface", "p3", "ofport_request")
    assert switch.interface("p3", "ofport") == 1


def test_numbers_survive_a_restart(switch):
    for name in ("p1", "p2", "p3"):
        switch.add_port("br0", name)
    switch.vsctl("del-port", "p1")
    switch.daemon.kill()
    switch.daemon = switch.box.start_vswitchd(args=switch.args)
    switch.vsctl("set", "bridge", "br0", "external_ids:restarted=1")
    assert [switch.interface(p, "ofport") for p in ("p2", "p3")] == [2, 3]


# ------------------------------------------------------------------ what goes wrong

def error_of_adding(switch, name, *settings):
    more = ("--", "set", "interface", name, *settings) if settings else ()
    done = switch.vsctl("add-port", "br0", name, *more, status=None)
    assert switch.interface(name, "ofport") == -1
    error = switch.interface(name, "error")
    assert error and f"Error detected while setting up '{name}': {error}" in done.stderr
    assert switch.interface(name, "mac_in_use") is None
    # The rest works.
    switch.add_port("br0", "good-" + name[:5])
    assert switch.interface("good-" + name[:5], "ofport") > 0
    return error


def test_unknown_type(switch):
    error = error_of_adding(switch, "x1", "type=nonsense")
    assert error.startswith("could not open network device x1 (")
    assert "nonsense" in error and "internal" in error


def test_tunnels_are_refused(switch):
    assert "vxlan" in error_of_adding(switch, "vx0", "type=vxlan", "options:remote_ip=192.0.2.1")


def test_a_device_that_does_not_exist(switch):
    assert error_of_adding(switch, "none0") == "could not open network device none0 (No such device)"


@pytest.mark.parametrize("name, why", [
    ("sixteen-letters!", "the name has 16 bytes, at most 15 are possible"),
    ("a/b", "no network device can have this name"),
    ("white space", "no network device can have this name")])
def test_bad_names(switch, name, why):
    assert error_of_adding(switch, name) == f"could not open network device {name} ({why})"


def test_a_name_of_15_bytes_is_possible(switch):
    assert "No such device" in error_of_adding(switch, "fifteen-letters")


def test_an_error_goes_away_when_its_reason_does(switch):
    error_of_adding(switch, "x1", "type=nonsense")
    switch.vsctl("set", "interface", "x1", "type=dummy")
    assert switch.interface("x1", "error") is None
    assert switch.interface("x1", "ofport") > 0
    switch.vsctl("set", "interface", "x1", "type=nonsense", status=None)
    assert switch.interface("x1", "ofport") == -1
    assert switch.interface("x1", "mtu") is None


def test_unknown_datapath_type(switch):
    done = switch.vsctl("add-br", "odd", "--", "set", "bridge", "odd", "datapath_type=bogus", status=None)
    error = switch.interface("odd", "error")
    assert error == 'bridge odd: datapath type "bogus" is not known; there are dummy, netdev, system'
    assert error in done.stderr
    assert switch.get("Bridge", "odd", "datapath_id") is None
    switch.vsctl("set", "bridge", "odd", *DUMMY_BRIDGE)
    assert switch.interface("odd", "ofport") == 65534
    assert switch.interface("odd", "error") is None


def test_one_port_in_two_bridges(switch):
    switch.add_bridge("br1")
    switch.add_port("br0", "p1")
    uuid = switch.vsctl("get", "port", "p1", "_uuid").stdout.strip()
    switch.vsctl("add", "bridge", "br1", "ports", uuid)
    assert switch.interface("p1", "ofport") == 1
    assert switch.interface("p1", "error") == "port p1 is in the bridges br0 and br1: only br0 has it"
    # Others go on.
    switch.add_port("br1", "p2")
    assert switch.interface("p2", "ofport") == 1
    assert "p1 1/" in switch.appctl("dpif/show")
    switch.vsctl("remove", "bridge", "br0", "ports", uuid)
    assert switch.interface("p1", "error") is None
    assert switch.interface("p1", "ofport") > 0
    shown = switch.appctl("dpif/show")
    assert shown.index("br1:") < shown.index("p1 ")


def test_one_interface_in_two_ports(switch):
    switch.add_port("br0", "p1")
    uuid = switch.vsctl("get", "interface", "p1", "_uuid").stdout.strip()
    switch.vsctl("--id=@p", "create", "port", "name=other", f"interfaces={uuid}", "--", "add", "bridge", "br0", "ports",
                 "@p")
    assert switch.interface("p1", "ofport") == 1
    assert switch.interface("p1", "error") == "interface p1 is in the ports p1 and other: only p1 has it"
    switch.vsctl("--", "remove", "bridge", "br0", "ports", "p1", status=None)
    port = switch.vsctl("get", "port", "p1", "_uuid").stdout.strip()
    switch.vsctl("remove", "bridge", "br0", "ports", port)
    assert switch.interface("p1", "error") is None
    assert switch.interface("p1", "ofport") > 0


def test_a_port_moves_to_another_bridge(switch):
    switch.add_bridge("br1")
    switch.add_port("br0", "p1")
    uuid = switch.vsctl("get", "port", "p1", "_uuid").stdout.strip()
    switch.vsctl("remove", "bridge", "br0", "ports", uuid, "--", "add", "bridge", "br1", "ports", uuid)
    assert switch.interface("p1", "ofport") == 1
    assert switch.interface("p1", "error") is None
    shown = switch.appctl("dpif/show")
    assert shown.index("br1:") < shown.index("p1 ")


@pytest.fixture
def bond(switch):
    """bond0 with the members e4 and e5, beside the port p1; numbered as their names say."""
    switch.add_port("br0", "p1")
    switch.vsctl("add-bond", "br0", "bond0", "e5", "e4", "--", "set", "interface", "e4", "type=dummy",
                 "ofport_request=4", "--", "set", "interface", "e5", "type=dummy", "ofport_request=5")
    return switch


def trace(switch, port):
    """What becomes of a frame to an unknown address."""
    flow = f"in_port={port},dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02"
    return switch.appctl("ofproto/trace", "br0", flow).split("Datapath actions: ")[1].strip()


def test_one_member_of_a_bond_carries_and_others_take_over(bond):
    assert [bond.interface(name, "ofport") for name in ("e4", "e5")] == [4, 5]
    assert [bond.interface(name, "error") for name in ("e4", "e5")] == [None, None]
    bond.await_active("e4")
    assert trace(bond, 1) == "100,4"
    assert trace(bond, 4) == "100,1"
    assert trace(bond, 5) == "drop"
    assert "bond bond0: active member is now e4" in bond.log()

    bond.appctl("netdev-dummy/set-admin-state", "e4", "down")
    bond.await_active("e5")
    assert trace(bond, 1) == "100,5"
    assert trace(bond, 4) == "drop"
    # It stays with the new one when the old one is back.
    bond.appctl("netdev-dummy/set-admin-state", "e4", "up")
    assert trace(bond, 1) == "100,5"

    bond.appctl("netdev-dummy/set-admin-state", "down")
    wait_until(lambda: bond.get("Port", "bond0", "bond_active_slave") is None, what="a bond without an active member")
    assert trace(bond, 1) == "100"
    assert "bond bond0: all members are disabled: nothing passes" in bond.log()


def test_the_primary_member_of_a_bond_is_preferred(bond):
    bond.vsctl("set", "port", "bond0", "other_config:bond-primary=e5")
    bond.await_active("e5")
    bond.appctl("netdev-dummy/set-admin-state", "e5", "down")
    bond.await_active("e4")
    bond.appctl("netdev-dummy/set-admin-state", "e5", "up")
    bond.await_active("e5")


def test_members_join_and_leave_a_bond(bond):
    bond.await_active("e4")
    bond.vsctl("del-bond-iface", "bond0", "e4")
    assert trace(bond, 1) == "100,5"
    assert bond.get("Port", "bond0", "bond_active_slave") is None
    bond.vsctl("add-bond-iface", "bond0", "e3", "--", "set", "interface", "e3", "type=dummy", "ofport_request=3")
    bond.await_active("e3")
    assert trace(bond, 1) == "100,3"
    assert trace(bond, 5) == "drop"


def test_what_bonds_cannot_do_yet_is_said(bond):
    bond.vsctl("set", "port", "bond0", "bond_mode=balance-slb", "lacp=active", "bond_updelay=100", "bond_fake_iface=true",
               "other_config:bond-detect-mode=miimon")
    for text in ("bond_mode balance-slb is not supported yet: active-backup is used", "LACP is not supported yet",
                 "bond_updelay and bond_downdelay are not supported yet", "bond_fake_iface is not supported yet",
                 "other_config:bond-detect-mode is not supported yet"):
        assert f"port bond0: {text}" in bond.log()


@pytest.mark.parametrize("settings, warning", [
    (("port", "p1", "vlan_mode=trunk", "tag=5"), "port p1: a trunk has no tag: it is ignored"),
    (("port", "p1", "tag=5", "trunks=1,2"), "port p1: trunks are ignored: the port carries VLAN 5 alone"),
    (("port", "p1", "other_config:priority-tags=x"), "port p1: other_config:priority-tags=x is none of"),
    (("bridge", "br0", "other_config:datapath-id=zz"), "bridge br0: other_config:datapath-id=zz is neither"),
    (("bridge", "br0", "other_config:hwaddr=zz"), "bridge br0: other_config:hwaddr=zz is not the address"),
    (("bridge", "br0", "other_config:mac-aging-time=1"), "bridge br0: other_config:mac-aging-time=1 is not from"),
    (("bridge", "br0", "stp_enable=true"), "bridge br0: spanning tree (stp_enable) is not supported yet"),
    (("Open_vSwitch", ".", "other_config:flow-limit=abc"),
     "Open_vSwitch: other_config:flow-limit=abc is no number: 200000 is used"),
    (("Open_vSwitch", ".", "other_config:max-idle=-1"),
     "Open_vSwitch: other_config:max-idle=-1 is not from 500 to"),
    (("Open_vSwitch", ".", "other_config:vlan-limit=x"), "Open_vSwitch: other_config:vlan-limit=x is no number"),
    (("Open_vSwitch", ".", "other_config:pmd-cpu-mask=3"),
     "Open_vSwitch: other_config:pmd-cpu-mask is not supported yet: there is a forwarding thread for each processor"),
    (("Open_vSwitch", ".", "other_config:dpdk-init=true"), "Open_vSwitch: other_config:dpdk-init is not supported yet"),
    (("interface", "p1", "other_config:pmd-rxq-affinity=0:1"),
     "interface p1: other_config:pmd-rxq-affinity is not supported yet"),
    (("interface", "p1", "bfd:enable=true"), "interface p1: BFD is not supported yet"),
    (("interface", "p1", "cfm_mpid=1"), "interface p1: CFM (cfm_mpid) is not supported yet"),
    (("interface", "p1", "lldp:enable=true"), "interface p1: LLDP is not supported yet"),
    (("interface", "p1", "ingress_policing_rate=5"), "interface p1: policing is not supported yet")])
def test_nonsense_is_told_once(switch, settings, warning):
    switch.add_port("br0", "p1")
    switch.vsctl("set", *settings)
    switch.vsctl("set", settings[0], settings[1], "external_ids:again=1")
    assert switch.log().count(warning) == 1
    assert switch.interface("p1", "ofport") == 1


def test_a_controller_is_told_of(switch):
    switch.vsctl("set-controller", "br0", "tcp:127.0.0.1:6653")
    assert "bridge br0: OpenFlow controllers are not supported yet" in switch.log()


# ------------------------------------------------------------------ addresses and sizes

def test_address_of_the_local_port(switch):
    own = switch.interface("br0", "mac_in_use")
    switch.vsctl("set", "bridge", "br0", "other_config:hwaddr=00:00:5e:00:53:01")
    assert switch.interface("br0", "mac_in_use") == "00:00:5e:00:53:01"
    assert switch.get("Bridge", "br0", "datapath_id") == "000000005e005301"
    # Locally administered addresses, such as those of dummies, are not taken over; a Port's own one is.
    switch.vsctl("remove", "bridge", "br0", "other_config", "hwaddr")
    switch.add_port("br0", "p1")
    switch.add_port("br0", "p2")
    switch.vsctl("set", "port", "p1", 'mac="00:00:5e:00:53:22"', "--", "set", "port", "p2", 'mac="00:00:5e:00:53:21"')
    assert switch.interface("br0", "mac_in_use") == "00:00:5e:00:53:21"
    switch.vsctl("del-port", "p2")
    assert switch.interface("br0", "mac_in_use") == "00:00:5e:00:53:22"
    # Without any it goes back to its own.
    switch.vsctl("del-port", "p1")
    assert switch.interface("br0", "mac_in_use") == own
    assert switch.get("Bridge", "br0", "datapath_id") == "0000" + own.replace(":", "")


def test_two_bridges_never_keep_the_same_address(switch):
    """A device that moves takes its address along."""
    own = switch.interface("br0", "mac_in_use")
    switch.add_bridge("br1")
    switch.add_port("br0", "p1")
    switch.vsctl("set", "port", "p1", 'mac="00:00:5e:00:53:22"')
    assert switch.interface("br0", "mac_in_use") == "00:00:5e:00:53:22"
    switch.vsctl("del-port", "p1", "--", "add-port", "br1", "p1", "--", "set", "interface", "p1", "type=dummy",
                 "--", "set", "port", "p1", 'mac="00:00:5e:00:53:22"')
    assert switch.interface("br1", "mac_in_use") == "00:00:5e:00:53:22"
    assert switch.interface("br0", "mac_in_use") == own
    assert switch.get("Bridge", "br0", "datapath_id") != switch.get("Bridge", "br1", "datapath_id")


def test_datapath_id(switch):
    own = switch.get("Bridge", "br0", "datapath_id")
    for text, value in (("0000000000000abc", "0000000000000abc"), ("0x123", "0000000000000123"), ("zz", own)):
        switch.vsctl("set", "bridge", "br0", f"other_config:datapath-id={text}")
        assert switch.get("Bridge", "br0", "datapath_id") == value


def test_mac_of_an_internal_port(switch):
    switch.vsctl("add-port", "br0", "i1", "--", "set", "interface", "i1", "type=internal",
                 'mac="00:00:5e:00:53:31"')
    assert switch.interface("i1", "mac_in_use") == "00:00:5e:00:53:31"
    switch.vsctl("set", "interface", "br0", 'mac="00:00:5e:00:53:32"')
    assert "hwaddr" in switch.interface("br0", "error")


def test_mtu(switch):
    switch.add_port("br0", "p1")
    switch.add_port("br0", "p2", "mtu_request=1400")
    assert [switch.interface(i, "mtu") for i in ("p1", "p2", "br0")] == [1500, 1400, 1400]
    switch.vsctl("set", "interface", "br0", "mtu_request=1300")
    assert switch.interface("br0", "mtu") == 1300
    switch.vsctl("clear", "interface", "br0", "mtu_request")
    assert switch.interface("br0", "mtu") == 1400
    switch.vsctl("del-port", "p2")
    assert switch.interface("br0", "mtu") == 1500
    switch.vsctl("set", "interface", "p1", "mtu_request=100000")
    assert switch.interface("p1", "mtu") == 1500
    assert switch.interface("p1", "error") == "MTU 100000 could not be set (at most 65535 is possible)"
    assert switch.interface("p1", "ofport") == 1
    switch.vsctl("clear", "interface", "p1", "mtu_request")
    assert switch.interface("p1", "error") is None


# ------------------------------------------------------------------ patch ports

def test_patch_ports_know_whether_they_have_a_peer(switch):
    switch.add_bridge("br1")

    def add_patch(bridge, name, peer):
        switch.vsctl("add-port", bridge, name, "--", "set", "interface", name, "type=patch", f"options:peer={peer}")

    add_patch("br0", "to1", "to0")
    assert switch.interface("to1", "ofport") == 1
    assert switch.interface("to1", "error").startswith("no usable peer: to0 must be a patch port")
    add_patch("br1", "to0", "to1")
    switch.await_interface("to1", "error", None)
    switch.await_interface("to0", "error", None)
    assert switch.interface("to1", "mtu") is None
    switch.vsctl("set", "interface", "to0", "options:peer=elsewhere")
    assert switch.interface("to1", "error").startswith("no usable peer")
    switch.vsctl("set", "interface", "to0", "options:peer=to1")
    switch.await_interface("to1", "error", None)
    switch.vsctl("del-port", "to0")
    assert switch.interface("to1", "error").startswith("no usable peer")


@pytest.mark.parametrize("options", [(), ("options:peer=pp",)])
def test_patch_ports_without_a_sensible_peer(switch, options):
    assert "peer" in error_of_adding(switch, "pp", "type=patch", *options)


def test_packets_cross_patch_ports(switch):
    switch.add_bridge("br1")
    switch.add_port("br0", "p1")
    switch.add_port("br1", "p2")
    switch.vsctl("add-port", "br0", "to1", "--", "set", "interface", "to1", "type=patch", "options:peer=to0", "--",
                 "add-port", "br1", "to0", "--", "set", "interface", "to0", "type=patch", "options:peer=to1")
    switch.appctl("time/stop")
    switch.appctl("netdev-dummy/receive", "p1", "ffffffffffff0200000000010806" + 46 * "00")
    switch.appctl("time/warp", "5000")
    wait_until(lambda: switch.interface("p2", "statistics").get("tx_packets") == 1)
    wait_until(lambda: switch.interface("to0", "statistics").get("rx_packets") == 1)
    assert switch.interface("to1", "statistics")["tx_packets"] == 1


# ------------------------------------------------------------------ many

def test_a_thousand_ports_at_once(switch):
    words = []
    for i in range(1000):
        words += ["--", "add-port", "br0", f"d{i}", "--", "set", "interface", f"d{i}", "type=dummy"]
    switch.vsctl(*words[1:])
    numbers = switch.vsctl("--bare", "--columns=ofport", "find", "interface", "type=dummy").stdout.split()
    assert sorted(map(int, numbers)) == list(range(1, 1001))
    switch.vsctl("del-br", "br0")
    assert "br0" not in switch.appctl("dpif/show")
