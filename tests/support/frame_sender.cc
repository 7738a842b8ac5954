// Sends frames out of an interface, fast and at an even pace: traffic for tests and benchmarks of sampling.
//
//     frame_sender INTERFACE COUNT RATE < FRAMES
//
// A line of FRAMES is a weight and a frame in hexadecimal digits.  COUNT frames are drawn from them at random, each
// with the probability that its weight gives it, and sent, RATE in a second (0: as many as go).  Prints how many of
// each line were sent, one number a line.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Line {
  std::vector<std::uint8_t> frame;
  std::uint64_t sent = 0;
};

std::vector<std::uint8_t> bytes_of(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

int fail(const char* what) {
  std::fprintf(stderr, "frame_sender: %s: %s\n", what, std::strerror(errno));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: frame_sender INTERFACE COUNT RATE < FRAMES\n");
    return 2;
  }
  const std::uint64_t count = std::strtoull(argv[2], nullptr, 10);
  const double rate = std::strtod(argv[3], nullptr);
  std::vector<Line> lines;
  std::vector<double> weights;
  double weight = 0;
  std::string hex;
  while (std::cin >> weight >> hex) {
    weights.push_back(weight);
    lines.push_back({bytes_of(hex)});
  }
  if (lines.empty()) return 2;

  const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll interface{};
  interface.sll_family = AF_PACKET;
  interface.sll_ifindex = static_cast<int>(::if_nametoindex(argv[1]));
  if (socket < 0 || interface.sll_ifindex == 0 ||
      ::bind(socket, reinterpret_cast<sockaddr*>(&interface), sizeof interface) != 0) {
    return fail(argv[1]);
  }

  std::mt19937_64 random(count);
  std::discrete_distribution<std::size_t> choose(weights.begin(), weights.end());
  constexpr std::size_t batch = 32;
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> parts{};
  std::array<std::size_t, batch> chosen{};
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t done = 0; done < count;) {
    const std::size_t n = std::min<std::uint64_t>(batch, count - done);
    for (std::size_t i = 0; i < n; i++) {
      chosen[i] = choose(random);
      auto& frame = lines[chosen[i]].frame;
      parts[i] = {frame.data(), frame.size()};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t at = 0; at < n;) {
      const int sent = ::sendmmsg(socket, messages.data() + at, static_cast<unsigned>(n - at), 0);
      if (sent < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) return fail("sendmmsg");
      at += static_cast<std::size_t>(std::max(sent, 0));
    }
    for (std::size_t i = 0; i < n; i++) lines[chosen[i]].sent++;
    done += n;
    if (rate > 0) {
      std::this_thread::sleep_until(began + std::chrono::duration<double>(static_cast<double>(done) / rate));
    }
  }
  for (const Line& line : lines) std::printf("%llu\n", static_cast<unsigned long long>(line.sent));
  return 0;
}
