// Trace: what translation did and why, for ofproto/trace.
//
// One block for each bridge that the packet crossed, in the order in which it came there; a block has
// the rules that matched, below each its actions, below each of those what was decided.  A bridge that the packet
// comes back to after a patch port's peer continues its own block.
//
// Thread safety: one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ovs::ofproto {

class Trace {
 public:
  void enter_bridge(const std::string& name);
  void leave_bridge();
  void rule(const std::string& text);    // " 0. priority 0"
  void action(const std::string& text);  // "NORMAL"
  void detail(const std::string& text);  // "no learned MAC for destination, flooding": a decision
  void drop(const std::string& text);    // why nothing comes of it
  void fault(const std::string& text);   // what the operator may have to mend

  std::string text() const;  // all blocks, each with an empty line before it

 private:
  void line(std::string_view before, const std::string& text, std::string_view after = {});

  std::vector<std::string> blocks_;
  std::vector<std::size_t> open_;  // indexes of blocks; the last is where lines go
};

}  // namespace ovs::ofproto
