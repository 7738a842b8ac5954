UNIT_TESTS += tests/unit/rpc/rpc_tests
tests_unit_rpc_rpc_tests_SOURCES = \
	tests/unit/rpc/connection_test.cc \
	tests/unit/rpc/control_test.cc \
	tests/unit/rpc/message_test.cc \
	tests/unit/rpc/reconnect_test.cc \
	tests/unit/rpc/session_test.cc
tests_unit_rpc_rpc_tests_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests $(GTEST_CFLAGS)
tests_unit_rpc_rpc_tests_LDADD = $(rpc_LIBS) $(base_LIBS) $(GTEST_LIBS)
