#include "datapath/flow_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "datapath/header_text.h"
#include "datapath/text_cursor.h"
#include "flow/protocols.h"

namespace ovs::datapath {

namespace {

using flow::FlowKey;

constexpr be16 all_ones16{0xffff};

// Words for single bits: "+trk-new" where there is a mask, "new|trk" where all bits are matched.
struct BitNames {
  std::string_view header;
  flow::Place place;
  std::array<std::string_view, 12> names;  // lowest bit first
};
constexpr BitNames bit_names[] = {
    {"ct_state", {offsetof(FlowKey, ct_state), 4, 0, 32}, {"new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat"}},
    {"tcp_flags",
     {offsetof(FlowKey, tcp_flags), 2, 0, 12},
     {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns", "[200]", "[400]", "[800]"}},
};
const BitNames& ct_state_names = bit_names[0];
const BitNames& tcp_flags_names = bit_names[1];

std::uint64_t known_bits(const BitNames& bits) {
  const auto count = std::ranges::count_if(bits.names, [](std::string_view n) { return !n.empty(); });
  return (1ull << count) - 1;
}

void append_bits(std::string& out, const BitNames& bits, const FlowKey& key, const FlowKey& mask, bool all) {
  const std::uint64_t value = get_bits(key, bits.place);
  const std::uint64_t matched = get_bits(mask, bits.place);
  out += bits.header;
  out += '(';
  if (all && (matched & known_bits(bits)) != known_bits(bits)) {
    append_hexadecimal(out, value & matched);
    out += '/';
    append_hexadecimal(out, matched);
  } else if ((matched & known_bits(bits)) == known_bits(bits)) {
    const std::size_t begin = out.size();
    for (std::size_t i = 0; i < bits.names.size(); i++) {
      if (!(value >> i & 1)) continue;
      if (out.size() > begin) out += '|';
      out += bits.names[i];
    }
    if (out.size() == begin) out += '0';
  } else {
    for (std::size_t i = 0; i < bits.names.size(); i++) {
      if (!(matched >> i & 1)) continue;
      out += value >> i & 1 ? '+' : '-';
      out += bits.names[i];
    }
  }
  out += ')';
}

Result<std::uint64_t> parse_bit_name(TextCursor& text, const BitNames& bits) {
  for (std::size_t i = 0; i < bits.names.size(); i++) {
    TextCursor after = text;
    const bool bracket = after.peek() == '[';
    if (bits.names[i].empty()) continue;
    if (bracket ? after.take(bits.names[i]) : after.take_word() == bits.names[i]) {
      text = after;
      return 1ull << i;
    }
  }
  return text.failure(fmt::format("{} has no such flag", bits.header));
}

Result<void> parse_bits(TextCursor& text, const BitNames& bits, FlowKey& key, FlowKey& mask, bool with_masks) {
  const std::uint64_t max = (1ull << bits.place.bits) - 1;
  std::uint64_t value = 0, matched = max;
  if (text.peek() >= '0' && text.peek() <= '9') {
    OVS_TRY(value, text.number(max));
    if (text.peek() == '/') {
      if (!with_masks) return text.failure("a mask is not allowed");
      (void)text.take("/");
      OVS_TRY(matched, text.number(max));
    }
  } else if (text.peek() == '+' || text.peek() == '-') {
    if (!with_masks) return text.failure("a mask is not allowed");
    matched = 0;
    while (text.peek() == '+' || text.peek() == '-') {
      const bool set = text.take("+");
      if (!set) (void)text.take("-");
      OVS_TRY(const std::uint64_t bit, parse_bit_name(text, bits));
      matched |= bit;
      if (set) value |= bit;
    }
  } else if (text.peek() != ')') {
    do {
      OVS_TRY(const std::uint64_t bit, parse_bit_name(text, bits));
      value |= bit;
    } while (text.take("|"));
  }
  set_bits(key, bits.place, value);
  set_bits(mask, bits.place, matched);
  return text.expect(')');
}

// ---- writing

class Writer {
 public:
  Writer(const FlowKey& key, const FlowKey& mask, const PortName& name, bool all)
      : key_(key), mask_(mask), name_(name), all_(all) {}

  std::string write() {
    for (const char* metadata : {"skb_priority", "skb_mark"}) member_header(metadata);
    if (all_ || mask_.ct_state) append_bits(next(), ct_state_names, key_, mask_, all_);
    for (const char* metadata : {"ct_zone", "ct_mark", "ct_label", "recirc_id", "dp_hash"}) member_header(metadata);
    if (all_ || mask_.in_port) write_in_port();
    for (const char* link : {"packet_type", "eth"}) member_header(link);
    write_tags();
    return std::move(out_);
  }

 private:
  std::string& next() {
    if (!out_.empty() && out_.back() != '(') out_ += ',';
    return out_;
  }

  void member_header(const char* name) {
    const Header& h = header(name);
    if (all_ || has_bits(mask_, h)) append_header(next(), h, key_, mask_, all_);
  }

  void write_in_port() {
    const DpPort port{key_.in_port.host()};
    std::optional<std::string> name;
    if (name_) name = name_(port);
    next() += name ? fmt::format("in_port({})", *name) : fmt::format("in_port({})", raw(port));
    if (mask_.in_port != be32{0xffffffff}) {
      out_.pop_back();
      fmt::format_to(std::back_inserter(out_), "/{:#x})", mask_.in_port.host());
    }
  }

  void write_tags() {
    std::size_t tags = 0;
    while (tags < flow::max_vlan_tags && (key_.vlan[tags].tci & flow::vlan_present)) {
      const be16 tpid = key_.vlan[tags].tpid ? key_.vlan[tags].tpid : flow::eth_type::vlan;
      fmt::format_to(std::back_inserter(next()), "eth_type(0x{:04x}),vlan(", tpid.host());
      append_members(out_, header(tags == 0 ? "vlan" : "vlan/inner"), key_, mask_, true);
      out_ += "),encap(";
      tags++;
    }
    if (all_ || mask_.eth_type) {
      fmt::format_to(std::back_inserter(next()), "eth_type(0x{:04x}", key_.eth_type.host());
      if (mask_.eth_type != all_ones16) fmt::format_to(std::back_inserter(out_), "/0x{:04x}", mask_.eth_type.host());
      out_ += ')';
    }
    write_network();
    out_.append(tags, ')');
  }

  void write_network() {
    if (key_.eth_type == flow::eth_type::ipv4) {
      member_header("ipv4");
      write_transport();
    } else if (key_.eth_type == flow::eth_type::ipv6) {
      member_header("ipv6");
      write_transport();
    } else if (flow::is_arp(key_.eth_type)) {
      member_header("arp");
    } else if (flow::is_mpls(key_.eth_type)) {
      member_header("mpls");
    }
  }

  void write_transport() {
    const bool ipv6 = key_.eth_type == flow::eth_type::ipv6;
    if (key_.nw_frag & flow::frag_later) return;
    switch (key_.nw_proto) {
      case flow::ip_proto::tcp:
        member_header("tcp");
        if (all_ || mask_.tcp_flags) append_bits(next(), tcp_flags_names, key_, mask_, all_);
        break;
      case flow::ip_proto::udp: member_header("udp"); break;
      case flow::ip_proto::sctp: member_header("sctp"); break;
      case flow::ip_proto::icmp:
        if (!ipv6) member_header("icmp");
        break;
      case flow::ip_proto::icmpv6:
        if (ipv6) {
          member_header("icmpv6");
          const std::uint16_t type = key_.tp_src.host();
          if (type == flow::nd_solicitation || type == flow::nd_advertisement) member_header("nd");
        }
        break;
      default: break;
    }
  }

  const FlowKey& key_;
  const FlowKey& mask_;
  const PortName& name_;
  const bool all_;
  std::string out_;
};

// ---- reading

class Reader {
 public:
  Reader(std::string_view text, const PortNumber& number, bool with_masks)
      : text_(text), number_(number), with_masks_(with_masks) {}

  Result<flow::Match> read() {
    OVS_TRY_DO(read_list(0));
    text_.skip_separators();
    if (!text_.at_end()) return text_.failure("nothing more is expected");
    return std::move(match_);
  }

 private:
  FlowKey& key() { return match_.key; }
  FlowKey& mask() { return match_.mask.bits; }

  // Up to the end or the ")" of the `depth`th encap().
  Result<void> read_list(std::size_t depth) {
    std::optional<be16> type;
    be16 type_mask = all_ones16;
    bool tagged = false;
    for (;;) {
      text_.skip_separators();
      if (text_.at_end() || text_.peek() == ')') break;
      if (text_.take("eth_type", '(')) {
        OVS_TRY(const std::uint64_t value, text_.number(0xffff));
        type = be16::from_host(static_cast<std::uint16_t>(value));
        if (text_.peek() == '/') {
          if (!with_masks_) return text_.failure("a mask is not allowed");
          (void)text_.take("/");
          OVS_TRY(const std::uint64_t bits, text_.number(0xffff));
          type_mask = be16::from_host(static_cast<std::uint16_t>(bits));
        }
        OVS_TRY_DO(text_.expect(')'));
      } else if (text_.take("vlan", '(')) {
        if (tagged || depth == flow::max_vlan_tags) return text_.failure("more tags than can be matched");
        tagged = true;
        OVS_TRY_DO(read_tag(depth, type.value_or(flow::eth_type::vlan)));
      } else if (text_.take("encap", '(')) {
        if (!tagged) return text_.failure("encap without a vlan before it");
        OVS_TRY_DO(read_list(depth + 1));
        OVS_TRY_DO(text_.expect(')'));
      } else {
        OVS_TRY_DO(read_header());
      }
    }
    if (type && !tagged) {
      key().eth_type = *type;
      mask().eth_type = type_mask;
      if (depth < flow::max_vlan_tags) mask().vlan[depth].tci = all_ones16;
    }
    return {};
  }

  Result<void> read_tag(std::size_t depth, be16 tpid) {
    flow::VlanTag& tag = key().vlan[depth];
    flow::VlanTag& matched = mask().vlan[depth];
    OVS_TRY_DO(parse_tag_members(depth));
    tag.tpid = tpid;
    matched.tpid = all_ones16;
    tag.tci = tag.tci | flow::vlan_present;
    matched.tci = matched.tci | flow::vlan_present;
    return {};
  }

  // vid, pcp, and cfi=1, which stands for the tag's being there.
  Result<void> parse_tag_members(std::size_t depth) {
    const Header& members = header(depth == 0 ? "vlan" : "vlan/inner");
    TextCursor part = text_;
    const std::string_view inside = part.take_until(")");
    const TextCursor after = part;
    OVS_TRY_DO(part.expect(')'));
    std::string without_cfi;
    for (const std::string_view member : split(inside, ',')) {
      if (trim(member) == "cfi=1" || trim(member) == "cfi=1/1") continue;
      if (!without_cfi.empty()) without_cfi += ',';
      without_cfi += member;
    }
    without_cfi += ')';
    TextCursor rest(without_cfi);
    if (auto result = parse_members(rest, members, key(), mask(), with_masks_); !result) {
      return text_.failure(result.error().message.find("no such") != std::string::npos ? "vlan has no such member"
                                                                                       : "a tag is wrong");
    }
    text_ = after;
    return text_.expect(')');
  }

  Result<void> read_header() {
    const TextCursor at = text_;
    const std::string_view name = text_.take_word();
    if (!text_.take("(")) return at.failure("the name of a header and \"(\" are missing");
    if (name == "in_port") return read_in_port();
    for (const BitNames& bits : bit_names) {
      if (bits.header == name) return parse_bits(text_, bits, key(), mask(), with_masks_);
    }
    const Header* found = find_header(name);
    if (found == nullptr) return at.failure("there is no such header");
    OVS_TRY_DO(parse_members(text_, *found, key(), mask(), with_masks_));
    // ARP's opcode has its low bits where IP has its protocol, too.
    if (name == "arp" && key().arp_op.host() <= 0xff) key().nw_proto = static_cast<std::uint8_t>(key().arp_op.host());
    return {};
  }

  Result<void> read_in_port() {
    const TextCursor at = text_;
    if (text_.peek() >= '0' && text_.peek() <= '9') {
      OVS_TRY(const std::uint64_t port, text_.number(0xffffffff));
      key().in_port = be32::from_host(static_cast<std::uint32_t>(port));
    } else {
      const std::string_view name = text_.take_until("/)");
      const std::optional<DpPort> port = number_ ? number_(name) : std::nullopt;
      if (!port) return at.failure("there is no such port");
      key().in_port = be32::from_host(raw(*port));
    }
    mask().in_port = be32{0xffffffff};
    if (text_.peek() == '/') {
      if (!with_masks_) return text_.failure("a mask is not allowed");
      (void)text_.take("/");
      OVS_TRY(const std::uint64_t bits, text_.number(0xffffffff));
      mask().in_port = be32::from_host(static_cast<std::uint32_t>(bits));
    }
    return text_.expect(')');
  }

  TextCursor text_;
  const PortNumber& number_;
  const bool with_masks_;
  flow::Match match_;
};

template <std::size_t from, std::size_t to>
bool any_bytes(const FlowKey& key) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&key);
  return std::any_of(bytes + from, bytes + to, [](std::uint8_t b) { return b != 0; });
}

void note_cold_parts(FlowKey& key) {
  const auto note = [&](bool any, flow::ColdPart part) {
    if (any) key.cold_parts |= part;
  };
  note(any_bytes<offsetof(FlowKey, tun_id), offsetof(FlowKey, metadata)>(key), flow::cold_tunnel);
  note(any_bytes<offsetof(FlowKey, metadata), offsetof(FlowKey, ct_nw_src)>(key), flow::cold_registers);
  note(any_bytes<offsetof(FlowKey, ct_nw_src), offsetof(FlowKey, mpls_lse)>(key), flow::cold_conntrack);
  note(any_bytes<offsetof(FlowKey, mpls_lse), offsetof(FlowKey, nsh_flags)>(key), flow::cold_mpls);
  note(any_bytes<offsetof(FlowKey, nsh_flags), offsetof(FlowKey, arp_sha)>(key), flow::cold_nsh);
  note(any_bytes<offsetof(FlowKey, arp_sha), sizeof(FlowKey)>(key), flow::cold_neighbor);
}

}  // namespace

std::string format_match(const flow::Match& match, const PortName& name, bool all) {
  return Writer(match.key, match.mask.bits, name, all).write();
}

std::string format_key(const FlowKey& key, const PortName& name) {
  FlowKey mask;
  std::memset(&mask, 0xff, sizeof mask);
  return Writer(key, mask, name, false).write();
}

Result<flow::Match> parse_match(std::string_view text, const PortNumber& number) {
  OVS_TRY(const flow::Match match, Reader(text, number, true).read());
  return flow::Match::of(match.key, match.mask);
}

Result<FlowKey> parse_key(std::string_view text, const PortNumber& number) {
  OVS_TRY(flow::Match match, Reader(text, number, false).read());
  note_cold_parts(match.key);
  return match.key;
}

}  // namespace ovs::datapath
