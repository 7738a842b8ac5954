UNIT_TESTS += tests/unit/ovsdb/ovsdb_tests
tests_unit_ovsdb_ovsdb_tests_SOURCES = \
	tests/unit/ovsdb/condition_test.cc \
	tests/unit/ovsdb/datum_test.cc \
	tests/unit/ovsdb/datum_text_test.cc \
	tests/unit/ovsdb/mutation_test.cc
tests_unit_ovsdb_ovsdb_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_ovsdb_ovsdb_tests_LDADD = $(ovsdb_LIBS) $(base_LIBS) $(GTEST_LIBS)
