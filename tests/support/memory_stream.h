// MemoryStream: a connected stream without a socket, for tests of what talks over one.
//
// The test holds the Wire, its other end: it lets bytes arrive, sees what was sent, and can stop
// reading, so that a backlog grows.
//
// Thread safety: none.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "runtime/stream.h"

namespace ovs::testing {

struct Wire {
  std::string name = "test";
  std::string sent;      // and read by the test's end
  std::string stuck;     // sent, but not read
  bool reading = true;   // whether the test's end reads
  bool paused = false;   // whether the program under test reads
  bool finished = false, destroyed = false;
  runtime::Stream::Handler handler;

  void arrive(std::string_view bytes) {
    if (destroyed || !handler.received) return;
    auto received = handler.received;
    received(bytes);
  }
  void hang_up() {
    if (destroyed || !handler.closed) return;
    auto closed = std::move(handler.closed);
    closed(Error{"", 0});
  }
  void read_all() {
    reading = true;
    sent += std::exchange(stuck, {});
    if (!destroyed && handler.drained) {
      auto drained = handler.drained;
      drained();
    }
  }
};

class MemoryStream final : public runtime::Stream {
 public:
  MemoryStream(runtime::Loop& loop, std::shared_ptr<Wire> wire) : loop_(loop), wire_(std::move(wire)) {}
  ~MemoryStream() override {
    wire_->destroyed = true;
    wire_->handler = {};
  }
  void set_handler(Handler handler) override { wire_->handler = std::move(handler); }
  void send(runtime::Buffer bytes) override { send_copy(*bytes); }
  void send(std::string bytes) override { send_copy(bytes); }
  void send_copy(std::string_view bytes) override { (wire_->reading ? wire_->sent : wire_->stuck) += bytes; }
  std::size_t backlog() const override { return wire_->stuck.size(); }
  void pause_reading(bool pause) override { wire_->paused = pause; }
  void finish() override { wire_->finished = true; }
  const std::string& name() const override { return wire_->name; }
  runtime::Loop& loop() const override { return loop_; }

 private:
  runtime::Loop& loop_;
  std::shared_ptr<Wire> wire_;
};

}  // namespace ovs::testing
