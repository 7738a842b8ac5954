#include "netdev/registry.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include "base/text.h"
#include "netdev/afxdp_kind.h"
#include "netdev/dummy.h"
#include "netdev/kernel_device.h"
#include "netdev/patch.h"
#include "netdev/system.h"
#include "netdev/tap.h"

namespace ovs::netdev {
namespace {

using Made = Result<std::unique_ptr<Netdev>>;

// A locally administered unicast address.
flow::EthAddr random_mac() {
  static std::mt19937_64 random{std::random_device{}()};
  const std::uint64_t bits = random();
  flow::EthAddr mac;
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) mac.bytes[i] = static_cast<std::uint8_t>(bits >> (8 * i));
  mac.bytes[0] = static_cast<std::uint8_t>((mac.bytes[0] & 0xfc) | 0x02);
  return mac;
}

// What the kernel takes as an interface's name (dev_valid_name()).
Result<void> check_name(const std::string& name) {
  if (name.size() >= IFNAMSIZ)
    return unexpected("the name is too long: network devices have names of at most " +
                          std::to_string(IFNAMSIZ - 1) + " bytes",
                      ENAMETOOLONG);
  const bool bad = name.empty() || name == "." || name == ".." ||
                   name.find_first_of(std::string_view("/: \t\n\v\f\r\0", 9)) != std::string::npos;
  if (bad) return unexpected("no network device can have this name", EINVAL);
  return {};
}

template <class Device>
Made started(std::unique_ptr<Device> device) {
  OVS_TRY_DO(check_name(device->name()));
  OVS_TRY_DO(device->start());
  return Made(std::move(device));
}

}  // namespace

struct Registry::Impl {
  Settings settings;
  std::unique_ptr<LinkTable> links;
  unsigned dummies = 0;

  Made make_afxdp(const std::string& name, const Options& options) {
    OVS_TRY(auto device, netdev::make_afxdp(name, *links, options));
    return started(std::move(device));
  }
  Made make_system(const std::string& name, const Options&) { return started(std::make_unique<System>(name, *links)); }
  Made make_internal(const std::string& name, const Options&) {
    return started(std::make_unique<Tap>(name, "internal", *links));
  }
  Made make_tap(const std::string& name, const Options&) { return started(std::make_unique<Tap>(name, "tap", *links)); }
  Made make_patch(const std::string& name, const Options&) { return std::make_unique<Patch>(name, random_mac()); }
  Made make_dummy(const std::string& name, std::string type) {
    const unsigned n = dummies++;
    const flow::EthAddr mac{{0xaa, 0x55, 0xaa, 0x55, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}};
    return std::make_unique<Dummy>(name, std::move(type), mac);
  }
  Made make_plain_dummy(const std::string& name, const Options&) { return make_dummy(name, "dummy"); }
  Made make_internal_dummy(const std::string& name, const Options&) { return make_dummy(name, "dummy-internal"); }

  bool is_dummy(std::string_view type) const {
    // A cable between bridges has no device to be replaced.
    return settings.dummies == DummyMode::override_all ? type != "patch"
                                                       : settings.dummies == DummyMode::system && type == "system";
  }
};

namespace {

struct Kind {
  std::string_view type;
  Made (Registry::Impl::*make)(const std::string& name, const Options& options);
  bool for_tests;  // only with --enable-dummy
};

// Sorted, as types() promises.
constexpr std::array kinds{
    Kind{"afxdp", &Registry::Impl::make_afxdp, false},
    // Elsewhere, forwarding threads poll their devices, except those of this type.  Ours sleep when there is nothing to do.
    Kind{"afxdp-nonpmd", &Registry::Impl::make_afxdp, false},
    Kind{"dummy", &Registry::Impl::make_plain_dummy, true},
    Kind{"dummy-internal", &Registry::Impl::make_internal_dummy, true},
    Kind{"internal", &Registry::Impl::make_internal, false},
    Kind{"patch", &Registry::Impl::make_patch, false},
    Kind{"system", &Registry::Impl::make_system, false},
    Kind{"tap", &Registry::Impl::make_tap, false},
};

}  // namespace

Registry::Registry(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registry::~Registry() = default;

Result<std::unique_ptr<Registry>> Registry::open(Settings settings) {
  auto impl = std::make_unique<Impl>();
  OVS_TRY(impl->links, LinkTable::open(settings.owner));
  impl->settings = std::move(settings);
  return std::unique_ptr<Registry>(new Registry(std::move(impl)));
}

std::vector<std::string> Registry::types() const {
  std::vector<std::string> types;
  for (const Kind& kind : kinds) {
    if (kind.make == &Registry::Impl::make_afxdp && !has_afxdp()) continue;
    if (!kind.for_tests || impl_->settings.dummies != DummyMode::off) types.emplace_back(kind.type);
  }
  return types;
}

Result<std::unique_ptr<Netdev>> Registry::create(const std::string& name, std::string_view type,
                                                 const Options& options) {
  if (type.empty()) type = "system";
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.type == type; });
  const auto refuse = [&](const Error& why) {
    return unexpected("could not open network device " + name + " (" + why.message + ")", why.code);
  };
  if (kind == kinds.end() || (kind->for_tests && impl_->settings.dummies == DummyMode::off))
    return refuse({"unknown type \"" + std::string(type) + "\"; there are " + join(types(), ", "), EAFNOSUPPORT});
  auto made = impl_->is_dummy(type)
                  ? impl_->make_dummy(name, type == "internal" ? "dummy-internal" : std::string(type))
                  : (impl_.get()->*kind->make)(name, options);
  if (!made) return refuse(made.error());
  if (auto set = (*made)->set_options(options); !set) return refuse(set.error());
  return made;
}

int Registry::event_descriptor() const { return impl_->links->descriptor(); }
std::vector<std::string> Registry::process_events() { return impl_->links->process_events(); }
bool Registry::is_settling() const { return impl_->links->is_settling(); }
Result<std::map<std::string, Statistics>> Registry::all_statistics() const { return impl_->links->all_statistics(); }
void Registry::remove_leftovers(const std::function<bool(const std::string&)>& wanted) {
  impl_->links->remove_leftovers(wanted);
}

}  // namespace ovs::netdev
