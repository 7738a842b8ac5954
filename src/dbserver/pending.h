// What the files of Server share: Server::Pending, a transaction on its way from the request to the
// reply, within one round; and the time by which work is measured.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/json.h"
#include "dbserver/server.h"
#include "dbserver/transaction.h"

namespace ovs::dbserver {

inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Server::Pending {
  std::shared_ptr<Client> client;  // null: the server itself
  std::shared_ptr<Hosted> hosted;
  json::value params;              // kept, because it may have to be executed again
  std::string id_text;
  runtime::TimePoint arrived;
  std::unique_ptr<Transaction> transaction;
  Outcome outcome = Outcome::failed;
  std::size_t wait_bytes = 0;  // not 0: it has waited before; the length of its text
  bool stored = false;  // there is a record of it in the log or on its way there
  std::string reply;    // in place of the transaction's
};

}  // namespace ovs::dbserver
