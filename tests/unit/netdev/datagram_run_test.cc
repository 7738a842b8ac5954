#include "netdev/datagram_run.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "flow/checksum.h"
#include "flow/offload.h"
#include "netdev/registry.h"
#include "private_network.h"

namespace ovs::netdev {
namespace {

using test::Frame;

struct Datagram {
  bool ipv6 = false;
  std::uint16_t id = 100;
  std::size_t payload = 64;
  std::uint8_t fill = 1;
  std::optional<std::uint16_t> vlan = {};
};

// A datagram as a host sends it that leaves the checksum to the hardware.
flow::Packet make(const Datagram& d) {
  const std::size_t l3 = d.vlan ? 18 : 14, l4 = l3 + (d.ipv6 ? 40 : 20), length = 8 + d.payload;
  Frame frame = {0x02, 0, 0, 0, 0, 0x0b, 0x02, 0, 0, 0, 0, 0x0a};
  const auto put16 = [&](std::size_t x) {
    frame.push_back(static_cast<std::uint8_t>(x >> 8));
    frame.push_back(static_cast<std::uint8_t>(x));
  };
  if (d.vlan) {
    put16(0x8100);
    put16(*d.vlan);
  }
  flow::Sum pseudo;
  if (d.ipv6) {
    put16(0x86dd);
    for (const std::size_t x : {std::size_t{0x6000}, std::size_t{0}, length, std::size_t{0x1140}}) put16(x);
    flow::Ipv6Addr src{{0xfd, 1}}, dst{{0xfd, 2}};
    frame.insert(frame.end(), src.bytes.begin(), src.bytes.end());
    frame.insert(frame.end(), dst.bytes.begin(), dst.bytes.end());
    pseudo = flow::pseudo_header(src, dst, 17, length);
  } else {
    put16(0x0800);
    for (const std::size_t x : {std::size_t{0x4500}, 20 + length, std::size_t{d.id}, std::size_t{0x4000},
                                std::size_t{0x4011}, std::size_t{0}, std::size_t{0xc000}, std::size_t{0x0201},
                                std::size_t{0xc000}, std::size_t{0x0202}})
      put16(x);
    const auto sum = flow::checksum({frame.data() + l3, 20}).host();
    frame[l3 + 10] = static_cast<std::uint8_t>(sum >> 8);
    frame[l3 + 11] = static_cast<std::uint8_t>(sum);
    pseudo = flow::pseudo_header(be32::from_host(0xc0000201), be32::from_host(0xc0000202), 17, length);
  }
  for (const std::size_t x : {std::size_t{4000}, std::size_t{4001}, length, std::size_t{pseudo.folded().host()}}) put16(x);
  frame.resize(frame.size() + d.payload, d.fill);
  auto packet = flow::Packet::copy_of(frame);
  packet.offload.needs_checksum = true;
  packet.offload.checksum_start = static_cast<std::uint16_t>(l4);
  packet.offload.checksum_offset = 6;
  return packet;
}

struct Batch {
  explicit Batch(const std::vector<Datagram>& datagrams) {
    for (const auto& d : datagrams) packets.push_back(make(d));
    for (auto& packet : packets) pointers.push_back(&packet);
  }
  std::size_t run() {
    DatagramRun found;
    return find_run(pointers, found);
  }
  std::vector<flow::Packet> packets;
  std::vector<flow::Packet*> pointers;
};

std::vector<Datagram> alike(std::size_t count, Datagram d = {}) {
  std::vector<Datagram> all;
  for (std::size_t i = 0; i < count; ++i, ++d.id, ++d.fill) all.push_back(d);
  return all;
}

// The large datagram that stands for `count` packets.
flow::Packet merged(const Batch& batch, const DatagramRun& run) {
  Frame frame(run.headers.begin(), run.headers.begin() + static_cast<std::ptrdiff_t>(run.header_bytes));
  for (std::size_t i = 0; i < run.count; ++i) {
    const auto bytes = batch.packets[i].bytes().subspan(run.header_bytes);
    frame.insert(frame.end(), bytes.begin(), bytes.end());
  }
  auto packet = flow::Packet::copy_of(frame);
  EXPECT_TRUE(read_vnet_header(run.offload, frame.size(), packet.offload));
  return packet;
}

// Cutting it gives what was there, with the checksums finished.
void expect_exact(const std::vector<Datagram>& datagrams) {
  Batch batch(datagrams);
  DatagramRun run;
  ASSERT_EQ(find_run(batch.pointers, run), datagrams.size());
  std::vector<flow::Packet> cut;
  ASSERT_TRUE(flow::segment(merged(batch, run), cut))
      << datagrams.size() << " of " << datagrams[0].payload << (datagrams[0].ipv6 ? " IPv6" : "");
  ASSERT_EQ(cut.size(), datagrams.size());
  for (std::size_t i = 0; i < cut.size(); ++i) {
    ASSERT_TRUE(flow::finish_checksum(cut[i]));
    ASSERT_TRUE(flow::finish_checksum(batch.packets[i]));
    EXPECT_EQ(test::bytes_of(cut[i]), test::bytes_of(batch.packets[i])) << i;
  }
}

TEST(DatagramRun, IsExactly) {
  expect_exact(alike(32));
  expect_exact(alike(2, {.id = 0xffff}));
  expect_exact(alike(7, {.payload = 16}));
  expect_exact(alike(20, {.payload = 548}));
  expect_exact(alike(5, {.payload = 333, .vlan = 0x6007}));
  expect_exact(alike(32, {.ipv6 = true}));
  expect_exact(alike(3, {.ipv6 = true, .payload = 101, .vlan = 7}));
  auto shorter_end = alike(9, {.payload = 200});
  shorter_end.back().payload = 13;
  expect_exact(shorter_end);
  for (auto& d : shorter_end) d.ipv6 = true;
  expect_exact(shorter_end);
}

TEST(DatagramRun, EndsBehindAShorterOne) {
  auto datagrams = alike(6);
  datagrams[2].payload = 60;
  EXPECT_EQ(Batch(datagrams).run(), 3u);
  datagrams[2].payload = 65;
  EXPECT_EQ(Batch(datagrams).run(), 2u);
}

TEST(DatagramRun, HasConsecutiveIdentifications) {
  auto datagrams = alike(6);
  datagrams[3].id = 100;
  EXPECT_EQ(Batch(datagrams).run(), 3u);
  for (auto& d : datagrams) d.id = 0;
  EXPECT_EQ(Batch(datagrams).run(), 1u);
}

TEST(DatagramRun, IsOfOneFlow) {
  // Any bit of the headers that differs, other than those that may, ends the run.
  for (const bool ipv6 : {false, true}) {
    const std::size_t headers = ipv6 ? 62 : 42;
    for (std::size_t bit = 0; bit < headers * 8; ++bit) {
      Batch batch(alike(3, {.ipv6 = ipv6}));
      batch.packets[2].data()[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_EQ(batch.run(), 2u) << "bit " << bit;
    }
  }
}

TEST(DatagramRun, IsOfPlainUnfinishedDatagrams) {
  const auto run_with = [](const std::function<void(flow::Packet&)>& change) {
    Batch batch(alike(3));
    for (auto& packet : batch.packets) change(packet);
    return batch.run();
  };
  EXPECT_EQ(run_with([](flow::Packet&) {}), 3u);
  EXPECT_EQ(run_with([](flow::Packet& p) { p.offload.needs_checksum = false; }), 1u);
  EXPECT_EQ(run_with([](flow::Packet& p) { p.offload.gso = flow::Gso::udp; }), 1u);
  EXPECT_EQ(run_with([](flow::Packet& p) { p.offload.checksum_offset = 16; }), 1u);
  EXPECT_EQ(run_with([](flow::Packet& p) { p.offload.checksum_start = 38; }), 1u);
  EXPECT_EQ(run_with([](flow::Packet& p) { p.data()[20] = 0x20; }), 1u);     // more fragments
  EXPECT_EQ(run_with([](flow::Packet& p) { p.data()[23] = 6; }), 1u);        // TCP
  EXPECT_EQ(run_with([](flow::Packet& p) { p.data()[14] = 0x46; }), 1u);     // IP options
  EXPECT_EQ(run_with([](flow::Packet& p) { p.set_size(p.size() + 4); }), 1u);  // padding
  EXPECT_EQ(Batch(alike(3, {.payload = 600})).run(), 1u);
  EXPECT_EQ(Batch(alike(3, {.payload = 15})).run(), 1u);
  EXPECT_EQ(Batch(alike(3, {.payload = 0})).run(), 1u);
}

TEST(DatagramRun, ReadsNothingBehindShortFrames) {
  for (std::size_t size = 0; size < 60; ++size) {
    for (std::uint16_t start = 0; start < 70; start = static_cast<std::uint16_t>(start + 3)) {
      Batch batch(alike(2));
      for (auto& packet : batch.packets) {
        packet.set_size(size);
        packet.offload.checksum_start = start;
      }
      EXPECT_EQ(batch.run(), 1u);
    }
  }
}

// Through a pair of devices: what the kernel makes of it.
TEST(DatagramRun, ArrivesAsItWasSent) {
  test::run("ip link add port type veth peer name far && ip link set port up && ip link set far up");
  const auto registry = test::open_registry();
  const auto device = test::create(*registry, "port");
  test::FarEnd far("far");
  auto datagrams = alike(30);
  datagrams[10].id = 7;  // three runs, and one datagram in between by itself
  datagrams[20].payload = 30;
  Batch batch(datagrams);
  device->send(batch.pointers);
  std::vector<flow::Packet> cut;
  for (std::size_t i = 0; cut.size() < datagrams.size(); ++i) {
    auto packet = far.receive([](const flow::Packet& p) { return p.size() > 40 && p.data()[23] == 17; });
    ASSERT_TRUE(packet);
    if (packet->offload.gso == flow::Gso::none) {
      cut.push_back(std::move(*packet));
    } else {
      ASSERT_TRUE(flow::segment(*packet, cut));
    }
    ASSERT_LE(i, 4u) << "they were sent one by one";
  }
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    ASSERT_TRUE(flow::finish_checksum(cut[i]));
    ASSERT_TRUE(flow::finish_checksum(batch.packets[i]));
    EXPECT_EQ(test::bytes_of(cut[i]), test::bytes_of(batch.packets[i])) << i;
  }
  test::run("ip link del port");
}

}  // namespace
}  // namespace ovs::netdev
