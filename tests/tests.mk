# Tests: tests/run runs all of them and counts; `make check` and ./check call it.

include tests/unit/base/base.mk
include tests/unit/runtime/runtime.mk
include tests/unit/rpc/rpc.mk
include tests/unit/ovsdb/ovsdb.mk
include tests/unit/dbserver/dbserver.mk
include tests/unit/dbclient/dbclient.mk
include tests/unit/utilities/utilities.mk
include tests/fuzz/fuzz.mk

if HAVE_GTEST
check_PROGRAMS += $(UNIT_TESTS)
endif
check_PROGRAMS += $(FUZZ_TARGETS)
