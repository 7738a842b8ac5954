#include "dbserver/storage.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <optional>

#include "base/check.h"
#include "base/coverage.h"
#include "base/json.h"
#include "base/log.h"
#include "base/paths.h"
#include "dbserver/log_loader.h"
#include "dbserver/worker.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_storage"};
Coverage log_writes{"ovsdb_log_write"};
Coverage log_syncs{"ovsdb_log_sync"};
Coverage compactions{"ovsdb_compaction"};

constexpr std::uint64_t compaction_min_size = 10'000'000;
constexpr std::uint64_t compaction_min_commits = 100;
constexpr runtime::Duration compaction_min_time = std::chrono::minutes(10);
constexpr runtime::Duration compaction_max_time = std::chrono::hours(24);
// Records that came during compaction are copied in the other thread while they are more than this.
constexpr std::size_t small_tail = 1 << 16;

std::int64_t wall_ms(const runtime::Loop& loop) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(loop.wall_now().time_since_epoch()).count();
}

// The name that a symbolic link leads to, so that the link stays.
std::string resolved(const std::string& path) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

// An error that says what to do where there is no file.
Result<void> must_exist(ovsdb::FileSystem& files, const std::string& path) {
  const auto opened = files.open(path, ovsdb::FileSystem::Mode::read_only, false);
  if (opened) return {};
  if (opened.error().code != ENOENT) return Unexpected{opened.error()};
  const bool of_the_switch = std::filesystem::path(path).filename() == "conf.db";
  return unexpected(fmt::format("{}: there is no such database; create it with \"ovsdb-tool create {} {}\"", path, path,
                                of_the_switch ? path_below(pkgdatadir(), "vswitch.ovsschema") : "SCHEMA"),
                    ENOENT);
}

std::string whole_file(const Snapshot& snapshot, std::int64_t date_ms, std::string_view comment) {
  std::string text = ovsdb::log_record(to_text(json::value(snapshot.schema->to_json())));
  bool rows = false;
  for (const auto& table : snapshot.tables) rows = rows || !table.rows.empty();
  if (rows) text += ovsdb::log_record(snapshot_record(snapshot, date_ms, comment));
  return text;
}

// Reads a file from `from` to its end, block by block, and calls f(block) while that returns true.
template <class F>
Result<void> read_blocks(ovsdb::File& file, std::uint64_t from, F f) {
  std::string block(std::size_t{1} << 20, '\0');
  for (;;) {
    OVS_TRY(const std::size_t n, file.read_at(from, block.data(), block.size()));
    if (n == 0) return {};
    OVS_TRY(const bool more, f(std::string_view(block.data(), n)));
    if (!more) return {};
    from += n;
  }
}

Result<bool> has_record_behind(ovsdb::File& file, std::uint64_t from) {
  constexpr std::string_view mark = "\nOVSDB JSON ";
  std::string seen;  // the end of the last block, for a mark that is cut in two, and this block
  bool found = false;
  OVS_TRY_DO(read_blocks(file, from, [&](std::string_view block) -> Result<bool> {
    if (seen.size() >= mark.size()) seen.erase(0, seen.size() - (mark.size() - 1));
    seen += block;
    found = seen.find(mark) != std::string::npos;
    return !found;
  }));
  return found;
}

// What stands behind a damaged place is cut off when the file is next written.  Behind a torn last
// record, which is what a crash leaves, there is nothing; but where records follow that are whole
// or look so, the damage is of another kind, and what they say is kept in a file beside: it is the
// only copy.  Returns that file's name, or nothing where it was not needed.
Result<std::optional<std::string>> keep_records_behind(ovsdb::FileSystem& files, ovsdb::File& file,
                                                       const std::string& path, std::uint64_t from) {
  OVS_TRY(const bool found, has_record_behind(file, from));
  if (!found) return std::optional<std::string>();
  std::string kept = path + ".damaged";
  for (int n = 1; files.exists(kept); n++) kept = fmt::format("{}.damaged.{}", path, n);
  OVS_TRY(auto copy, files.open(kept, ovsdb::FileSystem::Mode::create, false));
  std::uint64_t end = 0;
  Result<void> copied = read_blocks(file, from, [&](std::string_view block) -> Result<bool> {
    OVS_TRY_DO(copy->write_at(end, block));
    end += block.size();
    return true;
  });
  if (copied) copied = copy->sync();
  if (!copied) {
    if (auto removed = files.remove(kept); !removed) log.warn("{}", removed.error().message);
    return Unexpected{std::move(copied).error()};
  }
  return std::optional<std::string>(std::move(kept));
}

}  // namespace

