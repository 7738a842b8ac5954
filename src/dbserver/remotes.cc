#include "dbserver/remotes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/text.h"
#include "dbserver/column_name.h"
#include "runtime/tls_config.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_server"};

constexpr runtime::Duration status_interval{5000};
constexpr runtime::Duration min_backoff{1000};
// How soon a target from a database that could not be opened (an address in use) is tried again.
constexpr runtime::Duration retry_interval{5000};

}  // namespace

// One target, listening or connecting.
class Remotes::Endpoint {
 public:
  Endpoint(Remotes& owner, std::string target, RemoteOptions options)
      : owner_(owner), server_(owner.server_), target_(std::move(target)), options_(options) {}
  virtual ~Endpoint() = default;

  const RemoteOptions& options() const { return options_; }
  void set_options(const RemoteOptions& options) {
    options_ = options;
    for (const auto& client : clients()) client->set_options(client_options());
  }

  virtual Result<void> open() = 0;
  virtual std::vector<std::shared_ptr<Client>> clients() const = 0;
  virtual std::map<std::string, std::string> status() const = 0;
  bool is_connected() const { return !clients().empty(); }

 protected:
  ClientOptions client_options() const { return {options_.probe_interval, options_.read_only}; }
  void status_changed() { owner_.status_timer_.start(runtime::Duration(0)); }

  Remotes& owner_;
  Server& server_;
  std::string target_;
  RemoteOptions options_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

namespace {

// The names of locks in the columns' form.
void say_locks(const Client& client, const LockTable& locks, std::map<std::string, std::string>& status) {
  const auto say = [&](const char* key, const std::vector<std::string>& names) {
    if (!names.empty()) status[key] = join(names, " ");
  };
  say("locks_held", locks.held(client.id()));
  say("locks_waiting", locks.waiting(client.id()));
  say("locks_lost", {client.locks_lost.begin(), client.locks_lost.end()});
}

}  // namespace

class Remotes::Listening : public Endpoint {
 public:
  using Endpoint::Endpoint;
  ~Listening() override {
    alive_ = nullptr;
    for (const auto& client : clients()) client->close("the remote was removed");
  }

  Result<void> open() override {
    const auto accepted = [this](std::unique_ptr<runtime::Stream> stream) {
      auto client = server_.add_client(std::move(stream), client_options(),
                                       [this, alive = std::weak_ptr<bool>(alive_)](const Error&) {
                                         if (!alive.expired()) status_changed();
                                       });
      std::erase_if(clients_, [](const std::weak_ptr<Client>& c) { return c.expired(); });
      clients_.push_back(client);
      status_changed();
    };
    OVS_TRY(listener_, runtime::Listener::listen(server_.loop(), target_, accepted));
    return {};
  }

  std::vector<std::shared_ptr<Client>> clients() const override {
    std::vector<std::shared_ptr<Client>> open;
    for (const auto& weak : clients_) {
      if (auto client = weak.lock(); client && client->open()) open.push_back(std::move(client));
    }
    return open;
  }

  std::map<std::string, std::string> status() const override {
    std::map<std::string, std::string> status;
    const auto open = clients();
    if (listener_ && listener_->bound_port() != 0) status["bound_port"] = std::to_string(listener_->bound_port());
    if (!open.empty()) status["state"] = "ACTIVE";
    if (open.size() > 1) status["n_connections"] = std::to_string(open.size());
    if (open.size() == 1) say_locks(*open[0], server_.locks(), status);
    return status;
  }

 private:
  std::unique_ptr<runtime::Listener> listener_;
  std::vector<std::weak_ptr<Client>> clients_;
};

class Remotes::Connecting : public Endpoint {
 public:
  Connecting(Remotes& owner, std::string target, RemoteOptions options)
      : Endpoint(owner, std::move(target), options), retry_(server_.loop(), [this] { connect(); }) {}
  ~Connecting() override {
    alive_ = nullptr;
    if (client_) client_->close("the remote was removed");
  }

  Result<void> open() override {
    connect();
    return {};
  }

  std::vector<std::shared_ptr<Client>> clients() const override {
    if (client_ && client_->open()) return {client_};
    return {};
  }

