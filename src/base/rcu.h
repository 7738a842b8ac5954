// RCU: tables that many threads read without a lock while one thread changes them.
//
// A reader loads a pointer and uses what it points to.  A writer makes a new version, publishes it, and
// retires the old one, which is destroyed when no reader can hold a pointer to it any more: when each
// thread that reads has since passed a quiescent state.  So reading costs a load, and a reader says
// once a round of its loop, by quiesce(), that it holds nothing.
//
//     Reader thread                                 Writer
//     RcuDomain::Reader reader{domain};             table.publish(new Table{...}, domain);   // retires the old one
//     while (...) {                                 domain.reclaim();                        // now and then
//       const Table* t = table.load();
//       ...
//       reader.quiesce();                           // t must not be used after this
//       if (nothing to do) {
//         reader.go_offline(); sleep(); reader.go_online();
//       }
//     }
//
// How it works.  The domain has an epoch that grows; a reader notes the epoch that it saw in its last
// quiescent state, 0 while it is offline.  What is retired in epoch E is destroyed when all readers
// have noted a later epoch or are offline.  A reader that does not quiesce delays destruction, never
// other readers.
//
// Thread safety: a Reader belongs to the thread that made it; everything in RcuDomain may be called by any
// thread.  Destructors and deferred functions run on the thread that calls reclaim() or synchronize().  A
// thread that retires, reclaims or synchronizes must not hold pointers as a reader of the same domain.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace ovs {

class RcuDomain {
 public:
  RcuDomain() = default;
  // No reader may be left; destroys what is retired.
  ~RcuDomain();
  RcuDomain(const RcuDomain&) = delete;
  RcuDomain& operator=(const RcuDomain&) = delete;

  class Reader {
   public:
    // Registers the calling thread, online.
    explicit Reader(RcuDomain& domain);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // This thread holds no pointers: what it loads from now on is new.  Two loads and a store.
    void quiesce() { seen_.store(domain_.epoch_.load(std::memory_order_acquire), std::memory_order_release); }
    // Between the two no one waits for this thread, and it must load nothing.
    void go_offline() { seen_.store(0, std::memory_order_release); }
    void go_online();

   private:
    friend class RcuDomain;
    RcuDomain& domain_;
    // Alone in its cache line: written in each round of the reader's loop.
    alignas(64) std::atomic<std::uint64_t> seen_{0};
  };

  // Calls `function` when no reader holds what was unpublished before this call.
  void defer(std::function<void()> function);
  // The same, to destroy an object.
  template <class T>
  void retire(std::unique_ptr<T> object) {
    if (!object) return;
    retire_raw(const_cast<void*>(static_cast<const void*>(object.release())),
               [](void* p) { delete static_cast<T*>(p); });
  }

  // Does what is due of the above; never waits.  Returns how many are left.
  std::size_t reclaim();
  // Waits until each reader has passed a quiescent state, and does all that was deferred before.
  void synchronize();

 private:
  struct Retired {
    std::uint64_t epoch;  // in which it was retired
    void* object;
    void (*destroy)(void*);
  };

  void retire_raw(void* object, void (*destroy)(void*));
  // By any reader that is online, the present epoch at most; mutex_ must be held.
  std::uint64_t oldest_seen() const;
  void destroy_before(std::uint64_t epoch);

  std::atomic<std::uint64_t> epoch_{1};
  mutable std::mutex mutex_;  // guards the members below
  std::vector<Reader*> readers_;
  std::deque<Retired> retired_;  // by epoch, oldest first
};

// A published pointer that owns what it points to.  One writer at a time.
template <class T>
class RcuPointer {
 public:
  RcuPointer() = default;
  explicit RcuPointer(std::unique_ptr<T> object) : pointer_(object.release()) {}
  ~RcuPointer() { delete pointer_.load(std::memory_order_relaxed); }
  RcuPointer(const RcuPointer&) = delete;
  RcuPointer& operator=(const RcuPointer&) = delete;

  // Valid until the reader's next quiescent state; on the writer's thread until it publishes.
  T* load() const { return pointer_.load(std::memory_order_acquire); }

  void publish(std::unique_ptr<T> object, RcuDomain& domain) {
    domain.retire(std::unique_ptr<T>(pointer_.exchange(object.release(), std::memory_order_acq_rel)));
  }

 private:
  std::atomic<T*> pointer_{nullptr};
};

}  // namespace ovs
