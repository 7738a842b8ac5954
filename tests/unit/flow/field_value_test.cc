// Values of every field of the table: into a key and out of it, into text and out of it.
#include "flow/field_value.h"

#include <gtest/gtest.h>

#include <random>

#include "flow/extra_fields.h"
#include "flow/match.h"

namespace ovs::flow {
namespace {

MaskedValue random_value(std::mt19937& random, const Field& f) {
  MaskedValue v;
  const FieldValue all = exact_mask(f);
  const bool masked = f.masking == Masking::any && random() % 2 == 0;
  for (std::size_t i = 0; i < f.wire_bytes; i++) {
    v.mask.bytes[i] = masked ? static_cast<std::uint8_t>(all.bytes[i] & random()) : all.bytes[i];
    v.value.bytes[i] = static_cast<std::uint8_t>(v.mask.bytes[i] & random());
  }
  return v;
}

// Values that exist only as what the random bits happen to mean.
bool is_regular(const Field& f, const MaskedValue& v) {
  if (f.wire_bytes > 8) return true;
  const std::uint64_t n = v.value.number(f);
  const auto [least, most] = value_range(f);
  if (n < least || n > most) return false;
  // There are more bits than flags, and what all flags mask is the whole field.
  if (f.format == Format::ct_state) return n <= 0xff && (v.mask.number(f) & 0xff) != 0xff && v.mask.number(f) <= 0xff;
  // Two words say the same with fewer bits.
  if (f.format == Format::frag) return v.mask.number(f) == 3;
  if (f.format == Format::port) return n <= 0xfeff || n >= 0xffffff00;
  return true;
}

TEST(FieldValue, EveryFieldComesBackFromAKey) {
  std::mt19937 random(1);
  for (const Field& f : fields) {
    if (is_tunnel_metadata(f.id)) continue;
    for (int i = 0; i < 20; i++) {
      const FieldValue value = random_value(random, f).value;
      FlowKey key{};
      set_field(key, f, value);
      EXPECT_EQ(get_field(key, f), value) << f.name;
      set_field(key, f, {});
      EXPECT_EQ(key, FlowKey{}) << f.name;
    }
  }
}

TEST(FieldValue, SettingAFieldLeavesAllOtherBits) {
  std::mt19937 random(2);
  for (const Field& f : fields) {
    if (is_tunnel_metadata(f.id)) continue;
    FlowKey ones;
    std::memset(&ones, 0xff, sizeof ones);
    set_field(ones, f, {});
    FlowKey mask{};
    set_field(mask, f, exact_mask(f));
    for (std::size_t i = 0; i < sizeof ones; i++) {
      const auto byte_of = [i](const FlowKey& key) { return reinterpret_cast<const std::uint8_t*>(&key)[i]; };
      EXPECT_EQ(byte_of(ones) ^ byte_of(mask), 0xff) << f.name << " byte " << i;
    }
  }
}

TEST(FieldValue, EveryFieldComesBackFromText) {
  std::mt19937 random(3);
  for (const Field& f : fields) {
    int done = 0;
    for (int i = 0; i < 4000 && done < 20; i++) {
      MaskedValue v = random_value(random, f);
      if (f.format == Format::ct_state) v.value.bytes = {}, v.mask.bytes[0] = v.mask.bytes[1] = v.mask.bytes[2] = 0;
      if (f.format == Format::port && i % 2 == 0) v.value.bytes[0] = v.value.bytes[1] = 0;
      if (f.format == Format::port && i % 2 == 1) v.value.bytes[0] = v.value.bytes[1] = v.value.bytes[2] = 0xff;
      if (!is_regular(f, v) || (is_zero(f, v.mask))) continue;
      std::string text;
      append_field(text, f, v.value, v.mask);
      const auto parsed = parse_field(f, text);
      ASSERT_TRUE(parsed) << f.name << " " << text << ": " << parsed.error().message;
      EXPECT_EQ(parsed->value, v.value) << f.name << " " << text;
      EXPECT_EQ(parsed->mask, v.mask) << f.name << " " << text;
      done++;
    }
    EXPECT_EQ(done, 20) << f.name;
  }
}

TEST(FieldValue, PortsAreConvertedBetween16And32Bits) {
  const Field& narrow = field(FieldId::in_port);
  const Field& wide = field(FieldId::in_port_oxm);
  FlowKey key{};
  set_field(key, narrow, FieldValue::of(narrow, 0xfffe));
  EXPECT_EQ(get_field(key, wide).number(wide), 0xfffffffe);
  set_field(key, wide, FieldValue::of(wide, 0x1234));
  EXPECT_EQ(get_field(key, narrow).number(narrow), 0x1234U);
  set_field(key, narrow, exact_mask(narrow));
  EXPECT_EQ(get_field(key, wide), exact_mask(wide)) << "a mask of the one is a mask of the other";
}

TEST(FieldValue, TosIsDscpInTheUpperBits) {
  const Field& tos = field(FieldId::nw_tos);
  const Field& dscp = field(FieldId::ip_dscp);
  FlowKey key{};
  key.nw_tos = 3;
  set_field(key, tos, FieldValue::of(tos, 0xb8));
  EXPECT_EQ(key.nw_tos, 0xbb) << "ECN stays";
  EXPECT_EQ(get_field(key, dscp).number(dscp), 46U);
  EXPECT_EQ(get_field(key, tos).number(tos), 0xb8U);
  EXPECT_EQ(exact_mask(tos).number(tos), 0xfcU);
  EXPECT_FALSE(fits(tos, FieldValue::of(tos, 1)));
  EXPECT_FALSE(parse_field(tos, "7"));
}

TEST(FieldValue, WhatIsWrongIsSaid) {
  const auto message = [](FieldId id, std::string_view text) {
    const auto parsed = parse_field(field(id), text);
    return parsed ? std::string("none") : parsed.error().message;
  };
  EXPECT_EQ(message(FieldId::ip_src, "1.2.3"), "ip_src: \"1.2.3\" is not an IPv4 address (A.B.C.D)");
  EXPECT_EQ(message(FieldId::ip_src, "1.2.3.4/33"), "ip_src: \"33\" is not a prefix length; allowed are 0 to 32");
  EXPECT_EQ(message(FieldId::ip_src, "1.2.3.4/x"), "ip_src: \"x\" is neither a prefix length nor a mask (A.B.C.D)");
  EXPECT_EQ(message(FieldId::tcp_src, "65536"), "tcp_src: \"65536\" is not allowed; allowed are 0 to 65535");
  EXPECT_EQ(message(FieldId::eth_type, "0x10000"), "eth_type: \"0x10000\" is not allowed; allowed are 0 to 0xffff");
  EXPECT_EQ(message(FieldId::nw_tos, "5"), "nw_tos: \"5\" is not allowed; allowed are multiples of 4 up to 252");
  EXPECT_EQ(message(FieldId::nsh_mdtype, "3"), "nsh_mdtype: \"3\" is not allowed; allowed are 0 to 2");
  EXPECT_EQ(message(FieldId::ct_label, "0x123456789012345678901234567890123"),
            "ct_label: \"0x123456789012345678901234567890123\" is not allowed; allowed are 16 bytes at most");
  EXPECT_EQ(message(FieldId::nw_ttl, "3/7"), "nw_ttl: \"3/7\" has a mask, but the field can only be matched as a whole");
  EXPECT_EQ(message(FieldId::reg0, "x"), "reg0: \"x\" is not a number");
  EXPECT_EQ(message(FieldId::reg0, ""), "reg0: \"\" is not a number");
  EXPECT_EQ(message(FieldId::reg0, "010"),
            "reg0: \"010\" is ambiguous: some programs read a number that begins with 0 as octal");
  EXPECT_EQ(message(FieldId::tun_flags, "+foo"), "tun_flags: \"foo\" is not a flag; the flags are oam");
  EXPECT_EQ(message(FieldId::ct_state, "+trk-trk"), "ct_state: \"+trk-trk\" names \"trk\" twice");
  EXPECT_EQ(message(FieldId::ct_state, "0x100"), "ct_state: \"0x100\" has flags beyond 0xff");
  EXPECT_EQ(message(FieldId::ip_frag, "maybe"), "ip_frag: \"maybe\" is not one of no, yes, first, later, not_later");
  EXPECT_EQ(message(FieldId::in_port, "70000"),
            "in_port: \"70000\" is not a port: a number up to 65279, or LOCAL, CONTROLLER, ...");
}

TEST(Fields, AreFoundByEveryName) {
  for (const Field& f : fields) {
    EXPECT_EQ(find_field(f.name), &f);
    if (!f.alias.empty()) {
      EXPECT_EQ(find_field(f.alias), &f);
    }
    for (const OxmCode& code : f.oxm) {
      if (code.name.empty()) continue;
      EXPECT_EQ(find_field(code.name), &f);
      EXPECT_EQ(find_field(code.oxm_class, code.field), &f);
    }
  }
  EXPECT_EQ(find_field("nxm_of_eth_type"), &field(FieldId::eth_type));
  EXPECT_EQ(find_field(""), nullptr);
  EXPECT_EQ(find_field("ETH_TYPE"), nullptr);
  EXPECT_EQ(find_field(nxm_of, 200), nullptr);
}

TEST(FlowKey, ColdPartsAreFound) {
  EXPECT_EQ(find_cold_parts(FlowKey{}), 0);
  const std::pair<FieldId, std::uint8_t> expected[] = {
      {FieldId::eth_src, 0},
      {FieldId::ct_label, 0},
      {FieldId::tun_id, cold_tunnel},
      {FieldId::tun_erspan_idx, cold_tunnel},
      {FieldId::metadata, cold_registers},
      {FieldId::reg15, cold_registers},
      {FieldId::skb_priority, cold_registers},
      {FieldId::ct_nw_src, cold_conntrack},
      {FieldId::ct_tp_dst, cold_conntrack},
      {FieldId::mpls_label, cold_mpls},
      {FieldId::nsh_flags, cold_nsh},
      {FieldId::nsh_c4, cold_nsh},
      {FieldId::arp_sha, cold_neighbor},
      {FieldId::nd_reserved, cold_neighbor},
  };
  for (const auto& [id, parts] : expected) {
    FlowKey key{};
    set_field(key, field(id), exact_mask(field(id)));
    EXPECT_EQ(find_cold_parts(key), parts) << field(id).name;
  }
}

TEST(Match, LooksOnlyAtItsMask) {
  std::mt19937 random(4);
  for (const Field& f : fields) {
    if (is_tunnel_metadata(f.id)) continue;
    FlowKey packet;
    for (std::size_t i = 0; i < sizeof packet; i++) {
      reinterpret_cast<std::uint8_t*>(&packet)[i] = static_cast<std::uint8_t>(random());
    }
    Mask mask;
    mask.look_at(f.id);
    FlowKey expected{};
    set_field(expected, f, exact_mask(f));
    EXPECT_EQ(mask.bits, expected) << f.name;
    const Match match = Match::of(packet, mask);
    EXPECT_EQ(match.key & mask, match.key) << f.name;
    EXPECT_TRUE(match.matches(packet)) << f.name;
    FlowKey other = packet;
    // Every bit outside the mask is another one.
    for (std::size_t i = 0; i < sizeof other; i++) {
      reinterpret_cast<std::uint8_t*>(&other)[i] ^= static_cast<std::uint8_t>(~reinterpret_cast<std::uint8_t*>(&mask.bits)[i]);
    }
    EXPECT_TRUE(match.matches(other)) << f.name;
    for (std::size_t bit = 0; bit < 8 * sizeof other; bit++) {
      if (!(reinterpret_cast<std::uint8_t*>(&mask.bits)[bit / 8] >> bit % 8 & 1)) continue;
      FlowKey flipped = packet;
      reinterpret_cast<std::uint8_t*>(&flipped)[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_FALSE(match.matches(flipped)) << f.name << " bit " << bit;
    }
  }
}

}  // namespace
}  // namespace ovs::flow
