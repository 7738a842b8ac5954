#include "vsctl/schema.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "base/uuid.h"
#include "dbclient/typed.h"

namespace ovs::vsctl {

namespace {

using dbclient::Col;

using Strings = std::map<std::string, std::string>;
using Refs = std::vector<Uuid>;
using OptionalText = std::optional<std::string>;

using OpenVswitch =
    dbclient::Row<"Open_vSwitch", Col<"bridges", Refs>, Col<"manager_options", Refs>,
                  Col<"ssl", std::optional<Uuid>>, Col<"datapaths", std::map<std::string, Uuid>>,
                  Col<"other_config", Strings>, Col<"next_cfg", std::int64_t>,
                  Col<"cur_cfg", std::int64_t>, Col<"ovs_version", OptionalText>>;
using Bridge =
    dbclient::Row<"Bridge", Col<"name", std::string>, Col<"ports", Refs>, Col<"controller", Refs>,
                  Col<"fail_mode", OptionalText>, Col<"datapath_type", std::string>,
                  Col<"mirrors", Refs>, Col<"netflow", std::optional<Uuid>>,
                  Col<"sflow", std::optional<Uuid>>, Col<"ipfix", std::optional<Uuid>>,
                  Col<"auto_attach", std::optional<Uuid>>, Col<"external_ids", Strings>,
                  Col<"other_config", Strings>>;
using Port = dbclient::Row<"Port", Col<"name", std::string>, Col<"interfaces", Refs>,
                           Col<"tag", std::optional<std::int64_t>>, Col<"trunks", std::vector<std::int64_t>>,
                           Col<"fake_bridge", bool>, Col<"bond_fake_iface", bool>,
                           Col<"external_ids", Strings>, Col<"other_config", Strings>>;
using Interface = dbclient::Row<"Interface", Col<"name", std::string>, Col<"type", std::string>,
                                Col<"options", Strings>, Col<"error", OptionalText>,
                                Col<"ofport", std::optional<std::int64_t>>, Col<"other_config", Strings>>;
using Controller = dbclient::Row<"Controller", Col<"target", std::string>, Col<"is_connected", bool>,
                                 Col<"inactivity_probe", std::optional<std::int64_t>>>;
using Manager = dbclient::Row<"Manager", Col<"target", std::string>, Col<"is_connected", bool>,
                              Col<"inactivity_probe", std::optional<std::int64_t>>>;
using Ssl = dbclient::Row<"SSL", Col<"private_key", std::string>, Col<"certificate", std::string>,
                          Col<"ca_cert", std::string>, Col<"bootstrap_ca_cert", bool>>;
using AutoAttach = dbclient::Row<"AutoAttach", Col<"mappings", std::map<std::int64_t, std::int64_t>>>;
using Datapath = dbclient::Row<"Datapath", Col<"ct_zones", std::map<std::int64_t, Uuid>>,
                               Col<"capabilities", Strings>>;
using CtZone = dbclient::Row<"CT_Zone", Col<"timeout_policy", std::optional<Uuid>>>;
using CtTimeoutPolicy =
    dbclient::Row<"CT_Timeout_Policy", Col<"timeouts", std::map<std::string, std::int64_t>>>;
using Mirror = dbclient::Row<"Mirror", Col<"name", std::string>>;
using NetFlow = dbclient::Row<"NetFlow", Col<"targets", std::vector<std::string>>>;
using SFlow = dbclient::Row<"sFlow", Col<"targets", std::vector<std::string>>>;
using Ipfix = dbclient::Row<"IPFIX", Col<"targets", std::vector<std::string>>>;
using Qos = dbclient::Row<"QoS", Col<"other_config", Strings>>;
using Queue = dbclient::Row<"Queue", Col<"other_config", Strings>>;

// As people write names: case and the two dashes do not count.
std::string canonical(std::string_view name) {
  std::string out = to_lower(name);
  std::ranges::replace(out, '-', '_');
  return out;
}

// Whether the characters of `word` stand in `text` in this order, the first one in front: "iface" in "interface".
bool abbreviates(std::string_view word, std::string_view text) {
  if (word.size() < 4 || !text.starts_with(word[0])) return false;
  for (char c : word) {
    const std::size_t at = text.find(c);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + 1);
  }
  return true;
}

// Which of `names` may have been meant by a word that is none of them; else `otherwise`.
std::string suggestion(std::string_view word, std::span<const std::string_view> names, std::string_view otherwise) {
  const std::string wanted = canonical(word);
  std::vector<std::string> written;
  for (std::string_view name : names) written.push_back(canonical(name));
  const std::vector<std::string_view> candidates(written.begin(), written.end());
  std::string out;
  auto add = [&](std::size_t i) { out += fmt::format("{}\"{}\"", out.empty() ? "; did you mean " : " or ", names[i]); };
  if (auto near = nearest(wanted, candidates)) {
    add(static_cast<std::size_t>(std::ranges::find(candidates, *near) - candidates.begin()));
  } else {
    const std::string_view w = wanted;
    auto within = [](std::string_view part, std::string_view whole) {
      return part.size() > 2 && whole.find(part) != std::string_view::npos;
    };
    for (std::size_t i = 0; i < names.size(); i++)
      if (within(w, candidates[i]) || within(candidates[i], w) || abbreviates(w, candidates[i])) add(i);
  }
  return out.empty() ? std::string(otherwise) : out + "?";
}

}  // namespace

