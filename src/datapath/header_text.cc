#include "datapath/header_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace ovs::datapath {

namespace {

using flow::FlowKey;
using flow::Place;

#define PLACE(member, shift, bits) Place{offsetof(FlowKey, member), sizeof(FlowKey::member), shift, bits}

constexpr HeaderMember priority[] = {{"", MemberFormat::hexadecimal, PLACE(skb_priority, 0, 32)}};
constexpr HeaderMember mark[] = {{"", MemberFormat::hexadecimal, PLACE(pkt_mark, 0, 32)}};
constexpr HeaderMember zone[] = {{"", MemberFormat::hexadecimal, PLACE(ct_zone, 0, 16)}};
constexpr HeaderMember ct_mark[] = {{"", MemberFormat::hexadecimal, PLACE(ct_mark, 0, 32)}};
constexpr HeaderMember label[] = {{"", MemberFormat::wide, PLACE(ct_label, 0, 128)}};
constexpr HeaderMember recirc_id[] = {{"", MemberFormat::hexadecimal, PLACE(recirc_id, 0, 32)}};
constexpr HeaderMember dp_hash[] = {{"", MemberFormat::hexadecimal, PLACE(dp_hash, 0, 32)}};
constexpr HeaderMember packet_type[] = {
    {"ns", MemberFormat::decimal, PLACE(packet_type, 16, 16)},
    {"id", MemberFormat::hexadecimal, PLACE(packet_type, 0, 16)},
};
constexpr HeaderMember eth[] = {
    {"src", MemberFormat::ethernet, PLACE(eth_src, 0, 48)},
    {"dst", MemberFormat::ethernet, PLACE(eth_dst, 0, 48)},
};
constexpr HeaderMember ipv4[] = {
    {"src", MemberFormat::ipv4, PLACE(nw_src, 0, 32)},        {"dst", MemberFormat::ipv4, PLACE(nw_dst, 0, 32)},
    {"proto", MemberFormat::decimal, PLACE(nw_proto, 0, 8)},  {"tos", MemberFormat::hexadecimal, PLACE(nw_tos, 0, 8)},
    {"ttl", MemberFormat::decimal, PLACE(nw_ttl, 0, 8)},      {"frag", MemberFormat::frag, PLACE(nw_frag, 0, 2)},
};
constexpr HeaderMember ipv6[] = {
    {"src", MemberFormat::ipv6, PLACE(ipv6_src, 0, 128)},
    {"dst", MemberFormat::ipv6, PLACE(ipv6_dst, 0, 128)},
    {"label", MemberFormat::hexadecimal, PLACE(ipv6_label, 0, 20)},
    {"proto", MemberFormat::decimal, PLACE(nw_proto, 0, 8)},
    {"tclass", MemberFormat::hexadecimal, PLACE(nw_tos, 0, 8)},
    {"hlimit", MemberFormat::decimal, PLACE(nw_ttl, 0, 8)},
    {"frag", MemberFormat::frag, PLACE(nw_frag, 0, 2)},
};
constexpr HeaderMember ports[] = {
    {"src", MemberFormat::decimal, PLACE(tp_src, 0, 16)},
    {"dst", MemberFormat::decimal, PLACE(tp_dst, 0, 16)},
};
constexpr HeaderMember icmp[] = {
    {"type", MemberFormat::decimal, PLACE(tp_src, 0, 8)},
    {"code", MemberFormat::decimal, PLACE(tp_dst, 0, 8)},
};
constexpr HeaderMember nd[] = {
    {"target", MemberFormat::ipv6, PLACE(nd_target, 0, 128)},
    {"sll", MemberFormat::ethernet, PLACE(arp_sha, 0, 48)},
    {"tll", MemberFormat::ethernet, PLACE(arp_tha, 0, 48)},
};
constexpr HeaderMember arp[] = {
    {"sip", MemberFormat::ipv4, PLACE(nw_src, 0, 32)},       {"tip", MemberFormat::ipv4, PLACE(nw_dst, 0, 32)},
    {"op", MemberFormat::decimal, PLACE(arp_op, 0, 16)},     {"sha", MemberFormat::ethernet, PLACE(arp_sha, 0, 48)},
    {"tha", MemberFormat::ethernet, PLACE(arp_tha, 0, 48)},
};
constexpr HeaderMember mpls[] = {
    {"label", MemberFormat::vlan, PLACE(mpls_lse[0], 12, 20)},
    {"tc", MemberFormat::decimal, PLACE(mpls_lse[0], 9, 3)},
    {"ttl", MemberFormat::vlan, PLACE(mpls_lse[0], 0, 8)},
    {"bos", MemberFormat::decimal, PLACE(mpls_lse[0], 8, 1)},
};
constexpr HeaderMember vlan_outer[] = {
    {"vid", MemberFormat::vlan, PLACE(vlan[0].tci, 0, 12)},
    {"pcp", MemberFormat::vlan, PLACE(vlan[0].tci, 13, 3)},
};
constexpr HeaderMember vlan_inner[] = {
    {"vid", MemberFormat::vlan, PLACE(vlan[1].tci, 0, 12)},
    {"pcp", MemberFormat::vlan, PLACE(vlan[1].tci, 13, 3)},
};

// In the order in which they are written; the names of the two tags are not their text's.
constexpr Header headers[] = {
    {"skb_priority", priority}, {"skb_mark", mark},       {"ct_zone", zone},     {"ct_mark", ct_mark},
    {"ct_label", label},        {"recirc_id", recirc_id}, {"dp_hash", dp_hash},  {"packet_type", packet_type},
    {"eth", eth},               {"vlan", vlan_outer},     {"vlan/inner", vlan_inner}, {"ipv4", ipv4},
    {"ipv6", ipv6},             {"arp", arp},             {"mpls", mpls},        {"tcp", ports},
    {"udp", ports},             {"sctp", ports},          {"icmp", icmp},        {"icmpv6", icmp},
    {"nd", nd},
};

std::uint64_t all_ones(const Place& place) { return place.bits == 64 ? ~0ull : (1ull << place.bits) - 1; }

const std::uint8_t* bytes_of(const FlowKey& key, const Place& place) {
  return reinterpret_cast<const std::uint8_t*>(&key) + place.offset;
}
std::uint8_t* bytes_of(FlowKey& key, const Place& place) {
  return reinterpret_cast<std::uint8_t*>(&key) + place.offset;
}

bool is_wide(const Place& place) { return place.storage > 8; }

enum class Coverage : std::uint8_t { none, some, all };
Coverage coverage(const FlowKey& mask, const Place& place) {
  if (is_wide(place)) {
    const std::span bytes(bytes_of(mask, place), place.storage);
    if (std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0; })) return Coverage::none;
    if (std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0xff; })) return Coverage::all;
    return Coverage::some;
  }
  const std::uint64_t bits = get_bits(mask, place);
  return bits == 0 ? Coverage::none : bits == all_ones(place) ? Coverage::all : Coverage::some;
}

