UNIT_TESTS += tests/unit/datapath/datapath_tests
tests_unit_datapath_datapath_tests_SOURCES = \
	tests/unit/datapath/text_test.cc
tests_unit_datapath_datapath_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_datapath_datapath_tests_LDADD = $(datapath_LIBS) $(base_LIBS) $(GTEST_LIBS)
