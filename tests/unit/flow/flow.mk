UNIT_TESTS += tests/unit/flow/flow_tests
tests_unit_flow_flow_tests_SOURCES = \
	tests/unit/flow/address_test.cc \
	tests/unit/flow/checksum_test.cc \
	tests/unit/flow/compose_test.cc \
	tests/unit/flow/field_value_test.cc \
	tests/unit/flow/frame.h \
	tests/unit/flow/match_text_test.cc \
	tests/unit/flow/offload_test.cc \
	tests/unit/flow/parse_test.cc \
	tests/unit/flow/classifier_test.cc \
	tests/unit/flow/prefix_trie_test.cc \
	tests/unit/flow/packet_test.cc
tests_unit_flow_flow_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_flow_flow_tests_LDADD = $(flow_LIBS) $(base_LIBS) $(GTEST_LIBS)

check_PROGRAMS += tests/support/match_text_tool
tests_support_match_text_tool_SOURCES = tests/support/match_text_tool.cc
tests_support_match_text_tool_LDADD = $(flow_LIBS) $(base_LIBS)

check_PROGRAMS += tests/support/frame_tool
tests_support_frame_tool_SOURCES = tests/support/frame_tool.cc
tests_support_frame_tool_LDADD = $(flow_LIBS) $(base_LIBS)
