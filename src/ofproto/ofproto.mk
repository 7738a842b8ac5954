noinst_LIBRARIES += libovs-ofproto.a
libovs_ofproto_a_SOURCES = \
	src/ofproto/config.h \
	src/ofproto/switch.h
