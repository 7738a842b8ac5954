#include "conf/faults.h"

#include <algorithm>

#include <fmt/format.h>

namespace ovs::conf {

namespace {

// The value of a key; empty where there is none.
std::string value_of(const Datum* map, std::string_view key) {
  const auto at = map ? map->find(ovsdb::Atom(key)) : std::nullopt;
  return at ? std::string(map->value(*at).string()) : std::string();
}

// With what Interface.error begins where nothing passes a port; what is less bad comes behind it.  A unit test holds
// these against the switch's own words.
constexpr std::string_view stops[] = {"nothing passes network device ", "no usable peer: "};

}  // namespace

std::set<std::string> interfaces_of(const Declared& declared) {
  std::set<std::string> names;
  for (const Item& bridge : declared.root.children)
    for (const Item& port : bridge.children)
      for (const Item& interface : port.children)
        if (interface.kind->id == Id::interface) names.insert(interface.name);
  return names;
}

std::set<std::string> working_interfaces(const Present& present) {
  std::set<std::string> names;
  const dbclient::ReplicaTable* table = present.table("Interface");
  if (!table) return names;
  table->each([&](const dbclient::ReplicaRow& row) {
    const Record r{table, &row};
    const Datum* number = r.find("ofport");
    const bool is_port = number && !number->empty() && number->integer() >= 0;
    const std::string error = r.text("error");
    const bool stopped = std::ranges::any_of(stops, [&](std::string_view s) { return error.starts_with(s); });
    if (is_port && !stopped) names.insert(r.text("name"));
  });
  return names;
}

namespace {

// Calls with each manager of the file that the database has, its target and its status, which may be null.
template <class F>
void each_manager(const Present& present, const Declared& declared, F&& visit) {
  std::set<std::string, std::less<>> targets;
  for (const Item& item : declared.root.children)
    if (item.kind->id == Id::manager) targets.insert(item.name);
  const dbclient::ReplicaTable* table = present.table("Manager");
  if (!table) return;
  table->each([&](const dbclient::ReplicaRow& row) {
    const Record r{table, &row};
    const std::string target = r.text("target");
    if (targets.contains(target)) visit(target, r.find("status"));
  });
}

bool waits_with_keys(std::string_view target) { return target.starts_with("pssl:"); }
bool connects_with_keys(std::string_view target) { return target.starts_with("ssl:"); }

// With what the server's error begins where it has no keys.  A unit test holds it against the server's own words.
constexpr std::string_view no_keys = "TLS needs a private key";

// Whether an error of connecting is about the keys; any other may go by itself, such as that nobody is there yet.
bool is_of_keys(std::string_view reason, const Declared& declared) {
  if (reason.starts_with(no_keys)) return true;
  return std::ranges::any_of(declared.root.children, [&](const Item& item) {
    return item.kind->id == Id::ssl && std::ranges::any_of(key_columns, [&](std::string_view column) {
      const auto file = item.settings.columns.find(column);
      return file != item.settings.columns.end() && reason.starts_with(std::string(file->second.string()) + ": ");
    });
  });
}

}  // namespace

ManagerFaults manager_faults(const Present& present, const Declared& declared) {
  ManagerFaults out;
  each_manager(present, declared, [&](const std::string& target, const Datum* status) {
    if (!status || status->empty()) out.unknown.push_back(target);
    const bool closed = value_of(status, "state") == "VOID";
    std::string reason = value_of(status, "last_error");
    if (reason.starts_with(target + ": ")) reason.erase(0, target.size() + 2);
    const bool connects = connects_with_keys(target) && is_of_keys(reason, declared);
    // A server that waits has no other error than one of its keys.
    const bool waits = waits_with_keys(target) && !reason.empty();
    if (!closed && !waits && !connects) return;
    out.faults.push_back({fmt::format("the database server cannot use {}the manager {}{}{}",
                                      closed ? "" : "the keys for ", target, reason.empty() ? "" : ": ", reason),
                          !closed && connects});
  });
  return out;
}

std::map<std::string, Datum> keys_reported(const Present& present, const Declared& declared) {
  std::map<std::string, Datum> out;
  each_manager(present, declared, [&](const std::string& target, const Datum* status) {
    if (status && waits_with_keys(target)) out.emplace(target, *status);
  });
  return out;
}

}  // namespace ovs::conf
