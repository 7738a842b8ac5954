#include "ofproto/cookie.h"

#include <fmt/format.h>

#include <cstring>
#include <type_traits>

namespace ovs::ofproto {

namespace {

enum class Kind : std::uint32_t { sflow = 1 };

// As it stands in memory: it is read by the process that wrote it.
struct Layout {
  Kind kind;
  SflowCookie sflow;
};
static_assert(std::is_trivially_copyable_v<Layout> && std::has_unique_object_representations_v<Layout>);

}  // namespace

std::vector<std::uint8_t> encode(const SflowCookie& cookie) {
  const Layout layout{Kind::sflow, cookie};
  std::vector<std::uint8_t> bytes(sizeof layout);
  std::memcpy(bytes.data(), &layout, sizeof layout);
  return bytes;
}

std::optional<SflowCookie> decode_cookie(std::span<const std::uint8_t> bytes) {
  Layout layout;
  if (bytes.size() != sizeof layout) return {};
  std::memcpy(&layout, bytes.data(), sizeof layout);
  if (layout.kind != Kind::sflow) return {};
  return layout.sflow;
}

std::optional<std::string> format_cookie(std::span<const std::uint8_t> bytes) {
  const auto cookie = decode_cookie(bytes);
  if (!cookie) return {};
  return fmt::format("sFlow(vid={},pcp={},output={}),actions", cookie->vlans.out_vlan, cookie->vlans.out_priority,
                     cookie->output.format << 30 | cookie->output.value);
}

}  // namespace ovs::ofproto
