#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "telemetry/sflow_codec.h"
#include "telemetry/sflow_fields.h"

namespace ovs::telemetry::sflow {

namespace {

constexpr std::uint32_t flow_sample = 1, counters_sample = 2, expanded_flow_sample = 3, expanded_counters_sample = 4;

// Reads XDR (RFC 4506) between two offsets of a datagram.  After an error everything reads as zero, and
// the first error stays.
class Reader {
 public:
  Reader(std::span<const std::uint8_t> all) : all_(all), end_(all.size()) {}

  void operator()(const char* name, std::uint32_t& x) {
    x = 0;
    if (!need(name, 4)) return;
    for (int i = 0; i < 4; i++) x = x << 8 | all_[at_++];
  }
  void operator()(const char* name, std::uint64_t& x) {
    const std::uint64_t high = number(name);
    x = high << 32 | number(name);
  }
  void operator()(const char* name, be32& x) { x = be32::from_host(number(name)); }
  void operator()(const char* name, flow::Ipv6Addr& x) {
    if (!need(name, x.bytes.size())) return;
    std::memcpy(x.bytes.data(), all_.data() + at_, x.bytes.size());
    at_ += x.bytes.size();
  }
  void operator()(const char* name, IpAddress& x) {
    switch (const std::uint32_t type = number(name)) {
      case 0: x = std::monostate{}; break;
      case 1: (*this)(name, x.emplace<be32>()); break;
      case 2: (*this)(name, x.emplace<flow::Ipv6Addr>()); break;
      default: fail(fmt::format("{}: no kind of address has the number {}", name, type));
    }
  }
  void operator()(const char* name, std::string& x) {
    const auto bytes = opaque(name);
    x.assign(bytes.begin(), bytes.end());
  }
  void operator()(const char* name, std::vector<std::uint8_t>& x) {
    const auto bytes = opaque(name);
    x.assign(bytes.begin(), bytes.end());
  }
  void operator()(const char* name, std::vector<std::uint32_t>& x) {
    const std::uint32_t count = number(name);
    if (!need(name, std::size_t{count} * 4)) return;
    x.resize(count);
    for (std::uint32_t& n : x) (*this)(name, n);
  }
  std::uint32_t number(const char* name) {
    std::uint32_t x;
    (*this)(name, x);
    return x;
  }

  // The body of a structure, whose format and length come first; `body` reads it through this reader,
  // which ends where the structure does.
  template <class Body>
  void structure(const char* name, const Body& body) {
    const std::uint32_t format = number(name);
    const std::uint32_t length = number(name);
    if (length % 4 != 0) return fail(fmt::format("{}: its length, {}, is no multiple of 4", name, length));
    if (!need(name, length)) return;
    const std::size_t end = std::exchange(end_, at_ + length);
    body(format);
    if (!failed()) at_ = end_;  // a later version of the structure may have more
    end_ = end;
  }
  std::vector<std::uint8_t> rest() {
    std::vector<std::uint8_t> bytes(all_.begin() + static_cast<std::ptrdiff_t>(at_),
                                    all_.begin() + static_cast<std::ptrdiff_t>(end_));
    at_ = end_;
    return bytes;
  }

  // At least `least` bytes for each of `count` things yet to come.
  bool room_for(const char* name, std::uint32_t count, std::size_t least) { return need(name, count * least); }

  void fail(std::string message) {
    if (error_.empty()) error_ = fmt::format("byte {}: {}", at_, message);
  }
  bool failed() const { return !error_.empty(); }
  bool at_end() const { return at_ == end_; }
  std::string& error() { return error_; }

 private:
  bool need(const char* name, std::size_t n) {
    if (failed()) return false;
    if (n <= end_ - at_) return true;
    fail(fmt::format("{}: {} bytes wanted, {} are left", name, n, end_ - at_));
    return false;
  }
  std::span<const std::uint8_t> opaque(const char* name) {
    const std::size_t size = number(name);
    const std::size_t padded = (size + 3) / 4 * 4;
    if (!need(name, padded)) return {};
    const auto bytes = all_.subspan(at_, size);
    at_ += padded;
    return bytes;
  }

  const std::span<const std::uint8_t> all_;
  std::size_t at_ = 0, end_;
  std::string error_;
};

// Reads a record of the kind whose format this is, out of those that the variant has.
template <class Record, std::size_t I = 0>
Record read_record(Reader& r, std::uint32_t format) {
  using Kind = std::variant_alternative_t<I, Record>;
  if constexpr (std::same_as<Kind, Opaque>) {
    return Opaque{format, r.rest()};
  } else {
    if (record_name<Kind>.format != format) return read_record<Record, I + 1>(r, format);
    Kind kind;
    fields(r, kind);
    return kind;
  }
}

template <class Record>
void read_records(Reader& r, std::vector<Record>& records) {
  const std::uint32_t count = r.number("number of records");
  if (!r.room_for("records", count, 8)) return;
  for (std::uint32_t i = 0; i < count && !r.failed(); i++) {
    r.structure("record", [&](std::uint32_t format) { records.push_back(read_record<Record>(r, format)); });
  }
}

void read_source(Reader& r, Source& s, bool compact) {
  if (compact) {
    const std::uint32_t both = r.number("source");
    s = {both >> 24, both & 0xffffff};
  } else {
    r("source", s.type);
    r("source", s.index);
  }
}

void read_interface(Reader& r, Interface& i, bool compact) {
  if (compact) {
    const std::uint32_t both = r.number("interface");
    i = {both >> 30, both & 0x3fffffff};
  } else {
    r("interface", i.format);
    r("interface", i.value);
  }
}

Sample read_sample(Reader& r, std::uint32_t format) {
  if (format == flow_sample || format == expanded_flow_sample) {
    const bool compact = format == flow_sample;
    FlowSample s;
    r("sequence", s.sequence);
    read_source(r, s.source, compact);
    r("rate", s.rate);
    r("pool", s.pool);
    r("drops", s.drops);
    read_interface(r, s.input, compact);
    read_interface(r, s.output, compact);
    read_records(r, s.records);
    return s;
  }
  if (format == counters_sample || format == expanded_counters_sample) {
    CounterSample s;
    r("sequence", s.sequence);
    read_source(r, s.source, format == counters_sample);
    read_records(r, s.records);
    return s;
  }
  return Opaque{format, r.rest()};
}

}  // namespace

Result<Datagram> decode(std::span<const std::uint8_t> bytes) {
  Reader r(bytes);
  Datagram d;
  const std::uint32_t v = r.number("version");
  if (!r.failed() && v != version) return unexpected(fmt::format("version {} of sFlow, not {}", v, version));
  r("agent", d.agent);
  r("sub_agent", d.sub_agent);
  r("sequence", d.sequence);
  r("uptime", d.uptime);
  const std::uint32_t count = r.number("number of samples");
  if (r.room_for("samples", count, 8)) {
    for (std::uint32_t i = 0; i < count && !r.failed(); i++) {
      r.structure("sample", [&](std::uint32_t format) { d.samples.push_back(read_sample(r, format)); });
    }
  }
  if (!r.failed() && !r.at_end()) r.fail("bytes after the last sample");
  if (r.failed()) return unexpected(std::move(r.error()));
  return d;
}

}  // namespace ovs::telemetry::sflow
