# What the tools share; each program has a fragment of its own.
noinst_LIBRARIES += libovs-utilities.a
libovs_utilities_a_SOURCES = \
	utilities/setting.cc \
	utilities/setting.h \
	utilities/table.cc \
	utilities/table.h \
	utilities/timeout.cc \
	utilities/timeout.h \
	utilities/typographic.cc \
	utilities/typographic.h
utilities_LIBS = libovs-utilities.a

include utilities/ovsdb-client.mk
include utilities/ovs-appctl.mk
include utilities/ovs-vsctl.mk
include utilities/ovs-conf.mk
include utilities/ovsdb-tool.mk
