#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "vsctl/handlers.h"
#include "vsctl/model.h"

namespace ovs::vsctl {

namespace {

void clear_refs(View& view, Row* owner, std::string_view column, std::string_view table) {
  for (Row* row : rows_of(view, owner, column, table, {"target"})) view.erase(row);
  view.set(owner, column, Datum(AtomType::uuid));
}

// Makes one row of `table` for each target and puts all into `column` of `owner`.
Result<void> set_targets(Context& context, Row* owner, std::string_view column, std::string_view table,
                         std::span<const std::string> targets) {
  View& view = context.view();
  std::optional<std::int64_t> probe;
  if (auto value = context.invocation().value("--inactivity-probe")) {
    probe = parse_integer(*value);
    if (!probe) return unexpected(fmt::format("\"{}\" is not a number of milliseconds", *value));
  }
  clear_refs(view, owner, column, table);
  std::vector<Atom> rows;
  for (const std::string& target : targets) {
    static constexpr std::array<std::string_view, 6> kinds{"tcp:", "ssl:", "unix:", "ptcp:", "pssl:", "punix:"};
    if (std::ranges::none_of(kinds, [&](std::string_view kind) { return target.starts_with(kind); }))
      context.attempt().warnings.push_back(fmt::format("target type \"{}\" is possibly erroneous", target));
    Row* row = view.insert(table);
    view.set(row, "target", Datum(Atom(target)));
    if (probe) view.set(row, "inactivity_probe", Datum(Atom(*probe)));
    rows.emplace_back(row->uuid());
  }
  view.set(owner, column, Datum::set_of(AtomType::uuid, std::move(rows)));
  return {};
}

void print_targets(Context& context, Row* owner, std::string_view column, std::string_view table) {
  View& view = context.view();
  std::vector<std::string> targets;
  for (Row* row : rows_of(view, owner, column, table, {"target"})) targets.push_back(view.text(row, "target"));
  std::ranges::sort(targets);
  for (const std::string& target : targets) context.print(target);
}

}  // namespace

Result<void> run_get_controller(Context& context) {
  OVS_TRY(Bridge bridge, get_bridge(context.view(), context.arg(0)));
  print_targets(context, bridge.row, "controller", "Controller");
  return {};
}

Result<void> run_del_controller(Context& context) {
  OVS_TRY(Bridge bridge, get_real_bridge(context.view(), context.arg(0)));
  clear_refs(context.view(), bridge.row, "controller", "Controller");
  return {};
}

Result<void> run_set_controller(Context& context) {
  OVS_TRY(Bridge bridge, get_real_bridge(context.view(), context.arg(0)));
  return set_targets(context, bridge.row, "controller", "Controller", context.args_from(1));
}

Result<void> run_get_fail_mode(Context& context) {
  OVS_TRY(Bridge bridge, get_bridge(context.view(), context.arg(0)));
  std::string mode = context.view().text(bridge.row, "fail_mode");
  if (!mode.empty()) context.print(mode);
  return {};
}

Result<void> run_del_fail_mode(Context& context) {
  OVS_TRY(Bridge bridge, get_real_bridge(context.view(), context.arg(0)));
  context.view().get(bridge.row, "fail_mode");
  context.view().set(bridge.row, "fail_mode", Datum(AtomType::string));
  return {};
}

Result<void> run_set_fail_mode(Context& context) {
  OVS_TRY(Bridge bridge, get_real_bridge(context.view(), context.arg(0)));
  const std::string& mode = context.arg(1);
  if (mode != "standalone" && mode != "secure")
    return unexpected("fail-mode must be \"standalone\" or \"secure\"");
  context.view().get(bridge.row, "fail_mode");
  context.view().set(bridge.row, "fail_mode", Datum(Atom(mode)));
  return {};
}

Result<void> run_get_manager(Context& context) {
  print_targets(context, context.root(), "manager_options", "Manager");
  return {};
}

Result<void> run_del_manager(Context& context) {
  clear_refs(context.view(), context.root(), "manager_options", "Manager");
  return {};
}

Result<void> run_set_manager(Context& context) {
  return set_targets(context, context.root(), "manager_options", "Manager", context.args_from(0));
}

Result<void> run_get_ssl(Context& context) {
  View& view = context.view();
  for (Row* row : rows_of(view, context.root(), "ssl", "SSL",
                          {"private_key", "certificate", "ca_cert", "bootstrap_ca_cert"})) {
    context.print("Private key: " + view.text(row, "private_key"));
    context.print("Certificate: " + view.text(row, "certificate"));
    context.print("CA Certificate: " + view.text(row, "ca_cert"));
    Datum bootstrap = view.get(row, "bootstrap_ca_cert");
    context.print(fmt::format("Bootstrap: {}", !bootstrap.empty() && bootstrap.boolean()));
  }
  return {};
}

Result<void> run_del_ssl(Context& context) {
  clear_refs(context.view(), context.root(), "ssl", "SSL");
  return {};
}

Result<void> run_set_ssl(Context& context) {
  View& view = context.view();
  Row* root = context.root();
  clear_refs(view, root, "ssl", "SSL");
  Row* row = view.insert("SSL");
  view.set(row, "private_key", Datum(Atom(context.arg(0))));
  view.set(row, "certificate", Datum(Atom(context.arg(1))));
  view.set(row, "ca_cert", Datum(Atom(context.arg(2))));
  view.set(row, "bootstrap_ca_cert", Datum(Atom(context.has("--bootstrap"))));
  view.set(root, "ssl", Datum(Atom(row->uuid())));
  return {};
}

}  // namespace ovs::vsctl
