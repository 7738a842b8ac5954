// MemoryFileSystem: files in memory that fail when they are told to, for tests of everything that
// writes through ovsdb::FileSystem.
//
//     MemoryFileSystem fs;
//     fs.fail(MemoryFileSystem::Call::write, 3, ENOSPC, 10);  // the third write from now stores 10 bytes and fails
//     fs.set_capacity(4096);                                  // a small disk: ENOSPC where it is full
//     fs.crash();                                             // power goes: what was not synced is gone
//     fs.crash(7);                                            // ... but the first 7 bytes of it
//
// After a crash every File and FileLock that was open is dead: its calls fail with EIO and it holds
// no lock.  A directory is always in sync, as FileSystem promises of create and rename.
//
// Thread safety: every call may come from any thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ovsdb/log_file.h"

namespace ovs::testing {

class MemoryFileSystem final : public ovsdb::FileSystem {
 public:
  enum class Call { open, read, write, sync, truncate, rename };

  // --- faults

  // The `nth` call of this kind from now (1: the next) fails with `code`; a write stores the first
  // `stored` bytes before it does.  One fault of a kind at a time.
  void fail(Call call, unsigned nth, int code = EIO, std::size_t stored = 0) {
    const std::lock_guard guard(mutex_);
    faults_[index(call)] = Fault{counts_[index(call)] + nth, code, stored, false};
  }
  // The same for that call and every one after it.
  void fail_from(Call call, unsigned nth, int code = EIO, std::size_t stored = 0) {
    const std::lock_guard guard(mutex_);
    faults_[index(call)] = Fault{counts_[index(call)] + nth, code, stored, true};
  }
  void heal() {
    const std::lock_guard guard(mutex_);
    faults_ = {};
  }

  // How many bytes all files together may hold; a write that does not fit stores what does.
  void set_capacity(std::optional<std::size_t> bytes) {
    const std::lock_guard guard(mutex_);
    capacity_ = bytes;
  }

  // Power goes and comes back.  Of each file's writes since its last sync the first `survive` bytes
  // (in the order of writing) are on the disk.
  void crash(std::size_t survive = 0) {
    const std::lock_guard guard(mutex_);
    for (auto& [path, node] : files_) {
      std::string content = node->synced;
      std::size_t left = survive;
      for (const auto& [offset, data] : node->unsynced) {
        std::size_t n = std::min(left, data.size());
        put(content, offset, std::string_view(data).substr(0, n));
        left -= n;
        if (left == 0) break;
      }
      auto fresh = std::make_shared<Node>();
      fresh->synced = fresh->content = std::move(content);
      node->dead = true;
      node = std::move(fresh);
    }
    ++epoch_;
    locks_.clear();
  }

  // --- looking

  std::uint64_t count(Call call) const {
    const std::lock_guard guard(mutex_);
    return counts_[index(call)];
  }
  // What a reader would see; what would be left after crash().
  std::string content(const std::string& path) const {
    const std::lock_guard guard(mutex_);
    return files_.at(path)->content;
  }
  std::string synced_content(const std::string& path) const {
    const std::lock_guard guard(mutex_);
    return files_.at(path)->synced;
  }
  void set_content(const std::string& path, std::string content) {
    auto node = std::make_shared<Node>();
    node->synced = content;
    node->content = std::move(content);
    const std::lock_guard guard(mutex_);
    files_[path] = std::move(node);
  }
  std::vector<std::string> paths() const {
    const std::lock_guard guard(mutex_);
    std::vector<std::string> all;
    for (const auto& [path, node] : files_) all.push_back(path);
    return all;
  }
  bool is_locked(const std::string& path) const {
    const std::lock_guard guard(mutex_);
    return locks_.contains(path);
  }

  // --- ovsdb::FileSystem

  Result<std::unique_ptr<ovsdb::FileLock>> lock(const std::string& path) override {
    const std::lock_guard guard(mutex_);
    if (!locks_.insert(path).second) return unexpected(path + ": cannot be locked: it is locked already", EAGAIN);
    return std::unique_ptr<ovsdb::FileLock>(std::make_unique<Lock>(*this, path));
  }

  Result<std::unique_ptr<ovsdb::File>> open(const std::string& path, Mode mode, bool lock_it) override {
    const std::lock_guard guard(mutex_);
    std::unique_ptr<ovsdb::FileLock> held;
    if (lock_it) {
      OVS_TRY(held, lock(path));
    }
    OVS_TRY_DO(attempt(Call::open, path));
    auto at = files_.find(path);
    if (mode == Mode::create) {
      if (at != files_.end()) return Unexpected{system_error(path + ": creating", EEXIST)};
      at = files_.emplace(path, std::make_shared<Node>()).first;
    } else if (at == files_.end()) {
      return Unexpected{system_error(path + ": opening", ENOENT)};
    }
    return std::unique_ptr<ovsdb::File>(
        std::make_unique<OpenFile>(*this, at->second, path, mode != Mode::read_only, std::move(held)));
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    const std::lock_guard guard(mutex_);
    OVS_TRY_DO(attempt(Call::rename, from));
    auto at = files_.find(from);
    if (at == files_.end()) return Unexpected{system_error("renaming " + from, ENOENT)};
    files_[to] = at->second;
    files_.erase(from);
    return {};
  }

  Result<void> remove(const std::string& path) override {
    const std::lock_guard guard(mutex_);
    if (files_.erase(path) == 0) return Unexpected{system_error("removing " + path, ENOENT)};
    return {};
  }

