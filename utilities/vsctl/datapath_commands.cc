#include <fmt/core.h>

#include "base/text.h"
#include "vsctl/handlers.h"
#include "vsctl/model.h"

namespace ovs::vsctl {

namespace {

Row* datapath_of(Context& context) {
  View& view = context.view();
  Datum datapaths = view.get(context.root(), "datapaths");
  auto at = datapaths.find(Atom(context.arg(0)));
  return at ? view.by_uuid("Datapath", datapaths.value(*at).uuid()) : nullptr;
}

Result<std::int64_t> zone_of(const std::string& word) {
  auto zone = word.starts_with("zone=") ? parse_integer(std::string_view(word).substr(5)) : std::nullopt;
  if (!zone) return unexpected(fmt::format("\"{}\" is not a zone: write zone=NUMBER", word));
  if (*zone < 0 || *zone > 65535) return unexpected(fmt::format("zone id {} is not in the range 0 to 65535", *zone));
  return *zone;
}

Result<Datum> timeouts_of(std::span<const std::string> words) {
  Datum timeouts(AtomType::string, AtomType::integer);
  for (const std::string& word : words) {
    std::size_t equals = word.find('=');
    auto seconds = equals == std::string::npos ? std::nullopt
                                               : parse_integer(std::string_view(word).substr(equals + 1));
    if (!seconds) return unexpected(fmt::format("\"{}\" is not a timeout: write POLICY=SECONDS", word));
    timeouts.insert(Atom(word.substr(0, equals)), Atom(*seconds), true);
  }
  return timeouts;
}

Row* zone_row(View& view, Row* datapath, std::int64_t zone) {
  Datum zones = view.get(datapath, "ct_zones");
  auto at = zones.find(Atom(zone));
  return at ? view.by_uuid("CT_Zone", zones.value(*at).uuid()) : nullptr;
}

Row* policy_of(View& view, Row* zone) {
  auto rows = rows_of(view, zone, "timeout_policy", "CT_Timeout_Policy", {"timeouts"});
  return rows.empty() ? nullptr : rows[0];
}

// A policy with these timeouts: one that another zone has, or a new one.
Row* policy_with(View& view, const Datum& timeouts) {
  for (Row* policy : view.find(Query::all("CT_Timeout_Policy", {"timeouts"})))
    if (view.get(policy, "timeouts") == timeouts) return policy;
  Row* policy = view.insert("CT_Timeout_Policy");
  view.set(policy, "timeouts", timeouts);
  return policy;
}

}  // namespace

Result<void> run_add_zone_tp(Context& context) {
  View& view = context.view();
  Row* datapath = datapath_of(context);
  if (!datapath) return unexpected(fmt::format("datapath {} does not exist", context.arg(0)));
  OVS_TRY(std::int64_t id, zone_of(context.arg(1)));
  OVS_TRY(Datum timeouts, timeouts_of(context.args_from(2)));
  Row* zone = zone_row(view, datapath, id);
  if (zone && !context.has("--may-exist")) return unexpected(fmt::format("zone id {} already exists", id));
  Row* policy = policy_with(view, timeouts);
  if (!zone) {
    zone = view.insert("CT_Zone");
    view.insert_elements(
        datapath, "ct_zones",
        Datum::map_of(AtomType::integer, AtomType::uuid, {{Atom(id), Atom(zone->uuid())}}));
  } else {
    view.get(zone, "timeout_policy");
  }
  view.set(zone, "timeout_policy", Datum(Atom(policy->uuid())));
  return {};
}

Result<void> run_del_zone_tp(Context& context) {
  View& view = context.view();
  Row* datapath = datapath_of(context);
  if (!datapath) return unexpected(fmt::format("datapath {} does not exist", context.arg(0)));
  OVS_TRY(std::int64_t id, zone_of(context.arg(1)));
  Row* zone = zone_row(view, datapath, id);
  if (!zone) {
    if (context.has("--if-exists")) return {};
    return unexpected(fmt::format("zone id {} does not exist", id));
  }
  view.erase_elements(datapath, "ct_zones", Datum(Atom(id)));
  return {};
}

Result<void> run_list_zone_tp(Context& context) {
  View& view = context.view();
  Row* datapath = datapath_of(context);
  if (!datapath) return unexpected(fmt::format("datapath: {} record not found", context.arg(0)));
  Datum zones = view.get(datapath, "ct_zones");
  for (std::size_t i = 0; i < zones.size(); i++) {
    Row* zone = view.by_uuid("CT_Zone", zones.value(i).uuid());
    Row* policy = zone ? policy_of(view, zone) : nullptr;
    std::string line = fmt::format("Zone:{}, Timeout Policies:", zones.key(i).integer());
    if (policy) {
      Datum timeouts = view.get(policy, "timeouts");
      for (std::size_t t = 0; t < timeouts.size(); t++)
        line += fmt::format(" {}={}", timeouts.key(t).string(), timeouts.value(t).integer());
    } else {
      line += " system default";
    }
    context.print(line);
  }
  return {};
}

Result<void> run_list_dp_cap(Context& context) {
  Row* datapath = datapath_of(context);
  if (!datapath) return unexpected(fmt::format("datapath \"{}\" record not found", context.arg(0)));
  Datum capabilities = context.view().get(datapath, "capabilities");
  std::string line;
  for (std::size_t i = 0; i < capabilities.size(); i++)
    line += fmt::format("{}{}={}", i ? " " : "", capabilities.key(i).string(), capabilities.value(i).string());
  context.print(line);
  return {};
}

}  // namespace ovs::vsctl
