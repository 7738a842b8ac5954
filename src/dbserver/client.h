// Client: one connection to the server: its monitors, what waits to be sent to it, its health.
//
// Order.  What is sent to a client leaves in the order in which it came about, updates before the
// reply to the transaction that caused them.  The reply to a durable transaction waits for the
// disk, and so does all that comes after it, for this client alone.
//
// A client that does not read.  When too much waits for it, the server reads no further requests
// of it and queues no further updates: the changes are merged row by row instead, so that what
// is kept for it cannot grow beyond the size of the database, and it gets them as one update as soon as it
// has read what was queued.  One that makes no progress for two probe intervals is dropped.
//
// Thread safety: belongs to the server's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "dbserver/change.h"
#include "dbserver/hosted.h"
#include "dbserver/monitor.h"
#include "rpc/connection.h"
#include "runtime/loop.h"

namespace ovs::dbserver {

class Client;
class Server;

struct ActiveMonitor {
  Client* client;
  Hosted* hosted;
  std::string id_text;
  std::shared_ptr<SharedShape> shape;
};

struct ClientOptions {
  runtime::Duration probe_interval{5000};  // 0: never
  bool read_only = false;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Server& server, std::uint64_t id, std::unique_ptr<runtime::Stream> stream, ClientOptions options,
         std::function<void(const Error&)> closed);
  ~Client();

  std::uint64_t id() const { return id_; }
  const std::string& name() const { return name_; }
  const ClientOptions& options() const { return options_; }
  void set_options(ClientOptions options);
  bool open() const { return connection_ != nullptr; }

  // Sending, in order.
  void send(std::string text);
  void send(runtime::Buffer text);
  void reply(std::string_view id_text, std::string_view result_text);
  void error(std::string_view id_text, std::string_view error_text);
  // A place in the order for a reply that comes later; settle() fills it.
  std::uint64_t reserve();
  void settle(std::uint64_t place, std::string text);

  void finish();                         // sends what waits, then closes
  void close(std::string_view reason);   // closes now
  void abandon();                        // at the server's end: keeps nothing of it or of the loop
  std::size_t backlog() const;

  // Monitors, by the text of their id.
  std::map<std::string, std::unique_ptr<ActiveMonitor>, std::less<>>& monitors() { return monitors_; }
  void add_monitor(std::unique_ptr<ActiveMonitor> monitor);
  void remove_monitor(std::string_view id_text);
  void remove_monitors();

  // Updates of a client that does not read.
  bool is_behind(const Hosted& hosted) const { return !behind_.empty() && behind_.contains(&hosted); }
  bool overloaded() const;
  void fall_behind(const Hosted& hosted, const Change& change);
  void catch_up();

  // Requests that wait for their turn.
  void run_requests();
  bool has_requests() const { return !requests_.empty(); }

  // Transactions that wait (WaitAccount): how many, and the length of their text.  Each is executed
  // again at every change of its database, and may wait for ever.
  std::size_t waits = 0, wait_bytes = 0;
  bool may_wait() const;

  bool db_change_aware = false;
  std::set<std::string> locks_lost;  // which others have stolen, until they are its own again or given up
  bool probing() const { return probe_sent_; }  // waits for the answer to a probe

 private:
  struct Waiting {
    std::uint64_t place = 0;  // not 0: reserved, not settled
    runtime::Buffer text;
  };

  void received(rpc::Message&& message);
  void ended(const Error& error);
  void drained();
  void check_health();
  void start_probe_timer();
  void update_reading();

  Server& server_;
  std::uint64_t id_;
  std::string name_;
  ClientOptions options_;
  std::function<void(const Error&)> closed_;
  std::unique_ptr<rpc::Connection> connection_;

  std::deque<Waiting> waiting_;  // behind a reply that is not there yet
  std::size_t waiting_bytes_ = 0;
  std::uint64_t last_place_ = 0;

  std::map<std::string, std::unique_ptr<ActiveMonitor>, std::less<>> monitors_;
  std::map<const Hosted*, MergedChange> behind_;

  std::deque<rpc::Message> requests_;
  bool reading_paused_ = false;

  runtime::Timer probe_timer_;
  bool probe_sent_ = false;
  runtime::TimePoint probe_at_;
  std::size_t backlog_at_probe_ = 0;
};

}  // namespace ovs::dbserver
