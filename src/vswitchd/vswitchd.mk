# The schema of the configuration database; ovsdb-tool(1) and the boot scripts find it in pkgdatadir.
dist_pkgdata_DATA += src/vswitchd/vswitch.ovsschema

noinst_LIBRARIES += libovs-vswitchd.a
libovs_vswitchd_a_SOURCES = \
	src/vswitchd/commands.cc \
	src/vswitchd/engines.cc \
	src/vswitchd/engines.h \
	src/vswitchd/host.cc \
	src/vswitchd/host.h \
	src/vswitchd/host_statistics.cc \
	src/vswitchd/host_statistics.h \
	src/vswitchd/model.cc \
	src/vswitchd/model.h \
	src/vswitchd/reconciler.cc \
	src/vswitchd/reconciler.h \
	src/vswitchd/reconciler_devices.cc \
	src/vswitchd/reporter.cc \
	src/vswitchd/reporter.h \
	src/vswitchd/rows.h \
	src/vswitchd/settings.cc \
	src/vswitchd/settings.h \
	src/vswitchd/sflow.cc \
	src/vswitchd/sflow.h \
	src/vswitchd/sflow_counters.cc \
	src/vswitchd/sflow_counters.h \
	src/vswitchd/stored_settings.cc \
	src/vswitchd/stored_settings.h \
	src/vswitchd/vswitchd.cc \
	src/vswitchd/vswitchd.h

sbin_PROGRAMS += src/vswitchd/ovs-vswitchd
src_vswitchd_ovs_vswitchd_SOURCES = src/vswitchd/ovs_vswitchd.cc
src_vswitchd_ovs_vswitchd_LDADD = libovs-vswitchd.a $(dbclient_LIBS) $(ofproto_LIBS) $(base_LIBS)
