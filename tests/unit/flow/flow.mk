UNIT_TESTS += tests/unit/flow/flow_tests
tests_unit_flow_flow_tests_SOURCES = \
	tests/unit/flow/packet_test.cc
tests_unit_flow_flow_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_flow_flow_tests_LDADD = $(flow_LIBS) $(base_LIBS) $(GTEST_LIBS)
