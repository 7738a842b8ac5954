"""The module for netifrc, called as net.lo calls modules, with a real switch behind it.

What stands for net.lo here offers the functions that its modules may use, and calls the module's in its
order: depend when modules are listed; _up, pre_start, existence, addresses for a start; addresses and
post_stop for a stop.
"""

import os
import re
import subprocess
import textwrap

import netns
import ovs_test
import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make network interfaces")

MODULE = ovs_test.SOURCE_DIR / "rc/netifrc/openvswitch.sh"

NET_LO = r"""
ebegin() { echo " * $*"; }
eend() { [ "$1" = 0 ] && echo "[ ok ]" || echo "[ !! ]"; return "$1"; }
einfo() { echo " * $*"; }
ewarn() { echo "warning: $*" >&2; }
eerror() { echo "error: $*" >&2; }
shell_var() { printf '%s\n' "$1" | sed 's/[^A-Za-z0-9_]/_/g'; }
service_set_value() { printf '%s\n' "$2" >"$STATE/$1"; }
service_get_value() { [ ! -e "$STATE/$1" ] || cat "$STATE/$1"; }
service_started() { [ -n "$SWITCH_RUNS" ]; }
_exists() { [ -e "/sys/class/net/$IFACE" ]; }
_up() { ip link set dev "$IFACE" up 2>/dev/null; }
_down() { ip link set dev "$IFACE" down; }
for relation in program after before provide; do
    eval "$relation() { echo \"$relation \$*\"; }"
done

_config_vars="config routes"
IFACE=${RC_SVCNAME#*.}
IFVAR=$(shell_var "$IFACE")
. "$CONF_D_NET"
. "$MODULE"

case $1 in
depend) openvswitch_depend; echo "variables $_config_vars" ;;
start)
    _up
    openvswitch_pre_start || exit $?
    _exists || { eerror "interface $IFACE does not exist"; exit 1; }
    eval "config=\${config_$IFVAR-}"
    if [ -n "$config" ] && [ "$config" != null ]; then
        ip address add "$config" dev "$IFACE" || exit
    fi
    ;;
stop)
    ! _exists || ip address flush dev "$IFACE"
    openvswitch_post_stop
    status=$?
    ! _exists || _down
    exit $status
    ;;
esac
"""


class Host:
    """A host with net.* services, in a network namespace of its own."""

    def __init__(self, network):
        self.network = network
        self.namespace = network.namespace("host")
        self.box = ovs_test.Sandbox(self.namespace.prefix)
        self.conf_d_net = self.box.etc_dir / "net"
        self.net_lo = self.box.top / "net.lo"
        self.net_lo.write_text(NET_LO)
        self.switch_runs = True

    def service(self, name, action, status=0, shell="sh"):
        """Runs net.NAME ACTION and returns what it printed."""
        state = self.box.top / f"state-{name.replace('/', '_')}"
        state.mkdir(exist_ok=True)
        path = os.path.dirname(ovs_test.program("ovs-vsctl")) + ":/usr/sbin:/usr/bin:/sbin:/bin"
        environment = {**self.box.env, "PATH": path, "RC_SVCNAME": f"net.{name}", "STATE": str(state),
                       "CONF_D_NET": str(self.conf_d_net), "MODULE": str(MODULE),
                       "SWITCH_RUNS": "yes" if self.switch_runs else ""}
        done = subprocess.run([*self.namespace.prefix, *shell.split(), str(self.net_lo), action], env=environment,
                              capture_output=True, text=True, timeout=ovs_test.limit(60), stdin=subprocess.DEVNULL,
                              check=False)
        assert (done.returncode == 0) == (status == 0), done.stdout + done.stderr
        return done.stdout + done.stderr

    def vsctl(self, *arguments):
        return self.box.run("ovs-vsctl", *arguments).stdout


@pytest.fixture
def host():
    with netns.Network() as network:
        host = Host(network)
        with host.box:
            host.server = host.box.start_ovsdb_server()
            host.switch = host.box.start_vswitchd(args=())
            yield host


def shells():
    """POSIX shells that Gentoo's users may have as /bin/sh."""
    return [shell for shell in ("dash", "bash --posix", "busybox sh", "ksh", "yash")
            if any(os.access(f"{folder}/{shell.split()[0]}", os.X_OK) for folder in ("/bin", "/usr/bin"))]


def test_what_netifrc_is_told(host):
    host.conf_d_net.write_text("")
    lines = host.service("br0", "depend").splitlines()
    assert "program ovs-vsctl" in lines
    assert any(line.startswith("before") and "interface" in line for line in lines)
    assert {"config", "ovs_bridge", "ovs_port", "ovs_add"} <= set(lines[-1].split()[1:])


