noinst_LIBRARIES += libovs-flow.a
libovs_flow_a_SOURCES = \
	src/flow/field_id.h \
	src/flow/field_value.cc \
	src/flow/field_value.h \
	src/flow/fields.cc \
	src/flow/fields.h \
	src/flow/flow_key.h \
	src/flow/match.cc \
	src/flow/match.h \
	src/flow/packet.cc \
	src/flow/packet.h \
	src/flow/parse.cc \
	src/flow/parse.h \
	src/flow/port_number.cc \
	src/flow/port_number.h \
	src/flow/protocols.h
