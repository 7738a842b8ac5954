// The text of a field's value, by its format (ovs-fields(7), "Format").
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "flow/address.h"
#include "flow/field_value.h"
#include "flow/flags.h"
#include "flow/port_number.h"

namespace ovs::flow {

namespace {

Unexpected<Error> refuse(const Field& field, std::string_view text, std::string_view why) {
  return unexpected(fmt::format("{}: \"{}\" {}", field.name, text, why));
}

Unexpected<Error> refuse_number(const Field& field, std::string_view text) {
  std::string allowed;
  const auto [least, most] = value_range(field);
  if (field.wire_bytes > 8) {
    allowed = fmt::format("{} bytes at most", field.wire_bytes);
  } else if (field.place.wire_shift != 0) {
    allowed = fmt::format("multiples of {} up to {}", 1 << field.place.wire_shift, most);
  } else if (field.format == Format::hexadecimal) {
    allowed = fmt::format("{} to {:#x}", least, most);
  } else {
    allowed = fmt::format("{} to {}", least, most);
  }
  return refuse(field, text, "is not allowed; allowed are " + allowed);
}

// ---- numbers

// Digits of any length into the field's bytes; false if they are not hexadecimal or too many.
bool parse_hex_digits(std::string_view digits, const Field& field, FieldValue& out) {
  if (digits.empty()) return false;
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  if (digits.size() > 2u * field.wire_bytes) return false;
  std::size_t nibble = 2u * field.wire_bytes - digits.size();
  for (const char c : digits) {
    std::uint8_t value = 0;
    if (std::from_chars(&c, &c + 1, value, 16).ec != std::errc()) return false;
    out.bytes[nibble / 2] |= static_cast<std::uint8_t>(nibble % 2 == 0 ? value << 4 : value);
    nibble++;
  }
  return true;
}

Result<FieldValue> parse_number(const Field& field, std::string_view text) {
  FieldValue value;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    const std::string_view digits = text.substr(2);
    if (digits.empty() || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      return refuse(field, text, "is not a hexadecimal number");
    }
    if (!parse_hex_digits(digits, field, value) || !fits(field, value)) {
      return refuse_number(field, text);
    }
    return value;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || end != text.data() + text.size() || error == std::errc::invalid_argument) {
    return refuse(field, text, "is not a number");
  }
  if (text.size() > 1 && text.front() == '0' && number > 7) {
    return refuse(field, text, "is ambiguous: some programs read a number that begins with 0 as octal");
  }
  const bool too_large = field.wire_bytes < 8 && number >> (8 * field.wire_bytes) != 0;
  value = FieldValue::of(field, number);
  if (error != std::errc() || too_large || !fits(field, value)) {
    return refuse_number(field, text);
  }
  return value;
}

void append_number(std::string& out, const Field& field, const FieldValue& value, bool hexadecimal) {
  if (field.wire_bytes <= 8) {
    const std::uint64_t n = value.number(field);
    if (hexadecimal && n != 0) {
      fmt::format_to(std::back_inserter(out), "{:#x}", n);
    } else {
      fmt::format_to(std::back_inserter(out), "{}", n);
    }
    return;
  }
  const auto bytes = value.view(field);
  const auto first = std::ranges::find_if(bytes, [](std::uint8_t b) { return b != 0; });
  if (first == bytes.end()) {
    out += '0';
    return;
  }
  fmt::format_to(std::back_inserter(out), "{:#x}", *first);
  for (auto b = first + 1; b != bytes.end(); ++b) fmt::format_to(std::back_inserter(out), "{:02x}", *b);
}

// ---- addresses

// How many one-bits the mask begins with, if nothing but zeros follow.
std::optional<unsigned> prefix_length(std::span<const std::uint8_t> mask) {
  unsigned length = 0;
  std::size_t i = 0;
  while (i < mask.size() && mask[i] == 0xff) i++, length += 8;
  if (i == mask.size()) return length;
  const unsigned ones = static_cast<unsigned>(std::countl_one(mask[i]));
  if (static_cast<std::uint8_t>(mask[i] << ones) != 0) return std::nullopt;
  length += ones;
  for (i++; i < mask.size(); i++) {
    if (mask[i] != 0) return std::nullopt;
  }
  return length;
}

FieldValue prefix_mask(unsigned length) {
  FieldValue mask;
  for (unsigned i = 0; i < length; i++) mask.bytes[i / 8] |= static_cast<std::uint8_t>(0x80 >> i % 8);
  return mask;
}

bool parse_address(Format format, std::string_view text, FieldValue& out) {
  const auto put = [&out](const auto& address) {
    if (address) std::memcpy(out.bytes.data(), &*address, sizeof *address);
    return address.has_value();
  };
  if (format == Format::ethernet) return put(parse_eth(text));
  if (format == Format::ipv4) return put(parse_ipv4(text));
  return put(parse_ipv6(text));
}

void append_address(std::string& out, Format format, const FieldValue& value) {
  const auto get = [&value]<class Address>(Address address) {
    std::memcpy(&address, value.bytes.data(), sizeof address);
    return address;
  };
  if (format == Format::ethernet) {
    out += format_eth(get(EthAddr{}));
  } else if (format == Format::ipv4) {
    out += format_ipv4(get(be32{}));
  } else {
    out += format_ipv6(get(Ipv6Addr{}));
  }
}

Result<FieldValue> parse_address_mask(const Field& field, std::string_view text) {
  FieldValue mask;
  if (field.format != Format::ethernet) {
    if (const auto length = parse_integer(text)) {
      if (*length < 0 || *length > field.place.bits) {
        return refuse(field, text, fmt::format("is not a prefix length; allowed are 0 to {}", field.place.bits));
      }
      return prefix_mask(static_cast<unsigned>(*length));
    }
  }
  if (parse_address(field.format, text, mask)) return mask;
  if (field.format == Format::ethernet) return refuse(field, text, "is not a mask (XX:XX:XX:XX:XX:XX)");
  if (field.format == Format::ipv4) return refuse(field, text, "is neither a prefix length nor a mask (A.B.C.D)");
  return refuse(field, text, "is neither a prefix length nor a mask in the form of an IPv6 address");
}

std::string_view address_form(Format format) {
  if (format == Format::ethernet) return "is not an Ethernet address (XX:XX:XX:XX:XX:XX)";
  if (format == Format::ipv4) return "is not an IPv4 address (A.B.C.D)";
  return "is not an IPv6 address";
}

// ---- flags

std::span<const Flag> flags_of(Format format) {
  if (format == Format::ct_state) return ct_state_flags;
  if (format == Format::tcp_flags) return tcp_flag_names;
  return tunnel_flags;
}

std::uint64_t all_flags(std::span<const Flag> flags) {
  std::uint64_t all = 0;
  for (const Flag& flag : flags) all |= flag.bit;
  return all;
}

Result<std::uint64_t> parse_flag(const Field& field, std::string_view name) {
  const auto flags = flags_of(field.format);
  std::vector<std::string_view> names;
  for (const Flag& flag : flags) {
    if (flag.name == name) return std::uint64_t{flag.bit};
    names.push_back(flag.name);
  }
  std::string known;
  for (const std::string_view n : names) known += (known.empty() ? "" : ", ") + std::string(n);
  return refuse(field, name, "is not a flag; the flags are " + known);
}

// "+A-B": these bits, and no others, are in the mask.
Result<MaskedValue> parse_signed_flags(const Field& field, std::string_view text) {
  std::uint64_t value = 0;
  std::uint64_t mask = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const char sign = rest.front();
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find_first_of("+-"), rest.size());
    OVS_TRY(const std::uint64_t bit, parse_flag(field, rest.substr(0, end)));
    if (mask & bit) return refuse(field, text, fmt::format("names \"{}\" twice", rest.substr(0, end)));
    mask |= bit;
    if (sign == '+') value |= bit;
    rest.remove_prefix(end);
  }
  return MaskedValue{FieldValue::of(field, value), FieldValue::of(field, mask)};
}

