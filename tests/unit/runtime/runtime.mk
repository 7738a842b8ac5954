UNIT_TESTS += tests/unit/runtime/runtime_tests
tests_unit_runtime_runtime_tests_SOURCES = \
	tests/unit/runtime/address_test.cc \
	tests/unit/runtime/listener_test.cc \
	tests/unit/runtime/loop_test.cc \
	tests/unit/runtime/pidfile_test.cc \
	tests/unit/runtime/stream_test.cc \
	tests/support/temporary_directory.h
if HAVE_SSL
tests_unit_runtime_runtime_tests_SOURCES += \
	tests/unit/runtime/tls_config_test.cc \
	tests/unit/runtime/tls_session_test.cc \
	tests/unit/runtime/tls_stream_test.cc \
	tests/support/certificates.cc \
	tests/support/certificates.h
endif
tests_unit_runtime_runtime_tests_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests $(GTEST_CFLAGS)
tests_unit_runtime_runtime_tests_LDADD = $(runtime_LIBS) $(base_LIBS) $(GTEST_LIBS)

# Run by tests/system/test_daemon.py and test_appctl.py.
check_PROGRAMS += tests/support/sample_daemon
tests_support_sample_daemon_SOURCES = tests/support/sample_daemon.cc
tests_support_sample_daemon_LDADD = $(rpc_LIBS) $(base_LIBS)
