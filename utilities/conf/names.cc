// Names and addresses that a file holds.
#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "conf/declared.h"
#include "runtime/address.h"
#include "typographic.h"

namespace ovs::conf {

namespace {

constexpr std::string_view methods[] = {"tcp", "unix", "ssl", "ptcp", "punix", "pssl"};
constexpr std::uint16_t some_port = 6653;
constexpr std::uint16_t sflow_port = 6343;
constexpr std::size_t longest_device_name = IFNAMSIZ - 1;

}  // namespace

std::string in_one_line(std::string_view name) {
  const bool plain = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return c > ' ' && c != 0x7f && c != '"' && c != '\\';
  });
  if (plain) return std::string(name);
  std::string out;
  append_json_string(out, name);
  return out;
}

std::string as_variable(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!fits) c = '_';
  }
  return out;
}

Result<void> check_name(std::string_view name) {
  if (name.empty()) return unexpected("an empty name");
  if (auto complaint = utilities::typographic_complaint(name)) return unexpected(std::move(*complaint));
  for (unsigned char c : name) {
    if (c == '/') return unexpected(fmt::format("\"{}\" cannot be a name: it has a \"/\"", name));
    if (c <= ' ' || c >= 0x7f || std::string_view("\"'\\[]{}").find(static_cast<char>(c)) != std::string_view::npos)
      return unexpected(fmt::format("\"{}\" cannot be a name: take letters, digits and \"-_.\"", name));
  }
  if (const auto equals = name.find('='); equals != std::string_view::npos)
    return unexpected(fmt::format("\"{}\" is a setting where names are expected: settings of a port or bridge have "
                                  "variables of their own (ovs_port_NAME, ovs_bridge_NAME)",
                                  name));
  if (name == "." || name == "..") return unexpected(fmt::format("\"{}\" cannot be a name", name));
  // In an ovs-vsctl command it would be an option, and "--" the end of the command.
  if (name.front() == '-') return unexpected(fmt::format("\"{}\" cannot be a name: it begins with \"-\"", name));
  return {};
}

Result<void> check_device_name(std::string_view name) {
  OVS_TRY_DO(check_name(name));
  if (name.find_first_of(",;") != std::string_view::npos)
    return unexpected(fmt::format("\"{}\" cannot be a device: names are separated by spaces", name));
  if (name.find_first_of("*?") != std::string_view::npos)
    return unexpected(fmt::format("\"{}\" cannot be a device: a pattern is not expanded here, or no device matched it; "
                                  "write $(cd /sys/class/net && ls -d {} 2>/dev/null)",
                                  name, name));
  if (name.find(':') != std::string_view::npos)
    return unexpected(fmt::format("\"{}\" cannot be a device: it has a \":\"", name));
  if (name.size() > longest_device_name)
    return unexpected(fmt::format("\"{}\" cannot be a device: it has {} characters, and may have {}", name, name.size(),
                                  longest_device_name));
  return {};
}

bool is_device_type(std::string_view type) {
  return type.empty() || std::ranges::any_of(interface_types(), [&](const InterfaceType& t) {
    return t.device && t.name == type;
  });
}

Result<void> check_connection(std::string_view target) {
  const auto colon = target.find(':');
  const std::string_view method = target.substr(0, std::min(colon, target.size()));
  if (colon == std::string_view::npos || std::ranges::find(methods, method) == std::end(methods)) {
    if (colon != std::string_view::npos)
      if (auto near = nearest(method, methods))
        return unexpected(fmt::format("{}: there is no \"{}:\"; did you mean \"{}:\"?", target, method, *near));
    return unexpected(fmt::format("{}: write tcp:HOST:PORT, ssl:HOST:PORT, unix:FILE, or ptcp:, pssl:, punix: to be "
                                  "connected to",
                                  target));
  }
  std::string_view rest = target.substr(colon + 1);
  // TLS is a matter of the programs that connect; here it is the address that counts.
  std::string plain(target);
  if (method == "ssl") plain = "tcp:" + std::string(rest);
  if (method == "pssl") plain = "ptcp:" + std::string(rest);
  const bool passive = method.starts_with('p');
  auto endpoint = passive ? runtime::parse_passive(plain, some_port) : runtime::parse_active(plain, some_port);
  if (!endpoint) return unexpected(endpoint.error().message);
  if (endpoint->host.starts_with('-')) return unexpected(fmt::format("{}: \"{}\" is not a host", target, endpoint->host));
  return {};
}

namespace {

// As the switch reads them, which a unit test holds this against: the port may be missing.  But "10.0.0" is a mistake
// here, and not short for 10.0.0.0.
Result<void> check_sflow_target(std::string_view target) {
  auto wrong = [&](std::string_view why) {
    return unexpected(fmt::format("{}: {}: write HOST or HOST:PORT, such as 192.0.2.1 or [2001:db8::1]:6343",
                                  in_one_line(target), why));
  };
  if (target.empty()) return wrong("the host is missing");
  if (target.find(',') != std::string_view::npos) return wrong("there is a comma in it");
  constexpr std::string_view method = "tcp:";
  const std::string name = fmt::format("{}{}", method, target);
  const auto endpoint = runtime::parse_active(name, sflow_port);
  if (!endpoint) {
    const std::string_view reason = endpoint.error().message;
    return wrong(reason.starts_with(name + ": ") ? reason.substr(name.size() + 2) : reason);
  }
  const bool digits = endpoint->host.find('.') != std::string::npos &&
      endpoint->host.find_first_not_of("0123456789.") == std::string::npos;
  in_addr address;
  if (digits && ::inet_pton(AF_INET, endpoint->host.c_str(), &address) != 1)
    return wrong(fmt::format("\"{}\" is no address", endpoint->host));
  return {};
}

}  // namespace

Result<void> check_collector(Id id, std::string_view target) {
  if (id == Id::sflow) return check_sflow_target(target);
  auto wrong = [&](std::string_view why) {
    return unexpected(fmt::format("{}: {}: write HOST:PORT, such as 192.0.2.1:6343 or [2001:db8::1]:6343", target,
                                  why));
  };
  const auto colon = target.rfind(':');
  if (colon == std::string_view::npos || target.ends_with(']')) return wrong("the port is missing");
  const std::string_view host = target.substr(0, colon);
  const auto port = parse_integer(target.substr(colon + 1));
  if (!port || *port < 1 || *port > 65535) return wrong(fmt::format("\"{}\" is no port", target.substr(colon + 1)));
  if (host.empty()) return wrong("the host is missing");
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (!bracketed && host.find(':') != std::string_view::npos) return wrong("an IPv6 address stands in brackets");
  const bool digits = std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (bracketed || digits) {
    const std::string plain(bracketed ? host.substr(1, host.size() - 2) : host);
    in6_addr address;
    if (::inet_pton(bracketed ? AF_INET6 : AF_INET, plain.substr(0, plain.find('%')).c_str(), &address) != 1)
      return wrong(fmt::format("\"{}\" is no address", host));
  }
  return {};
}

Result<void> check_key_file(std::string_view column, std::string_view file) {
  if (file.empty()) return unexpected(fmt::format("{0}= is missing: write {0}=/FILE", column));
  if (file.front() == '/' || (column == "ca_cert" && file == "none")) return {};
  return unexpected(fmt::format("{}={}: write the whole name, from \"/\" on: the database server reads the file", column,
                                file));
}

}  // namespace ovs::conf
