noinst_LIBRARIES += libovs-rpc.a
libovs_rpc_a_SOURCES = \
	src/rpc/connection.cc \
	src/rpc/connection.h \
	src/rpc/control.h \
	src/rpc/control_client.cc \
	src/rpc/control_server.cc \
	src/rpc/message.cc \
	src/rpc/reconnect.cc \
	src/rpc/reconnect.h \
	src/rpc/session.cc \
	src/rpc/session.h
