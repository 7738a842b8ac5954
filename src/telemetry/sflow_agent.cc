#include "telemetry/sflow_agent.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/coverage.h"
#include "telemetry/sflow_codec.h"

namespace ovs::telemetry {

namespace {

Coverage datagrams_dropped{"sflow_datagram_dropped"};

constexpr std::uint32_t fcs_bytes = 4;
// A datagram's, without the agent's address.
constexpr std::size_t head_bytes = 4 + 4 + 4 * 4;
constexpr std::uint8_t protocol_udp = 17, protocol_gre = 47;

// What the packet's tunnel was, as far as its key has it.
template <class Tunnel, class Address>
void add_tunnel(const flow::FlowKey& key, const Address& src, const Address& dst,
                std::vector<sflow::FlowRecord>& records) {
  Tunnel t;
  // Of the protocols that tunnels here have, those with ports run over UDP.
  t.protocol = key.tun_tp_dst ? protocol_udp : protocol_gre;
  t.src = src;
  t.dst = dst;
  t.src_port = key.tun_tp_src.host();
  t.dst_port = key.tun_tp_dst.host();
  t.tos = key.tun_tos;
  records.emplace_back(t);
  records.emplace_back(sflow::TunnelVniIn{static_cast<std::uint32_t>(key.tun_id.host() & 0xffffff)});
}

void add_tunnel(const flow::FlowKey& key, std::vector<sflow::FlowRecord>& records) {
  if (key.tun_dst) {
    add_tunnel<sflow::Ipv4TunnelIn>(key, key.tun_src, key.tun_dst, records);
  } else if (key.tun_ipv6_dst != flow::Ipv6Addr{}) {
    add_tunnel<sflow::Ipv6TunnelIn>(key, key.tun_ipv6_src, key.tun_ipv6_dst, records);
  }
}

// A bridge leaves labels as they are.
void add_labels(const flow::FlowKey& key, std::vector<sflow::FlowRecord>& records) {
  constexpr std::uint32_t bottom_of_stack = 0x100;
  sflow::ExtendedMpls mpls;
  for (be32 label : key.mpls_lse) {
    if (!label) break;
    mpls.in_stack.push_back(label.host());
    if (label.host() & bottom_of_stack) break;
  }
  mpls.out_stack = mpls.in_stack;
  if (!mpls.in_stack.empty()) records.emplace_back(std::move(mpls));
}

}  // namespace

SflowAgent::SflowAgent(const SflowSettings& settings, TimePoint started) : settings_(settings), started_(started) {}

void SflowAgent::configure(const SflowSettings& settings, TimePoint now) {
  close_datagram(now);
  settings_ = settings;
}

void SflowAgent::set_drops(std::uint64_t drops) { drops_ = static_cast<std::uint32_t>(drops); }

void SflowAgent::add_sample(const SampledPacket& packet, TimePoint now) {
  sflow::FlowSample s;
  s.sequence = ++flow_sequence_;
  s.source = settings_.source;
  s.rate = packet.rate;
  // As of this packet: some collectors take the rate from what lies between two samples.
  s.pool = pool_ += packet.passed;
  s.drops = drops_;
  s.input = packet.input;
  s.output = packet.output;

  const std::size_t bytes = std::min({packet.frame.size(), settings_.header_bytes, max_header_bytes});
  sflow::SampledHeader header;
  header.frame_length = static_cast<std::uint32_t>(packet.frame_bytes) + fcs_bytes;
  header.stripped = fcs_bytes;
  header.header.assign(packet.frame.begin(), packet.frame.begin() + static_cast<std::ptrdiff_t>(bytes));
  s.records.emplace_back(std::move(header));
  s.records.emplace_back(packet.vlans);
  if (packet.key != nullptr) {
    if (packet.key->cold_parts & flow::cold_tunnel) add_tunnel(*packet.key, s.records);
    if (packet.key->cold_parts & flow::cold_mpls) add_labels(*packet.key, s.records);
  }
  append(std::move(s), now);
}

void SflowAgent::add_counters(const sflow::Source& source, std::vector<sflow::CounterRecord> records, TimePoint now) {
  append(sflow::CounterSample{++counter_sequences_[source], source, std::move(records)}, now);
}

void SflowAgent::append(const sflow::Sample& sample, TimePoint now) {
  scratch_.clear();
  sflow::encode_sample(sample, scratch_);
  const std::size_t head = head_bytes + (std::holds_alternative<be32>(settings_.agent) ? 4 : 16);
  if (head + samples_.size() + scratch_.size() > sflow::max_datagram_bytes) close_datagram(now);
  if (sample_count_ == 0) first_sample_ = now;
  samples_.insert(samples_.end(), scratch_.begin(), scratch_.end());
  sample_count_++;
}

void SflowAgent::close_datagram(TimePoint now) {
  if (sample_count_ == 0) return;
  sflow::Datagram head;
  head.agent = settings_.agent;
  head.sub_agent = settings_.sub_agent;
  head.sequence = ++datagram_sequence_;
  head.uptime = static_cast<std::uint32_t>((now - started_).count());
  std::vector<std::uint8_t> datagram;
  datagram.reserve(sflow::max_datagram_bytes);
  sflow::encode_head(head, datagram);
  sflow::set_sample_count(datagram, 0, sample_count_);
  datagram.insert(datagram.end(), samples_.begin(), samples_.end());
  samples_.clear();
  sample_count_ = 0;
  waiting_.push_back(std::move(datagram));
  if (waiting_.size() > max_waiting) {
    waiting_.pop_front();
    datagrams_dropped.add();
  }
}

std::optional<TimePoint> SflowAgent::next_flush() const {
  if (!waiting_.empty()) return TimePoint{};
  if (sample_count_ != 0) return first_sample_ + flush_delay;
  return {};
}

std::vector<std::vector<std::uint8_t>> SflowAgent::take_waiting() {
  std::vector<std::vector<std::uint8_t>> datagrams(std::make_move_iterator(waiting_.begin()),
                                                   std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  return datagrams;
}

std::vector<std::vector<std::uint8_t>> SflowAgent::take_datagrams(TimePoint now) {
  if (sample_count_ != 0 && now >= first_sample_ + flush_delay) close_datagram(now);
  return take_waiting();
}

std::vector<std::vector<std::uint8_t>> SflowAgent::take_all(TimePoint now) {
  close_datagram(now);
  return take_waiting();
}

}  // namespace ovs::telemetry
