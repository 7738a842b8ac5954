#include "runtime/tls_stream.h"

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "runtime/tls_config.h"
#include "runtime/tls_context.h"
#include "runtime/tls_session.h"
#include "runtime/write_queue.h"

namespace ovs::runtime {

namespace {

LogModule log{"stream_ssl"};

// How long a peer may take for the handshake.
constexpr Duration handshake_time{15000};
// How many handshakes of a listener may be under way.
constexpr std::size_t max_handshakes = 256;
// How many encrypted bytes may wait for the socket; the others wait as they are.
constexpr std::size_t ahead = 256 * 1024;
// How much is encrypted at a time.
constexpr std::size_t piece = 64 * 1024;
// How many bytes one stream may encrypt before others get their turn.
constexpr std::size_t write_turn = 1024 * 1024;
constexpr std::size_t read_size = 64 * 1024;
// How many encrypted bytes may wait before the peer is one that makes TLS itself answer (by asking for new keys, again
// and again) and does not read: more than flush() ever leaves there.
constexpr std::size_t most_unread = 2 * ahead;

using Role = TlsSession::Role;

// Everything of a stream; shared with the call under way, so that a handler may destroy the stream.
struct State : std::enable_shared_from_this<State> {
  State(Loop& l, std::string n, Role r)
      : loop(l), name(std::move(n)), role(r), timer(l, [this] { too_slow(); }), flush_hook(l, [this] { flush(); }) {}

  Loop& loop;
  std::string name;
  Role role;
  Endpoint endpoint;  // a client's
  std::shared_ptr<TlsConfig> config;
  std::unique_ptr<SocketStream> socket;
  std::unique_ptr<TlsSession> session;
  Stream::Handler handler;
  WriteQueue queue;          // not yet encrypted
  bool connected = false;    // the owner was told
  bool ended = false;        // closed was reported, or the stream was destroyed
  bool paused = false;
  bool finishing = false;
  bool had_backlog = false;
  bool resuming = false;     // pump() was posted
  bool resting = false;      // flush() was posted, since others have their turn
  bool again = false;        // the second connection, with the CA's certificate that the first one brought
  Timer timer;               // of the handshake
  RoundHook flush_hook;

  // ---- beginning

  void connect() {
    const std::weak_ptr<State> weak = weak_from_this();
    if (auto ready = check_tls(loop); !ready) {
      // No errno value says what is wrong.
      loop.post([weak, error = Error{std::move(ready).error().message}] {
        if (auto s = weak.lock()) s->end(error);
      });
      return;
    }
    config = tls_config_of(loop);
    session.reset();
    socket = connect_socket(loop, endpoint, name);
    take_socket();
  }

  void take_socket() {
    socket->set_handler({
        .connected = [this] { begin(); },
        .received = [this](std::string_view bytes) { received(bytes); },
        .drained = [this] { flush(); },
        .closed = [this](Error error) { socket_closed(std::move(error)); },
    });
  }

  void begin() {
    auto keep = shared_from_this();
    auto context = config->current();
    if (!context) return end(Error{std::move(context).error().message});
    const bool numeric = numeric_address(endpoint.host, 0).has_value();
    session = std::make_unique<TlsSession>(*std::move(context), role, numeric ? std::string() : endpoint.host);
    timer.start(handshake_time);
    pump();
  }

  void too_slow() {
    auto keep = shared_from_this();
    end(Error{fmt::format("no TLS handshake within {} s",
                          std::chrono::duration_cast<std::chrono::seconds>(handshake_time).count())});
  }

  void shaken() {
    timer.cancel();
    if (session->context().bootstrapping) return take_root();
    log.dbg("{}: {}", name, session->description());
    connected = true;
    hold_socket();
    if (auto f = std::move(handler.connected)) f();
    if (!ended && (!queue.empty() || finishing)) flush_hook.schedule();
  }

