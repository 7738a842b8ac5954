// Switch: the bridges that share one datapath, and the megaflows that their translation makes.
//
// What happens with a packet that the datapath does not know: handle_upcalls() takes it up,
// translate() (translate.h) says what the bridge's tables do with it, the side effects are applied
// (a MAC is learned), the actions executed, and a megaflow installed.  What translation depended on
// is remembered with the megaflow: when a port or bridge changes, all of that bridge's are
// translated again; when a MAC address is learned, moves or expires, those are that asked for it.
// revalidate() does so, and removes what has been idle, in slices, so that the main loop never waits for long.
//
// Bridges, ports and bundles are named by the ids that they are given here, never by pointers.
//
// Thread safety: one thread, the main one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/command.h"
#include "base/result.h"
#include "datapath/datapath.h"
#include "flow/match.h"
#include "ofproto/config.h"
#include "ofproto/ids.h"
#include "ofproto/vlan_traffic.h"
#include "openflow/port.h"
#include "telemetry/sflow_agent.h"

namespace ovs::netdev {
class Netdev;
}

namespace ovs::ofproto {

using datapath::TimePoint;

class Switch {
 public:
  // `engine` must outlive the switch.
  explicit Switch(datapath::Datapath& engine);
  ~Switch();
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

  // ---- configuration
  BridgeId add_bridge(const std::string& name, const BridgeConfig& config);
  void configure_bridge(BridgeId bridge, const BridgeConfig& config);
  void remove_bridge(BridgeId bridge);  // with its ports and bundles

  // The port's number is `wanted` if that is free, else the lowest free one; the device whose name is the
  // bridge's gets port_local.  `device` must live until remove_port() has returned.  EEXIST if the device is
  // already a port of a bridge.
  Result<openflow::OfPort> add_port(BridgeId bridge, netdev::Netdev& device,
                                    std::optional<openflow::OfPort> wanted);
  void remove_port(BridgeId bridge, openflow::OfPort port);
  // Its link went up or down, or it is another device than before (Netdev::generation()).
  void port_changed(BridgeId bridge, openflow::OfPort port);
  // The other end of a patch port's cable, by its device's name; empty: none.
  void set_patch_peer(BridgeId bridge, openflow::OfPort port, const std::string& peer);

  // Of the members, those that are ports of the bridge by now are in it.
  BundleId add_bundle(BridgeId bridge, const BundleConfig& config);
  void configure_bundle(BridgeId bridge, BundleId bundle, const BundleConfig& config);
  void remove_bundle(BridgeId bridge, BundleId bundle);
  void set_static_macs(BridgeId bridge, std::vector<StaticMac> macs);

  void set_flow_idle_time(std::chrono::milliseconds idle);  // other_config:max-idle, 10 s at first
  // Open_vSwitch.other_config:vlan-limit, 1 at first; 0: as many tags as there can be.
  void set_vlan_limit(unsigned tags);
  // Makes devices for dpctl/add-if, which is refused without.
  using DeviceMaker =
      std::function<Result<std::unique_ptr<netdev::Netdev>>(const std::string& name, const std::string& type)>;
  void set_device_maker(DeviceMaker maker);

  // Who gets the packets that were sampled for sFlow (BridgeConfig::sflow), in handle_upcalls().  What the
  // packet points to is there until the handler returns.
  using SampleHandler = std::function<void(BridgeId, const telemetry::SampledPacket&)>;
  void set_sample_handler(SampleHandler handler);
  // Whether a bridge samples: handle_upcalls() is to be called every tenth of a second then.
  bool samples() const;
  // What could have been samples, and samples that were lost, since the bridge samples.
  datapath::SamplerStats sample_statistics(BridgeId bridge) const;
  // Packets by VLAN, since the bridge samples.
  const std::map<std::uint16_t, VlanTraffic>& vlan_traffic(BridgeId bridge) const;

  // ---- work
  // Handles some of the upcalls that wait; true if there may be more.
  bool handle_upcalls(TimePoint now);
  // Does a slice of what is due, less than a millisecond; returns when there is more to do (`now`: at once).  To be
  // called at that time, and after everything else that was called here, which may have made work.
  TimePoint revalidate(TimePoint now);
  // Does all of it (revalidator/wait, and before an answer to fdb/show).
  void revalidate_all(TimePoint now);
  void purge_flows();  // revalidator/purge

  // ---- asking
  struct PortStatistics {
    std::uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
  };
  // What crossed a patch port: no device counts it.
  PortStatistics patch_statistics(BridgeId bridge, openflow::OfPort port) const;

  // fdb/show, fdb/flush, fdb/add, fdb/del, fdb/stats-show, fdb/stats-clear, dpif/show, dpif/dump-dps,
  // dpif/dump-flows, dpctl/show, dpctl/dump-dps, dpctl/dump-flows, dpctl/add-if, dpctl/del-if, ofproto/list, ofproto/trace,
  // bridge/dump-flows, upcall/show, revalidator/wait, revalidator/purge.  `now` tells the time when one runs.
  void add_commands(ControlTable& table, std::function<TimePoint()> now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs::ofproto