// A mask of all the flags there are means the whole field.
MaskedValue whole_if_all_flags(const Field& field, MaskedValue parsed) {
  const std::uint64_t all = all_flags(flags_of(field.format));
  if ((parsed.mask.number(field) & all) == all) parsed.mask = exact_mask(field);
  return parsed;
}

Result<MaskedValue> parse_flags(const Field& field, std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) {
    OVS_TRY(MaskedValue parsed, parse_signed_flags(field, text));
    return whole_if_all_flags(field, parsed);
  }
  const std::uint64_t all = all_flags(flags_of(field.format));
  const std::size_t slash = text.find('/');
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    MaskedValue parsed{{}, exact_mask(field)};
    OVS_TRY(parsed.value, parse_number(field, text.substr(0, slash)));
    if (slash != std::string_view::npos) {
      OVS_TRY(parsed.mask, parse_number(field, text.substr(slash + 1)));
      if (parsed.mask.number(field) & ~all) return refuse(field, text, fmt::format("has flags beyond {:#x}", all));
    }
    if (parsed.value.number(field) & ~all) return refuse(field, text, fmt::format("has flags beyond {:#x}", all));
    parsed.value = FieldValue::of(field, parsed.value.number(field) & parsed.mask.number(field));
    return whole_if_all_flags(field, parsed);
  }
  std::uint64_t value = 0;
  for (const std::string_view name : split(text, '|')) {
    OVS_TRY(const std::uint64_t bit, parse_flag(field, name));
    value |= bit;
  }
  return MaskedValue{FieldValue::of(field, value), exact_mask(field)};
}

