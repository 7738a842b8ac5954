UNIT_TESTS += tests/unit/ovsdb/ovsdb_tests
tests_unit_ovsdb_ovsdb_tests_SOURCES = \
	tests/support/memory_file_system.h \
	tests/unit/ovsdb/condition_test.cc \
	tests/unit/ovsdb/datum_test.cc \
	tests/unit/ovsdb/datum_property_test.cc \
	tests/unit/ovsdb/datum_text_test.cc \
	tests/unit/ovsdb/json_literal.h \
	tests/unit/ovsdb/log_file_test.cc \
	tests/unit/ovsdb/mutation_test.cc \
	tests/unit/ovsdb/schema_test.cc \
	tests/unit/ovsdb/transaction_record_test.cc
tests_unit_ovsdb_ovsdb_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) -I$(srcdir)/tests \
	-DOVS_SCHEMA_FILE='"$(abs_srcdir)/src/vswitchd/vswitch.ovsschema"'
tests_unit_ovsdb_ovsdb_tests_LDADD = $(ovsdb_LIBS) $(base_LIBS) $(GTEST_LIBS)