void append_wide(std::string& out, const std::uint8_t* bytes) {
  std::size_t i = 0;
  while (i < 16 && bytes[i] == 0) i++;
  if (i == 16) {
    out += '0';
    return;
  }
  fmt::format_to(std::back_inserter(out), "{:#x}", bytes[i]);
  while (++i < 16) fmt::format_to(std::back_inserter(out), "{:02x}", bytes[i]);
}

flow::EthAddr ethernet_at(const std::uint8_t* bytes) {
  flow::EthAddr address;
  std::memcpy(&address, bytes, sizeof address);
  return address;
}

flow::Ipv6Addr ipv6_at(const std::uint8_t* bytes) {
  flow::Ipv6Addr address;
  std::memcpy(&address, bytes, sizeof address);
  return address;
}

void append_value(std::string& out, const HeaderMember& member, const FlowKey& key, bool is_mask) {
  const std::uint8_t* bytes = bytes_of(key, member.place);
  switch (member.format) {
    case MemberFormat::decimal:
      if (is_mask) {
        append_hexadecimal(out, get_bits(key, member.place));
      } else {
        fmt::format_to(std::back_inserter(out), "{}", get_bits(key, member.place));
      }
      break;
    case MemberFormat::vlan:
      fmt::format_to(std::back_inserter(out), is_mask ? fmt::runtime("0x{:x}") : fmt::runtime("{}"),
                     get_bits(key, member.place));
      break;
    case MemberFormat::hexadecimal: append_hexadecimal(out, get_bits(key, member.place)); break;
    case MemberFormat::ethernet: out += format_ethernet(ethernet_at(bytes)); break;
    case MemberFormat::ipv4: {
      be32 address;
      std::memcpy(&address, bytes, sizeof address);
      out += format_ipv4(address);
      break;
    }
    case MemberFormat::ipv6: out += format_ipv6(ipv6_at(bytes)); break;
    case MemberFormat::wide: append_wide(out, bytes); break;
    case MemberFormat::frag: {
      const std::uint64_t bits = get_bits(key, member.place);
      if (is_mask) {
        append_hexadecimal(out, bits);
      } else {
        out += bits & flow::frag_later ? "later" : bits & flow::frag_any ? "first" : "no";
      }
      break;
    }
  }
}

