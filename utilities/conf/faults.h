// Faults: what the switch and the database server say does not work.
//
// Thread safety: pure functions.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "conf/declared.h"
#include "conf/present.h"

namespace ovs::conf {

// The names of the interfaces that a file declares.
std::set<std::string> interfaces_of(const Declared& declared);

// The names of the interfaces that work: they are ports of the switch, and it does not say that nothing passes them.
// What else it may say, such as that a setting of theirs could not be applied, or is stored only, stops nothing.
std::set<std::string> working_interfaces(const Present& present);

// A manager of the file that the server cannot open, or not with the keys that it is told to take.
struct ManagerFault {
  std::string text;  // with the reason
  // Found when the server tried to connect, which it does again some seconds later: keys may be other ones meanwhile.
  bool of_last_try = false;
};
struct ManagerFaults {
  std::vector<ManagerFault> faults;
  // Of these it has said nothing yet; nor does it ever where it does not look at this table.
  std::vector<std::string> unknown;
};
ManagerFaults manager_faults(const Present& present, const Declared& declared);

// What the server has written about the managers of the file for which it waits with keys, by their targets.  Which
// keys it was told to take when it wrote that, it does not say.
std::map<std::string, Datum> keys_reported(const Present& present, const Declared& declared);

}  // namespace ovs::conf
