#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <concepts>
#include <string>
#include <type_traits>
#include <variant>

#include "base/text.h"
#include "telemetry/sflow_codec.h"
#include "telemetry/sflow_fields.h"

namespace ovs::telemetry::sflow {

namespace json = boost::json;

namespace {

template <class Bytes>
std::string hex(const Bytes& bytes) {
  std::string text;
  for (auto b : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<std::uint8_t>(b));
  return text;
}

class Printer {
 public:
  explicit Printer(json::object& out) : out_(out) {}

  void operator()(const char* name, std::uint32_t x) { out_[name] = x; }
  void operator()(const char* name, std::uint64_t x) { out_[name] = x; }
  void operator()(const char* name, be32 x) { out_[name] = to_text(IpAddress(x)); }
  void operator()(const char* name, const flow::Ipv6Addr& x) { out_[name] = to_text(IpAddress(x)); }
  void operator()(const char* name, const IpAddress& x) { out_[name] = to_text(x); }
  void operator()(const char* name, const std::string& x) {
    if (is_utf8(x)) {
      out_[name] = x;
    } else {
      out_[name] = hex(x);
    }
  }
  void operator()(const char* name, const std::vector<std::uint8_t>& x) { out_[name] = hex(x); }
  void operator()(const char* name, const std::vector<std::uint32_t>& x) {
    out_[name] = json::array(x.begin(), x.end());
  }

 private:
  json::object& out_;
};

template <class Record>
json::object print_record(const Record& record) {
  json::object out;
  std::visit(
      [&](const auto& r) {
        using R = std::remove_cvref_t<decltype(r)>;
        if constexpr (std::same_as<R, Opaque>) {
          out["record"] = fmt::format("{}:{}", r.format >> 12, r.format & 0xfff);
          out["body"] = hex(r.body);
        } else {
          out["record"] = record_name<R>.name;
          Printer p(out);
          fields(p, r);
        }
      },
      record);
  return out;
}

template <class Records>
json::array print_records(const Records& records) {
  json::array out;
  for (const auto& r : records) out.push_back(print_record(r));
  return out;
}

std::string print_source(const Source& s) { return fmt::format("{}:{}", s.type, s.index); }

json::value print_interface(const Interface& i) {
  switch (i.format) {
    case Interface::single: return i.value;
    case Interface::discarded: return json::value(fmt::format("discarded:{}", i.value));
    case Interface::multiple: return json::value(fmt::format("multiple:{}", i.value));
    default: return json::value(fmt::format("{}:{}", i.format, i.value));
  }
}

json::object print_sample(const FlowSample& s) {
  return {{"sample", "flow"},
          {"sequence", s.sequence},
          {"source", print_source(s.source)},
          {"rate", s.rate},
          {"pool", s.pool},
          {"drops", s.drops},
          {"input", print_interface(s.input)},
          {"output", print_interface(s.output)},
          {"records", print_records(s.records)}};
}

json::object print_sample(const CounterSample& s) {
  return {{"sample", "counters"},
          {"sequence", s.sequence},
          {"source", print_source(s.source)},
          {"records", print_records(s.records)}};
}

json::object print_sample(const Opaque& s) {
  return {{"sample", fmt::format("{}:{}", s.format >> 12, s.format & 0xfff)}, {"body", hex(s.body)}};
}

}  // namespace

json::value to_json(const Datagram& d) {
  json::array samples;
  for (const Sample& s : d.samples) {
    samples.push_back(std::visit([](const auto& x) { return print_sample(x); }, s));
  }
  return json::object{{"agent", to_text(d.agent)},
                      {"sub_agent", d.sub_agent},
                      {"sequence", d.sequence},
                      {"uptime", d.uptime},
                      {"samples", std::move(samples)}};
}

}  // namespace ovs::telemetry::sflow
