// Megaflows: what the switch remembers of every megaflow that it has installed: from what it was
// translated, what its packets cause, and what it depends on.
//
// An index leads from each dependency (a bridge; a look-up of an address) to the list of the megaflows that
// have it.  invalidate() puts this list, as a whole and at once, to those from which next_invalid() hands
// out megaflows to be translated again, one by one: so a change costs what it touches, and only when
// there is time for it.
//
// The order of installation, for going through all of them in slices, is the order of rotate().
//
// Each port's are counted and listed, so that a port that fills the table makes room for the others (for_room()).
//
// Thread safety: one thread.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "datapath/datapath.h"
#include "ofproto/packed_match.h"
#include "ofproto/translate.h"

namespace ovs::ofproto {

class Megaflows;

// Links a megaflow into the list of one thing that it depends on, or of what is invalid.
struct Dependency
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  class Megaflow* flow;
  LookUp on;  // of a bridge as a whole: vlan is Megaflows::whole_bridge
};

class Megaflow {
 public:
  datapath::FlowId id;
  const datapath::DpPort port; // that its packets come in on
  PackedMatch match;           // and the first packet, as the datapath has them: in_port is its port
  std::uint64_t actions_hash;  // to see whether a new translation says something else

  // Of every packet, as of Translation.
  std::vector<Learn> learns;
  std::vector<Crossing> crossings;
  std::vector<RuleHit> rules;

  datapath::TimePoint installed;
  std::uint64_t packets = 0, bytes = 0;  // that were accounted for

 private:
  friend class Megaflows;
  Megaflow(datapath::FlowId which, const flow::FlowKey& packet, const flow::Mask& mask)
      : id(which), port(datapath::DpPort{packet.in_port.host()}), match(packet, mask) {}

  std::unique_ptr<Dependency[]> dependencies_;
  std::size_t dependency_count_ = 0;
  boost::intrusive::list_member_hook<> order_hook_, port_hook_;
};

class Megaflows {
 public:
  static constexpr std::uint16_t whole_bridge = 0xffff;

  // `hash_secret` keeps who invents addresses from choosing the buckets.
  explicit Megaflows(std::uint64_t hash_secret) : index_(0, LookUpHash{hash_secret}) {}
  ~Megaflows();
  Megaflows(const Megaflows&) = delete;
  Megaflows& operator=(const Megaflows&) = delete;

  // `translation` is the packet's.
  Megaflow& add(datapath::FlowId id, const flow::FlowKey& packet, const Translation& translation,
                datapath::TimePoint now);
  // Takes what another translation says of it; it is valid then.
  void update(Megaflow& flow, const Translation& translation);
  void remove(Megaflow& flow);

  void invalidate(BridgeId bridge);
  void invalidate(const LookUp& look_up);
  Megaflow* next_invalid();  // nullptr if all are valid
  bool has_invalid() const { return !invalid_.empty(); }

  // The one that was not rotated for longest, which goes to the end; nullptr if there are none.
  Megaflow* rotate();
  std::size_t size() const { return order_.size(); }
  template <class Visit>
  void each(const Visit& visit) const {
    for (const Megaflow& flow : order_) visit(flow);
  }

  // How many packets of this port have; how many ports have any.
  std::size_t count_of(datapath::DpPort port) const;
  std::size_t ports() const { return by_port_.size(); }
  // Of the port that has the most the one that was not rotated for longest: what may go so that `port` gets another one.
  // nullptr if no port has so many more that this would be fairer.
  Megaflow* for_room(datapath::DpPort port);

 private:
  struct LookUpHash {
    std::uint64_t secret;
    std::size_t operator()(const LookUp& look_up) const noexcept;
  };
  using DependencyList = boost::intrusive::list<Dependency, boost::intrusive::constant_time_size<false>>;

  void take(Megaflow& flow, const Translation& translation);
  void unlink(Megaflow& flow);

  using Order = boost::intrusive::list<
      Megaflow, boost::intrusive::member_hook<Megaflow, boost::intrusive::list_member_hook<>, &Megaflow::order_hook_>>;
  using PortOrder = boost::intrusive::list<
      Megaflow, boost::intrusive::member_hook<Megaflow, boost::intrusive::list_member_hook<>, &Megaflow::port_hook_>>;
  Order order_;
  std::unordered_map<datapath::DpPort, PortOrder> by_port_;  // in the same order
  DependencyList invalid_;
  std::unordered_map<LookUp, DependencyList, LookUpHash> index_;
};

}  // namespace ovs::ofproto
