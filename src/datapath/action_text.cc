#include "datapath/action_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/text.h"
#include "datapath/header_text.h"
#include "datapath/text_cursor.h"
#include "flow/protocols.h"

namespace ovs::datapath {

namespace {

using flow::FlowKey;

// Deeper nesting of sample() is refused: actions come from outside, too.
constexpr int max_depth = 16;

// ---- SetMasked<...> has its text by the members of FlowKey: the two directions.

template <class Header>
struct SetText;

template <>
struct SetText<EthernetHeader> {
  static constexpr std::string_view name = "eth";
  static void put(FlowKey& key, const EthernetHeader& h) {
    key.eth_src = h.src;
    key.eth_dst = h.dst;
  }
  static EthernetHeader get(const FlowKey& key) { return {key.eth_src, key.eth_dst}; }
};

template <>
struct SetText<Ipv4Header> {
  static constexpr std::string_view name = "ipv4";
  static void put(FlowKey& key, const Ipv4Header& h) {
    key.nw_src = h.src;
    key.nw_dst = h.dst;
    key.nw_proto = h.proto;
    key.nw_tos = h.tos;
    key.nw_ttl = h.ttl;
    key.nw_frag = h.frag;
  }
  static Ipv4Header get(const FlowKey& key) {
    return {key.nw_src, key.nw_dst, key.nw_proto, key.nw_tos, key.nw_ttl, key.nw_frag};
  }
};

template <>
struct SetText<Ipv6Header> {
  static constexpr std::string_view name = "ipv6";
  static void put(FlowKey& key, const Ipv6Header& h) {
    key.ipv6_src = h.src;
    key.ipv6_dst = h.dst;
    key.ipv6_label = h.label;
    key.nw_proto = h.proto;
    key.nw_tos = h.tclass;
    key.nw_ttl = h.hlimit;
    key.nw_frag = h.frag;
  }
  static Ipv6Header get(const FlowKey& key) {
    return {key.ipv6_src, key.ipv6_dst, key.ipv6_label, key.nw_proto, key.nw_tos, key.nw_ttl, key.nw_frag};
  }
};

template <class Ports>
struct PortsText {
  static void put(FlowKey& key, const Ports& h) {
    key.tp_src = h.src;
    key.tp_dst = h.dst;
  }
  static Ports get(const FlowKey& key) { return {key.tp_src, key.tp_dst}; }
};
template <>
struct SetText<TcpPorts> : PortsText<TcpPorts> {
  static constexpr std::string_view name = "tcp";
};
template <>
struct SetText<UdpPorts> : PortsText<UdpPorts> {
  static constexpr std::string_view name = "udp";
};
template <>
struct SetText<SctpPorts> : PortsText<SctpPorts> {
  static constexpr std::string_view name = "sctp";
};

template <>
struct SetText<ArpHeader> {
  static constexpr std::string_view name = "arp";
  static void put(FlowKey& key, const ArpHeader& h) {
    key.nw_src = h.sip;
    key.nw_dst = h.tip;
    key.arp_op = h.op;
    key.arp_sha = h.sha;
    key.arp_tha = h.tha;
  }
  static ArpHeader get(const FlowKey& key) { return {key.nw_src, key.nw_dst, key.arp_op, key.arp_sha, key.arp_tha}; }
};

template <>
struct SetText<SkbPriority> {
  static constexpr std::string_view name = "skb_priority";
  static void put(FlowKey& key, const SkbPriority& h) { key.skb_priority = h.priority; }
  static SkbPriority get(const FlowKey& key) { return {key.skb_priority}; }
};

template <>
struct SetText<PktMark> {
  static constexpr std::string_view name = "skb_mark";
  static void put(FlowKey& key, const PktMark& h) { key.pkt_mark = h.mark; }
  static PktMark get(const FlowKey& key) { return {key.pkt_mark}; }
};

// ---- writing

class Writer {
 public:
  explicit Writer(const ActionText& text) : text_(text) {}

  std::string write(const Actions& actions) {
    append(actions);
    return std::move(out_);
  }

  void operator()(const Output& output) {
    std::optional<std::string> name;
    if (text_.port) name = text_.port(output.port);
    out_ += name ? *name : fmt::to_string(raw(output.port));
  }

  void operator()(const PushVlan& push) {
    out_ += "push_vlan(";
    if (push.tag.tpid != flow::eth_type::vlan) {
      fmt::format_to(std::back_inserter(out_), "tpid=0x{:04x},", push.tag.tpid.host());
    }
    fmt::format_to(std::back_inserter(out_), "vid={},pcp={}", (push.tag.tci & flow::vlan_vid_mask).host(),
                   push.tag.tci.host() >> 13);
    if (!(push.tag.tci & flow::vlan_present)) out_ += ",cfi=0";
    out_ += ')';
  }

