// The core of SHA-1 (FIPS 180-4, section 6.1.2): takes whole blocks of 64 bytes into the state.
//
// Thread safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ovs {

// `state` is the five words of the hash, `data` is `count` blocks.
using Sha1Blocks = void (*)(std::uint32_t* state, const std::uint8_t* data, std::size_t count);

// In plain C++, for every processor.
void sha1_blocks_portable(std::uint32_t* state, const std::uint8_t* data, std::size_t count);

// With this processor's own instructions, or null if it has none for SHA-1.
Sha1Blocks sha1_blocks_of_cpu();

}  // namespace ovs
