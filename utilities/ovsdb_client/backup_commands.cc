// backup and restore.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/paths.h"
#include "ovsdb/log_file.h"
#include "ovsdb/transaction_record.h"
#include "ovsdb_client/context.h"

namespace ovs::utilities::ovsdb_client {

namespace {

using ovsdb::ColumnSchema;
using ovsdb::Datum;
using ovsdb::TableSchema;

// A snapshot that has been read from standard input.
class MemoryFile : public ovsdb::File {
 public:
  explicit MemoryFile(std::string content) : content_(std::move(content)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size) override {
    if (offset >= content_.size()) return std::size_t{0};
    size = std::min(size, content_.size() - static_cast<std::size_t>(offset));
    std::memcpy(to, content_.data() + offset, size);
    return size;
  }
  Result<void> write_at(std::uint64_t, std::string_view) override { return read_only(); }
  Result<void> sync() override { return {}; }
  Result<void> truncate(std::uint64_t) override { return read_only(); }
  Result<std::uint64_t> size() override { return std::uint64_t{content_.size()}; }

 private:
  static Result<void> read_only() { return unexpected("a snapshot is only read", EROFS); }
  std::string content_;
};

Result<std::string> read_standard_input() {
  if (::isatty(STDIN_FILENO)) {
    fmt::print(stderr, "{}: reading the snapshot from the terminal (end it with control-D)\n", program_name());
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

// The values of a row's declared columns, by index - first_column.
using RowValues = std::vector<Datum>;
using Rows = std::map<Uuid, RowValues>;

struct Snapshot {
  std::shared_ptr<const ovsdb::DatabaseSchema> schema;
  std::map<std::string, Rows, std::less<>> tables;
};

ovsdb::DbResult<void> apply_row(Rows& rows, const TableSchema& table, const Uuid& uuid,
                                const json::object* columns, bool is_diff) {
  if (!columns) {
    rows.erase(uuid);
    return {};
  }
  auto [at, is_new] = rows.try_emplace(uuid);
  RowValues& row = at->second;
  if (is_new) {
    for (std::size_t c = ovsdb::first_column; c < table.columns.size(); ++c) {
      row.push_back(Datum::default_of(table.columns[c].type));
    }
  }
  for (const auto& member : *columns) {
    const ColumnSchema* column = table.find(member.key());
    if (!column || column->index < ovsdb::first_column) {
      return ovsdb::db_error("unknown column", fmt::format("no column {} in table {}",
                                                           std::string_view(member.key()), table.name));
    }
    Datum& cell = row[column->index - ovsdb::first_column];
    const bool difference = is_diff && !is_new;
    OVS_TRY(Datum value, Datum::from_json(column->type, member.value(), nullptr, !difference));
    if (difference) {
      OVS_TRY(cell, cell.apply_diff(value, column->type));
    } else {
      cell = std::move(value);
    }
  }
  return {};
}

Result<Snapshot> read_snapshot(std::string content) {
  MemoryFile file{std::move(content)};
  ovsdb::LogReader reader{file};
  Snapshot snapshot;
  for (;;) {
    auto record = reader.next();
    if (!record) return Unexpected{std::move(record).error().in("reading the snapshot")};
    if (!*record) break;
    if (reader.model() != ovsdb::StorageModel::standalone) {
      return unexpected("the snapshot is of a clustered database; use the output of \"ovsdb-client backup\"");
    }
    if (!snapshot.schema) {
      auto schema = ovsdb::DatabaseSchema::from_json(**record);
      if (!schema) return unexpected("the schema in the snapshot is not valid: " + schema.error().to_string());
      snapshot.schema = std::move(*schema);
      for (const auto& [name, table] : snapshot.schema->tables) snapshot.tables.try_emplace(name);
      continue;
    }
    const auto* object = (*record)->if_object();
    const auto* flag = object ? object->if_contains("_is_diff") : nullptr;
    const bool is_diff = flag && flag->is_bool() && flag->get_bool();
    auto read = ovsdb::read_record(
        *snapshot.schema, **record,
        [&](const TableSchema& table, const Uuid& uuid, const json::object* columns) {
          return apply_row(snapshot.tables[table.name], table, uuid, columns, is_diff);
        });
    if (!read) return unexpected("a transaction in the snapshot is not valid: " + read.error().to_string());
  }
  if (!snapshot.schema) return unexpected("the snapshot is empty: standard input must be a database file");
  // A snapshot that is not whole must not replace a database that is.
  if (!reader.damage().empty()) return unexpected("the snapshot is damaged: " + reader.damage());
  return snapshot;
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

// Writes the operations that put a snapshot's rows into a database.
class RestoreWriter {
 public:
  explicit RestoreWriter(const Snapshot& snapshot) : snapshot_(snapshot) {
    for (const auto& [name, rows] : snapshot.tables) {
      for (const auto& [uuid, row] : rows) names_.emplace(uuid, name_of(uuid));
    }
  }

  std::string write(const ovsdb::DatabaseSchema& database) {
    append_json(text_, json::array{database.name});
    text_.pop_back();
    for (const auto& [name, table] : database.tables) {
      operation(json::object{{"op", "delete"}, {"table", name}, {"where", json::array{}}});
    }
    operation(json::object{{"op", "comment"}, {"comment", "ovsdb-client: restore"}});
    for (const auto& [name, rows] : snapshot_.tables) {
      const TableSchema* table = snapshot_.schema->find(name);
      for (const auto& [uuid, row] : rows) insert(*table, uuid, row);
    }
    operation(json::object{{"op", "commit"}, {"durable", true}});
    text_ += ']';
    return std::move(text_);
  }

 private:
  static std::string name_of(const Uuid& uuid) {
    std::string name = "row" + uuid.to_string();
    std::ranges::replace(name, '-', '_');
    return name;
  }

  void operation(const json::object& op) {
    text_ += ',';
    append_json(text_, op);
  }

  void insert(const TableSchema& table, const Uuid& uuid, const RowValues& row) {
    text_ += R"(,{"op":"insert","table":)";
    append_json_string(text_, table.name);
    text_ += R"(,"uuid-name":)";
    append_json_string(text_, names_.at(uuid));
    text_ += R"(,"row":{)";
    bool first = true;
    for (std::size_t c = ovsdb::first_column; c < table.columns.size(); ++c) {
      const ColumnSchema& column = table.columns[c];
      const Datum& value = row[c - ovsdb::first_column];
      if (!column.persistent || value.is_default(column.type)) continue;
      if (!std::exchange(first, false)) text_ += ',';
      append_json_string(text_, column.name);
      text_ += ':';
      append_value(value);
    }
    text_ += "}}";
  }

  // Like Datum::append_json(), but a row of the snapshot is called by its name.
  void append_value(const Datum& value) {
    if (value.key_type() != ovsdb::AtomType::uuid && value.value_type() != ovsdb::AtomType::uuid) {
      value.append_json(text_);
      return;
    }
    if (value.is_map()) {
      text_ += R"(["map",[)";
      for (std::size_t i = 0; i < value.size(); ++i) {
        text_ += i == 0 ? "[" : ",[";
        append_atom(value.key(i));
        text_ += ',';
        append_atom(value.value(i));
        text_ += ']';
      }
      text_ += "]]";
      return;
    }
    text_ += R"(["set",[)";
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i != 0) text_ += ',';
      append_atom(value.key(i));
    }
    text_ += "]]";
  }

  void append_atom(ovsdb::AtomView atom) {
    if (atom.type() == ovsdb::AtomType::uuid) {
      if (const auto known = names_.find(atom.uuid()); known != names_.end()) {
        text_ += R"(["named-uuid",)";
        append_json_string(text_, known->second);
        text_ += ']';
        return;
      }
    }
    atom.append_json(text_);
  }

  const Snapshot& snapshot_;
  std::map<Uuid, std::string> names_;
  std::string text_;
};

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
    fmt::print(stderr, "{}: {}; restoring nevertheless\n", program_name(), difference);
  }

  OVS_TRY(const json::value reply,
          context.server->call("transact", RestoreWriter{snapshot}.write(*schema)));
  const auto* results = reply.if_array();
  if (!results) return unexpected("restore failed: " + to_text(reply));
  for (const auto& v : *results) {
    const auto* object = v.if_object();
    if (object && object->contains("error")) return unexpected("restore failed: " + error_text(v));
  }
  return {};
}

}  // namespace ovs::utilities::ovsdb_client
