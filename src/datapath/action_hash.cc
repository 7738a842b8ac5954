#include <functional>
#include <string>
#include <type_traits>

#include "datapath/action.h"

namespace ovs::datapath {

namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  const unsigned __int128 product =
      static_cast<unsigned __int128>(hash ^ value ^ 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint64_t hash_actions(const Actions& actions) {
  std::uint64_t hash = actions.size();
  for (const Action& action : actions) {
    hash = mix(hash, action.index());
    std::visit(
        [&](const auto& what) {
          using Kind = std::remove_cvref_t<decltype(what)>;
          if constexpr (std::is_same_v<Kind, Output>) {
            hash = mix(hash, raw(what.port));
          } else if constexpr (std::is_same_v<Kind, PushVlan>) {
            hash = mix(hash, std::uint64_t{what.tag.tpid.raw} << 16 | what.tag.tci.raw);
          } else if constexpr (std::is_same_v<Kind, Sample>) {
            hash = mix(hash, std::uint64_t{what.probability} << 32 | static_cast<std::uint32_t>(what.sampler));
            hash = mix(hash, hash_actions(what.actions));
          } else if constexpr (std::is_same_v<Kind, Userspace>) {
            hash = mix(hash, what.max_bytes);
            for (const std::uint8_t byte : what.cookie) hash = mix(hash, byte);
          } else if constexpr (!std::is_same_v<Kind, PopVlan>) {
            hash = mix(hash, std::hash<std::string>{}(format_actions({what})));
          }
        },
        action);
  }
  return hash;
}

}  // namespace ovs::datapath
