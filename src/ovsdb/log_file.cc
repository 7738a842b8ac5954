#include "ovsdb/log_file.h"

#include <boost/json/monotonic_resource.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/sha1.h"
#include "base/text.h"

namespace ovs::ovsdb {

namespace {

constexpr std::size_t max_header = 128;
constexpr std::size_t read_ahead = std::size_t{1} << 18;

std::string_view magic_of(StorageModel model) { return model == StorageModel::standalone ? "JSON" : "CLUSTER"; }

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string hex(const Sha1::Digest& digest) {
  std::string text;
  for (std::uint8_t byte : digest) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 15];
  }
  return text;
}

std::optional<Sha1::Digest> parse_hex(std::string_view text) {
  Sha1::Digest digest{};
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t value = hex_digits.find(text[i]);
    if (value == std::string_view::npos) return std::nullopt;
    digest[i / 2] = static_cast<std::uint8_t>(digest[i / 2] << 4 | value);
  }
  return digest;
}

struct Header {
  StorageModel model = StorageModel::standalone;
  std::uint64_t length = 0;
  Sha1::Digest hash{};
};

// `line` is without its end: "OVSDB", the magic, the length and the sum, one space between them.
std::optional<Header> parse_header(std::string_view line) {
  auto skip = [&line](std::string_view word) {
    if (!line.starts_with(word) || line.size() == word.size() || line[word.size()] != ' ') return false;
    line.remove_prefix(word.size() + 1);
    return true;
  };
  Header header;
  if (!skip("OVSDB")) return std::nullopt;
  if (skip(magic_of(StorageModel::clustered)))
    header.model = StorageModel::clustered;
  else if (!skip(magic_of(StorageModel::standalone)))
    return std::nullopt;

  std::size_t digits = 0;
  while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
  auto length = digits > 0 ? parse_integer(line.substr(0, digits)) : std::nullopt;
  if (!length || *length <= 0 || !skip(line.substr(0, digits))) return std::nullopt;
  header.length = static_cast<std::uint64_t>(*length);

  auto hash = parse_hex(line);
  if (!hash) return std::nullopt;
  header.hash = *hash;
  return header;
}

Sha1::Digest sum_of(std::string_view data) {
  Sha1 sha;
  sha.update(data);
  return sha.finish();
}

}  // namespace

std::string log_record(std::string_view json_text, StorageModel model) {
  Sha1 sha;
  sha.update(json_text);
  sha.update("\n");
  auto digest = sha.finish();
  std::string record = fmt::format("OVSDB {} {} ", magic_of(model), json_text.size() + 1);
  record.reserve(record.size() + 42 + json_text.size());
  record += hex(digest);
  record += '\n';
  record += json_text;
  record += '\n';
  return record;
}

struct LogReader::Impl {
  explicit Impl(File& f) : file(f) {}

  File& file;
  std::vector<char> buffer;
  std::uint64_t buffer_offset = 0;  // where in the file the buffer begins
  std::size_t available = 0;        // bytes in the buffer
  std::uint64_t offset = 0;         // the end of the last good record
  std::uint64_t record_offset = 0;
  StorageModel model = StorageModel::standalone;
  bool any = false;
  bool stopped = false;
  std::string damage;

  // Has [at, at + size) of the file in the buffer and returns what there is of it.
  Result<std::string_view> bytes(std::uint64_t at, std::size_t size) {
    if (at < buffer_offset || at + size > buffer_offset + available) {
      // What is kept moves to the front.
      std::size_t keep = 0;
      if (at >= buffer_offset && at < buffer_offset + available) {
        keep = static_cast<std::size_t>(buffer_offset + available - at);
        std::copy_n(buffer.data() + (at - buffer_offset), keep, buffer.data());
      }
      buffer_offset = at;
      available = keep;
      while (available < size) {
        // A header's length may be a lie: memory grows with what the file really has.
        if (buffer.size() < available + read_ahead)
          buffer.resize(std::max(available + read_ahead, buffer.size() * 2));
        OVS_TRY(std::size_t n, file.read_at(at + available, buffer.data() + available, buffer.size() - available));
        if (n == 0) break;
        available += n;
      }
    }
    return std::string_view(buffer.data() + (at - buffer_offset),
                            std::min<std::size_t>(size, static_cast<std::size_t>(buffer_offset + available - at)));
  }

  std::optional<json::value> stop(std::string why) {
    stopped = true;
    damage = std::move(why);
    return std::nullopt;
  }

  Result<std::optional<json::value>> next() {
    if (stopped) return std::optional<json::value>();
    OVS_TRY(std::string_view head, bytes(offset, max_header));
    if (head.empty()) return stop({});
    std::size_t end = head.find('\n');
    if (end == std::string_view::npos)
      return stop(fmt::format("the header line of the record at offset {} is {}", offset,
                              head.size() < max_header ? "cut off" : "no header line"));
    auto header = parse_header(head.substr(0, end));
    if (!header) return stop(fmt::format("there is no valid record header at offset {}", offset));
    if (any && header->model != model)
      return stop(fmt::format("the record at offset {} is of another storage model", offset));
    const std::uint64_t data_offset = offset + end + 1;
    if (header->length > std::numeric_limits<std::size_t>::max() / 4)
      return stop(fmt::format("the record at offset {} claims {} bytes", offset, header->length));
    const auto length = static_cast<std::size_t>(header->length);

    OVS_TRY(std::string_view data, bytes(data_offset, length));
    if (data.size() < length)
      return stop(fmt::format("the record at offset {} is cut off: {} of its {} bytes are there", offset, data.size(),
                              length));
    if (Sha1::Digest sum = sum_of(data); sum != header->hash)
      return stop(fmt::format("checksum mismatch: the {} bytes at offset {} have the SHA-1 sum {}, not {}", length,
                              data_offset, hex(sum), hex(header->hash)));
    auto storage = json::make_shared_resource<json::monotonic_resource>(std::max<std::size_t>(1024, length * 2));
    auto v = parse_json(data, storage);
    if (!v) return stop(fmt::format("the record at offset {} is no JSON: {}", offset, v.error().message));
    if (!v->is_object()) return stop(fmt::format("the record at offset {} is no JSON object", offset));
    record_offset = offset;
    offset = data_offset + length;
    model = header->model;
    any = true;
    return std::optional<json::value>(std::move(*v));
  }
};

LogReader::LogReader(File& file) : impl_(std::make_unique<Impl>(file)) {}
LogReader::~LogReader() = default;

Result<std::optional<json::value>> LogReader::next() {
  bool first = !impl_->any && !impl_->stopped;
  OVS_TRY(auto record, impl_->next());
  if (first && !record)
    return unexpected("not an OVSDB database file: " + (impl_->damage.empty() ? "it is empty" : impl_->damage));
  return record;
}

StorageModel LogReader::model() const { return impl_->model; }
std::uint64_t LogReader::offset() const { return impl_->offset; }
std::uint64_t LogReader::record_offset() const { return impl_->record_offset; }
const std::string& LogReader::damage() const { return impl_->damage; }

}  // namespace ovs::ovsdb
