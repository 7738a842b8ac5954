// The commands of ovsdb-tool: one row each (base/command.h), in the order of --help.
//
// A command returns the program's exit status, or an error that main() prints before it exits
// with 1.  Output goes to standard output.
//
// Thread safety: none.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/command.h"
#include "base/result.h"

namespace ovs::utilities::ovsdb_tool {

// What the command line says besides the command.
struct Settings {
  unsigned more = 0;  // -m: how much show-log shows
};

using Arguments = std::span<const std::string>;

struct Row {
  CommandInfo info;
  std::function<Result<int>(const Settings& settings, Arguments arguments)> run;
};

const std::vector<Row>& commands();

// Commands of the field's tool about clusters, which this one knows only to say so.
bool is_cluster_command(std::string_view name);

std::string default_database();  // OVS_DBDIR/conf.db
std::string default_schema();    // PKGDATADIR/vswitch.ovsschema

// schema_commands.cc
Result<int> create(const Settings&, Arguments);
Result<int> db_name(const Settings&, Arguments);
Result<int> db_version(const Settings&, Arguments);
Result<int> db_cksum(const Settings&, Arguments);
Result<int> db_is_clustered(const Settings&, Arguments);
Result<int> db_is_standalone(const Settings&, Arguments);
Result<int> schema_name(const Settings&, Arguments);
Result<int> schema_version(const Settings&, Arguments);
Result<int> schema_cksum(const Settings&, Arguments);
Result<int> compare_versions(const Settings&, Arguments);
Result<int> needs_conversion(const Settings&, Arguments);

// content_commands.cc
Result<int> query(const Settings&, Arguments);
Result<int> transact(const Settings&, Arguments);
Result<int> compact(const Settings&, Arguments);
Result<int> convert(const Settings&, Arguments);

}  // namespace ovs::utilities::ovsdb_tool
