#include "netdev/afxdp.h"

#include <linux/if_packet.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "netdev/afxdp_kind.h"
#include "netdev/system.h"
#include "netdev/unfinished_checksum.h"

namespace ovs::netdev {
namespace {

LogModule log{"netdev"};

constexpr std::chrono::milliseconds first_try{20}, longest_pause{5000};
// For the kernel to let go of queues.
constexpr std::chrono::milliseconds first_bind{1}, longest_bind_pause{10}, longest_settling{1000};
// When the device could not take all frames, it is asked again so soon.
constexpr long retry_nanoseconds = 500'000;
constexpr std::size_t ethernet_bytes = 14, two_tags_bytes = 8;
constexpr unsigned spins_before_yield = 100;
constexpr std::string_view veth = "veth", tun = "tun";  // kinds of links

// The frames of a socket for an interface with this MTU; 0: it is too large.
std::uint32_t frame_bytes_for(unsigned mtu) {
  for (const std::uint32_t bytes : {2048u, 4096u})
    if (mtu + ethernet_bytes + two_tags_bytes <= XskSocket::longest_frame(bytes)) return bytes;
  return 0;
}

std::string mtu_is_too_large(unsigned mtu) {
  return "its MTU is " + std::to_string(mtu) + ", and AF_XDP carries " + std::to_string(Afxdp::largest_mtu) +
         " at most";
}

constexpr const char* no_zero_copy =
    "its driver has no AF_XDP without copies; options:xdp-mode=best-effort does with them";

// Trouble that another mode would have, too.
bool is_of_all_modes(int code) {
  constexpr int codes[] = {EBUSY, EPERM, ENOBUFS, ENOMEM, ENODEV, EAFNOSUPPORT, ENOSYS, EMFILE};
  return std::ranges::find(codes, code) != std::end(codes);
}

// A socket that receives nothing and keeps the interface promiscuous while it is open.
Result<Descriptor> make_promiscuous(unsigned ifindex) {
  Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  packet_mreq membership{};
  membership.mr_ifindex = static_cast<int>(ifindex);
  membership.mr_type = PACKET_MR_PROMISC;
  if (socket.get() < 0 ||
      ::setsockopt(socket.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) < 0)
    return Unexpected{system_error("cannot make the device promiscuous", errno)};
  return socket;
}

bool watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

struct Afxdp::Queue {
  Queue()
      : ready(::epoll_create1(EPOLL_CLOEXEC)),
        retry(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {}

  // Arms the timer, or takes it back.
  void set_retry(long nanoseconds) {
    itimerspec when{};
    when.it_value.tv_nsec = nanoseconds;
    (void)::timerfd_settime(retry.get(), 0, &when, nullptr);
  }

  Descriptor ready;  // what the engine waits for: an epoll instance of the socket and of `retry`
  Descriptor retry;  // for frames that the device could not take yet
  std::unique_ptr<XskSocket> owned;  // by the main thread
  std::atomic<XskSocket*> socket{nullptr};
  std::atomic<unsigned> users{0};
  std::atomic<bool> retrying{false};
  std::atomic_flag sending;  // somebody puts frames into the TX ring
};

// Keeps a queue's socket from being closed meanwhile; there may be none.
class Afxdp::Use {
 public:
  explicit Use(Queue& queue) : queue_(queue) {
    queue_.users.fetch_add(1, std::memory_order_seq_cst);
    socket_ = queue_.socket.load(std::memory_order_seq_cst);
  }
  ~Use() { queue_.users.fetch_sub(1, std::memory_order_release); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  XskSocket* socket() const { return socket_; }

 private:
  Queue& queue_;
  XskSocket* socket_;
};

Afxdp::Afxdp(std::string name, LinkTable& links, const AfxdpOptions& options)
    : KernelDevice(std::move(name), links), options_(options), next_try_(first_try), next_bind_(first_bind) {}

Afxdp::~Afxdp() {
  close_all();
  for (auto& queue : queues_) delete queue.load(std::memory_order_relaxed);
}

Result<void> Afxdp::set_options(const Options& options) {
  OVS_TRY(const AfxdpOptions wanted, parse_afxdp_options(options));
  if (wanted == options_) return {};
  const bool stays = serves(wanted);
  options_ = wanted;
  if (stays) return {};
  zero_copy_failed_ = false;
  if (is_open()) open_anew();
  return {};
}

std::vector<std::string> Afxdp::unknown_options(const Options& options) const { return unknown_afxdp_options(options); }

// Whether the sockets that are open are those that would be opened.
bool Afxdp::serves(const AfxdpOptions& wanted) const {
  const unsigned open = open_queues_.load(std::memory_order_relaxed);
  const bool best = wanted.mode == XdpMode::best_effort && mode_ == XdpMode::native_with_zerocopy;
  return open != 0 && !is_outdated() && wanted.need_wakeup == options_.need_wakeup &&
         (wanted.queues == 0 || open <= wanted.queues) && (wanted.mode == mode_ || best);
}

Result<void> Afxdp::set_mtu(unsigned mtu) {
  if (mtu > largest_mtu) return unexpected("AF_XDP carries " + std::to_string(largest_mtu) + " at most", EINVAL);
  return KernelDevice::set_mtu(mtu);
}

// ---- opening and closing

Result<void> Afxdp::open_interface(const netlink::Link& link) {
  close_all();
  link_ = link;
  zero_copy_failed_ = false;
  open_anew();
  return {};
}

void Afxdp::close_interface() {
  close_all();
  begin_generation({});
}

void Afxdp::destroy() {
  if (ifindex() == 0) return;
  close_interface();
  forget_interface();
}

void Afxdp::link_changed(const netlink::Link& link) {
  up_.store(link.admin_up, std::memory_order_relaxed);
  longest_frame_.store(link.mtu + ethernet_bytes + two_tags_bytes, std::memory_order_relaxed);
  const bool other_frames = frame_bytes_for(link.mtu) != frame_bytes_for(link_.mtu);
  const bool other_mtu = link.mtu != link_.mtu;
  link_ = link;
  if (other_mtu) zero_copy_failed_ = false;
  // A driver may also have had something against the MTU.
  if (is_open() && (other_frames || (other_mtu && !state().trouble.empty()))) open_anew();
}

void Afxdp::look_again() {
  if (!is_open()) return;
  if (!state().trouble.empty())
    try_to_open();
  else if (is_outdated())
    open_anew();
}

bool Afxdp::is_outdated() const {
  const unsigned open = open_queues_.load(std::memory_order_relaxed);
  return open != 0 && open != links().ethtool().channels(name()).rx;
}

// The interface stays promiscuous meanwhile: to change that, the kernel waits some 20 ms.
void Afxdp::open_anew() {
  close_sockets();
  next_try_ = first_try;
  next_bind_ = first_bind;
  settled_by_ = std::chrono::steady_clock::now() + longest_settling;
  try_to_open();
}

void Afxdp::try_to_open() {
  auto opened = open_sockets();
  if (opened) {
    begin_generation({});
    return;
  }
  if (opened.error().code == EBUSY && std::chrono::steady_clock::now() < settled_by_) {
    links().look_again(*this, next_bind_);
    next_bind_ = std::min(2 * next_bind_, longest_bind_pause);
    if (!state().settling) begin_generation("its receive queues are not free yet", true);
    return;
  }
  settled_by_ = {};
  close_all();
  links().look_again(*this, next_try_);
  next_try_ = std::min(2 * next_try_, longest_pause);
  begin_generation(opened.error().message);
}

Result<void> Afxdp::open_sockets() {
  // What costs little first: this may be tried often.
  if (!link_.ethernet) return unexpected("it is no Ethernet device", EINVAL);
  const std::uint32_t frame_bytes = frame_bytes_for(link_.mtu);
  if (frame_bytes == 0) return unexpected(mtu_is_too_large(link_.mtu), EINVAL);
  const Ethtool& ethtool = links().ethtool();
  const Ethtool::Channels channels = ethtool.channels(name());
  const unsigned most = options_.queues == 0 ? most_queues : std::min(options_.queues, most_queues);
  if (channels.rx > most)
    return unexpected("it has " + std::to_string(channels.rx) + " receive queues, and " +
                          (most == options_.queues ? "options:n_rxq is " : "AF_XDP takes at most ") +
                          std::to_string(most) + ": what comes by the others would be lost; \"ethtool -L " + name() +
                          (channels.combined ? " combined " : " rx ") + std::to_string(most) + "\" sets their number",
                      EINVAL);
  if (XdpProgram::is_attached(link_.ifindex))
    return unexpected("another XDP program is attached to it; \"ip -d link show " + name() + "\" tells which", EEXIST);
  if (promiscuous_.get() < 0) {
    OVS_TRY(promiscuous_, make_promiscuous(link_.ifindex));
  }
  ethtool.disable_large_receive(name());
  // Software devices leave tags beside the frame as their sender does, whatever this is set to.
  if (link_.kind.empty()) ethtool.disable_vlan_stripping(name());
  // A type that is another one now may have left a filter.
  links().unblock_ingress(name(), link_.ifindex);

  const bool any = options_.mode == XdpMode::best_effort;
  if ((any && !zero_copy_failed_) || options_.mode == XdpMode::native_with_zerocopy) {
    Result<void> done;
    if (auto sockets = bind_sockets(channels.rx, frame_bytes, true); !sockets) {
      done = Unexpected{std::move(sockets).error()};
    } else if (auto program = attach(*sockets, true); !program) {
      if (!any) return Unexpected{std::move(program).error()};
      // The kernel has not let go of the queues by the time that others could be bound.
      zero_copy_failed_ = true;
      return unexpected(std::move(program).error().message, EBUSY);
    } else {
      return put_in_use(*std::move(sockets), *std::move(program), XdpMode::native_with_zerocopy, channels.tx);
    }
    if (!any || is_of_all_modes(done.error().code)) return done;
    // The queues that could be bound are freed a little later, and what is tried again then begins without it.
    zero_copy_failed_ = true;
  }
  OVS_TRY(Sockets sockets, bind_sockets(channels.rx, frame_bytes, false));
  if (options_.mode != XdpMode::generic) {
    auto program = attach(sockets, true);
    if (program) return put_in_use(std::move(sockets), *std::move(program), XdpMode::native, channels.tx);
    if (!any || is_of_all_modes(program.error().code)) return Unexpected{std::move(program).error()};
  }
  OVS_TRY(XdpProgram program, attach(sockets, false));
  return put_in_use(std::move(sockets), std::move(program), XdpMode::generic, channels.tx);
}

Result<Afxdp::Sockets> Afxdp::bind_sockets(unsigned queues, std::uint32_t frame_bytes, bool zero_copy) {
  Waiting waiting = std::exchange(waiting_, {});
  if (waiting.frame_bytes != frame_bytes || waiting.zero_copy != zero_copy || waiting.sockets.size() > queues)
    waiting = {.sockets = {}, .frame_bytes = frame_bytes, .zero_copy = zero_copy};
  for (unsigned i = 0; i < queues; ++i) {
    if (i == waiting.sockets.size()) {
      OVS_TRY(auto socket, XskSocket::prepare({.ifindex = link_.ifindex,
                                               .queue = i,
                                               .frame_bytes = frame_bytes,
                                               .zero_copy = zero_copy,
                                               .need_wakeup = options_.need_wakeup}));
      waiting.sockets.push_back(std::move(socket));
    }
    auto bound = waiting.sockets[i]->bind();
    if (bound) continue;
    Error error = std::move(bound).error();
    if (error.code == EBUSY) waiting_ = std::move(waiting);
    if (zero_copy && error.code == EOPNOTSUPP) error.message = no_zero_copy;
    return Unexpected{std::move(error)};
  }
  return std::move(waiting.sockets);
}

Result<XdpProgram> Afxdp::attach(const Sockets& sockets, bool native) const {
  OVS_TRY(XdpProgram program, XdpProgram::load(link_.ifindex, static_cast<unsigned>(sockets.size()), native));
  for (unsigned i = 0; i < sockets.size(); ++i) OVS_TRY_DO(program.set_socket(i, sockets[i]->descriptor()));
  OVS_TRY_DO(program.attach());
  return program;
}

Result<void> Afxdp::put_in_use(Sockets sockets, XdpProgram program, XdpMode mode, unsigned sending) {
  const auto count = static_cast<unsigned>(sockets.size());
  for (unsigned i = 0; i < count; ++i) {
    Queue* queue = queues_[i].load(std::memory_order_relaxed);
    if (!queue) {
      auto made = std::make_unique<Queue>();
      if (!watch(made->ready.get(), made->retry.get()))
        return Unexpected{system_error("cannot wait for a queue", errno)};
      queue = made.release();
      queues_[i].store(queue, std::memory_order_release);
    }
    // A socket that is closed leaves by itself.
    if (!watch(queue->ready.get(), sockets[i]->descriptor()))
      return Unexpected{system_error("cannot wait for a queue", errno)};
  }
  State asked;
  links().ethtool().read_driver(name(), asked);
  from_this_host_.store(!link_.kind.empty() || asked.driver == "virtio_net", std::memory_order_relaxed);
  up_.store(link_.admin_up, std::memory_order_relaxed);
  longest_frame_.store(link_.mtu + ethernet_bytes + two_tags_bytes, std::memory_order_relaxed);
  program_ = std::move(program);
  mode_ = mode;
  for (unsigned i = 0; i < count; ++i) {
    Queue& queue = *queues_[i].load(std::memory_order_relaxed);
    queue.owned = std::move(sockets[i]);
    queue.socket.store(queue.owned.get(), std::memory_order_seq_cst);
  }
  open_queues_.store(count, std::memory_order_release);
  sending_queues_.store(std::min(count, sending), std::memory_order_release);
  log.info("{}: AF_XDP in mode {}, {} queue{}", name(), name_of(mode), count, count == 1 ? "" : "s");
  tell_what_is_lost();
  return {};
}

void Afxdp::close_sockets() {
  sending_queues_.store(0, std::memory_order_release);
  const unsigned count = open_queues_.exchange(0, std::memory_order_acq_rel);
  // Nothing is redirected any more before the sockets go.
  program_.reset();
  for (unsigned i = 0; i < count; ++i) {
    Queue& queue = *queues_[i].load(std::memory_order_relaxed);
    queue.socket.store(nullptr, std::memory_order_seq_cst);
    // For the time of a batch at most.
    while (queue.users.load(std::memory_order_seq_cst) != 0) ::sched_yield();
    const XskLosses losses = losses_of(*queue.owned);
    lost_before_.received += losses.received;
    lost_before_.sent += losses.sent;
    (void)::epoll_ctl(queue.ready.get(), EPOLL_CTL_DEL, queue.owned->descriptor(), nullptr);
    queue.owned.reset();
    queue.set_retry(0);
    queue.retrying.store(false, std::memory_order_relaxed);
  }
  waiting_ = {};
}

void Afxdp::close_all() {
  close_sockets();
  promiscuous_ = Descriptor();
}

// ---- forwarding

std::vector<int> Afxdp::rx_descriptors() const {
  std::vector<int> descriptors;
  const unsigned count = open_queues_.load(std::memory_order_acquire);
  for (unsigned i = 0; i < count; ++i) descriptors.push_back(queues_[i].load(std::memory_order_relaxed)->ready.get());
  return descriptors;
}

std::size_t Afxdp::receive(std::size_t index, std::span<flow::Packet> slots) {
  Queue* queue = index < most_queues ? queues_[index].load(std::memory_order_acquire) : nullptr;
  if (!queue) return 0;
  const Use use(*queue);
  if (!use.socket()) return 0;
  if (queue->retrying.load(std::memory_order_relaxed)) {
    std::uint64_t count;
    if (::read(queue->retry.get(), &count, sizeof count) > 0) {
      queue->retrying.store(false, std::memory_order_relaxed);
      kick(*queue, *use.socket());
    }
  }
  const std::size_t taken = use.socket()->receive(slots);
  if (from_this_host_.load(std::memory_order_relaxed))
    for (flow::Packet& packet : slots.first(taken)) find_unfinished_checksum(packet);
  return taken;
}

void Afxdp::send(std::span<flow::Packet* const> packets) {
  static std::atomic<unsigned> threads{0};
  static thread_local const unsigned thread = threads.fetch_add(1, std::memory_order_relaxed);
  const unsigned count = sending_queues_.load(std::memory_order_acquire);
  std::size_t dropped = packets.size();
  if (count != 0 && up_.load(std::memory_order_relaxed)) {
    // Always the same queue for a thread: what it sends stays in order.
    Queue& queue = *queues_[thread % count].load(std::memory_order_acquire);
    const Use use(queue);
    if (XskSocket* socket = use.socket()) {
      // Only others that send by this queue are waited for, while they copy a batch.
      for (unsigned spins = 0; queue.sending.test_and_set(std::memory_order_acquire);)
        if (++spins > spins_before_yield) ::sched_yield();
      const std::size_t sent = socket->send(packets, longest_frame_.load(std::memory_order_relaxed));
      queue.sending.clear(std::memory_order_release);
      dropped = packets.size() - sent;
      if (sent != 0) kick(queue, *socket);
    }
  }
  if (dropped != 0) tx_dropped_.fetch_add(dropped, std::memory_order_relaxed);
}

// What the device cannot take now, it is asked to take again soon, by whoever receives from this queue then.
void Afxdp::kick(Queue& queue, XskSocket& socket) {
  if (socket.kick() || !up_.load(std::memory_order_relaxed)) return;
  if (!queue.retrying.exchange(true, std::memory_order_relaxed)) queue.set_retry(retry_nanoseconds);
}

// ---- what it tells

XskLosses Afxdp::losses_of(const XskSocket& socket) const {
  XskLosses losses = socket.losses();
  // This driver counts what a socket did not take among what it dropped.
  if (mode_ != XdpMode::generic && link_.kind == veth) losses.received = 0;
  return losses;
}

Statistics Afxdp::to_statistics(const netlink::LinkCounters& counters) const {
  Statistics s = statistics_of(counters);
  XskLosses lost = lost_before_;
  const unsigned count = open_queues_.load(std::memory_order_relaxed);
  for (unsigned i = 0; i < count; ++i) {
    const XskLosses now = losses_of(*queues_[i].load(std::memory_order_relaxed)->owned);
    lost.received += now.received;
    lost.sent += now.sent;
  }
  *s.rx_dropped += lost.received;
  *s.tx_dropped += lost.sent + tx_dropped_.load(std::memory_order_relaxed);
  return s;
}

std::map<std::string, std::string> Afxdp::status() const {
  std::map<std::string, std::string> all = driver_status(state());
  const unsigned count = open_queues_.load(std::memory_order_relaxed);
  if (count == 0) return all;
  all["xdp-mode"] = name_of(mode_);
  all["use-need-wakeup"] = options_.need_wakeup ? "true" : "false";
  all["n_rxq"] = std::to_string(count);
  all["n_txq"] = std::to_string(sending_queues_.load(std::memory_order_relaxed));
  return all;
}

// What a sender on this host leaves to the interface, and nobody finds out.
void Afxdp::tell_what_is_lost() const {
  if (!from_this_host_.load(std::memory_order_relaxed)) return;
  if (mode_ == XdpMode::generic)
    log.warn("{}: in mode generic, TCP segments and VLAN tags that the other end leaves to its interface are lost; "
             "there, \"ethtool -K DEVICE tso off gso off txvlan off\" helps", name());
  else if (link_.kind == tun)
    log.warn("{}: TCP segments that a guest leaves to its interface are lost; in the guest, \"ethtool -K DEVICE tso "
             "off gso off\" helps, and the type system needs no such thing", name());
  else if (link_.kind == veth && !program_->restores_tags())
    log.warn("{}: VLAN tags that the other end leaves to its interface are lost, because this kernel is older than 6.8 "
             "or lacks CONFIG_DEBUG_INFO_BTF; there, \"ethtool -K DEVICE txvlan off\" helps", name());
}

bool has_afxdp() { return true; }

Result<std::unique_ptr<KernelDevice>> make_afxdp(std::string name, LinkTable& links, const Options& options) {
  OVS_TRY(const AfxdpOptions parsed, parse_afxdp_options(options));
  return std::unique_ptr<KernelDevice>(std::make_unique<Afxdp>(std::move(name), links, parsed));
}

}  // namespace ovs::netdev
