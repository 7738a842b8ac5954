// LinkMonitor: the kernel's announcements about network interfaces (rtnetlink(7), group RTNLGRP_LINK): one came, changed,
// or went.
//
// Wait until descriptor() is readable, then call read().  Where announcements came faster than they
// were read, the kernel throws some away and says so: then the listener has to ask for everything again.
//
// Thread safety: one thread at a time.
#pragma once

#include <functional>

#include "base/descriptor.h"
#include "base/result.h"
#include "netlink/link.h"

namespace ovs::netlink {

class LinkMonitor {
 public:
  static Result<LinkMonitor> open();

  int descriptor() const { return socket_.get(); }
  enum class Event { present, gone };
  // Reads everything that has come, without waiting.  False if announcements were lost.
  bool read(const std::function<void(Event, const Link&)>& each);

 private:
  explicit LinkMonitor(Descriptor socket) : socket_(std::move(socket)) {}
  Descriptor socket_;
};

}  // namespace ovs::netlink