  std::map<std::string, std::string> status() const override {
    std::map<std::string, std::string> status;
    status["state"] = client_ ? (client_->probing() ? "IDLE" : "ACTIVE") : stream_ ? "CONNECTING" : "BACKOFF";
    const runtime::TimePoint now = server_.loop().now();
    const auto seconds = [&](runtime::TimePoint since) {
      return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - since).count());
    };
    if (connected_at_) status["sec_since_connect"] = seconds(*connected_at_);
    if (disconnected_at_) status["sec_since_disconnect"] = seconds(*disconnected_at_);
    if (!last_error_.empty()) status["last_error"] = last_error_;
    if (client_) say_locks(*client_, server_.locks(), status);
    return status;
  }

 private:
  void connect() {
    auto stream = runtime::Stream::connect(server_.loop(), target_);
    if (!stream) {
      failed(stream.error());
      return;
    }
    stream_ = *std::move(stream);
    runtime::Stream::Handler handler;
    handler.connected = [this] {
      // The client takes the stream with other handlers, when this one has returned.
      server_.loop().post([this, alive = std::weak_ptr<bool>(alive_)] {
        if (alive.expired() || !stream_) return;
        connected_at_ = server_.loop().now();
        last_error_.clear();
        log.info("{}: connected", target_);
        client_ = server_.add_client(std::move(stream_), client_options(), [this, alive](const Error& error) {
          if (alive.expired()) return;
          client_ = nullptr;
          disconnected_at_ = server_.loop().now();
          // A connection that lasted is no reason to hesitate.
          if (*disconnected_at_ - *connected_at_ > options_.max_backoff) backoff_ = runtime::Duration(0);
          failed(error);
        });
        status_changed();
      });
    };
    handler.closed = [this](Error error) {
      server_.loop().post([stream = std::shared_ptr<runtime::Stream>(std::move(stream_))] {});
      failed(error);
    };
    stream_->set_handler(std::move(handler));
    status_changed();
  }

  void failed(const Error& error) {
    last_error_ = error.code == 0 && error.message.empty() ? "End of file" : error.message;
    const runtime::Duration limit = std::max(options_.max_backoff, min_backoff);
    backoff_ = backoff_.count() == 0 ? min_backoff : std::min(backoff_ * 2, limit);
    log.info("{}: {}, trying again in {} ms", target_, last_error_, backoff_.count());
    retry_.start(backoff_);
    status_changed();
  }

  runtime::Timer retry_;
  std::unique_ptr<runtime::Stream> stream_;
  std::shared_ptr<Client> client_;
  runtime::Duration backoff_{0};
  std::optional<runtime::TimePoint> connected_at_, disconnected_at_;
  std::string last_error_;
};

Result<void> Remotes::check_name(const std::string& name) {
  const auto passive = runtime::Listener::check_name(name);
  if (passive) return {};
  auto active = runtime::Stream::check_name(name);
  if (active) return {};
  // The one that knows this kind of name says what is wrong with the rest.
  if (passive.error().code != EAFNOSUPPORT) return Unexpected{passive.error()};
  if (active.error().code != EAFNOSUPPORT) return active;
  return unexpected(
      fmt::format("{}: not a remote; the forms are punix:FILE, ptcp:[PORT][:IP], pssl:[PORT][:IP], unix:FILE, "
                  "tcp:HOST[:PORT], ssl:HOST[:PORT] and db:DATABASE,TABLE,COLUMN{}",
                  name, name.starts_with('/') ? fmt::format(" (did you mean punix:{}?)", name) : ""),
      EAFNOSUPPORT);
}

Remotes::Remotes(Server& server)
    : server_(server),
      status_timer_(server.loop(), [this] { write_status(); }),
      retry_timer_(server.loop(), [this] {
        if (auto done = reconfigure(); !done) log.warn("{}", done.error().message);
      }) {}

Remotes::~Remotes() = default;

Result<void> Remotes::add(const std::string& remote) {
  if (configured_.contains(remote)) return {};
  if (ColumnName::is_one(remote)) {
    std::map<std::string, Target> targets;
    OVS_TRY_DO(read_column(remote, targets));
  } else {
    OVS_TRY_DO(check_name(remote));
  }
  configured_.insert(remote);
  // The operator wants to know now, whatever became of a target of the same name in a database.
  failures_.erase(remote);
  if (auto opened = reconfigure(); !opened) {
    configured_.erase(remote);
    (void)reconfigure().has_value();
    return opened;
  }
  return {};
}

