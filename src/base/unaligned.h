// Reading and writing plain values at addresses that need not be aligned: fields of packets, as a rule.
// The compiler makes one load or store of each.  The caller has checked the bounds.
//
// Thread safety: functions without state.
#pragma once

#include <cstring>
#include <type_traits>

namespace ovs {

template <class T>
T load(const void* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T x;
  std::memcpy(&x, from, sizeof x);
  return x;
}

template <class T>
void store(void* to, const T& x) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &x, sizeof x);
}

}  // namespace ovs
