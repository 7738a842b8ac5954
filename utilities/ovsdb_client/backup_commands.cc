// backup and restore.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/paths.h"
#include "base/print.h"
#include "ovsdb/error.h"
#include "ovsdb/log_file.h"
#include "ovsdb/transaction_record.h"
#include "ovsdb_client/context.h"
#include "ovsdb_client/snapshot.h"

namespace ovs::utilities::ovsdb_client {

namespace {

using ovsdb::ColumnSchema;
using ovsdb::Datum;
using ovsdb::TableSchema;

Result<std::string> read_standard_input() {
  if (::isatty(STDIN_FILENO)) {
    complain("reading the snapshot from the terminal (end it with control-D)");
  }
  std::string content;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (n == 0) return content;
    if (n > 0) {
      content.append(buffer, static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      return Unexpected{system_error("reading the snapshot from standard input", errno)};
    }
  }
}

// What keeps a snapshot from being put into a database; empty: nothing.
std::string schema_difference(const ovsdb::DatabaseSchema& snapshot, const ovsdb::DatabaseSchema& database) {
  if (snapshot.version != database.version) {
    return fmt::format("backup schema has version \"{}\" but database schema has version \"{}\"",
                       snapshot.version, database.version);
  }
  if (snapshot.cksum != database.cksum) {
    return fmt::format("backup schema has checksum \"{}\" but database schema has checksum \"{}\"",
                       snapshot.cksum, database.cksum);
  }
  if (snapshot.to_json() != database.to_json()) {
    return "backup schema and database schema differ, although they have the same version and checksum";
  }
  return {};
}

Result<Datum> read_cell(const json::object& row, const TableSchema& table, const ColumnSchema& column) {
  const auto* v = row.if_contains(column.name);
  if (!v) return unexpected(fmt::format("a row of {} came without {}", table.name, column.name));
  auto datum = Datum::from_json(column.type, *v);
  if (!datum) return unexpected(fmt::format("{}:{}: {}", table.name, column.name, datum.error().to_string()));
  return std::move(*datum);
}

}  // namespace

Result<void> backup(Context& context) {
  OVS_TRY(const auto schema, context.get_schema());
  std::vector<Selection> selections;
  for (const auto& [name, table] : schema->tables) {
    Selection& selection = selections.emplace_back(Selection{&table, {&table.columns[ovsdb::uuid_column]}});
    for (std::size_t c = ovsdb::first_column; c < table.columns.size(); ++c) {
      if (table.columns[c].persistent) selection.columns.push_back(&table.columns[c]);
    }
  }
  OVS_TRY(const auto results, select_all(context, selections));

  ovsdb::RecordWriter writer;
  for (std::size_t i = 0; i < selections.size(); ++i) {
    const TableSchema& table = *selections[i].table;
    if (results[i].empty()) continue;
    writer.begin_table(table.name);
    for (const auto& v : results[i]) {
      const auto* row = v.if_object();
      if (!row) return unexpected(fmt::format("a row of {} is no object", table.name));
      OVS_TRY(const Datum uuid, read_cell(*row, table, table.columns[ovsdb::uuid_column]));
      writer.begin_row(uuid.uuid());
      for (const auto* column : selections[i].columns) {
        if (column->index == ovsdb::uuid_column) continue;
        OVS_TRY(const Datum value, read_cell(*row, table, *column));
        if (!value.is_default(column->type)) writer.column(column->name, value);
      }
      writer.end_row();
    }
  }
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(context.loop.wall_now().time_since_epoch());
  OVS_TRY_DO(context.print(ovsdb::log_record(to_text(schema->to_json()))));
  return context.print(
      ovsdb::log_record(writer.finish(now.count(), "produced by \"ovsdb-client backup\"", true)));
}

Result<void> restore(Context& context) {
  OVS_TRY(std::string content, read_standard_input());
  OVS_TRY(const Snapshot snapshot, read_snapshot(std::move(content)));
  OVS_TRY(const auto schema, context.get_schema());
  if (const std::string difference = schema_difference(*snapshot.schema, *schema); !difference.empty()) {
    if (!context.settings.force) {
      return unexpected(difference +
                        " (use --force to override differences, or \"ovsdb-client convert\" to change the schema)");
    }
    complain(fmt::format("{}; restoring nevertheless", difference));
  }

  OVS_TRY(const json::value reply,
          context.server->call("transact", restore_transaction(snapshot, *schema)));
  const auto* results = reply.if_array();
  if (!results) return unexpected("restore failed: " + to_text(reply));
  for (const auto& v : *results) {
    const auto* object = v.if_object();
    if (object && object->contains("error")) return unexpected("restore failed: " + ovsdb::error_text(v));
  }
  return {};
}

}  // namespace ovs::utilities::ovsdb_client
