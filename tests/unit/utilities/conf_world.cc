#include "unit/utilities/conf_world.h"

namespace ovs::conf {

const ovsdb::DatabaseSchema& test_schema() {
  static const auto schema = ovsdb::read_schema_file(OVS_SCHEMA_FILE);
  return **schema;
}

}  // namespace ovs::conf