Result<std::array<std::uint8_t, 16>> parse_wide(TextCursor& text) {
  const TextCursor at = text;
  if (!text.take("0x") && !text.take("0X")) {
    OVS_TRY(const std::uint64_t low, text.number(~0ull));
    std::array<std::uint8_t, 16> bytes{};
    for (unsigned i = 0; i < 8; i++) bytes[15 - i] = static_cast<std::uint8_t>(low >> (8 * i));
    return bytes;
  }
  const std::string_view digits = text.take_word();
  if (digits.empty() || digits.size() > 32) return at.failure("a number of up to 128 bits is missing");
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = 0; i < digits.size(); i++) {
    const char c = digits[digits.size() - 1 - i];
    unsigned digit;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return at.failure("a hexadecimal number is wrong");
    }
    bytes[15 - i / 2] |= static_cast<std::uint8_t>(digit << (4 * (i % 2)));
  }
  return bytes;
}

Result<flow::EthAddr> parse_ethernet(TextCursor& text) {
  const TextCursor at = text;
  flow::EthAddr address;
  for (std::size_t i = 0; i < address.bytes.size(); i++) {
    if (i > 0 && !text.take(":")) return at.failure("an Ethernet address is wrong");
    unsigned value = 0, digits = 0;
    for (; digits < 2; digits++) {
      const char c = text.peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) break;
      value = value * 16 + static_cast<unsigned>(digit);
      (void)text.take(std::string_view(&c, 1));
    }
    if (digits == 0) return at.failure("an Ethernet address is wrong");
    address.bytes[i] = static_cast<std::uint8_t>(value);
  }
  return address;
}

template <class Address>
Result<Address> parse_ip(int family, TextCursor& text) {
  const TextCursor at = text;
  const std::string word(text.take_until("/,) \t\r\n"));
  Address address;
  if (inet_pton(family, word.c_str(), &address) != 1 || word.size() != std::strlen(word.c_str())) {
    return at.failure(family == AF_INET ? "an IPv4 address is wrong" : "an IPv6 address is wrong");
  }
  return address;
}

Result<void> parse_value(TextCursor& text, const HeaderMember& member, FlowKey& key, bool is_mask) {
  std::uint8_t* bytes = bytes_of(key, member.place);
  switch (member.format) {
    case MemberFormat::decimal:
    case MemberFormat::hexadecimal:
    case MemberFormat::vlan: {
      OVS_TRY(const std::uint64_t value, text.number(all_ones(member.place)));
      set_bits(key, member.place, value);
      return {};
    }
    case MemberFormat::ethernet: {
      OVS_TRY(const flow::EthAddr address, parse_ethernet(text));
      std::memcpy(bytes, &address, sizeof address);
      return {};
    }
    case MemberFormat::ipv4: {
      OVS_TRY(const be32 address, parse_ip<be32>(AF_INET, text));
      std::memcpy(bytes, &address, sizeof address);
      return {};
    }
    case MemberFormat::ipv6: {
      OVS_TRY(const flow::Ipv6Addr address, parse_ip<flow::Ipv6Addr>(AF_INET6, text));
      std::memcpy(bytes, &address, sizeof address);
      return {};
    }
    case MemberFormat::wide: {
      OVS_TRY(const auto value, parse_wide(text));
      std::memcpy(bytes, value.data(), value.size());
      return {};
    }
    case MemberFormat::frag: {
      const TextCursor at = text;
      if (is_mask) {
        OVS_TRY(const std::uint64_t value, text.number(all_ones(member.place)));
        set_bits(key, member.place, value);
        return {};
      }
      const std::string_view word = text.take_word();
      if (word != "no" && word != "first" && word != "later") return at.failure("frag is none of no, first, later");
      set_bits(key, member.place, word == "no" ? 0 : word == "first" ? flow::frag_any : flow::frag_any | flow::frag_later);
      return {};
    }
  }
  return {};
}

