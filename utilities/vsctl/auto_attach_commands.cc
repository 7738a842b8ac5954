#include <fmt/core.h>

#include "base/text.h"
#include "vsctl/handlers.h"
#include "vsctl/model.h"

namespace ovs::vsctl {

namespace {

struct Mapping {
  std::int64_t isid = 0, vlan = 0;
};

Result<Mapping> mapping_of(Context& context) {
  auto isid = parse_integer(context.arg(1));
  if (!isid) return unexpected(fmt::format("Invalid argument {}", context.arg(1)));
  auto vlan = parse_integer(context.arg(2));
  if (!vlan) return unexpected(fmt::format("Invalid argument {}", context.arg(2)));
  return Mapping{*isid, *vlan};
}

Row* auto_attach_of(View& view, const Bridge& bridge) {
  auto rows = rows_of(view, bridge.row, "auto_attach", "AutoAttach", {"mappings"});
  return rows.empty() ? nullptr : rows[0];
}

}  // namespace

Result<void> run_add_aa_mapping(Context& context) {
  View& view = context.view();
  OVS_TRY(Mapping mapping, mapping_of(context));
  OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
  Row* row = auto_attach_of(view, bridge);
  if (!row) {
    view.verify(bridge.row, "auto_attach");
    row = view.insert("AutoAttach");
    view.set(bridge.row, "auto_attach", Datum(Atom(row->uuid())));
  }
  view.insert_elements(
      row, "mappings",
      Datum::map_of(AtomType::integer, AtomType::integer, {{Atom(mapping.isid), Atom(mapping.vlan)}}));
  return {};
}

Result<void> run_del_aa_mapping(Context& context) {
  View& view = context.view();
  OVS_TRY(Mapping mapping, mapping_of(context));
  OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
  Row* row = auto_attach_of(view, bridge);
  if (!row) return {};
  Datum mappings = view.get(row, "mappings");
  auto at = mappings.find(Atom(mapping.isid));
  if (at && mappings.value(*at).integer() == mapping.vlan)
    view.erase_elements(row, "mappings", Datum(Atom(mapping.isid)));
  return {};
}

Result<void> run_get_aa_mapping(Context& context) {
  View& view = context.view();
  OVS_TRY(Bridge bridge, get_bridge(view, context.arg(0)));
  Row* row = auto_attach_of(view, bridge);
  if (!row) return {};
  Datum mappings = view.get(row, "mappings");
  for (std::size_t i = 0; i < mappings.size(); i++)
    context.print(fmt::format("{} {}", mappings.key(i).integer(), mappings.value(i).integer()));
  return {};
}

}  // namespace ovs::vsctl
