# Tests: tests/run runs all of them and counts; `make check` and ./check call it.

include tests/unit/base/base.mk
include tests/unit/runtime/runtime.mk
include tests/unit/rpc/rpc.mk
include tests/unit/ovsdb/ovsdb.mk
include tests/unit/dbserver/dbserver.mk
include tests/unit/dbclient/dbclient.mk
include tests/unit/flow/flow.mk
include tests/unit/openflow/openflow.mk
include tests/unit/netdev/netdev.mk
include tests/unit/datapath/datapath.mk
include tests/unit/proto/proto.mk
include tests/unit/telemetry/telemetry.mk
include tests/unit/ofproto/ofproto.mk
include tests/unit/vswitchd/vswitchd.mk
include tests/unit/utilities/utilities.mk
include tests/fuzz/fuzz.mk

if HAVE_GTEST
check_PROGRAMS += $(UNIT_TESTS)
endif
check_PROGRAMS += $(FUZZ_TARGETS)

# Folders in which the build makes something are listed by file: make dist takes a folder from the
# build directory, too, with the objects in it.
EXTRA_DIST += tests/run tests/docs tests/fuzz/corpus tests/peer tests/system \
	tests/support/certificates.py \
	tests/support/debian.py \
	tests/support/declared_hosts.py \
	tests/support/demo.py \
	tests/support/ebuild_phases.sh \
	tests/support/makefile.py \
	tests/support/netns.py \
	tests/support/openrc_machine.py \
	tests/support/ovs_test.py \
	tests/support/sflow.py \
	tests/support/two_hosts.py \
	tests/tidy/distributed.py \
	tests/tidy/headers.py \
	tests/tidy/layers.py \
	tests/tidy/layers.txt \
	tests/tidy/test_run.py \
	tests/tidy/test_shell.py \
	tests/tidy/test_tidy.py

CLEANFILES += tests/tidy/headers.cache

# Packages that tests unpack.
distclean-local:
	rm -rf devscripts openrc peer

# Everything that tests/run runs.
.PHONY: build-tests
build-tests: all $(check_PROGRAMS)

# CHECK='system -k vsctl' limits the run (see tests/run).
check-local:
	$(PYTHON3) $(srcdir)/tests/run . $(CHECK)

# ./check is not in EXTRA_DIST, where its name would stand for the target and run all tests.
# Folders are distributed whole; what Python left in them is not.
dist-hook:
	cp -p $(srcdir)/check $(distdir)/check
	find $(distdir) -name __pycache__ -prune -exec rm -rf {} +
