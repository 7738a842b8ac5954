#include "vsctl/server.h"

#include <cerrno>
#include <cstdio>

#include "base/paths.h"
#include "base/text.h"

#include "timeout.h"

namespace ovs::vsctl {

namespace {

bool is_passive(std::string_view remotes) {
  return remotes.starts_with("punix:") || remotes.starts_with("ptcp:") || remotes.starts_with("pssl:");
}

// What to do about a connection that failed.
std::string advice(std::string_view remotes, const Error& error) {
  if (error.code == 0) return {};  // its text says what is wrong with the remote, or with the keys
  if (is_passive(remotes)) return {};
  if (!remotes.starts_with("unix:"))
    return "is ovsdb-server running there, and does it listen on that address (its --remote options, or ovs-vsctl "
           "set-manager if one of them is db:Open_vSwitch,Open_vSwitch,manager_options)?";
  switch (error.code) {
    case ENOENT:
      return "there is no such socket: is ovsdb-server running?  ovsdb-server(1) tells how to start it; "
             "--db=unix:FILE names another socket";
    case ECONNREFUSED:
      return "the socket exists, but nobody answers on it: ovsdb-server runs no more (was it killed?); start it again";
    case EACCES: return "permission denied: run " + program_name() + " as root, or with sudo";
    default: return {};
  }
}

}  // namespace

Server::Server(std::string remotes) : remotes_(std::move(remotes)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::connect(std::string_view remotes, bool retry,
                                                std::optional<runtime::Duration> limit,
                                                const runtime::TlsSettings& tls) {
  OVS_TRY_DO(runtime::check_tls_settings(tls, remotes));
  std::unique_ptr<Server> server(new Server(std::string(remotes)));
  runtime::use_tls(server->loop_, tls);
  server->limit_ = limit;
  rpc::SessionOptions options;
  options.retry = retry;
  options.probe_interval = runtime::Duration{0};
  auto client = dbclient::Client::create(server->loop_, remotes, options);
  if (!client) {
    std::string_view reason = client.error().message;
    if (reason.starts_with(server->remotes_ + ": ")) reason.remove_prefix(server->remotes_.size() + 2);
    std::string text = server->remotes_ + ": database connection failed (" + std::string(reason) + ")";
    if (remotes.starts_with('/')) text += "\ndid you mean --db=unix:" + server->remotes_ + "?";
    return unexpected(std::move(text));
  }
  server->client_ = std::move(*client);
  OVS_TRY_DO(server->wait([&] { return server->client_->is_connected(); }));
  return server;
}

// What is waited for where the caller does not say it.
std::string Server::awaited() const {
  if (client_->is_connected()) return "an answer from " + remotes_;
  std::string text = is_passive(remotes_) ? "a server to connect to " + remotes_ : "a connection to " + remotes_;
  const std::string reason = client_->session().last_reason();
  return reason.empty() ? text : text + " (the last attempt: " + reason + ")";
}

Result<void> Server::wait(const std::function<bool()>& done, std::string_view what) {
  std::string text;
  bool patient = true;
  // Once for each thing: wait-until looks again at every change, and the reasons of several remotes take turns.
  auto say = [&] {
    const std::string_view thing = !what.empty() ? what : client_->is_connected() ? "an answer" : "a connection";
    if (!said_.emplace(thing).second) return;
    std::fprintf(stderr, "%s: waiting for %s\n", program_name().c_str(), text.c_str());
  };
  auto over = [&] {
    if (done() || client_->failure()) return true;
    std::string now = what.empty() ? awaited() : std::string(what);
    if (now == text) return false;
    text = std::move(now);
    if (what.empty()) utilities::set_waiting_for(text);
    if (!patient) say();
    return false;
  };
  constexpr runtime::Duration notice{2000};
  const bool short_limit = limit_ && *limit_ <= notice;
  if (!loop_.run_until(over, short_limit ? *limit_ : notice)) {
    auto timed_out = [&] {
      const std::string seconds = real_to_text(static_cast<double>(limit_->count()) / 1000);
      return unexpected("waited " + seconds + " seconds in vain for " + text, ETIMEDOUT);
    };
    if (short_limit) return timed_out();
    patient = false;
    say();
    if (!loop_.run_until(over, limit_ ? std::optional(*limit_ - notice) : std::nullopt)) return timed_out();
  }
  if (done()) return {};
  const Error& error = *client_->failure();
  std::string failed = remotes_ + ": database connection failed (" + client_->session().last_reason() + ")";
  if (std::string hint = advice(remotes_, error); !hint.empty()) failed += "\n" + hint;
  return unexpected(std::move(failed), error.code);
}

// The connection was there, and ended before an answer.
Error Server::lost() const {
  const Error& error = *client_->failure();
  std::string text = remotes_ + ": database connection lost (" + error.message + ")";
  if (error.code == 0 && remotes_.starts_with("tcp:"))
    text += "\nis it a port for TLS?  Then its name begins with ssl: in place of tcp:";
  return Error{std::move(text), error.code};
}

Result<json::array> Server::transact(const std::vector<std::string>& operations) {
  std::string params = "[";
  append_json_string(params, database_name);
  for (const std::string& op : operations) {
    params += ',';
    params += op;
  }
  params += ']';
  // The answer may come when nobody waits any more.
  auto response = std::make_shared<std::optional<rpc::Response>>();
  client_->request("transact", params, [response](rpc::Response&& r) { *response = std::move(r); });
  OVS_TRY_DO(wait([&] { return response->has_value(); }));
  rpc::Response& r = **response;
  if (!r.ok && r.disconnected && client_->failure()) return Unexpected{lost()};
  if (!r.ok) return unexpected(ovsdb::error_text(r.value));
  if (!r.value.is_array()) return unexpected("the reply to \"transact\" is no array");
  return std::move(r.value.get_array());
}

Result<std::shared_ptr<const ovsdb::DatabaseSchema>> Server::get_schema() {
  auto schema = std::make_shared<std::optional<Result<std::shared_ptr<const ovsdb::DatabaseSchema>>>>();
  client_->get_schema(database_name, [schema](auto&& result) { schema->emplace(std::move(result)); });
  OVS_TRY_DO(wait([&] { return schema->has_value(); }));
  return std::move(**schema);
}

dbclient::Outcome Server::commit(dbclient::Transaction& transaction) {
  struct Answer {
    dbclient::Transaction transaction;
    dbclient::Outcome outcome;
  };
  auto answer = std::make_shared<std::optional<Answer>>();
  client_->commit(std::move(transaction), [answer](dbclient::Transaction& t, dbclient::Outcome o) {
    answer->emplace(Answer{std::move(t), o});
  });
  failed_.reset();
  if (auto r = wait([&] { return answer->has_value(); }); !r) {
    failed_ = std::move(r.error());
    return dbclient::Outcome::error;
  }
  transaction = std::move((*answer)->transaction);
  return (*answer)->outcome;
}

}  // namespace ovs::vsctl