  void operator()(const PopVlan&) { out_ += "pop_vlan"; }

  template <class Header>
  void operator()(const SetMasked<Header>& set) {
    FlowKey key{}, mask{};
    SetText<Header>::put(key, set.value);
    SetText<Header>::put(mask, set.mask);
    out_ += "set(";
    append_header(out_, header(SetText<Header>::name), key, mask, false);
    out_ += ')';
  }

  void operator()(const Userspace& up) {
    out_ += "userspace(pid=0";
    std::optional<std::string> cookie;
    if (text_.cookie) cookie = text_.cookie(up.cookie);
    if (cookie) {
      out_ += ',';
      out_ += *cookie;
    } else if (!up.cookie.empty()) {
      out_ += ",userdata(";
      for (const std::uint8_t byte : up.cookie) fmt::format_to(std::back_inserter(out_), "{:02x}", byte);
      out_ += ')';
    }
    out_ += ')';
  }

  void operator()(const Sample& sample) {
    // One that counts samples of every packet; the text has no counting, so that nothing but its actions is left.
    if (sample.sampler != no_sampler && sample.probability == std::numeric_limits<std::uint32_t>::max()) {
      return append(sample.actions);
    }
    const double percent = 100.0 * sample.probability / std::numeric_limits<std::uint32_t>::max();
    fmt::format_to(std::back_inserter(out_), "sample(sample={:.1f}%,actions(", percent);
    append(sample.actions);
    out_ += "))";
  }

  void operator()(const Drop&) { out_ += "drop"; }

 private:
  void append(const Actions& actions) {
    if (actions.empty()) out_ += "drop";
    for (std::size_t i = 0; i < actions.size(); i++) {
      if (i > 0) out_ += ',';
      std::visit(*this, actions[i]);
    }
  }

  const ActionText& text_;
  std::string out_;
};

// ---- reading

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Actions> read() {
    OVS_TRY(Actions actions, read_list(0));
    if (!text_.at_end()) return text_.failure("nothing more is expected");
    return actions;
  }

 private:
  // Up to the end or a ")".
  Result<Actions> read_list(int depth) {
    Actions actions;
    text_.skip_separators();
    // Alone it is the text of no action at all.
    TextCursor after = text_;
    if (after.take_word() == "drop") {
      after.skip_separators();
      if (after.at_end() || after.peek() == ')') {
        text_ = after;
        return actions;
      }
    }
    for (;;) {
      text_.skip_separators();
      if (text_.at_end() || text_.peek() == ')') return actions;
      OVS_TRY_DO(read_action(actions, depth));
    }
  }

  Result<void> read_action(Actions& actions, int depth) {
    const TextCursor at = text_;
    if (text_.peek() >= '0' && text_.peek() <= '9') {
      OVS_TRY(const std::uint64_t port, text_.number(std::numeric_limits<std::uint32_t>::max()));
      actions.push_back(Output{DpPort{static_cast<std::uint32_t>(port)}});
      return {};
    }
    const std::string_view name = text_.take_word();
    if (name == "pop_vlan") {
      actions.push_back(PopVlan{});
      return {};
    }
    if (name == "drop") {
      actions.push_back(Drop{});
      return {};
    }
    if (text_.take("(")) {
      if (name == "push_vlan") return read_push_vlan(actions);
      if (name == "set") return read_set(actions);
      if (name == "userspace") return read_userspace(actions);
      if (name == "sample") return read_sample(actions, depth);
    }
    return at.failure("there is no such action");
  }

  Result<void> read_push_vlan(Actions& actions) {
    PushVlan push{{flow::eth_type::vlan, flow::vlan_present}};
    std::uint16_t vid = 0, pcp = 0;
    bool has_vid = false, has_cfi = true;
    for (;;) {
      text_.skip_separators();
      if (text_.take(")")) break;
      if (text_.take("tpid=")) {
        OVS_TRY(const std::uint64_t value, text_.number(0xffff));
        push.tag.tpid = be16::from_host(static_cast<std::uint16_t>(value));
      } else if (text_.take("vid=")) {
        OVS_TRY(const std::uint64_t value, text_.number(0xfff));
        vid = static_cast<std::uint16_t>(value);
        has_vid = true;
      } else if (text_.take("pcp=")) {
        OVS_TRY(const std::uint64_t value, text_.number(7));
        pcp = static_cast<std::uint16_t>(value);
      } else if (text_.take("cfi=")) {
        OVS_TRY(const std::uint64_t value, text_.number(1));
        has_cfi = value != 0;
      } else {
        return text_.failure("push_vlan has no such member");
      }
    }
    if (!has_vid) return text_.failure("push_vlan lacks its vid before what comes");
    push.tag.tci = be16::from_host(static_cast<std::uint16_t>(pcp << 13 | (has_cfi ? 0x1000 : 0) | vid));
    actions.push_back(push);
    return {};
  }

