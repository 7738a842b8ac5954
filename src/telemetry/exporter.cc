#include "telemetry/exporter.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace ovs::telemetry {

namespace {

LogModule log{"collectors"};

// Routers and this host's neighbour discovery report more than that nobody listens, to those who ask for it.
void ask_for_reports(const Descriptor& socket, int family) {
  const int on = 1;
  if (family == AF_INET) {
    ::setsockopt(socket.get(), IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  } else {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  }
}

// The next one would fail what is sent next.
void drop_reports(const Descriptor& socket) {
  msghdr nothing{};
  while (::recvmsg(socket.get(), &nothing, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
  }
}

}  // namespace

// One target: unresolved -> resolved -> connected, and back where something fails.
class Exporter::Collector {
 public:
  Collector(Exporter& owner, const Target& target)
      : owner_(owner), target_(target), retry_(owner.loop_, [this] { start(); }) {
    // An address can be sent to at once: where it takes the place of another target, nothing is lost between them.
    if (const auto numeric = runtime::numeric_address(target_.host, target_.port)) open(*numeric);
    // The rest later, so that what is found is told to an owner that is complete.
    retry_.start(runtime::Duration(0));
  }

  void send(std::span<const std::uint8_t> datagram) {
    if (socket_.get() < 0) {
      owner_.counters_.dropped++;
      return;
    }
    // Twice: what fails first may be the report about an earlier datagram, which that one is not to suffer for.
    int error = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
      if (::send(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        owner_.counters_.sent++;
        if (error == 0) note_success();
        return;
      }
      error = errno;
      if (error == EAGAIN || error == ENOBUFS) break;  // too fast for the network: not the target's fault
      const bool is_report = error == ECONNREFUSED || error == EHOSTUNREACH || error == EMSGSIZE;
      // The own address that the socket took may be gone, and another one have come.
      if (!is_report && attempt == 0 && address_ && open(*address_)) continue;
      // A report that a link on the way has a smaller MTU is for the kernel, which makes fragments from then on.
      if (error != EMSGSIZE || attempt > 0) complain(std::strerror(error));
      drop_reports(socket_);
    }
    owner_.counters_.dropped++;
    if (error == EAGAIN || error == ENOBUFS || error == ECONNREFUSED || error == EMSGSIZE) return;
    // The route or the own address is gone: the socket is bound to what was.
    socket_ = Descriptor();
    retry_.start(route_retry_interval);
  }

  const std::optional<runtime::SocketAddress>& address() const { return address_; }

 private:
  void start() {
    if (auto numeric = runtime::numeric_address(target_.host, target_.port)) {
      connect(*numeric);
      return;
    }
    lookup_ = std::make_unique<runtime::Lookup>(
        owner_.loop_, target_.host, target_.port,
        [this](Result<std::vector<runtime::SocketAddress>> found) { looked_up(std::move(found)); });
  }

  void looked_up(Result<std::vector<runtime::SocketAddress>> found) {
    if (!found) {
      complain(found.error().message);
      retry_.start(name_retry_interval);
      return;
    }
    connect(found->front());
  }

  // False: errno says why.
  bool open(const runtime::SocketAddress& address) {
    Descriptor socket(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket.get() < 0 || ::connect(socket.get(), address.get(), address.size) != 0) return false;
    ask_for_reports(socket, address.family());
    socket_ = std::move(socket);
    return true;
  }

  void connect(const runtime::SocketAddress& address) {
    if (!open(address)) {
      complain(std::strerror(errno));
      address_.reset();
      retry_.start(route_retry_interval);
      return;
    }
    const bool news = !address_ || address_->to_string() != address.to_string();
    address_ = address;
    if (news) owner_.ready_();  // which may destroy us
  }

  void complain(const std::string& why) {
    good_since_.reset();
    if (std::exchange(complained_, true)) return;
    // Who comes and goes is believed later and later.
    const bool is_again = worked_at_ && owner_.loop_.now() - *worked_at_ < longest_proof;
    proof_ = is_again ? std::min(2 * proof_, longest_proof) : least_proof;
    log.warn("{}: cannot send to collector {}: {} (will keep trying)", owner_.name_, target_.text, why);
  }

  void note_success() {
    if (!complained_) return;
    const auto now = owner_.loop_.now();
    if (!good_since_) good_since_ = now;
    if (now - *good_since_ < proof_) return;
    worked_at_ = now;
    log.info("{}: sending to collector {} again", owner_.name_, target_.text);
    complained_ = false;
  }

  Exporter& owner_;
  const Target& target_;
  Descriptor socket_;
  std::optional<runtime::SocketAddress> address_;
  bool complained_ = false;
  std::optional<runtime::TimePoint> good_since_, worked_at_;
  std::chrono::seconds proof_ = least_proof;  // how long nothing may fail until that is said
  std::unique_ptr<runtime::Lookup> lookup_;
  runtime::Timer retry_;
};

Exporter::Exporter(runtime::Loop& loop, std::string name, std::vector<Target> targets, std::function<void()> ready)
    : loop_(loop), name_(std::move(name)), targets_(std::move(targets)), ready_(std::move(ready)) {
  for (const Target& t : targets_) {
    collectors_.push_back(std::make_unique<Collector>(*this, t));
  }
}

Exporter::~Exporter() = default;

void Exporter::send(std::span<const std::uint8_t> datagram) {
  for (auto& c : collectors_) c->send(datagram);
}

std::vector<runtime::SocketAddress> Exporter::addresses() const {
  std::vector<runtime::SocketAddress> known;
  for (const auto& c : collectors_) {
    if (c->address()) known.push_back(*c->address());
  }
  return known;
}

}  // namespace ovs::telemetry
