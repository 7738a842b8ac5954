UNIT_TESTS += tests/unit/openflow/openflow_tests
tests_unit_openflow_openflow_tests_SOURCES = \
	tests/unit/openflow/port_test.cc
tests_unit_openflow_openflow_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_openflow_openflow_tests_LDADD = $(openflow_LIBS) $(base_LIBS) $(GTEST_LIBS)
