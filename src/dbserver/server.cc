#include "dbserver/server.h"

#include <fmt/format.h>


#include "base/check.h"
#include "base/log.h"
#include "dbserver/pending.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_server"};

// How long one client's requests may take in one round while others wait.
constexpr std::int64_t turn_ns = 5'000'000;

// ovsdb-server(5): the database that describes the server's databases.
constexpr std::string_view server_schema = R"({
  "name": "_Server", "version": "1.2.0",
  "tables": {"Database": {"columns": {
    "name": {"type": "string"},
    "model": {"type": {"key": {"type": "string", "enum": ["set", ["clustered", "relay", "standalone"]]}}},
    "connected": {"type": "boolean"},
    "leader": {"type": "boolean"},
    "schema": {"type": {"key": "string", "min": 0, "max": 1}},
    "cid": {"type": {"key": "uuid", "min": 0, "max": 1}},
    "sid": {"type": {"key": "uuid", "min": 0, "max": 1}},
    "index": {"type": {"key": "integer", "min": 0, "max": 1}}}}}})";

}  // namespace

Server::Server(runtime::Loop& loop, ovsdb::FileSystem& files, ServerOptions options)
    : loop_(loop), files_(files), options_(options) {
  auto schema = ovsdb::DatabaseSchema::from_json(parse_json(server_schema).value());
  OVS_CHECK(schema.has_value(), "the schema of _Server");
  serve(std::make_shared<Hosted>(std::make_unique<Database>(*std::move(schema)), nullptr));
}

Server::~Server() {
  alive_ = nullptr;
  for (auto& [name, hosted] : databases_) hosted->waiting.clear();
  // An answer that waits for the disk may keep a client for longer.
  for (auto& [id, client] : clients_) client->abandon();
  clients_.clear();
  batch_.clear();
}

Hosted* Server::find_database(std::string_view name) const {
  auto it = databases_.find(std::string(name));
  return it == databases_.end() ? nullptr : it->second.get();
}

Result<std::string> Server::add_database(const std::string& path) {
  OVS_TRY(Storage::Opened opened, Storage::open(loop_, files_, path));
  const std::string name = opened.database->name();
  if (databases_.contains(name)) {
    return unexpected(name == "_Server" ? fmt::format("{}: the name _Server is reserved", path)
                                        : fmt::format("{}: a database named {} is served already", path, name));
  }
  serve(std::make_shared<Hosted>(std::move(opened.database), std::move(opened.storage)));
  return name;
}

void Server::serve(std::shared_ptr<Hosted> hosted) {
  Hosted& added = *hosted;
  databases_.emplace(hosted->name(), std::move(hosted));
  describe(added);
  for (const auto& [id, client] : clients_) {
    if (!client->db_change_aware) client->finish();
  }
  added.changed = true;
  schedule_end();
}

// Writes the row of a database in _Server.
void Server::describe(Hosted& hosted) {
  hosted.row = Uuid::random();
  json::object row{{"name", hosted.name()}, {"model", "standalone"},          {"connected", true},
                   {"leader", true},        {"schema", hosted.schema_text()}};
  json::object operation{
      {"op", "insert"}, {"table", "Database"}, {"uuid", hosted.row.to_string()}, {"row", std::move(row)}};
  change(*find_database("_Server"), to_text(json::array{std::move(operation)}));
}

void Server::withdraw(Hosted& hosted) {
  json::array where = array_of(json::array{"_uuid", "==", json::array{"uuid", hosted.row.to_string()}});
  json::object operation{{"op", "delete"}, {"table", "Database"}, {"where", std::move(where)}};
  change(*find_database("_Server"), to_text(json::array{std::move(operation)}));

  // Clients that know what this means stay; the others shall look again what there is.
  for (WaitingTransaction& waiting : std::exchange(hosted.waiting, {})) {
    waiting.account.client()->error(waiting.id_text, "\"canceled\"");
  }
  for (const auto& [id, client] : clients_) {
    std::vector<std::string> canceled;
    for (const auto& [id_text, monitor] : client->monitors()) {
      if (monitor->hosted == &hosted) canceled.push_back(id_text);
    }
    if (!canceled.empty()) client->catch_up();
    for (const std::string& id_text : canceled) {
      client->remove_monitor(id_text);
      if (client->db_change_aware) client->send(rpc::notification_text("monitor_canceled", "[" + id_text + "]"));
    }
  }
}

Result<void> Server::remove_database(const std::string& name) {
  if (name == "_Server") return unexpected("the database _Server cannot be removed");
  auto it = databases_.find(name);
  if (it == databases_.end()) return unexpected(fmt::format("no database named {}", name));
  flush_batch();
  const std::shared_ptr<Hosted> hosted = it->second;
  withdraw(*hosted);
  databases_.erase(name);
  flush_batch();
  for (const auto& [id, client] : clients_) {
    if (!client->db_change_aware) client->finish();
  }
  if (observer_) observer_(*hosted);
  return {};
}

