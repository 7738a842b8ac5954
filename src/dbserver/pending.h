// Server::Pending: a transaction on its way from the request to the reply, within one round.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "dbserver/server.h"
#include "dbserver/transaction.h"

namespace ovs::dbserver {

struct Server::Pending {
  std::shared_ptr<Client> client;  // null: the server itself
  std::shared_ptr<Hosted> hosted;
  json::value params;              // kept, because it may have to be executed again
  std::string id_text;
  runtime::TimePoint arrived;
  std::unique_ptr<Transaction> transaction;
  Outcome outcome = Outcome::failed;
  bool stored = false;  // there is a record of it in the log or on its way there
  std::string reply;    // in place of the transaction's
};

}  // namespace ovs::dbserver
