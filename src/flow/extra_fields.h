// Members of FlowKey that are no OpenFlow fields, but appear in the text of flows and of datapath matches.
//
// Thread safety: constants.
#pragma once

#include <array>

#include "flow/fields.h"

namespace ovs::flow {

// Rows like those of flow/fields.h, with FieldId::none.
// clang-format off
#define FLOW_EXTRA(name, member, width, format, masking) \
  FLOW_EXTRA_PART(name, member, width, 0, 8 * (width), format, masking)
#define FLOW_EXTRA_PART(name, member, width, shift, bits, format, masking)                                      \
  {FieldId::none, name, "", Place{offsetof(FlowKey, member), width, shift, bits}, width, format, masking,       \
   Prerequisite::none, Access::read_only, OldSupport::no, OldSupport::no, {}, FieldId::none, "not an OpenFlow field"}
enum ExtraField : std::size_t {
  extra_recirc_id, extra_dp_hash, extra_tun_tos, extra_tun_ttl, extra_vlan_tci1, extra_dl_vlan1,
  extra_dl_vlan_pcp1, extra_mpls_lse1, extra_mpls_lse2, extra_count,
};
inline constexpr std::array<Field, extra_count> extra_fields{{
    FLOW_EXTRA("recirc_id", recirc_id, 4, Format::hexadecimal, Masking::exact_only),
    FLOW_EXTRA("dp_hash", dp_hash, 4, Format::hexadecimal, Masking::any),
    FLOW_EXTRA("tun_tos", tun_tos, 1, Format::decimal, Masking::any),
    FLOW_EXTRA("tun_ttl", tun_ttl, 1, Format::decimal, Masking::any),
    FLOW_EXTRA("vlan_tci1", vlan[1].tci, 2, Format::hexadecimal, Masking::any),
    FLOW_EXTRA_PART("dl_vlan1", vlan[1].tci, 2, 0, 12, Format::decimal, Masking::exact_only),
    FLOW_EXTRA_PART("dl_vlan_pcp1", vlan[1].tci, 2, 13, 3, Format::decimal, Masking::exact_only),
    FLOW_EXTRA("mpls_lse1", mpls_lse[1], 4, Format::decimal, Masking::any),
    FLOW_EXTRA("mpls_lse2", mpls_lse[2], 4, Format::decimal, Masking::any),
}};
#undef FLOW_EXTRA
#undef FLOW_EXTRA_PART
// clang-format on

}  // namespace ovs::flow
