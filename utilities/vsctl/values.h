// Arguments of the database commands: tables, records, columns, keys and values.
//
//     COLUMN[:KEY]            of get
//     COLUMN[:KEY]=VALUE      of set, create, add-port
//     COLUMN[:KEY]OP VALUE    of find and wait-until; OP is = != < > <= >= {=} {!=} {<} {>} {<=} {>=}
//                             {in} or {not-in}
//
// Values are read by utilities/setting.h.
//
// Thread safety: none; one attempt of one thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vsctl/command.h"

namespace ovs::vsctl {

enum class Operator : std::uint8_t {
  none,
  equal, not_equal, less, greater, less_or_equal, greater_or_equal,
  set_equal, set_not_equal, subset, superset, proper_subset, proper_superset,
  in, not_in,
};

// The pieces of an argument about a column of a table; the value is still text.
struct ArgumentParts {
  const ovsdb::ColumnSchema* column = nullptr;
  std::string written;  // the column's name as the user wrote it: it may be only its beginning
  std::optional<std::string> key;
  Operator op = Operator::none;
  std::string value;
  std::string rest;  // behind the column and key, where no operator stands
};
// `operators`: those that may stand here.
Result<ArgumentParts> split_argument(const TableSchema& table, std::string_view argument,
                                     std::span<const Operator> operators);
std::string_view to_text(Operator op);

// Only "=".
Result<ArgumentParts> split_setting(const TableSchema& table, std::string_view argument);
Result<ArgumentParts> split_condition(const TableSchema& table, std::string_view argument);

// The table that the user means.
Result<const TableSchema*> table_argument(Context& context, std::string_view name);
// The row that the user means; null (without an error) where it does not exist.
Result<Row*> find_record(Context& context, const TableSchema& table, std::string_view name);
// The same, with the error 'no row "NAME" in table TABLE' unless `must_exist` is false.
Result<Row*> get_record(Context& context, const TableSchema& table, std::string_view name, bool must_exist);
// The questions that find_record() will ask.
void fetch_record(Context& context, const TableSchema& table, std::string_view name,
                  const std::vector<std::string>& columns);

Result<Datum> parse_value(Context& context, const ovsdb::ColumnType& type, std::string_view text);
Result<Atom> parse_atom(Context& context, const ovsdb::BaseType& type, std::string_view text);
// The key of "COLUMN:KEY" in a column of type `type`.
Result<Atom> key_atom(Context& context, const ovsdb::ColumnType& type, const std::string& key);

// What a value is meant for, for errors about it.
struct ValuePlace {
  const TableSchema& table;
  std::string_view record;  // as the user calls it; empty where there is none of that name (yet)
  const ovsdb::ColumnSchema& column;
  std::string_view written;  // the column's name as the user wrote it
};
// The error, followed by what its value was for: "... (table Port, record p1, column tag)".
Error about(Error error, const ValuePlace& place);
template <class T>
Result<T> about(Result<T> result, const ValuePlace& place) {
  if (result) return result;
  return Unexpected{about(std::move(result.error()), place)};
}

// "COLUMN[:KEY]=VALUE" put into a row, which the user calls `record`.
Result<void> set_column(Context& context, Row* row, std::string_view record, std::string_view argument);
// An error unless the column may be changed.
Result<void> check_mutable(const Row* row, const ovsdb::ColumnSchema& column);

// Whether a row satisfies "COLUMN[:KEY]OP VALUE".
Result<bool> satisfies(Context& context, Row* row, std::string_view record, std::string_view argument);

// The UUID that "@name" stands for: of a row that --id names, which may be made later in the call.
Result<Uuid> resolve_name(Context& context, std::string_view name);

}  // namespace ovs::vsctl