Result<void> Remotes::remove(const std::string& remote) {
  if (configured_.erase(remote) == 0) return unexpected("no such remote");
  return reconfigure();
}

void Remotes::database_changed(Hosted& hosted) {
  if (reconfiguring_ || !watched_.contains(hosted.name())) return;
  if (auto done = reconfigure(); !done) log.warn("{}", done.error().message);
}

// Whether a remote cannot be opened for want of a key that the database may still bring.
bool Remotes::waits_for_keys(const std::string& name) const {
  return keys_may_come_ && runtime::wants_tls(name) && !runtime::check_tls(server_.loop());
}

void Remotes::keys_changed() {
  const runtime::TimePoint now = server_.loop().now();
  for (auto& [name, failure] : failures_) {
    if (failure.again != runtime::TimePoint::max()) failure.again = now;
  }
  // Remotes that are open stay so.  The loop itself says where it goes on with older keys.
  if (std::ranges::any_of(endpoints_, [](const auto& endpoint) { return runtime::wants_tls(endpoint.first); })) {
    if (auto checked = runtime::check_tls(server_.loop()); !checked) {
      log.warn("{}; until that changes, no connection by TLS is accepted or made", checked.error().message);
    }
    status_timer_.start(runtime::Duration(0));
  }
  if (auto done = reconfigure(); !done) log.warn("{}", done.error().message);
}

// db:DB,TABLE,COLUMN
Result<void> Remotes::read_column(const std::string& remote, std::map<std::string, Target>& targets) {
  OVS_TRY(const ColumnName name, ColumnName::parse(remote));
  watched_.insert(name.database);
  const Hosted* hosted = server_.find_database(name.database);
  OVS_TRY(const ovsdb::ColumnSchema* column,
          name.find(hosted ? &hosted->database->schema() : nullptr, ColumnName::Holds::remotes));
  const Table* table = hosted->database->find_table(name.table);
  const bool strings = !column->type.key.is_ref();
  const Table* rows = strings ? nullptr : hosted->database->find_table(column->type.key.ref_table);
  table->for_each([&](const Row& row) {
    const Datum& datum = row.datum(column->index);
    for (std::size_t i = 0; i < datum.size(); i++) {
      if (strings) {
        targets.try_emplace(std::string(datum.key(i).string()));
        continue;
      }
      const Row* remote_row = rows->find(datum.key(i).uuid());
      if (!remote_row) continue;
      const auto value = [&](std::string_view what, ovsdb::AtomType wanted) -> const Datum* {
        const ovsdb::ColumnSchema* c = rows->schema().find(what);
        if (!c || c->index < ovsdb::first_column || c->type.key.type != wanted || c->type.is_map()) return nullptr;
        const Datum& d = remote_row->datum(c->index);
        return d.empty() ? nullptr : &d;
      };
      const Datum* target = value("target", ovsdb::AtomType::string);
      if (!target || target->string().empty()) continue;
      Target found;
      if (const Datum* d = value("inactivity_probe", ovsdb::AtomType::integer)) {
        found.options.probe_interval = runtime::Duration(std::clamp<std::int64_t>(d->integer(), 0, INT32_MAX));
      }
      if (const Datum* d = value("max_backoff", ovsdb::AtomType::integer)) {
        found.options.max_backoff = runtime::Duration(std::clamp<std::int64_t>(d->integer(), 1000, INT32_MAX));
      }
      if (const Datum* d = value("read_only", ovsdb::AtomType::boolean)) found.options.read_only = d->boolean();
      std::string text(target->string());
      status_rows_.push_back(StatusRow{name.database, rows->schema().name, remote_row->uuid(), text});
      targets.try_emplace(std::move(text), found);
    }
  });
  return {};
}

Result<std::unique_ptr<Remotes::Endpoint>> Remotes::open(const std::string& name, const RemoteOptions& options) {
  OVS_TRY_DO(check_name(name));
  std::unique_ptr<Endpoint> endpoint;
  if (runtime::Listener::check_name(name)) {
    endpoint = std::make_unique<Listening>(*this, name, options);
  } else {
    endpoint = std::make_unique<Connecting>(*this, name, options);
  }
  OVS_TRY_DO(endpoint->open());
  return endpoint;
}

