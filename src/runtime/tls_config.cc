#include "runtime/tls_config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "base/log.h"
#include "base/text.h"
#include "runtime/tls_context.h"

namespace ovs::runtime {

namespace {

LogModule log{"stream_ssl"};

// What no file of keys and certificates exceeds.
constexpr std::size_t max_file = 4 * 1024 * 1024;

Result<std::string> read_file(const std::string& path, std::string_view what) {
  // Not blocking: a pipe that nobody writes to must not stop the program.
  const Descriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  const auto failed = [&](int error) {
    Error e = system_error(fmt::format("{}: the {} cannot be read", path, what), error);
    // Names on a command line were made absolute: this one comes from a database.
    if (!path.starts_with('/')) e.message += "; give its absolute name, which begins with a slash";
    return Unexpected{std::move(e)};
  };
  if (fd.get() < 0) return failed(errno);
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(errno);
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > max_file) return failed(EFBIG);
  }
}

// Group readers may be wanted: that is how a key is shared with the user whom a daemon runs as.
bool everybody_may_read(const std::string& path) {
  struct stat s;
  return ::stat(path.c_str(), &s) == 0 && S_ISREG(s.st_mode) && (s.st_mode & S_IROTH) != 0;
}

}  // namespace

bool tls_supported() { return true; }

Result<void> check_tls_settings(const TlsSettings& settings) {
  std::vector<std::string> missing, empty;
  const auto need = [&](const std::string& file, std::string_view option, const std::string& column) {
    if (!file.empty()) return;
    column.empty() ? missing.emplace_back(option) : empty.emplace_back(column);
  };
  need(settings.private_key, "--private-key", settings.private_key_column);
  need(settings.certificate, "--certificate", settings.certificate_column);
  need(settings.ca_cert, "--ca-cert (or --bootstrap-ca-cert)", settings.ca_cert_column);
  if (missing.empty() && empty.empty()) return {};
  std::string why = "TLS needs a private key, a certificate and the CA's certificate";
  if (!missing.empty()) why += "; missing: " + join(missing, ", ");
  if (!empty.empty()) why += "; not set in the database: " + join(empty, ", ");
  if (std::ranges::any_of(empty, [](const auto& column) { return column.starts_with("db:Open_vSwitch,SSL,"); })) {
    why += " (ovs-vsctl set-ssl does it)";
  }
  return unexpected(std::move(why), ENOKEY);
}

Result<void> check_tls_settings(const TlsSettings& settings, std::string_view remotes) {
  for (std::string_view name : split_any(remotes, ", \t\n")) {
    if (!wants_tls(name)) continue;
    if (auto checked = check_tls_settings(settings); !checked) return Unexpected{std::move(checked).error().in(name)};
  }
  return {};
}

Result<TlsFileContents> read_tls_files(const TlsSettings& settings) {
  TlsFileContents files;
  OVS_TRY(files.private_key, read_file(settings.private_key, "private key"));
  OVS_TRY(files.certificate, read_file(settings.certificate, "certificate"));
  if (!settings.peer_ca_cert.empty()) {
    OVS_TRY(files.peer_ca_cert, read_file(settings.peer_ca_cert, "certificate for peers"));
  }
  if (settings.ca_cert == "none") return files;
  auto ca_cert = read_file(settings.ca_cert, "CA's certificate");
  if (!ca_cert && settings.bootstrap && ca_cert.error().code == ENOENT) {
    files.bootstrapping = true;
  } else {
    OVS_TRY(files.ca_cert, std::move(ca_cert));
  }
  return files;
}

void TlsConfig::set(const TlsSettings& settings) {
  if (settings == settings_) return;
  settings_ = settings;
  complaint_.clear();
  // Who takes the keys away wants no more connections by them; who names other ones may have made a mistake.
  if (!check_tls_settings(settings_)) context_ = TlsContext{};
}

std::string TlsConfig::kept_old() const {
  return complaint_.empty() ? std::string()
                            : complaint_ + "; the keys and certificates that were read before stay in use";
}

Result<TlsContext> TlsConfig::current() {
  OVS_TRY_DO(check_tls_settings(settings_));
  auto files = read_tls_files(settings_);
  // The same contents mean something else where other settings name them: "none" holds as much as an empty file.
  if (files && context_.ssl && made_of_ == settings_ && *files == files_) {
    complaint_.clear();
    return context_;
  }
  // A CA's certificate that was there and is gone is no reason to trust the next peer.
  if (files && files->bootstrapping && context_.ssl && !context_.bootstrapping &&
      context_.ca_cert == settings_.ca_cert) {
    files = unexpected(fmt::format("{}: the CA's certificate is gone", settings_.ca_cert), ENOENT);
  }
  auto made = files ? make_tls_context(settings_, *files) : Result<TlsContext>(Unexpected{files.error()});
  if (made) {
    if (context_.ssl && !context_.bootstrapping) {
      log.info("{}: new keys or certificates are used from now on", settings_.certificate);
    }
    context_ = *std::move(made);
    made_of_ = settings_;
    files_ = *std::move(files);
    complaint_.clear();
    if (user_ == TlsUser::daemon && open_key_ != settings_.private_key && everybody_may_read(settings_.private_key)) {
      open_key_ = settings_.private_key;
      log.warn("{}: everybody on this host may read this private key; chmod 600 (or 640, for a group) would keep it to "
               "those who need it",
               open_key_);
    }
    return context_;
  }
  if (!context_.ssl) return made;
  // Peers are not accepted unverified because a CA's certificate that was written meanwhile, or named, is bad.
  if (context_.bootstrapping || (context_.ca_cert == "none" && settings_.ca_cert != "none")) return made;
  if (complaint_ != made.error().message) {
    complaint_ = made.error().message;
    log.err("{}", kept_old());
  }
  return context_;
}

void use_tls(Loop& loop, const TlsSettings& settings, TlsUser user) {
  if (const auto& config = tls_config_of(loop)) {
    config->set(settings);
  } else {
    set_tls_config(loop, std::make_shared<TlsConfig>(settings, user));
  }
}

Result<void> check_tls(Loop& loop) {
  const auto& config = tls_config_of(loop);
  if (!config) return check_tls_settings(TlsSettings{});
  OVS_TRY_DO(config->current());
  return {};
}

std::optional<std::string> tls_problem(Loop& loop) {
  if (auto checked = check_tls(loop); !checked) return std::move(checked).error().message;
  std::string kept = tls_config_of(loop)->kept_old();
  return kept.empty() ? std::nullopt : std::optional(std::move(kept));
}

Result<void> write_new_file(const std::string& path, std::string_view pem) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor fd{::mkostemp(temporary.data(), O_CLOEXEC)};
  if (fd.get() < 0) return Unexpected{system_error(path, errno)};
  int error = 0;
  while (!pem.empty() && error == 0) {
    const ssize_t n = ::write(fd.get(), pem.data(), pem.size());
    if (n > 0) {
      pem.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      error = n == 0 ? EIO : errno;
    }
  }
  // A certificate is no secret.
  if (error == 0 && (::fchmod(fd.get(), 0644) != 0 || ::fsync(fd.get()) != 0)) error = errno;
  // A link, unlike rename(), never takes the place of a file.
  if (error == 0 && ::link(temporary.c_str(), path.c_str()) != 0) error = errno;
  ::unlink(temporary.c_str());
  if (error != 0) return Unexpected{system_error(path, error)};
  return {};
}

}  // namespace ovs::runtime
