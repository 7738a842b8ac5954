#include "flow/match_builder.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "flow/extra_fields.h"
#include "flow/port_number.h"
#include "flow/prerequisite.h"
#include "flow/protocols.h"

namespace ovs::flow {

namespace {

constexpr std::string_view separators = ", \t\r\n";

// The words that stand for protocols.
struct Word {
  std::string_view name;
  be16 type;
  std::optional<std::uint8_t> protocol;
};
constexpr Word words[] = {
    {"ip", eth_type::ipv4, {}},
    {"ipv4", eth_type::ipv4, {}},
    {"ipv6", eth_type::ipv6, {}},
    {"icmp", eth_type::ipv4, ip_proto::icmp},
    {"icmp6", eth_type::ipv6, ip_proto::icmpv6},
    {"tcp", eth_type::ipv4, ip_proto::tcp},
    {"tcp6", eth_type::ipv6, ip_proto::tcp},
    {"udp", eth_type::ipv4, ip_proto::udp},
    {"udp6", eth_type::ipv6, ip_proto::udp},
    {"sctp", eth_type::ipv4, ip_proto::sctp},
    {"sctp6", eth_type::ipv6, ip_proto::sctp},
    {"arp", eth_type::arp, {}},
    {"rarp", eth_type::rarp, {}},
    {"mpls", eth_type::mpls, {}},
    {"mplsm", eth_type::mpls_multicast, {}},
    {"nsh", eth_type::nsh, {}},
};
constexpr std::string_view ethernet_word = "eth";

const Field* find_extra(std::string_view name) {
  const auto* row = std::ranges::find(extra_fields, name, &Field::name);
  return row == extra_fields.end() ? nullptr : row;
}

// `field`, for reading values that are as wide as its storage.
Field widened(const Field& field) {
  Field wide = field;
  wide.place = Place{field.place.offset, field.place.storage, 0, static_cast<std::uint16_t>(8 * field.place.storage)};
  return wide;
}

// "0..15" or "3" within the brackets after a field's name; all of the field if empty.
std::optional<std::pair<unsigned, unsigned>> parse_range(std::string_view text, unsigned bits) {
  const auto number = [](std::string_view s) { return parse_integer(s).value_or(-1); };
  const std::size_t dots = text.find("..");
  const std::int64_t first = number(text.substr(0, dots));
  const std::int64_t last = dots == std::string_view::npos ? first : number(text.substr(dots + 2));
  if (first < 0 || last < first || last >= bits) return std::nullopt;
  return std::pair{static_cast<unsigned>(first), static_cast<unsigned>(last)};
}

bool is_set_of_flags(Format format) {
  return format == Format::ct_state || format == Format::tcp_flags || format == Format::tunnel_flags ||
         format == Format::frag;
}

// Without the quotes, and the backslashes before quotes and backslashes.
std::string unquoted(std::string_view text) {
  text.remove_prefix(1);
  if (text.ends_with('"')) text.remove_suffix(1);
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\' && i + 1 < text.size()) i++;
    out += text[i];
  }
  return out;
}

bool same_place(const Field& a, const Field& b) {
  return a.place.offset == b.place.offset && a.place.storage == b.place.storage && a.place.shift == b.place.shift &&
         a.place.bits == b.place.bits;
}

// Fields that are the same bits in headers of different protocols stand for each other: nw_src in ARP, tcp_src in UDP.
bool met_by_an_alias(const Match& match, const Field& f) {
  return std::ranges::any_of(fields,
                             [&](const Field& other) { return same_place(f, other) && prerequisites_met(match, other); });
}

}  // namespace

std::optional<TextItem> next_item(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
  if (text.empty()) return std::nullopt;
  TextItem item{};
  const std::size_t name_end = std::min(text.find_first_of("=:(, \t\r\n"), text.size());
  item.name = text.substr(0, name_end);
  text.remove_prefix(name_end);
  if (text.empty() || separators.find(text.front()) != std::string_view::npos) return item;

  item.has_value = true;
  if (text.front() != '(') text.remove_prefix(1);
  int depth = 0;
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size(); end++) {
    const char c = text[end];
    if (quoted) {
      if (c == '\\') end++;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '(') {
      depth++;
    } else if (c == ')') {
      depth--;
    } else if (depth <= 0 && separators.find(c) != std::string_view::npos) {
      break;
    }
  }
  end = std::min(end, text.size());
  item.value = text.substr(0, end);
  text.remove_prefix(end);
  return item;
}

