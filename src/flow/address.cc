#include "flow/address.h"

#include <arpa/inet.h>

#include <charconv>

#include "base/text.h"

namespace ovs::flow {

std::string format_eth(const EthAddr& address) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : address.bytes) {
    if (!out.empty()) out += ':';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::optional<EthAddr> parse_eth(std::string_view text) {
  EthAddr address;
  for (std::size_t i = 0; i < address.bytes.size(); i++) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, end);
    if (part.empty() || part.size() > 2) return std::nullopt;
    const auto [p, error] = std::from_chars(part.data(), part.data() + part.size(), address.bytes[i], 16);
    if (error != std::errc() || p != part.data() + part.size()) return std::nullopt;
    const bool last = i + 1 == address.bytes.size();
    if (last != (end == text.size())) return std::nullopt;
    if (!last) text.remove_prefix(end + 1);
  }
  return address;
}

std::string format_ipv4(be32 address) {
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &address, text, sizeof text);
}

std::optional<be32> parse_ipv4(std::string_view text) {
  be32 address;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::string format_ipv6(const Ipv6Addr& address) {
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(AF_INET6, &address, text, sizeof text);
}

std::optional<Ipv6Addr> parse_ipv6(std::string_view text) {
  Ipv6Addr address;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (::inet_pton(AF_INET6, std::string(text).c_str(), &address) != 1) return std::nullopt;
  return address;
}

}  // namespace ovs::flow
