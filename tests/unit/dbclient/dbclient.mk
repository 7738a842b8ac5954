UNIT_TESTS += tests/unit/dbclient/dbclient_tests
tests_unit_dbclient_dbclient_tests_SOURCES = \
	tests/unit/dbclient/client_test.cc \
	tests/unit/dbclient/replica_table_test.cc \
	tests/unit/dbclient/replica_test.cc \
	tests/unit/dbclient/scripted_server.h \
	tests/unit/dbclient/transaction_test.cc \
	tests/unit/dbclient/typed_test.cc
tests_unit_dbclient_dbclient_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) -I$(srcdir)/tests \
	-DOVS_SCHEMA_FILE='"$(abs_srcdir)/src/vswitchd/vswitch.ovsschema"'
tests_unit_dbclient_dbclient_tests_LDADD = $(dbclient_LIBS) $(base_LIBS) $(GTEST_LIBS)
