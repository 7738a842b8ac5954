noinst_LIBRARIES += libovs-dbserver.a
libovs_dbserver_a_SOURCES =
