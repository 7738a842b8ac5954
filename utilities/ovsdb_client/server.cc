#include "ovsdb_client/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "base/paths.h"
#include "base/print.h"
#include "base/text.h"
#include "base/uuid.h"
#include "ovsdb/error.h"
#include "rpc/session.h"
#include "runtime/stream.h"
#include "timeout.h"

namespace ovs::utilities::ovsdb_client {

namespace {

constexpr std::array<std::string_view, 3> passive_prefixes{"punix:", "ptcp:", "pssl:"};
constexpr std::array<std::string_view, 3> active_prefixes{"unix:", "tcp:", "ssl:"};

// How long the program waits in silence.
constexpr runtime::Duration patience{2000};

bool starts_with_any(std::string_view word, std::span<const std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view p) { return word.starts_with(p); });
}

// Runs the loop until `done`, and says what it waits for where that takes long.
void wait(runtime::Loop& loop, const std::function<bool()>& done, std::string_view what) {
  set_waiting_for(what);
  if (what.empty() || !loop.run_until(done, patience)) {
    if (!what.empty() && !done()) complain(fmt::format("waiting for {}", what));
    while (!done()) loop.run_until(done);
  }
  set_waiting_for({});
}

// Why a connection cannot be made, and what the operator may do about it.
Error cannot_connect(std::string_view remote, const Error& why) {
  std::string_view advice;
  switch (why.code) {
    case ENOENT:
      advice = "; there is no such socket: is ovsdb-server running, with a --remote of this name?";
      break;
    case ECONNREFUSED:
      advice = "; nobody listens there: is ovsdb-server running?";
      break;
    case EACCES:
    case EPERM:
      advice = "; run this command as root, or as a user whom the socket's permissions admit";
      break;
    default:
      break;
  }
  return Error{fmt::format("failed to connect to \"{}\" ({}){}", remote, rpc::reason_without_name(remote, why), advice),
               why.code};
}

// The remotes of a list: a comma separates them only where a remote's name begins after it, since
// a socket's path may hold one.
std::vector<std::string> split_remotes(std::string_view list) {
  std::vector<std::string> remotes;
  for (std::string_view part : split(list, ',')) {
    if (remotes.empty() || is_server_name(trim(part))) {
      remotes.emplace_back(trim(part));
    } else {
      remotes.back() += ",";
      remotes.back() += part;
    }
  }
  return remotes;
}

Result<std::unique_ptr<runtime::Stream>> open_stream(runtime::Loop& loop, const std::string& remote) {
  auto stream = runtime::Stream::connect(loop, remote);
  if (!stream) return Unexpected{cannot_connect(remote, stream.error())};
  bool connected = false;
  std::optional<Error> failure;
  runtime::Stream::Handler handler;
  handler.connected = [&] { connected = true; };
  handler.closed = [&](Error e) { failure = std::move(e); };
  (*stream)->set_handler(std::move(handler));
  wait(loop, [&] { return connected || failure; }, fmt::format("{} to take the connection", remote));
  if (failure) return Unexpected{cannot_connect(remote, *failure)};
  return std::move(*stream);
}

Result<std::unique_ptr<runtime::Stream>> accept_stream(runtime::Loop& loop, const std::string& remote) {
  std::unique_ptr<runtime::Stream> stream;
  auto listener = runtime::Listener::listen(loop, remote, [&](std::unique_ptr<runtime::Stream> s) {
    if (!stream) stream = std::move(s);
  });
  if (!listener) {
    return unexpected(
        fmt::format("failed to listen on \"{}\" ({})", remote, rpc::reason_without_name(remote, listener.error())),
        listener.error().code);
  }
  wait(loop, [&] { return stream != nullptr; }, fmt::format("a server to connect to {}", remote));
  return stream;
}

}  // namespace

bool is_server_name(std::string_view word) {
  return starts_with_any(word, active_prefixes) || starts_with_any(word, passive_prefixes);
}

std::string default_server() { return "unix:" + path_below(rundir(), "db.sock"); }

struct Server::Impl {
  explicit Impl(runtime::Loop& l, std::string n) : loop(l), name(std::move(n)) {}

  runtime::Loop& loop;
  std::string name;
  std::unique_ptr<rpc::Connection> connection;
  std::optional<Error> lost;
  std::uint64_t next_id = 0;
  std::uint64_t answers = 0;  // messages that came
  std::map<std::uint64_t, Done> pending;
  Server* owner = nullptr;