Result<void> parse_member(TextCursor& text, const HeaderMember& member, FlowKey& key, FlowKey& mask, bool with_masks) {
  OVS_TRY_DO(parse_value(text, member, key, false));
  if (text.peek() == '/') {
    if (!with_masks) return text.failure("a mask is not allowed");
    (void)text.take("/");
    return parse_value(text, member, mask, true);
  }
  if (is_wide(member.place)) {
    std::memset(bytes_of(mask, member.place), 0xff, member.place.storage);
  } else {
    set_bits(mask, member.place, all_ones(member.place));
  }
  return {};
}

}  // namespace

std::uint64_t get_bits(const FlowKey& key, const Place& place) {
  const std::uint8_t* bytes = bytes_of(key, place);
  std::uint64_t value = 0;
  for (unsigned i = 0; i < place.storage; i++) value = value << 8 | bytes[i];
  return value >> place.shift & all_ones(place);
}

void set_bits(FlowKey& key, const Place& place, std::uint64_t value) {
  std::uint8_t* bytes = bytes_of(key, place);
  const std::uint64_t mask = all_ones(place) << place.shift;
  value = value << place.shift & mask;
  for (unsigned i = 0; i < place.storage; i++) {
    const unsigned at = 8 * (place.storage - 1 - i);
    bytes[i] = static_cast<std::uint8_t>((bytes[i] & ~(mask >> at)) | value >> at);
  }
}

const Header* find_header(std::string_view name) {
  const auto found = std::ranges::find(headers, name, &Header::name);
  return found == std::end(headers) ? nullptr : &*found;
}

const Header& header(std::string_view name) {
  const Header* found = find_header(name);
  OVS_CHECK(found != nullptr, name);
  return *found;
}

bool has_bits(const FlowKey& key, const Header& header) {
  return std::ranges::any_of(header.members,
                             [&](const HeaderMember& m) { return coverage(key, m.place) != Coverage::none; });
}

void append_members(std::string& out, const Header& header, const FlowKey& key, const FlowKey& mask, bool all) {
  const std::size_t begin = out.size();
  for (const HeaderMember& member : header.members) {
    const Coverage covered = coverage(mask, member.place);
    if (covered == Coverage::none && !all) continue;
    if (out.size() > begin) out += ',';
    if (!member.name.empty()) {
      out += member.name;
      out += '=';
    }
    append_value(out, member, key, false);
    if (covered != Coverage::all) {
      out += '/';
      append_value(out, member, mask, true);
    }
  }
}

void append_header(std::string& out, const Header& header, const FlowKey& key, const FlowKey& mask, bool all) {
  out += header.name;
  out += '(';
  append_members(out, header, key, mask, all);
  out += ')';
}

Result<void> parse_members(TextCursor& text, const Header& header, FlowKey& key, FlowKey& mask, bool with_masks) {
  if (header.members.size() == 1 && header.members[0].name.empty()) {
    OVS_TRY_DO(parse_member(text, header.members[0], key, mask, with_masks));
    return text.expect(')');
  }
  for (;;) {
    text.skip_separators();
    if (text.take(")")) return {};
    const TextCursor at = text;
    const std::string_view name = text.take_word();
    const auto member = std::ranges::find(header.members, name, &HeaderMember::name);
    if (name.empty() || member == header.members.end()) {
      return at.failure(fmt::format("{} has no such member", header.name));
    }
    OVS_TRY_DO(text.expect('='));
    OVS_TRY_DO(parse_member(text, *member, key, mask, with_masks));
  }
}

void append_hexadecimal(std::string& out, std::uint64_t value) {
  if (value == 0) {
    out += '0';
  } else {
    fmt::format_to(std::back_inserter(out), "{:#x}", value);
  }
}

std::string format_ethernet(const flow::EthAddr& address) {
  const auto& b = address.bytes;
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4], b[5]);
}

std::string format_ipv4(be32 address) {
  const std::uint32_t a = address.host();
  return fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

std::string format_ipv6(const flow::Ipv6Addr& address) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

}  // namespace ovs::datapath
