#include "conf/faults.h"

#include <fmt/format.h>

namespace ovs::conf {

namespace {

// The value of a key; empty where there is none.
std::string value_of(const Datum* map, std::string_view key) {
  const auto at = map ? map->find(ovsdb::Atom(key)) : std::nullopt;
  return at ? std::string(map->value(*at).string()) : std::string();
}

}  // namespace

std::set<std::string> interfaces_of(const Declared& declared) {
  std::set<std::string> names;
  for (const Item& bridge : declared.root.children)
    for (const Item& port : bridge.children)
      for (const Item& interface : port.children)
        if (interface.kind->id == Id::interface) names.insert(interface.name);
  return names;
}

std::set<std::string> interfaces_without_fault(const Present& present) {
  std::set<std::string> names;
  const dbclient::ReplicaTable* table = present.table("Interface");
  if (!table) return names;
  table->each([&](const dbclient::ReplicaRow& row) {
    const Record r{table, &row};
    const Datum* number = r.find("ofport");
    if (number && !number->empty() && number->integer() >= 0 && r.text("error").empty()) names.insert(r.text("name"));
  });
  return names;
}

ManagerFaults manager_faults(const Present& present, const Declared& declared) {
  std::set<std::string, std::less<>> targets;
  for (const Item& item : declared.root.children)
    if (item.kind->id == Id::manager) targets.insert(item.name);
  ManagerFaults out;
  const dbclient::ReplicaTable* table = present.table("Manager");
  if (!table) return out;
  table->each([&](const dbclient::ReplicaRow& row) {
    const Record r{table, &row};
    const std::string target = r.text("target");
    if (!targets.contains(target)) return;
    const Datum* status = r.find("status");
    if (!status || status->empty()) out.unknown = true;
    if (value_of(status, "state") != "VOID") return;
    std::string reason = value_of(status, "last_error");
    if (reason.starts_with(target + ": ")) reason.erase(0, target.size() + 2);
    out.faults.push_back(fmt::format("the database server cannot use the manager {}{}{}", target,
                                     reason.empty() ? "" : ": ", reason));
  });
  return out;
}

}  // namespace ovs::conf
