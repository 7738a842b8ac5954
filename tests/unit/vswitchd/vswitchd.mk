UNIT_TESTS += tests/unit/vswitchd/vswitchd_tests
tests_unit_vswitchd_vswitchd_tests_SOURCES = \
	tests/unit/vswitchd/host_statistics_test.cc \
	tests/unit/vswitchd/settings_test.cc \
	tests/unit/vswitchd/sflow_counters_test.cc
tests_unit_vswitchd_vswitchd_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) \
	-DOVS_SCHEMA_FILE='"$(abs_srcdir)/src/vswitchd/vswitch.ovsschema"'
tests_unit_vswitchd_vswitchd_tests_LDADD = libovs-vswitchd.a $(dbclient_LIBS) $(ofproto_LIBS) $(base_LIBS) $(GTEST_LIBS)
