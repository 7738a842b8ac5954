#include "ovsdb_client/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ovsdb/log_file.h"
#include "ovsdb/transaction_record.h"

namespace ovs::utilities::ovsdb_client {

namespace {

using ovsdb::ColumnSchema;
using ovsdb::Datum;
using ovsdb::TableSchema;
using Rows = Snapshot::Rows;
using RowValues = Snapshot::RowValues;

// A file's content that has been read.
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
  return ovsdb::apply_columns(table, *columns, is_diff && !is_new, [&row](const ColumnSchema& column) -> Datum& {
    return row[column.index - ovsdb::first_column];
  });
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

}  // namespace

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
    const auto info = ovsdb::read_record_info(**record);
    const bool is_diff = info && info->is_diff;
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

std::string restore_transaction(const Snapshot& snapshot, const ovsdb::DatabaseSchema& database) {
  return RestoreWriter{snapshot}.write(database);
}

}  // namespace ovs::utilities::ovsdb_client
