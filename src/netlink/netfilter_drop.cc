#include "netlink/netfilter_drop.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>

#include "base/check.h"
#include "base/descriptor.h"

namespace ovs::netlink {
namespace {

// Earlier than any chain of a firewall.
constexpr std::int32_t first_priority = -1000;
constexpr std::size_t answer_bytes = 32768;

struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, FreeMessage>;

Message new_message(int type, int flags, std::uint8_t family, std::uint16_t resource = 0) {
  Message message(nlmsg_alloc_simple(type, NLM_F_REQUEST | flags));
  OVS_CHECK(message != nullptr, "out of memory");
  nfgenmsg about{family, NFNETLINK_V0, htons(resource)};
  OVS_CHECK(nlmsg_append(message.get(), &about, sizeof about, NLMSG_ALIGNTO) == 0, "a netlink message is full");
  return message;
}

Message table_message(int type, int flags) {
  return new_message(NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_NETDEV);
}

std::string table_name(std::uint32_t handle) { return fmt::format("ovs-{:08x}", handle); }

std::string text_of(nlattr* attribute) {
  const char* text = static_cast<const char*>(nla_data(attribute));
  return {text, ::strnlen(text, static_cast<std::size_t>(nla_len(attribute)))};
}

Result<Descriptor> open_socket() {
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (socket.get() < 0) return Unexpected{system_error("cannot open a netfilter socket", errno)};
  return socket;
}

// Sends messages as one datagram and takes the answers: of each message with NLM_F_ACK its error, or of a dump what
// there is.
Result<void> transact(std::string_view doing, std::vector<Message> messages,
                      const std::function<void(nlmsghdr*)>& each = {}) {
  OVS_TRY(const Descriptor socket, open_socket());
  std::vector<std::uint8_t> bytes;
  std::size_t awaited = 0;
  for (std::size_t i = 0; i < messages.size(); i++) {
    nlmsghdr* header = nlmsg_hdr(messages[i].get());
    header->nlmsg_seq = static_cast<std::uint32_t>(i + 1);
    header->nlmsg_pid = 0;
    awaited += (header->nlmsg_flags & (NLM_F_ACK | NLM_F_DUMP)) != 0;
    const auto* begin = reinterpret_cast<const std::uint8_t*>(header);
    bytes.insert(bytes.end(), begin, begin + header->nlmsg_len);
    bytes.resize(NLMSG_ALIGN(bytes.size()));
  }
  const auto failed = [&](int code) { return Unexpected{system_error(std::string(doing), code)}; };
  if (::send(socket.get(), bytes.data(), bytes.size(), 0) < 0) return failed(errno);

  int error = 0;
  std::vector<std::uint8_t> answer(answer_bytes);
  while (awaited > 0) {
    const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return failed(errno);
    int left = static_cast<int>(size);
    for (auto* header = reinterpret_cast<nlmsghdr*>(answer.data()); nlmsg_ok(header, left);
         header = nlmsg_next(header, &left)) {
      if (header->nlmsg_type == NLMSG_DONE) {
        awaited--;
      } else if (header->nlmsg_type == NLMSG_ERROR) {
        const int code = -static_cast<const nlmsgerr*>(nlmsg_data(header))->error;
        if (error == 0) error = code;
        // An error that is not about one of the messages is about them all.
        if (code != 0 && header->nlmsg_seq <= 1) return failed(error);
        awaited--;
      } else if (each) {
        each(header);
      }
    }
  }
  if (error != 0) return failed(error);
  return {};
}

// Makes all the changes or none.
Result<void> change(std::string_view doing, std::vector<Message> changes) {
  std::vector<Message> batch;
  batch.push_back(new_message(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
  for (Message& message : changes) {
    nlmsg_hdr(message.get())->nlmsg_flags |= NLM_F_ACK;
    batch.push_back(std::move(message));
  }
  batch.push_back(new_message(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
  return transact(doing, std::move(batch));
}

}  // namespace

Result<void> add_netfilter_drop(const std::string& interface, std::uint32_t handle) {
  const std::string name = table_name(handle);
  Message table = table_message(NFT_MSG_NEWTABLE, NLM_F_CREATE);
  nla_put_string(table.get(), NFTA_TABLE_NAME, name.c_str());

  Message chain = table_message(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
  nla_put_string(chain.get(), NFTA_CHAIN_TABLE, name.c_str());
  nla_put_string(chain.get(), NFTA_CHAIN_NAME, interface.c_str());
  nla_put_string(chain.get(), NFTA_CHAIN_TYPE, "filter");
  nla_put_u32(chain.get(), NFTA_CHAIN_POLICY, htonl(NF_DROP));
  nlattr* hook = nla_nest_start(chain.get(), NFTA_CHAIN_HOOK | NLA_F_NESTED);
  OVS_CHECK(hook != nullptr, "a netlink message is full");
  nla_put_u32(chain.get(), NFTA_HOOK_HOOKNUM, htonl(NF_NETDEV_INGRESS));
  nla_put_u32(chain.get(), NFTA_HOOK_PRIORITY, htonl(static_cast<std::uint32_t>(first_priority)));
  nla_put_string(chain.get(), NFTA_HOOK_DEV, interface.c_str());
  nla_nest_end(chain.get(), hook);

  std::vector<Message> changes;
  changes.push_back(std::move(table));
  changes.push_back(std::move(chain));
  return change("adding a chain that drops", std::move(changes));
}

Result<void> remove_netfilter_drop(const std::string& interface, std::uint32_t handle) {
  const std::string name = table_name(handle);
  OVS_TRY(const auto present, find_netfilter_drops(handle));
  if (std::ranges::find(present, interface) == present.end()) return {};
  std::vector<Message> changes;
  changes.push_back(table_message(NFT_MSG_DELCHAIN, 0));
  nla_put_string(changes.back().get(), NFTA_CHAIN_TABLE, name.c_str());
  nla_put_string(changes.back().get(), NFTA_CHAIN_NAME, interface.c_str());
  if (present.size() == 1) {
    changes.push_back(table_message(NFT_MSG_DELTABLE, 0));
    nla_put_string(changes.back().get(), NFTA_TABLE_NAME, name.c_str());
  }
  return change("removing the chain that drops", std::move(changes));
}

Result<std::vector<std::string>> find_netfilter_drops(std::uint32_t handle) {
  const std::string name = table_name(handle);
  std::vector<std::string> found;
  std::vector<Message> question;
  question.push_back(table_message(NFT_MSG_GETCHAIN, NLM_F_DUMP));
  OVS_TRY_DO(transact("listing the chains of nftables", std::move(question), [&](nlmsghdr* header) {
    if (header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN)) return;
    nlattr* attributes[NFTA_CHAIN_MAX + 1] = {};
    if (nlmsg_parse(header, sizeof(nfgenmsg), attributes, NFTA_CHAIN_MAX, nullptr) < 0) return;
    nlattr *table = attributes[NFTA_CHAIN_TABLE], *chain = attributes[NFTA_CHAIN_NAME];
    if (table && chain && text_of(table) == name) found.push_back(text_of(chain));
  }));
  return found;
}

}  // namespace ovs::netlink
