# Each tool adds its tests: tests_unit_utilities_utilities_tests_SOURCES += ...
UNIT_TESTS += tests/unit/utilities/utilities_tests
tests_unit_utilities_utilities_tests_SOURCES = \
	tests/unit/utilities/monitored_table_test.cc \
	tests/unit/utilities/snapshot_test.cc \
	tests/unit/utilities/table_test.cc
tests_unit_utilities_utilities_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_utilities_utilities_tests_LDADD = $(ovsdb_client_LIBS) $(rpc_LIBS) $(base_LIBS) $(GTEST_LIBS)

UNIT_TESTS += tests/unit/utilities/vsctl_tests
tests_unit_utilities_vsctl_tests_SOURCES = \
	tests/unit/utilities/vsctl_arguments_test.cc \
	tests/unit/utilities/vsctl_schema_test.cc \
	tests/unit/utilities/vsctl_source.h \
	tests/unit/utilities/vsctl_values_test.cc \
	tests/unit/utilities/vsctl_view_test.cc
tests_unit_utilities_vsctl_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) -I$(srcdir)/tests \
	-DOVS_SCHEMA_FILE='"$(abs_srcdir)/src/vswitchd/vswitch.ovsschema"'
tests_unit_utilities_vsctl_tests_LDADD = $(vsctl_LIBS) $(base_LIBS) $(GTEST_LIBS)

UNIT_TESTS += tests/unit/utilities/conf_tests
tests_unit_utilities_conf_tests_SOURCES = \
	tests/unit/utilities/conf_declared_test.cc \
	tests/unit/utilities/conf_dump_test.cc \
	tests/unit/utilities/conf_evaluate_test.cc \
	tests/unit/utilities/conf_faults_test.cc \
	tests/unit/utilities/conf_numbers_test.cc \
	tests/unit/utilities/conf_plan_test.cc \
	tests/unit/utilities/conf_settings_test.cc \
	tests/unit/utilities/conf_types_test.cc \
	tests/unit/utilities/conf_world.cc \
	tests/unit/utilities/conf_world.h
tests_unit_utilities_conf_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS) -I$(srcdir)/tests \
	-DOVS_SCHEMA_FILE='"$(abs_srcdir)/src/vswitchd/vswitch.ovsschema"'
tests_unit_utilities_conf_tests_LDADD = $(conf_LIBS) libovs-vswitchd.a $(dbclient_LIBS) $(ofproto_LIBS) \
	$(base_LIBS) $(GTEST_LIBS)
