#include "rpc/connection.h"

#include <cerrno>
#include <optional>
#include <utility>

#include "base/coverage.h"
#include "base/log.h"

namespace ovs::rpc {

namespace {
LogModule log{"jsonrpc"};
Coverage bad_messages{"jsonrpc_bad_message"};
}  // namespace

struct Connection::Impl : std::enable_shared_from_this<Impl> {
  Impl(std::unique_ptr<runtime::Stream> s, Handler h, std::size_t max_bytes)
      : stream(std::move(s)),
        loop(stream->loop()),
        name(stream->name()),
        handler(std::move(h)),
        json(max_bytes),
        last(loop.now()) {}

  std::unique_ptr<runtime::Stream> stream;  // null once the connection has ended
  runtime::Loop& loop;
  std::string name;
  Handler handler;
  JsonStream json;
  std::function<bool(json::value&&)> sink;  // made once, since JsonStream takes a std::function
  runtime::TimePoint last;
  std::uint64_t received_count = 0;
  std::uint64_t sent_count = 0;
  bool ended = false;            // no handler is called any more
  std::optional<Error> refusal;  // why a message was refused

  void begin() {
    sink = [this](json::value&& v) { return take(std::move(v)); };
    stream->set_handler({
        .connected = nullptr,
        .received = [this](std::string_view bytes) { received(bytes); },
        .drained =
            [this] {
              auto keep = shared_from_this();
              if (!ended && handler.drained) handler.drained();
            },
        .closed = [this](Error error) { end(std::move(error)); },
    });
  }

  void received(std::string_view bytes) {
    auto keep = shared_from_this();
    last = loop.now();
    auto fed = json.feed(bytes, sink);
    if (ended || !stream) return;
    // A record of TLS begins with its type, 20 to 23, and a version 3.x.
    const bool tls = received_count == 0 && bytes.size() > 1 && bytes[0] >= 20 && bytes[0] <= 23 && bytes[1] == 3;
    if (!fed && tls) {
      return refuse("the peer speaks TLS, and this connection does not: ssl: goes with pssl:, tcp: with ptcp:");
    }
    if (!fed) return refuse("received bad JSON: " + fed.error().message);
    if (refusal) return refuse("received bad JSON-RPC message: " + refusal->message);
  }

  // Whether to go on with the next message.
  bool take(json::value&& v) {
    auto m = Message::from_json(std::move(v));
    if (!m) {
      refusal = std::move(m).error();
      return false;
    }
    received_count++;
    handler.message(std::move(*m));
    return !ended && stream;
  }

  void refuse(std::string reason) {
    static RateLimit limit;
    bad_messages.add();
    log.limited(limit, LogLevel::warn, "{}: {}", name, reason);
    end(Error{std::move(reason), EPROTO});
  }

  void end(Error error) {
    if (ended) return;
    auto keep = shared_from_this();
    ended = true;
    stream.reset();
    if (auto closed = std::move(handler.closed)) closed(std::move(error));
  }
};

Connection::Connection(std::unique_ptr<runtime::Stream> stream, Handler handler,
                       std::size_t max_message_bytes)
    : impl_(std::make_shared<Impl>(std::move(stream), std::move(handler), max_message_bytes)) {
  impl_->begin();
}

Connection::~Connection() {
  impl_->ended = true;
  impl_->stream.reset();
}

void Connection::send(std::string text) {
  if (!impl_->stream) return;
  impl_->sent_count++;
  impl_->stream->send(std::move(text));
}

void Connection::send(runtime::Buffer text) {
  if (!impl_->stream) return;
  impl_->sent_count++;
  impl_->stream->send(std::move(text));
}

void Connection::send_copy(std::string_view text) {
  if (!impl_->stream) return;
  impl_->sent_count++;
  impl_->stream->send_copy(text);
}

std::size_t Connection::backlog() const { return impl_->stream ? impl_->stream->backlog() : 0; }

void Connection::pause_reading(bool pause) {
  if (impl_->stream) impl_->stream->pause_reading(pause);
}

void Connection::close(std::string_view reason) {
  if (!impl_->stream) return;
  log.info("{}: closing: {}", impl_->name, reason);
  impl_->stream.reset();
  impl_->loop.post([weak = std::weak_ptr<Impl>(impl_), error = Error{std::string(reason), ECANCELED}] {
    if (auto impl = weak.lock()) impl->end(error);
  });
}

void Connection::finish() {
  if (impl_->stream) impl_->stream->finish();
}

const std::string& Connection::name() const { return impl_->name; }

runtime::TimePoint Connection::last_received() const { return impl_->last; }

std::uint64_t Connection::messages_received() const { return impl_->received_count; }

std::uint64_t Connection::messages_sent() const { return impl_->sent_count; }

}  // namespace ovs::rpc
