noinst_LIBRARIES += libovs-dbserver.a
libovs_dbserver_a_SOURCES = \
	src/dbserver/change.cc \
	src/dbserver/change.h \
	src/dbserver/database.cc \
	src/dbserver/database.h \
	src/dbserver/log_loader.cc \
	src/dbserver/log_loader.h \
	src/dbserver/operation.cc \
	src/dbserver/operation.h \
	src/dbserver/row.cc \
	src/dbserver/row.h \
	src/dbserver/storage.cc \
	src/dbserver/storage.h \
	src/dbserver/table.cc \
	src/dbserver/table.h \
	src/dbserver/transaction.cc \
	src/dbserver/transaction.h \
	src/dbserver/transaction_commit.cc \
	src/dbserver/worker.cc \
	src/dbserver/worker.h
