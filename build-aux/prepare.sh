# What ./check and ./demo begin with: install what is missing, configure, build.  To be sourced by a
# POSIX shell in the top directory, with `set -eu`; $me is the name in messages.
#
#   need_packages DEBIAN_PACKAGES GENTOO_PACKAGES LIBRARIES PROGRAMS
#   want_packages DEBIAN_PACKAGES PROGRAMS WHAT_FOR
#   build_in DIRECTORY CONFIGURE_OPTIONS DEFAULT_CXXFLAGS TARGET
#
# CXX, CXXFLAGS and MAKEFLAGS are respected.  A second run rebuilds nothing and needs no network.

# For building; the tests need more.
build_debian_packages="autoconf automake make g++ pkg-config
	libboost1.81-dev libboost-json1.81-dev libfmt-dev libcap-ng-dev libnl-3-dev libnl-route-3-dev libssl-dev
	python3"
build_gentoo_packages="dev-build/autoconf dev-build/automake dev-build/make virtual/pkgconfig dev-libs/boost \
dev-libs/libfmt sys-libs/libcap-ng dev-libs/libnl dev-libs/openssl"
build_libraries="fmt libcap-ng libnl-3.0 libnl-route-3.0 libssl"
build_programs="autoreconf make pkg-config python3"

step() {
	echo "== $*"
}

fail() {
	echo "$me: $1" >&2
	exit "${2-1}"
}

missing_debian_packages() {
	for package in $1; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

install_on_debian() {
	missing=$(missing_debian_packages "$1" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	step "installing $missing"
	if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
		fail "these packages are missing; install them with: sudo apt-get install $missing" 2
	fi
	log=$(mktemp)
	# shellcheck disable=SC2086  # a list of words
	{
		as_root apt-get -q update &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $missing
	} </dev/null >"$log" 2>&1 || {
		cat "$log" >&2
		rm -f "$log"
		fail "could not install $missing" 2
	}
	rm -f "$log"
}

# Whatever the distribution calls them, these are what the build looks for.
something_is_missing() {
	for program in $2; do
		command -v "$program" >/dev/null 2>&1 || return 0
	done
	for library in $1; do
		pkg-config --exists "$library" || return 0
	done
	return 1
}

need_packages() {
	if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
		install_on_debian "$1"
	elif something_is_missing "$3" "$4"; then
		echo "$me: something is missing that this needs; on Gentoo, as root:" >&2
		echo "    emerge --noreplace $2" >&2
		exit 2
	fi
}

# Installs what some tests are for, and says so where it cannot be had: those are not run then.
want_packages() {
	if command -v dpkg-query >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
		(install_on_debian "$1") >/dev/null 2>&1 || true
	fi
	for program in $2; do
		if ! command -v "$program" >/dev/null 2>&1; then
			echo "not run: $3 ($program is not installed)"
			return 0
		fi
	done
}

build_in() (
	if [ ! -x configure ] || [ -n "$(find configure.ac m4 -newer configure -name '*[c4]')" ]; then
		step "autogen.sh"
		mkdir -p "$1"
		./autogen.sh >"$1/autogen.log" 2>&1 || { cat "$1/autogen.log" >&2; fail "autogen.sh failed"; }
	fi
	top=$(pwd)
	mkdir -p "$1"
	cd "$1" || exit
	if [ ! -e Makefile ] || [ ! -e config.status ]; then
		step "configure in $1"
		if [ -z "${CXX-}" ]; then
			CXX=g++
			command -v g++ >/dev/null 2>&1 || CXX=clang++
			if command -v ccache >/dev/null 2>&1; then
				CXX="ccache $CXX"
				export CCACHE_BASEDIR="$top"
			fi
		fi
		# shellcheck disable=SC2086  # a list of words
		../configure --localstatedir=/var --sysconfdir=/etc $2 \
			CXX="$CXX" CXXFLAGS="${CXXFLAGS-$3}" >configure.log 2>&1 ||
			{ cat configure.log >&2; fail "configure failed"; }
	fi
	jobs=$(nproc)
	step "make -j$jobs in $1"
	make -s -j"$jobs" "$4" </dev/null || fail "the build failed"
)
