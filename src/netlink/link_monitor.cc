#include "netlink/link_monitor.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <cerrno>

#include "netlink/rtnetlink.h"

namespace ovs::netlink {

Result<LinkMonitor> LinkMonitor::open() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (socket.get() < 0) return Unexpected{system_error("cannot open a netlink socket", errno)};
  // A thousand interfaces may come at once.
  const int bytes = 4 << 20;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return Unexpected{system_error("cannot listen to the kernel's announcements of network devices", errno)};
  return LinkMonitor(std::move(socket));
}

bool LinkMonitor::read(const std::function<void(Event, const Link&)>& each) {
  bool complete = true;
  alignas(nlmsghdr) char buffer[32768];
  for (;;) {
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const ssize_t n = ::recvfrom(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &from_size);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return complete;
      complete = false;
      if (errno != ENOBUFS) return false;
      continue;
    }
    if (from.nl_pid != 0) continue;  // anybody may send to a netlink socket
    int left = static_cast<int>(n);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); nlmsg_ok(header, left);
         header = nlmsg_next(header, &left)) {
      if (const auto link = parse_link(header))
        each(header->nlmsg_type == RTM_DELLINK ? Event::gone : Event::present, *link);
    }
  }
}

}  // namespace ovs::netlink
