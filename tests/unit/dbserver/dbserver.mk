UNIT_TESTS += tests/unit/dbserver/dbserver_tests
tests_unit_dbserver_dbserver_tests_SOURCES = \
	tests/support/memory_file_system.h \
	tests/support/memory_stream.h \
	tests/unit/dbserver/dialogue.h \
	tests/unit/dbserver/engine_test.cc \
	tests/unit/dbserver/monitor_test.cc \
	tests/unit/dbserver/server_test.cc \
	tests/unit/dbserver/transact_test.cc
tests_unit_dbserver_dbserver_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) -I$(srcdir)/tests
tests_unit_dbserver_dbserver_tests_LDADD = $(dbserver_LIBS) $(base_LIBS) $(GTEST_LIBS)
