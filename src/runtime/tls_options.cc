#include "runtime/tls_options.h"

#include <fmt/format.h>

#include <string_view>

namespace ovs::runtime {

OptionGroup tls_options(std::vector<std::string>* ignored) {
  OptionGroup group{"Options for TLS (accepted, without effect: there are no connections by TLS yet):", {}};
  const auto accept = [&](char short_name, std::string_view name, std::string_view argument, std::string_view help) {
    group.options.push_back({short_name, name, ArgumentKind::required, argument, help,
                             [ignored, name](std::optional<std::string_view>) -> Result<void> {
                               if (ignored != nullptr)
                                 ignored->push_back(fmt::format("--{} has no effect: there is no TLS yet", name));
                               return {};
                             }});
  };
  accept('p', "private-key", "FILE", "this program's private key");
  accept('c', "certificate", "FILE", "this program's certificate");
  accept('C', "ca-cert", "FILE", "certificate of who signed the peer's certificate");
  accept(0, "bootstrap-ca-cert", "FILE", "the same, taken from the first peer if FILE does not exist");
  accept(0, "peer-ca-cert", "FILE", "certificate to send to the peer");
  accept(0, "ssl-protocols", "PROTOCOLS", "versions of TLS to use");
  accept(0, "ssl-ciphers", "CIPHERS", "ciphers to use");
  return group;
}

}  // namespace ovs::runtime
