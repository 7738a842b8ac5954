#include "dbserver/log_loader.h"

#include <fmt/format.h>

#include <utility>

namespace ovs::dbserver {

namespace {

// One record after the other in one thread.  A second thread that reads ahead makes this slower: the
// two then wait for each other in malloc, since one frees what the other has allocated.
Result<void> apply_all(LoadedLog& log, ovsdb::LogReader& reader) {
  for (;;) {
    OVS_TRY(const auto record, reader.next());
    if (!record) return {};
    auto applied = log.database->replay(*record);
    if (!applied) {
      return unexpected(fmt::format("transaction {}: {}", log.transactions + 1, applied.error().to_string()));
    }
    log.transactions++;
    log.end = reader.offset();
  }
}

}  // namespace

Result<LoadedLog> load_log(ovsdb::File& file) {
  ovsdb::LogReader reader(file);
  OVS_TRY(auto first, reader.next());
  if (!first) return unexpected(reader.damage().empty() ? "the file is empty, not a database" : reader.damage());
  if (reader.model() == ovsdb::StorageModel::clustered) {
    return unexpected("this is a clustered database, which is not supported yet");
  }
  auto schema = ovsdb::DatabaseSchema::from_json(*first);
  if (!schema) return unexpected("schema: " + schema.error().to_string());
  LoadedLog log;
  log.database = std::make_unique<Database>(*std::move(schema));
  log.end = reader.offset();
  OVS_TRY_DO(apply_all(log, reader));
  log.damage = reader.damage();
  if (auto finished = log.database->finish_loading(); !finished) return unexpected(finished.error().to_string());
  return log;
}

}  // namespace ovs::dbserver
