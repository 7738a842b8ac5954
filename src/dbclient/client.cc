#include "dbclient/client.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"

namespace ovs::dbclient {

namespace {

LogModule log{"dbclient"};

}  // namespace

struct Client::Impl {
  std::unique_ptr<rpc::Session> session;
  std::vector<Listener*> listeners;
  std::optional<Error> failure;

  std::string lock;
  bool lock_held = false;
  std::function<void(bool)> lock_changed;

  void set_lock_held(bool held) {
    if (held == lock_held) return;
    lock_held = held;
    if (lock_changed) lock_changed(held);
  }

  void ask_for_lock() {
    std::string params = "[";
    append_json_string(params, lock);
    params += ']';
    session->request("lock", params, [this, name = lock](rpc::Response&& response) {
      if (name != lock) return;
      if (!response.ok) {
        if (!response.disconnected) log.warn("lock {}: {}", name, ovsdb::error_text(response.value));
        return;
      }
      const json::object* result = response.value.if_object();
      const json::value* locked = result ? result->if_contains("locked") : nullptr;
      set_lock_held(locked && locked->is_bool() && locked->get_bool());
    });
  }

  // Listeners may remove themselves while they are called.
  template <class F>
  void each_listener(F&& call) {
    auto copy = listeners;
    for (Listener* l : copy)
      if (std::ranges::find(listeners, l) != listeners.end())
        if (call(*l)) return;
  }

  void connected() {
    if (!lock.empty()) ask_for_lock();
    each_listener([](Listener& l) { l.on_connected(); return false; });
  }

  void disconnected() {
    set_lock_held(false);
    each_listener([](Listener& l) { l.on_disconnected(); return false; });
  }

  void message(rpc::Message&& message) {
    if (message.method == "locked" || message.method == "stolen") {
      const json::array* params = message.params.if_array();
      if (params && params->size() == 1 && as_string((*params)[0]) == std::string_view(lock))
        set_lock_held(message.method == "locked");
      return;
    }
    each_listener([&message](Listener& l) { return l.on_notification(message); });
  }
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::create(runtime::Loop& loop, std::string_view remotes,
                                               rpc::SessionOptions options) {
  auto impl = std::make_unique<Impl>();
  Impl* i = impl.get();
  rpc::Session::Handler handler;
  handler.connected = [i] { i->connected(); };
  handler.disconnected = [i](const Error&) { i->disconnected(); };
  handler.failed = [i](const Error& error) { i->failure = error; };
  handler.message = [i](rpc::Message&& m) { i->message(std::move(m)); };
  OVS_TRY(impl->session, rpc::Session::create(loop, remotes, std::move(handler), options));
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

void Client::add(Listener* listener) {
  impl_->listeners.push_back(listener);
  if (is_connected()) listener->on_connected();
}

void Client::remove(Listener* listener) { std::erase(impl_->listeners, listener); }

std::uint64_t Client::request(std::string_view method, std::string_view params_text, Done done) {
  return impl_->session->request(method, params_text, std::move(done));
}

void Client::forget(std::uint64_t id) { impl_->session->forget(id); }

void Client::get_schema(std::string_view database, SchemaDone done) {
  std::string params = "[";
  append_json_string(params, database);
  params += ']';
  request("get_schema", params, [done = std::move(done)](rpc::Response&& response) {
    if (!response.ok) {
      done(unexpected(ovsdb::error_text(response.value)));
      return;
    }
    auto schema = ovsdb::DatabaseSchema::from_json(response.value);
    if (schema)
      done(std::move(*schema));
    else
      done(unexpected(schema.error().to_string()));
  });
}

void Client::select(std::string_view database, std::string_view table, std::string_view where_text,
                    const std::vector<std::string>& columns, RowsDone done) {
  std::string params = "[";
  append_json_string(params, database);
  params += ',';
  params += select_operation(table, where_text, columns);
  params += ']';
  request("transact", params, [done = std::move(done)](rpc::Response&& response) {
    if (!response.ok) return done(unexpected(ovsdb::error_text(response.value)));
    json::array* results = response.value.if_array();
    if (!results || results->empty()) return done(unexpected("the reply to \"select\" is empty"));
    json::object* result = (*results)[0].if_object();
    json::value* rows = result ? result->if_contains("rows") : nullptr;
    if (!rows || !rows->is_array()) return done(unexpected(ovsdb::error_text((*results)[0])));
    done(std::move(rows->get_array()));
  });
}

void Client::commit(Transaction transaction, CommitDone done) {
  std::string text = transaction.request();
  if (text.empty()) {
    done(transaction, Outcome::unchanged);
    return;
  }
  auto held = std::make_shared<Transaction>(std::move(transaction));
  request("transact", text, [held, done = std::move(done)](rpc::Response&& response) {
    if (response.disconnected) {
      done(*held, Outcome::try_again);
      return;
    }
    Outcome outcome = held->finish(response.ok, response.value);
    done(*held, outcome);
  });
}

void Client::lock(std::string name, std::function<void(bool)> changed) {
  OVS_CHECK(impl_->lock.empty(), "one lock at a time");
  impl_->lock = std::move(name);
  impl_->lock_changed = std::move(changed);
  if (is_connected()) impl_->ask_for_lock();
}

void Client::unlock() {
  if (impl_->lock.empty()) return;
  std::string params = "[";
  append_json_string(params, impl_->lock);
  params += ']';
  if (is_connected()) request("unlock", params, [](rpc::Response&&) {});
  impl_->lock.clear();
  impl_->lock_held = false;
  impl_->lock_changed = nullptr;
}

bool Client::has_lock() const { return impl_->lock_held; }
const std::string& Client::lock_name() const { return impl_->lock; }
bool Client::is_connected() const { return impl_->session->is_connected(); }
const std::optional<Error>& Client::failure() const { return impl_->failure; }
rpc::Session& Client::session() { return *impl_->session; }
const rpc::Session& Client::session() const { return *impl_->session; }

std::string select_operation(std::string_view table, std::string_view where_text,
                             const std::vector<std::string>& columns) {
  std::string out = "{\"op\":\"select\",\"table\":";
  append_json_string(out, table);
  out += ",\"where\":";
  out += where_text;
  out += ",\"columns\":[";
  for (std::size_t i = 0; i < columns.size(); i++) {
    if (i) out += ',';
    append_json_string(out, columns[i]);
  }
  out += "]}";
  return out;
}

}  // namespace ovs::dbclient
