# The commands are a library, for their unit tests and the fuzz target.
noinst_LIBRARIES += libovs-vsctl.a
libovs_vsctl_a_SOURCES = \
	utilities/vsctl/arguments.cc \
	utilities/vsctl/arguments.h \
	utilities/vsctl/auto_attach_commands.cc \
	utilities/vsctl/bridge_commands.cc \
	utilities/vsctl/command.cc \
	utilities/vsctl/command.h \
	utilities/vsctl/commands.cc \
	utilities/vsctl/controller_commands.cc \
	utilities/vsctl/database_change_commands.cc \
	utilities/vsctl/database_commands.cc \
	utilities/vsctl/datapath_commands.cc \
	utilities/vsctl/handlers.h \
	utilities/vsctl/model.cc \
	utilities/vsctl/model.h \
	utilities/vsctl/open_vswitch_commands.cc \
	utilities/vsctl/port_commands.cc \
	utilities/vsctl/run.cc \
	utilities/vsctl/run.h \
	utilities/vsctl/schema.cc \
	utilities/vsctl/schema.h \
	utilities/vsctl/server.cc \
	utilities/vsctl/server.h \
	utilities/vsctl/values.cc \
	utilities/vsctl/values.h \
	utilities/vsctl/view.cc \
	utilities/vsctl/view.h
vsctl_LIBS = libovs-vsctl.a $(utilities_LIBS) $(dbclient_LIBS)

bin_PROGRAMS += utilities/ovs-vsctl
utilities_ovs_vsctl_SOURCES = utilities/ovs-vsctl.cc
utilities_ovs_vsctl_LDADD = $(vsctl_LIBS) $(base_LIBS)
