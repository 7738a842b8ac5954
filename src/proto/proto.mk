noinst_LIBRARIES += libovs-proto.a
libovs_proto_a_SOURCES = \
	src/proto/mac_learning.cc \
	src/proto/mac_learning.h
