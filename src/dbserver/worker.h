// Worker: one thread that does blocking work (fsync, writing a compacted file) for a loop.
//
// Tasks run in order.  The thread starts with the first task and ends, after the task that runs, when
// the Worker is destroyed; tasks that have not begun are dropped.
//
// Thread safety: belongs to one thread; a task hands results back with Loop::post().
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace ovs::dbserver {

class Worker {
 public:
  Worker() = default;
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run(std::function<void()> task);
  // Waits for the task that runs; those behind it are dropped, and none is taken any more.
  void stop();

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ovs::dbserver
