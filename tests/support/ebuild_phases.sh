# Runs the phases of an ebuild with stand-ins for what the package manager and the eclasses offer.
#
#   bash ebuild_phases.sh EBUILD VERSION IMAGE PHASE...
#
# USE is the list of flags.  What a phase asked the package manager for is printed, a line a call.
# `econf` and `emake` only print; the calling test does what they would do.
set -u

ebuild=$1 PV=$2 D=$3
shift 3
PN=openvswitch P=$PN-$PV PF=$P EPREFIX='' ED=$D
S=${S:-$PWD}
REPLACING_VERSIONS=${REPLACING_VERSIONS-}
MERGE_TYPE=${MERGE_TYPE:-source}
_docdir=/usr/share/doc/$PF _docinto=

die() { echo "die $*"; exit 1; }
inherit() {
	echo "inherit $*"
	# The eclass brings this phase, and an ebuild has its own only to do more.
	[[ " $* " != *" linux-info "* ]] || eval 'pkg_setup() { linux-info_pkg_setup; }'
}
use() { [[ " ${USE-} " == *" $1 "* ]]; }
use_enable() {
	if use "$1"; then echo "--enable-${2:-$1}"; else echo "--disable-${2:-$1}"; fi
}
einfo() { echo "einfo $*"; }
elog() { echo "elog $*"; }
ewarn() { echo "ewarn $*"; }
econf() { printf 'econf'; printf ' %s' "$@"; echo; }
emake() { printf 'emake'; printf ' %s' "$@"; echo; }
# The kernel and the compiler of whoever is to be tested.
kernel_is() {
	local wanted=$((${2} * 1000 + ${3})) is=${KERNEL:-6012}
	[[ $1 == -lt ]] && ((is < wanted))
}
tc-is-gcc() { [[ ${COMPILER:-gcc-12} == gcc-* ]]; }
tc-is-clang() { [[ ${COMPILER:-gcc-12} == clang-* ]]; }
gcc-major-version() { echo "${COMPILER:-gcc-12}" | sed 's/.*-//'; }
clang-major-version() { gcc-major-version; }
linux-info_pkg_setup() { printf '%s\n' "linux-info_pkg_setup" "checked $(echo $CONFIG_CHECK)"; }

dodoc() {
	local file
	for file; do
		[[ -e $file ]] || die "dodoc: there is no $file"
		install -D -m 0644 "$file" "$D$_docdir/$_docinto${file##*/}"
	done
}
docinto() { _docinto=$1/; }
keepdir() {
	local directory
	for directory; do
		mkdir -p "$D$directory"
		: >"$D$directory/.keep_net-misc_$PN-0"
	done
}
fperms() {
	local mode=$1 path
	shift
	for path; do
		chmod "$mode" "$D$path" || die "fperms $path"
	done
}

default() {
	case $_phase in
	src_prepare) echo "eapply_user" ;;
	src_compile) emake ;;
	src_install)
		emake DESTDIR="$D" install
		dodoc "${DOCS[@]}"
		;;
	*) die "default in $_phase" ;;
	esac
}

# shellcheck source=/dev/null
. "$ebuild"

for _variable in EAPI DESCRIPTION HOMEPAGE LICENSE SLOT IUSE KEYWORDS SRC_URI EGIT_REPO_URI RDEPEND DEPEND BDEPEND \
	CONFIG_CHECK RESTRICT; do
	printf 'variable %s=%s\n' "$_variable" "$(echo ${!_variable-})"
done
for _phase; do
	echo "phase $_phase"
	_docinto=
	"$_phase" || die "$_phase failed"
done
