#include "vswitchd/host_statistics.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "runtime/pidfile.h"

namespace ovs::vswitchd {

namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<std::uint64_t> number(std::string_view text) {
  const auto value = parse_integer(text);
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

// "\040" and its like, as /proc/mounts writes what would end a word.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// How long a process has run, in milliseconds.
std::uint64_t age(const ProcessStat& process, std::uint64_t ticks_per_second) {
  const std::string uptime = content_of("/proc/uptime");
  const auto up = static_cast<std::uint64_t>(std::strtod(uptime.c_str(), nullptr) * 1000);
  const std::uint64_t start = process.start_ticks * 1000 / ticks_per_second;
  return up > start ? up - start : 0;
}

std::optional<std::string> process_statistics(pid_t pid) {
  const auto process = parse_process_stat(content_of(fmt::format("/proc/{}/stat", pid)));
  if (!process) return std::nullopt;
  const auto ticks = static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_CLK_TCK)));
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  // Behind a process that --monitor restarts stands one of the same name.
  const auto parent = parse_process_stat(content_of(fmt::format("/proc/{}/stat", process->parent)));
  const bool is_monitored = parent && parent->name == process->name;
  constexpr int crashes = 0;  // that are known from outside
  return fmt::format("{},{},{},{},{},{}", process->virtual_bytes / 1024, process->resident_pages * page / 1024,
                     process->cpu_ticks * 1000 / ticks, crashes, age(is_monitored ? *parent : *process, ticks),
                     age(*process, ticks));
}

std::string file_system_statistics() {
  std::string out;
  std::set<dev_t> seen;
  const auto types = local_types(content_of("/proc/filesystems"));
  for (const std::string& mount : writable_mounts(content_of("/proc/mounts"), types)) {
    struct stat place;
    struct statvfs volume;
    if (::stat(mount.c_str(), &place) != 0 || !seen.insert(place.st_dev).second) continue;
    if (::statvfs(mount.c_str(), &volume) != 0 || volume.f_blocks == 0) continue;
    std::string name = mount;
    std::ranges::replace_if(name, [](char c) { return c == ' ' || c == ','; }, '_');
    out += fmt::format("{}{},{},{}", out.empty() ? "" : " ", name, volume.f_blocks * volume.f_frsize / 1024,
                       (volume.f_blocks - volume.f_bfree) * volume.f_frsize / 1024);
  }
  return out;
}

}  // namespace

std::optional<std::string> memory_statistics(std::string_view meminfo) {
  constexpr std::array<std::string_view, 6> names{"MemTotal", "MemFree", "Buffers", "Cached", "SwapTotal", "SwapFree"};
  std::array<std::optional<std::uint64_t>, names.size()> values;
  for (const std::string_view line : split(meminfo, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = std::ranges::find(names, line.substr(0, colon));
    const auto words = split_any(line.substr(colon + 1), " ");
    if (name == names.end() || words.empty()) continue;
    values[static_cast<std::size_t>(name - names.begin())] = number(words[0]);
  }
  if (!std::ranges::all_of(values, [](const auto& value) { return value.has_value(); })) return std::nullopt;
  const auto& [total, free, buffers, cached, swap, swap_free] = values;
  return fmt::format("{},{},{},{},{}", *total, *total - *free, *buffers + *cached, *swap, *swap - *swap_free);
}

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // The name is in parentheses, and may have some itself.
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  const auto words = split_any(text.substr(close + 1), " \n");
  // proc(5) counts from 1, and the state, the first word here, is field 3.
  const auto field = [&](std::size_t n) { return n - 3 < words.size() ? number(words[n - 3]) : std::nullopt; };
  const auto parent = field(4), user = field(14), system = field(15), start = field(22), size = field(23),
             resident = field(24);
  if (!parent || !user || !system || !start || !size || !resident) return std::nullopt;
  return ProcessStat{std::string(text.substr(open + 1, close - open - 1)), static_cast<int>(*parent), *user + *system,
                     *start, *size, *resident};
}

std::set<std::string, std::less<>> local_types(std::string_view filesystems) {
  // A container's root, which is on a device all the same.
  std::set<std::string, std::less<>> types{"overlay", "zfs"};
  for (const std::string_view line : split(filesystems, '\n'))
    if (!line.empty() && !line.starts_with("nodev")) types.emplace(trim(line));
  return types;
}

std::vector<std::string> writable_mounts(std::string_view mounts, const std::set<std::string, std::less<>>& types) {
  std::vector<std::string> found;
  for (const std::string_view line : split(mounts, '\n')) {
    const auto words = split_any(line, " ");
    if (words.size() < 4 || !types.contains(words[2])) continue;
    const auto options = split(words[3], ',');
    if (std::ranges::find(options, "rw") != options.end()) found.push_back(unescaped(words[1]));
  }
  return found;
}

std::map<std::string, std::string> host_statistics(const std::string& run_directory) {
  std::map<std::string, std::string> all;
  if (const long processors = sysconf(_SC_NPROCESSORS_ONLN); processors > 0) all["cpu"] = std::to_string(processors);
  if (double load[3]; ::getloadavg(load, 3) == 3)
    all["load_average"] = fmt::format("{:.2f},{:.2f},{:.2f}", load[0], load[1], load[2]);
  if (auto memory = memory_statistics(content_of("/proc/meminfo"))) all["memory"] = *std::move(memory);
  std::error_code failed;
  for (const auto& file : std::filesystem::directory_iterator(run_directory, failed)) {
    if (file.path().extension() != ".pid") continue;
    const std::string name = file.path().stem().string();
    const auto pid = runtime::read_pidfile(file.path().string());
    if (!pid) continue;
    if (auto process = process_statistics(*pid)) all["process_" + name] = *std::move(process);
  }
  if (std::string file_systems = file_system_statistics(); !file_systems.empty())
    all["file_systems"] = std::move(file_systems);
  return all;
}

}  // namespace ovs::vswitchd
