// The ids by which bridges and bundles are named outside of the topology.
#pragma once

#include <cstdint>

namespace ovs::ofproto {

enum class BridgeId : std::uint32_t {};
enum class BundleId : std::uint32_t {};  // within its bridge
inline constexpr BundleId no_bundle{0};  // ids start at 1

}  // namespace ovs::ofproto
