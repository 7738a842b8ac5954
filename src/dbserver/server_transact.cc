// Transactions of clients: execution in a round, the log, replies, transactions that wait.

#include <fmt/format.h>

#include <cerrno>

#include "base/check.h"
#include "base/coverage.h"
#include "base/log.h"
#include "dbserver/pending.h"
#include "dbserver/server.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_server"};
Coverage committed{"txn_success"};
Coverage failed{"txn_error"};
Coverage unchanged{"txn_unchanged"};
Coverage waited{"txn_wait"};

// The result of a transaction that could not be stored: one more element than operations
// (RFC 7047 section 4.1.3).
std::string with_error(std::string reply, const Error& error) {
  const bool full = error.code == ENOSPC || error.code == EDQUOT || error.code == EFBIG;
  OVS_CHECK(!reply.empty() && reply.back() == ']');
  reply.pop_back();
  if (reply.size() > 1) reply += ',';
  append_json(reply, ovsdb::DbError{full ? "resources exhausted" : "I/O error", error.message, {}}.to_json());
  reply += ']';
  return reply;
}

}  // namespace

TransactionContext Server::context_of(const Pending& pending) const {
  TransactionContext context;
  if (pending.client) {
    context.owns_lock = [this, id = pending.client->id()](std::string_view lock) { return locks_.owns(id, lock); };
    if (!pending.hosted->storage) {
      context.read_only = true;
      context.read_only_why = "on table in reserved database _Server";
    } else if (pending.client->options().read_only) {
      context.read_only = true;
      context.read_only_why = "when the remote is read-only";
    }
    context.may_wait = pending.wait_bytes != 0 || pending.client->may_wait();
  }
  context.elapsed_ms = (loop_.now() - pending.arrived).count();
  return context;
}

void Server::transact(Client& client, json::value&& params, std::string id_text) {
  Hosted* hosted = database_of(client, "transact", params, id_text);
  if (!hosted) return;
  Pending pending;
  pending.client = client.shared_from_this();
  pending.hosted = databases_.find(hosted->name())->second;
  pending.params = std::move(params);
  pending.id_text = std::move(id_text);
  pending.arrived = loop_.now();
  execute(std::move(pending));
}

void Server::change(Hosted& hosted, std::string_view operations) {
  Pending pending;
  pending.hosted = databases_.find(hosted.name())->second;
  auto parsed = parse_json(operations);
  OVS_CHECK(parsed.has_value() && parsed->is_array());
  pending.params = *std::move(parsed);
  pending.arrived = loop_.now();
  execute(std::move(pending));
}

void Server::execute(Pending pending) {
  schedule_end();
  if (execute_again(pending)) batch_.push_back(std::move(pending));
}

// False: it waits.
bool Server::execute_again(Pending& pending) {
  const std::int64_t begin = now_ns();
  Hosted& hosted = *pending.hosted;
  pending.transaction = std::make_unique<Transaction>(*hosted.database);
  const std::size_t first = pending.client ? 1 : 0;
  pending.outcome = pending.transaction->execute(pending.params.get_array(), first, context_of(pending));
  counters_.transactions++;
  if (pending.outcome == Outcome::committed) {
    if (const auto& change = pending.transaction->change()) {
      committed.add();
      if (hosted.storage) {
        const auto date = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.wall_now().time_since_epoch());
        const std::string record = record_text(*change, date.count(), pending.transaction->comment(), options_.diffs);
        pending.stored = !record.empty();
        if (pending.stored) hosted.storage->append(record);
      }
    } else {
      unchanged.add();
    }
  } else if (pending.outcome == Outcome::failed) {
    failed.add();
    counters_.failed++;
  } else {
    waited.add();
    counters_.waits++;
    wait_for_change(pending, pending.transaction->wait_ms());
  }
  counters_.execute_ns += static_cast<std::uint64_t>(now_ns() - begin);
  return pending.outcome != Outcome::waiting;
}

void Server::wait_for_change(Pending& pending, std::optional<std::int64_t> wait_ms) {
  OVS_CHECK(pending.client);
  pending.transaction = nullptr;
  if (pending.wait_bytes == 0) pending.wait_bytes = to_text(pending.params).size();
  std::shared_ptr<Hosted> hosted = pending.hosted;
  hosted->waiting.push_back(WaitingTransaction{WaitAccount(pending.client, pending.wait_bytes),
                                               std::move(pending.params), std::move(pending.id_text), pending.arrived,
                                               nullptr});
  if (!wait_ms) return;
  auto it = std::prev(hosted->waiting.end());
  it->timer = std::make_unique<runtime::Timer>(loop_, [this, hosted = hosted.get(), it] {
    Pending again = resumed(databases_.find(hosted->name())->second, std::move(*it));
    hosted->waiting.erase(it);
    execute(std::move(again));
  });
  // What is left of the time; a sum of two instants could overflow, for a client may wait 2^63 ms.
  it->timer->start(runtime::Duration(*wait_ms) - (loop_.now() - it->arrived));
}

Server::Pending Server::resumed(const std::shared_ptr<Hosted>& hosted, WaitingTransaction&& waiting) const {
  Pending again;
  again.client = waiting.account.client();
  again.hosted = hosted;
  again.params = std::move(waiting.params);
  again.id_text = std::move(waiting.id_text);
  again.arrived = waiting.arrived;
  again.wait_bytes = waiting.account.bytes();
  return again;
}

void Server::schedule_end() {
  if (end_scheduled_) return;
  end_scheduled_ = true;
  loop_.defer([this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    end_scheduled_ = false;
    end_round();
  });
}

