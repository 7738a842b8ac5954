#include "vswitchd/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>

#include "base/text.h"

namespace ovs::vswitchd {

namespace {

using ofproto::PriorityTags;
using ofproto::VlanMode;
using ofproto::VlanSet;

VlanSet vlan_set(const std::vector<std::int64_t>& vlans) {
  VlanSet set;
  for (const std::int64_t vlan : vlans)
    if (vlan >= 0 && vlan < 4096) set.set(static_cast<std::size_t>(vlan));
  return set;
}

const std::string* find(const StringMap& map, const std::string& key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

// The mode that is meant, which is not always the one that is written.
VlanMode vlan_mode(const PortColumns& columns, Complaints& complaints) {
  if (!columns.vlan_mode) return columns.tag ? VlanMode::access : VlanMode::trunk;
  const std::string& text = *columns.vlan_mode;
  if (text == "trunk") return VlanMode::trunk;
  if (text == "access") return VlanMode::access;
  if (text == "native-tagged") return VlanMode::native_tagged;
  if (text == "native-untagged") return VlanMode::native_untagged;
  if (text == "dot1q-tunnel") return VlanMode::dot1q_tunnel;
  complaints.push_back(fmt::format("vlan_mode {} is not known: trunk is used", text));
  return VlanMode::trunk;
}

PriorityTags priority_tags(const StringMap& other_config, Complaints& complaints) {
  const std::string* text = find(other_config, "priority-tags");
  if (!text || *text == "never" || *text == "no" || *text == "false") return PriorityTags::no;
  // "true" is what the key took when it was a boolean.
  if (*text == "if-nonzero" || *text == "true") return PriorityTags::if_nonzero;
  if (*text == "always") return PriorityTags::always;
  complaints.push_back(fmt::format(
      "other_config:priority-tags={} is none of never, if-nonzero and always: never is used", *text));
  return PriorityTags::no;
}

}  // namespace

bool get_bool(const StringMap& map, const std::string& key, bool otherwise) {
  const std::string* text = find(map, key);
  if (!text) return otherwise;
  return otherwise ? *text != "false" : *text == "true";
}

std::int64_t get_number(const StringMap& other_config, const std::string& key, std::int64_t otherwise,
                        std::int64_t least, std::int64_t most, Complaints& complaints) {
  const std::string* text = find(other_config, key);
  if (!text) return otherwise;
  const auto value = parse_integer(*text);
  if (!value) {
    complaints.push_back(fmt::format("other_config:{}={} is no number: {} is used", key, *text, otherwise));
    return otherwise;
  }
  const std::int64_t used = std::clamp(*value, least, most);
  if (used != *value)
    complaints.push_back(fmt::format("other_config:{}={} is not from {} to {}: {} is used", key, *value, least, most,
                                     used));
  return used;
}

ofproto::BundleConfig bundle_config(const PortColumns& columns, Complaints& complaints) {
  ofproto::BundleConfig config;
  config.vlan_mode = vlan_mode(columns, complaints);
  if (columns.tag && *columns.tag >= 0 && *columns.tag < 4096)
    config.vlan = static_cast<std::uint16_t>(*columns.tag);
  config.trunks.set();
  config.cvlans.set();

  if (config.vlan_mode == VlanMode::trunk) {
    config.vlan = 0;
    if (columns.tag) complaints.push_back("a trunk has no tag: it is ignored");
  } else if (!columns.tag) {
    complaints.push_back(fmt::format("vlan_mode {} without a tag: VLAN 0 is used", *columns.vlan_mode));
  }

  const bool trunks_count = config.vlan_mode != VlanMode::access && config.vlan_mode != VlanMode::dot1q_tunnel;
  if (!columns.trunks.empty()) {
    if (trunks_count)
      config.trunks = vlan_set(columns.trunks);
    else
      complaints.push_back(fmt::format("trunks are ignored: the port carries VLAN {} alone", config.vlan));
  }
  // A native VLAN is always carried.
  if (config.vlan_mode == VlanMode::native_tagged || config.vlan_mode == VlanMode::native_untagged)
    config.trunks.set(config.vlan);

  if (config.vlan_mode == VlanMode::dot1q_tunnel) {
    if (!columns.cvlans.empty()) config.cvlans = vlan_set(columns.cvlans);
    if (const std::string* type = find(columns.other_config, "qinq-ethtype")) {
      if (*type == "802.1q")
        config.qinq_ethertype = be16::from_host(0x8100);
      else if (*type != "802.1ad")
        complaints.push_back(
            fmt::format("other_config:qinq-ethtype={} is neither 802.1ad nor 802.1q: 802.1ad is used", *type));
    }
  }
  config.priority_tags = priority_tags(columns.other_config, complaints);
  config.is_protected = columns.is_protected;
  return config;
}

ofproto::BridgeConfig bridge_config(const BridgeColumns& columns, Complaints& complaints) {
  ofproto::BridgeConfig config;
  if (columns.fail_mode == "secure") config.fail_mode = ofproto::FailMode::secure;
  config.has_controller = columns.has_controller;
  config.forward_bpdu = get_bool(columns.other_config, "forward-bpdu", false);
  config.flood_vlans = vlan_set(columns.flood_vlans);

  const auto number = [&](const char* key, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
    return get_number(columns.other_config, key, otherwise, least, most, complaints);
  };
  // The bounds are those of ovs-vswitchd.conf.db(5) and of the field's switch.
  config.mac_aging_time = std::chrono::seconds(number("mac-aging-time", 300, 15, 3600));
  config.mac_table_size = static_cast<std::size_t>(number("mac-table-size", 8192, 10, 1'000'000));
  return config;
}

std::optional<telemetry::SflowConfig> sflow_config(const SflowColumns& columns, Complaints& complaints) {
  telemetry::SflowConfig config;
  for (const std::string& text : columns.targets) {
    auto target = telemetry::parse_target(text, telemetry::sflow::default_port);
    if (target)
      config.targets.push_back(*std::move(target));
    else
      complaints.push_back(fmt::format("sFlow target {}: it is left out", target.error().message));
  }
  if (config.targets.empty()) {
    complaints.push_back("sFlow has no target that can be used: nothing is exported");
    return std::nullopt;
  }
  config.agent = columns.agent.value_or("");

  const auto number = [&](const char* name, const std::optional<std::int64_t>& value, auto otherwise,
                          std::int64_t most) -> std::int64_t {
    const auto usual = static_cast<std::int64_t>(otherwise);
    if (!value) return usual;
    const std::int64_t used = *value < 0 ? usual : std::min(*value, most);
    if (used != *value)
      complaints.push_back(fmt::format("sFlow {}={} is not from 0 to {}: {} is used", name, *value, most, used));
    return used;
  };
  constexpr std::int64_t year = 365 * 24 * 3600;
  config.sampling = static_cast<std::uint32_t>(
      number("sampling", columns.sampling, config.sampling, std::numeric_limits<std::uint32_t>::max()));
  config.header_bytes = static_cast<std::size_t>(
      number("header", columns.header, config.header_bytes, std::int64_t{telemetry::max_header_bytes}));
  config.polling = std::chrono::seconds(number("polling", columns.polling, config.polling.count(), year));
  return config;
}

std::optional<std::uint64_t> parse_datapath_id(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    if (text.empty() || text.size() > 16) return std::nullopt;
  } else if (text.size() != 16) {
    return std::nullopt;
  }
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc() || end != text.data() + text.size() || id == 0) return std::nullopt;
  return id;
}

