// Storage: keeps one database in a log file (ovsdb(5)).
//
// Appending.  append() queues records; flush() writes all of them with one write, or none: after a
// failure the file is cut back to its last good record, and the caller takes the transactions
// back.  sync() tells when everything flushed so far is on the disk; one fsync, in a thread of its
// own, serves all who ask meanwhile (group commit).
//
// Compaction writes the rows of a snapshot into a new file in another thread, while transactions go
// on being appended to the old one and are remembered; these follow into the new file, and only a
// complete, synchronised new file is renamed to the old one's name.  So at any instant one whole
// file with every flushed record carries the name.
//
// A torn record at the end of the file is cut off before the first append, not before: reading a
// damaged file does not change it.
//
// A clustered database will keep its log behind the same interface.
//
// Thread safety: belongs to its Loop's thread.  File::sync() is called in another thread beside
// File::write_at() in this one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dbserver/database.h"
#include "ovsdb/log_file.h"
#include "runtime/loop.h"

namespace ovs::dbserver {

class Storage {
 public:
  struct Opened;
  // Locks and loads the file.
  static Result<Opened> open(runtime::Loop& loop, ovsdb::FileSystem& files, const std::string& path);
  ~Storage();  // synchronises only if somebody waits for it
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const std::string& path() const;
  std::uint64_t size() const;  // of the good part, in bytes
  // Why the last write or fsync failed; null if it did not.
  const Error* problem() const;

  void append(std::string_view record);
  // The error's code is an errno value, such as ENOSPC.
  Result<void> flush();
  // `done` is called later, on the loop's thread.
  void sync(std::function<void(const Result<void>&)> done);

  // Whether the file has grown so much that it should be compacted by itself: twice its size after
  // the last compaction and 10 MB, and 100 transactions or 10 minutes since then; or 24 hours and
  // 100 transactions.
  bool compaction_due() const;
  bool compacting() const;
  // Everything must be flushed, and `snapshot` what the file holds.  `done` is called later.
  void compact(Snapshot snapshot, std::string comment, std::function<void(const Result<void>&)> done);
  // Replaces the file at once by one that holds `snapshot`, which may have another schema; waits for
  // the disk.  A compaction under way is given up.
  Result<void> replace(const Snapshot& snapshot, std::string_view comment);

 private:
  struct Impl;
  explicit Storage(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

struct Storage::Opened {
  std::unique_ptr<Storage> storage;
  std::unique_ptr<Database> database;
};

}  // namespace ovs::dbserver
