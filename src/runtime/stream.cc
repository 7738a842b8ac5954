// Streams over sockets: the write queue, reading in turns, connecting.
#include "runtime/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "base/coverage.h"
#include "base/log.h"
#include "runtime/address.h"
#include "runtime/socket_stream.h"
#include "runtime/tls_stream.h"
#include "runtime/write_queue.h"

namespace ovs::runtime {

namespace {

Coverage stream_reads{"stream_read"};
Coverage stream_writes{"stream_write"};

constexpr std::size_t read_size = 64 * 1024;
// With more than this queued, send() writes at once instead of at the round's end.
constexpr std::size_t eager_size = 256 * 1024;
// How many bytes one stream may write before others get their turn.
constexpr std::size_t write_turn = 4 * 1024 * 1024;

// Everything of a stream; shared with the call under way, so that a handler may destroy the stream.
struct State : std::enable_shared_from_this<State> {
  State(Loop& l, std::string n) : loop(l), name(std::move(n)) {}
  ~State() { drop_socket(); }

  Loop& loop;
  std::string name;
  Stream::Handler handler;
  int fd = -1;
  bool connected = false;
  bool ended = false;      // closed was reported, or the stream was destroyed
  bool paused = false;
  bool finishing = false;
  bool reading = false;    // want_read() is under way
  bool writing = false;    // want_write() is under way: the socket is full
  bool had_backlog = false;
  bool heard = false;      // bytes came since the queue was last empty
  std::optional<Error> failure;  // found while writing; reported at the round's end
  WriteQueue queue;
  std::optional<Readiness> readiness;
  std::optional<RoundHook> flush_hook;

  // Connecting only.
  std::string unix_path;
  std::string connecting_to;  // the address now tried, for messages
  std::optional<UnixAddress> unix_address;
  std::vector<SocketAddress> addresses;  // not yet tried, last first
  std::optional<Lookup> lookup;
  std::optional<Timer> retry;

  void drop_socket() {
    readiness.reset();
    if (fd >= 0) ::close(fd);
    fd = -1;
  }

  void use_socket(int socket) {
    fd = socket;
    readiness.emplace(loop, fd, [this] { readable(); }, [this] { writable(); });
  }

  void become_connected() {
    connected = true;
    unix_address.reset();
    addresses.clear();
    retry.reset();
    lookup.reset();
    ask_to_read();
    if (!queue.empty() || finishing) schedule_flush();
  }

  // Gives the kernel what it takes now, the queue and then `bytes`, and ends the sending side.
  void send_last(std::string_view bytes) {
    if (ended || !connected || failure) return;
    queue.push_copy(bytes);
    write_some();
    shut_down();
  }

  void shut_down() {
    ::shutdown(fd, SHUT_WR);
    // TCP answers bytes that nobody read with a reset, which may overtake what was just sent.
    char unread[read_size];
    for (int i = 0; i < 16 && ::read(fd, unread, sizeof unread) > 0; i++) {
    }
  }

  void schedule_flush() {
    if (!flush_hook) flush_hook.emplace(loop, [this] { flush(); });
    // A peer that has asked for something waits for the answer; one that only listens does not.
    heard ? flush_hook->schedule_first() : flush_hook->schedule();
  }

  void ask_to_read() {
    if (!connected || ended || paused || finishing || reading || !handler.received) return;
    reading = true;
    readiness->want_read();
  }

  void end(Error error) {
    if (ended) return;
    auto keep = shared_from_this();
    ended = true;
    drop_socket();
    queue.clear();
    retry.reset();
    lookup.reset();
    if (auto closed = std::move(handler.closed)) closed(std::move(error));
  }

  // ---- reading

  void readable() {
    auto keep = shared_from_this();
    reading = false;
    if (ended || !connected || paused || finishing) return;
    read_once();
    ask_to_read();
  }