  template <class Header>
  Result<bool> try_set(Actions& actions) {
    if (!text_.take(SetText<Header>::name, '(')) return false;
    FlowKey key{}, mask{};
    OVS_TRY_DO(parse_members(text_, header(SetText<Header>::name), key, mask, true));
    actions.push_back(SetMasked<Header>{SetText<Header>::get(key), SetText<Header>::get(mask)});
    return true;
  }

  Result<void> read_set(Actions& actions) {
    const TextCursor at = text_;
    for (const auto try_one :
         {&Reader::try_set<EthernetHeader>, &Reader::try_set<Ipv4Header>, &Reader::try_set<Ipv6Header>,
          &Reader::try_set<TcpPorts>, &Reader::try_set<UdpPorts>, &Reader::try_set<SctpPorts>,
          &Reader::try_set<ArpHeader>, &Reader::try_set<SkbPriority>, &Reader::try_set<PktMark>}) {
      OVS_TRY(const bool done, (this->*try_one)(actions));
      if (done) return text_.expect(')');
    }
    return at.failure("this cannot be set");
  }

  Result<void> read_userspace(Actions& actions) {
    Userspace up;
    if (!text_.take("pid=")) return text_.failure("\"pid=\" is missing");
    OVS_TRY_DO(text_.number(std::numeric_limits<std::uint32_t>::max()));
    text_.skip_separators();
    if (text_.take("userdata", '(')) {
      const TextCursor at = text_;
      const std::string_view digits = text_.take_word();
      if (digits.size() % 2 != 0) return at.failure("a byte has two digits");
      for (std::size_t i = 0; i < digits.size(); i += 2) {
        unsigned byte = 0;
        for (const char c : digits.substr(i, 2)) {
          const int digit = c >= '0' && c <= '9'   ? c - '0'
                            : c >= 'a' && c <= 'f' ? c - 'a' + 10
                            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                   : -1;
          if (digit < 0) return at.failure("no hexadecimal digits");
          byte = byte * 16 + static_cast<unsigned>(digit);
        }
        up.cookie.push_back(static_cast<std::uint8_t>(byte));
      }
      OVS_TRY_DO(text_.expect(')'));
    }
    OVS_TRY_DO(text_.expect(')'));
    actions.push_back(std::move(up));
    return {};
  }

  Result<void> read_sample(Actions& actions, int depth) {
    if (depth == max_depth) return text_.failure("sample() within too many sample()s");
    if (!text_.take("sample=")) return text_.failure("\"sample=\" is missing");
    const TextCursor at = text_;
    const std::optional<double> percent = parse_real(text_.take_until("%,)"));
    if (!percent || !(*percent >= 0 && *percent <= 100) || !text_.take("%")) {
      return at.failure("a percentage is wrong");
    }
    Sample sample;
    sample.probability =
        static_cast<std::uint32_t>(std::floor(std::numeric_limits<std::uint32_t>::max() * (*percent / 100.0) + 0.5));
    text_.skip_separators();
    if (!text_.take("actions", '(')) return text_.failure("\"actions(\" is missing");
    OVS_TRY(sample.actions, read_list(depth + 1));
    OVS_TRY_DO(text_.expect(')'));
    OVS_TRY_DO(text_.expect(')'));
    actions.push_back(std::move(sample));
    return {};
  }

  TextCursor text_;
};

}  // namespace

// Written out: Clang 14 does not survive a defaulted one of a type that contains itself.
bool operator==(const Sample& a, const Sample& b) {
  return a.probability == b.probability && a.sampler == b.sampler && a.actions == b.actions;
}

std::string format_actions(const Actions& actions, const ActionText& text) { return Writer(text).write(actions); }
std::string format_actions(const Actions& actions) { return format_actions(actions, ActionText{}); }

Result<Actions> parse_actions(std::string_view text) { return Reader(text).read(); }

}  // namespace ovs::datapath