void append_flags(std::string& out, const Field& field, std::uint64_t value, std::uint64_t mask) {
  const auto flags = flags_of(field.format);
  if ((mask & all_flags(flags)) == all_flags(flags)) {
    if (value == 0) out += '0';
    bool first = true;
    for (const Flag& flag : flags) {
      if (!(value & flag.bit)) continue;
      if (!first) out += '|';
      first = false;
      out += flag.name;
    }
    return;
  }
  for (const Flag& flag : flags) {
    if (!(mask & flag.bit)) continue;
    out += value & flag.bit ? '+' : '-';
    out += flag.name;
  }
}

// ---- fragments and packet types

struct FragWord {
  std::string_view word;
  std::uint8_t value;
  std::uint8_t mask;
};
constexpr FragWord frag_words[] = {
    {"no", 0, frag_any | frag_later},
    {"yes", frag_any, frag_any},
    {"first", frag_any, frag_any | frag_later},
    {"later", frag_any | frag_later, frag_any | frag_later},
    {"not_later", 0, frag_later},
    // What is a later fragment is a fragment, so these say the same with fewer bits.
    {"no", 0, frag_any},
    {"later", frag_later, frag_later},
};

// Unknown words are left to be read as numbers.
std::optional<MaskedValue> parse_frag(const Field& field, std::string_view text) {
  for (const FragWord& word : frag_words) {
    if (word.word == text) return MaskedValue{FieldValue::of(field, word.value), FieldValue::of(field, word.mask)};
  }
  return std::nullopt;
}

// What a word says, if one says the same.
MaskedValue simplest_frag(const Field& field, const MaskedValue& v) {
  for (const FragWord& word : frag_words) {
    if (word.value == v.value.number(field) && word.mask == v.mask.number(field)) return *parse_frag(field, word.word);
  }
  return v;
}

Result<MaskedValue> parse_packet_type(const Field& field, std::string_view text) {
  const auto number = [](std::string_view s) -> std::optional<std::uint32_t> {
    s = trim(s);
    std::uint16_t n = 0;
    const int base = s.starts_with("0x") || s.starts_with("0X") ? 16 : 10;
    if (base == 16) s.remove_prefix(2);
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n, base);
    if (error != std::errc() || end != s.data() + s.size()) return std::nullopt;
    return n;
  };
  const std::size_t comma = text.find(',');
  if (text.starts_with('(') && text.ends_with(')') && comma != std::string_view::npos) {
    const auto name_space = number(text.substr(1, comma - 1));
    const auto type = number(text.substr(comma + 1, text.size() - comma - 2));
    if (name_space && type) {
      return MaskedValue{FieldValue::of(field, *name_space << 16 | *type), exact_mask(field)};
    }
  }
  return refuse(field, text, "is not a packet type (NAMESPACE,TYPE), such as (0,0) for Ethernet or (1,0x800) for IPv4");
}

void append_packet_type(std::string& out, std::uint64_t type) {
  const auto number = [&out](std::uint64_t n) {
    // Ethertypes are hexadecimal to everybody; what is small reads the same either way.
    if (n < 10) {
      fmt::format_to(std::back_inserter(out), "{}", n);
    } else {
      fmt::format_to(std::back_inserter(out), "{:#x}", n);
    }
  };
  out += '(';
  number(type >> 16);
  out += ',';
  number(type & 0xffff);
  out += ')';
}

