// The commands about databases and their schemas.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ovsdb_client/context.h"

namespace ovs::utilities::ovsdb_client {

namespace {

// A member of the schema that is a string; empty where there is none.
Result<void> print_member(Context& context, std::string_view member) {
  OVS_TRY(const json::value schema, context.get_schema_json());
  std::string text;
  if (const auto* object = schema.if_object()) {
    if (const auto* v = object->if_contains(member); v && v->is_string()) text = v->get_string();
  }
  return context.print(text + "\n");
}

// Reads a schema's file and makes sure that the server has the database that it is about.
Result<std::shared_ptr<const ovsdb::DatabaseSchema>> read_wanted_schema(Context& context) {
  auto schema = ovsdb::read_schema_file(context.arguments[0]);
  if (!schema) return Unexpected{std::move(schema).error().in("failed to read schema")};
  context.database = (*schema)->name;
  OVS_TRY(const auto known, databases_of(*context.server));
  if (std::ranges::find(known, context.database) == known.end()) {
    return unexpected(fmt::format("{}: there is no database {} on this server, which has {}",
                                  context.server->name(), context.database, join(known, ", ")));
  }
  return std::move(*schema);
}

}  // namespace

Result<void> list_dbs(Context& context) {
  OVS_TRY(const auto names, databases_of(*context.server));
  for (const auto& name : names) OVS_TRY_DO(context.print(name + "\n"));
  return {};
}

Result<void> get_schema(Context& context) {
  OVS_TRY(const json::value schema, context.get_schema_json());
  return context.print_json(schema);
}

Result<void> get_schema_version(Context& context) { return print_member(context, "version"); }
Result<void> get_schema_cksum(Context& context) { return print_member(context, "cksum"); }

Result<void> list_tables(Context& context) {
  OVS_TRY(const auto schema, context.get_schema());
  Table out;
  out.add_column("Table");
  for (const auto& [name, table] : schema->tables) {
    out.add_row();
    out.add_cell(name);
  }
  return context.print_table(out);
}

Result<void> list_columns(Context& context) {
  OVS_TRY(const auto schema, context.get_schema());
  const ovsdb::TableSchema* only = nullptr;
  if (!context.arguments.empty()) {
    OVS_TRY(only, find_table(*schema, context.arguments[0]));
  }
  Table out;
  if (!only) out.add_column("Table");
  out.add_column("Column");
  out.add_column("Type");
  for (const auto& [name, table] : schema->tables) {
    if (only && only != &table) continue;
    for (const auto& column : table.columns) {
      out.add_row();
      if (!only) out.add_cell(name);
      out.add_cell(column.name);
      out.add_json_cell(column.type.to_json());
    }
  }
  return context.print_table(out);
}

Result<void> convert(Context& context) {
  OVS_TRY(const auto schema, read_wanted_schema(context));
  OVS_TRY(const Reply reply,
          context.server->ask("convert", to_text(json::array{context.database, schema->to_json()})));
  if (!reply.ok) {
    return unexpected(fmt::format("transaction returned error: {}", to_text(sorted(reply.value))));
  }
  return {};
}

Result<void> needs_conversion(Context& context) {
  OVS_TRY(const auto wanted, read_wanted_schema(context));
  OVS_TRY(const auto actual, context.get_schema());
  return context.print(wanted->to_json() == actual->to_json() ? "no\n" : "yes\n");
}

}  // namespace ovs::utilities::ovsdb_client