Result<bool> MatchBuilder::add(const TextItem& item) {
  if (item.name == ethernet_word || std::ranges::find(words, item.name, &Word::name) != std::end(words)) {
    if (!item.value.empty()) {
      return unexpected(fmt::format("\"{}\" stands for a protocol and takes no value (\"{}\")", item.name, item.value));
    }
    if (item.name == ethernet_word) {
      const Field& type = field(FieldId::packet_type);
      set(type, {{}, exact_mask(type)}, item.name);
      return true;
    }
    const Word& word = *std::ranges::find(words, item.name, &Word::name);
    const Field& type = field(FieldId::eth_type);
    set(type, {FieldValue::of(type, word.type.host()), exact_mask(type)}, item.name);
    if (word.protocol) {
      const Field& protocol = field(FieldId::nw_proto);
      set(protocol, {FieldValue::of(protocol, *word.protocol), exact_mask(protocol)}, item.name);
    }
    return true;
  }

  std::string_view name = item.name;
  std::string_view part;
  if (const std::size_t bracket = name.find('['); bracket != std::string_view::npos && name.ends_with(']')) {
    part = name.substr(bracket + 1, name.size() - bracket - 2);
    name = name.substr(0, bracket);
  }
  const Field* f = find_field(name);
  if (f == nullptr) f = find_extra(name);
  if (f == nullptr) return false;
  if (!item.has_value || item.value.empty()) return unexpected(fmt::format("{}: a value is missing", item.name));
  if (is_tunnel_metadata(f->id)) {
    return unexpected(fmt::format("{}: no tunnel option is bound to it; this version does not support them", item.name));
  }
  if (part.empty()) {
    OVS_TRY_DO(add_field(*f, item));
  } else {
    OVS_TRY_DO(add_part(*f, part, item));
  }
  return true;
}

void MatchBuilder::set(const Field& f, const MaskedValue& value, std::string_view name) {
  set_field(match_.key, f, value.value);
  set_field(match_.mask.bits, f, value.mask);
  if (value.mask != exact_mask(f)) all_exact_ = false;
  fields_.push_back({f.id, std::string(name)});
}

void MatchBuilder::wildcard(const Field& f, std::string_view name) {
  const bool pcp_matched = static_cast<bool>(match_.mask.bits.vlan[0].tci & vlan_pcp_mask);
  const be16 present = match_.key.vlan[0].tci & vlan_present;
  set(f, {}, name);
  // A match on the priority still demands a tag.
  if ((f.id == FieldId::vlan_vid || f.id == FieldId::dl_vlan) && pcp_matched) {
    match_.key.vlan[0].tci = match_.key.vlan[0].tci | present;
    match_.mask.bits.vlan[0].tci = match_.mask.bits.vlan[0].tci | present;
  }
}

