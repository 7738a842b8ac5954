// Worker: one forwarding thread.  It receives from the queues that it owns and forwards what comes.
//
// It sleeps in epoll while there is nothing to do.  A queue that had a packet is asked again, without epoll,
// until it has none; epoll is looked at now and then meanwhile.  After a round under load it looks a
// little longer before it sleeps, since the next packets are likely to come at once.
//
// Thread safety: constructor, destructor and add/remove/wake are the main thread's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/rcu.h"
#include "datapath/forwarder.h"

namespace ovs::datapath {

class Worker {
 public:
  Worker(int number, RcuDomain& domain, Shared& shared, std::uint64_t seed);
  ~Worker();  // stops the thread
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  int number() const { return number_; }
  Forwarder& forwarder() { return forwarder_; }

  // Wakes up for `descriptor` from now on; the queue's owner must be this worker already.
  bool watch(int descriptor, DpPort port, std::size_t queue);
  void unwatch(int descriptor);

 private:
  struct QueueName {
    DpPort port;
    std::uint32_t queue;
  };

  void run();
  // What epoll reported.
  void take_events(int timeout_ms);
  // The queue of that name, if it is this worker's.
  RxQueue* resolve(const QueueName& name, EnginePort** port) const;
  // A batch from each active queue.
  void serve_active();
  void park(const QueueName& name, const RxQueue& queue);
  void retry_parked();

  const int number_;
  RcuDomain& domain_;
  Shared& shared_;
  Forwarder forwarder_;
  Descriptor epoll_;
  Descriptor wake_;
  std::atomic<bool> stop_{false};
  std::thread thread_;

  // The thread's own.
  std::vector<QueueName> active_;
  // Descriptors that are always ready and never have anything, such as that of a device that is going
  // away: asked from time to time only.
  std::vector<QueueName> parked_;
  std::chrono::steady_clock::time_point retry_at_{};  // when those are asked again
};

}  // namespace ovs::datapath
