#include "ovsdb_tool/show_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>

#include "base/print.h"
#include "ovsdb/datum.h"
#include "ovsdb/log_file.h"
#include "ovsdb/schema.h"
#include "ovsdb/transaction_record.h"

namespace ovs::utilities::ovsdb_tool {

namespace {

// "2026-01-02 03:04:05.678", in UTC.
std::string date_text(std::int64_t ms) {
  std::time_t seconds = ms / 1000;
  std::tm tm{};
  ::gmtime_r(&seconds, &tm);
  char text[64];
  std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
  return fmt::format("{}.{:03}", std::string_view(text, n), ms % 1000);
}

class Printer {
 public:
  explicit Printer(unsigned more) : more_(more) {}

  // Record 0 of a standalone database.
  Result<void> schema(const json::value& v) {
    auto schema = ovsdb::DatabaseSchema::from_json(v);
    if (!schema) return unexpected(schema.error().to_string());
    schema_ = std::move(*schema);
    print(stdout, "record 0: \"{}\" schema, version=\"{}\", cksum=\"{}\"\n\n", schema_->name, schema_->version,
               schema_->cksum);
    return {};
  }

  Result<void> transaction(unsigned number, const json::value& v) {
    auto info = ovsdb::read_record_info(v);
    if (!info) return unexpected(info.error().to_string());
    print(stdout, "record {}:", number);
    if (v.get_object().contains("_date")) print(stdout, " {}", date_text(info->date_ms));
    if (!info->comment.empty()) print(stdout, " \"{}\"", info->comment);
    print(stdout, "\n");
    if (more_ == 0) return {};
    auto done = ovsdb::read_record(*schema_, v,
                                   [&](const ovsdb::TableSchema& table, const Uuid& uuid, const json::object* columns) {
                                     row(table, uuid, columns, info->is_diff);
                                     return ovsdb::DbResult<void>();
                                   });
    if (!done) return unexpected(done.error().to_string());
    if (has_tables(v.get_object())) print(stdout, "\n");
    return {};
  }

 private:
  void row(const ovsdb::TableSchema& table, const Uuid& uuid, const json::object* columns, bool is_diff) {
    auto at = names_.find({&table, uuid});
    const bool is_new = at == names_.end();
    const std::string old_name = is_new ? std::string() : at->second;
    const std::string new_name = columns ? name_in(*columns, old_name) : old_name;
    const std::string id = uuid.to_string().substr(0, 8);
    const std::string& name = is_new ? new_name : old_name;
    if (is_new)
      print(stdout, "  table {} insert row {}:\n", table.name, name.empty() ? id : fmt::format("\"{}\" ({})", name, id));
    else
      print(stdout, "  table {} row {} ({}){}:\n", table.name, name.empty() ? id : fmt::format("\"{}\"", name), id,
                 is_diff ? " diff" : "");
    if (!columns) {
      print(stdout, "    delete row\n");
      names_.erase({&table, uuid});
      return;
    }
    names_[{&table, uuid}] = new_name;
    if (more_ < 2) return;
    for (const auto& member : *columns)
      print(stdout, "    {}={}\n", std::string_view(member.key().data(), member.key().size()),
                 value_text(table, std::string_view(member.key().data(), member.key().size()), member.value()));
  }

  static bool has_tables(const json::object& record) {
    return std::any_of(record.begin(), record.end(), [](const auto& member) {
      return !std::string_view(member.key().data(), member.key().size()).starts_with('_');
    });
  }

  // What people know a row by, where its table has such a column.
  static std::string name_in(const json::object& columns, const std::string& otherwise) {
    const json::value* name = columns.if_contains("name");
    return name && name->is_string() ? std::string(name->get_string()) : otherwise;
  }

  // Values of an old log need not satisfy the schema: what is no value of the column is shown as
  // the JSON that it is.
  static std::string value_text(const ovsdb::TableSchema& table, std::string_view column, const json::value& v) {
    const ovsdb::ColumnSchema* schema = table.find(column);
    if (!schema) return to_text(v);
    auto datum = ovsdb::Datum::from_json(schema->type, v, nullptr, false);
    return datum ? datum->to_text(schema->type) : to_text(v);
  }

  unsigned more_;
  std::shared_ptr<const ovsdb::DatabaseSchema> schema_;
  std::map<std::pair<const ovsdb::TableSchema*, Uuid>, std::string> names_;
};

}  // namespace

Result<int> show_log(const Settings& settings, Arguments a) {
  const std::string path = a.empty() ? default_database() : a[0];
  OVS_TRY(auto file, ovsdb::FileSystem::os().open(path, ovsdb::FileSystem::Mode::read_only, false));
  ovsdb::LogReader reader(*file);
  Printer printer(settings.more);
  for (unsigned number = 0;; ++number) {
    auto record = reader.next();
    if (!record) return Unexpected{std::move(record).error().in(path)};
    if (!*record) break;
    if (reader.model() == ovsdb::StorageModel::clustered)
      return unexpected(path + ": this is a clustered database, and this version works with standalone ones");
    auto printed = number == 0 ? printer.schema(**record) : printer.transaction(number, **record);
    if (!printed) return Unexpected{std::move(printed).error().in(fmt::format("{}: record {}", path, number))};
  }
  if (!reader.damage().empty()) return unexpected(path + ": " + reader.damage());
  return 0;
}

}  // namespace ovs::utilities::ovsdb_tool
