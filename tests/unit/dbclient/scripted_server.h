// A database server that says what a test tells it to, in the same process and event loop.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "rpc/connection.h"
#include "runtime/loop.h"
#include "runtime/stream.h"

namespace ovs::dbclient {

class ScriptedServer {
 public:
  struct Request {
    std::string method, params, id;
  };

  explicit ScriptedServer(runtime::Loop& loop) : loop_(loop) {
    char folder[] = "/tmp/dbclient-XXXXXX";
    folder_ = ::mkdtemp(folder);
    listen();
  }
  ~ScriptedServer() {
    connection_.reset();
    listener_.reset();
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }

  std::string remote() const { return "unix:" + path(); }
  bool has_connection() const { return connection_ != nullptr; }
  std::size_t connections() const { return connections_; }
  std::deque<Request> requests;

  // Waits for the next request and checks its method.
  Request expect(std::string_view method) {
    EXPECT_TRUE(loop_.run_until([this] { return !requests.empty(); }, runtime::Duration{5000}))
        << "no request; expected " << method;
    if (requests.empty()) return {};
    Request r = std::move(requests.front());
    requests.pop_front();
    EXPECT_EQ(r.method, method);
    return r;
  }
  void reply(const Request& request, std::string_view result) {
    connection_->send(rpc::reply_text(result, request.id));
  }
  void refuse(const Request& request, std::string_view error) {
    connection_->send(rpc::error_text(error, request.id));
  }
  void notify(std::string_view method, std::string_view params) {
    connection_->send(rpc::notification_text(method, params));
  }
  void drop() { connection_.reset(); }

 private:
  std::string path() const { return folder_ + "/sock"; }

  void listen() {
    auto listener = runtime::Listener::listen(loop_, "punix:" + path(), [this](std::unique_ptr<runtime::Stream> s) {
      connections_++;
      rpc::Connection::Handler handler;
      handler.message = [this](rpc::Message&& m) {
        requests.push_back({m.method, to_text(m.params), to_text(m.id)});
      };
      handler.closed = [this](Error) { loop_.post([this] { connection_.reset(); }); };
      connection_ = std::make_unique<rpc::Connection>(std::move(s), std::move(handler));
    });
    ASSERT_TRUE(listener) << listener.error().message;
    listener_ = std::move(*listener);
  }

  runtime::Loop& loop_;
  std::string folder_;
  std::unique_ptr<runtime::Listener> listener_;
  std::unique_ptr<rpc::Connection> connection_;
  std::size_t connections_ = 0;
};

}  // namespace ovs::dbclient
