#include "netlink/rtnetlink.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace ovs::netlink {
namespace {

// The kernel fills buffers of up to this size in a dump.
constexpr std::size_t answer_bytes = 32768;
// A dump that the kernel had to interrupt because something changed is asked for again.
constexpr int dump_attempts = 5;

Rtnetlink::Message new_message(int type, int flags) {
  Rtnetlink::Message message(nlmsg_alloc_simple(type, flags));
  OVS_CHECK(message != nullptr, "out of memory");
  return message;
}

void put(nl_msg* message, int attribute, const void* data, std::size_t size) {
  OVS_CHECK(nla_put(message, attribute, static_cast<int>(size), data) == 0, "a netlink message is full");
}

void append(nl_msg* message, const void* data, std::size_t size) {
  OVS_CHECK(nlmsg_append(message, const_cast<void*>(data), size, NLMSG_ALIGNTO) == 0,
            "a netlink message is full");
}

std::string text_of(nlattr* attribute) {
  const char* text = static_cast<const char*>(nla_data(attribute));
  return {text, ::strnlen(text, static_cast<std::size_t>(nla_len(attribute)))};
}

LinkCounters counters_of(nlattr* attribute) {
  rtnl_link_stats64 raw{};
  std::memcpy(&raw, nla_data(attribute), std::min(sizeof raw, static_cast<std::size_t>(nla_len(attribute))));
  LinkCounters c;
  c.rx_packets = raw.rx_packets;
  c.tx_packets = raw.tx_packets;
  c.rx_bytes = raw.rx_bytes;
  c.tx_bytes = raw.tx_bytes;
  c.rx_errors = raw.rx_errors;
  c.tx_errors = raw.tx_errors;
  c.rx_dropped = raw.rx_dropped;
  c.tx_dropped = raw.tx_dropped;
  c.multicast = raw.multicast;
  c.collisions = raw.collisions;
  c.rx_over_errors = raw.rx_over_errors;
  c.rx_crc_errors = raw.rx_crc_errors;
  c.rx_frame_errors = raw.rx_frame_errors;
  c.rx_missed_errors = raw.rx_missed_errors;
  return c;
}

// One message RTM_NEWSTATS.
void parse_counters(nlmsghdr* header, const std::function<void(unsigned, const LinkCounters&)>& each) {
  if (header->nlmsg_type != RTM_NEWSTATS) return;
  nlattr* attributes[IFLA_STATS_MAX + 1] = {};
  if (nlmsg_parse(header, sizeof(if_stats_msg), attributes, IFLA_STATS_MAX, nullptr) < 0) return;
  if (!attributes[IFLA_STATS_LINK_64]) return;
  const auto* about = static_cast<const if_stats_msg*>(nlmsg_data(header));
  each(about->ifindex, counters_of(attributes[IFLA_STATS_LINK_64]));
}

Rtnetlink::Message counters_request(int flags, unsigned ifindex) {
  auto message = new_message(RTM_GETSTATS, flags);
  if_stats_msg about{};
  about.ifindex = ifindex;
  about.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
  append(message.get(), &about, sizeof about);
  return message;
}

Rtnetlink::Message link_request(int flags, unsigned ifindex = 0) {
  auto message = new_message(RTM_GETLINK, flags);
  ifinfomsg about{};
  about.ifi_family = AF_UNSPEC;
  about.ifi_index = static_cast<int>(ifindex);
  append(message.get(), &about, sizeof about);
  const std::uint32_t filter = RTEXT_FILTER_SKIP_STATS;
  put(message.get(), IFLA_EXT_MASK, &filter, sizeof filter);
  return message;
}

}  // namespace

void Rtnetlink::FreeMessage::operator()(nl_msg* message) const { nlmsg_free(message); }
void Rtnetlink::FreeSocket::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<Rtnetlink> Rtnetlink::open() {
  nl_sock* socket = nl_socket_alloc();
  OVS_CHECK(socket != nullptr, "out of memory");
  Rtnetlink result(socket);
  if (const int error = nl_connect(socket, NETLINK_ROUTE); error < 0)
    return unexpected(std::string("cannot open a netlink socket: ") + nl_geterror(error), errno);
  nl_socket_set_buffer_size(socket, 1 << 20, 0);
  return result;
}

