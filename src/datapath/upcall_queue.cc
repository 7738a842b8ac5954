#include "datapath/upcall_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace ovs::datapath {

UpcallQueue::~UpcallQueue() {
  for (Node* list : {oldest_, newest_.load(std::memory_order_acquire)}) {
    while (list != nullptr) delete std::exchange(list, list->next);
  }
}

UpcallQueue::Node* UpcallQueue::reversed(Node* list) {
  Node* result = nullptr;
  while (list != nullptr) {
    Node* next = list->next;
    list->next = result;
    result = std::exchange(list, next);
  }
  return result;
}

UpcallQueues::UpcallQueues() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  OVS_CHECK(event_.get() >= 0, "eventfd");
}

bool UpcallQueues::put(UpcallQueue& queue, Upcall upcall) {
  if (queue.count_.fetch_add(1, std::memory_order_relaxed) >= queue.limit_) {
    queue.count_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  auto* node = new UpcallQueue::Node{std::move(upcall), queue.newest_.load(std::memory_order_relaxed)};
  // Sequentially consistent, as is the taker's reset of `ready_`: of a put and a taker that finds
  // nothing more, at least one sees the other.
  while (!queue.newest_.compare_exchange_weak(node->next, node, std::memory_order_seq_cst)) {
  }
  if (!queue.ready_.exchange(true, std::memory_order_seq_cst)) make_ready(queue);
  return true;
}

void UpcallQueues::make_ready(UpcallQueue& queue) {
  queue.next_ready_ = ready_.load(std::memory_order_relaxed);
  while (!ready_.compare_exchange_weak(queue.next_ready_, &queue, std::memory_order_seq_cst)) {
  }
  signal();
}

void UpcallQueues::signal() {
  if (signalled_.exchange(true, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  // Cannot fail: the counter is far from its limit.
  OVS_CHECK(::write(event_.get(), &one, sizeof one) == sizeof one);
}

void UpcallQueues::collect_ready() {
  UpcallQueue* list = ready_.exchange(nullptr, std::memory_order_seq_cst);
  const auto at = turn_.size();
  for (; list != nullptr; list = list->next_ready_) turn_.push_back(list);
  std::reverse(turn_.begin() + static_cast<std::ptrdiff_t>(at), turn_.end());  // the first to come first
}

void UpcallQueues::clear_signal() {
  std::uint64_t count;
  if (::read(event_.get(), &count, sizeof count) < 0) {
    // Nothing was written since the last time.
  }
  signalled_.store(false, std::memory_order_seq_cst);
  // Who came before the store relied on the signal that is gone now.
  if (ready_.load(std::memory_order_seq_cst) != nullptr) signal();
}

std::size_t UpcallQueues::take(std::vector<Upcall>& out, std::size_t max) {
  std::size_t taken = 0;
  while (taken < max) {
    collect_ready();
    if (turn_.empty()) break;
    UpcallQueue& queue = *turn_.front();
    turn_.pop_front();
    if (queue.oldest_ == nullptr) {
      queue.oldest_ = UpcallQueue::reversed(queue.newest_.exchange(nullptr, std::memory_order_seq_cst));
    }
    if (queue.oldest_ != nullptr) {
      std::unique_ptr<UpcallQueue::Node> node(std::exchange(queue.oldest_, queue.oldest_->next));
      queue.count_.fetch_sub(1, std::memory_order_relaxed);
      out.push_back(std::move(node->upcall));
      taken++;
    }
    if (queue.oldest_ != nullptr) {
      turn_.push_back(&queue);
      continue;
    }
    queue.ready_.store(false, std::memory_order_seq_cst);
    if (queue.newest_.load(std::memory_order_seq_cst) != nullptr && !queue.ready_.exchange(true, std::memory_order_seq_cst)) {
      turn_.push_back(&queue);
    }
  }
  if (turn_.empty()) clear_signal();
  return taken;
}

void UpcallQueues::forget(UpcallQueue& queue) {
  collect_ready();
  std::erase(turn_, &queue);
}

}  // namespace ovs::datapath
