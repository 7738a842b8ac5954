#include "base/rcu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace ovs {
namespace {

// Counts its objects, and shows when it has been destroyed.
struct Counted {
  explicit Counted(std::atomic<int>& alive, int value = 0) : alive_(alive), value_(value) { alive_++; }
  ~Counted() {
    value_ = -1;
    alive_--;
  }
  std::atomic<int>& alive_;
  int value_;
};

TEST(Rcu, WithoutReadersEverythingIsDestroyedAtTheNextOccasion) {
  std::atomic<int> alive = 0;
  RcuDomain domain;
  domain.retire(std::make_unique<Counted>(alive));
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(domain.reclaim(), 0u);
  EXPECT_EQ(alive, 0);
}

TEST(Rcu, AReaderHoldsBackWhatWasRetiredSinceItQuiesced) {
  std::atomic<int> alive = 0;
  RcuDomain domain;
  RcuDomain::Reader reader(domain);
  domain.retire(std::make_unique<Counted>(alive));
  EXPECT_EQ(domain.reclaim(), 1u);
  EXPECT_EQ(domain.reclaim(), 1u);
  EXPECT_EQ(alive, 1);
  reader.quiesce();
  EXPECT_EQ(domain.reclaim(), 0u);
  EXPECT_EQ(alive, 0);
}

TEST(Rcu, QuiescingBeforeTheEpochMovesIsNotEnough) {
  std::atomic<int> alive = 0;
  RcuDomain domain;
  RcuDomain::Reader reader(domain);
  domain.retire(std::make_unique<Counted>(alive));
  reader.quiesce();
  EXPECT_EQ(domain.reclaim(), 1u) << "the reader may have loaded before the object was unpublished";
  reader.quiesce();
  EXPECT_EQ(domain.reclaim(), 0u);
}

TEST(Rcu, AnOfflineReaderHoldsBackNothing) {
  std::atomic<int> alive = 0;
  RcuDomain domain;
  RcuDomain::Reader reader(domain);
  domain.retire(std::make_unique<Counted>(alive));
  reader.go_offline();
  EXPECT_EQ(domain.reclaim(), 0u);
  EXPECT_EQ(alive, 0);
  reader.go_online();
  domain.retire(std::make_unique<Counted>(alive));
  EXPECT_EQ(domain.reclaim(), 1u);
  reader.quiesce();
}

// reclaim() looks at the readers once; one that comes online while it destroys was not among them.
TEST(Rcu, WhatIsRetiredDuringReclaimWaitsForAReaderThatCameOnlineMeanwhile) {
  std::atomic<int> alive = 0;
  RcuDomain domain;
  RcuDomain::Reader reader(domain);
  reader.go_offline();
  domain.defer([&] {
    reader.go_online();
    domain.retire(std::make_unique<Counted>(alive));
  });
  EXPECT_EQ(domain.reclaim(), 1u);
  EXPECT_EQ(alive, 1);
  reader.go_offline();
  EXPECT_EQ(domain.reclaim(), 0u);
}

TEST(Rcu, DeferredFunctionsRunInOrderAndMayDeferMore) {
  RcuDomain domain;
  std::vector<int> order;
  domain.defer([&] {
    order.push_back(1);
    domain.defer([&] { order.push_back(3); });
  });
  domain.defer([&] { order.push_back(2); });
  domain.reclaim();
  domain.reclaim();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(Rcu, TheDomainsEndDestroysWhatIsLeft) {
  std::atomic<int> alive = 0;
  {
    RcuDomain domain;
    domain.retire(std::make_unique<Counted>(alive));
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Rcu, SynchronizeWaitsForEachReader) {
  std::atomic<int> alive = 0;
  RcuDomain domain;
  std::atomic<bool> online = false, stop = false;
  std::thread thread([&] {
    RcuDomain::Reader reader(domain);
    online = true;
    while (!stop) reader.quiesce();
  });
  while (!online) std::this_thread::yield();
  domain.retire(std::make_unique<Counted>(alive));
  domain.synchronize();
  EXPECT_EQ(alive, 0);
  stop = true;
  thread.join();
}

// Readers follow a pointer that a writer replaces as fast as it can; no one may see a destroyed object.  Under
// ThreadSanitizer this also shows that destruction is ordered after the last read.
TEST(Rcu, ReadersNeverSeeADestroyedObject) {
  std::atomic<int> alive = 0;
  RcuDomain domain;
  {
    RcuPointer<Counted> pointer(std::make_unique<Counted>(alive, 1));
    std::atomic<bool> stop = false, failed = false;
    std::atomic<int> started = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; t++) {
      threads.emplace_back([&, t] {
        RcuDomain::Reader reader(domain);
        started++;
        for (int round = 0; !stop; round++) {
          const Counted* c = pointer.load();
          const int first = c->value_;
          for (int i = 0; i < 20; i++) {
            if (c->value_ != first || first <= 0) failed = true;
          }
          if (t == 0 && round % 7 == 0) {
            reader.go_offline();
            std::this_thread::yield();
            reader.go_online();
          } else {
            reader.quiesce();
          }
        }
      });
    }
    while (started < 3) std::this_thread::yield();
    for (int i = 2; i < 20000; i++) {
      pointer.publish(std::make_unique<Counted>(alive, i), domain);
      if (i % 16 == 0) domain.reclaim();
      if (i % 1000 == 0) domain.synchronize();
    }
    stop = true;
    for (auto& thread : threads) thread.join();
    EXPECT_FALSE(failed);
    domain.synchronize();
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace ovs
