noinst_LIBRARIES += libovs-proto.a
libovs_proto_a_SOURCES =
