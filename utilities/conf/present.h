// Present: the configuration as the database has it, for looking up.
//
// Thread safety: borrows the replica's tables, and is valid until they change.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/kind.h"
#include "conf/settings.h"
#include "dbclient/replica.h"

namespace ovs::conf {

// A row and its table; null where there is none.
struct Record {
  const dbclient::ReplicaTable* table = nullptr;
  const dbclient::ReplicaRow* row = nullptr;

  explicit operator bool() const { return row != nullptr; }
  const Uuid& uuid() const { return row->uuid(); }
  // The value of a column; null where the table has no such column.
  const Datum* find(std::string_view column) const;
  std::string text(std::string_view column) const;  // of a string column; empty where there is none
  Mark mark() const;
};

class Present {
 public:
  Present(std::vector<const dbclient::ReplicaTable*> tables);

  const dbclient::ReplicaTable* table(std::string_view name) const;
  Record find(std::string_view table, const Uuid& uuid) const;
  // The only row of Open_vSwitch.
  Record root() const;

  // The children of a kind, as the parent's column refers to them, by their keys' order; a queue's number is in `name`.
  struct Child {
    std::string name;
    Record record;
  };
  std::vector<Child> children(const Record& parent, const Kind& kind) const;

  // Ports and interfaces have unique names.
  Record named(Id id, std::string_view name) const;
  // The rows that refer to this one as a child of its kind.
  std::vector<Record> parents(Id id, const Uuid& child) const;
  // The name of a port, for those who refer to it; empty if it is gone.
  std::string port_name(const Uuid& port) const;

 private:
  std::map<std::string, const dbclient::ReplicaTable*, std::less<>> tables_;
  boost::unordered_flat_map<std::string, Record> ports_, interfaces_;
  boost::unordered_flat_map<Uuid, std::vector<Record>, UuidHash> port_parents_, interface_parents_, qos_parents_,
      queue_parents_;
};

}  // namespace ovs::conf