void Server::end_round() {
  const std::int64_t begin = now_ns();
  // Waiting transactions that go on change the database in turn.
  do {
    flush_batch();
    retry_waiting();
  } while (!batch_.empty());
  counters_.rounds++;
  counters_.longest_round_ns = std::max(counters_.longest_round_ns, static_cast<std::uint64_t>(now_ns() - begin));
  served_ = 0;
}

void Server::flush_batch() {
  if (batch_.empty()) return;
  std::vector<Pending> batch = std::exchange(batch_, {});
  const std::int64_t begin = now_ns();
  std::vector<Hosted*> written;
  for (const Pending& pending : batch) {
    if (!pending.stored) continue;
    Hosted& hosted = *pending.hosted;
    if (std::find(written.begin(), written.end(), &hosted) != written.end()) continue;
    written.push_back(&hosted);
    if (auto flushed = hosted.storage->flush(); !flushed) redo(hosted, batch, std::move(flushed).error());
  }
  const std::int64_t flushed = now_ns();
  counters_.flush_ns += static_cast<std::uint64_t>(flushed - begin);
  for (Pending& pending : batch) deliver(pending);
  counters_.publish_ns += static_cast<std::uint64_t>(now_ns() - flushed);
  for (Hosted* hosted : written) compact_if_due(*hosted);
  if (batch_.empty()) {
    batch.clear();
    batch_ = std::move(batch);  // its memory serves again
  }
}

// The log could not be written: all transactions of the round in this database are taken back, and
// executed again one by one.
void Server::redo(Hosted& hosted, std::vector<Pending>& batch, Error error) {
  static RateLimit limit;
  log.limited(limit, LogLevel::err, "{}: {}", hosted.name(), error.message);
  for (auto it = batch.rbegin(); it != batch.rend(); ++it) {
    if (it->hosted.get() == &hosted && it->outcome == Outcome::committed) it->transaction->rollback();
  }
  for (Pending& pending : batch) {
    if (pending.hosted.get() != &hosted) continue;
    pending.stored = false;
    if (!execute_again(pending) || !pending.stored) continue;
    if (auto flushed = hosted.storage->flush(); !flushed) {
      pending.reply = with_error(pending.transaction->take_reply(), flushed.error());
      pending.transaction->rollback();
      pending.outcome = Outcome::failed;
      pending.stored = false;
    }
  }
}

// The transaction is in the log: monitors hear of it, and then its client.
void Server::deliver(Pending& pending) {
  if (pending.outcome == Outcome::waiting) return;  // after it was executed again
  std::string reply = pending.reply.empty() ? pending.transaction->take_reply() : std::move(pending.reply);
  bool durable = false;
  if (pending.outcome == Outcome::committed) {
    durable = pending.stored && pending.transaction->durable();
    const std::shared_ptr<const Change> change = pending.transaction->change();
    pending.transaction->confirm();
    if (change) publish(*pending.hosted, change);
  }
  if (!pending.client) return;
  Client& client = *pending.client;
  if (client.is_behind(*pending.hosted)) client.catch_up();
  if (!durable) {
    client.reply(pending.id_text, reply);
    return;
  }
  const std::uint64_t place = client.reserve();
  syncing_++;
  pending.hosted->storage->sync([this, alive = std::weak_ptr<bool>(alive_), client = pending.client, place,
                                 hosted = std::weak_ptr<Hosted>(pending.hosted), reply = std::move(reply),
                                 id_text = std::move(pending.id_text)](const Result<void>& result) mutable {
    if (alive.expired()) return;
    syncing_--;
    if (!result) {
      reply = with_error(std::move(reply), result.error());
      // What is on the disk is unknown now; a new file, written from memory, is known again.  It
      // begins with what is in the log, so what this round has done so far goes there first.
      flush_batch();
      if (auto present = hosted.lock(); present && !present->storage->compacting()) {
        present->storage->compact(present->database->snapshot(), "rewritten after a failed fsync", nullptr);
      }
    }
    client->settle(place, rpc::reply_text(reply, id_text));
  });
}

void Server::publish(Hosted& hosted, const std::shared_ptr<const Change>& change) {
  hosted.changed = true;
  if (hosted.monitors() > 0) {
    for (const auto& [id, client] : clients_) {
      if (!client->overloaded() && !client->is_behind(hosted)) continue;
      for (const auto& [id_text, monitor] : client->monitors()) {
        if (monitor->hosted != &hosted) continue;
        client->fall_behind(hosted, *change);
        break;
      }
    }
  }
  hosted.publish(change);
}

void Server::retry_waiting() {
  // A copy: an observer may add and remove databases.
  const auto databases = databases_;
  for (const auto& [name, hosted] : databases) {
    if (!std::exchange(hosted->changed, false)) continue;
    if (observer_) observer_(*hosted);
    std::list<WaitingTransaction> waiting = std::move(hosted->waiting);
    hosted->waiting.clear();
    for (WaitingTransaction& transaction : waiting) {
      Pending again = resumed(hosted, std::move(transaction));
      if (execute_again(again)) batch_.push_back(std::move(again));
    }
  }
}

void Server::compact_if_due(Hosted& hosted) {
  if (!hosted.storage->compaction_due() || !batch_.empty()) return;
  log.info("{}: compacting the database's file by itself", hosted.name());
  hosted.storage->compact(hosted.database->snapshot(), "compacting database online", nullptr);
}

}  // namespace ovs::dbserver
