// UpcallQueue: the upcalls of one port, from forwarding threads to the main thread; UpcallQueues: those of
// all ports, taken from in turn.
//
// A queue holds a bounded number and refuses the rest, so that a port that floods loses its own
// upcalls only.  Putting one in is lock-free: a list that grows at its head; the taker takes the
// whole list and turns it round.  A queue that gets its first upcall puts itself on a list of ready
// queues in the same way, so that a taker looks at no queue that is empty, however many there are.
//
// Thread safety: put() and wake() may be called by any thread; everything else by the taker's.  A queue that is
// destroyed must have been forgotten by forget(), after which no thread may put into it.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "datapath/datapath.h"

namespace ovs::datapath {

class UpcallQueues;

class UpcallQueue {
 public:
  explicit UpcallQueue(std::size_t limit) : limit_(limit) {}
  ~UpcallQueue();
  UpcallQueue(const UpcallQueue&) = delete;
  UpcallQueue& operator=(const UpcallQueue&) = delete;

  // Whether put() would refuse now; saves making an upcall that nobody takes.
  bool is_full() const { return count_.load(std::memory_order_relaxed) >= limit_; }

 private:
  friend class UpcallQueues;
  struct Node {
    Upcall upcall;
    Node* next;
  };
  static Node* reversed(Node* list);

  const std::size_t limit_;
  std::atomic<std::size_t> count_{0};
  std::atomic<Node*> newest_{nullptr};
  std::atomic<bool> ready_{false};      // on the list of ready queues, or in the taker's hands
  UpcallQueue* next_ready_ = nullptr;   // on that list
  Node* oldest_ = nullptr;              // taken from `newest_`, in order; the taker's
};

class UpcallQueues {
 public:
  UpcallQueues();

  // False if the queue is full: the upcall is lost.
  bool put(UpcallQueue& queue, Upcall upcall);
  // Up to `max`, one from each queue in turn.
  std::size_t take(std::vector<Upcall>& out, std::size_t max);
  void forget(UpcallQueue& queue);
  // Makes the descriptor readable until the next take().  Any thread.
  void wake() {
    if (!signalled_.load(std::memory_order_relaxed)) signal();
  }
  // Readable while there is an upcall.
  int descriptor() const { return event_.get(); }

 private:
  void make_ready(UpcallQueue& queue);
  void collect_ready();  // into turn_
  void signal();
  void clear_signal();

  Descriptor event_;
  std::atomic<bool> signalled_{false};
  std::atomic<UpcallQueue*> ready_{nullptr};
  std::deque<UpcallQueue*> turn_;
};

}  // namespace ovs::datapath
