// Datapath: one forwarding engine behind one interface.
//
// An engine forwards what its ports receive by a table of megaflows: (key, mask) -> actions.  Masks
// are chosen by whoever installs a megaflow so that no two megaflows contradict each other.  A packet that none matches
// goes up, as an upcall, to whoever knows what to do; the answer is executed on the packet and
// installed for those that follow.
//
// Implementations: user_engine.h (our own threads), fake_datapath.h (for tests of those above);
// later the kernel's module and eBPF.  The interface is what all of them can do: numbers and values
// cross it, no pointer into an engine does.
//
// Upcalls wait in one queue for each port, each bounded; receive_upcalls() takes from them in turn, so
// that a port that floods loses its own upcalls and nobody else's.
//
// Thread safety: one thread, the main one.  Engines have threads of their own inside.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "datapath/action.h"
#include "flow/match.h"
#include "flow/packet.h"

namespace ovs::netdev {
class Netdev;
}

namespace ovs::datapath {

// Monotonic, in milliseconds; the caller's clock (runtime::Loop::now()), so that time/stop holds for flows too.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

// Names a megaflow for as long as it lives; never given again.
enum class FlowId : std::uint64_t {};

struct FlowStats {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::optional<TimePoint> used;  // empty: never
  std::uint16_t tcp_flags = 0;    // all that were seen, or-ed
};

struct Port {
  DpPort number;
  std::string name;
  std::string type;  // the netdev's
};

struct Upcall {
  enum class Kind : std::uint8_t { miss, action };
  Kind kind;
  flow::Packet packet;               // owned
  flow::FlowKey key;                 // in_port is the DpPort; of a sample, only that, and its tunnel and labels
  std::vector<std::uint8_t> cookie;  // of the action Userspace
  std::uint32_t whole_bytes = 0;     // size of the frame where `packet` is its beginning only; 0: it is whole
  SamplerId sampler = no_sampler;    // that took it
  // Of a sample: how many packets more could have been samples, this one included, than up to the last one that was
  // received of this sampler and thread, or up to settle_sampler().  The sum is exact as of the last sample.  It wraps
  // at 2^32.
  std::uint32_t passed = 0;
};

// Counters of the whole engine, for dpctl/show.
struct EngineStats {
  std::uint64_t hit = 0;     // packets that a megaflow matched
  std::uint64_t missed = 0;  // that went up
  std::uint64_t lost = 0;    // that could not go up: their port's queue was full
  std::uint64_t flows = 0;
  std::uint64_t mask_hit = 0;  // masks looked at, for all packets together
  std::uint64_t masks = 0;
  std::uint64_t cache_hit = 0;
};

// What a sampler has seen since it was added.
struct SamplerStats {
  std::uint64_t packets = 0;  // that could have been samples
  std::uint64_t lost = 0;     // samples that found no room on their way up
};

class Datapath {
 public:
  virtual ~Datapath() = default;

  virtual std::string_view type() const = 0;  // "system", "netdev", "dummy"
  virtual std::string_view name() const = 0;  // "ovs-system", "ovs-netdev", ...

  // `device` must live until remove_port() has returned.  Without `wanted` the lowest free number
  // above 0 is taken; EBUSY if `wanted` is taken.
  virtual Result<DpPort> add_port(netdev::Netdev& device, std::optional<DpPort> wanted) = 0;
  virtual Result<void> remove_port(DpPort port) = 0;
  virtual std::vector<Port> ports() const = 0;
  // The device has other descriptors than before (Netdev::generation()).
  virtual void port_changed(DpPort port) = 0;

  // EEXIST if there is a megaflow of the same key and mask, ENOSPC beyond flow_limit().
  virtual Result<FlowId> add_flow(const flow::Match& match, Actions actions) = 0;
  virtual Result<void> change_flow(FlowId flow, Actions actions) = 0;
  // Its last statistics.
  virtual Result<FlowStats> remove_flow(FlowId flow) = 0;
  virtual Result<FlowStats> flow_stats(FlowId flow) const = 0;
  struct FlowView {
    FlowId id;
    const flow::Match& match;
    const Actions& actions;
    FlowStats stats;
  };
  // Until `each` returns false.  `each` must not add or remove flows.
  virtual void dump_flows(const std::function<bool(const FlowView&)>& each) const = 0;
  virtual void flush_flows() = 0;
  virtual std::size_t flow_limit() const = 0;
  virtual void set_flow_limit(std::size_t limit) = 0;

  // Does `actions` to the packet at once.  `key` is the packet's, with in_port.
  virtual void execute(flow::Packet packet, const flow::FlowKey& key, const Actions& actions) = 0;
  // Treats the packet as received on `port`, wholly, before it returns; a miss waits as an upcall.
  virtual void inject(DpPort port, flow::Packet packet) = 0;

  // Readable while there is an upcall; -1 if the engine has none.
  virtual int upcall_descriptor() const = 0;
  // Moves up to `max` upcalls to the end of `out`; returns how many.
  virtual std::size_t receive_upcalls(std::vector<Upcall>& out, std::size_t max) = 0;

  // Samplers are what actions of the kind Sample name.  Their upcalls may wait for up to a tenth of a second before
  // upcall_descriptor() tells of them: who has samplers calls receive_upcalls() as often.  ENOSPC if
  // there are too many.
  virtual Result<SamplerId> add_sampler() = 0;
  virtual void remove_sampler(SamplerId sampler) = 0;
  virtual SamplerStats sampler_stats(SamplerId sampler) const = 0;
  // The first sample that is taken from now on counts all that has passed by now, also by threads that took no sample
  // for long: called when the probability becomes another one, so that this is not counted with later samples.
  virtual void settle_sampler(SamplerId sampler) = 0;

  virtual EngineStats stats() const = 0;
  // The engine's time for `used`; once a round of the main loop at least.
  virtual void set_now(TimePoint now) = 0;
};

}  // namespace ovs::datapath