struct Storage::Impl : std::enable_shared_from_this<Storage::Impl> {
  Impl(runtime::Loop& l, ovsdb::FileSystem& f, std::string p) : loop(l), files(f), path(std::move(p)) {}
  ~Impl() {
    // A compaction under way ends with its storage, and what it has written goes with it.
    compaction_worker.stop();
    if (lock) remove_new_file();
  }

  runtime::Loop& loop;
  ovsdb::FileSystem& files;
  std::string path;
  std::unique_ptr<ovsdb::FileLock> lock;
  std::shared_ptr<ovsdb::File> file;
  std::uint64_t end = 0;      // of the last good record
  bool cut_needed = false;    // there may be bytes behind `end`
  std::string queue;          // records to be flushed
  std::uint64_t queued = 0;   // how many

  using Done = std::function<void(const Result<void>&)>;
  std::vector<Done> sync_waiting;
  bool syncing = false;
  // Why the last fsync of this file failed.  A later one that succeeds says nothing: the kernel has
  // forgotten what it could not write.  Only another file ends this.
  std::optional<Error> sync_failure;
  std::optional<Error> write_failure;  // of the last flush()
  std::uint64_t generation = 0;  // counts the files that have carried the name

  bool compacting = false;
  std::uint64_t compaction_number = 0;  // results of an abandoned one are dropped
  std::string tail;                     // flushed since the snapshot, not yet in the new file
  std::shared_ptr<ovsdb::File> new_file;
  std::uint64_t new_end = 0;
  Done compaction_done;
  runtime::TimePoint last_compaction;
  std::uint64_t size_after_compaction = 0;
  std::uint64_t commits = 0;  // since the last compaction

  Worker sync_worker, compaction_worker;

  std::string new_path() const { return path + ".tmp"; }
  // Not new_path(), which the thread of a compaction that was given up may still be writing.
  std::string replacement_path() const { return path + ".replacement.tmp"; }

  void remove_new_file() {
    if (!files.exists(new_path())) return;
    if (auto removed = files.remove(new_path()); !removed) log.warn("{}", removed.error().message);
  }

  Result<void> cut() {
    if (!cut_needed) return {};
    OVS_TRY_DO(file->truncate(end));
    cut_needed = false;
    return {};
  }

  void start_sync() {
    if (syncing || sync_waiting.empty()) return;
    if (sync_failure) {
      answer_later(Result<void>(Unexpected{*sync_failure}));
      return;
    }
    syncing = true;
    log_syncs.add();
    auto waiting = std::make_shared<std::vector<Done>>(std::exchange(sync_waiting, {}));
    sync_worker.run([weak = weak_from_this(), &loop = loop, file = file, waiting, number = generation] {
      auto result = std::make_shared<Result<void>>(file->sync());
      loop.post([weak, waiting, result, number] {
        // Taken away from the task, with which they would be destroyed in the other thread.
        const std::vector<Done> taken = std::exchange(*waiting, {});
        auto self = weak.lock();
        if (self) {
          self->syncing = false;
          // A file that was replaced meanwhile was replaced by a synchronised one.
          if (self->generation != number) *result = Result<void>();
          if (!*result) {
            log.err("{}: fsync failed ({})", self->path, result->error().message);
            self->sync_failure = result->error();
          }
        }
        // Also where the database is no longer served: its clients wait for the answer.
        for (const Done& done : taken) done(*result);
        if (self) self->start_sync();
      });
    });
  }

  void answer_later(const Result<void>& result) {
    for (Done& done : std::exchange(sync_waiting, {})) loop.post([done = std::move(done), result] { done(result); });
  }

  // The file `from` takes the database's name.
  Result<void> take_name(const std::string& from) {
    OVS_TRY_DO(files.copy_owner(path, from));
    auto renamed = files.rename(from, path);
    if (renamed || files.exists(from)) return renamed;
    // It has the name, and only the directory could not be synced: what comes next belongs into it.
    log.err("{}: {}", path, renamed.error().message);
    return {};
  }

  void end_compaction(const Result<void>& result) {
    compacting = false;
    tail.clear();
    tail.shrink_to_fit();
    new_file = nullptr;
    last_compaction = loop.now();
    commits = 0;
    if (!result) {
      remove_new_file();
      size_after_compaction = end;
      log.warn("{}: compaction failed ({})", path, result.error().message);
    }
    if (Done done = std::exchange(compaction_done, nullptr)) done(result);
  }

