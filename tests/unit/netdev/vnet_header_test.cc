#include "netdev/vnet_header.h"

#include <gtest/gtest.h>
#include <linux/if_packet.h>

#include "netdev/packet_socket.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

flow::Packet tcp_packet(std::size_t size) {
  flow::Packet packet = test::large_segment(size - 54);
  packet.offload = {};
  return packet;
}

TEST(VnetHeader, SaysNothingOfAPlainFrame) {
  const VnetHeader header = make_vnet_header(tcp_packet(100));
  EXPECT_EQ(header.flags, 0);
  EXPECT_EQ(header.gso_type, vnet_gso_none);
  flow::Offload offload;
  offload.needs_checksum = true;
  EXPECT_TRUE(read_vnet_header(header, 100, offload));
  EXPECT_FALSE(offload.any());
}

TEST(VnetHeader, CarriesAnUnfinishedChecksum) {
  auto packet = tcp_packet(100);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = 34;
  packet.offload.checksum_offset = 16;
  const VnetHeader header = make_vnet_header(packet);
  EXPECT_EQ(header.flags, vnet_flag_needs_checksum);
  flow::Offload read;
  ASSERT_TRUE(read_vnet_header(header, 100, read));
  EXPECT_TRUE(read.needs_checksum);
  EXPECT_EQ(read.checksum_start, 34);
  EXPECT_EQ(read.checksum_offset, 16);
  EXPECT_EQ(read.gso, flow::Gso::none);
}

TEST(VnetHeader, CarriesEveryKindOfSegmentation) {
  for (const auto kind : {flow::Gso::tcp4, flow::Gso::tcp6, flow::Gso::udp}) {
    for (const bool ecn : {false, true}) {
      if (ecn && kind == flow::Gso::udp) continue;
      auto packet = tcp_packet(5000);
      packet.offload.needs_checksum = true;
      packet.offload.checksum_start = 34;
      packet.offload.checksum_offset = kind == flow::Gso::udp ? 6 : 16;
      packet.offload.gso = kind;
      packet.offload.gso_ecn = ecn;
      packet.offload.segment_bytes = 1400;
      const VnetHeader header = make_vnet_header(packet);
      EXPECT_EQ(header.hdr_len, kind == flow::Gso::udp ? 42 : 54);
      flow::Offload read;
      ASSERT_TRUE(read_vnet_header(header, packet.size(), read));
      EXPECT_EQ(read.gso, kind);
      EXPECT_EQ(read.gso_ecn, ecn);
      EXPECT_EQ(read.segment_bytes, 1400);
    }
  }
}

TEST(VnetHeader, DoesNotVouchForWhatADeviceHasVerified) {
  VnetHeader header{};
  header.flags = vnet_flag_data_valid;
  auto packet = tcp_packet(100);
  ASSERT_TRUE(read_vnet_header(header, 100, packet.offload));
  EXPECT_TRUE(packet.offload.checksum_good);
  EXPECT_EQ(make_vnet_header(packet).flags, 0);
}

TEST(VnetHeader, RefusesWhatMakesNoSense) {
  flow::Offload offload;
  VnetHeader header{};
  header.flags = vnet_flag_needs_checksum;
  header.csum_start = 90;
  header.csum_offset = 8;
  EXPECT_TRUE(read_vnet_header(header, 100, offload));
  header.csum_offset = 9;  // the checksum's second byte is outside
  EXPECT_FALSE(read_vnet_header(header, 100, offload));
  header.csum_start = 0xffff;
  header.csum_offset = 0xffff;
  EXPECT_FALSE(read_vnet_header(header, 100, offload));

  header = {};
  header.gso_type = vnet_gso_tcp4;  // into segments of nothing
  EXPECT_FALSE(read_vnet_header(header, 100, offload));
  header.gso_size = 1000;
  EXPECT_TRUE(read_vnet_header(header, 100, offload));
  header.gso_type = 3;  // UFO, which no kernel makes any more
  EXPECT_FALSE(read_vnet_header(header, 100, offload));
}

TEST(VnetHeader, ReadsNothingBehindAShortFrame) {
  for (std::size_t size = 0; size < 60; ++size) {
    auto packet = flow::Packet::copy_of(test::Frame(size));
    packet.offload.gso = flow::Gso::tcp4;
    packet.offload.needs_checksum = true;
    packet.offload.checksum_start = 34;
    packet.offload.segment_bytes = 10;
    EXPECT_LE(make_vnet_header(packet).hdr_len, size);
  }
}

TEST(RestoreVlanTag, PutsTheTagBackAndMovesTheChecksum) {
  const test::Frame frame = test::text_frame("tagged");
  auto packet = flow::Packet::copy_of(frame);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = 20;
  tpacket_auxdata beside{};
  beside.tp_status = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
  beside.tp_vlan_tci = 0x6064;
  beside.tp_vlan_tpid = 0x88a8;
  restore_vlan_tag(packet, beside);
  EXPECT_EQ(test::bytes_of(packet), test::with_tag(frame, 0x88a8, 0x6064));
  EXPECT_EQ(packet.offload.checksum_start, 24);
}

TEST(RestoreVlanTag, TakesA8021QTagWhereTheKernelDoesNotSayWhich) {
  auto packet = flow::Packet::copy_of(test::text_frame("tagged"));
  tpacket_auxdata beside{};
  beside.tp_status = TP_STATUS_VLAN_VALID;
  restore_vlan_tag(packet, beside);
  EXPECT_EQ(test::bytes_of(packet), test::with_tag(test::text_frame("tagged"), 0x8100, 0));
}

TEST(RestoreVlanTag, LeavesAnUntaggedFrameAlone) {
  auto packet = flow::Packet::copy_of(test::text_frame("untagged"));
  restore_vlan_tag(packet, tpacket_auxdata{});
  EXPECT_EQ(test::bytes_of(packet), test::text_frame("untagged"));
}

}  // namespace
}  // namespace ovs::netdev
