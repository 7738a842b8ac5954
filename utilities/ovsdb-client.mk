# What is decided without a server, apart so that tests and fuzz targets can link it.
noinst_LIBRARIES += libovs-ovsdb-client.a
libovs_ovsdb_client_a_SOURCES = \
	utilities/ovsdb_client/monitored_table.cc \
	utilities/ovsdb_client/monitored_table.h \
	utilities/ovsdb_client/names.cc \
	utilities/ovsdb_client/names.h \
	utilities/ovsdb_client/snapshot.cc \
	utilities/ovsdb_client/snapshot.h
ovsdb_client_LIBS = libovs-ovsdb-client.a $(utilities_LIBS) $(ovsdb_LIBS)

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
utilities_ovsdb_client_LDADD = $(ovsdb_client_LIBS) $(rpc_LIBS) $(base_LIBS)