@pytest.mark.parametrize("shell", shells())
def test_a_bridge_with_ports_and_an_address(host, shell):
    vm1, vm2 = host.network.namespace("vm1"), host.network.namespace("vm2")
    host.network.veth(host.namespace, "eth0", vm1, "eth0", up=False)
    host.network.veth(host.namespace, "tap0", vm2, "eth0", up=False)
    vm1.run("ip", "link", "set", "eth0", "up")
    vm2.run("ip", "link", "set", "eth0", "up")
    host.conf_d_net.write_text('ovs_bridge_br0="eth0 tap0"\novs_port_tap0="tag=1"\nconfig_br0="192.0.2.2/24"\n')
    output = host.service("br0", "start", shell=shell)
    assert "Bringing up the bridge br0" in output
    assert host.vsctl("list-ports", "br0") == "eth0\ntap0\n"
    assert host.vsctl("get", "Port", "tap0", "tag", "--", "get", "Port", "eth0", "tag") == "1\n[]\n"
    # The address is reached through the port without a tag, and not from the VLAN.
    vm1.address("eth0", "192.0.2.1/24")
    vm2.address("eth0", "192.0.2.3/24")
    assert vm1.ping("192.0.2.2")
    assert not vm2.ping("192.0.2.2", wait=1)
    # Starting what is there changes nothing.
    before = host.vsctl("get", "Open_vSwitch", ".", "next_cfg")
    host.namespace.run("ip", "address", "flush", "dev", "br0")
    host.service("br0", "start", shell=shell)
    assert host.vsctl("get", "Open_vSwitch", ".", "next_cfg") == before
    assert vm1.ping("192.0.2.2")
    host.service("br0", "stop", shell=shell)
    assert host.vsctl("list-br") == ""
    assert set(host.namespace.interfaces()) == {"lo", "eth0", "tap0"}


def test_a_port_that_adds_itself(host):
    vm1 = host.network.namespace("vm1")
    host.network.veth(host.namespace, "tap1", vm1, "eth0", up=False)
    vm1.run("ip", "link", "set", "eth0", "up")
    host.conf_d_net.write_text('ovs_bridge_br0=""\nconfig_br0="192.0.2.2/24"\novs_add_tap1="br0"\nconfig_tap1="null"\n'
                               'ovs_port_tap1="vlan_mode=native-untagged tag=0"\n')
    host.service("br0", "start")
    assert host.vsctl("list-ports", "br0") == ""
    host.service("tap1", "start")
    assert host.vsctl("list-ports", "br0") == "tap1\n"
    assert host.vsctl("get", "Port", "tap1", "vlan_mode") == "native-untagged\n"
    vm1.address("eth0", "192.0.2.1/24")
    assert vm1.ping("192.0.2.2")
    # It stops as it was started, also when the configuration says other things by now.
    host.conf_d_net.write_text("")
    host.service("tap1", "stop")
    assert host.vsctl("list-ports", "br0") == ""
    host.service("br0", "stop")
    assert host.vsctl("list-br") == ""


def test_a_port_without_its_bridge(host):
    host.namespace.run("ip", "link", "add", "tap1", "type", "veth", "peer", "name", "tap1p")
    host.conf_d_net.write_text('ovs_add_tap1="br7"\n')
    output = host.service("tap1", "start", status=1)
    assert "no bridge named br7" in output


def test_settings_of_all_kinds(host):
    host.conf_d_net.write_text("""
ovs_bridge_br0="mgmt0 vif1.0
                vif2.0"
ovs_options_br0="fail_mode=secure other_config:mac-aging-time=60"
ovs_interface_mgmt0="type=internal"
ovs_port_mgmt0="tag=10"
ovs_port_vif1_0="
    external_ids:who='a person'
    tag=7
"
""")
    output = host.service("br0", "start")
    assert "There is no vif1.0 yet; br0 takes it when it appears" in output
    assert host.vsctl("list-ports", "br0") == "mgmt0\nvif1.0\nvif2.0\n"
    assert host.vsctl("get", "Bridge", "br0", "fail_mode", "other_config") == 'secure\n{mac-aging-time="60"}\n'
    assert host.vsctl("get", "Port", "mgmt0", "tag") == "10\n"
    assert host.vsctl("get", "Port", "vif1.0", "tag", "external_ids:who") == "7\n\"'a person'\"\n"
    assert "mgmt0" in host.namespace.interfaces()
    assert "LOWER_UP" in host.namespace.run("ip", "link", "show", "mgmt0").stdout


