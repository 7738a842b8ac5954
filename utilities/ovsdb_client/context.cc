#include "ovsdb_client/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "rpc/control.h"

namespace ovs::utilities::ovsdb_client {

Result<void> Context::print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out) != text.size() || std::fflush(out) != 0) {
    return Unexpected{system_error("writing to standard output", errno)};
  }
  return {};
}

Result<void> Context::print_json(const json::value& v) {
  const json::value in_order = sorted(v);
  return print((settings.style.pretty ? to_pretty_text(in_order) : to_text(in_order)) + "\n");
}

Result<void> Context::set_db_change_aware(bool by_default) {
  const bool aware = settings.db_change_aware.value_or(by_default);
  // A server that does not know the method cannot be made aware, which is no reason to give up.
  OVS_TRY_DO(server->ask("set_db_change_aware", aware ? "[true]" : "[false]"));
  return {};
}

Result<json::value> Context::get_schema_json() {
  return server->call("get_schema", to_text(json::array{database}));
}

Result<std::vector<std::string>> databases_of(Server& server) {
  OVS_TRY(const json::value reply, server.call("list_dbs", "[]"));
  const auto* elements = reply.if_array();
  if (!elements) return unexpected(server.name() + ": the reply to \"list_dbs\" is no array");
  std::vector<std::string> names;
  for (const auto& v : *elements) {
    if (const auto name = as_string(v)) names.emplace_back(*name);
  }
  std::ranges::sort(names);
  return names;
}

Result<std::shared_ptr<const ovsdb::DatabaseSchema>> Context::get_schema() {
  OVS_TRY(const json::value v, get_schema_json());
  auto schema = ovsdb::DatabaseSchema::from_json(v);
  if (!schema) {
    return unexpected(fmt::format("{}: the schema of {} is not valid: {}", server->name(), database,
                                  schema.error().to_string()));
  }
  return std::move(*schema);
}

Result<std::vector<json::array>> select_all(Context& context, std::span<const Selection> selections) {
  json::array params{context.database};
  for (const auto& selection : selections) {
    json::array columns;
    for (const auto* column : selection.columns) columns.emplace_back(column->name);
    params.push_back(json::object{{"op", "select"},
                                  {"table", selection.table->name},
                                  {"where", json::array{}},
                                  {"columns", std::move(columns)}});
  }
  OVS_TRY(json::value reply, context.server->call("transact", to_text(params)));
  std::vector<json::array> results;
  if (auto* elements = reply.if_array(); elements && elements->size() >= selections.size()) {
    for (std::size_t i = 0; i < selections.size(); ++i) {
      auto* object = (*elements)[i].if_object();
      auto* rows = object ? object->if_contains("rows") : nullptr;
      if (!rows || !rows->is_array()) break;
      results.push_back(std::move(rows->get_array()));
    }
  }
  if (results.size() != selections.size()) {
    return unexpected(fmt::format("{}: reading the database failed: {}", context.server->name(), to_text(reply)));
  }
  return results;
}

void catch_signals(runtime::Loop& loop, const std::function<void(int)>& caught) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    loop.on_signal(signal, [caught, signal] { caught(signal); });
  }
}

Result<void> stay(Context& context, ControlTable& controls, const std::function<bool()>& done) {
  bool asked_to_exit = false;
  controls.add({"exit", "", "close the connection and end", "", Access::read_write},
               [&](std::span<const std::string>, ControlReply reply) {
                 asked_to_exit = true;
                 reply.ok();
               });
  catch_signals(context.loop, [&context](int signal) { context.end_signal = signal; });
  OVS_TRY_DO(context.daemon.drop_privileges());
  std::unique_ptr<rpc::ControlServer> control;
  if (context.daemon.detached()) {
    OVS_TRY(control, rpc::ControlServer::create(context.loop, controls, std::nullopt));
  }
  context.daemon.ready();
  OVS_TRY_DO(context.server->wait_until([&] { return asked_to_exit || context.end_signal != 0 || done(); }, ""));
  if (asked_to_exit) {
    // The answer to "exit" is still on its way out.
    context.loop.run_until([&] { return control->idle(); }, runtime::Duration{5000});
  }
  return {};
}

}  // namespace ovs::utilities::ovsdb_client