Result<FieldValue> parse_port(const Field& field, std::string_view text) {
  const auto port = parse_port_number(text);
  if (!port) return refuse(field, text, "is not a port: a number up to 65279, or LOCAL, CONTROLLER, ...");
  if (field.format == Format::port) return FieldValue::of(field, *port);
  return FieldValue::of(field, narrow_port(*port).value_or(port_number_none_16));
}

// One value or mask of a format that is the same for both.
Result<FieldValue> parse_one(const Field& field, std::string_view text) {
  switch (field.format) {
    case Format::ethernet:
    case Format::ipv4:
    case Format::ipv6: {
      FieldValue value;
      if (!parse_address(field.format, text, value)) return refuse(field, text, address_form(field.format));
      return value;
    }
    case Format::port:
    case Format::port16: return parse_port(field, text);
    default: return parse_number(field, text);
  }
}

bool is_address(Format format) {
  return format == Format::ethernet || format == Format::ipv4 || format == Format::ipv6;
}

}  // namespace

Result<MaskedValue> parse_field(const Field& field, std::string_view text) {
  if (text == "*") return MaskedValue{};
  if (field.format == Format::frag) {
    if (const auto parsed = parse_frag(field, text)) return *parsed;
    if (text.find('/') == std::string_view::npos) {
      return refuse(field, text, "is not one of no, yes, first, later, not_later");
    }
  }
  if (field.format == Format::packet_type) return parse_packet_type(field, text);
  if (field.format == Format::tunnel_flags || field.format == Format::ct_state || field.format == Format::tcp_flags) {
    return parse_flags(field, text);
  }
  const std::size_t slash = text.find('/');
  MaskedValue parsed{{}, exact_mask(field)};
  OVS_TRY(parsed.value, parse_one(field, text.substr(0, slash)));
  if (slash != std::string_view::npos) {
    const std::string_view mask = text.substr(slash + 1);
    if (is_address(field.format)) {
      OVS_TRY(parsed.mask, parse_address_mask(field, mask));
    } else {
      OVS_TRY(parsed.mask, parse_number(field, mask));
    }
    if (field.masking == Masking::exact_only && parsed.mask != exact_mask(field) && !is_zero(field, parsed.mask)) {
      return refuse(field, text, "has a mask, but the field can only be matched as a whole");
    }
    for (std::size_t i = 0; i < field.wire_bytes; i++) parsed.value.bytes[i] &= parsed.mask.bytes[i];
  }
  if (field.format == Format::frag) parsed = simplest_frag(field, parsed);
  if (field.masking == Masking::exact_only && field.wire_bytes <= 8 && !is_zero(field, parsed.mask)) {
    const std::uint64_t number = parsed.value.number(field);
    const auto [least, most] = value_range(field);
    if (number < least || number > most) return refuse_number(field, text);
  }
  return parsed;
}

void append_field(std::string& out, const Field& field, const FieldValue& value, const FieldValue& mask) {
  const bool whole = mask == exact_mask(field);
  switch (field.format) {
    case Format::decimal:
    case Format::hexadecimal:
      append_number(out, field, value, field.format == Format::hexadecimal);
      if (!whole) append_number(out += '/', field, mask, true);
      return;
    case Format::ethernet:
    case Format::ipv4:
    case Format::ipv6:
      append_address(out, field.format, value);
      if (whole) return;
      out += '/';
      if (field.format != Format::ethernet) {
        if (const auto length = prefix_length(mask.view(field))) {
          fmt::format_to(std::back_inserter(out), "{}", *length);
          return;
        }
      }
      append_address(out, field.format, mask);
      return;
    case Format::port16:
      out += format_port_number(widen_port(static_cast<std::uint16_t>(value.number(field))));
      return;
    case Format::port: out += format_port_number(static_cast<std::uint32_t>(value.number(field))); return;
    case Format::frag:
      for (const FragWord& word : frag_words) {
        if (word.value == value.number(field) && word.mask == mask.number(field)) {
          out += word.word;
          return;
        }
      }
      fmt::format_to(std::back_inserter(out), "{:#x}/{:#x}", value.number(field), mask.number(field));
      return;
    case Format::tunnel_flags:
    case Format::ct_state:
    case Format::tcp_flags: append_flags(out, field, value.number(field), mask.number(field)); return;
    case Format::packet_type: append_packet_type(out, value.number(field)); return;
  }
}

}  // namespace ovs::flow
