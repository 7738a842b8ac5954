noinst_LIBRARIES += libovs-netlink.a
libovs_netlink_a_SOURCES =
