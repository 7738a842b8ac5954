# Manual pages.  ovs-vswitchd.conf.db(5) is made from the schema and from a text for each table; the
# tarball contains the result, so that only a checkout needs Python for it.

dist_man_MANS += \
	man/ovs-appctl.8 \
	man/ovs-conf.8 \
	man/ovs-vsctl.8 \
	man/ovs-vswitchd.8 \
	man/ovs-vswitchd.conf.db.5 \
	man/ovs.conf.d.5 \
	man/ovsdb-client.1 \
	man/ovsdb-server.1 \
	man/ovsdb-server.5 \
	man/ovsdb-server.7 \
	man/ovsdb-tool.1 \
	man/ovsdb.5 \
	man/ovsdb.7

# About the module for netifrc, which is not there without OpenRC.
EXTRA_DIST += man/ovs-netifrc.5
if WITH_OPENRC
dist_man_MANS += man/ovs-netifrc.5
endif

# In the order of the page: what the switch is made of, its connections, its engines, its exporters.
CONF_DB_TEXTS = \
	man/conf.db/intro.txt \
	man/conf.db/Open_vSwitch.txt \
	man/conf.db/Bridge.txt \
	man/conf.db/Port.txt \
	man/conf.db/Interface.txt \
	man/conf.db/Mirror.txt \
	man/conf.db/QoS.txt \
	man/conf.db/Queue.txt \
	man/conf.db/Flow_Table.txt \
	man/conf.db/Controller.txt \
	man/conf.db/Manager.txt \
	man/conf.db/SSL.txt \
	man/conf.db/Datapath.txt \
	man/conf.db/CT_Zone.txt \
	man/conf.db/CT_Timeout_Policy.txt \
	man/conf.db/NetFlow.txt \
	man/conf.db/sFlow.txt \
	man/conf.db/IPFIX.txt \
	man/conf.db/Flow_Sample_Collector_Set.txt \
	man/conf.db/AutoAttach.txt \
	man/conf.db/outro.txt
EXTRA_DIST += man/make-conf-db $(CONF_DB_TEXTS)
MAINTAINERCLEANFILES = man/ovs-vswitchd.conf.db.5

man/ovs-vswitchd.conf.db.5: man/make-conf-db src/vswitchd/vswitch.ovsschema $(CONF_DB_TEXTS)
	$(AM_V_GEN)$(MKDIR_P) man && \
	  (cd $(srcdir) && $(PYTHON3) man/make-conf-db src/vswitchd/vswitch.ovsschema $(CONF_DB_TEXTS)) \
	    > $@.tmp && mv $@.tmp $@
