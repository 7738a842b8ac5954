noinst_LIBRARIES += libovs-ovsdb.a
libovs_ovsdb_a_SOURCES = \
	src/ovsdb/atom.cc \
	src/ovsdb/block.h \
	src/ovsdb/cell.h \
	src/ovsdb/condition.cc src/ovsdb/condition.h \
	src/ovsdb/datum.cc src/ovsdb/datum.h \
	src/ovsdb/datum_change.cc \
	src/ovsdb/datum_json.cc \
	src/ovsdb/datum_text.cc \
	src/ovsdb/error.cc src/ovsdb/error.h \
	src/ovsdb/log_file.cc src/ovsdb/log_file.h \
	src/ovsdb/members.cc src/ovsdb/members.h \
	src/ovsdb/mutation.cc src/ovsdb/mutation.h \
	src/ovsdb/os_file_system.cc \
	src/ovsdb/schema.cc src/ovsdb/schema.h \
	src/ovsdb/transaction_record.cc src/ovsdb/transaction_record.h \
	src/ovsdb/type.cc src/ovsdb/type.h
