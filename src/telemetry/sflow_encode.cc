#include <concepts>
#include <cstring>
#include <type_traits>
#include <variant>

#include "base/check.h"
#include "telemetry/sflow_codec.h"
#include "telemetry/sflow_fields.h"

namespace ovs::telemetry::sflow {

namespace {

constexpr std::uint32_t flow_sample = 1, counters_sample = 2, expanded_flow_sample = 3, expanded_counters_sample = 4;

// Writes XDR (RFC 4506).
class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& out) : out_(out) {}

  void operator()(const char*, std::uint32_t x) {
    for (int shift = 24; shift >= 0; shift -= 8) out_.push_back(static_cast<std::uint8_t>(x >> shift));
  }
  void operator()(const char* name, std::uint64_t x) {
    (*this)(name, static_cast<std::uint32_t>(x >> 32));
    (*this)(name, static_cast<std::uint32_t>(x));
  }
  void operator()(const char* name, be32 x) { (*this)(name, x.host()); }
  void operator()(const char*, const flow::Ipv6Addr& x) { out_.insert(out_.end(), x.bytes.begin(), x.bytes.end()); }
  void operator()(const char* name, const IpAddress& x) {
    (*this)(name, static_cast<std::uint32_t>(x.index()));  // 0 unknown, 1 IPv4, 2 IPv6, as in the standard
    if (auto* v4 = std::get_if<be32>(&x)) (*this)(name, *v4);
    if (auto* v6 = std::get_if<flow::Ipv6Addr>(&x)) (*this)(name, *v6);
  }
  void operator()(const char*, const std::string& x) { opaque(x.data(), x.size()); }
  void operator()(const char*, const std::vector<std::uint8_t>& x) { opaque(x.data(), x.size()); }
  void operator()(const char* name, const std::vector<std::uint32_t>& x) {
    (*this)(name, static_cast<std::uint32_t>(x.size()));
    for (std::uint32_t n : x) (*this)(name, n);
  }
  void number(std::uint32_t x) { (*this)("", x); }
  void bytes(const std::vector<std::uint8_t>& x) { out_.insert(out_.end(), x.begin(), x.end()); }

  // A structure with its format and length in front.
  template <class Body>
  void structure(std::uint32_t format, const Body& body) {
    number(format);
    const std::size_t length_at = out_.size();
    number(0);
    body();
    const auto length = static_cast<std::uint32_t>(out_.size() - length_at - 4);
    for (int i = 0; i < 4; i++) {
      out_[length_at + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(length >> (24 - 8 * i));
    }
  }

 private:
  void opaque(const void* data, std::size_t size) {
    number(static_cast<std::uint32_t>(size));
    auto* p = static_cast<const std::uint8_t*>(data);
    out_.insert(out_.end(), p, p + size);
    out_.resize((out_.size() - size) + (size + 3) / 4 * 4);
  }

  std::vector<std::uint8_t>& out_;
};

template <class Records>
void write_records(Writer& w, const Records& records) {
  w.number(static_cast<std::uint32_t>(records.size()));
  for (const auto& record : records) {
    std::visit(
        [&](const auto& r) {
          using R = std::remove_cvref_t<decltype(r)>;
          if constexpr (std::same_as<R, Opaque>) {
            w.structure(r.format, [&] { w.bytes(r.body); });
          } else {
            w.structure(record_name<R>.format, [&] { fields(w, r); });
          }
        },
        record);
  }
}

bool is_compact(const Source& s) { return s.type < 1u << 8 && s.index < 1u << 24; }
bool is_compact(const Interface& i) { return i.format < 4 && i.value < 1u << 30; }

void write_source(Writer& w, const Source& s, bool compact) {
  if (compact) return w.number(s.type << 24 | s.index);
  w.number(s.type);
  w.number(s.index);
}

void write_interface(Writer& w, const Interface& i, bool compact) {
  if (compact) return w.number(i.format << 30 | i.value);
  w.number(i.format);
  w.number(i.value);
}

void write_sample(Writer& w, const FlowSample& s) {
  const bool compact = is_compact(s.source) && is_compact(s.input) && is_compact(s.output);
  w.structure(compact ? flow_sample : expanded_flow_sample, [&] {
    w.number(s.sequence);
    write_source(w, s.source, compact);
    w.number(s.rate);
    w.number(s.pool);
    w.number(s.drops);
    write_interface(w, s.input, compact);
    write_interface(w, s.output, compact);
    write_records(w, s.records);
  });
}

void write_sample(Writer& w, const CounterSample& s) {
  const bool compact = is_compact(s.source);
  w.structure(compact ? counters_sample : expanded_counters_sample, [&] {
    w.number(s.sequence);
    write_source(w, s.source, compact);
    write_records(w, s.records);
  });
}

void write_sample(Writer& w, const Opaque& s) {
  w.structure(s.format, [&] { w.bytes(s.body); });
}

// Bytes of the head of a datagram before the number of samples.
std::size_t count_offset(std::span<const std::uint8_t> head) {
  constexpr std::size_t address_bytes[] = {0, 4, 16};
  return 8 + address_bytes[head[7]] + 12;
}

}  // namespace

void encode_head(const Datagram& datagram, std::vector<std::uint8_t>& out) {
  Writer w(out);
  w.number(version);
  w("", datagram.agent);
  w.number(datagram.sub_agent);
  w.number(datagram.sequence);
  w.number(datagram.uptime);
  w.number(0);
}

void set_sample_count(std::vector<std::uint8_t>& datagram, std::size_t head_at, std::uint32_t count) {
  const std::size_t at = head_at + count_offset(std::span(datagram).subspan(head_at));
  const be32 n = be32::from_host(count);
  OVS_CHECK(at + sizeof n <= datagram.size());
  std::memcpy(datagram.data() + at, &n, sizeof n);
}

void encode_sample(const Sample& sample, std::vector<std::uint8_t>& out) {
  Writer w(out);
  std::visit([&](const auto& s) { write_sample(w, s); }, sample);
}

void encode(const Datagram& datagram, std::vector<std::uint8_t>& out) {
  const std::size_t at = out.size();
  encode_head(datagram, out);
  for (const Sample& s : datagram.samples) encode_sample(s, out);
  set_sample_count(out, at, static_cast<std::uint32_t>(datagram.samples.size()));
}

}  // namespace ovs::telemetry::sflow
