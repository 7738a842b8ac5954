#include "ovsdb_tool/commands.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/paths.h"
#include "ovsdb_tool/show_log.h"

namespace ovs::utilities::ovsdb_tool {

std::string default_database() { return dbdir() + "/conf.db"; }
std::string default_schema() { return pkgdatadir() + "/vswitch.ovsschema"; }

namespace {

Result<int> list_commands(const Settings&, Arguments) {
  std::string text = "The available commands are:\n";
  for (const Row& row : commands()) {
    std::string name(row.info.name);
    name.resize(std::max<std::size_t>(name.size(), 23), ' ');
    text += "  " + name + " " + std::string(row.info.synopsis) + "\n";
  }
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

const std::vector<Row>& commands() {
  constexpr Access ro = Access::read_only, rw = Access::read_write;
  static const std::vector<Row> rows{
      {{"create", "[DB [SCHEMA]]", "create an empty database DB with SCHEMA", "", rw}, create},
      {{"compact", "[DB [TARGET]]", "rewrite DB without its history, in place or as the new file TARGET", "", rw},
       compact},
      {{"convert", "[DB [SCHEMA [TARGET]]]", "convert DB to SCHEMA, in place or as the new file TARGET", "", rw},
       convert},
      {{"needs-conversion", "[DB [SCHEMA]]", "print whether DB's schema differs from SCHEMA: yes or no", "", ro},
       needs_conversion},
      {{"db-name", "[DB]", "print the name of DB's schema", "", ro}, db_name},
      {{"db-version", "[DB]", "print the version of DB's schema", "", ro}, db_version},
      {{"db-cksum", "[DB]", "print the checksum that DB's schema states", "", ro}, db_cksum},
      {{"db-is-clustered", "DB", "exit with status 0 if DB is clustered, otherwise 2", "", ro}, db_is_clustered},
      {{"db-is-standalone", "DB", "exit with status 0 if DB is standalone, otherwise 2", "", ro}, db_is_standalone},
      {{"schema-name", "[SCHEMA]", "print SCHEMA's name", "", ro}, schema_name},
      {{"schema-version", "[SCHEMA]", "print SCHEMA's version", "", ro}, schema_version},
      {{"schema-cksum", "[SCHEMA]", "print the checksum that SCHEMA states", "", ro}, schema_cksum},
      {{"compare-versions", "A OP B", "exit with status 0 if A OP B (< <= == != >= >) holds, otherwise 2", "", ro},
       compare_versions},
      {{"query", "[DB] TRANSACTION", "execute TRANSACTION without changing DB, and print the results", "", ro}, query},
      {{"transact", "[DB] TRANSACTION", "execute TRANSACTION on DB, and print the results", "", rw}, transact},
      {{"show-log", "[DB]", "print DB's records (-m: with the rows, -mm: with their columns)", "", ro}, show_log},
      {{"list-commands", "", "print the commands and their arguments", "", ro}, list_commands},
  };
  return rows;
}

bool is_cluster_command(std::string_view name) {
  constexpr std::array names{"create-cluster", "join-cluster", "check-cluster", "cluster-to-standalone",
                             "db-cid",         "db-sid",       "db-local-address"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace ovs::utilities::ovsdb_tool
