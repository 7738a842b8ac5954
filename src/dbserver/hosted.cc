#include "dbserver/hosted.h"

#include <algorithm>

#include "base/check.h"
#include "dbserver/client.h"

namespace ovs::dbserver {

namespace {

constexpr std::size_t history_max_changes = 1000;
constexpr std::size_t history_max_bytes = std::size_t{8} << 20;

}  // namespace

WaitAccount::WaitAccount(std::shared_ptr<Client> client, std::size_t bytes)
    : client_(std::move(client)), bytes_(bytes) {
  client_->waits++;
  client_->wait_bytes += bytes_;
}

WaitAccount::~WaitAccount() {
  if (!client_) return;  // moved on
  client_->waits--;
  client_->wait_bytes -= bytes_;
}

Hosted::Hosted(std::unique_ptr<Database> d, std::unique_ptr<Storage> s)
    : database(std::move(d)), storage(std::move(s)), last_id_(Uuid::random()) {
  before_history_ = last_id_;
  schema_text_ = to_text(json::value(database->schema().to_json()));
}

Hosted::~Hosted() = default;

void Hosted::replace(std::unique_ptr<Database> with) {
  OVS_CHECK(monitors_ == 0);
  history_.clear();
  history_bytes_ = 0;
  before_history_ = last_id_ = Uuid::random();
  shapes_.clear();
  database = std::move(with);
  schema_text_ = to_text(json::value(database->schema().to_json()));
}

void Hosted::publish(const std::shared_ptr<const Change>& change) {
  for (auto it = shapes_.begin(); it != shapes_.end();) {
    const std::shared_ptr<SharedShape> shared = it->second.lock();
    if (!shared) {
      it = shapes_.erase(it);
      continue;
    }
    ++it;
    const std::string updates = shared->shape.update(*change);
    if (updates.empty()) continue;
    for (const auto& [id_text, monitors] : shared->members) {
      const auto message = std::make_shared<const std::string>(
          update_message(shared->shape.version(), id_text, change->id, updates));
      for (const ActiveMonitor* monitor : monitors) {
        if (!monitor->client->is_behind(*this)) monitor->client->send(message);
      }
    }
  }
  history_.push_back(change);
  history_bytes_ += change->bytes();
  last_id_ = change->id;
  while (history_.size() > history_max_changes || history_bytes_ > history_max_bytes) {
    history_bytes_ -= history_.front()->bytes();
    before_history_ = history_.front()->id;
    history_.pop_front();
  }
}

std::shared_ptr<SharedShape> Hosted::share(MonitorShape shape) {
  const auto known = shapes_.find(shape.key());
  if (known != shapes_.end()) {
    if (auto shared = known->second.lock()) return shared;
  }
  // Those whose monitors have ended would pile up in a database that never changes.
  std::erase_if(shapes_, [](const auto& entry) { return entry.second.expired(); });
  std::string key = shape.key();
  auto shared = std::make_shared<SharedShape>(SharedShape{std::move(shape), {}});
  shapes_.emplace(std::move(key), shared);
  return shared;
}

void Hosted::join(ActiveMonitor& monitor) {
  monitor.shape->members[monitor.id_text].push_back(&monitor);
  monitors_++;
}

void Hosted::leave(ActiveMonitor& monitor) {
  auto group = monitor.shape->members.find(monitor.id_text);
  std::erase(group->second, &monitor);
  if (group->second.empty()) monitor.shape->members.erase(group);
  monitors_--;
}

std::optional<Change> Hosted::since(const Uuid& id) const {
  if (id == last_id_) {
    Change nothing;
    nothing.id = id;
    return nothing;
  }
  auto it = history_.begin();
  if (!(id == before_history_)) {
    it = std::find_if(history_.begin(), history_.end(), [&](const auto& change) { return change->id == id; });
    if (it == history_.end()) return {};
    ++it;
  }
  MergedChange merged;
  for (; it != history_.end(); ++it) merged.add(**it);
  return merged.merged();
}

}  // namespace ovs::dbserver