  // The new file, complete and on the disk, takes the name.
  Result<void> adopt_new_file() {
    OVS_TRY_DO(take_name(new_path()));
    file = std::exchange(new_file, nullptr);
    end = new_end;
    cut_needed = false;
    generation++;
    sync_failure.reset();
    size_after_compaction = end;
    // Everything flushed is on the disk now.
    answer_later(Result<void>());
    return {};
  }

  Result<void> finish_compaction() {
    if (!tail.empty()) {
      OVS_TRY_DO(new_file->write_at(new_end, tail));
      new_end += tail.size();
      OVS_TRY_DO(new_file->sync());
    }
    return adopt_new_file();
  }

  // The new file holds all but `tail`.
  void continue_compaction(unsigned rounds) {
    if (tail.size() <= small_tail || rounds == 0) {
      const std::uint64_t old_size = end;
      Result<void> result = finish_compaction();
      if (result) {
        compactions.add();
        log.info("{}: compacted from {} to {} bytes", path, old_size, end);
      }
      end_compaction(result);
      return;
    }
    auto part = std::make_shared<std::string>(std::exchange(tail, {}));
    compaction_worker.run([weak = weak_from_this(), &loop = loop, target = new_file, offset = new_end, part,
                           number = compaction_number, rounds] {
      Result<void> written = target->write_at(offset, *part);
      if (written) written = target->sync();
      auto result = std::make_shared<Result<void>>(std::move(written));
      loop.post([weak, result, number, rounds, size = part->size()] {
        auto self = weak.lock();
        if (!self || !self->compacting || self->compaction_number != number) return;
        if (!*result) return self->end_compaction(*result);
        self->new_end += size;
        self->continue_compaction(rounds - 1);
      });
    });
  }
};

