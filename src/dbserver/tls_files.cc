#include "dbserver/tls_files.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace ovs::dbserver {

namespace {

LogModule log{"ovsdb_server"};

constexpr std::string_view prefix = "db:";

}  // namespace

bool TlsFiles::follows_database() const {
  for (const std::string* word :
       {&options_.private_key, &options_.certificate, &options_.ca_cert, &options_.peer_ca_cert}) {
    if (word->starts_with(prefix)) return true;
  }
  return false;
}

// The file that an option names, perhaps by way of the database; empty if there is none.
std::string TlsFiles::find(const std::string& word) {
  if (!word.starts_with(prefix)) return word;
  const std::vector<std::string_view> words = split(std::string_view(word).substr(prefix.size()), ',');
  const auto problem = [&](std::string text) {
    problems_.insert(fmt::format("{}: {}", word, text));
    return std::string();
  };
  if (words.size() != 3) return problem("not of the form db:DATABASE,TABLE,COLUMN");
  watched_.emplace(words[0]);
  const Hosted* hosted = server_.find_database(words[0]);
  if (!hosted) return problem(fmt::format("no database named {}", words[0]));
  const Table* table = hosted->database->find_table(words[1]);
  if (!table) return problem(fmt::format("no table named {}", words[1]));
  const ovsdb::ColumnSchema* column = table->schema().find(words[2]);
  if (!column || column->index < ovsdb::first_column) return problem(fmt::format("no column named {}", words[2]));
  if (column->type.key.type != ovsdb::AtomType::string || column->type.is_map()) {
    return problem(fmt::format("column {} does not hold strings", words[2]));
  }
  std::string found;
  table->for_each([&](const Row& row) {
    const Datum& datum = row.datum(column->index);
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
  for (const std::string& problem : problems_) {
    if (!last_problems_.contains(problem)) log.warn("{}", problem);
  }
  last_problems_ = problems_;
  applied_ = std::move(settings);
  runtime::use_tls(server_.loop(), applied_);
}

bool TlsFiles::database_changed(const Hosted& hosted) {
  if (!watched_.contains(hosted.name())) return false;
  const runtime::TlsSettings before = applied_;
  apply();
  return applied_ != before;
}

}  // namespace ovs::dbserver
