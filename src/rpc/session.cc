#include "rpc/session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "rpc/reconnect.h"

namespace ovs::rpc {

namespace {

LogModule log{"reconnect"};

// The id of our probes; requests have numbers.
constexpr std::string_view probe_id = "echo";

bool is_passive(std::string_view name) { return runtime::Listener::check_name(name).has_value(); }

Result<void> check_name(std::string_view name) {
  const auto passive = runtime::Listener::check_name(name);
  if (passive) return {};
  auto active = runtime::Stream::check_name(name);
  if (active) return {};
  // The one that knows this kind of name says what is wrong with the rest.
  if (passive.error().code != EAFNOSUPPORT) return Unexpected{passive.error()};
  if (active.error().code != EAFNOSUPPORT) return active;
  return unexpected(
      fmt::format("{}: not a connection method (use unix:FILE, tcp:HOST[:PORT] or ssl:HOST[:PORT] to connect to the "
                  "server, punix:FILE, ptcp:[PORT][:IP] or pssl:[PORT][:IP] to wait for it)",
                  name),
      EAFNOSUPPORT);
}

}  // namespace

std::string reason_without_name(std::string_view remote, const Error& error) {
  // What is wrong with the remote itself, or with a listener's keys, begins with the name; the text of another error
  // with a number begins with an address.
  std::string_view text = error.message;
  if (text.starts_with(remote) && text.substr(remote.size()).starts_with(": ")) {
    return std::string(text.substr(remote.size() + 2));
  }
  return error.code ? std::strerror(error.code) : error.message;
}

struct Session::Impl : std::enable_shared_from_this<Impl> {
  Impl(runtime::Loop& l, std::vector<std::string> r, Handler h, const SessionOptions& o)
      : loop(l),
        remotes(std::move(r)),
        handler(std::move(h)),
        machine({.probe_interval = o.probe_interval,
                 .min_backoff = o.min_backoff,
                 .max_backoff = o.max_backoff,
                 .connect_timeout = remotes.size() == 1 && is_passive(remotes[0]) ? runtime::Duration{0}
                                                                                  : o.connect_timeout,
                 .retry = o.retry},
                remotes.size(), l.now()),
        max_backoff(o.max_backoff),
        timer(l, [this] { run(); }),
        name(remotes.front()) {}

  runtime::Loop& loop;
  std::vector<std::string> remotes;
  Handler handler;
  Reconnect machine;
  runtime::Duration max_backoff;
  runtime::Timer timer;
  std::string name;
  Error last_error;
  std::string last_reason;
  std::unique_ptr<runtime::Stream> attempt;
  std::unique_ptr<runtime::Listener> listener;  // in place of `attempt`, where the remote is passive
  std::unique_ptr<Connection> connection;
  bool connected = false;  // connected() was called, disconnected() not yet
  bool gone = false;       // the session was destroyed
  bool running = false;    // run() is on the stack
  runtime::TimePoint heard{};   // when the machine was last told of bytes
  std::string forced_reason;    // of force_reconnect()
  std::uint64_t next_id = 1;
  std::map<std::uint64_t, Done> pending;  // in the order of the requests

  // Does what the machine says, until it has nothing to say.
  void run() {
    if (running || gone) return;
    auto keep = shared_from_this();
    running = true;
    // What came since the last look counts for the probe; looking here costs nothing a message.
    if (connection) hear();
    while (!gone) {
      auto action = machine.run(loop.now());
      if (action == Reconnect::Action::none) break;
      perform(action);
    }
    running = false;
    if (gone) return;
    if (auto at = machine.deadline()) {
      timer.start_at(*at);
    } else {
      timer.cancel();
    }
  }

  void hear() {
    if (connection->last_received() > heard) {
      heard = connection->last_received();
      machine.received(heard);
    }
  }