Result<void> Server::compact(std::string_view name, std::function<void(const Result<void>&)> done) {
  Hosted* hosted = find_database(name);
  if (!hosted || !hosted->storage) return unexpected("not a valid database name");
  flush_batch();
  if (hosted->storage->compacting()) return unexpected("the database is being compacted already", EBUSY);
  hosted->storage->compact(hosted->database->snapshot(), "compacting database online", std::move(done));
  return {};
}

std::shared_ptr<Client> Server::add_client(std::unique_ptr<runtime::Stream> stream, ClientOptions options,
                                           std::function<void(const Error&)> closed) {
  const std::uint64_t id = ++last_client_;
  auto client = std::make_shared<Client>(*this, id, std::move(stream), options, std::move(closed));
  clients_.emplace(id, client);
  return client;
}

void Server::forget(Client& client) {
  for (const auto& [name, hosted] : databases_) {
    hosted->waiting.remove_if([&](const WaitingTransaction& w) { return w.account.client().get() == &client; });
  }
  locks_.forget(client.id(),
                [&](LockTable::Holder next, const std::string& lock) { notify_lock(next, "locked", lock); });
  clients_.erase(client.id());
}

void Server::disconnect_all(std::string_view reason) {
  const auto clients = clients_;
  for (const auto& [id, client] : clients) client->close(reason);
}

void Server::notify_lock(LockTable::Holder holder, std::string_view method, const std::string& lock) {
  auto it = clients_.find(holder);
  if (it == clients_.end()) return;
  if (method == "stolen")
    it->second->locks_lost.insert(lock);
  else
    it->second->locks_lost.erase(lock);
  it->second->send(rpc::notification_text(method, "[\"" + lock + "\"]"));
}

bool Server::has_time(const Client& client) {
  schedule_end();
  const std::int64_t now = now_ns();
  if (served_ != client.id()) {
    served_ = client.id();
    served_since_ns_ = now;
    return true;
  }
  return now - served_since_ns_ < turn_ns;
}

void Server::schedule_requests() {
  if (requests_scheduled_) return;
  requests_scheduled_ = true;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    requests_scheduled_ = false;
    // Beginning behind the one who began last time.
    std::vector<std::shared_ptr<Client>> ready;
    for (auto it = clients_.upper_bound(next_turn_); it != clients_.end(); ++it) {
      if (it->second->has_requests()) ready.push_back(it->second);
    }
    for (auto it = clients_.begin(); it != clients_.upper_bound(next_turn_); ++it) {
      if (it->second->has_requests()) ready.push_back(it->second);
    }
    if (ready.empty()) return;
    next_turn_ = ready.front()->id();
    bool left = false;
    for (const auto& client : ready) {
      client->run_requests();
      left = left || (client->has_requests() && !client->overloaded());
    }
    if (left) schedule_requests();
  });
}

std::string Server::memory_text() const {
  std::size_t atoms = 0, cells = 0, monitors = 0, weak = 0, waiting = 0, history = 0, backlog = 0;
  for (const auto& [name, hosted] : databases_) {
    atoms += hosted->database->atoms();
    cells += hosted->database->cells();
    monitors += hosted->monitors();
    weak += hosted->database->weak_refs();
    waiting += hosted->waiting.size();
    history += hosted->history_size();
  }
  for (const auto& [id, client] : clients_) backlog += client->backlog();
  std::string text = fmt::format("atoms:{} cells:{} monitors:{} n-weak-refs:{}", atoms, cells, monitors, weak);
  if (!clients_.empty()) text += fmt::format(" sessions:{}", clients_.size());
  if (waiting > 0) text += fmt::format(" triggers:{}", waiting);
  if (history > 0) text += fmt::format(" txn-history:{}", history);
  if (backlog > 0) text += fmt::format(" backlog:{}", backlog);
  return text + "\n";
}

std::string Server::counters_text() const {
  const Counters& c = counters_;
  const auto microseconds = [](std::uint64_t ns) { return static_cast<double>(ns) / 1000; };
  const double n = c.transactions > 0 ? static_cast<double>(c.transactions) : 1;
  return fmt::format(
      "transactions: {} ({} failed, {} times waited), {:.2f} us each to execute\n"
      "rounds: {}, the longest took {:.0f} us\n"
      "log: {:.0f} us in all\n"
      "updates and replies: {:.0f} us in all\n",
      c.transactions, c.failed, c.waits, microseconds(c.execute_ns) / n, c.rounds, microseconds(c.longest_round_ns),
      microseconds(c.flush_ns), microseconds(c.publish_ns));
}

}  // namespace ovs::dbserver
