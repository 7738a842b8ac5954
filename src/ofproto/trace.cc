#include "ofproto/trace.h"

#include "base/check.h"

namespace ovs::ofproto {

void Trace::enter_bridge(const std::string& name) {
  const std::string title = "bridge(\"" + name + "\")";
  open_.push_back(blocks_.size());
  blocks_.push_back("\n" + title + "\n" + std::string(title.size(), '-') + "\n");
}

void Trace::leave_bridge() {
  OVS_CHECK(!open_.empty());
  open_.pop_back();
}

void Trace::line(std::string_view before, const std::string& text, std::string_view after) {
  OVS_CHECK(!open_.empty());
  std::string& block = blocks_[open_.back()];
  block += before;
  block += text;
  block += after;
  block += '\n';
}

void Trace::rule(const std::string& text) { line("", text); }
void Trace::action(const std::string& text) { line("    ", text); }
void Trace::detail(const std::string& text) { line("     -> ", text); }
void Trace::drop(const std::string& text) { line("     >> ", text); }
void Trace::fault(const std::string& text) { line("     >>>> ", text, " <<<<"); }

std::string Trace::text() const {
  std::string all;
  for (const std::string& block : blocks_) all += block;
  return all;
}

}  // namespace ovs::ofproto