// A target from a database, or one that has waited for keys, cannot be opened: said once, and again when the reason is
// another one.
void Remotes::failed(const std::string& name, const Error& error) {
  auto [it, fresh] = failures_.try_emplace(name);
  if (fresh || it->second.message != error.message) {
    it->second.message = error.message;
    log.warn("{}", error.message);
  }
  // A name that cannot be right does not become so.
  if (check_name(name)) it->second.again = server_.loop().now() + retry_interval;
}

Result<void> Remotes::reconfigure() {
  if (reconfiguring_) return {};
  reconfiguring_ = true;
  std::map<std::string, Target> targets;
  const std::vector<StatusRow> rows_before = std::exchange(status_rows_, {});
  watched_.clear();
  std::string problem;
  for (const std::string& remote : configured_) {
    if (!ColumnName::is_one(remote)) {
      targets[remote].from_operator = true;
      continue;
    }
    // A database that is gone may come back.
    if (auto read = read_column(remote, targets); !read) problem = read.error().message;
  }
  if (problem != last_problem_ && !problem.empty()) log.warn("{}", problem);
  last_problem_ = problem;

  std::erase_if(endpoints_, [&](const auto& endpoint) { return !targets.contains(endpoint.first); });
  std::erase_if(failures_, [&](const auto& failure) { return !targets.contains(failure.first); });
  Result<void> result;
  bool status_changed = status_rows_ != rows_before;
  for (const auto& [name, target] : targets) {
    auto it = endpoints_.find(name);
    if (it != endpoints_.end()) {
      if (!(it->second->options() == target.options)) it->second->set_options(target.options);
      continue;
    }
    auto failure = failures_.find(name);
    if (failure != failures_.end() && server_.loop().now() < failure->second.again) continue;
    auto opened = open(name, target.options);
    if (opened) {
      if (failure != failures_.end()) failures_.erase(failure);
      endpoints_.emplace(name, *std::move(opened));
      status_changed = true;
    } else if (target.from_operator && failure == failures_.end() && !waits_for_keys(name)) {
      if (result) result = Unexpected{std::move(opened).error()};
    } else {
      failed(name, opened.error());
      status_changed = true;
    }
  }
  runtime::TimePoint again = runtime::TimePoint::max();
  for (const auto& [name, failure] : failures_) again = std::min(again, failure.again);
  if (again == runtime::TimePoint::max()) {
    retry_timer_.cancel();
  } else {
    retry_timer_.start_at(again);
  }
  if (status_changed) status_timer_.start(runtime::Duration(0));
  reconfiguring_ = false;
  return result;
}

// Writes the columns is_connected and status of the rows that remotes were read from.
void Remotes::write_status() {
  if (status_rows_.empty()) return;
  status_timer_.start(status_interval);
  std::map<std::string, json::array> operations;
  for (const StatusRow& row : status_rows_) {
    Hosted* hosted = server_.find_database(row.database);
    const Table* table = hosted ? hosted->database->find_table(row.table) : nullptr;
    if (!table || !table->find(row.uuid)) continue;
    auto endpoint = endpoints_.find(row.target);
    json::object values;
    const ovsdb::ColumnSchema* column = table->schema().find("is_connected");
    if (column && column->type.key.type == ovsdb::AtomType::boolean) {
      values["is_connected"] = endpoint != endpoints_.end() && endpoint->second->is_connected();
    }
    column = table->schema().find("status");
    if (column && column->type.is_map()) {
      json::array pairs;
      if (endpoint != endpoints_.end()) {
        auto status = endpoint->second->status();
        if (runtime::wants_tls(row.target)) {
          if (auto problem = runtime::tls_problem(server_.loop())) status.try_emplace("last_error", *problem);
        }
        for (const auto& [key, value] : status) pairs.push_back(json::array{key, value});
      } else {
        pairs.push_back(json::array{"state", "VOID"});
        if (auto failure = failures_.find(row.target); failure != failures_.end()) {
          pairs.push_back(json::array{"last_error", failure->second.message});
        }
      }
      values["status"] = json::array{"map", std::move(pairs)};
    }
    if (values.empty()) continue;
    json::array where = array_of(json::array{"_uuid", "==", json::array{"uuid", row.uuid.to_string()}});
    operations[row.database].push_back(
        json::object{{"op", "update"}, {"table", row.table}, {"where", std::move(where)}, {"row", std::move(values)}});
  }
  for (const auto& [name, array] : operations) server_.change(*server_.find_database(name), to_text(array));
}

}  // namespace ovs::dbserver
