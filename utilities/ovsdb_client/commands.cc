// The table of commands; dispatch, errors and --help come from it.
#include <fmt/format.h>

#include <array>

#include "ovsdb_client/context.h"

namespace ovs::utilities::ovsdb_client {

namespace {

constexpr Access ro = Access::read_only, rw = Access::read_write;

constexpr std::array rows{
    Row{{"list-dbs", "[SERVER]", "list the databases of SERVER", "", ro}, Target::server, false, list_dbs},
    Row{{"get-schema", "[SERVER] [DATABASE]", "print the schema of DATABASE as JSON", "", ro},
        Target::database, false, get_schema},
    Row{{"get-schema-version", "[SERVER] [DATABASE]", "print the version of the schema of DATABASE", "", ro},
        Target::database, false, get_schema_version},
    Row{{"get-schema-cksum", "[SERVER] [DATABASE]", "print the checksum of the schema of DATABASE", "", ro},
        Target::database, false, get_schema_cksum},
    Row{{"list-tables", "[SERVER] [DATABASE]", "list the tables of DATABASE", "", ro},
        Target::database, false, list_tables},
    Row{{"list-columns", "[SERVER] [DATABASE] [TABLE]",
         "list the columns of TABLE, or of all tables, of DATABASE", "", ro},
        Target::database, false, list_columns},
    Row{{"convert", "[SERVER] SCHEMA",
         "convert the database that the file SCHEMA names to the schema in it", "", rw},
        Target::server, false, convert},
    Row{{"needs-conversion", "[SERVER] SCHEMA",
         "print whether that database has another schema than the file SCHEMA (yes or no)", "", ro},
        Target::server, false, needs_conversion},
    Row{{"transact", "[SERVER] TRANSACTION",
         "run TRANSACTION, the parameters of a \"transact\" request, and print the result as JSON", "", rw},
        Target::server, false, transact},
    Row{{"query", "[SERVER] TRANSACTION", "the same, but leave the database as it is", "", ro},
        Target::server, false, query},
    Row{{"dump", "[SERVER] [DATABASE] [TABLE [COLUMN]...]", "print the contents of DATABASE as tables", "", ro},
        Target::database, false, dump},
    Row{{"backup", "[SERVER] [DATABASE]", "write DATABASE to standard output as a database file", "", ro},
        Target::database, false, backup},
    Row{{"restore", "[SERVER] [DATABASE]",
         "replace the contents of DATABASE by those of the database file on standard input", "--force", rw},
        Target::database, false, restore},
    Row{{"monitor", "[SERVER] [DATABASE] {TABLE [COLUMN[,COLUMN]...]... | ALL}",
         "print the contents of TABLE, or of all tables, and every change; !initial, !insert, !delete and "
         "!modify among the COLUMNs leave such changes out",
         "--timestamp", ro},
        Target::database, true, monitor},
    Row{{"monitor-cond", "[SERVER] [DATABASE] CONDITIONS TABLE [COLUMN[,COLUMN]...]...",
         "the same for the rows for which one of CONDITIONS, a JSON array, holds", "--timestamp", ro},
        Target::database, true, monitor_cond},
    Row{{"monitor-cond-since",
         "[SERVER] [DATABASE] [LAST-ID] CONDITIONS TABLE [COLUMN[,COLUMN]...]...",
         "the same, beginning after the transaction LAST-ID where the server still knows it", "--timestamp", ro},
        Target::database, true, monitor_cond_since},
    Row{{"wait", "[SERVER] DATABASE STATE", "wait until DATABASE is added, connected or removed", "", ro},
        Target::remote, false, wait_for_state},
    Row{{"lock", "[SERVER] LOCK", "ask for LOCK, and print when it is held or lost", "", rw},
        Target::server, true, lock},
    Row{{"steal", "[SERVER] LOCK", "take LOCK from its holder", "", rw}, Target::server, true, steal},
    Row{{"unlock", "[SERVER] LOCK", "give LOCK up", "", rw}, Target::server, true, unlock},
};

}  // namespace

std::span<const Row> commands() { return rows; }

}  // namespace ovs::utilities::ovsdb_client
