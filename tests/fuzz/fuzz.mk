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