  bool exists(const std::string& path) override {
    const std::lock_guard guard(mutex_);
    return files_.contains(path);
  }

 private:
  struct Node {
    std::string content, synced;
    std::vector<std::pair<std::uint64_t, std::string>> unsynced;  // writes since the last sync
    bool dead = false;
  };

  struct Fault {
    std::uint64_t at;
    int code;
    std::size_t stored;
    bool lasting;
  };

  class Lock final : public ovsdb::FileLock {
   public:
    Lock(MemoryFileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)), epoch_(fs.epoch_) {}
    ~Lock() override {
      const std::lock_guard guard(fs_.mutex_);
      if (epoch_ == fs_.epoch_) fs_.locks_.erase(path_);
    }

   private:
    MemoryFileSystem& fs_;
    std::string path_;
    unsigned epoch_;
  };

  class OpenFile final : public ovsdb::File {
   public:
    OpenFile(MemoryFileSystem& fs, std::shared_ptr<Node> node, std::string path, bool writable,
             std::unique_ptr<ovsdb::FileLock> lock)
        : fs_(fs), node_(std::move(node)), path_(std::move(path)), writable_(writable), lock_(std::move(lock)) {}

    Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size) override {
      const std::lock_guard guard(fs_.mutex_);
      OVS_TRY_DO(check(Call::read));
      const std::string& c = node_->content;
      if (offset >= c.size()) return std::size_t{0};
      std::size_t n = std::min(size, c.size() - static_cast<std::size_t>(offset));
      std::memcpy(to, c.data() + offset, n);
      return n;
    }

    Result<void> write_at(std::uint64_t offset, std::string_view data) override {
      const std::lock_guard guard(fs_.mutex_);
      if (!writable_) return Unexpected{system_error(path_ + ": writing", EBADF)};
      std::size_t stored = 0;
      auto allowed = fs_.attempt(Call::write, path_, &stored);
      if (node_->dead) return Unexpected{system_error(path_ + ": writing", EIO)};
      if (allowed) {
        stored = fs_.room(*node_, offset, data.size());
        if (stored < data.size()) allowed = Unexpected{system_error(path_ + ": writing", ENOSPC)};
      }
      std::string_view part = data.substr(0, stored);
      put(node_->content, offset, part);
      node_->unsynced.emplace_back(offset, part);
      return allowed;
    }

    Result<void> sync() override {
      const std::lock_guard guard(fs_.mutex_);
      OVS_TRY_DO(check(Call::sync));
      node_->synced = node_->content;
      node_->unsynced.clear();
      return {};
    }

    Result<void> truncate(std::uint64_t size) override {
      const std::lock_guard guard(fs_.mutex_);
      OVS_TRY_DO(check(Call::truncate));
      // On the disk at once: nothing here depends on a truncation being lost.
      node_->content.resize(size);
      node_->synced.resize(std::min<std::size_t>(size, node_->synced.size()));
      std::erase_if(node_->unsynced, [&](const auto& write) { return write.first >= size; });
      for (auto& [offset, data] : node_->unsynced) data.resize(std::min<std::size_t>(data.size(), size - offset));
      return {};
    }

    Result<std::uint64_t> size() override {
      const std::lock_guard guard(fs_.mutex_);
      if (node_->dead) return Unexpected{system_error(path_ + ": looking at", EIO)};
      return std::uint64_t{node_->content.size()};
    }

   private:
    Result<void> check(Call call) {
      OVS_TRY_DO(fs_.attempt(call, path_));
      if (node_->dead) return Unexpected{system_error(path_, EIO)};
      return {};
    }

    MemoryFileSystem& fs_;
    std::shared_ptr<Node> node_;
    std::string path_;
    bool writable_;
    std::unique_ptr<ovsdb::FileLock> lock_;
  };

  static std::size_t index(Call call) { return static_cast<std::size_t>(call); }

  static void put(std::string& content, std::uint64_t offset, std::string_view data) {
    if (data.empty()) return;
    if (content.size() < offset + data.size()) content.resize(offset + data.size());
    std::memcpy(content.data() + offset, data.data(), data.size());
  }

  // Counts a call and fails it if that was asked for.
  Result<void> attempt(Call call, const std::string& path, std::size_t* stored = nullptr) {
    std::uint64_t n = ++counts_[index(call)];
    const auto& fault = faults_[index(call)];
    if (!fault || (fault->lasting ? n < fault->at : n != fault->at)) return {};
    if (stored) *stored = fault->stored;
    return Unexpected{system_error(path + ": injected fault", fault->code)};
  }

  // How many of `size` bytes at `offset` the disk has room for.
  std::size_t room(const Node& node, std::uint64_t offset, std::size_t size) const {
    if (!capacity_) return size;
    std::size_t used = 0;
    for (const auto& [path, other] : files_) used += other->content.size();
    std::size_t available = *capacity_ > used ? *capacity_ - used : 0;
    std::size_t in_place = node.content.size() > offset ? node.content.size() - static_cast<std::size_t>(offset) : 0;
    return std::min(size, in_place + available);
  }

  // Recursive: a File that open() drops again gives its lock back.
  mutable std::recursive_mutex mutex_;
  std::map<std::string, std::shared_ptr<Node>> files_;
  std::set<std::string> locks_;
  std::array<std::uint64_t, 6> counts_{};
  std::array<std::optional<Fault>, 6> faults_{};
  std::optional<std::size_t> capacity_;
  unsigned epoch_ = 0;
};

}  // namespace ovs::testing
