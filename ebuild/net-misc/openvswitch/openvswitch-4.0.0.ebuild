# Distributed under the terms of the Apache License 2.0

EAPI=8

inherit linux-info toolchain-funcs
[[ ${PV} != 9999 ]] || inherit git-r3

DESCRIPTION="Virtual switch for hosts with virtual machines and containers"
HOMEPAGE="https://wiki.gentoo.org/wiki/No_homepage"
if [[ ${PV} == 9999 ]]; then
	# A checkout on this host; EGIT_OVERRIDE_REPO_... of git-r3 names another one.  Portage fetches as the user
	# "portage", and git refuses the checkout of another user until the system's configuration allows it:
	#     git config --system --add safe.directory /usr/src/openvswitch/.git
	EGIT_REPO_URI="file:///usr/src/openvswitch"
else
	SRC_URI="${P}.tar.xz"
	KEYWORDS="~amd64 ~arm64"
	RESTRICT="fetch"
fi

LICENSE="Apache-2.0"
SLOT="0"
IUSE="doc +ssl test xdp"
RESTRICT+=" !test? ( test )"

RDEPEND="
	>=dev-libs/boost-1.81:=
	>=dev-libs/libfmt-9:=
	dev-libs/libnl:3
	sys-libs/libcap-ng
	ssl? ( >=dev-libs/openssl-3:= )
	xdp? ( >=dev-libs/libbpf-1.0:= )
	!<sys-apps/openrc-0.45
"
# The services are installed wherever the package is, and need OpenRC only where it runs them: with another init they are
# a few small files.
DEPEND="
	${RDEPEND}
	sys-kernel/linux-headers
	test? ( dev-cpp/gtest )
"
# Any Python 3 does, with its standard library alone, and nothing of it is installed: no eclass has to choose one.
BDEPEND="
	virtual/pkgconfig
	doc? ( app-text/mandoc )
	test? ( >=dev-lang/python-3.9 )
"
if [[ ${PV} == 9999 ]]; then
	BDEPEND+="
		dev-build/autoconf
		dev-build/automake
		>=dev-lang/python-3.9
	"
fi

DOCS=( README.md NEWS.md )

# Nothing here is needed to build, and not all of it to run: without it, something is said to be missing
# when it is used.  linux-info looks at these in its pkg_setup, and prints what is below for those that are not set.
CONFIG_CHECK="
	~OPENVSWITCH ~PACKET ~TUN ~VETH
	~NET_SCHED ~NET_CLS_ACT ~NET_CLS_BASIC ~NET_CLS_BPF ~NET_CLS_U32 ~NET_ACT_POLICE
	~NET_SCH_INGRESS ~NET_SCH_HFSC ~NET_SCH_HTB
"
ERROR_XDP_SOCKETS="CONFIG_XDP_SOCKETS: no interface can have the type afxdp without it"
ERROR_BPF_SYSCALL="CONFIG_BPF_SYSCALL: no interface can have the type afxdp without it"
ERROR_DEBUG_INFO_BTF="CONFIG_DEBUG_INFO_BTF: interfaces of type afxdp may lose VLAN tags of containers without it"
ERROR_NET_SCHED="CONFIG_NET_SCHED: for CONFIG_NET_CLS_BPF"
ERROR_NET_CLS_ACT="CONFIG_NET_CLS_ACT: for CONFIG_NET_CLS_BPF"
ERROR_NET_SCH_INGRESS="CONFIG_NET_SCH_INGRESS: for CONFIG_NET_CLS_BPF"
ERROR_NET_CLS_BPF="CONFIG_NET_CLS_BPF: keeps packets of ports from the host's own stack; NF_TABLES_NETDEV does, too"
ERROR_OPENVSWITCH="CONFIG_OPENVSWITCH: not needed; this version forwards in user space, a later one can use it"
ERROR_NET_ACT_POLICE="CONFIG_NET_ACT_POLICE: not needed; a later version can police rates by it"
ERROR_NET_CLS_BASIC="CONFIG_NET_CLS_BASIC: not needed; a later version can police rates by it"
ERROR_NET_CLS_U32="CONFIG_NET_CLS_U32: not needed; a later version can police rates by it"
ERROR_NET_SCH_HFSC="CONFIG_NET_SCH_HFSC: not needed; a later version can do QoS by it"
ERROR_NET_SCH_HTB="CONFIG_NET_SCH_HTB: not needed; a later version can do QoS by it"
ERROR_PACKET="CONFIG_PACKET: bridges have no ports that are interfaces of this host without it"
ERROR_TUN="CONFIG_TUN: bridges have no interface of their own on this host without it"
ERROR_VETH="CONFIG_VETH: containers are connected by it"

pkg_pretend() {
	[[ ${MERGE_TYPE} != binary ]] || return 0
	if tc-is-gcc && [[ $(gcc-major-version) -lt 12 ]]; then
		die "The sources are C++20 and need GCC 12 or newer; gcc-config selects it"
	elif tc-is-clang && [[ $(clang-major-version) -lt 14 ]]; then
		die "The sources are C++20 and need Clang 14 or newer"
	fi
}

pkg_setup() {
	if use xdp; then
		CONFIG_CHECK+=" ~XDP_SOCKETS ~BPF_SYSCALL ~DEBUG_INFO_BTF"
	fi
	linux-info_pkg_setup
	if use xdp && kernel_is -lt 5 9; then
		ewarn "This kernel is older than 5.9: no interface can have the type afxdp with it."
	fi
}

pkg_nofetch() {
	einfo "Make ${P}.tar.xz by \"make dist\" in a checkout of the sources, and move it to your DISTDIR;"
	einfo "then \"ebuild ${PF}.ebuild manifest\" takes its checksum down."
}

src_prepare() {
	default
	[[ ${PV} != 9999 ]] || ./autogen.sh || die "autogen.sh failed"
}

src_configure() {
	# econf's own choice for state is /var/lib; here it is /var, with lib, log and run below it.
	econf --localstatedir="${EPREFIX}/var" --with-rundir="${EPREFIX}/run/openvswitch" --with-openrc \
		"$(use_enable ssl)" "$(use_enable xdp afxdp)"
}

src_compile() {
	default
	if use doc; then
		local page
		mkdir html || die
		for page in man/*.[1-9]; do
			mandoc -T html -O man=%N.%S.html "${page}" > "html/${page##*/}.html" || die
		done
	fi
}

src_test() {
	# The other suites need root, and network namespaces of their own.
	emake check CHECK=unit
}

src_install() {
	# With the services, their configuration, the logrotate file, and the completion for bash.
	default
	if use doc; then
		dodoc HACKING.md
		docinto html
		dodoc html/*.html
	fi
	keepdir /etc/openvswitch /etc/ssl/openvswitch /var/lib/openvswitch /var/log/openvswitch
	# Keys, and what may be in a log.
	fperms 0750 /etc/ssl/openvswitch /var/log/openvswitch
}

pkg_postinst() {
	if [[ -z ${REPLACING_VERSIONS} ]]; then
		elog "Declare your bridges and ports in /etc/conf.d/ovs, which has examples; then, as root:"
		elog "    ovs-conf check /etc/conf.d/ovs"
		elog "    rc-update add ovs default"
		elog "    rc-service ovs start"
	else
		elog "The daemons of the version that was replaced still run; this interrupts forwarding for a moment:"
		elog "    rc-service ovsdb-server restart"
	fi
}
