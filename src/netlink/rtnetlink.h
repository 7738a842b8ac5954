// Rtnetlink: questions to the kernel about network interfaces, and requests to change them; one at a time, each
// answered before the call returns (rtnetlink(7)).
//
// Errors carry the kernel's errno; ENODEV for an interface that does not exist.
//
// Thread safety: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "netlink/link.h"

struct nl_msg;
struct nl_sock;
struct nlmsghdr;

namespace ovs::netlink {

class Rtnetlink {
 public:
  static Result<Rtnetlink> open();

  Result<std::optional<Link>> find_link(std::string_view name);  // empty: there is none
  Result<std::optional<Link>> find_link(unsigned ifindex);
  Result<std::vector<Link>> links();
  Result<LinkCounters> counters(unsigned ifindex);
  // Of all interfaces, with one question.
  Result<void> all_counters(const std::function<void(unsigned ifindex, const LinkCounters&)>& each);

  Result<void> set_mtu(unsigned ifindex, unsigned mtu);
  Result<void> set_mac(unsigned ifindex, const std::array<std::uint8_t, 6>& mac);
  Result<void> set_admin_up(unsigned ifindex, bool up);
  Result<void> set_alias(unsigned ifindex, std::string_view alias);
  Result<void> remove_link(unsigned ifindex);

  // For other messages of the same family (ingress_filter.h).  Sends `message` and takes each
  // message of the answer to `each`; returns when the kernel has acknowledged, or with its error.
  struct FreeMessage {
    void operator()(nl_msg* message) const;
  };
  using Message = std::unique_ptr<nl_msg, FreeMessage>;
  Result<void> transact(std::string_view doing, Message message, const std::function<void(nlmsghdr*)>& each = {});

 private:
  struct FreeSocket {
    void operator()(nl_sock* socket) const;
  };
  explicit Rtnetlink(nl_sock* socket) : socket_(socket) {}
  Result<std::optional<Link>> find(Message request);
  Result<void> change_link(std::string_view doing, unsigned ifindex, unsigned flags, unsigned change,
                           int attribute, const void* data, std::size_t size);

  std::unique_ptr<nl_sock, FreeSocket> socket_;
};

// One message RTM_NEWLINK or RTM_DELLINK; empty if it is no such message, or is about a bridge's
// view of its port rather than the interface.
std::optional<Link> parse_link(nlmsghdr* header);

}  // namespace ovs::netlink