Result<void> MatchBuilder::add_field(const Field& row, const TextItem& item) {
  // Messages call the field as the text does.
  Field f = row;
  f.name = item.name;
  if (item.value == "*") {
    wildcard(f, item.name);
    return {};
  }
  if (&row == &extra_fields[extra_dl_vlan1] || &row == &extra_fields[extra_dl_vlan_pcp1]) {
    OVS_TRY(const MaskedValue parsed, parse_field(f, item.value));
    set(f, parsed, item.name);
    match_.key.vlan[1].tci = match_.key.vlan[1].tci | vlan_present;
    match_.mask.bits.vlan[1].tci = match_.mask.bits.vlan[1].tci | vlan_present;
    return {};
  }
  const Field& tci = field(FieldId::vlan_tci);
  const Field& vid = field(FieldId::vlan_vid);
  switch (f.id) {
    case FieldId::dl_vlan: {
      OVS_TRY(const MaskedValue parsed, parse_field(widened(f), item.value));
      const std::uint64_t number = parsed.value.number(f);
      if (is_zero(f, parsed.mask)) {
        wildcard(vid, item.name);
      } else if (number == 0xffff) {
        set(tci, {{}, exact_mask(tci)}, item.name);
      } else if (number <= 0xfff) {
        set(vid, {FieldValue::of(vid, number | vlan_present.host()), exact_mask(vid)}, item.name);
      } else {
        return unexpected(fmt::format(
            "dl_vlan: \"{}\" is not allowed; allowed are 0 to 4095, and 65535 for packets without a tag", item.value));
      }
      return {};
    }
    case FieldId::dl_vlan_pcp:
    case FieldId::vlan_pcp: {
      OVS_TRY(const MaskedValue parsed, parse_field(f, item.value));
      set(f, parsed, item.name);
      if (is_zero(f, parsed.mask)) return {};
      match_.key.vlan[0].tci = match_.key.vlan[0].tci | vlan_present;
      match_.mask.bits.vlan[0].tci = match_.mask.bits.vlan[0].tci | vlan_present;
      return {};
    }
    case FieldId::nw_tos: {
      OVS_TRY(MaskedValue parsed, parse_field(widened(f), item.value));
      if (!is_zero(f, parsed.mask)) parsed.mask = exact_mask(f);
      if (!fits(f, parsed.value)) {
        warnings_.push_back(fmt::format("nw_tos={} is matched without its lower two bits, which are nw_ecn", item.value));
        parsed.value.bytes[0] &= 0xfc;
      }
      set(f, parsed, item.name);
      return {};
    }
    default: break;
  }

  if (f.format == Format::port || f.format == Format::port16) {
    const bool quoted = item.value.starts_with('"');
    std::optional<std::uint32_t> port;
    if (!quoted) port = parse_port_number(item.value);
    if (!port && ports_.number_of) {
      port = ports_.number_of(quoted ? unquoted(item.value) : std::string(item.value));
      if (!port) return unexpected(fmt::format("{}: there is no port {}", item.name, item.value));
    }
    if (port) {
      const std::uint64_t number = f.format == Format::port ? *port : narrow_port(*port).value_or(port_number_none_16);
      set(f, {FieldValue::of(f, number), exact_mask(f)}, item.name);
      return {};
    }
  }
  OVS_TRY(const MaskedValue parsed, parse_field(f, item.value));
  if (is_zero(f, parsed.mask)) {
    wildcard(f, item.name);
  } else {
    set(f, parsed, item.name);
  }
  return {};
}

Result<void> MatchBuilder::add_part(const Field& f, std::string_view part, const TextItem& item) {
  if (f.masking == Masking::exact_only) {
    return unexpected(fmt::format("{}: the field can only be matched as a whole", item.name));
  }
  if (is_set_of_flags(f.format)) {
    return unexpected(fmt::format("{}: name the flags (+FLAG-FLAG) in place of bits", item.name));
  }
  const auto range = parse_range(part, f.place.bits);
  if (!range) {
    return unexpected(fmt::format("{}: the bits of {} are numbered from 0 to {}", item.name, f.name, f.place.bits - 1));
  }
  if (f.place.storage > 8) {
    return unexpected(fmt::format("{}: parts of fields of more than 64 bits must be written with a mask", item.name));
  }
  const auto [first, last] = *range;
  Field narrow = f;
  narrow.name = item.name;
  narrow.format = Format::hexadecimal;
  narrow.place = Place{f.place.offset, f.place.storage, static_cast<std::uint16_t>(f.place.shift + first),
                       static_cast<std::uint16_t>(last - first + 1)};
  OVS_TRY(const MaskedValue parsed, parse_field(narrow, item.value));
  set_field(match_.key, narrow, parsed.value);
  set_field(match_.mask.bits, narrow, parsed.mask);
  fields_.push_back({f.id, std::string(item.name)});
  all_exact_ = false;
  return {};
}

