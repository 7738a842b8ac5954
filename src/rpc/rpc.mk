noinst_LIBRARIES += libovs-rpc.a
libovs_rpc_a_SOURCES = \
	src/rpc/connection.h \
	src/rpc/control.h \
	src/rpc/session.h
