// Reconnect: when to connect, to probe and to give up, as a machine without a clock or a socket.
//
// The driver (rpc/session.cc) calls run(now) whenever deadline() has passed or an event was
// reported, does what it says, and reports what came of it.
//
//   BACKOFF     waits until it is time for the next attempt
//   CONNECTING  an attempt is under way
//   ACTIVE      connected, and the peer was heard of lately
//   IDLE        connected, a probe was sent and not yet answered
//   FAILED      no further attempt (only where `retry` is off)
//
// Attempts.  The first one is made at once.  With several remotes, one attempt is made at each in
// turn without waiting; when all have failed it waits, first `min_backoff`, then twice as long
// each time, at most `max_backoff`.  A connection that lasted at least as long as the present wait
// shows that the peer is well: the wait begins anew from the minimum, and the first attempt after
// such a connection is made at once.  An attempt may take `connect_timeout`.
//
// Probes.  When nothing came from the peer for `probe_interval`, a probe is sent; if then nothing
// comes for as long again, the peer is taken for dead.
//
// Thread safety: a value; belongs to one thread.
#pragma once

#include <cstddef>
#include <optional>

#include "runtime/loop.h"

namespace ovs::rpc {

class Reconnect {
 public:
  using Duration = runtime::Duration;
  using TimePoint = runtime::TimePoint;

  struct Options {
    Duration probe_interval{5000};  // 0: never
    Duration min_backoff{1000};
    Duration max_backoff{8000};
    Duration connect_timeout{8000};  // 0: none
    bool retry = true;  // false: one attempt at each remote, and none after a connection is lost
  };

  enum class State { backoff, connecting, active, idle, failed };

  enum class Action {
    none,
    connect,     // begin an attempt at remote()
    probe,       // send an echo request
    disconnect,  // give up the attempt or the connection; report disconnected() then
    give_up,     // tell the owner that every remote was tried; said once
  };

  Reconnect(Options options, std::size_t remotes, TimePoint now);

  // What is to be done now.  To be called again until it says `none`.
  Action run(TimePoint now);
  // When run() has something to say if nothing is reported before; nothing: only after an event.
  std::optional<TimePoint> deadline() const;

  // Events.
  void connected(TimePoint now);
  void disconnected(TimePoint now);  // an attempt failed or the connection ended, by whomever
  void received(TimePoint now);      // any bytes from the peer
  void reconnect_now(TimePoint now); // the owner wants a new connection at once: drop the present one

  State state() const { return state_; }
  std::size_t remote() const { return remote_; }
  // How long it waits in BACKOFF.
  Duration backoff() const { return backoff_; }
  void set_probe_interval(Duration interval) { options_.probe_interval = interval; }

 private:
  bool is_connected() const { return state_ == State::active || state_ == State::idle; }

  Options options_;
  std::size_t remotes_;
  std::size_t remote_ = 0;
  std::size_t tries_left_;  // attempts before it has to wait
  State state_ = State::backoff;
  TimePoint since_;         // when the state began; ACTIVE: when the peer was last heard of
  TimePoint connected_at_{};
  TimePoint wait_until_;    // BACKOFF
  Duration backoff_{0};
  bool drop_ = false;       // the owner asked for a new connection
  bool said_give_up_ = false;
};

const char* state_name(Reconnect::State state);  // "BACKOFF" and so on

}  // namespace ovs::rpc
