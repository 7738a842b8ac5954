#include "dbserver/start_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string_view>

#include "base/descriptor.h"
#include "base/paths.h"
#include "dbserver/remotes.h"
#include "dbserver/tls_files.h"
#include "ovsdb/log_file.h"
#include "runtime/loop.h"
#include "runtime/place.h"

namespace ovs::dbserver {

namespace {

Result<std::shared_ptr<const ovsdb::DatabaseSchema>> schema_of(const std::string& path) {
  OVS_TRY(auto file, ovsdb::FileSystem::os().open(path, ovsdb::FileSystem::Mode::read_only, false));
  ovsdb::LogReader reader(*file);
  auto record = reader.next();
  if (!record) return Unexpected{std::move(record).error().in(path)};
  if (!*record) return unexpected(path + ": it holds no database");
  if (reader.model() == ovsdb::StorageModel::clustered) {
    return unexpected(path + ": clustered databases are not supported");
  }
  auto schema = ovsdb::DatabaseSchema::from_json(**record);
  if (!schema) return unexpected(path + ": " + schema.error().to_string());
  return std::move(*schema);
}

struct File {
  std::string_view option;
  const std::string& name;
};

// Nothing, or why it cannot be read.
std::string unreadable(const File& file, bool missing_is_fine) {
  const Descriptor fd{::open(file.name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (fd.get() >= 0) return {};
  const int error = errno;
  const std::string option = fmt::format("--{}={}", file.option, file.name);
  if (!missing_is_fine || error != ENOENT) {
    return fmt::format("{}: {}{}", option, system_error("cannot be read", error).message, runtime::for_whom(error));
  }
  const auto place = runtime::check_place(file.name);
  return place ? std::string() : fmt::format("{}: {}", option, place.error().message);
}

// Nothing, or why the server cannot have that database.
Result<void> accessible(const std::string& path) {
  const auto writable = [&path](const std::string& file, std::string_view what) -> Result<void> {
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) == 0) return {};
    const int error = errno;
    Error why = system_error(fmt::format("{}: {}", path, what), error);
    why.message += runtime::for_whom(error);
    return Unexpected{std::move(why)};
  };
  OVS_TRY_DO(writable(path, "cannot be read and written"));
  const std::string lock = ovsdb::lock_file_of(path);
  auto present = writable(lock, "its lock file " + lock);
  if (present || present.error().code != ENOENT) return present;
  if (auto good = runtime::check_place(lock); !good) {
    return Unexpected{std::move(good).error().in(path + ": its lock file " + lock)};
  }
  return {};
}

}  // namespace

StartCheck::StartCheck(const std::vector<std::string>& databases, const std::string& schema) {
  Schema future;
  if (!schema.empty()) {
    auto read = ovsdb::read_schema_file(schema);
    if (!read) mistakes_.push_back(read.error().message);
    all_known_ = read.has_value();
    if (read) future = std::move(*read);
    prepared_ = {rundir(), logdir(), dbdir()};
  }
  std::set<std::string> files;
  for (std::size_t i = 0; i < databases.size(); i++) {
    const std::string& path = databases[i];
    const bool is_prepared = !schema.empty() && i + 1 == databases.size();
    std::error_code error;
    if (!files.insert(ovsdb::lock_file_of(path)).second) {
      mistakes_.push_back(path + ": this database is given twice");
      continue;
    }
    if (is_prepared && future && !std::filesystem::exists(path, error) && !error) {
      schemas_[future->name] = future;
      continue;
    }
    auto present = schema_of(path);
    if (present) {
      const std::string& name = (*present)->name;
      schemas_[name] = is_prepared && future && name == future->name ? future : *present;
      if (!is_prepared) present_.push_back(path);
    } else {
      mistakes_.push_back(present.error().message);
      all_known_ = false;
    }
  }
}

void StartCheck::result(Result<void> result) {
  if (!result) mistakes_.push_back(std::move(result).error().message);
}

void StartCheck::access() {
  for (const std::string& path : present_) result(accessible(path));
}

// Whether the column is there; nothing is known of databases that could not be read.
Result<void> StartCheck::column(const std::string& word, ColumnName::Holds holds) const {
  OVS_TRY(const ColumnName name, ColumnName::parse(word));
  const auto schema = schemas_.find(name.database);
  if (schema == schemas_.end() && !all_known_) return {};
  OVS_TRY_DO(name.find(schema == schemas_.end() ? nullptr : schema->second.get(), holds));
  return {};
}

void StartCheck::files(const runtime::TlsSettings& tls, bool complete, std::vector<std::string>& faults) {
  const std::string_view ca = tls.bootstrap ? "bootstrap-ca-cert" : "ca-cert";
  for (const File& file : {File{"private-key", tls.private_key}, File{"certificate", tls.certificate},
                           File{ca, tls.ca_cert}, File{"peer-ca-cert", tls.peer_ca_cert}}) {
    if (file.name.empty() || (file.name == "none" && file.option == ca)) continue;
    std::string why;
    const bool may_be_missing = tls.bootstrap && file.option == ca;
    std::error_code error;
    if (!ColumnName::is_one(file.name)) {
      why = unreadable(file, may_be_missing);
    } else {
      complete = false;  // which files these are is known when the server runs
      if (auto found = column(file.name, ColumnName::Holds::files); !found) {
        why = fmt::format("--{}: {}", file.option, found.error().message);
      }
    }
    if (why.empty()) continue;
    // Without a place for it, no peer's certificate is ever taken; but the server listens.
    const bool has_no_place = may_be_missing && !std::filesystem::exists(file.name, error) && !error;
    complete = complete && has_no_place;
    (has_no_place ? warnings_ : faults).push_back(std::move(why));
  }
  if (!complete) return;
  runtime::Loop loop;
  runtime::use_tls(loop, tls);
  if (auto good = runtime::check_tls(loop); !good) faults.push_back(good.error().message);
}

void StartCheck::columns_and_files(const std::vector<std::string>& remotes, const runtime::TlsSettings& tls) {
  // A remote that connects tries again later, and one that listens waits for keys that the database may bring.
  const bool needs_keys = !TlsFiles::follow_database(tls) && std::ranges::any_of(remotes, [](const std::string& name) {
    return runtime::wants_tls(name) && runtime::Listener::check_name(name);
  });
  std::vector<std::string>& faults = needs_keys ? mistakes_ : warnings_;
  for (const std::string& name : remotes) {
    const bool is_column = ColumnName::is_one(name);
    const auto named = is_column ? column(name, ColumnName::Holds::remotes) : Remotes::check_name(name);
    if (!named) {
      mistakes_.push_back(named.error().message);
    } else if (runtime::Listener::check_name(name)) {
      result(runtime::Listener::check_place(name, prepared_));
    }
    if (!named) continue;
    if (auto complete = runtime::check_tls_settings(tls, name); !is_column && !complete) {
      faults.push_back(complete.error().message);
    }
  }
  if (tls.private_key.empty() && tls.certificate.empty() && tls.ca_cert.empty() && tls.peer_ca_cert.empty()) return;
  const auto complete = runtime::check_tls_settings(tls);
  // Remotes that the database names want them all, too.
  if (!complete && std::ranges::none_of(remotes, runtime::wants_tls)) faults.push_back(complete.error().message);
  files(tls, complete.has_value(), faults);
}

}  // namespace ovs::dbserver
