// Kinds of things that a file may declare: where each stands in the database, and which of its columns
// are settings.
//
// The configuration is a tree: Open_vSwitch has bridges, bridges have ports, ports have interfaces,
// and so on.  One row a kind says the table, the parent's column that refers to it, and by what two
// records of one parent are told apart.  Everything else is read from the schema: the settings of a
// kind are the columns of its table that are neither references nor what the switch reports.
//
// Thread safety: constants and pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dbclient/replica.h"
#include "ovsdb/schema.h"

namespace ovs::conf {

enum class Id : std::uint8_t {
  root, bridge, port, interface, controller, mirror, netflow, sflow, ipfix, qos, queue, manager, ssl,
};

struct Kind {
  Id id;
  std::string_view word;    // for people: "bridge"
  std::string_view table;
  Id parent;                // of the root: itself
  std::string_view column;  // of the parent's table, which refers to it
  std::string_view key;     // the column by which records of one parent differ; empty: there is only one, or ...
  bool numbered = false;    // ... the parent's column maps numbers to them
};

std::span<const Kind> kinds();
const Kind& kind(Id id);

// The column of every table in which ovs-conf keeps its mark, and the mark's key in it.
inline constexpr std::string_view mark_column = "external_ids", mark_key = "ovs-conf";

// Whether a column holds what the switch reports, and is no configuration.
bool is_state(std::string_view table, const ovsdb::ColumnSchema& column);
// Whether a column may be set by COLUMN=VALUE in a file.  References to ports (of mirrors) may.
bool is_setting(const Kind& kind, const ovsdb::ColumnSchema& column);
// Whether a column refers to ports, which a file gives by name.
bool names_ports(const ovsdb::ColumnSchema& column);

// The tables and columns that a replica needs: those of the kinds, those that they refer to, and what
// the switch reports about its work (cur_cfg, error, ofport).
std::vector<dbclient::TableDecl> declarations(const ovsdb::DatabaseSchema& schema);

// The schema in the installation's files: for those who have no server to ask.
Result<std::shared_ptr<const ovsdb::DatabaseSchema>> installed_schema();

}  // namespace ovs::conf