Result<void> Rtnetlink::transact(std::string_view doing, Message message,
                                 const std::function<void(nlmsghdr*)>& each) {
  nlmsghdr* request = nlmsg_hdr(message.get());
  request->nlmsg_flags |= NLM_F_REQUEST;
  const bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  if (!dump) request->nlmsg_flags |= NLM_F_ACK;
  nl_complete_msg(socket_.get(), message.get());
  const std::uint32_t sequence = request->nlmsg_seq;
  if (const int error = nl_send(socket_.get(), message.get()); error < 0)
    return unexpected(std::string(doing) + ": " + nl_geterror(error), EIO);

  alignas(nlmsghdr) char buffer[answer_bytes];
  bool interrupted = false;
  for (;;) {
    const ssize_t n = ::recv(nl_socket_get_fd(socket_.get()), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Unexpected{system_error(doing, errno)};
    int left = static_cast<int>(n);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); nlmsg_ok(header, left);
         header = nlmsg_next(header, &left)) {
      if (header->nlmsg_seq != sequence) continue;  // of a request that was given up
      if (header->nlmsg_flags & NLM_F_DUMP_INTR) interrupted = true;
      if (header->nlmsg_type == NLMSG_DONE) {
        if (interrupted) return unexpected(std::string(doing) + ": interrupted by a change", EINTR);
        return {};
      }
      if (header->nlmsg_type == NLMSG_ERROR) {
        const auto* error = static_cast<const nlmsgerr*>(nlmsg_data(header));
        if (error->error == 0) return {};
        return Unexpected{system_error(doing, -error->error)};
      }
      if (each) each(header);
    }
  }
}

std::optional<Link> parse_link(nlmsghdr* header) {
  if (header->nlmsg_type != RTM_NEWLINK && header->nlmsg_type != RTM_DELLINK) return {};
  nlattr* attributes[IFLA_MAX + 1] = {};
  if (nlmsg_parse(header, sizeof(ifinfomsg), attributes, IFLA_MAX, nullptr) < 0) return {};
  const auto* about = static_cast<const ifinfomsg*>(nlmsg_data(header));
  if (about->ifi_family != AF_UNSPEC || !attributes[IFLA_IFNAME]) return {};
  Link link;
  link.ifindex = static_cast<unsigned>(about->ifi_index);
  link.name = text_of(attributes[IFLA_IFNAME]);
  link.ethernet = about->ifi_type == ARPHRD_ETHER;
  link.admin_up = about->ifi_flags & IFF_UP;
  link.running = about->ifi_flags & IFF_RUNNING;
  if (nlattr* mac = attributes[IFLA_ADDRESS]; mac && nla_len(mac) == 6)
    std::memcpy(link.mac.data(), nla_data(mac), 6);
  if (nlattr* mtu = attributes[IFLA_MTU]; mtu && nla_len(mtu) == 4) link.mtu = nla_get_u32(mtu);
  if (nlattr* master = attributes[IFLA_MASTER]; master && nla_len(master) == 4) link.master = nla_get_u32(master);
  if (nlattr* alias = attributes[IFLA_IFALIAS]) link.alias = text_of(alias);
  if (nlattr* info = attributes[IFLA_LINKINFO]) {
    nlattr* nested[IFLA_INFO_MAX + 1] = {};
    if (nla_parse_nested(nested, IFLA_INFO_MAX, info, nullptr) == 0 && nested[IFLA_INFO_KIND])
      link.kind = text_of(nested[IFLA_INFO_KIND]);
  }
  return link;
}

Result<std::optional<Link>> Rtnetlink::find_link(std::string_view name) {
  auto message = link_request(0);
  const std::string text(name);
  put(message.get(), IFLA_IFNAME, text.c_str(), text.size() + 1);
  return find(std::move(message));
}

