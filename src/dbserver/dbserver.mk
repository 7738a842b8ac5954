noinst_LIBRARIES += libovs-dbserver.a
libovs_dbserver_a_SOURCES = \
	src/dbserver/change.cc \
	src/dbserver/change.h \
	src/dbserver/client.cc \
	src/dbserver/client.h \
	src/dbserver/column_name.cc \
	src/dbserver/column_name.h \
	src/dbserver/database.cc \
	src/dbserver/database.h \
	src/dbserver/hosted.cc \
	src/dbserver/hosted.h \
	src/dbserver/lock_table.cc \
	src/dbserver/lock_table.h \
	src/dbserver/log_loader.cc \
	src/dbserver/log_loader.h \
	src/dbserver/monitor.cc \
	src/dbserver/monitor.h \
	src/dbserver/operation.cc \
	src/dbserver/operation.h \
	src/dbserver/pending.h \
	src/dbserver/remotes.cc \
	src/dbserver/remotes.h \
	src/dbserver/row.cc \
	src/dbserver/row.h \
	src/dbserver/server.cc \
	src/dbserver/server.h \
	src/dbserver/server_commands.cc \
	src/dbserver/server_commands.h \
	src/dbserver/server_methods.cc \
	src/dbserver/server_transact.cc \
	src/dbserver/start_check.cc \
	src/dbserver/start_check.h \
	src/dbserver/storage.cc \
	src/dbserver/storage.h \
	src/dbserver/table.cc \
	src/dbserver/table.h \
	src/dbserver/tls_files.cc \
	src/dbserver/tls_files.h \
	src/dbserver/transaction.cc \
	src/dbserver/transaction.h \
	src/dbserver/transaction_commit.cc \
	src/dbserver/worker.cc \
	src/dbserver/worker.h

sbin_PROGRAMS += src/dbserver/ovsdb-server
src_dbserver_ovsdb_server_SOURCES = src/dbserver/ovsdb_server.cc
src_dbserver_ovsdb_server_LDADD = $(dbserver_LIBS) $(base_LIBS)
