// SignatureCache: from the hash of a packet's key to the slots of megaflows that may match it.
//
// An entry is four bytes: the slot's number and ten bits of the hash.  It may be wrong or stale; who
// uses it verifies the megaflow that it names.  Four entries make a bucket, the last one used first.
//
// Thread safety: an object belongs to one thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "datapath/megaflow_table.h"

namespace ovs::datapath {

class SignatureCache {
 public:
  static constexpr std::size_t ways = 4;

  SignatureCache() { resize(least_buckets); }

  // Makes room for `flows` megaflows, several packets' keys each; forgets everything if that needs
  // another size.
  void fit(std::size_t flows) {
    const std::size_t wanted = std::clamp(std::bit_ceil(flows), least_buckets, most_buckets);
    if (wanted > mask_ + 1 || 4 * wanted < mask_ + 1) resize(wanted);
  }

  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&buckets_[hash & mask_]); }

  // Calls `try_slot` with each slot that may be meant, until it returns true.
  template <class Try>
  bool find(std::uint64_t hash, const Try& try_slot) const {
    const Bucket& bucket = buckets_[hash & mask_];
    const std::uint32_t signature = signature_of(hash);
    // Without branches: which way it is cannot be predicted.
    unsigned candidates = 0;
    for (unsigned i = 0; i < ways; i++) {
      candidates |= static_cast<unsigned>((bucket.entries[i] ^ signature) < (1u << slot_bits)) << i;
    }
    while (candidates != 0) {
      const SlotNumber slot = bucket.entries[std::countr_zero(candidates)] & no_slot;
      if (slot != no_slot && try_slot(slot)) return true;
      candidates &= candidates - 1;
    }
    return false;
  }

  // The first slot that may be meant; no_slot: there is none.
  SlotNumber candidate(std::uint64_t hash) const {
    SlotNumber found = no_slot;
    (void)find(hash, [&](SlotNumber slot) {
      found = slot;
      return true;
    });
    return found;
  }

  void insert(std::uint64_t hash, SlotNumber slot) {
    Bucket& bucket = buckets_[hash & mask_];
    std::move_backward(bucket.entries, bucket.entries + ways - 1, bucket.entries + ways);
    bucket.entries[0] = signature_of(hash) | slot;
  }

 private:
  static constexpr std::size_t least_buckets = 256;
  static constexpr std::size_t most_buckets = std::size_t{1} << 18;  // 4 MB

  struct alignas(16) Bucket {
    std::uint32_t entries[ways] = {~0u, ~0u, ~0u, ~0u};
  };

  // The upper ten bits, in their place.
  static std::uint32_t signature_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32) & ~((1u << slot_bits) - 1);
  }

  void resize(std::size_t buckets) {
    buckets_.assign(buckets, Bucket{});
    buckets_.shrink_to_fit();
    mask_ = buckets - 1;
  }

  std::vector<Bucket> buckets_;
  std::size_t mask_ = 0;
};

}  // namespace ovs::datapath