const std::vector<dbclient::TableDecl>& known_tables() {
  static const auto tables =
      dbclient::declarations<OpenVswitch, Bridge, Port, Interface, Controller, Manager, Ssl, AutoAttach,
                             Datapath, CtZone, CtTimeoutPolicy, Mirror, NetFlow, SFlow, Ipfix, Qos, Queue>();
  return tables;
}

std::shared_ptr<const ovsdb::DatabaseSchema> known_schema() {
  auto schema = std::make_shared<ovsdb::DatabaseSchema>();
  schema->name = "Open_vSwitch";
  schema->version = known_schema_version;
  for (const dbclient::TableDecl& declaration : known_tables()) {
    ovsdb::TableSchema table;
    table.name = declaration.name;
    for (std::string_view name : {"_uuid", "_version"}) {
      ovsdb::ColumnSchema column;
      column.name = name;
      column.type.key.type = ovsdb::AtomType::uuid;
      column.is_mutable = false;
      table.columns.push_back(std::move(column));
    }
    for (const dbclient::ColumnDecl& c : declaration.columns) {
      ovsdb::ColumnSchema column;
      column.name = c.name;
      column.type = c.type;
      table.columns.push_back(std::move(column));
    }
    std::ranges::sort(table.columns.begin() + ovsdb::first_column, table.columns.end(), {},
                      &ovsdb::ColumnSchema::name);
    for (std::size_t i = 0; i < table.columns.size(); i++) table.columns[i].index = i;
    schema->tables.emplace(table.name, std::move(table));
  }
  return schema;
}

Result<const ovsdb::TableSchema*> find_table(const ovsdb::DatabaseSchema& schema, std::string_view name) {
  std::string wanted = canonical(name), possibilities;
  std::vector<const ovsdb::TableSchema*> beginning;
  std::vector<std::string_view> names;
  for (const auto& [table_name, table] : schema.tables) {
    std::string candidate = canonical(table_name);
    if (candidate == wanted) return &table;
    names.push_back(table_name);
    if (!candidate.starts_with(wanted)) continue;
    beginning.push_back(&table);
    possibilities += (possibilities.empty() ? "" : ", ") + table_name;
  }
  if (beginning.size() == 1) return beginning[0];
  if (!beginning.empty())
    return unexpected("\"" + std::string(name) + "\" matches multiple table names: " + possibilities);
  return unexpected(fmt::format("unknown table \"{}\"{}", name,
                                suggestion(name, names, fmt::format("; the tables are {}", fmt::join(names, ", ")))));
}

Result<const ovsdb::ColumnSchema*> find_column(const ovsdb::TableSchema& table, std::string_view name) {
  std::string wanted = canonical(name), possibilities;
  std::vector<const ovsdb::ColumnSchema*> beginning;
  std::vector<std::string_view> names;
  for (const ovsdb::ColumnSchema& column : table.columns) {
    if (column.index == ovsdb::version_column) continue;
    std::string candidate = canonical(column.name);
    if (candidate == wanted) return &column;
    names.push_back(column.name);
    if (!candidate.starts_with(wanted)) continue;
    beginning.push_back(&column);
    possibilities += (possibilities.empty() ? "" : ", ") + column.name;
  }
  if (beginning.size() == 1) return beginning[0];
  if (!beginning.empty())
    return unexpected(table.name + " contains more than one column whose name matches \"" +
                      std::string(name) + "\": " + possibilities);
  return unexpected(fmt::format("{} does not contain a column whose name matches \"{}\"{}", table.name, name,
                                suggestion(name, names, "; see ovs-vswitchd.conf.db(5) for its columns")));
}

std::span<const RecordName> record_names() {
  static constexpr std::array<RecordName, 15> names{{
      {"AutoAttach", "Bridge", "name", "auto_attach"},
      {"Bridge", "Bridge", "name", ""},
      {"Controller", "Bridge", "name", "controller"},
      {"Flow_Sample_Collector_Set", "Flow_Sample_Collector_Set", "id", ""},
      {"Flow_Table", "Flow_Table", "name", ""},
      {"IPFIX", "Bridge", "name", "ipfix"},
      {"Interface", "Interface", "name", ""},
      {"Manager", "Manager", "target", ""},
      {"Mirror", "Mirror", "name", ""},
      {"NetFlow", "Bridge", "name", "netflow"},
      {"Open_vSwitch", "", "", ""},
      {"Port", "Port", "name", ""},
      {"QoS", "Port", "name", "qos"},
      {"SSL", "", "", ""},
      {"sFlow", "Bridge", "name", "sflow"},
  }};
  return names;
}

}  // namespace ovs::vsctl
