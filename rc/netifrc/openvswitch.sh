# Distributed under the terms of the Apache License 2.0
# shellcheck shell=sh disable=SC2034,SC2030,SC2031  # netifrc reads _config_vars, and sets IFACE
#
# Bridges of Open vSwitch for netifrc.  In /etc/conf.d/net:
#
#   ovs_bridge_br0="eth0 tap0"         net.br0 makes the bridge br0 with these ports; "" for none
#   ovs_options_br0="fail_mode=secure" settings of the bridge: columns of the table Bridge
#   ovs_port_tap0="tag=1"              settings of a port: columns of Port
#   ovs_interface_tap0="mtu_request=9000"  and of Interface
#   config_br0="192.0.2.2/24"          what netifrc does with br0 as with any interface
#   ovs_add_tap1="br0"                 net.tap1 makes tap1 a port of br0
#   rc_net_br0_need="ovs-vswitchd"     the switch runs first
#   rc_net_tap1_need="net.br0"         and so does the bridge
#
# Settings are separated by spaces, or stand on lines of their own, where they may have spaces in them.
# Interfaces whose names have characters that variables cannot have are written with _ for them.
# A bridge that /etc/conf.d/ovs declares needs none of this but its config_.  See ovs-netifrc(5).

openvswitch_depend()
{
	program ovs-vsctl
	after bonding dummy macvlan tuntap veth
	before interface macnet
}

_config_vars="${_config_vars-} ovs_bridge ovs_options ovs_port ovs_interface ovs_add"

# The value of a variable in lines: its own, or one for each word if it has only one.
_openvswitch_lines()
{
	eval "set -- \"\${$1-}\""
	case $1 in
	*"
"*) printf '%s\n' "$1" ;;
	*) printf '%s\n' "$1" | tr -s '[:blank:]' '\n' ;;
	esac | sed -e 's/^[[:blank:]]*//' -e 's/[[:blank:]]*$//' -e '/^$/d'
}

# The same of a variable with settings; nothing else gets from there onto the command line.
_openvswitch_settings()
{
	_openvswitch_lines "$1" | while IFS= read -r setting; do
		case $setting in
		[a-z]*=*) printf '%s\n' "$setting" ;;
		*)
			eerror "$1: \"$setting\" is not COLUMN=VALUE"
			exit 1
			;;
		esac
	done
}

_openvswitch_is_name()
{
	case $2 in
	-* | *[/[:space:]]* | "")
		eerror "$1: \"$2\" is no name of an interface"
		return 1
		;;
	esac
}

# One transaction, and the switch has carried it out when this returns.
_openvswitch_change()
{
	if ovs-vsctl --timeout=30 "$@"; then
		return 0
	fi
	service_started ovs-vswitchd ||
		eerror "The switch does not run; rc_net_${IFVAR}_need=\"ovs-vswitchd\" in /etc/conf.d/net starts it first"
	return 1
}

# In a subshell, which keeps its variables to itself, as do the next ones.
_openvswitch_start_bridge()
(
	set -f
	IFS="
"
	bridge=$IFACE
	# Names have no spaces in them, on whatever lines they stand.
	ports=$(_openvswitch_lines "ovs_bridge_$IFVAR" | tr -s '[:blank:]' '\n')
	settings=$(_openvswitch_settings "ovs_options_$IFVAR") || return 1
	set -- --may-exist add-br "$bridge"
	# shellcheck disable=SC2086  # lines become words
	[ -z "$settings" ] || set -- "$@" -- set Bridge "$bridge" $settings
	for port in $ports; do
		_openvswitch_is_name "ovs_bridge_$IFVAR" "$port" || return 1
		port_variable=$(shell_var "$port")
		set -- "$@" -- --may-exist add-port "$bridge" "$port"
		settings=$(_openvswitch_settings "ovs_port_$port_variable") || return 1
		# shellcheck disable=SC2086
		[ -z "$settings" ] || set -- "$@" -- set Port "$port" $settings
		settings=$(_openvswitch_settings "ovs_interface_$port_variable") || return 1
		# shellcheck disable=SC2086
		[ -z "$settings" ] || set -- "$@" -- set Interface "$port" $settings
	done

	ebegin "Bringing up the bridge $bridge"
	_openvswitch_change "$@"
	eend $? || return 1
	for IFACE in $ports; do
		if _exists; then
			_up
		else
			ewarn "There is no $IFACE yet; $bridge takes it when it appears"
		fi
	done
)

_openvswitch_start_port()
(
	set -f
	IFS="
"
	_openvswitch_is_name "ovs_add_$IFVAR" "$1" || return 1
	bridge=$1
	set -- add-port "$bridge" "$IFACE"
	settings=$(_openvswitch_settings "ovs_port_$IFVAR") || return 1
	# shellcheck disable=SC2086
	[ -z "$settings" ] || set -- "$@" -- set Port "$IFACE" $settings
	settings=$(_openvswitch_settings "ovs_interface_$IFVAR") || return 1
	# shellcheck disable=SC2086
	[ -z "$settings" ] || set -- "$@" -- set Interface "$IFACE" $settings

	ebegin "Adding $IFACE to the bridge $bridge"
	_openvswitch_change --may-exist "$@"
	eend $?
)

openvswitch_pre_start()
{
	eval "_openvswitch_bridge=\${ovs_bridge_$IFVAR+declared} _openvswitch_add=\${ovs_add_$IFVAR-}"
	# shellcheck disable=SC2154
	if [ -n "$_openvswitch_bridge" ]; then
		# Noted first: what was begun is undone, too.
		service_set_value openvswitch bridge
		_openvswitch_start_bridge || return 1
	elif [ -n "$_openvswitch_add" ]; then
		service_set_value openvswitch "$_openvswitch_add"
		_openvswitch_start_port "$_openvswitch_add" || return 1
	else
		return 0
	fi
	_up
}

# Takes away what pre_start made, whatever the configuration says by now.
openvswitch_post_stop()
{
	_openvswitch_made=$(service_get_value openvswitch)
	case $_openvswitch_made in
	"") return 0 ;;
	bridge)
		ebegin "Removing the bridge $IFACE"
		ovs-vsctl --timeout=10 --if-exists del-br "$IFACE"
		;;
	*)
		ebegin "Removing $IFACE from the bridge $_openvswitch_made"
		ovs-vsctl --timeout=10 --if-exists del-port "$_openvswitch_made" "$IFACE"
		;;
	esac
	eend $? || return 1
	service_set_value openvswitch ""
}
