noinst_LIBRARIES += libovs-netlink.a
libovs_netlink_a_SOURCES = \
	src/netlink/ingress_filter.cc \
	src/netlink/ingress_filter.h \
	src/netlink/link.h \
	src/netlink/link_monitor.cc \
	src/netlink/link_monitor.h \
	src/netlink/netfilter_drop.cc \
	src/netlink/netfilter_drop.h \
	src/netlink/rtnetlink.cc \
	src/netlink/rtnetlink.h
