// Bytes that wait to be written, in order.  Small ones are copied together, shared buffers stand in the queue as
// they are (runtime/stream.h says why).
//
// Thread safety: none; a part of one stream.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/stream.h"

namespace ovs::runtime {

class WriteQueue {
 public:
  static constexpr std::size_t max_iov = 64;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void push_copy(std::string_view bytes) {
    if (bytes.empty()) return;
    size_ += bytes.size();
    if (chunks_.empty() || chunks_.back().shared ||
        chunks_.back().own.size() + bytes.size() > chunk_size) {
      Chunk& chunk = chunks_.emplace_back();
      if (!spare_.empty() || spare_.capacity() >= small_size) chunk.own = std::exchange(spare_, {});
      chunk.own.clear();
    }
    chunks_.back().own += bytes;
  }

  void push(std::string&& bytes) {
    if (bytes.size() < small_size) return push_copy(bytes);
    size_ += bytes.size();
    chunks_.emplace_back().own = std::move(bytes);
  }

  void push(Buffer bytes) {
    if (bytes->size() < small_size) return push_copy(*bytes);
    size_ += bytes->size();
    chunks_.emplace_back().shared = std::move(bytes);
  }

  std::size_t fill(std::array<iovec, max_iov>& iov) const {
    std::size_t n = 0;
    std::size_t skip = offset_;
    for (auto& chunk : chunks_) {
      if (n == iov.size()) break;
      std::string_view view = chunk.view().substr(std::exchange(skip, 0));
      iov[n++] = {const_cast<char*>(view.data()), view.size()};
    }
    return n;
  }

  // The first bytes, as many as lie together; empty if the queue is.
  std::string_view front() const {
    return chunks_.empty() ? std::string_view() : chunks_.front().view().substr(offset_);
  }

  void pop(std::size_t written) {
    size_ -= written;
    written += offset_;
    while (!chunks_.empty() && written >= chunks_.front().view().size()) {
      Chunk& chunk = chunks_.front();
      written -= chunk.view().size();
      // The copied bytes' storage serves the next round.
      if (!chunk.shared && chunk.own.capacity() <= 2 * chunk_size) spare_ = std::move(chunk.own);
      chunks_.pop_front();
    }
    offset_ = written;
  }

  void clear() {
    chunks_.clear();
    offset_ = size_ = 0;
  }

 private:
  // A buffer below this is copied into the tail of the queue instead of standing there by itself.
  static constexpr std::size_t small_size = 1024;
  // How large the chunk of copied bytes at the tail may become.
  static constexpr std::size_t chunk_size = 64 * 1024;

  struct Chunk {
    Buffer shared;    // or, if null,
    std::string own;
    std::string_view view() const { return shared ? std::string_view(*shared) : own; }
  };
  std::deque<Chunk> chunks_;
  std::string spare_;
  std::size_t offset_ = 0;  // of the first chunk, written already
  std::size_t size_ = 0;
};

}  // namespace ovs::runtime