Storage::Storage(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Storage::~Storage() {
  Impl& s = *impl_;
  if (!s.sync_waiting.empty()) s.answer_later(s.file->sync());
}

Result<Storage::Opened> Storage::open(runtime::Loop& loop, ovsdb::FileSystem& files, const std::string& path) {
  auto impl = std::make_shared<Impl>(loop, files, resolved(path));
  // Looked for first: a lock makes a file beside it.
  if (!files.exists(impl->path)) OVS_TRY_DO(must_exist(files, impl->path));
  OVS_TRY(impl->lock, files.lock(impl->path));
  // What a compaction that was cut short has left; nobody else writes it while we hold the lock.
  for (const std::string& left : {impl->new_path(), impl->replacement_path()}) {
    if (!files.exists(left)) continue;
    if (auto removed = files.remove(left); !removed) log.warn("{}", removed.error().message);
  }
  OVS_TRY(impl->file, files.open(impl->path, ovsdb::FileSystem::Mode::read_write, false));
  auto loaded = load_log(*impl->file);
  if (!loaded) {
    // The operating system's errors name the file themselves.
    const bool named = loaded.error().code != 0;
    return named ? Unexpected{std::move(loaded).error()} : Unexpected{std::move(loaded).error().in(path)};
  }
  impl->end = loaded->end;
  if (!loaded->damage.empty()) {
    impl->cut_needed = true;
    log.warn("{}: {}; the file is good up to byte {}, what follows will be cut off by the next transaction", path,
             loaded->damage, loaded->end);
    auto kept = keep_records_behind(files, *impl->file, impl->path, loaded->end);
    if (!kept) {
      return Unexpected{std::move(kept).error().in(
          fmt::format("{}: records follow behind the damage at byte {}, and could not be copied to a safe place", path,
                      loaded->end))};
    }
    if (*kept) {
      log.err("{}: records follow behind the damage, which a crash does not do; they are kept in {}: look what they "
              "hold before you go on",
              path, **kept);
    }
  }
  impl->last_compaction = loop.now();
  impl->size_after_compaction = loaded->end;
  impl->commits = loaded->transactions;
  return Opened{std::unique_ptr<Storage>(new Storage(std::move(impl))), std::move(loaded->database)};
}

const std::string& Storage::path() const { return impl_->path; }
std::uint64_t Storage::size() const { return impl_->end; }

const Error* Storage::problem() const {
  const Impl& s = *impl_;
  return s.sync_failure ? &*s.sync_failure : s.write_failure ? &*s.write_failure : nullptr;
}

void Storage::append(std::string_view record) {
  impl_->queue += ovsdb::log_record(record);
  impl_->queued++;
}

Result<void> Storage::flush() {
  Impl& s = *impl_;
  if (s.queue.empty()) return {};
  std::string records = std::exchange(s.queue, {});
  const std::uint64_t count = std::exchange(s.queued, 0);
  log_writes.add();
  Result<void> written = s.cut();
  if (written) {
    s.cut_needed = true;
    written = s.file->write_at(s.end, records);
  }
  if (!written) {
    if (auto cut = s.cut(); !cut) log.err("{}: {}", s.path, cut.error().message);
    s.write_failure = written.error();
    return written;
  }
  s.write_failure.reset();
  s.cut_needed = false;
  s.end += records.size();
  s.commits += count;
  if (s.compacting) s.tail += records;
  // The buffer serves the next round again.
  records.clear();
  if (s.queue.empty() && records.capacity() < (std::size_t{1} << 20)) s.queue = std::move(records);
  return {};
}

void Storage::sync(std::function<void(const Result<void>&)> done) {
  impl_->sync_waiting.push_back(std::move(done));
  impl_->start_sync();
}

bool Storage::compacting() const { return impl_->compacting; }

bool Storage::compaction_due() const {
  const Impl& s = *impl_;
  if (s.compacting || s.commits == 0) return false;
  const runtime::Duration elapsed = s.loop.now() - s.last_compaction;
  if (elapsed >= compaction_max_time && s.commits >= compaction_min_commits) return true;
  if (s.commits < compaction_min_commits && elapsed < compaction_min_time) return false;
  return s.end >= compaction_min_size && s.end / 2 >= s.size_after_compaction;
}

void Storage::compact(Snapshot snapshot, std::string comment, std::function<void(const Result<void>&)> done) {
  Impl& s = *impl_;
  OVS_CHECK(!s.compacting && s.queue.empty());
  s.compacting = true;
  s.tail.clear();
  s.compaction_done = std::move(done);
  const std::uint64_t number = ++s.compaction_number;
  auto rows = std::make_shared<Snapshot>(std::move(snapshot));
  s.compaction_worker.run([weak = s.weak_from_this(), &loop = s.loop, &files = s.files, path = s.new_path(), rows,
                           comment = std::move(comment), date = wall_ms(s.loop), number]() mutable {
    std::shared_ptr<ovsdb::File> file;
    const auto write = [&]() -> Result<std::uint64_t> {
      if (files.exists(path)) OVS_TRY_DO(files.remove(path));
      OVS_TRY(auto created, files.open(path, ovsdb::FileSystem::Mode::create, false));
      file = std::move(created);
      const std::string text = whole_file(*rows, date, comment);
      OVS_TRY_DO(file->write_at(0, text));
      OVS_TRY_DO(file->sync());
      return std::uint64_t{text.size()};
    };
    auto result = std::make_shared<Result<std::uint64_t>>(write());
    rows = nullptr;  // freeing the rows that were replaced meanwhile is this thread's work, too
    loop.post([weak, result, file, number] {
      auto self = weak.lock();
      if (!self) return;
      if (self->compaction_number != number) {
        // Given up.  A compaction that has begun since then removes the file itself.
        if (!self->compacting) self->remove_new_file();
        return;
      }
      if (!*result) return self->end_compaction(Unexpected{result->error()});
      self->new_file = file;
      self->new_end = **result;
      self->continue_compaction(10);
    });
  });
}

Result<void> Storage::replace(const Snapshot& snapshot, std::string_view comment) {
  Impl& s = *impl_;
  OVS_CHECK(s.queue.empty());
  s.compaction_number++;
  if (s.compacting) s.end_compaction(unexpected("given up for another change of the file", ECANCELED));
  const std::string path = s.replacement_path();
  const auto write = [&]() -> Result<void> {
    if (s.files.exists(path)) OVS_TRY_DO(s.files.remove(path));
    OVS_TRY(auto created, s.files.open(path, ovsdb::FileSystem::Mode::create, false));
    std::shared_ptr<ovsdb::File> file = std::move(created);
    const std::string text = whole_file(snapshot, wall_ms(s.loop), comment);
    OVS_TRY_DO(file->write_at(0, text));
    OVS_TRY_DO(file->sync());
    OVS_TRY_DO(s.take_name(path));
    s.file = std::move(file);
    s.end = text.size();
    s.cut_needed = false;
    s.generation++;
    s.sync_failure.reset();
    s.size_after_compaction = s.end;
    s.last_compaction = s.loop.now();
    s.commits = 0;
    return {};
  };
  Result<void> result = write();
  if (!result && s.files.exists(path)) {
    if (auto removed = s.files.remove(path); !removed) log.dbg("{}", removed.error().message);
  }
  return result;
}

}  // namespace ovs::dbserver