  void receive(rpc::Message&& message) {
    using Kind = rpc::Message::Kind;
    answers++;
    switch (message.kind) {
      case Kind::request:
        if (message.method == "echo") {
          connection->send(rpc::reply_text(to_text(message.params), to_text(message.id)));
          return;
        }
        [[fallthrough]];
      case Kind::notification:
        if (owner->on_message) owner->on_message(message);
        return;
      case Kind::reply:
      case Kind::error: {
        const auto id = as_integer(message.id);
        if (!id || *id < 0) return;
        auto found = pending.extract(static_cast<std::uint64_t>(*id));
        if (found.empty()) return;
        found.mapped()(Reply{message.kind == Kind::reply, std::move(message.result)});
        return;
      }
    }
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) { impl_->owner = this; }
Server::~Server() = default;

void Server::pause(bool pause) { impl_->connection->pause_reading(pause); }
bool Server::is_lost() const { return impl_->lost.has_value(); }
const std::string& Server::name() const { return impl_->name; }

Result<std::unique_ptr<Server>> Server::connect(runtime::Loop& loop, std::string_view list,
                                                const Accept& accept) {
  std::vector<std::string> remotes = split_remotes(list);
  if (remotes.size() > 1) {
    const Uuid seed = Uuid::random();
    std::minstd_rand random{static_cast<unsigned>(UuidHash{}(seed))};
    std::ranges::shuffle(remotes, random);
  }
  std::vector<std::string> failures;
  int code = 0;
  for (const std::string& remote : remotes) {
    auto stream = starts_with_any(remote, passive_prefixes) ? accept_stream(loop, remote)
                                                            : open_stream(loop, remote);
    if (!stream) {
      failures.push_back(stream.error().message);
      code = stream.error().code;
      continue;
    }
    std::unique_ptr<Server> server{new Server(std::make_unique<Impl>(loop, remote))};
    Impl* impl = server->impl_.get();
    rpc::Connection::Handler handler;
    handler.message = [impl](rpc::Message&& m) { impl->receive(std::move(m)); };
    handler.closed = [impl](Error e) { impl->lost = std::move(e); };
    impl->connection = std::make_unique<rpc::Connection>(std::move(*stream), std::move(handler));
    if (!accept) return server;
    if (auto good = accept(*server, remotes.size() == 1); !good) {
      failures.push_back(std::move(good).error().message);
      continue;
    }
    return server;
  }
  if (failures.size() == 1) return unexpected(failures[0], code);
  return unexpected("no server was available: " + join(failures, "; "), code);
}

void Server::request(std::string_view method, std::string_view params_text, Done done) {
  const std::uint64_t id = impl_->next_id++;
  impl_->pending.emplace(id, std::move(done));
  impl_->connection->send(rpc::request_text(method, params_text, fmt::format("{}", id)));
}

Result<void> Server::wait_until(const std::function<bool()>& done, std::string_view what) {
  wait(impl_->loop, [&] { return impl_->lost || done(); }, what);
  if (done()) return {};
  const Error& why = *impl_->lost;
  std::string text = why.code == 0 && why.message.empty()
                         ? fmt::format("{}: the server closed the connection", name())
                         : fmt::format("{}: the connection was lost ({})", name(), why.message);
  // A port for TLS does not answer in plain words.
  if (impl_->answers == 0 && name().starts_with("tcp:")) {
    text += "; is it a port for TLS?  Then its name begins with ssl: in place of tcp:";
  }
  return unexpected(std::move(text), why.code);
}

Error refused(const Server& server, std::string_view method, const json::value& error) {
  return {fmt::format("{}: \"{}\" failed: {}", server.name(), method, ovsdb::error_text(error))};
}

Result<Reply> Server::ask(std::string_view method, std::string_view params_text) {
  std::optional<Reply> reply;
  request(method, params_text, [&](Reply&& r) { reply = std::move(r); });
  OVS_TRY_DO(wait_until([&] { return reply.has_value(); },
                        fmt::format("the reply to \"{}\" from {}", method, name())));
  return std::move(*reply);
}

Result<json::value> Server::call(std::string_view method, std::string_view params_text) {
  OVS_TRY(Reply reply, ask(method, params_text));
  if (!reply.ok) return Unexpected{refused(*this, method, reply.value)};
  return std::move(reply.value);
}

}  // namespace ovs::utilities::ovsdb_client
