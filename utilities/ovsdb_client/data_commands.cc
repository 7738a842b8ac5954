// transact, query and dump.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "ovsdb_client/context.h"

namespace ovs::utilities::ovsdb_client {

namespace {

// The argument of transact and query: the parameters of a "transact" request.
Result<json::array> read_transaction(const std::string& text) {
  auto v = parse_json(text);
  if (!v) return Unexpected{std::move(v).error().in(fmt::format("\"{}\"", text))};
  auto* params = v->if_array();
  if (!params || params->empty() || !params->front().is_string()) {
    return unexpected(
        "not a valid OVSDB query: it must be an array of the database's name and operations, as in "
        R"(["Open_vSwitch",{"op":"select","table":"Bridge","where":[]}])");
  }
  return std::move(*params);
}

Result<json::value> run_transaction(Context& context, const json::array& params) {
  OVS_TRY(Reply reply, context.server->ask("transact", to_text(params)));
  if (!reply.ok) {
    return unexpected(fmt::format("transaction returned error: {}", to_text(sorted(reply.value))));
  }
  return std::move(reply.value);
}

bool is_abort(const json::value& v) {
  const auto* object = v.if_object();
  const auto* error = object ? object->if_contains("error") : nullptr;
  return error && *error == "aborted";
}

// Rows in the order of their columns' values: fewer elements first, then by keys, then by values.
std::strong_ordering compare(const ovsdb::Datum& a, const ovsdb::Datum& b) {
  if (const auto c = a.size() <=> b.size(); c != 0) return c;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const auto c = a.key(i) <=> b.key(i); c != 0) return c;
  }
  for (std::size_t i = 0; a.is_map() && i < a.size(); ++i) {
    if (const auto c = a.value(i) <=> b.value(i); c != 0) return c;
  }
  return std::strong_ordering::equal;
}

Result<std::vector<std::vector<ovsdb::Datum>>> read_rows(const Selection& selection, const json::array& rows) {
  std::vector<std::vector<ovsdb::Datum>> out;
  out.reserve(rows.size());
  for (const auto& v : rows) {
    const auto* object = v.if_object();
    auto& row = out.emplace_back();
    for (const auto* column : selection.columns) {
      const auto* cell = object ? object->if_contains(column->name) : nullptr;
      if (!cell) return unexpected(fmt::format("a row of {} came without {}", selection.table->name, column->name));
      auto datum = ovsdb::Datum::from_json(column->type, *cell);
      if (!datum) {
        return unexpected(fmt::format("{}:{}: {}", selection.table->name, column->name, datum.error().to_string()));
      }
      row.push_back(std::move(*datum));
    }
  }
  // _uuid, which is the first column if it is there, decides last: rows that look alike stand
  // together.
  const std::size_t first = !selection.columns.empty() && selection.columns[0]->index == ovsdb::uuid_column ? 1 : 0;
  std::ranges::sort(out, [&](const auto& a, const auto& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::size_t at = (i + first) % a.size();
      if (const auto c = compare(a[at], b[at]); c != 0) return c < 0;
    }
    return false;
  });
  return out;
}

}  // namespace

Result<void> transact(Context& context) {
  OVS_TRY(const json::array params, read_transaction(context.arguments[0]));
  OVS_TRY(const json::value result, run_transaction(context, params));
  return context.print_json(result);
}

Result<void> query(Context& context) {
  OVS_TRY(json::array params, read_transaction(context.arguments[0]));
  params.push_back(json::object{{"op", "abort"}});
  OVS_TRY(json::value result, run_transaction(context, params));
  if (auto* elements = result.if_array();
      elements && elements->size() + 1 == params.size() && is_abort(elements->back())) {
    elements->pop_back();
  }
  return context.print_json(result);
}

Result<void> dump(Context& context) {
  OVS_TRY(const auto schema, context.get_schema());
  std::vector<Selection> selections;
  for (const auto& [name, table] : schema->tables) {
    if (!context.arguments.empty() && context.arguments[0] != name) continue;
    Selection& selection = selections.emplace_back(Selection{&table, {}});
    for (const auto& column : table.columns) {
      if (column.index == ovsdb::version_column) continue;
      if (context.arguments.size() <= 1 ||
          std::ranges::find(context.arguments.begin() + 1, context.arguments.end(), column.name) !=
              context.arguments.end()) {
        selection.columns.push_back(&column);
      }
    }
  }
  // Names that the schema does not have are errors, however many others it does have.
  if (!context.arguments.empty()) {
    OVS_TRY(const auto* table, find_table(*schema, context.arguments[0]));
    for (std::size_t i = 1; i < context.arguments.size(); ++i) {
      OVS_TRY_DO(find_column(*schema, *table, context.arguments[i]));
    }
  }
  OVS_TRY(const auto results, select_all(context, selections));
  for (std::size_t i = 0; i < selections.size(); ++i) {
    const auto& selection = selections[i];
    OVS_TRY(auto rows, read_rows(selection, results[i]));
    Table out{selection.table->name + " table"};
    for (const auto* column : selection.columns) out.add_column(column->name);
    for (auto& row : rows) {
      out.add_row();
      for (std::size_t c = 0; c < row.size(); ++c) {
        out.add_cell(std::move(row[c]), selection.columns[c]->type);
      }
    }
    OVS_TRY_DO(context.print_table(out));
  }
  return {};
}

}  // namespace ovs::utilities::ovsdb_client
