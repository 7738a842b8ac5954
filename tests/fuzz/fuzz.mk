# Fuzz targets: one file each, with the function LLVMFuzzerTestOneInput (tests/fuzz/fuzz.h).
#
#   FUZZ_TARGETS += tests/fuzz/NAME_fuzz
#   tests_fuzz_NAME_fuzz_SOURCES = tests/fuzz/NAME_fuzz.cc $(fuzz_main)
#   tests_fuzz_NAME_fuzz_LDFLAGS = $(fuzz_ldflags)
#   tests_fuzz_NAME_fuzz_LDADD = $(base_LIBS)
#
# The corpus is in tests/fuzz/corpus/NAME/.  Configured with --enable-fuzzing a target searches for
# inputs that break it (tests/fuzz/NAME_fuzz CORPUS); otherwise it replays its corpus, which is what
# `make check` does.
if FUZZING
fuzz_main = tests/fuzz/fuzz.h
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZING_LDFLAGS)
else
fuzz_main = tests/fuzz/fuzz.h tests/fuzz/replay_main.cc
fuzz_ldflags = $(AM_LDFLAGS)
endif

FUZZ_TARGETS += tests/fuzz/json_stream_fuzz
tests_fuzz_json_stream_fuzz_SOURCES = tests/fuzz/json_stream_fuzz.cc $(fuzz_main)
tests_fuzz_json_stream_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_json_stream_fuzz_LDADD = $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/jsonrpc_fuzz
tests_fuzz_jsonrpc_fuzz_SOURCES = tests/fuzz/jsonrpc_fuzz.cc $(fuzz_main)
tests_fuzz_jsonrpc_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_jsonrpc_fuzz_LDADD = $(rpc_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/snapshot_fuzz
tests_fuzz_snapshot_fuzz_SOURCES = tests/fuzz/snapshot_fuzz.cc $(fuzz_main)
tests_fuzz_snapshot_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_snapshot_fuzz_LDADD = $(ovsdb_client_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/monitor_updates_fuzz
tests_fuzz_monitor_updates_fuzz_SOURCES = tests/fuzz/monitor_updates_fuzz.cc $(fuzz_main)
tests_fuzz_monitor_updates_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_monitor_updates_fuzz_LDADD = $(ovsdb_client_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/log_file_fuzz
tests_fuzz_log_file_fuzz_SOURCES = tests/fuzz/log_file_fuzz.cc $(fuzz_main)
tests_fuzz_log_file_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_log_file_fuzz_LDADD = $(ovsdb_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/schema_fuzz
tests_fuzz_schema_fuzz_SOURCES = tests/fuzz/schema_fuzz.cc $(fuzz_main)
tests_fuzz_schema_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_schema_fuzz_LDADD = $(ovsdb_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/datum_text_fuzz
tests_fuzz_datum_text_fuzz_SOURCES = tests/fuzz/datum_text_fuzz.cc $(fuzz_main)
tests_fuzz_datum_text_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_datum_text_fuzz_LDADD = $(ovsdb_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/vsctl_arguments_fuzz
tests_fuzz_vsctl_arguments_fuzz_SOURCES = tests/fuzz/vsctl_arguments_fuzz.cc $(fuzz_main)
tests_fuzz_vsctl_arguments_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_vsctl_arguments_fuzz_LDADD = $(vsctl_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/replica_fuzz
tests_fuzz_replica_fuzz_SOURCES = tests/fuzz/replica_fuzz.cc $(fuzz_main)
tests_fuzz_replica_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_replica_fuzz_LDADD = $(dbclient_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/transact_fuzz
tests_fuzz_transact_fuzz_SOURCES = tests/fuzz/transact_fuzz.cc $(fuzz_main)
tests_fuzz_transact_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_transact_fuzz_LDADD = $(dbserver_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/server_fuzz
tests_fuzz_server_fuzz_SOURCES = tests/fuzz/server_fuzz.cc $(fuzz_main)
tests_fuzz_server_fuzz_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests -I$(srcdir)/tests/fuzz
tests_fuzz_server_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_server_fuzz_LDADD = $(dbserver_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/match_text_fuzz
tests_fuzz_match_text_fuzz_SOURCES = tests/fuzz/match_text_fuzz.cc $(fuzz_main)
tests_fuzz_match_text_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_match_text_fuzz_LDADD = $(flow_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/parse_fuzz
tests_fuzz_parse_fuzz_SOURCES = tests/fuzz/parse_fuzz.cc $(fuzz_main)
tests_fuzz_parse_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_parse_fuzz_LDADD = $(flow_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/unfinished_checksum_fuzz
tests_fuzz_unfinished_checksum_fuzz_SOURCES = tests/fuzz/unfinished_checksum_fuzz.cc $(fuzz_main)
tests_fuzz_unfinished_checksum_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_unfinished_checksum_fuzz_LDADD = $(netdev_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/offload_fuzz
tests_fuzz_offload_fuzz_SOURCES = tests/fuzz/offload_fuzz.cc $(fuzz_main)
tests_fuzz_offload_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_offload_fuzz_LDADD = $(flow_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/datapath_text_fuzz
tests_fuzz_datapath_text_fuzz_SOURCES = tests/fuzz/datapath_text_fuzz.cc $(fuzz_main)
tests_fuzz_datapath_text_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_datapath_text_fuzz_LDADD = $(datapath_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/sflow_fuzz
tests_fuzz_sflow_fuzz_SOURCES = tests/fuzz/sflow_fuzz.cc $(fuzz_main)
tests_fuzz_sflow_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_sflow_fuzz_LDADD = $(telemetry_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/translate_fuzz
tests_fuzz_translate_fuzz_SOURCES = tests/fuzz/translate_fuzz.cc $(fuzz_main)
tests_fuzz_translate_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_translate_fuzz_LDADD = $(ofproto_LIBS) $(base_LIBS)

FUZZ_TARGETS += tests/fuzz/conf_fuzz
tests_fuzz_conf_fuzz_SOURCES = tests/fuzz/conf_fuzz.cc $(fuzz_main)
tests_fuzz_conf_fuzz_CPPFLAGS = $(AM_CPPFLAGS) -DOVS_SCHEMA_FILE='"$(abs_srcdir)/src/vswitchd/vswitch.ovsschema"'
tests_fuzz_conf_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_conf_fuzz_LDADD = $(conf_LIBS) $(base_LIBS)

if HAVE_SSL
FUZZ_TARGETS += tests/fuzz/tls_session_fuzz
tests_fuzz_tls_session_fuzz_SOURCES = tests/fuzz/tls_session_fuzz.cc tests/support/certificates.cc \
	tests/support/certificates.h $(fuzz_main)
tests_fuzz_tls_session_fuzz_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
tests_fuzz_tls_session_fuzz_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_tls_session_fuzz_LDADD = $(runtime_LIBS) $(base_LIBS)
endif
