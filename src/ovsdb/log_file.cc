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

struct Header {
  StorageModel model;
  std::uint64_t length;
  std::string_view hash;
};

std::string_view magic_of(StorageModel model) { return model == StorageModel::standalone ? "JSON" : "CLUSTER"; }

// `line` is without its end.
std::optional<Header> parse_header(std::string_view line) {
  auto words = split(line, ' ');
  if (words.size() != 4 || words[0] != "OVSDB") return std::nullopt;
  Header header{};
  if (words[1] == magic_of(StorageModel::standalone))
    header.model = StorageModel::standalone;
  else if (words[1] == magic_of(StorageModel::clustered))
    header.model = StorageModel::clustered;
  else
    return std::nullopt;
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  auto is_hex = [&](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  if (!std::all_of(words[2].begin(), words[2].end(), is_digit)) return std::nullopt;
  auto length = parse_integer(words[2]);
  if (!length || *length <= 0) return std::nullopt;
  header.length = static_cast<std::uint64_t>(*length);
  if (words[3].size() != 40 || !std::all_of(words[3].begin(), words[3].end(), is_hex)) return std::nullopt;
  header.hash = words[3];
  return header;
}

}  // namespace

std::string log_record(std::string_view json_text, StorageModel model) {
  Sha1 sha;
  sha.update(json_text);
  sha.update("\n");
  auto digest = sha.finish();
  std::string record = fmt::format("OVSDB {} {} ", magic_of(model), json_text.size() + 1);
  record.reserve(record.size() + 42 + json_text.size());
  for (std::uint8_t byte : digest) {
    record += "0123456789abcdef"[byte >> 4];
    record += "0123456789abcdef"[byte & 15];
  }
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
    const std::string hash(header->hash);
    const std::uint64_t data_offset = offset + end + 1;
    if (header->length > std::numeric_limits<std::size_t>::max() / 4)
      return stop(fmt::format("the record at offset {} claims {} bytes", offset, header->length));
    const auto length = static_cast<std::size_t>(header->length);
    const StorageModel record_model = header->model;

    OVS_TRY(std::string_view data, bytes(data_offset, length));
    if (data.size() < length)
      return stop(fmt::format("the record at offset {} is cut off: {} of its {} bytes are there", offset, data.size(), length));
    if (std::string sum = sha1_hex(data); sum != hash)
      return stop(fmt::format("checksum mismatch: the {} bytes at offset {} have the SHA-1 sum {}, not {}", length,
                              data_offset, sum, hash));
    auto storage = json::make_shared_resource<json::monotonic_resource>(std::max<std::size_t>(1024, length * 2));
    auto v = parse_json(data, storage);
    if (!v) return stop(fmt::format("the record at offset {} is no JSON: {}", offset, v.error().message));
    if (!v->is_object()) return stop(fmt::format("the record at offset {} is no JSON object", offset));
    record_offset = offset;
    offset = data_offset + length;
    model = record_model;
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
