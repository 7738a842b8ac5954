noinst_LIBRARIES += libovs-runtime.a
libovs_runtime_a_SOURCES = \
	src/runtime/daemon.h \
	src/runtime/loop.h \
	src/runtime/stream.h
