// MatchBuilder: a match from text, one NAME=VALUE after the other, as flows on a command line are written.
//
// Names are those of ovs-fields(7) with their aliases, NXM and OXM names ("NXM_OF_IP_SRC[]"), parts of fields
// ("reg0[0..15]"), and the words that stand for a protocol: ip, ipv6, icmp, icmp6, tcp, tcp6, udp, udp6, sctp,
// sctp6, arp, rarp, mpls, mplsm, eth.  A value may be followed by /MASK; "*" matches anything.  Later items
// override earlier ones.
//
// finish() holds the match to the prerequisites of its fields.  As in every Open vSwitch before, a field of
// an L2.5, L3 or L4 header whose protocol is missing is left out of the match with a warning, since scripts rely on it; what
// makes no sense at all is an error.
//
// Thread safety: belongs to one thread.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "flow/match.h"

namespace ovs::flow {

// The names of a bridge's ports.  Either function may be empty: then ports are numbers and reserved names.
struct PortNames {
  std::function<std::optional<std::uint32_t>(std::string_view name)> number_of;
  std::function<std::optional<std::string>(std::uint32_t port)> name_of;
};

// One item of a list such as "tcp,in_port=1,packet_type=(1,0x800)".
struct TextItem {
  std::string_view name;
  std::string_view value;
  bool has_value;
};
// Takes the next item from the front of `text`; nothing at its end.  Items are separated by commas and
// white space, names and values by '=' or ':'.  Parentheses and double quotes hold a value together.
std::optional<TextItem> next_item(std::string_view& text);

struct ParsedMatch {
  Match match;
  std::vector<std::string> warnings;  // sentences without a full stop
};

class MatchBuilder {
 public:
  // Of a whole flow, fields that packets have but matches cannot speak of are kept: IGMP's type is tp_src.
  enum class Kind { match, whole_flow };
  explicit MatchBuilder(PortNames ports, Kind kind = Kind::match) : ports_(std::move(ports)), kind_(kind) {}

  // False if the name is neither a field nor a protocol's word; the caller may know it, or say so by unknown_name().
  Result<bool> add(const TextItem& item);
  // Whether every item so far said all of its field's bits.
  bool all_exact() const { return all_exact_; }

  Result<ParsedMatch> finish();
  // The fields that finish() left out for want of their prerequisites.
  struct LeftOut {
    std::string name;
    std::string needs;  // what the text would have to say
    bool zero;          // the value
  };
  const std::vector<LeftOut>& left_out() const { return left_out_; }

 private:
  Result<void> add_field(const Field& field, const TextItem& item);
  Result<void> add_part(const Field& field, std::string_view part, const TextItem& item);
  void set(const Field& field, const MaskedValue& value, std::string_view name);
  void wildcard(const Field& field, std::string_view name);
  Result<void> unify_aliases();
  Result<void> check_prerequisites();

  // A field, and what the text called it.
  struct Named {
    FieldId id;
    std::string name;
  };

  PortNames ports_;
  Kind kind_;
  Match match_;
  std::vector<Named> fields_;
  std::vector<std::string> warnings_;
  std::vector<LeftOut> left_out_;
  bool all_exact_ = true;
};

// "unknown field "nw_scr"; did you mean "nw_src"?"  `others` are the names that the caller knows besides.
std::string unknown_name(std::string_view name, std::span<const std::string_view> others = {});

}  // namespace ovs::flow