  // Reads once and hands the bytes over, or reports the end.  False if there was nothing to read.
  bool read_once() {
    char buffer[read_size];
    ssize_t n = ::read(fd, buffer, sizeof buffer);
    stream_reads.add();
    if (n > 0) {
      heard = true;
      handler.received(std::string_view(buffer, static_cast<std::size_t>(n)));
    } else if (n == 0) {
      end(Error{"connection closed by peer", 0});
    } else if (errno == EAGAIN) {
      return false;
    } else if (errno != EINTR) {
      end(system_error("receive", errno));
    }
    return true;
  }

  // ---- writing

  void queued() {
    had_backlog = true;
    if (queue.size() > eager_size && connected && !writing) write_some();
    schedule_flush();
  }

  // Writes until the queue is empty, the socket full or the turn over.  Calls no handler.
  void write_some() {
    if (failure || fd < 0) return;
    std::size_t turn = 0;
    while (!queue.empty()) {
      if (turn >= write_turn) return ask_to_write();
      std::array<iovec, WriteQueue::max_iov> iov;
      msghdr message{};
      message.msg_iov = iov.data();
      message.msg_iovlen = queue.fill(iov);
      // For a single piece, most often, send() is the shorter way through the kernel.
      constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
      ssize_t n = message.msg_iovlen == 1 ? ::send(fd, iov[0].iov_base, iov[0].iov_len, flags)
                                          : ::sendmsg(fd, &message, flags);
      stream_writes.add();
      if (n >= 0) {
        queue.pop(static_cast<std::size_t>(n));
        turn += static_cast<std::size_t>(n);
      } else if (errno == EAGAIN) {
        return ask_to_write();
      } else if (errno != EINTR) {
        failure = system_error("send", errno);
        return;
      }
    }
  }

  void ask_to_write() {
    if (writing) return;
    writing = true;
    readiness->want_write();
  }

  void flush() {
    if (ended || !connected) return;
    auto keep = shared_from_this();
    if (!writing) write_some();
    if (failure) {
      // What the peer sent before it went away (a reason, say) is still worth reading.
      queue.clear();
      while (!ended && !paused && !finishing && handler.received && read_once()) {
      }
      return end(std::move(*failure));
    }
    if (!queue.empty()) return;
    if (finishing) {
      shut_down();
      return end(Error{"connection finished", 0});
    }
    heard = false;
    if (had_backlog) {
      had_backlog = false;
      if (handler.drained) handler.drained();
    }
  }

  void writable() {
    auto keep = shared_from_this();
    writing = false;
    if (ended) return;
    connected ? flush() : connect_answered();
  }

  // ---- connecting

  void connect_unix() {
    auto address = UnixAddress::create(unix_path);
    if (!address) return end(std::move(address).error());
    unix_address.emplace(std::move(*address));
    int s = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) return end(system_error("socket", errno));
    const SocketAddress& a = unix_address->address();
    if (::connect(s, a.get(), a.size) == 0) {
      use_socket(s);
      return connection_made();
    }
    int error = errno;
    ::close(s);
    if (error == EAGAIN) {
      // The listener's queue is full and there is no way to wait for it but to ask again.
      if (!retry) retry.emplace(loop, [this] { connect_unix(); });
      return retry->start(Duration(10));
    }
    end(system_error(unix_path, error));
  }
  void connect_next(Error why) {
    auto keep = shared_from_this();
    drop_socket();
    if (addresses.empty()) return end(std::move(why));
    SocketAddress a = addresses.back();
    addresses.pop_back();
    int s = ::socket(a.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0) return connect_next(system_error("socket", errno));
    if (::connect(s, a.get(), a.size) == 0) {
      use_socket(s);
      return connection_made();
    }
    if (errno != EINPROGRESS) {
      int error = errno;
      ::close(s);
      return connect_next(system_error(a.to_string(), error));
    }
    connecting_to = a.to_string();
    use_socket(s);
    ask_to_write();
  }
  void connect_answered() {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return connect_next(system_error(connecting_to, error));
    connection_made();
  }

