// Reads and writes matches and flows, one in each line of standard input, and prints the table of match fields:
// what tests/peer compares with the packaged programs and their manual.
//
//     match_text_tool match|flow|field [NAME...] < LINES
//     match_text_tool table
//
// The NAMEs are those of the ports 0, 1, ...; an empty one is none.
//
// match    a match is read, and written again; "warning: ..." lines come before it
// flow     a whole flow is
// field    "FIELD VALUE[/MASK]": a value is, in the field's own format
// table    one line a field, its columns separated by '|'
//
// What cannot be read is answered by one line "error: ...".
#include <iostream>
#include <span>
#include <string>

#include <fmt/format.h>

#include "flow/field_value.h"
#include "flow/match_text.h"

using namespace ovs::flow;

namespace {

std::string_view name_of(Format format) {
  switch (format) {
    case Format::decimal: return "decimal";
    case Format::hexadecimal: return "hexadecimal";
    case Format::ethernet: return "Ethernet";
    case Format::ipv4: return "IPv4";
    case Format::ipv6: return "IPv6";
    case Format::port16: return "OpenFlow 1.0 port";
    case Format::port: return "OpenFlow 1.1+ port";
    case Format::frag: return "frag";
    case Format::tunnel_flags: return "tunnel flags";
    case Format::ct_state: return "ct state";
    case Format::tcp_flags: return "TCP flags";
    case Format::packet_type: return "packet type";
  }
  return "?";
}

std::string_view name_of(Prerequisite prerequisite) {
  switch (prerequisite) {
    case Prerequisite::none: return "none";
    case Prerequisite::conntrack: return "CT";
    case Prerequisite::ethernet: return "Ethernet";
    case Prerequisite::vlan: return "VLAN VID";
    case Prerequisite::mpls: return "MPLS";
    case Prerequisite::ipv4: return "IPv4";
    case Prerequisite::ipv6: return "IPv6";
    case Prerequisite::ip: return "IPv4/IPv6";
    case Prerequisite::arp: return "ARP";
    case Prerequisite::nsh: return "NSH";
    case Prerequisite::tcp: return "TCP";
    case Prerequisite::udp: return "UDP";
    case Prerequisite::sctp: return "SCTP";
    case Prerequisite::icmpv4: return "ICMPv4";
    case Prerequisite::icmpv6: return "ICMPv6";
    case Prerequisite::nd: return "ND";
    case Prerequisite::nd_solicit: return "ND solicit";
    case Prerequisite::nd_advert: return "ND advert";
  }
  return "?";
}

std::string_view name_of(OldSupport support) {
  switch (support) {
    case OldSupport::no: return "not supported";
    case OldSupport::exact: return "yes (exact match only)";
    case OldSupport::cidr: return "yes (CIDR match only)";
    case OldSupport::masked: return "yes";
  }
  return "?";
}

void print_table() {
  for (const Field& f : fields) {
    std::string codes;
    for (const OxmCode& code : f.oxm) {
      if (code.name.empty()) continue;
      codes += fmt::format("{}{}:{:#x}:{:#x}:{}:{}:{}", codes.empty() ? "" : ";", code.name, code.oxm_class.id,
                           code.oxm_class.experimenter, code.field, code.since_openflow, code.since_ovs);
    }
    std::cout << fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", f.name, f.alias, 8 * f.wire_bytes, action_bits(f),
                             name_of(f.format), f.masking == Masking::any ? "any" : "exact", name_of(f.prerequisite),
                             f.access == Access::read_write ? "read/write" : "read-only", name_of(f.openflow10),
                             name_of(f.openflow11), codes);
  }
}

// The ports 0, 1, ... have these names.
PortNames names_in(std::span<char*> names) {
  if (names.empty()) return {};
  return {[names](std::string_view wanted) -> std::optional<std::uint32_t> {
            for (std::size_t i = 0; i < names.size(); i++) {
              if (names[i] == wanted) return static_cast<std::uint32_t>(i);
            }
            return std::nullopt;
          },
          [names](std::uint32_t port) -> std::optional<std::string> {
            if (port >= names.size() || *names[port] == '\0') return std::nullopt;
            return names[port];
          }};
}

std::string answer(std::string_view mode, std::string_view line, const PortNames& ports) {
  if (mode == "match") {
    const auto parsed = parse_match(line, ports);
    if (!parsed) return "error: " + parsed.error().message;
    std::string out;
    for (const std::string& warning : parsed->warnings) out += "warning: " + warning + "\n";
    return out + "match: " + format_match(parsed->match, ports);
  }
  if (mode == "flow") {
    const auto key = parse_flow(line, ports);
    return key ? "flow: " + format_flow(*key, ports) : "error: " + key.error().message;
  }
  const std::size_t space = line.find(' ');
  const Field* f = find_field(line.substr(0, space));
  if (f == nullptr || space == std::string_view::npos) return "error: no such field";
  const auto parsed = parse_field(*f, line.substr(space + 1));
  if (!parsed) return "error: " + parsed.error().message;
  std::string out = "value: ";
  append_field(out, *f, parsed->value, parsed->mask);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc >= 2 ? argv[1] : "";
  if (mode == "table") {
    print_table();
    return 0;
  }
  if (mode != "match" && mode != "flow" && mode != "field") {
    std::cerr << "usage: match_text_tool match|flow|field [NAME...], or match_text_tool table\n";
    return 1;
  }
  const PortNames ports = names_in({argv + 2, argv + argc});
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(mode, line, ports) << "\n";
  return 0;
}
