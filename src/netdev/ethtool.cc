#include "netdev/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace ovs::netdev {
namespace {

std::string text_of(const char* text, std::size_t size) { return {text, ::strnlen(text, size)}; }

}  // namespace

Ethtool::Ethtool() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

bool Ethtool::ask(const std::string& device, void* command) const {
  ifreq request{};
  const std::size_t n = std::min(device.size(), sizeof request.ifr_name - 1);
  std::memcpy(request.ifr_name, device.data(), n);
  request.ifr_data = static_cast<char*>(command);
  return ::ioctl(socket_.get(), SIOCETHTOOL, &request) == 0;
}

void Ethtool::read_speed(const std::string& device, State& state) const {
  state.speed = 0;
  state.duplex = Duplex::unknown;
  // Three bitmaps follow the fields, of a size that the kernel tells when it is asked with another one.
  constexpr std::size_t longest_bitmap = 127;
  alignas(ethtool_link_settings) char command[sizeof(ethtool_link_settings) + 3 * 4 * longest_bitmap] = {};
  auto* settings = reinterpret_cast<ethtool_link_settings*>(command);
  settings->cmd = ETHTOOL_GLINKSETTINGS;
  if (!ask(device, command) || settings->link_mode_masks_nwords >= 0) return;
  settings->cmd = ETHTOOL_GLINKSETTINGS;
  settings->link_mode_masks_nwords = static_cast<std::int8_t>(-settings->link_mode_masks_nwords);
  if (!ask(device, command)) return;
  if (settings->speed != static_cast<std::uint32_t>(SPEED_UNKNOWN))
    state.speed = std::uint64_t{settings->speed} * 1'000'000;
  if (settings->duplex == DUPLEX_FULL) state.duplex = Duplex::full;
  if (settings->duplex == DUPLEX_HALF) state.duplex = Duplex::half;
}

void Ethtool::read_driver(const std::string& device, State& state) const {
  ethtool_drvinfo command{};
  command.cmd = ETHTOOL_GDRVINFO;
  if (!ask(device, &command)) {
    state.driver.clear();
    state.driver_version.clear();
    state.firmware_version.clear();
    return;
  }
  state.driver = text_of(command.driver, sizeof command.driver);
  state.driver_version = text_of(command.version, sizeof command.version);
  state.firmware_version = text_of(command.fw_version, sizeof command.fw_version);
}

void Ethtool::clear_flag(const std::string& device, std::uint32_t flag) const {
  ethtool_value command{};
  command.cmd = ETHTOOL_GFLAGS;
  if (!ask(device, &command) || !(command.data & flag)) return;
  command.cmd = ETHTOOL_SFLAGS;
  command.data &= ~flag;
  ask(device, &command);
}

void Ethtool::disable_large_receive(const std::string& device) const { clear_flag(device, ETH_FLAG_LRO); }
void Ethtool::disable_vlan_stripping(const std::string& device) const { clear_flag(device, ETH_FLAG_RXVLAN); }

Ethtool::Channels Ethtool::channels(const std::string& device) const {
  Channels channels;
  ethtool_channels command{};
  command.cmd = ETHTOOL_GCHANNELS;
  if (ask(device, &command)) {
    channels.rx = std::max(1u, command.rx_count + command.combined_count);
    channels.tx = std::max(1u, command.tx_count + command.combined_count);
    channels.combined = command.combined_count != 0;
    return channels;
  }
  // Drivers that have no such command may have several queues all the same.
  const auto count = [&](const char* kind) {
    unsigned n = 0;
    const std::string first = "/sys/class/net/" + device + "/queues/" + kind + "-";
    while (::access((first + std::to_string(n)).c_str(), F_OK) == 0) ++n;
    return std::max(1u, n);
  };
  channels.rx = count("rx");
  channels.tx = count("tx");
  return channels;
}

}  // namespace ovs::netdev