  void perform(Reconnect::Action action) {
    switch (action) {
      case Reconnect::Action::none:
        return;
      case Reconnect::Action::connect:
        return connect();
      case Reconnect::Action::probe:
        log.dbg("{}: idle, sending an inactivity probe", name);
        connection->send(request_text("echo", "[]", fmt::format("\"{}\"", probe_id)));
        return;
      case Reconnect::Action::disconnect:
        if (!forced_reason.empty()) return lost(Error{std::exchange(forced_reason, {}), ECANCELED});
        if (machine.state() == Reconnect::State::idle) {
          return lost(Error{"no response to inactivity probe", ETIMEDOUT});
        }
        return lost(Error{"connection attempt timed out", ETIMEDOUT});
      case Reconnect::Action::give_up:
        if (handler.failed) handler.failed(last_error);
        return;
    }
  }

  void connect() {
    name = remotes[machine.remote()];
    if (is_passive(name)) return listen();
    log.at(quiet() ? LogLevel::dbg : LogLevel::info, "{}: connecting...", name);
    auto stream = runtime::Stream::connect(loop, name);
    if (!stream) return lost(std::move(stream).error());
    attempt = std::move(*stream);
    attempt->set_handler({
        .connected = [this] { made(); },
        .received = nullptr,
        .drained = nullptr,
        .closed = [this](Error error) { lost_later(std::move(error)); },
    });
  }

  void listen() {
    log.at(quiet() ? LogLevel::dbg : LogLevel::info, "{}: listening...", name);
    auto made_listener = runtime::Listener::listen(loop, name, [this](std::unique_ptr<runtime::Stream> stream) {
      attempt = std::move(stream);
      listener.reset();
      made();
    });
    if (!made_listener) return lost(std::move(made_listener).error());
    listener = *std::move(made_listener);
  }

  // Messages about a peer that has been away for long help nobody.
  bool quiet() const { return machine.backoff() >= max_backoff; }

  void made() {
    auto keep = shared_from_this();
    log.info("{}: connected", name);
    heard = loop.now();
    machine.connected(heard);
    connected = true;
    connection = std::make_unique<Connection>(
        std::move(attempt), Connection::Handler{
                                .message = [this](Message&& m) { take(std::move(m)); },
                                .closed = [this](Error error) { lost_later(std::move(error)); },
                                .drained =
                                    [this] {
                                      if (handler.drained) handler.drained();
                                    },
                            });
    if (handler.connected) handler.connected();
    run();
  }

  void take(Message&& m) {
    if (machine.state() == Reconnect::State::idle) hear();
    switch (m.kind) {
      case Message::Kind::request:
        if (m.method == "echo") {
          connection->send(reply_text(to_text(m.params), to_text(m.id)));
          return;
        }
        [[fallthrough]];
      case Message::Kind::notification:
        if (handler.message) handler.message(std::move(m));
        return;
      case Message::Kind::reply:
      case Message::Kind::error:
        answer(std::move(m));
        return;
    }
  }

  void answer(Message&& m) {
    auto id = as_integer(m.id);
    auto at = id && *id > 0 ? pending.find(static_cast<std::uint64_t>(*id)) : pending.end();
    if (at == pending.end()) return;  // a probe's reply, or one that was forgotten
    auto done = std::move(at->second);
    pending.erase(at);
    if (done) done(Response{.ok = m.kind == Message::Kind::reply, .value = std::move(m.result)});
  }

  // From a handler of the stream or the connection.
  void lost_later(Error error) {
    auto keep = shared_from_this();
    lost(std::move(error));
    run();
  }

  void lost(Error error) {
    auto keep = shared_from_this();
    attempt.reset();
    listener.reset();
    connection.reset();
    forced_reason.clear();
    bool was_connected = std::exchange(connected, false);
    if (was_connected) {
      log.warn("{}: connection dropped ({})", name, error.message);
    } else {
      log.at(quiet() ? LogLevel::dbg : LogLevel::info, "{}: {} attempt failed ({})", name,
             is_passive(name) ? "listen" : "connection", error.message);
    }
    bool was_quiet = quiet();
    machine.disconnected(loop.now());
    if (!was_quiet && quiet()) log.info("{}: goes on trying in the background, without messages", name);
    last_reason = reason_without_name(name, error);
    last_error = std::move(error);
    give_back_requests();
    if (!gone && was_connected && handler.disconnected) handler.disconnected(last_error);
  }

