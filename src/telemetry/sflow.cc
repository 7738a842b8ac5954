#include "telemetry/sflow.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "telemetry/local_address.h"

namespace ovs::telemetry {

namespace {

LogModule log{"sflow"};

// The number of the first bridge's agent among the physical entities, of which a host has fewer.
constexpr std::uint32_t first_entity = 1000;

void announce(const std::string& bridge, const IpAddress& agent, std::uint32_t number, const SflowConfig& config) {
  log.info("{}: sFlow agent {} (sub-agent {}) reports to {} collector(s)", bridge, to_text(agent), number,
           config.targets.size());
}

}  // namespace

Sflow::Sflow(runtime::Loop& loop, std::string bridge, std::uint32_t number, Hooks hooks)
    : loop_(loop),
      bridge_(std::move(bridge)),
      number_(number),
      hooks_(std::move(hooks)),
      timer_(loop, [this] { poll(); }),
      address_timer_(loop, [this] { check_address(); }) {}

Sflow::~Sflow() {
  if (active_) send_all();
  if (exporter_) log.info("{}: sFlow ends", bridge_);
}

void Sflow::configure(const SflowConfig& config) {
  if (exporter_ && config == config_) return;
  const bool other_targets = !exporter_ || config.targets != config_.targets;
  const bool other_agent = other_targets || config.agent != config_.agent;
  const bool other_header = config.header_bytes != config_.header_bytes;
  if (active_ && other_targets) send_all();
  config_ = config;
  schedule_.set_interval(config_.polling, loop_.now());
  if (other_targets) {
    exporter_ = std::make_unique<Exporter>(loop_, "sFlow of " + bridge_, config_.targets, [this] { check_address(); });
  }
  if (other_agent) {
    complained_ = false;
    const bool was_active = active_;
    const IpAddress before = address_;
    check_address();
    if (other_targets && was_active && active_ && address_ == before) announce(bridge_, address_, number_, config_);
  }
  // Beside another agent or other targets, too: the address may be the same.
  if (active_ && other_header) set_address(address_);
  plan();
}

Result<IpAddress> Sflow::find_address() const {
  if (!config_.agent.empty()) {
    Result<IpAddress> own = address_of_agent(config_.agent, LinkLocal::refused);
    if (own || !has_link_local_collector()) return own;
    return address_of_agent(config_.agent, LinkLocal::accepted);
  }
  Result<IpAddress> found{IpAddress()};
  for (const runtime::SocketAddress& collector : exporter_->addresses()) {
    found = address_towards(collector);
    if (found) break;
  }
  return found;
}

bool Sflow::has_link_local_collector() const {
  for (const runtime::SocketAddress& collector : exporter_->addresses()) {
    if (is_link_local(to_ip_address(collector.get()))) return true;
  }
  // Also while there is no way to it yet, and its device may not even be there.
  return std::ranges::any_of(config_.targets, [](const Target& target) {
    const auto numeric = runtime::numeric_address(target.host.substr(0, target.host.find('%')), target.port);
    return numeric && is_link_local(to_ip_address(numeric->get()));
  });
}

void Sflow::check_address() {
  address_timer_.start(address_check_interval);
  const Result<IpAddress> address = find_address();
  if (address && std::holds_alternative<std::monostate>(*address)) return;
  if (!address) {
    if (!std::exchange(complained_, true)) {
      log.warn("{}: no IP address for the sFlow agent: {} (will keep trying)", bridge_, address.error().message);
    }
    // Collectors would take the address that it had for somebody else's, or for nobody's.
    set_active(false);
    return;
  }
  complained_ = false;
  if (!active_ || *address != address_) set_address(*address);
}

void Sflow::set_address(const IpAddress& address) {
  const bool is_new = !active_ || address != address_;
  address_ = address;
  SflowSettings settings;
  settings.agent = address;
  settings.sub_agent = number_;
  settings.source = source();
  settings.header_bytes = std::min(config_.header_bytes, max_header_bytes);
  if (agent_) {
    agent_->configure(settings, loop_.now());
  } else {
    agent_.emplace(settings, loop_.now());
  }
  set_active(true);
  plan();
  // Last: from here on it is true.
  if (is_new) announce(bridge_, address, number_, config_);
}

void Sflow::set_active(bool active) {
  if (active == active_) return;
  if (active_) send_all();
  active_ = active;
  plan();
  hooks_.changed();
}

sflow::Source Sflow::source() const { return {sflow::Source::entity, first_entity + number_}; }

void Sflow::add_source(PollSchedule::Id id) {
  schedule_.add(id, loop_.now());
  plan();
}

void Sflow::remove_source(PollSchedule::Id id) {
  schedule_.remove(id);
  const auto reported = reported_.find(id);
  if (reported == reported_.end()) return;
  if (agent_) agent_->forget_source(reported->second);
  reported_.erase(reported);
}

void Sflow::add_sample(const SampledPacket& packet) {
  if (!active_) return;
  agent_->set_drops(hooks_.drops());
  agent_->add_sample(packet, loop_.now());
  send_due();
  plan();
}

void Sflow::poll() {
  if (!active_) return;
  for (PollSchedule::Id id : schedule_.take_due(loop_.now())) {
    auto report = hooks_.counters(id);
    if (!report) continue;
    sflow::Source& last = reported_.try_emplace(id, report->source).first->second;
    if (last != report->source) agent_->forget_source(std::exchange(last, report->source));
    agent_->add_counters(report->source, std::move(report->records), loop_.now());
  }
  send_due();
  plan();
}

void Sflow::send_due() {
  for (const auto& datagram : agent_->take_datagrams(loop_.now())) exporter_->send(datagram);
}

void Sflow::send_all() {
  for (const auto& datagram : agent_->take_all(loop_.now())) exporter_->send(datagram);
}

void Sflow::plan() {
  std::optional<TimePoint> at;
  if (active_) at = schedule_.next();
  if (auto flush = active_ ? agent_->next_flush() : std::nullopt; flush && (!at || *flush < *at)) at = flush;
  if (at) {
    timer_.start_at(*at);
  } else {
    timer_.cancel();
  }
}

}  // namespace ovs::telemetry
