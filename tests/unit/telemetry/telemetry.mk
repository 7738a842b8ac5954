UNIT_TESTS += tests/unit/telemetry/telemetry_tests
tests_unit_telemetry_telemetry_tests_SOURCES = \
	tests/unit/telemetry/exporter_test.cc \
	tests/unit/telemetry/local_address_test.cc \
	tests/unit/telemetry/poll_schedule_test.cc \
	tests/unit/telemetry/receiver.h \
	tests/unit/telemetry/sflow_agent_test.cc \
	tests/unit/telemetry/sflow_codec_test.cc \
	tests/unit/telemetry/sflow_test.cc \
	tests/unit/telemetry/target_test.cc
tests_unit_telemetry_telemetry_tests_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests $(GTEST_CFLAGS)
tests_unit_telemetry_telemetry_tests_LDADD = $(telemetry_LIBS) $(base_LIBS) $(GTEST_LIBS)

# Run by the system tests of sFlow and by the demo.
check_PROGRAMS += tests/support/frame_sender
tests_support_frame_sender_SOURCES = tests/support/frame_sender.cc

# The demonstration uses it, too.
noinst_PROGRAMS += tests/support/sflow_collector
tests_support_sflow_collector_SOURCES = tests/support/sflow_collector.cc
tests_support_sflow_collector_LDADD = $(telemetry_LIBS) $(base_LIBS)
