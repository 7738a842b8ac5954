// Commands that read or change the rows of a database, with the server's own engine.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "base/json.h"
#include "base/paths.h"
#include "base/print.h"
#include "dbserver/transaction.h"
#include "ovsdb_tool/commands.h"
#include "ovsdb_tool/database_file.h"

namespace ovs::utilities::ovsdb_tool {

namespace {

using dbserver::Outcome;
using dbserver::Transaction;

std::string made_by(std::string_view doing) {
  return fmt::format("{} by {} {}", doing, program_name(), package_version());
}

// The arguments "[DB] TRANSACTION".
struct Request {
  std::string path;
  json::value params;
};

Result<Request> read_request(Arguments a) {
  Request request;
  request.path = a.size() > 1 ? a[0] : default_database();
  const std::string& text = a[a.size() - 1];
  auto params = parse_json(text);
  if (!params) return Unexpected{std::move(params).error().in("transaction")};
  request.params = std::move(*params);
  return request;
}

void print_json(const json::value& v) { print(stdout, "{}\n", to_text(v)); }

// Executes the request, prints its reply and gives the transaction to whoever will store it; null
// where there is nothing to store.
Result<std::unique_ptr<Transaction>> execute(const Request& request, dbserver::Database& database) {
  const json::array* params = request.params.if_array();
  if (!params) {
    print_json(ovsdb::syntax_error(request.params, "array expected").error.to_json());
    return std::unique_ptr<Transaction>();
  }
  if (params->empty() || !(*params)[0].is_string() || (*params)[0].get_string() != database.name()) {
    print_json(ovsdb::syntax_error(request.params, "database name expected as first parameter").error.to_json());
    return std::unique_ptr<Transaction>();
  }
  dbserver::TransactionContext context;
  auto transaction = std::make_unique<Transaction>(database);
  Outcome outcome = transaction->execute(*params, 1, context);
  while (outcome == Outcome::waiting) {
    // Nobody else changes the database: what the operation waits for does not come any more.
    if (!transaction->wait_ms()) return unexpected("a wait operation without a timeout would wait for ever here");
    context.elapsed_ms = std::max(context.elapsed_ms + 1, *transaction->wait_ms());
    transaction = std::make_unique<Transaction>(database);
    outcome = transaction->execute(*params, 1, context);
  }
  print(stdout, "{}\n", transaction->reply());
  if (outcome != Outcome::committed || !transaction->change()) return std::unique_ptr<Transaction>();
  return transaction;
}

// The same contents in another file, or in the place of `path`.
Result<void> write_as(const std::string& path, const std::optional<std::string>& target,
                      const dbserver::Database& database, std::string_view doing) {
  std::string record = dbserver::snapshot_record(database.snapshot(), now_ms(), made_by(doing));
  if (target) return write_new_file(*target, database.schema(), record);
  return replace_file(path, database.schema(), record);
}

}  // namespace

Result<int> query(const Settings&, Arguments a) {
  OVS_TRY(Request request, read_request(a));
  OVS_TRY(OpenDatabase db, load(request.path, false));
  OVS_TRY(auto transaction, execute(request, *db.log.database));
  if (transaction) transaction->rollback();
  return 0;
}

Result<int> transact(const Settings&, Arguments a) {
  OVS_TRY(Request request, read_request(a));
  OVS_TRY(OpenDatabase db, load(request.path, true));
  OVS_TRY(auto transaction, execute(request, *db.log.database));
  if (!transaction) return 0;
  std::string record = dbserver::record_text(*transaction->change(), now_ms(), transaction->comment(), true);
  transaction->confirm();
  if (record.empty()) return 0;
  // Behind the last good record: a damaged end goes.
  OVS_TRY_DO(db.file->truncate(db.log.end));
  if (auto written = db.file->write_at(db.log.end, ovsdb::log_record(record)); !written) {
    (void)db.file->truncate(db.log.end);
    return Unexpected{std::move(written).error()};
  }
  OVS_TRY_DO(db.file->sync());
  return 0;
}

Result<int> compact(const Settings&, Arguments a) {
  const std::string path = a.empty() ? default_database() : a[0];
  std::optional<std::string> target;
  if (a.size() > 1) target = a[1];
  OVS_TRY(OpenDatabase db, load(path, !target));
  OVS_TRY_DO(write_as(path, target, *db.log.database, "compacted"));
  return 0;
}

Result<int> convert(const Settings&, Arguments a) {
  const std::string path = a.empty() ? default_database() : a[0];
  std::optional<std::string> target;
  if (a.size() > 2) target = a[2];
  OVS_TRY(auto schema, ovsdb::read_schema_file(a.size() > 1 ? a[1] : default_schema()));
  OVS_TRY(OpenDatabase db, load(path, !target));
  auto converted = dbserver::convert(*db.log.database, schema);
  if (!converted) return unexpected(fmt::format("{}: {}", path, converted.error().to_string()));
  OVS_TRY_DO(write_as(path, target, **converted, "converted"));
  return 0;
}

}  // namespace ovs::utilities::ovsdb_tool
