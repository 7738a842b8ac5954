noinst_LIBRARIES += libovs-dbclient.a
libovs_dbclient_a_SOURCES =
