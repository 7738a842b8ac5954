#include "runtime/tls_options.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

namespace ovs::runtime {

namespace {

std::string file_name(std::string_view word) {
  if (word == "none" || word.starts_with("db:")) return std::string(word);
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(word, error);
  return error ? std::string(word) : absolute.string();
}

}  // namespace

OptionGroup tls_options(TlsSettings& settings) {
  OptionGroup group{tls_supported() ? "Options for TLS:" : "Options for TLS (refused: this build has no TLS):", {}};
  const auto add = [&](char short_name, std::string_view name, std::string_view argument, std::string_view help,
                       std::function<Result<void>(std::string_view)> apply) {
    group.options.push_back({short_name, name, ArgumentKind::required, argument, help,
                             [name, apply = std::move(apply)](std::optional<std::string_view> value) -> Result<void> {
                               if (!tls_supported()) return unexpected(fmt::format("--{}: {}", name, tls_is_absent));
                               if (value->empty()) return unexpected(fmt::format("--{}: the argument is empty", name));
                               return apply(*value);
                             }});
  };
  const auto file = [](std::string& target) {
    return [&target](std::string_view value) -> Result<void> {
      target = file_name(value);
      return {};
    };
  };
  const auto ca_cert = [&settings](bool bootstrap) {
    return [&settings, bootstrap](std::string_view value) -> Result<void> {
      if (!settings.ca_cert.empty() && settings.bootstrap != bootstrap) {
        return unexpected("--ca-cert and --bootstrap-ca-cert exclude each other");
      }
      settings.ca_cert = file_name(value);
      settings.bootstrap = bootstrap;
      return {};
    };
  };
  add('p', "private-key", "FILE", "this program's private key", file(settings.private_key));
  add('c', "certificate", "FILE", "this program's certificate", file(settings.certificate));
  add('C', "ca-cert", "FILE", "certificate of who signed the peer's certificate", ca_cert(false));
  add(0, "bootstrap-ca-cert", "FILE", "the same, taken from the first peer if FILE does not exist", ca_cert(true));
  add(0, "peer-ca-cert", "FILE", "certificate to send to the peer", file(settings.peer_ca_cert));
  add(0, "ssl-protocols", "PROTOCOLS", "versions of TLS to use", [&settings](std::string_view value) -> Result<void> {
    if (auto known = check_tls_protocols(value); !known) {
      return Unexpected{std::move(known).error().in("--ssl-protocols")};
    }
    settings.protocols = value;
    return {};
  });
  add(0, "ssl-ciphers", "CIPHERS", "ciphers of TLS 1.2 to use", [&settings](std::string_view value) -> Result<void> {
    settings.ciphers = value;
    return {};
  });
  return group;
}

}  // namespace ovs::runtime
