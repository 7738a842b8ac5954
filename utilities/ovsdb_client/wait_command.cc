// wait: until a database has been added, is connected to its cluster, or has been removed.
#include <fmt/format.h>

#include <map>

#include "base/paths.h"
#include "base/print.h"
#include "ovsdb/error.h"
#include "ovsdb_client/context.h"
#include "timeout.h"

namespace ovs::utilities::ovsdb_client {

namespace {

// What is known of the server's databases, from its database _Server.
class DatabaseWatch {
 public:
  Result<void> update(const json::value& updates) {
    const auto* by_table = updates.if_object();
    const auto* table = by_table ? by_table->if_contains("Database") : nullptr;
    if (!table) return {};
    const auto* rows = table->if_object();
    if (!rows) return unexpected("an update of _Server that is no object");
    for (const auto& row : *rows) {
      const auto* change = row.value().if_object();
      const auto* after = change ? change->if_contains("new") : nullptr;
      const auto* columns = after ? after->if_object() : nullptr;
      if (!columns) {
        rows_.erase(std::string(row.key()));
        continue;
      }
      const auto* name = columns->if_contains("name");
      const auto* connected = columns->if_contains("connected");
      if (!name || !name->is_string() || !connected || !connected->is_bool()) {
        return unexpected("a row of _Server:Database without name and connected");
      }
      rows_[row.key()] = {std::string(name->get_string()), connected->get_bool()};
    }
    return {};
  }

  bool is_in(std::string_view database, std::string_view state) const {
    for (const auto& [uuid, row] : rows_) {
      if (row.name == database) return state == "added" || (state == "connected" && row.connected);
    }
    return state == "removed";
  }

 private:
  struct Entry {
    std::string name;
    bool connected;
  };
  std::map<std::string, Entry, std::less<>> rows_;
};

// Watches one connection; an Error if it is lost before the state is reached.
Result<void> watch(Server& server, const std::string& database, const std::string& state, std::string_view what) {
  DatabaseWatch databases;
  Result<void> good;
  server.on_message = [&](const rpc::Message& m) {
    const auto* params = m.params.if_array();
    if (good && m.method == "update" && params && params->size() >= 2) good = databases.update((*params)[1]);
  };
  bool begun = false;
  server.request("monitor", R"(["_Server",null,{"Database":[{"columns":["name","connected"]}]}])",
                 [&](Reply&& reply) {
                   begun = true;
                   good = reply.ok ? databases.update(reply.value)
                                   : unexpected(fmt::format("{}: the server does not tell of its databases: {}",
                                                            server.name(), ovsdb::error_text(reply.value)));
                 });
  OVS_TRY_DO(server.wait_until([&] { return !good || (begun && databases.is_in(database, state)); }, what));
  return good;
}

}  // namespace

Result<void> wait_for_state(Context& context) {
  const std::string& database = context.arguments[0];
  const std::string& state = context.arguments[1];
  if (state != "added" && state != "connected" && state != "removed") {
    return unexpected(fmt::format("{}: unknown state (use added, connected or removed)", state));
  }
  const std::string what = fmt::format("{} to be {} at {}", database, state, context.remotes);
  bool told = false;
  for (;;) {
    auto server = Server::connect(context.loop, context.remotes);
    Result<void> reached = server ? watch(**server, database, state, told ? "" : what)
                                  : Result<void>{Unexpected{std::move(server).error()}};
    if (reached) return {};
    // A server that cannot be reached may come (back): that is what is waited for.
    const bool is_lost = !server || (*server)->is_lost();
    if (!is_lost) return reached;
    // Once: of several remotes, each attempt has another one's reason.
    const std::string& reason = reached.error().message;
    if (!told) complain(fmt::format("{}; waiting for {}", reason, what));
    told = true;
    set_waiting_for(fmt::format("{} (the last attempt: {})", what, reason));
    context.loop.run_until([] { return false; }, runtime::Duration{500});
  }
}

}  // namespace ovs::utilities::ovsdb_client
