#include "dbserver/client.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "dbserver/server.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_jsonrpc_server"};

// More than this waiting for one client makes the server hold back.
constexpr std::size_t backlog_limit = std::size_t{4} << 20;
// Transactions of one client that wait.
constexpr std::size_t max_waits = 256;
constexpr std::size_t max_wait_bytes = std::size_t{4} << 20;

}  // namespace

Client::Client(Server& server, std::uint64_t id, std::unique_ptr<runtime::Stream> stream, ClientOptions options,
               std::function<void(const Error&)> closed)
    : server_(server),
      id_(id),
      name_(stream->name()),
      options_(options),
      closed_(std::move(closed)),
      probe_timer_(server.loop(), [this] { check_health(); }) {
  rpc::Connection::Handler handler;
  handler.message = [this](rpc::Message&& message) { received(std::move(message)); };
  handler.closed = [this](Error error) { ended(error); };
  handler.drained = [this] { drained(); };
  connection_ = std::make_unique<rpc::Connection>(std::move(stream), std::move(handler));
  start_probe_timer();
}

Client::~Client() { remove_monitors(); }

void Client::set_options(ClientOptions options) {
  options_ = options;
  probe_sent_ = false;
  start_probe_timer();
}

void Client::send(std::string text) {
  if (!connection_) return;
  if (waiting_.empty()) {
    connection_->send(std::move(text));
    return;
  }
  waiting_bytes_ += text.size();
  waiting_.push_back(Waiting{0, std::make_shared<const std::string>(std::move(text))});
}

void Client::send(runtime::Buffer text) {
  if (!connection_) return;
  if (waiting_.empty()) {
    connection_->send(std::move(text));
    return;
  }
  waiting_bytes_ += text->size();
  waiting_.push_back(Waiting{0, std::move(text)});
}

void Client::reply(std::string_view id_text, std::string_view result_text) {
  send(rpc::reply_text(result_text, id_text));
}

void Client::error(std::string_view id_text, std::string_view error_text) {
  send(rpc::error_text(error_text, id_text));
}

std::uint64_t Client::reserve() {
  waiting_.push_back(Waiting{++last_place_, nullptr});
  return last_place_;
}

void Client::settle(std::uint64_t place, std::string text) {
  if (!connection_) return;
  for (Waiting& waiting : waiting_) {
    if (waiting.place != place) continue;
    waiting.place = 0;
    waiting_bytes_ += text.size();
    waiting.text = std::make_shared<const std::string>(std::move(text));
    break;
  }
  while (!waiting_.empty() && waiting_.front().place == 0) {
    waiting_bytes_ -= waiting_.front().text->size();
    connection_->send(std::move(waiting_.front().text));
    waiting_.pop_front();
  }
}

void Client::finish() {
  if (!connection_) return;
  while (!waiting_.empty() && waiting_.front().place == 0) {
    connection_->send(std::move(waiting_.front().text));
    waiting_.pop_front();
  }
  requests_.clear();
  connection_->finish();
}

void Client::close(std::string_view reason) {
  if (connection_) connection_->close(reason);
}

void Client::abandon() {
  remove_monitors();
  probe_timer_.cancel();
  connection_ = nullptr;
}

std::size_t Client::backlog() const { return connection_ ? connection_->backlog() + waiting_bytes_ : 0; }

bool Client::overloaded() const { return backlog() > backlog_limit; }

bool Client::may_wait() const { return waits < max_waits && wait_bytes < max_wait_bytes; }

void Client::add_monitor(std::unique_ptr<ActiveMonitor> monitor) {
  monitor->hosted->join(*monitor);
  std::string id_text = monitor->id_text;
  monitors_.emplace(std::move(id_text), std::move(monitor));
}

void Client::remove_monitor(std::string_view id_text) {
  auto it = monitors_.find(id_text);
  OVS_CHECK(it != monitors_.end());
  it->second->hosted->leave(*it->second);
  monitors_.erase(it);
}

void Client::remove_monitors() {
  for (auto& [id_text, monitor] : monitors_) monitor->hosted->leave(*monitor);
  monitors_.clear();
  behind_.clear();
}

