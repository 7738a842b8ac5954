noinst_LIBRARIES += libovs-dbclient.a
libovs_dbclient_a_SOURCES = \
	src/dbclient/client.cc \
	src/dbclient/client.h \
	src/dbclient/replica.cc \
	src/dbclient/replica.h \
	src/dbclient/replica_table.cc \
	src/dbclient/transaction.cc \
	src/dbclient/transaction.h \
	src/dbclient/typed.h
