noinst_LIBRARIES += libovs-openflow.a
libovs_openflow_a_SOURCES = \
	src/openflow/action.cc \
	src/openflow/action.h \
	src/openflow/port.cc \
	src/openflow/port.h
