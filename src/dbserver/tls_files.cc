#include "dbserver/tls_files.h"

#include <utility>

#include "base/log.h"
#include "dbserver/column_name.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_server"};

}  // namespace

bool TlsFiles::follow_database(const runtime::TlsSettings& options) {
  for (const std::string* word : {&options.private_key, &options.certificate, &options.ca_cert, &options.peer_ca_cert}) {
    if (ColumnName::is_one(*word)) return true;
  }
  return false;
}

// The file that an option names, perhaps by way of the database; empty if there is none.
std::string TlsFiles::find(const std::string& word) {
  if (!ColumnName::is_one(word)) return word;
  const auto name = ColumnName::parse(word);
  if (name) watched_.insert(name->database);
  const Hosted* hosted = name ? server_.find_database(name->database) : nullptr;
  const auto column = name ? name->find(hosted ? &hosted->database->schema() : nullptr, ColumnName::Holds::files)
                           : Result<const ovsdb::ColumnSchema*>(Unexpected{name.error()});
  if (!column) {
    problems_.insert(column.error().message);
    return {};
  }
  std::string found;
  hosted->database->find_table(name->table)->for_each([&](const Row& row) {
    const Datum& datum = row.datum((*column)->index);
    for (std::size_t i = 0; found.empty() && i < datum.size(); i++) found = datum.key(i).string();
  });
  return found;
}

void TlsFiles::apply() {
  watched_.clear();
  problems_.clear();
  runtime::TlsSettings settings = options_;
  for (std::string runtime::TlsSettings::*file :
       {&runtime::TlsSettings::private_key, &runtime::TlsSettings::certificate, &runtime::TlsSettings::ca_cert,
        &runtime::TlsSettings::peer_ca_cert}) {
    settings.*file = find(options_.*file);
  }
  const auto column = [](const std::string& word) { return ColumnName::is_one(word) ? word : std::string(); };
  settings.private_key_column = column(options_.private_key);
  settings.certificate_column = column(options_.certificate);
  settings.ca_cert_column = column(options_.ca_cert);
  for (const std::string& problem : problems_) {
    if (!last_problems_.contains(problem)) log.warn("{}", problem);
  }
  last_problems_ = problems_;
  applied_ = std::move(settings);
  runtime::use_tls(server_.loop(), applied_, runtime::TlsUser::daemon);
}

bool TlsFiles::database_changed(const Hosted& hosted) {
  if (!watched_.contains(hosted.name())) return false;
  const runtime::TlsSettings before = applied_;
  apply();
  return applied_ != before;
}

}  // namespace ovs::dbserver
