bin_PROGRAMS += utilities/ovsdb-tool
utilities_ovsdb_tool_SOURCES = \
	utilities/ovsdb_tool/commands.cc \
	utilities/ovsdb_tool/commands.h \
	utilities/ovsdb_tool/content_commands.cc \
	utilities/ovsdb_tool/database_file.cc \
	utilities/ovsdb_tool/database_file.h \
	utilities/ovsdb_tool/main.cc \
	utilities/ovsdb_tool/schema_commands.cc \
	utilities/ovsdb_tool/show_log.cc \
	utilities/ovsdb_tool/show_log.h
# Transactions, conversion and compaction are the database server's own engine.
utilities_ovsdb_tool_LDADD = $(dbserver_LIBS) $(base_LIBS)
