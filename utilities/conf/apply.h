// Applying a declaration: plan, commit, wait for the switch, and take everything back where the switch does not follow.
//
// Thread safety: none; the program has one thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/session.h"

namespace ovs::conf {

struct ApplyOptions {
  std::string db;
  runtime::TlsSettings tls;  // for a `db` by TLS
  std::string file;  // as the user calls it
  std::chrono::milliseconds limit{10000};         // for each answer of the database server
  std::chrono::milliseconds switch_limit{30000};  // for the switch
  bool wait = true;
  bool adopt = false;
  std::optional<std::chrono::seconds> confirm;
};

struct Applied {
  int status = exit_done;
  bool changed = false;  // the database; or it may be, which only a server that did not answer knows
};

// Tells the user what happens, on standard output and standard error.  `before_commit` is given what takes the change
// back, just before it is made; its error ends everything.
Applied apply(const Declared& declared, const ApplyOptions& options,
              const std::function<Result<void>(const Undo&)>& before_commit = nullptr);

// A file that declares nothing is the work of somebody who has not yet written it, or has commented it out: it does not
// take away what an earlier file has made.  `file`: as messages call it; the error says what to write.
Result<void> check_declares(const Declared& declared, const Plan& plan, std::string_view file);

// Takes a change back; returns whether there was anything left to take back.
Result<bool> take_back(Session& session, const Undo& undo, std::string_view why);

// The file as messages call it: "-" is standard input.
std::string file_name(const std::string& file);

// All mistakes of a file, and how many they are.
void complain_of(std::vector<Mistake> mistakes, const std::string& file);

// The types of a file, as a switch knows them.  Says what is wrong with them, and what is stored only; returns whether
// the file can be used.
bool types_are_good(const Declared& declared, const MoreTypes& more, const std::string& file);

// Each line of a message on standard error, with the program's name.
void complain(std::string_view message);

}  // namespace ovs::conf
