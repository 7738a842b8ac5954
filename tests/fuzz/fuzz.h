// What every fuzz target has: libFuzzer (or tests/fuzz/replay_main.cc) calls it with one input.
//
// A target aborts (OVS_CHECK, a sanitizer) where the input shows a bug, and returns 0 otherwise.
// An input that broke something stays in the target's corpus for good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ovs {

inline std::string_view fuzz_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace ovs
