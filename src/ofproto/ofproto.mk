noinst_LIBRARIES += libovs-ofproto.a
libovs_ofproto_a_SOURCES = \
	src/ofproto/bridge_walk.h \
	src/ofproto/config.h \
	src/ofproto/ids.h \
	src/ofproto/normal.cc \
	src/ofproto/rule_table.cc \
	src/ofproto/rule_table.h \
	src/ofproto/switch.h \
	src/ofproto/topology.cc \
	src/ofproto/topology.h \
	src/ofproto/trace.cc \
	src/ofproto/trace.h \
	src/ofproto/translate.cc \
	src/ofproto/translate.h \
	src/ofproto/vlan.cc \
	src/ofproto/vlan.h
