noinst_LIBRARIES += libovs-runtime.a
libovs_runtime_a_SOURCES = \
	src/runtime/address.cc \
	src/runtime/address.h \
	src/runtime/daemon.cc \
	src/runtime/daemon.h \
	src/runtime/listener.cc \
	src/runtime/loop.cc \
	src/runtime/loop.h \
	src/runtime/pidfile.cc \
	src/runtime/pidfile.h \
	src/runtime/place.cc \
	src/runtime/place.h \
	src/runtime/socket_stream.h \
	src/runtime/stream.cc \
	src/runtime/stream.h \
	src/runtime/tls_config.h \
	src/runtime/tls_options.cc \
	src/runtime/tls_options.h \
	src/runtime/tls_stream.h \
	src/runtime/write_queue.h
if HAVE_SSL
libovs_runtime_a_SOURCES += \
	src/runtime/tls_config.cc \
	src/runtime/tls_context.cc \
	src/runtime/tls_context.h \
	src/runtime/tls_session.cc \
	src/runtime/tls_session.h \
	src/runtime/tls_stream.cc
else
libovs_runtime_a_SOURCES += src/runtime/tls_absent.cc
endif
