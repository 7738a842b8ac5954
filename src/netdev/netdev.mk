noinst_LIBRARIES += libovs-netdev.a
libovs_netdev_a_SOURCES = \
	src/netdev/netdev.h \
	src/netdev/registry.h