  void connection_made() {
    int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // fails for unix: no matter
    auto keep = shared_from_this();
    if (auto f = std::move(handler.connected)) f();
    if (!ended) become_connected();
  }

  void begin(const Endpoint& endpoint) {
    // From the loop, so that the caller has set its handler and expects the calls.
    std::weak_ptr<State> weak = weak_from_this();
    if (endpoint.kind == Endpoint::Kind::unix_socket) {
      unix_path = endpoint.path;
      loop.post([weak] {
        if (auto s = weak.lock(); s && !s->ended) s->connect_unix();
      });
      return;
    }
    if (auto a = numeric_address(endpoint.host, endpoint.port)) {
      addresses.push_back(*a);
      loop.post([weak] {
        if (auto s = weak.lock(); s && !s->ended) s->connect_next(Error{"no address", ENOENT});
      });
      return;
    }
    lookup.emplace(loop, endpoint.host, endpoint.port, [this](Result<std::vector<SocketAddress>> found) {
      if (ended) return;
      if (!found) return end(std::move(found).error());
      addresses.assign(found->rbegin(), found->rend());
      connect_next(Error{"no address", ENOENT});
    });
  }
};

class SocketStreamImpl final : public SocketStream {
 public:
  explicit SocketStreamImpl(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~SocketStreamImpl() override {
    state_->ended = true;
    state_->drop_socket();
    state_->queue.clear();
    state_->retry.reset();
    state_->flush_hook.reset();
  }

  void set_handler(Handler handler) override {
    state_->handler = std::move(handler);
    state_->ask_to_read();
  }
  void send(Buffer bytes) override {
    if (!takes_bytes()) return;
    state_->queue.push(std::move(bytes));
    state_->queued();
  }
  void send(std::string bytes) override {
    if (!takes_bytes()) return;
    state_->queue.push(std::move(bytes));
    state_->queued();
  }
  void send_copy(std::string_view bytes) override {
    if (!takes_bytes()) return;
    state_->queue.push_copy(bytes);
    state_->queued();
  }
  std::size_t backlog() const override { return state_->queue.size(); }
  void pause_reading(bool pause) override {
    state_->paused = pause;
    state_->ask_to_read();
  }
  void finish() override {
    if (state_->ended || state_->finishing) return;
    state_->finishing = true;
    state_->schedule_flush();
  }
  const std::string& name() const override { return state_->name; }
  Loop& loop() const override { return state_->loop; }
  void send_last(std::string_view bytes) override { state_->send_last(bytes); }

 private:
  bool takes_bytes() const { return !state_->ended && !state_->finishing && !state_->failure; }
  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<SocketStream> adopt_socket(Loop& loop, int fd, std::string name) {
  auto state = std::make_shared<State>(loop, std::move(name));
  state->use_socket(fd);
  state->become_connected();
  return std::make_unique<SocketStreamImpl>(std::move(state));
}

std::unique_ptr<SocketStream> connect_socket(Loop& loop, const Endpoint& endpoint, std::string name) {
  auto state = std::make_shared<State>(loop, std::move(name));
  state->begin(endpoint);
  return std::make_unique<SocketStreamImpl>(std::move(state));
}

Result<std::unique_ptr<Stream>> Stream::connect(Loop& loop, std::string_view name,
                                                std::uint16_t default_port) {
  OVS_TRY(Endpoint endpoint, parse_active(name, default_port));
  if (endpoint.tls) return connect_by_tls(loop, std::move(endpoint), std::string(name));
  return std::unique_ptr<Stream>(connect_socket(loop, endpoint, std::string(name)));
}

Result<void> Stream::check_name(std::string_view name) {
  OVS_TRY_DO(parse_active(name, default_database_port));
  return {};
}

}  // namespace ovs::runtime
