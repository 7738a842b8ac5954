noinst_LIBRARIES += libovs-telemetry.a
libovs_telemetry_a_SOURCES = \
	src/telemetry/exporter.cc \
	src/telemetry/exporter.h \
	src/telemetry/ip_address.cc \
	src/telemetry/ip_address.h \
	src/telemetry/local_address.cc \
	src/telemetry/local_address.h \
	src/telemetry/poll_schedule.cc \
	src/telemetry/poll_schedule.h \
	src/telemetry/sflow.cc \
	src/telemetry/sflow.h \
	src/telemetry/sflow_agent.cc \
	src/telemetry/sflow_agent.h \
	src/telemetry/sflow_codec.h \
	src/telemetry/sflow_decode.cc \
	src/telemetry/sflow_encode.cc \
	src/telemetry/sflow_fields.h \
	src/telemetry/sflow_message.h \
	src/telemetry/sflow_print.cc \
	src/telemetry/target.cc \
	src/telemetry/target.h
