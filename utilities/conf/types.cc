#include "conf/types.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace ovs::conf {

namespace {

constexpr std::string_view booleans[] = {"true", "false"};
constexpr std::string_view xdp_modes[] = {"best-effort", "native-with-zerocopy", "native", "generic"};
constexpr OptionKey afxdp_options[] = {
    {.name = "n_rxq", .least = 1, .most = 64},
    {.name = "use-need-wakeup", .words = booleans},
    {.name = "xdp-mode", .words = xdp_modes},
};
constexpr OptionKey patch_options[] = {{.name = "peer"}};

constexpr std::array types{
    InterfaceType{.name = "afxdp", .device = true, .has_options = true, .options = afxdp_options},
    InterfaceType{.name = "afxdp-nonpmd", .device = true, .has_options = true, .options = afxdp_options},
    InterfaceType{.name = "dummy", .for_tests = true},
    InterfaceType{.name = "dummy-internal", .for_tests = true},
    InterfaceType{.name = "internal", .device = true},
    InterfaceType{.name = "patch", .has_options = true, .options = patch_options},
    InterfaceType{.name = "system", .device = true},
    InterfaceType{.name = "tap", .device = true},
};
constexpr std::string_view datapaths[] = {"netdev", "system"};
constexpr std::string_view datapath_for_tests = "dummy";

std::string instead(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (const auto near = nearest(word, candidates)) return fmt::format("did you mean \"{}\"?", *near);
  return fmt::format("there are {}", fmt::join(candidates, ", "));
}

}  // namespace

std::span<const InterfaceType> interface_types() { return types; }
std::span<const std::string_view> datapath_types() { return datapaths; }

Result<void> check_option(std::string_view type, std::string_view key, std::string_view value) {
  const auto known = std::ranges::find(types, type, &InterfaceType::name);
  if (known == types.end() || !known->has_options) return {};
  const auto option = std::ranges::find(known->options, key, &OptionKey::name);
  if (option == known->options.end()) {
    std::vector<std::string_view> keys;
    for (const OptionKey& o : known->options) keys.push_back(o.name);
    return unexpected(fmt::format("an interface of type {} has no option \"{}\"; {}", type, key, instead(key, keys)));
  }
  if (!option->words.empty() && std::ranges::find(option->words, value) == option->words.end())
    return unexpected(fmt::format("options:{} cannot be \"{}\"; {}", key, value,
                                  instead(value, {option->words.begin(), option->words.end()})));
  if (option->least <= option->most) {
    const auto number = parse_integer(value);
    if (!number || *number < option->least || *number > option->most)
      return unexpected(fmt::format("options:{} cannot be \"{}\"; it is a number from {} to {}", key, value,
                                    option->least, option->most));
  }
  return {};
}

std::vector<Mistake> check_types(const std::vector<NamedType>& named, const MoreTypes& more) {
  std::vector<Mistake> mistakes;
  for (const NamedType& n : named) {
    if (n.name.empty()) continue;  // the default
    const bool interface = n.of == NamedType::Of::interface;
    std::vector<std::string_view> candidates;
    bool known = !interface && n.name == datapath_for_tests;
    if (interface) {
      for (const InterfaceType& t : types) {
        known = known || t.name == n.name;
        if (!t.for_tests) candidates.push_back(t.name);
      }
    } else {
      candidates.assign(std::begin(datapaths), std::end(datapaths));
    }
    for (const std::string& name : interface ? more.interfaces : more.datapaths) {
      const auto here = std::ranges::find(types, name, &InterfaceType::name);
      const bool for_tests = interface ? here != types.end() && here->for_tests : name == datapath_for_tests;
      if (!for_tests && std::ranges::find(candidates, name) == candidates.end()) candidates.push_back(name);
    }
    if (known || std::ranges::find(candidates, n.name) != candidates.end()) continue;
    mistakes.push_back({n.line, fmt::format("{0}: {1}={2}: the switch has no {1} \"{2}\"; {3}", n.variable,
                                            interface ? "type" : "datapath_type", n.name,
                                            instead(n.name, candidates))});
  }
  return mistakes;
}

}  // namespace ovs::conf
