#include "conf/numbers.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "conf/settings.h"

namespace ovs::conf {

namespace {

constexpr std::int64_t any_u32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t year = 365 * 24 * 3600;  // seconds

constexpr NumberSetting all[] = {
    {Id::root, "other_config", "flow-limit", 0, any_u32},
    {Id::root, "other_config", "max-idle", 500, year * 1000},
    {Id::root, "other_config", "stats-update-interval", 5000, year * 1000},
    {Id::root, "other_config", "vlan-limit", 0, 2},
    {Id::bridge, "other_config", "mac-aging-time", 15, 3600},
    {Id::bridge, "other_config", "mac-table-size", 10, 1'000'000},
    {Id::sflow, "header", "", 0, 1024},
    {Id::sflow, "polling", "", 0, year},
    {Id::sflow, "sampling", "", 0, any_u32},
};

}  // namespace

std::span<const NumberSetting> number_settings() { return all; }

Result<void> check_number(Id kind, std::string_view column, std::string_view key, std::string_view value) {
  const auto known = std::ranges::find_if(all, [&](const NumberSetting& n) {
    return n.kind == kind && n.column == column && n.key == key;
  });
  if (known == std::end(all) || (key.empty() && value.empty())) return {};
  const auto number = parse_integer(value);
  if (number && *number >= known->least && *number <= known->most) return {};
  const std::string name = key.empty() ? std::string(column) : setting_name(column, key);
  return unexpected(fmt::format("{} cannot be \"{}\"; it is a number from {} to {}", name, value, known->least,
                                known->most));
}

}  // namespace ovs::conf
