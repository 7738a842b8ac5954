#include "vswitchd/sflow_counters.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>
#include <string>
#include <system_error>

#include "vswitchd/model.h"

namespace ovs::vswitchd {

namespace sflow = telemetry::sflow;

namespace {

// Counters wrap on the wire at 32 bits.
std::uint32_t wrapped(const std::optional<std::uint64_t>& value) {
  return value ? static_cast<std::uint32_t>(*value) : sflow::unknown32;
}

std::uint32_t direction(netdev::Duplex duplex) {
  switch (duplex) {
    case netdev::Duplex::full: return sflow::InterfaceCounters::full_duplex;
    case netdev::Duplex::half: return sflow::InterfaceCounters::half_duplex;
    case netdev::Duplex::unknown: break;
  }
  return sflow::InterfaceCounters::unknown_duplex;
}

std::uint32_t milliseconds(const timeval& time) {
  return static_cast<std::uint32_t>(time.tv_sec * 1000 + time.tv_usec / 1000);
}

}  // namespace

std::vector<sflow::CounterRecord> port_counters(const CountedPort& port) {
  const netdev::State& state = port.state;
  const netdev::Statistics& s = port.statistics;
  sflow::InterfaceCounters i;
  i.index = state.ifindex;
  i.speed = state.speed;
  i.direction = direction(state.duplex);
  i.status = (state.admin_up ? sflow::InterfaceCounters::admin_up : 0) |
             (state.link_up ? sflow::InterfaceCounters::link_up : 0);
  i.in_octets = s.rx_bytes.value_or(sflow::unknown64);
  i.in_multicast = wrapped(s.multicast);
  // The kernel counts multicast packets among all others, sFlow beside them.
  const bool can_subtract = s.rx_packets && s.multicast && *s.multicast <= *s.rx_packets;
  i.in_unicast = can_subtract ? wrapped(*s.rx_packets - *s.multicast) : wrapped(s.rx_packets);
  i.in_discards = wrapped(s.rx_dropped);
  i.in_errors = wrapped(s.rx_errors);
  i.out_octets = s.tx_bytes.value_or(sflow::unknown64);
  i.out_unicast = wrapped(s.tx_packets);
  i.out_discards = wrapped(s.tx_dropped);
  i.out_errors = wrapped(s.tx_errors);

  sflow::EthernetCounters e;
  e.alignment_errors = wrapped(s.rx_frame_err);
  e.fcs_errors = wrapped(s.rx_crc_err);

  return {i, e, sflow::OpenflowPort{port.datapath_id, static_cast<std::uint32_t>(database_port(port.number))},
          sflow::PortName{port.name}};
}

sflow::VlanCounters vlan_counters(std::uint16_t vlan, const ofproto::VlanTraffic& traffic) {
  return {vlan,
          traffic.bytes,
          wrapped(traffic.unicast),
          wrapped(traffic.multicast),
          wrapped(traffic.broadcast),
          wrapped(traffic.dropped)};
}

void ProcessorLoad::observe(TimePoint now) {
  // "cpu user nice system idle iowait irq softirq steal guest guest_nice", the last two of which are among the first.
  std::ifstream file("/proc/stat");
  std::string word;
  std::array<std::uint64_t, 8> ticks{};
  if (!(file >> word) || word != "cpu") return;
  for (auto& t : ticks) file >> t;
  if (!file) return;
  const std::uint64_t all = std::accumulate(ticks.begin(), ticks.end(), std::uint64_t{0});
  constexpr std::size_t idle = 3, waiting = 4;
  observe(now, {all - ticks[idle] - ticks[waiting], all});
}

void ProcessorLoad::observe(TimePoint now, const Ticks& ticks) {
  constexpr std::chrono::seconds least_distance{1}, longest{300};
  if (!observations_.empty() && now - observations_.back().at < least_distance) return;
  observations_.push_back({now, ticks});
  // One that is older than the longest time is enough.
  while (observations_.size() > 1 && now - observations_[1].at >= longest) observations_.pop_front();
}

std::uint32_t ProcessorLoad::share(TimePoint now, std::chrono::seconds time) const {
  for (auto o = observations_.rbegin(); o != observations_.rend(); ++o) {
    if (now - o->at < time) continue;
    const Ticks &then = o->ticks, &latest = observations_.back().ticks;
    if (latest.all <= then.all || latest.busy < then.busy) break;
    return static_cast<std::uint32_t>((latest.busy - then.busy) * 10000 / (latest.all - then.all));
  }
  return sflow::unknown32;
}

sflow::Processor ProcessorLoad::report(TimePoint now) const {
  using namespace std::chrono_literals;
  sflow::Processor p{share(now, 5s), share(now, 1min), share(now, 5min)};
  struct sysinfo info{};
  if (::sysinfo(&info) == 0) {
    p.memory_total = std::uint64_t{info.totalram} * info.mem_unit;
    p.memory_free = std::uint64_t{info.freeram} * info.mem_unit;
  }
  return p;
}

sflow::LookUpCounters look_up_counters(const datapath::EngineStats& stats) {
  return {wrapped(stats.hit),      wrapped(stats.missed), wrapped(stats.lost),
          wrapped(stats.mask_hit), wrapped(stats.flows),  wrapped(stats.masks)};
}

sflow::ProcessResources process_resources() {
  sflow::ProcessResources r;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    r.user_ms = milliseconds(usage.ru_utime);
    r.system_ms = milliseconds(usage.ru_stime);
  }
  std::uint64_t pages = 0, resident = 0;
  if (std::ifstream("/proc/self/statm") >> pages >> resident) {
    r.memory_used = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) r.memory_max = limit.rlim_cur;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) r.files_max = static_cast<std::uint32_t>(limit.rlim_cur);
  std::error_code error;
  std::uint32_t files = 0;
  for (std::filesystem::directory_iterator i("/proc/self/fd", error), end; !error && i != end; i.increment(error)) {
    files++;
  }
  if (files > 0) r.files_open = files - 1;  // less the one that lists them
  return r;
}

}  // namespace ovs::vswitchd
