// Registry: makes Netdevs of every kind, and keeps those of the kernel true to what the kernel says.
//
// create() takes the type as Interface.type has it and finds the kind in a table (registry.cc).  A device of
// the kernel that does not exist is created all the same (netdev.h); what can never work (a name that is too long, an
// option that does not exist, a TAP interface that somebody else holds) is an error.
//
// Events.  Whoever owns the registry waits until event_descriptor() is readable and calls
// process_events(), which reads what rtnetlink (rtnetlink(7), RTNLGRP_LINK) has to say, brings the
// devices up to date and names those whose state() or generation() is another one now.  Events that the kernel had
// to throw away are made up for by asking for everything again.
//
// What stays.  TAP interfaces and the filters that keep a port's frames from the host's own stack
// stay in the kernel when the process ends, so that an address on br0 survives a restart;
// Netdev::destroy() removes them.  What an earlier process left behind for ports that are no more is removed by
// remove_leftovers().
//
// Thread safety: the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "netdev/netdev.h"

namespace ovs::netdev {

// --enable-dummy: not given; given; "=system": the type system makes dummies; "=override": every type does.
enum class DummyMode : std::uint8_t { off, on, system, override_all };

class Registry {
 public:
  struct Settings {
    DummyMode dummies = DummyMode::off;
    // Tells this switch's TAP interfaces and filters from those of another one on the same host; the run directory
    // does.  Same text after a restart.
    std::string owner;
  };
  static Result<std::unique_ptr<Registry>> open(Settings settings);
  ~Registry();  // after the last Netdev
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // A type of "" is "system".  One Netdev for a name at a time: EBUSY.  An unknown type is an error that lists the
  // known ones (EAFNOSUPPORT).
  Result<std::unique_ptr<Netdev>> create(const std::string& name, std::string_view type, const Options& options);
  std::vector<std::string> types() const;  // for Open_vSwitch.iface_types; sorted

  int event_descriptor() const;
  // Reads what has come, without waiting.  Names of devices that changed, each once, sorted.
  std::vector<std::string> process_events();

  // Whether some device's State::settling: whoever waits for what was asked of the devices waits for its end, which is
  // told as every change, except where the device is destroyed before.
  bool is_settling() const;

  // Of every device of the kernel (system, internal, tap), by name: one question for all of them.
  Result<std::map<std::string, Statistics>> all_statistics() const;

  // Removes TAP interfaces and filters with the same `owner` that belong to no Netdev which exists now: call it once
  // after a start, when all ports have been created.  A TAP interface stays if its name is `wanted`: that of a port
  // whose device could not be made yet.
  void remove_leftovers(const std::function<bool(const std::string&)>& wanted = {});

  struct Impl;

 private:
  explicit Registry(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs::netdev
