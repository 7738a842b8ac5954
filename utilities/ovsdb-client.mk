bin_PROGRAMS += utilities/ovsdb-client
utilities_ovsdb_client_SOURCES = \
	utilities/ovsdb_client/backup_commands.cc \
	utilities/ovsdb_client/commands.cc \
	utilities/ovsdb_client/context.cc \
	utilities/ovsdb_client/context.h \
	utilities/ovsdb_client/data_commands.cc \
	utilities/ovsdb_client/lock_commands.cc \
	utilities/ovsdb_client/main.cc \
	utilities/ovsdb_client/monitor_command.cc \
	utilities/ovsdb_client/schema_commands.cc \
	utilities/ovsdb_client/server.cc \
	utilities/ovsdb_client/server.h \
	utilities/ovsdb_client/wait_command.cc
utilities_ovsdb_client_LDADD = $(utilities_LIBS) $(rpc_LIBS) $(ovsdb_LIBS) $(base_LIBS)
