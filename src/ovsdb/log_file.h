// The log file: how a database is kept on disk (ovsdb(5)).
//
// A file is a sequence of records, each a header line and one JSON object on one line:
//
//     OVSDB JSON <length> <sha1 of the length bytes, 40 hex digits>\n
//     {...}\n                                    <length> bytes with the newline
//
// "OVSDB CLUSTER" in place of "OVSDB JSON" marks a clustered database.  The first record of a
// standalone database is its schema; every further one is a transaction (ovsdb/transaction_record.h).
//
// A record that is torn, or whose checksum is wrong, ends the file: what came before it is good.
// The reader reports it; the writer then truncates there before it appends.
//
// All file access goes through File, so that tests inject full disks and failing writes.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ovs::ovsdb {

// What the log needs of an operating system's file.
class File {
 public:
  virtual ~File() = default;
  virtual Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size) = 0;  // 0: end
  virtual Result<void> write_at(std::uint64_t offset, std::string_view data) = 0;             // all of it
  virtual Result<void> sync() = 0;                                                            // data is on the disk
  virtual Result<void> truncate(std::uint64_t size) = 0;
  virtual Result<std::uint64_t> size() = 0;
};

// The advisory lock of one database file, held as long as this lives.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  enum class Mode { read_only, read_write, create };  // create: fails if it exists
  // Takes the advisory lock (".NAME.~lock~" beside the file NAME, symbolic links resolved) that
  // keeps other writers away; the error says which process holds it.  The lock belongs to the name:
  // it stays while a compacted file is renamed to it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
  // `lock`: takes the lock for as long as the File lives.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Mode mode, bool lock) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;  // and syncs the folder
  virtual Result<void> remove(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  // Gives `to` the owner and the permissions of `from`, as far as this process may: a file that
  // takes another's place serves the same users.
  virtual Result<void> copy_owner(const std::string& from, const std::string& to) {
    (void)from, (void)to;
    return {};
  }

  static FileSystem& os();  // the real one
};

// The file beside `path`, symbolic links resolved, whose lock the real one takes.
std::string lock_file_of(const std::string& path);

enum class StorageModel { standalone, clustered };

// One record's text, header line included, ready to append.
std::string log_record(std::string_view json_text, StorageModel model = StorageModel::standalone);

class LogReader {
 public:
  explicit LogReader(File& file);
  ~LogReader();

  // The next record, or nothing at the end of the good part.  An error only where the file cannot
  // be read, or is no database at all (the first record).
  Result<std::optional<json::value>> next();

  StorageModel model() const;        // known after the first record
  std::uint64_t offset() const;      // the end of the last good record
  std::uint64_t record_offset() const;  // where the last good record began
  // Why reading stopped before the file's end; empty if it did not.
  const std::string& damage() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ovs::ovsdb
