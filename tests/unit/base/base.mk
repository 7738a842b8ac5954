UNIT_TESTS += tests/unit/base/base_tests
tests_unit_base_base_tests_SOURCES = \
	tests/unit/base/command_test.cc \
	tests/unit/base/json_test.cc \
	tests/unit/base/log_test.cc \
	tests/unit/base/options_test.cc \
	tests/unit/base/rcu_test.cc \
	tests/unit/base/result_test.cc \
	tests/unit/base/sha1_test.cc \
	tests/unit/base/text_test.cc \
	tests/unit/base/uuid_test.cc
tests_unit_base_base_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_base_base_tests_LDADD = $(base_LIBS) $(GTEST_LIBS)
