#include "rpc/reconnect.h"

#include <algorithm>

#include "base/check.h"

namespace ovs::rpc {

Reconnect::Reconnect(Options options, std::size_t remotes, TimePoint now)
    : options_(options), remotes_(remotes), tries_left_(remotes), since_(now), wait_until_(now) {
  OVS_CHECK(remotes > 0);
  remote_ = remotes - 1;  // the first attempt goes to the one after it
}

Reconnect::Action Reconnect::run(TimePoint now) {
  if (drop_) {
    // disconnected() follows, and the attempt after it.
    drop_ = false;
    if (state_ == State::connecting || is_connected()) return Action::disconnect;
  }
  switch (state_) {
    case State::backoff:
      if (now < wait_until_) return Action::none;
      if (tries_left_ == 0) tries_left_ = remotes_;
      tries_left_--;
      remote_ = (remote_ + 1) % remotes_;
      state_ = State::connecting;
      since_ = now;
      return Action::connect;

    case State::connecting:
      if (options_.connect_timeout <= Duration::zero()) return Action::none;
      return now >= since_ + options_.connect_timeout ? Action::disconnect : Action::none;

    case State::active:
      if (options_.probe_interval <= Duration::zero() || now < since_ + options_.probe_interval) {
        return Action::none;
      }
      state_ = State::idle;
      since_ = now;
      return Action::probe;

    case State::idle:
      if (options_.probe_interval <= Duration::zero()) {
        state_ = State::active;
        return Action::none;
      }
      return now >= since_ + options_.probe_interval ? Action::disconnect : Action::none;

    case State::failed:
      if (said_give_up_) return Action::none;
      said_give_up_ = true;
      return Action::give_up;
  }
  return Action::none;
}

std::optional<Reconnect::TimePoint> Reconnect::deadline() const {
  if (drop_) return since_;  // at once
  switch (state_) {
    case State::backoff:
      return wait_until_;
    case State::connecting:
      if (options_.connect_timeout <= Duration::zero()) return std::nullopt;
      return since_ + options_.connect_timeout;
    case State::active:
    case State::idle:
      if (options_.probe_interval <= Duration::zero()) return std::nullopt;
      return since_ + options_.probe_interval;
    case State::failed:
      break;
  }
  return said_give_up_ ? std::nullopt : std::optional(since_);
}

void Reconnect::connected(TimePoint now) {
  state_ = State::active;
  since_ = connected_at_ = now;
}

void Reconnect::disconnected(TimePoint now) {
  if (state_ == State::backoff || state_ == State::failed) return;
  bool lasted = is_connected() && now - connected_at_ >= std::max(backoff_, options_.min_backoff);
  bool was_connected = is_connected();
  drop_ = false;
  since_ = now;
  if (!options_.retry && (was_connected || tries_left_ == 0)) {
    state_ = State::failed;
    return;
  }
  state_ = State::backoff;
  if (lasted) {
    backoff_ = Duration::zero();
    tries_left_ = remotes_;
    wait_until_ = now;
  } else if (tries_left_ > 0) {
    wait_until_ = now;
  } else {
    backoff_ = std::clamp(backoff_ * 2, options_.min_backoff, options_.max_backoff);
    wait_until_ = now + backoff_;
  }
}

void Reconnect::received(TimePoint now) {
  if (!is_connected()) return;
  state_ = State::active;
  since_ = now;
}

void Reconnect::reconnect_now(TimePoint now) {
  said_give_up_ = false;
  tries_left_ = remotes_;
  backoff_ = Duration::zero();
  if (state_ == State::failed || state_ == State::backoff) {
    state_ = State::backoff;
    wait_until_ = now;
  } else {
    // Counts as one that lasted, so that the next attempt is made at once.
    drop_ = true;
  }
}

const char* state_name(Reconnect::State state) {
  switch (state) {
    case Reconnect::State::backoff:
      return "BACKOFF";
    case Reconnect::State::connecting:
      return "CONNECTING";
    case Reconnect::State::active:
      return "ACTIVE";
    case Reconnect::State::idle:
      return "IDLE";
    case Reconnect::State::failed:
      return "FAILED";
  }
  return "";
}

}  // namespace ovs::rpc
