// Commands that look at schemas only, in databases or in files of their own.
#include <fmt/format.h>

#include <compare>
#include <filesystem>
#include <optional>

#include "base/json.h"
#include "base/print.h"
#include "ovsdb_tool/commands.h"
#include "ovsdb_tool/database_file.h"

namespace ovs::utilities::ovsdb_tool {

namespace {

using SchemaPtr = std::shared_ptr<const ovsdb::DatabaseSchema>;

Result<SchemaPtr> read_db(Arguments a) { return schema_of(a.empty() ? default_database() : a[0]); }
Result<SchemaPtr> read_schema(Arguments a) { return ovsdb::read_schema_file(a.empty() ? default_schema() : a[0]); }

int print(const std::string& text) {
  ovs::print(stdout, "{}\n", text);
  return 0;
}

std::optional<bool> compare(std::strong_ordering order, std::string_view op) {
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == "==") return order == 0;
  if (op == "!=") return order != 0;
  if (op == ">=") return order >= 0;
  if (op == ">") return order > 0;
  return std::nullopt;
}

constexpr int no = 2;  // the exit status of a test that fails

}  // namespace

Result<int> create(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr schema, read_schema(a.size() > 1 ? a.subspan(1) : Arguments()));
  const std::string path = a.empty() ? default_database() : a[0];
  const auto directory = std::filesystem::path(path).parent_path();
  std::error_code no_matter;  // what is wrong with the directory shows when the file is written
  if (!directory.empty() && !std::filesystem::exists(directory, no_matter) && !no_matter)
    return unexpected(fmt::format("{}: there is no directory {}; make it first (mkdir -p)", path, directory.string()));
  OVS_TRY_DO(write_new_file(path, *schema, {}));
  return 0;
}

Result<int> db_name(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr schema, read_db(a));
  return print(schema->name);
}

Result<int> db_version(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr schema, read_db(a));
  return print(schema->version);
}

Result<int> db_cksum(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr schema, read_db(a));
  return print(schema->cksum);
}

Result<int> schema_name(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr schema, read_schema(a));
  return print(schema->name);
}

Result<int> schema_version(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr schema, read_schema(a));
  return print(schema->version);
}

Result<int> schema_cksum(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr schema, read_schema(a));
  return print(schema->cksum);
}

Result<int> db_is_clustered(const Settings&, Arguments a) {
  OVS_TRY(auto model, model_of(a[0]));
  return model == ovsdb::StorageModel::clustered ? 0 : no;
}

Result<int> db_is_standalone(const Settings&, Arguments a) {
  OVS_TRY(auto model, model_of(a[0]));
  return model == ovsdb::StorageModel::standalone ? 0 : no;
}

Result<int> compare_versions(const Settings&, Arguments a) {
  for (const std::string& version : {a[0], a[2]})
    if (!ovsdb::is_version(version))
      return unexpected(fmt::format("{}: not a schema version in the format x.y.z", version));
  auto holds = compare(*ovsdb::compare_versions(a[0], a[2]), a[1]);
  if (!holds)
    return unexpected(fmt::format("{}: not a comparison; use <, <=, ==, !=, >= or > (quoted for the shell)", a[1]));
  return *holds ? 0 : no;
}

Result<int> needs_conversion(const Settings&, Arguments a) {
  OVS_TRY(SchemaPtr of_db, read_db(a));
  OVS_TRY(SchemaPtr wanted, read_schema(a.size() > 1 ? a.subspan(1) : Arguments()));
  return print(to_text(of_db->to_json()) == to_text(wanted->to_json()) ? "no" : "yes");
}

}  // namespace ovs::utilities::ovsdb_tool
