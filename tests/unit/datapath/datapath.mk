UNIT_TESTS += tests/unit/datapath/datapath_tests
tests_unit_datapath_datapath_tests_SOURCES = \
	tests/support/bare_netdev.h \
	tests/unit/datapath/actions_test.cc \
	tests/unit/datapath/megaflow_table_test.cc \
	tests/unit/datapath/memory_netdev.h \
	tests/unit/datapath/sampler_test.cc \
	tests/unit/datapath/text_test.cc \
	tests/unit/datapath/upcall_queue_test.cc \
	tests/unit/datapath/user_engine_test.cc
tests_unit_datapath_datapath_tests_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests $(GTEST_CFLAGS)
tests_unit_datapath_datapath_tests_LDADD = $(datapath_LIBS) $(base_LIBS) $(GTEST_LIBS)
