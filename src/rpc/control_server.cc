// Serving the control socket.
#include <unistd.h>

#include <cerrno>
#include <map>

#include <fmt/format.h>

#include "base/log.h"
#include "base/paths.h"
#include "rpc/connection.h"
#include "rpc/control.h"

namespace ovs::rpc {

namespace {

LogModule log{"unixctl"};

// A command's text is small; more than this comes from no ovs-appctl.
constexpr std::size_t max_command_bytes = std::size_t{16} << 20;
// Answers that a client may leave unread before its next commands wait.
constexpr std::size_t max_unread = std::size_t{4} << 20;

// Of the socket that is named so, or by default.
std::string socket_path(const std::optional<std::string>& path) {
  return path_below(rundir(), path ? *path : fmt::format("{}.{}.ctl", program_name(), ::getpid()));
}

}  // namespace

struct ControlServer::Impl {
  explicit Impl(ControlTable& t) : table(t) {}

  struct Client {
    std::unique_ptr<Connection> connection;
  };

  ControlTable& table;
  std::string path;
  std::unique_ptr<runtime::Listener> listener;
  std::map<std::uint64_t, std::shared_ptr<Client>> clients;
  std::uint64_t next_client = 0;

  void accept(std::unique_ptr<runtime::Stream> stream) {
    auto number = next_client++;
    auto client = std::make_shared<Client>();
    clients.emplace(number, client);
    // The client is in `clients` as long as its connection calls anything.
    Client* c = client.get();
    client->connection = std::make_unique<Connection>(
        std::move(stream),
        Connection::Handler{
            .message = [this, c, number](Message&& m) { take(*c, number, std::move(m)); },
            .closed = [this, number](const Error&) { clients.erase(number); },
            .drained = [c] { c->connection->pause_reading(false); },
        },
        max_command_bytes);
  }

  void take(Client& c, std::uint64_t number, Message&& m) {
    if (m.kind != Message::Kind::request) {
      c.connection->close("received something else than a request");
      return;
    }
    std::weak_ptr<Client> weak = clients.at(number);
    ControlReply reply([weak, id = to_text(m.id)](bool ok, std::string text) {
      auto client = weak.lock();
      if (!client) return;  // went away before its command was done
      if (!text.empty() && text.back() != '\n') text += '\n';
      std::string quoted;
      append_json_string(quoted, text);
      client->connection->send(ok ? reply_text(quoted, id) : error_text(quoted, id));
    });

    std::vector<std::string> arguments;
    for (auto& v : m.params.get_array()) {
      auto text = as_string(v);
      if (!text) return reply.error(fmt::format("\"{}\" command has an argument that is no string", m.method));
      arguments.emplace_back(*text);
    }
    log.dbg("{}: received request {}{}", c.connection->name(), m.method, to_text(m.params));
    table.run(m.method, arguments, std::move(reply));
    if (auto client = weak.lock(); client && client->connection->backlog() > max_unread) {
      client->connection->pause_reading(true);
    }
  }
};

Result<std::unique_ptr<ControlServer>> ControlServer::create(runtime::Loop& loop, ControlTable& table,
                                                             std::optional<std::string> path) {
  add_base_commands(table);
  auto impl = std::make_shared<Impl>(table);
  if (path != "none") {
    impl->path = socket_path(path);
    auto* raw = impl.get();
    auto listener = runtime::Listener::listen(
        loop, "punix:" + impl->path,
        [raw](std::unique_ptr<runtime::Stream> stream) { raw->accept(std::move(stream)); });
    if (!listener) return Unexpected{std::move(listener).error().in("cannot make the control socket")};
    impl->listener = std::move(*listener);
  }
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

Result<void> ControlServer::check_place(const std::optional<std::string>& path,
                                        const std::vector<std::string>& prepared) {
  if (path == "none") return {};
  auto good = runtime::Listener::check_place("punix:" + socket_path(path), prepared);
  if (!good) return Unexpected{std::move(good).error().in("cannot make the control socket")};
  return {};
}

ControlServer::ControlServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;

const std::string& ControlServer::path() const { return impl_->path; }

std::size_t ControlServer::connections() const { return impl_->clients.size(); }

bool ControlServer::idle() const {
  for (auto& [number, client] : impl_->clients) {
    if (client->connection->backlog() > 0) return false;
  }
  return true;
}

OptionGroup control_options(std::optional<std::string>& path) {
  return OptionGroup{
      .title = "Other options:",
      .options = {Option{.name = "unixctl",
                         .argument = ArgumentKind::required,
                         .argument_name = "SOCKET",
                         .help = "listen for ovs-appctl on SOCKET (none: not at all)",
                         .apply = [&path](std::optional<std::string_view> value) -> Result<void> {
                           path = std::string(value.value_or(""));
                           return {};
                         }}},
  };
}

}  // namespace ovs::rpc