@pytest.mark.parametrize("line, message", [
    ('ovs_port_tap0="tag=1 -- del-br br0"', 'ovs_port_tap0: "--" is not COLUMN=VALUE'),
    ('ovs_port_tap0="--db=tcp:1.2.3.4"', "is not COLUMN=VALUE"),
    ("ovs_options_br0='$(reboot)'", "is not COLUMN=VALUE"),
    ('ovs_port_tap0="tags=1"', "tags"),
    ('ovs_bridge_br0="--may-exist"', "is no name of an interface"),
    ('ovs_bridge_br0="../tap0"', "is no name of an interface"),
    ('ovs_port_tap0="tag=5000"', "5000"),
])
def test_mistakes_change_nothing(host, line, message):
    marker = host.box.top / "marker"
    host.conf_d_net.write_text(f'ovs_bridge_br0="tap0"\n{line}\n'.replace("reboot", f"touch {marker}"))
    output = host.service("br0", "start", status=1)
    assert message in output
    assert host.vsctl("list-br") == ""
    assert not marker.exists()


def test_values_stay_values(host):
    marker = host.box.top / "marker"
    value = f'$(touch {marker});`touch {marker}`&touch {marker}|*?"quoted"'
    host.conf_d_net.write_text(f"ovs_bridge_br0=''\novs_options_br0='\n  external_ids:x='\"'\"'{value}'\"'\"'\n'\n")
    host.service("br0", "start")
    assert not marker.exists()
    assert "touch" in host.vsctl("get", "Bridge", "br0", "external_ids:x")


def test_what_the_readme_says(host):
    text = (ovs_test.SOURCE_DIR / "README.md").read_text()
    block = text.split("`/etc/conf.d/net` find bridges there")[1].split("\n\n")[1]
    host.conf_d_net.write_text(textwrap.dedent(block))
    for device in ("eth0", "tap0", "tap1"):
        host.namespace.run("ip", "link", "add", device, "type", "veth", "peer", "name", f"{device}-far")
    host.service("br0", "start")
    host.service("tap1", "start")
    assert host.vsctl("list-ports", "br0") == "eth0\ntap0\ntap1\n"
    assert "192.0.2.2/24" in host.namespace.run("ip", "address", "show", "br0").stdout


def test_what_the_manual_says(host):
    """The example of ovs-netifrc(5), which describes each variable that the module reads, and no other of its names."""
    text = (ovs_test.SOURCE_DIR / "man/ovs-netifrc.5").read_text()
    host.conf_d_net.write_text(text.split(".Sh EXAMPLES")[1].split(".Bd -literal -offset indent\n")[1].split("\n.Ed")[0])
    for device in ("eth0", "tap0", "tap1"):
        host.namespace.run("ip", "link", "add", device, "type", "veth", "peer", "name", f"{device}-far")
    for service in ("br0", "tap1", "mgmt0"):
        host.service(service, "start")
    assert host.vsctl("list-ports", "br0") == "eth0\nmgmt0\ntap0\ntap1\n"
    assert host.vsctl("get", "Port", "tap0", "tag", "external_ids:owner") == '1\n"Jo, room 12"\n'
    assert host.vsctl("get", "Port", "tap1", "tag") == "2\n"
    assert "192.0.2.2/24" in host.namespace.run("ip", "address", "show", "br0").stdout
    assert "198.51.100.2/24" in host.namespace.run("ip", "address", "show", "mgmt0").stdout
    described = set(re.findall(r"(?m)^\.It Va (ovs_[a-z]+)_", text))
    read = re.search(r'(?m)^_config_vars="\$\{_config_vars-\} (.*)"$', MODULE.read_text())[1]
    assert described == set(read.split())
    # Whatever else is in the bridge goes with it.
    host.vsctl("add-port", "br0", "vnet0")
    host.service("br0", "stop")
    assert host.vsctl("list-br") == ""


def test_other_interfaces_are_none_of_its_business(host):
    host.namespace.run("ip", "link", "add", "eth7", "type", "veth", "peer", "name", "eth7p")
    host.conf_d_net.write_text('config_eth7="192.0.2.9/24"\n')
    host.server.stop()
    assert host.service("eth7", "start") == ""
    assert host.service("eth7", "stop") == ""


def test_without_a_switch(host):
    host.switch.stop()
    host.server.stop()
    host.switch_runs = False
    host.conf_d_net.write_text('ovs_bridge_br0=""\n')
    output = host.service("br0", "start", status=1)
    assert 'rc_net_br0_need="ovs-vswitchd"' in output
