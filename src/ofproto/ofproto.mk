noinst_LIBRARIES += libovs-ofproto.a
libovs_ofproto_a_SOURCES = \
	src/ofproto/bridge_walk.h \
	src/ofproto/config.h \
	src/ofproto/cookie.cc \
	src/ofproto/cookie.h \
	src/ofproto/fdb_commands.cc \
	src/ofproto/flow_commands.cc \
	src/ofproto/forwarding.cc \
	src/ofproto/ids.h \
	src/ofproto/megaflows.cc \
	src/ofproto/megaflows.h \
	src/ofproto/normal.cc \
	src/ofproto/packed_match.cc \
	src/ofproto/packed_match.h \
	src/ofproto/rule_table.cc \
	src/ofproto/rule_table.h \
	src/ofproto/sflow_sampling.cc \
	src/ofproto/switch.cc \
	src/ofproto/switch.h \
	src/ofproto/switch_impl.h \
	src/ofproto/topology.cc \
	src/ofproto/topology.h \
	src/ofproto/trace.cc \
	src/ofproto/trace.h \
	src/ofproto/trace_command.cc \
	src/ofproto/translate.cc \
	src/ofproto/translate.h \
	src/ofproto/vlan.cc \
	src/ofproto/vlan.h \
	src/ofproto/vlan_traffic.h