  void give_back_requests() {
    auto keep = shared_from_this();
    auto lost_ones = std::exchange(pending, {});
    for (auto& [id, done] : lost_ones) {
      if (gone) return;
      if (done) done(Response{.ok = false, .value = json::value("disconnected"), .disconnected = true});
    }
  }
};

Result<std::vector<std::string>> Session::check_remotes(std::string_view remotes) {
  std::vector<std::string> names;
  for (std::string_view name : split_any(remotes, ", \t\n")) {
    if (name.starts_with("cid:")) {
      return unexpected(fmt::format("{}: clusters are not supported by this version", name), EPROTONOSUPPORT);
    }
    OVS_TRY_DO(check_name(name));
    names.emplace_back(name);
  }
  if (names.empty()) return unexpected("no remote to connect to was given", EINVAL);
  return names;
}

Result<std::unique_ptr<Session>> Session::create(runtime::Loop& loop, std::string_view remotes,
                                                 Handler handler, SessionOptions options) {
  OVS_TRY(std::vector<std::string> names, check_remotes(remotes));
  auto impl = std::make_shared<Impl>(loop, std::move(names), std::move(handler), options);
  impl->timer.start(runtime::Duration(0));
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Session::Session(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Session::~Session() {
  impl_->gone = true;
  impl_->timer.cancel();
  impl_->attempt.reset();
  impl_->listener.reset();
  impl_->connection.reset();
}

std::uint64_t Session::request(std::string_view method, std::string_view params_text, Done done) {
  std::uint64_t id = impl_->next_id++;
  impl_->pending.emplace_hint(impl_->pending.end(), id, std::move(done));
  if (impl_->connection) {
    impl_->connection->send(request_text(method, params_text, std::to_string(id)));
    return id;
  }
  impl_->loop.post([weak = std::weak_ptr<Impl>(impl_), id] {
    auto impl = weak.lock();
    if (!impl || impl->gone) return;
    auto at = impl->pending.find(id);
    if (at == impl->pending.end()) return;
    auto unsent = std::move(at->second);
    impl->pending.erase(at);
    if (unsent) unsent(Response{.ok = false, .value = json::value("disconnected"), .disconnected = true});
  });
  return id;
}

void Session::forget(std::uint64_t id) { impl_->pending.erase(id); }

void Session::notify(std::string_view method, std::string_view params_text) {
  if (impl_->connection) impl_->connection->send(notification_text(method, params_text));
}

void Session::reply(const json::value& id, std::string_view result_text) {
  if (impl_->connection) impl_->connection->send(reply_text(result_text, to_text(id)));
}

void Session::reply_error(const json::value& id, std::string_view error_text) {
  if (impl_->connection) impl_->connection->send(rpc::error_text(error_text, to_text(id)));
}

bool Session::is_connected() const { return impl_->connected; }

void Session::force_reconnect(std::string_view reason) {
  impl_->forced_reason = reason.empty() ? "reconnecting on request" : reason;
  impl_->machine.reconnect_now(impl_->loop.now());
  impl_->timer.start(runtime::Duration(0));
}

void Session::set_probe_interval(runtime::Duration interval) {
  impl_->machine.set_probe_interval(interval);
  impl_->timer.start(runtime::Duration(0));
}

const std::string& Session::name() const { return impl_->name; }

std::string Session::status() const { return state_name(impl_->machine.state()); }

const Error& Session::last_error() const { return impl_->last_error; }

const std::string& Session::last_reason() const { return impl_->last_reason; }

std::size_t Session::backlog() const { return impl_->connection ? impl_->connection->backlog() : 0; }

}  // namespace ovs::rpc