Result<std::optional<Link>> Rtnetlink::find_link(unsigned ifindex) {
  return find(link_request(0, ifindex));
}

Result<std::optional<Link>> Rtnetlink::find(Message request) {
  std::optional<Link> found;
  auto done = transact("asking for a network device", std::move(request), [&](nlmsghdr* header) {
    if (auto link = parse_link(header)) found = std::move(link);
  });
  if (!done && done.error().code == ENODEV) return std::optional<Link>{};
  if (!done) return Unexpected{std::move(done).error()};
  return found;
}

Result<std::vector<Link>> Rtnetlink::links() {
  for (int attempt = 1;; ++attempt) {
    std::vector<Link> all;
    auto done = transact("listing the network devices", link_request(NLM_F_DUMP), [&](nlmsghdr* header) {
      if (auto link = parse_link(header)) all.push_back(*std::move(link));
    });
    if (done) return all;
    if (done.error().code != EINTR || attempt == dump_attempts) return Unexpected{std::move(done).error()};
  }
}

Result<LinkCounters> Rtnetlink::counters(unsigned ifindex) {
  LinkCounters found;
  OVS_TRY_DO(transact("asking for the counters of a network device", counters_request(0, ifindex),
                      [&](nlmsghdr* header) {
                        parse_counters(header, [&](unsigned, const LinkCounters& c) { found = c; });
                      }));
  return found;
}

Result<void> Rtnetlink::all_counters(const std::function<void(unsigned, const LinkCounters&)>& each) {
  auto done = transact("asking for the counters of the network devices", counters_request(NLM_F_DUMP, 0),
                       [&](nlmsghdr* header) { parse_counters(header, each); });
  // A device that came or went meanwhile does not make the others' counters wrong.
  if (!done && done.error().code == EINTR) return {};
  return done;
}

Result<void> Rtnetlink::change_link(std::string_view doing, unsigned ifindex, unsigned flags, unsigned change,
                                    int attribute, const void* data, std::size_t size) {
  auto message = new_message(RTM_NEWLINK, 0);
  ifinfomsg about{};
  about.ifi_family = AF_UNSPEC;
  about.ifi_index = static_cast<int>(ifindex);
  about.ifi_flags = flags;
  about.ifi_change = change;
  append(message.get(), &about, sizeof about);
  if (attribute != IFLA_UNSPEC) put(message.get(), attribute, data, size);
  return transact(doing, std::move(message));
}

Result<void> Rtnetlink::set_mtu(unsigned ifindex, unsigned mtu) {
  const std::uint32_t value = mtu;
  return change_link("setting the MTU to " + std::to_string(mtu), ifindex, 0, 0, IFLA_MTU, &value, sizeof value);
}

Result<void> Rtnetlink::set_mac(unsigned ifindex, const std::array<std::uint8_t, 6>& mac) {
  return change_link("setting the MAC address", ifindex, 0, 0, IFLA_ADDRESS, mac.data(), mac.size());
}

Result<void> Rtnetlink::set_admin_up(unsigned ifindex, bool up) {
  return change_link(up ? "taking the device up" : "taking the device down", ifindex, up ? unsigned{IFF_UP} : 0u,
                     IFF_UP, IFLA_UNSPEC, nullptr, 0);
}

Result<void> Rtnetlink::set_alias(unsigned ifindex, std::string_view alias) {
  return change_link("setting the alias", ifindex, 0, 0, IFLA_IFALIAS, alias.data(), alias.size());
}

Result<void> Rtnetlink::remove_link(unsigned ifindex) {
  auto message = new_message(RTM_DELLINK, 0);
  ifinfomsg about{};
  about.ifi_family = AF_UNSPEC;
  about.ifi_index = static_cast<int>(ifindex);
  append(message.get(), &about, sizeof about);
  return transact("removing the device", std::move(message));
}

}  // namespace ovs::netlink
