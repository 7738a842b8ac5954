// Frames and keys for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flow/packet.h"
#include "flow/parse.h"

namespace ovs::flow {

// "0800 4500": spaces are ignored.
inline std::vector<std::uint8_t> hex(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if (c != ' ' && c != '\n') digits += c;
  }
  EXPECT_EQ(digits.size() % 2, 0u) << text;
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

inline Packet frame(std::string_view text) { return Packet::copy_of(hex(text)); }

inline FlowKey key_of(Packet& packet) {
  FlowKey key{};
  parse(packet, key);
  return key;
}

inline FlowKey key_of(std::string_view text) {
  Packet packet = frame(text);
  return key_of(packet);
}

inline EthAddr mac(std::string_view text) {
  EthAddr address{};
  const auto bytes = hex(text);
  std::copy_n(bytes.begin(), 6, address.bytes.begin());
  return address;
}

inline Ipv6Addr ipv6(std::string_view text) {
  Ipv6Addr address{};
  const auto bytes = hex(text);
  std::copy_n(bytes.begin(), 16, address.bytes.begin());
  return address;
}

}  // namespace ovs::flow