std::string format_datapath_id(std::uint64_t id) { return fmt::format("{:016x}", id); }

std::uint64_t datapath_id_of(const flow::EthAddr& mac) {
  std::uint64_t id = 0;
  for (const std::uint8_t byte : mac.bytes) id = id << 8 | byte;
  return id;
}

bool is_multicast(const flow::EthAddr& mac) { return mac.bytes[0] & 1; }

bool is_lendable(const flow::EthAddr& mac) {
  return !is_multicast(mac) && !(mac.bytes[0] & 2) && mac != flow::EthAddr{};
}

flow::EthAddr mac_of_bridge(const Uuid& id) {
  // A random UUID's last six bytes are random.
  flow::EthAddr mac;
  std::ranges::copy(std::span(id.bytes).last<6>(), mac.bytes.begin());
  mac.bytes[0] = static_cast<std::uint8_t>((mac.bytes[0] & 0xfc) | 0x02);
  return mac;
}

std::string device_name_error(std::string_view name) {
  // IFNAMSIZ, less the final zero.
  constexpr std::size_t longest = 15;
  if (name.empty()) return "the name is empty";
  if (name.size() > longest)
    return fmt::format("the name has {} bytes, at most {} are possible", name.size(), longest);
  if (name == "." || name == ".." || name.find_first_of("/: \t\n\v\f\r") != std::string_view::npos)
    return "no network device can have this name";
  return {};
}

}  // namespace ovs::vswitchd