  // The first connection is there for the peer's CA's certificate alone.
  void take_root() {
    const std::string file = session->context().ca_cert;
    auto root = session->peer_root();
    if (!root) return end(std::move(root).error());
    auto written = write_new_file(file, *root);
    if (!written && written.error().code != EEXIST) return end(Error{std::move(written).error().message});
    if (written) {
      log.info("{}: took the CA's certificate from the peer, {}, and wrote it to {}; peers are verified from now on",
               name, session->description(), file);
    }
    if (role == Role::server) {
      return end(
          Error{fmt::format("the CA's certificate was taken from this peer into {}; it has to connect again", file)});
    }
    if (again) return end(Error{fmt::format("{}: the CA's certificate does not stay there", file)});
    again = true;
    send_last();
    session.reset();
    socket.reset();
    connect();
  }

  // ---- the peer speaks

  void received(std::string_view bytes) {
    if (ended || !session) return;
    session->feed(bytes);
    pump();
  }

  // Goes on with what was fed, until there is nothing left that the owner wants.
  void pump() {
    if (ended || !session) return;
    auto keep = shared_from_this();
    if (!session->established()) {
      session->shake_hands();
      if (session->failure()) return fail();
      send_output();
      if (!session->established()) return;
      shaken();
    }
    while (wants_bytes()) {
      char buffer[read_size];
      const std::size_t n = session->read(buffer);
      send_output();
      if (socket->backlog() > most_unread) return end(Error{"the peer asks for answers and does not read them"});
      if (n > 0) handler.received(std::string_view(buffer, n));
      if (ended) return;
      if (n < sizeof buffer) break;
    }
    if (!session || ended) return;
    if (session->failure()) return fail();
    if (session->peer_closed()) return end(Error{"connection closed by peer", 0});
  }

  bool wants_bytes() const { return !ended && connected && session && handler.received && !paused && !finishing; }

  // What the owner does not want to read stays in the socket, or, if it was decrypted together with what it wanted, in
  // the session.
  void hold_socket() {
    if (socket && connected) socket->pause_reading(!handler.received || paused || finishing);
    if (!wants_bytes() || resuming || !session->has_unread()) return;
    resuming = true;
    loop.post([weak = weak_from_this()] {
      if (auto s = weak.lock()) {
        s->resuming = false;
        s->pump();
      }
    });
  }

  void socket_closed(Error error) {
    auto keep = shared_from_this();
    if (ended) return;
    if (connected) {
      pump();
    } else if (session) {
      error = Error{fmt::format("the peer ended the connection in the middle of the TLS handshake{}{}",
                                error.code == 0 ? "" : " (" + error.message + ")",
                                role == Role::client ? "; is this a ptcp: port, or does its log say why?" : "")};
    }
    end(std::move(error));
  }

  // ---- we speak

  void send_output() {
    if (std::string bytes = session->take_output(); !bytes.empty()) socket->send(std::move(bytes));
  }

  void queued() {
    had_backlog = true;
    if (connected) flush_hook.schedule();
  }

  // Encrypts what the socket has room for.
  void flush() {
    if (ended || !connected || resting) return;
    auto keep = shared_from_this();
    std::size_t turn = 0;
    while (!queue.empty() && socket->backlog() < ahead) {
      if (turn >= write_turn) return rest();
      const std::string_view part = queue.front().substr(0, piece);
      const std::size_t size = part.size();
      session->write(part);
      if (session->failure()) return fail();
      queue.pop(size);
      turn += size;
      send_output();
    }
    if (!queue.empty()) return;
    if (finishing) {
      session->close();
      send_output();
      return socket->finish();
    }
    if (had_backlog && socket->backlog() == 0) {
      had_backlog = false;
      if (handler.drained) handler.drained();
    }
  }

  // A peer that reads as fast as we write does not keep us from others.
  void rest() {
    resting = true;
    loop.post([weak = weak_from_this()] {
      if (auto s = weak.lock()) {
        s->resting = false;
        s->flush();
      }
    });
  }

  // ---- the end

