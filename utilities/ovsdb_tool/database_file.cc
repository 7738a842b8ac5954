#include "ovsdb_tool/database_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "base/json.h"
#include "base/paths.h"
#include "base/print.h"

namespace ovs::utilities::ovsdb_tool {

namespace {

using ovsdb::FileSystem;

struct FirstRecord {
  ovsdb::StorageModel model;
  json::value value;
};

Result<FirstRecord> first_record(const std::string& path) {
  OVS_TRY(auto file, FileSystem::os().open(path, FileSystem::Mode::read_only, false));
  ovsdb::LogReader reader(*file);
  auto record = reader.next();
  if (!record) return Unexpected{std::move(record).error().in(path)};
  return FirstRecord{reader.model(), std::move(**record)};
}

Error clustered(const std::string& path) {
  return {path + ": this is a clustered database, and this version works with standalone ones"};
}

// Writes a whole database and waits until it is on the disk.
Result<void> write_content(ovsdb::File& file, const ovsdb::DatabaseSchema& schema, std::string_view record) {
  std::string content = ovsdb::log_record(to_text(schema.to_json()));
  if (!record.empty()) content += ovsdb::log_record(record);
  OVS_TRY_DO(file.write_at(0, content));
  return file.sync();
}

}  // namespace

Result<ovsdb::StorageModel> model_of(const std::string& path) {
  OVS_TRY(FirstRecord first, first_record(path));
  return first.model;
}

Result<std::shared_ptr<const ovsdb::DatabaseSchema>> schema_of(const std::string& path) {
  OVS_TRY(FirstRecord first, first_record(path));
  if (first.model == ovsdb::StorageModel::clustered) return Unexpected{clustered(path)};
  auto schema = ovsdb::DatabaseSchema::from_json(first.value);
  if (!schema) return unexpected(path + ": " + schema.error().to_string());
  return std::move(*schema);
}

Result<OpenDatabase> load(const std::string& path, bool for_writing) {
  OVS_TRY(auto model, model_of(path));
  if (model == ovsdb::StorageModel::clustered) return Unexpected{clustered(path)};
  OpenDatabase database;
  const auto mode = for_writing ? FileSystem::Mode::read_write : FileSystem::Mode::read_only;
  auto file = FileSystem::os().open(path, mode, for_writing);
  if (!file) {
    Error error = std::move(file.error());
    if (error.code == EAGAIN)
      error.message += "; what a server serves is changed with ovsdb-client, and compacted with "
                       "\"ovs-appctl -t ovsdb-server ovsdb-server/compact\"";
    return Unexpected{std::move(error)};
  }
  database.file = std::move(*file);
  auto log = dbserver::load_log(*database.file);
  if (!log) return Unexpected{std::move(log).error().in(path)};
  if (!log->damage.empty())
    complain(fmt::format("{}: the end of the file is damaged and left out: {}", path, log->damage));
  database.log = std::move(*log);
  return database;
}

Result<void> write_new_file(const std::string& path, const ovsdb::DatabaseSchema& schema, std::string_view record) {
  auto& files = FileSystem::os();
  OVS_TRY(auto file, files.open(path, FileSystem::Mode::create, true));
  if (auto written = write_content(*file, schema, record); !written) {
    // Half a database helps nobody; the reason is the first error.
    (void)files.remove(path);
    return written;
  }
  return {};
}

Result<void> replace_file(const std::string& path, const ovsdb::DatabaseSchema& schema, std::string_view record) {
  auto& files = FileSystem::os();
  const std::string temporary = path + ".tmp";
  // What an earlier attempt left behind: we hold the database's lock, so nobody works on it.
  if (files.exists(temporary)) OVS_TRY_DO(files.remove(temporary));
  auto written = [&]() -> Result<void> {
    OVS_TRY(auto file, files.open(temporary, FileSystem::Mode::create, false));
    OVS_TRY_DO(write_content(*file, schema, record));
    OVS_TRY_DO(files.copy_owner(path, temporary));
    return files.rename(temporary, path);
  }();
  if (!written && files.exists(temporary)) (void)files.remove(temporary);
  return written;
}

std::int64_t now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace ovs::utilities::ovsdb_tool
