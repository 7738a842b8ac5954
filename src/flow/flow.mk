noinst_LIBRARIES += libovs-flow.a
libovs_flow_a_SOURCES = \
	src/flow/checksum.cc \
	src/flow/checksum.h \
	src/flow/compose.cc \
	src/flow/compose.h \
	src/flow/address.cc \
	src/flow/address.h \
	src/flow/extra_fields.h \
	src/flow/field_id.h \
	src/flow/field_text.cc \
	src/flow/field_value.cc \
	src/flow/field_value.h \
	src/flow/fields.cc \
	src/flow/fields.h \
	src/flow/flags.h \
	src/flow/flow_key.cc \
	src/flow/flow_key.h \
	src/flow/flow_text.cc \
	src/flow/match.cc \
	src/flow/match.h \
	src/flow/match_builder.cc \
	src/flow/match_builder.h \
	src/flow/match_text.cc \
	src/flow/match_text.h \
	src/flow/offload.cc \
	src/flow/offload.h \
	src/flow/packet.cc \
	src/flow/packet.h \
	src/flow/parse.cc \
	src/flow/parse.h \
	src/flow/port_number.cc \
	src/flow/port_number.h \
	src/flow/prerequisite.cc \
	src/flow/prerequisite.h \
	src/flow/protocols.h
