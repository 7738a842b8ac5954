// The headers of the datapath's text form and their members: eth(src=..,dst=..), ipv4(..), ...
//
// One table for reading and writing, for matches as well as for the action "set".  A member is a range
// of bits in FlowKey, so that neither needs code for a single one.
//
// Thread safety: constants and pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "datapath/text_cursor.h"
#include "flow/fields.h"
#include "flow/flow_key.h"

namespace ovs::datapath {

enum class MemberFormat : std::uint8_t {
  decimal,      // 64, or 64/0xff
  hexadecimal,  // 0x1, or 0x1/0xff; 0 for zero
  vlan,         // 10, or 10/0x0: of VLANs, and some others
  ethernet,
  ipv4,
  ipv6,
  wide,  // 128 bits, hexadecimal
  frag,
};

struct HeaderMember {
  std::string_view name;  // empty: the header has this one value, as skb_mark(0x1)
  MemberFormat format;
  flow::Place place;
};

struct Header {
  std::string_view name;
  std::span<const HeaderMember> members;
};

// nullptr where there is none of that name.
const Header* find_header(std::string_view name);
// Of a name that is known to be in the table.
const Header& header(std::string_view name);

bool has_bits(const flow::FlowKey& key, const Header& header);  // whether any bit is set in its members

// A member of up to 64 bits as a number.
std::uint64_t get_bits(const flow::FlowKey& key, const flow::Place& place);
void set_bits(flow::FlowKey& key, const flow::Place& place, std::uint64_t value);

// "NAME(MEMBER=VALUE/MASK,...)".  Members without a mask bit are left out unless `all`.
void append_header(std::string& out, const Header& header, const flow::FlowKey& key, const flow::FlowKey& mask,
                   bool all);
// What stands between the parentheses.
void append_members(std::string& out, const Header& header, const flow::FlowKey& key, const flow::FlowKey& mask,
                    bool all);
// Reads what stands behind "NAME(", with the ")".  Without `with_masks` a "/MASK" is an error.
Result<void> parse_members(TextCursor& text, const Header& header, flow::FlowKey& key, flow::FlowKey& mask,
                           bool with_masks);

void append_hexadecimal(std::string& out, std::uint64_t value);  // 0x1f; 0 for zero
std::string format_ethernet(const flow::EthAddr& address);
std::string format_ipv4(be32 address);
std::string format_ipv6(const flow::Ipv6Addr& address);

}  // namespace ovs::datapath
