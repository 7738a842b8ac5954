// Declared: what a file says that the switch is to be.
//
// A tree of items, one for each record that the file declares (kind.h), made from the file's variables alone.  Reading
// finds all mistakes at once, each with its line and what to write instead.
//
// Names.  A variable for a bridge, port or interface ends in its name, with "_" for each character that a variable's
// name cannot hold: ovs_port_eth0_100 is about the port eth0.100.  Two names of one kind that become the same
// are a mistake.
//
// Thread safety: values and pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/evaluate.h"
#include "conf/kind.h"
#include "conf/settings.h"
#include "conf/types.h"

namespace ovs::conf {

struct Item {
  const Kind* kind = nullptr;
  std::string name{};  // what the record's key is; of a queue its number; empty where there is only one
  // Part of its parent, not named in the file: it is made together with the parent, and not missed later.
  bool implied = false;
  Settings settings{};
  Settings initial{};  // of a row that is made; not held against one that is there
  std::vector<Item> children{};

  std::string label() const;  // "port tap0"
};

struct Declared {
  Item root;
  bool keep_undeclared = false;
  std::vector<NamedType> types;
  // What an empty file does not do, and one that declares that there is nothing does.
  bool sets_anything = false, sets_bridges = false;
};

struct Reading {
  Declared declared;
  std::vector<Mistake> mistakes;  // where there are any, `declared` is not to be used
};

Reading read_declaration(const std::vector<Variable>& variables, const ovsdb::DatabaseSchema& schema);

// The name as the end of a variable's name.
std::string as_variable(std::string_view name);

// A name for people to read, which a database may hold whatever is in it: in quotes, and on one line, unless it is plain.
std::string in_one_line(std::string_view name);

// Whether a name can be that of a port or interface in a file: the error says why not.
Result<void> check_name(std::string_view name);
// The same for bridges and for ports that are devices of the kernel, whose names have its limits, too.
Result<void> check_device_name(std::string_view name);
// Whether an interface of this type is a device of the kernel.
bool is_device_type(std::string_view type);
// Whether text is the target of a controller or manager ("tcp:192.0.2.1:6653").
Result<void> check_connection(std::string_view target);
// Whether text is a target of NetFlow, sFlow or IPFIX, "192.0.2.1:6343"; sFlow's need no port.
Result<void> check_collector(Id id, std::string_view target);
// What TLS needs: columns of the table SSL, and whether a value is the name of a file that the database server, wherever
// it was started, can find.
inline constexpr std::string_view key_columns[] = {"private_key", "certificate", "ca_cert"};
Result<void> check_key_file(std::string_view column, std::string_view file);

}  // namespace ovs::conf
