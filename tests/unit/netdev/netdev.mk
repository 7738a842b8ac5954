UNIT_TESTS += tests/unit/netdev/netdev_tests
tests_unit_netdev_netdev_tests_SOURCES = \
	tests/unit/netdev/bridge_test.cc \
	tests/unit/netdev/datagram_run_test.cc \
	tests/unit/netdev/private_network.cc \
	tests/unit/netdev/private_network.h \
	tests/unit/netdev/registry_test.cc \
	tests/unit/netdev/system_test.cc \
	tests/unit/netdev/tap_test.cc \
	tests/unit/netdev/unfinished_checksum_test.cc \
	tests/unit/netdev/vnet_header_test.cc \
	tests/unit/netdev/xsk_ring_test.cc
if AFXDP
tests_unit_netdev_netdev_tests_SOURCES += tests/unit/netdev/afxdp_test.cc
else
tests_unit_netdev_netdev_tests_SOURCES += tests/unit/netdev/afxdp_absent_test.cc
endif
tests_unit_netdev_netdev_tests_CPPFLAGS = $(AM_CPPFLAGS) $(GTEST_CFLAGS)
tests_unit_netdev_netdev_tests_LDADD = $(netdev_LIBS) $(base_LIBS) $(GTEST_LIBS)