void Client::fall_behind(const Hosted& hosted, const Change& change) { behind_[&hosted].add(change); }

void Client::catch_up() {
  const auto behind = std::exchange(behind_, {});
  for (const auto& [hosted, merged] : behind) {
    const Change change = merged.merged();
    for (const auto& [id_text, monitor] : monitors_) {
      if (monitor->hosted != hosted) continue;
      const std::string updates = monitor->shape->shape.update(change);
      if (!updates.empty()) send(update_message(monitor->shape->shape.version(), id_text, change.id, updates));
    }
  }
}

void Client::drained() {
  if (overloaded()) return;
  catch_up();
  update_reading();
  if (!requests_.empty()) server_.schedule_requests();
}

// Requests are read while their answers have room and the earlier ones have had their turn.
void Client::update_reading() {
  const bool pause = overloaded() || !requests_.empty();
  if (!connection_ || pause == reading_paused_) return;
  reading_paused_ = pause;
  connection_->pause_reading(pause);
}

void Client::received(rpc::Message&& message) {
  probe_sent_ = false;
  if (message.kind == rpc::Message::Kind::reply || message.kind == rpc::Message::Kind::error) {
    const json::string* id = message.id.if_string();
    if (id && *id == "echo") return;  // a probe's
    static RateLimit limit;
    log.limited(limit, LogLevel::warn, "{}: received unexpected reply message", name_);
    close("unexpected reply message");
    return;
  }
  if (!requests_.empty() || overloaded() || !server_.has_time(*this)) {
    requests_.push_back(std::move(message));
    update_reading();
    server_.schedule_requests();
    return;
  }
  server_.handle(*this, std::move(message));
  if (overloaded()) update_reading();
}

void Client::run_requests() {
  const std::shared_ptr<Client> alive = shared_from_this();
  while (!requests_.empty() && connection_ && !overloaded() && server_.has_time(*this)) {
    rpc::Message message = std::move(requests_.front());
    requests_.pop_front();
    server_.handle(*this, std::move(message));
  }
  update_reading();
}

void Client::ended(const Error& error) {
  probe_timer_.cancel();
  const std::shared_ptr<Client> alive = shared_from_this();
  remove_monitors();
  requests_.clear();
  waiting_.clear();
  waiting_bytes_ = 0;
  server_.forget(*this);
  if (closed_) closed_(error);
  // Not from within its own handler.
  server_.loop().post([connection = std::shared_ptr<rpc::Connection>(std::move(connection_))] {});
}

void Client::start_probe_timer() {
  if (options_.probe_interval.count() <= 0) {
    probe_timer_.cancel();
    return;
  }
  probe_timer_.start(options_.probe_interval);
}

void Client::check_health() {
  if (!connection_) return;
  const runtime::Duration interval = options_.probe_interval;
  if (interval.count() <= 0) return;
  const runtime::TimePoint now = server_.loop().now();
  const runtime::TimePoint heard = connection_->last_received();
  if (heard > probe_at_) probe_sent_ = false;
  if (!probe_sent_) {
    if (now - heard < interval) {
      probe_timer_.start_at(heard + interval);
      return;
    }
    probe_sent_ = true;
    probe_at_ = now;
    // Not behind a reply that waits for the disk: the probe is about the connection alone.
    connection_->send_copy("{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}");
    backlog_at_probe_ = connection_->backlog();
    probe_timer_.start(interval);
    return;
  }
  // What the client takes, slowly perhaps, is a sign of life as well, and so is a pause of ours.
  const std::size_t backlog = connection_->backlog();
  if (backlog < backlog_at_probe_ || (reading_paused_ && backlog == 0)) {
    backlog_at_probe_ = backlog;
    probe_timer_.start(interval);
    return;
  }
  log.warn("{}: no response to inactivity probe after {:.1f} seconds, disconnecting{}", name_,
           static_cast<double>(interval.count()) / 1000,
           backlog > 0 ? fmt::format(" ({} bytes were not read)", backlog) : "");
  close("no response to inactivity probe");
}

}  // namespace ovs::dbserver
