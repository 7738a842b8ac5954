# Benchmarks: `make bench` builds the load generator; bench/ovsdb runs it (bench/README.md).
# It is built for the tests too, since one of them sees that the benchmark works.
check_PROGRAMS += bench/ovsdb-bench
bench_ovsdb_bench_SOURCES = bench/ovsdb-bench.cc
check_PROGRAMS += bench/pipeline
bench_pipeline_SOURCES = bench/pipeline.cc
bench_pipeline_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
bench_pipeline_LDADD = $(datapath_LIBS) $(base_LIBS)
EXTRA_DIST += bench/README.md bench/boot bench/conf bench/ovsdb bench/sflow bench/switch

.PHONY: bench
bench: bench/ovsdb-bench$(EXEEXT) bench/pipeline$(EXEEXT)
