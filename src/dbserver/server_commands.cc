#include "dbserver/server_commands.h"

#include <fmt/format.h>
#include <malloc.h>

#include <filesystem>
#include <memory>

namespace ovs::dbserver {

namespace {

using Words = std::span<const std::string>;

// Compacts the databases one after the other and answers when all are done.
void compact(Server& server, std::vector<std::string> names, std::shared_ptr<ControlReply> reply, bool trim) {
  if (names.empty()) {
    if (trim) malloc_trim(0);
    reply->ok();
    return;
  }
  const std::string name = std::move(names.back());
  names.pop_back();
  auto started = server.compact(name, [&server, names, reply, trim, name](const Result<void>& result) {
    if (!result) {
      reply->error(fmt::format("{}: {}", name, result.error().message));
      return;
    }
    compact(server, names, reply, trim);
  });
  if (!started) reply->error(started.error().message);
}

}  // namespace

void add_server_commands(ControlTable& table, Server& server, Remotes& remotes, std::function<void()> exit) {
  const auto trim = std::make_shared<bool>(false);
  table.add({"exit", "", "end the server cleanly", "", Access::read_write},
            [exit = std::move(exit)](Words, ControlReply reply) {
              reply.ok();
              exit();
            });
  table.add({"ovsdb-server/add-remote", "REMOTE", "serve clients by one more remote", "", Access::read_write},
            [&remotes](Words words) -> Result<std::string> {
              OVS_TRY_DO(remotes.add(words[0]));
              return std::string();
            });
  table.add({"ovsdb-server/remove-remote", "REMOTE", "stop serving clients by a remote", "", Access::read_write},
            [&remotes](Words words) -> Result<std::string> {
              OVS_TRY_DO(remotes.remove(words[0]));
              return std::string();
            });
  table.add({"ovsdb-server/list-remotes", "", "the remotes that were configured", "", Access::read_only},
            [&remotes](Words) -> Result<std::string> {
              std::string text;
              for (const std::string& remote : remotes.configured()) text += remote + "\n";
              return text;
            });
  table.add({"ovsdb-server/add-db", "DB", "serve one more database file", "", Access::read_write},
            [&server](Words words) -> Result<std::string> {
              OVS_TRY_DO(server.add_database(words[0]));
              return std::string();
            });
  table.add({"ovsdb-server/remove-db", "DB", "stop serving a database, by its name", "", Access::read_write},
            [&server](Words words) -> Result<std::string> {
              OVS_TRY_DO(server.remove_database(words[0]));
              return std::string();
            });
  table.add({"ovsdb-server/list-dbs", "", "the names of the databases", "", Access::read_only},
            [&server](Words) -> Result<std::string> {
              std::string text;
              for (const auto& [name, hosted] : server.databases()) text += name + "\n";
              return text;
            });
  table.add({"ovsdb-server/compact", "[DB]", "rewrite a database's file, or all, without their past", "",
             Access::read_write},
            [&server, trim](Words words, ControlReply reply) {
              std::vector<std::string> names;
              if (!words.empty()) {
                names.push_back(words[0]);
              } else {
                for (const auto& [name, hosted] : server.databases()) {
                  if (hosted->storage) names.push_back(name);
                }
              }
              compact(server, std::move(names), std::make_shared<ControlReply>(std::move(reply)), *trim);
            });
  table.add({"ovsdb-server/memory-trim-on-compaction", "on|off", "give free memory back after each compaction", "",
             Access::read_write},
            [trim](Words words) -> Result<std::string> {
              if (words[0] != "on" && words[0] != "off") return unexpected("invalid argument: on or off is expected");
              *trim = words[0] == "on";
              return std::string();
            });
  table.add({"ovsdb-server/get-db-storage-status", "DB", "whether a database's file is well", "", Access::read_only},
            [&server](Words words) -> Result<std::string> {
              const Hosted* hosted = server.find_database(words[0]);
              if (!hosted || !hosted->storage) return unexpected("Failed to find the database.");
              const Error* problem = hosted->storage->problem();
              return problem ? fmt::format("status: not ok\n{}\n", problem->message) : std::string("status: ok\n");
            });
  table.add({"ovsdb-server/reconnect", "", "drop all connections of clients", "", Access::read_write},
            [&server](Words) -> Result<std::string> {
              server.disconnect_all("dropped by the operator");
              return std::string();
            });
  table.add({"ovsdb-server/sync-status", "", "the state of replication", "", Access::read_only},
            [](Words) -> Result<std::string> { return std::string("state: active\n"); });
  table.add({"ovsdb-server/perf-counters-show", "", "how long transactions take", "", Access::read_only},
            [&server](Words) -> Result<std::string> { return server.counters_text(); });
  table.add({"ovsdb-server/perf-counters-clear", "", "begin to count anew", "", Access::read_write},
            [&server](Words) -> Result<std::string> {
              server.clear_counters();
              return std::string();
            });
  table.add({"memory/show", "", "what the databases and the clients amount to", "", Access::read_only},
            [&server](Words) -> Result<std::string> { return server.memory_text(); });
}

}  // namespace ovs::dbserver
