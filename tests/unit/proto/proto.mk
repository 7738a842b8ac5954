UNIT_TESTS += tests/unit/proto/proto_tests
tests_unit_proto_proto_tests_SOURCES = \
	tests/unit/proto/mac_learning_test.cc
tests_unit_proto_proto_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_proto_proto_tests_LDADD = $(proto_LIBS) $(base_LIBS) $(GTEST_LIBS)
