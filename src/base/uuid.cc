#include "base/uuid.h"

#include <pthread.h>
#include <sys/random.h>

#include <atomic>
#include <cerrno>

#include "base/check.h"

namespace ovs {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

constexpr bool is_dash_position(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

// The value of each hexadecimal digit, -1 for what is none.  A table, because a processor cannot
// guess which of the digits of a random identifier are letters.
constexpr auto hex_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::int8_t i = 0; i < 10; i++) values[static_cast<std::size_t>('0' + i)] = i;
  for (std::int8_t i = 10; i < 16; i++) {
    values[static_cast<std::size_t>('a' + i - 10)] = i;
    values[static_cast<std::size_t>('A' + i - 10)] = i;
  }
  return values;
}();

int hex_value(char c) { return hex_values[static_cast<unsigned char>(c)]; }

// The kernel's random bytes, fetched many at a time: a system call for each row would cost more
// than the row.  A forked child must not hand out what its parent will, so it starts afresh.
std::atomic<unsigned> fork_generation{0};

struct RandomBytes {
  std::array<std::uint8_t, 4096> bytes;  // left alone until the first refill
  std::size_t used = sizeof bytes;
  unsigned generation = 0;

  void take(std::uint8_t* out, std::size_t n) {
    const unsigned now = fork_generation.load(std::memory_order_relaxed);
    if (used + n > bytes.size() || generation != now) {
      refill();
      generation = now;
    }
    std::memcpy(out, bytes.data() + used, n);
    used += n;
  }

  void refill() {
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t n = getrandom(bytes.data() + have, bytes.size() - have, 0);
      OVS_CHECK(n >= 0 || errno == EINTR, "getrandom");
      if (n > 0) have += static_cast<std::size_t>(n);
    }
    used = 0;
  }
};

}  // namespace

Uuid Uuid::random() {
  static const int registered = pthread_atfork(
      nullptr, nullptr, [] { fork_generation.fetch_add(1, std::memory_order_relaxed); });
  OVS_CHECK(registered == 0);
  thread_local RandomBytes source;
  Uuid u;
  source.take(u.bytes.data(), u.bytes.size());
  u.bytes[6] = static_cast<std::uint8_t>((u.bytes[6] & 0x0f) | 0x40);  // version 4
  u.bytes[8] = static_cast<std::uint8_t>((u.bytes[8] & 0x3f) | 0x80);  // RFC 4122 variant
  return u;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != text_size) return std::nullopt;
  Uuid u;
  std::size_t at = 0;
  int all = 0;  // negative once one digit was none
  for (std::uint8_t& byte : u.bytes) {
    if (is_dash_position(at) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    all |= high | low;
    byte = static_cast<std::uint8_t>((high & 15) << 4 | (low & 15));
    at += 2;
  }
  if (all < 0) return std::nullopt;
  return u;
}

bool Uuid::is_partial(std::string_view text) {
  if (text.empty() || text.size() > text_size) return false;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (is_dash_position(i) ? text[i] != '-' : hex_value(text[i]) < 0) return false;
  }
  return true;
}

void Uuid::append_to(std::string& out) const {
  char text[text_size];
  char* p = text;
  for (const std::uint8_t byte : bytes) {
    if (is_dash_position(static_cast<std::size_t>(p - text))) *p++ = '-';
    *p++ = hex_digits[byte >> 4];
    *p++ = hex_digits[byte & 15];
  }
  out.append(text, text_size);
}

std::string Uuid::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

}  // namespace ovs
