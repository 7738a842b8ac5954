// BridgeWalk: one translation on its way through bridges; the inside of translate().
//
// `key_` is the packet as the present bridge sees it; `base_` are the tags that the packet has at this
// point of the datapath's actions.  Tags are pushed and popped when a packet really leaves through a
// port, and only as far as they differ from what is there.
//
// Thread safety: one thread, one translation.
#pragma once

#include <fmt/core.h>

#include <string>
#include <vector>

#include "ofproto/translate.h"
#include "ofproto/vlan.h"

namespace ovs::ofproto {

class BridgeWalk {
 public:
  BridgeWalk(const TranslationRequest& request, Translation& result);

  void enter(const Bridge& bridge, openflow::OfPort in_port);

  // Around entering the first bridge, whose sFlow is the one that counts; in sflow_sampling.cc.
  void begin_sample(const Bridge& bridge, openflow::OfPort in_port);
  void end_sample();
  void drop_all();  // but the sample

 private:
  // The rule that the packet hits; nullptr: none.
  const Rule* look_up_rule(const Bridge& bridge);
  void do_output(const Bridge& bridge, openflow::OfPort in_port, openflow::OfPort port);
  void send(const Port& port);
  void commit_tags();

  // ---- action NORMAL, in normal.cc
  // Where the frame goes out, with which tags.
  struct Exit {
    const Port* port;
    Tags tags;
    std::size_t group;  // that it leaves with
  };
  void normal(const Bridge& bridge, openflow::OfPort in_port);
  // Whether a tag follows behind those that are looked at, or its beginning: the VLAN is unknown then.
  bool has_partial_tag();
  void learn(const Bridge& bridge, const Bundle& from, std::uint16_t vlan);
  // The bundle behind which the destination is; no_bundle if that is not known.
  BundleId look_up(const Bridge& bridge, std::uint16_t vlan);
  void add_exit(const Bridge& bridge, const Bundle& to, const Bundle* from, const VlanStack& stack,
                std::vector<Exit>& exits);
  void leave(std::vector<Exit>& exits);

  void explain(const std::string& text);
  void explain_drop(const std::string& text);
  void explain_fault(const std::string& text);
  template <class... A>
  void fail(TranslationError error, fmt::format_string<A...> text, A&&... arguments);

  const Topology& topology_;
  const bool learning_;
  Trace* const trace_;
  Translation& out_;
  flow::FlowKey key_;
  Tags base_;
  flow::VlanTag outer_;     // of the packet as it came in
  bool hides_tag_ = false;  // there is one beyond the limit
  unsigned depth_ = 0;
  unsigned entered_ = 0;

  // ---- for sFlow
  void note_output(const Port& port);
  const Bridge* sampling_ = nullptr;
  VlanLevel vlan_;  // that the present bridge switches the packet in
  VlanLevel received_vlan_, sent_vlan_;
  std::uint32_t outputs_ = 0;
  unsigned output_ifindex_ = 0;
};

}  // namespace ovs::ofproto