// ARP's opcode may be called nw_proto, ICMP's type and code tp_src and tp_dst.
Result<void> MatchBuilder::unify_aliases() {
  const auto type = demanded_eth_type(match_);
  FlowKey& key = match_.key;
  FlowKey& mask = match_.mask.bits;
  if (type && is_arp(*type) && mask.nw_proto != 0) {
    if (!mask.arp_op) {
      key.arp_op = be16::from_host(key.nw_proto);
      mask.arp_op.raw = 0xffff;
    }
    key.nw_proto = mask.nw_proto = 0;
    for (Named& named : fields_) {
      if (named.id == FieldId::nw_proto) named.id = FieldId::arp_op;
    }
  }

  const bool icmp = type == eth_type::ipv4 && demanded_ip_proto(match_) == ip_proto::icmp;
  const bool icmpv6 = type == eth_type::ipv6 && demanded_ip_proto(match_) == ip_proto::icmpv6;
  if (!icmp && !icmpv6) return {};
  constexpr be16 low = be16::from_host(0x00ff);
  if ((key.tp_src & ~low) || (key.tp_dst & ~low)) {
    return unexpected(fmt::format("{}: {} is not allowed; allowed are 0 to 255", key.tp_src & ~low ? "icmp_type" : "icmp_code",
                                  (key.tp_src & ~low ? key.tp_src : key.tp_dst).host()));
  }
  for (be16* bits : {&mask.tp_src, &mask.tp_dst}) {
    *bits = *bits & low;
    if (*bits && *bits != low) {
      return unexpected(fmt::format("{}: the field can only be matched as a whole",
                                    bits == &mask.tp_src ? "icmp_type" : "icmp_code"));
    }
  }
  for (auto& [id, name] : fields_) {
    if (id == FieldId::none) continue;
    if (same_place(field(id), field(FieldId::tcp_src))) id = icmp ? FieldId::icmp_type : FieldId::icmpv6_type;
    if (same_place(field(id), field(FieldId::tcp_dst))) id = icmp ? FieldId::icmp_code : FieldId::icmpv6_code;
  }
  return {};
}

Result<void> MatchBuilder::check_prerequisites() {
  for (const auto& [id, name] : fields_) {
    if (id == FieldId::none) continue;
    const Field& f = field(id);
    if (is_zero(f, get_field(match_.mask.bits, f)) || met_by_an_alias(match_, f)) continue;
    if (kind_ == Kind::whole_flow && has_type_as_ports(match_) &&
        (same_place(f, field(FieldId::tcp_src)) || same_place(f, field(FieldId::tcp_dst)))) {
      continue;
    }
    const std::string needs = describe_prerequisites(f);
    if (!may_be_left_out(match_, f)) return unexpected(fmt::format("{}: the match must also say {}", name, needs));
    left_out_.push_back({name, needs, is_zero(f, get_field(match_.key, f))});
    warnings_.push_back(fmt::format("{} is left out of the match, because the match does not say {}", name, needs));
    set_field(match_.key, f, {});
    set_field(match_.mask.bits, f, {});
  }
  return {};
}

Result<ParsedMatch> MatchBuilder::finish() {
  OVS_TRY_DO(unify_aliases());
  OVS_TRY_DO(check_prerequisites());
  imply_packet_type(match_);
  const be16 tci = match_.key.vlan[0].tci;
  if ((match_.mask.bits.vlan[0].tci & vlan_present) && !(tci & vlan_present) && tci) {
    const unsigned vid = (tci & vlan_vid_mask).host();
    warnings_.push_back(fmt::format("no packet has vlan_tci=0x{:04x}/0x{:04x}: where there is a tag, bit 0x1000 is set; "
                                    "write dl_vlan={} or vlan_vid={:#x}",
                                    tci.host(), match_.mask.bits.vlan[0].tci.host(), vid, vid | vlan_present.host()));
  }
  return ParsedMatch{match_, warnings_};
}

std::string unknown_name(std::string_view name, std::span<const std::string_view> others) {
  std::vector<std::string_view> known(others.begin(), others.end());
  for (const Field& f : fields) {
    known.push_back(f.name);
    if (!f.alias.empty()) known.push_back(f.alias);
  }
  for (const Word& word : words) known.push_back(word.name);
  // What is much longer than any name is near to none, and would take long to compare.
  constexpr std::size_t longest = 40;
  const auto near = name.size() <= longest ? nearest(name, known) : std::nullopt;
  return fmt::format("unknown field \"{}\"", name) + (near ? fmt::format("; did you mean \"{}\"?", *near) : "");
}

}  // namespace ovs::flow
