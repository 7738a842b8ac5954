noinst_LIBRARIES += libovs-netdev.a
libovs_netdev_a_SOURCES = \
	src/netdev/afxdp_kind.h \
	src/netdev/afxdp_options.cc \
	src/netdev/afxdp_options.h \
	src/netdev/datagram_run.cc \
	src/netdev/datagram_run.h \
	src/netdev/dummy.cc \
	src/netdev/dummy.h \
	src/netdev/ethtool.cc \
	src/netdev/ethtool.h \
	src/netdev/kernel_device.cc \
	src/netdev/kernel_device.h \
	src/netdev/link_table.cc \
	src/netdev/link_table.h \
	src/netdev/netdev.h \
	src/netdev/packet_socket.cc \
	src/netdev/packet_socket.h \
	src/netdev/patch.cc \
	src/netdev/patch.h \
	src/netdev/pcap_writer.cc \
	src/netdev/pcap_writer.h \
	src/netdev/registry.cc \
	src/netdev/registry.h \
	src/netdev/rx_ring.cc \
	src/netdev/rx_ring.h \
	src/netdev/stable_descriptor.h \
	src/netdev/system.cc \
	src/netdev/system.h \
	src/netdev/tap.cc \
	src/netdev/tap.h \
	src/netdev/unfinished_checksum.cc \
	src/netdev/unfinished_checksum.h \
	src/netdev/vnet_header.h \
	src/netdev/xsk_ring.h
if AFXDP
libovs_netdev_a_SOURCES += \
	src/netdev/afxdp.cc \
	src/netdev/afxdp.h \
	src/netdev/xdp_program.cc \
	src/netdev/xdp_program.h \
	src/netdev/xsk_socket.cc \
	src/netdev/xsk_socket.h
else
libovs_netdev_a_SOURCES += src/netdev/afxdp_absent.cc
endif
