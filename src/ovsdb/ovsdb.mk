noinst_LIBRARIES += libovs-ovsdb.a
libovs_ovsdb_a_SOURCES = \
	src/ovsdb/condition.h \
	src/ovsdb/datum.h \
	src/ovsdb/error.h \
	src/ovsdb/log_file.h \
	src/ovsdb/mutation.h \
	src/ovsdb/schema.h \
	src/ovsdb/transaction_record.h \
	src/ovsdb/type.h
