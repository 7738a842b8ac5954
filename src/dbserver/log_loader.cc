#include "dbserver/log_loader.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace ovs::dbserver {

namespace {

// What one record is once it is read.
struct Record {
  json::value value;
  std::uint64_t end = 0;
};

using Batch = std::vector<Record>;
constexpr std::size_t batch_size = 128;
constexpr std::size_t batches_ahead = 16;
constexpr std::uint64_t small_file = 1 << 20;  // where a thread costs more than it saves

// Batches of records from the thread that reads to the one that applies.
class Queue {
 public:
  // False: the taker has gone.
  bool put(Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return batches_.size() < batches_ahead || cancelled_; });
    if (cancelled_) return false;
    batches_.push_back(std::move(batch));
    changed_.notify_all();
    return true;
  }
  void finish(std::optional<Error> error) {
    std::lock_guard lock(mutex_);
    error_ = std::move(error);
    finished_ = true;
    changed_.notify_all();
  }
  // Nothing: the end.
  std::optional<Batch> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !batches_.empty() || finished_; });
    if (batches_.empty()) return {};
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    changed_.notify_all();
    return batch;
  }
  void cancel() {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  std::optional<Error> take_error() {
    std::lock_guard lock(mutex_);
    return std::move(error_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> batches_;
  std::optional<Error> error_;
  bool finished_ = false, cancelled_ = false;
};

void read_ahead(ovsdb::LogReader& reader, Queue& queue) {
  Batch batch;
  batch.reserve(batch_size);
  for (;;) {
    auto next = reader.next();
    if (!next) {
      queue.finish(std::move(next).error());
      return;
    }
    if (!*next) break;
    batch.push_back(Record{std::move(**next), reader.offset()});
    if (batch.size() == batch_size) {
      if (!queue.put(std::exchange(batch, {}))) return;
      batch.reserve(batch_size);
    }
  }
  if (!batch.empty() && !queue.put(std::move(batch))) return;
  queue.finish({});
}

Result<void> apply(LoadedLog& log, const Record& record) {
  auto applied = log.database->replay(record.value);
  if (!applied) {
    return unexpected(fmt::format("transaction {}: {}", log.transactions + 1, applied.error().to_string()));
  }
  log.transactions++;
  log.end = record.end;
  return {};
}

Result<void> apply_all_threaded(LoadedLog& log, ovsdb::LogReader& reader) {
  Queue queue;
  std::thread thread([&] { read_ahead(reader, queue); });
  Result<void> result;
  while (auto batch = queue.take()) {
    for (const Record& record : *batch) {
      result = apply(log, record);
      if (!result) break;
    }
    if (!result) break;
  }
  queue.cancel();
  thread.join();
  if (!result) return result;
  if (auto error = queue.take_error()) return Unexpected{*std::move(error)};
  return {};
}

Result<void> apply_all(LoadedLog& log, ovsdb::LogReader& reader) {
  for (;;) {
    OVS_TRY(auto next, reader.next());
    if (!next) return {};
    OVS_TRY_DO(apply(log, Record{std::move(*next), reader.offset()}));
  }
}

}  // namespace

Result<LoadedLog> load_log(ovsdb::File& file) {
  ovsdb::LogReader reader(file);
  OVS_TRY(auto first, reader.next());
  if (!first) return unexpected(reader.damage().empty() ? "the file is empty, not a database" : reader.damage());
  if (reader.model() == ovsdb::StorageModel::clustered) {
    return unexpected("this is a clustered database, which is not supported yet");
  }
  auto schema = ovsdb::DatabaseSchema::from_json(*first);
  if (!schema) return unexpected("schema: " + schema.error().to_string());
  LoadedLog log;
  log.database = std::make_unique<Database>(*std::move(schema));
  log.end = reader.offset();
  OVS_TRY(const std::uint64_t size, file.size());
  if (size < small_file) {
    OVS_TRY_DO(apply_all(log, reader));
  } else {
    OVS_TRY_DO(apply_all_threaded(log, reader));
  }
  log.damage = reader.damage();
  if (auto finished = log.database->finish_loading(); !finished) return unexpected(finished.error().to_string());
  return log;
}

}  // namespace ovs::dbserver