  // What the session has to say is said at once: an alert tells the peer why.
  void send_last() {
    if (!session || !socket) return;
    if (connected && !session->failure() && queue.empty() && socket->backlog() == 0) session->close();
    if (const std::string bytes = session->take_output(); !bytes.empty()) socket->send_last(bytes);
  }

  void fail() { end(Error(*session->failure())); }

  void end(Error error) {
    if (ended) return;
    auto keep = shared_from_this();
    ended = true;
    send_last();
    clear();
    if (auto closed = std::move(handler.closed)) closed(std::move(error));
  }

  void clear() {
    timer.cancel();
    queue.clear();
    socket.reset();
    session.reset();
  }
};

class TlsStream final : public Stream {
 public:
  explicit TlsStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~TlsStream() override {
    if (state_->ended) return;
    state_->ended = true;
    state_->send_last();
    state_->clear();
  }

  void set_handler(Handler handler) override {
    state_->handler = std::move(handler);
    state_->hold_socket();
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
  std::size_t backlog() const override {
    return state_->queue.size() + (state_->connected && state_->socket ? state_->socket->backlog() : 0);
  }
  void pause_reading(bool pause) override {
    state_->paused = pause;
    state_->hold_socket();
  }
  void finish() override {
    if (state_->ended || state_->finishing) return;
    state_->finishing = true;
    if (state_->connected) state_->flush_hook.schedule();
  }
  const std::string& name() const override { return state_->name; }
  Loop& loop() const override { return state_->loop; }

 private:
  bool takes_bytes() const { return !state_->ended && !state_->finishing; }
  std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Stream> connect_by_tls(Loop& loop, Endpoint endpoint, std::string name) {
  auto state = std::make_shared<State>(loop, std::move(name), Role::client);
  state->endpoint = std::move(endpoint);
  state->connect();
  return std::make_unique<TlsStream>(std::move(state));
}

struct TlsHandshakes::Impl {
  std::string listener;
  std::shared_ptr<TlsConfig> config;
  std::function<void(std::unique_ptr<Stream>)> done;
  std::list<std::unique_ptr<Stream>> streams;  // the oldest first
};

TlsHandshakes::TlsHandshakes(std::string listener, std::shared_ptr<TlsConfig> config,
                             std::function<void(std::unique_ptr<Stream>)> done)
    : impl_(std::make_shared<Impl>(Impl{std::move(listener), std::move(config), std::move(done), {}})) {}

TlsHandshakes::~TlsHandshakes() = default;

void TlsHandshakes::add(std::unique_ptr<SocketStream> socket) {
  static RateLimit limit;
  auto state = std::make_shared<State>(socket->loop(), socket->name(), Role::server);
  state->config = impl_->config;
  state->socket = std::move(socket);
  if (impl_->streams.size() == max_handshakes) {
    log.limited(limit, LogLevel::warn, "{}: {}: too many peers are in their TLS handshake; the oldest has to go",
                impl_->listener, impl_->streams.front()->name());
    impl_->streams.pop_front();
  }
  const auto at = impl_->streams.insert(impl_->streams.end(), std::make_unique<TlsStream>(state));
  const std::weak_ptr<Impl> weak = impl_;
  (*at)->set_handler({
      .connected =
          [weak, at] {
            const auto impl = weak.lock();
            if (!impl) return;
            auto stream = std::move(*at);
            impl->streams.erase(at);
            // Not a word to us any more, even if nobody listens to the stream yet.
            stream->set_handler({});
            impl->done(std::move(stream));
          },
      .received = nullptr,
      .drained = nullptr,
      .closed =
          [weak, at](const Error& error) {
            const auto impl = weak.lock();
            if (!impl) return;
            log.limited(limit, LogLevel::warn, "{}: {}: {}", impl->listener, (*at)->name(), error.message);
            impl->streams.erase(at);
          },
  });
  state->take_socket();
  state->begin();
}

}  // namespace ovs::runtime
