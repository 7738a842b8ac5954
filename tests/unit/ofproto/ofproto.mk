UNIT_TESTS += tests/unit/ofproto/ofproto_tests
tests_unit_ofproto_ofproto_tests_SOURCES = \
	tests/unit/ofproto/action_test.cc \
	tests/unit/ofproto/commands_test.cc \
	tests/unit/ofproto/fairness_test.cc \
	tests/unit/ofproto/fake_device.h \
	tests/unit/ofproto/mask_test.cc \
	tests/unit/ofproto/rule_table_test.cc \
	tests/unit/ofproto/sampling_test.cc \
	tests/unit/ofproto/scenario.cc \
	tests/unit/ofproto/scenario.h \
	tests/unit/ofproto/switch_fixture.cc \
	tests/unit/ofproto/switch_fixture.h \
	tests/unit/ofproto/switch_test.cc \
	tests/unit/ofproto/topology_test.cc \
	tests/unit/ofproto/translate_test.cc
tests_unit_ofproto_ofproto_tests_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests $(GTEST_CFLAGS)
tests_unit_ofproto_ofproto_tests_LDADD = $(ofproto_LIBS) $(base_LIBS) $(GTEST_LIBS)
