// The end of a transaction: references, garbage, sizes, indexes; and taking it all back.

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "dbserver/transaction.h"

namespace ovs::dbserver {

using ovsdb::DbError;
using ovsdb::DbResult;
using ovsdb::db_error;

DbResult<void> Transaction::finish() {
  to_count_.clear();
  for (std::size_t i = 0; i < touched_.size(); i++) {
    to_count_.push_back(i);
    if (!touched_[i].before) candidates_.push_back(i);
  }
  // Pruning a weak reference may take a strong one with it (the other half of a map's pair), and
  // garbage may be what a weak reference points to: until both have nothing to do.
  while (!to_count_.empty()) {
    OVS_TRY_DO(settle_references());
    OVS_TRY_DO(prune_weak_references());
  }
  OVS_TRY_DO(check_deletions());
  forget_unchanged();
  OVS_TRY_DO(check_sizes());
  OVS_TRY_DO(update_indexes());
  update_weak_references();
  publish();
  return {};
}

DbResult<void> Transaction::settle_references() {
  while (!to_count_.empty()) {
    while (!to_count_.empty()) {
      const std::size_t number = to_count_.back();
      to_count_.pop_back();
      OVS_TRY_DO(count_references(number));
    }
    collect_garbage();
  }
  return {};
}

// Counts what the row refers to now, and no longer what it referred to when it was counted last.  A
// row's reference to itself does not count: it would keep the row for ever.
DbResult<void> Transaction::count_references(std::size_t number) {
  const RowPtr from = touched_[number].counted;
  const RowPtr to = touched_[number].after;
  if (from == to) return {};
  Table& table = *touched_[number].table;
  const Uuid own = (to ? to : from)->uuid();
  const auto add = [&](std::size_t column, Table& target, const Uuid& uuid) -> DbResult<void> {
    if (&target == &table && uuid == own) return {};
    return add_reference(number, column, target, uuid);
  };
  const auto drop = [&](Table& target, const Uuid& uuid) {
    if (&target != &table || !(uuid == own)) drop_reference(target, uuid);
  };
  for (std::size_t column : table.strong_columns()) {
    if (from && to) {
      if (!touched_[number].columns.contains(column)) continue;
      // Both are sorted: a walk along both finds what differs; most of it is the same.
      const Table::RefTargets& targets = table.targets(column);
      const Datum& was = from->datum(column);
      const Datum& is = to->datum(column);
      if (targets.strong_key && !targets.strong_value) {
        std::size_t i = 0, j = 0;
        while (i < was.size() || j < is.size()) {
          const std::strong_ordering order = i == was.size() ? std::strong_ordering::greater
                                             : j == is.size() ? std::strong_ordering::less
                                                              : was.key(i) <=> is.key(j);
          if (order == 0) {
            i++, j++;
          } else if (order < 0) {
            drop(*targets.strong_key, was.key(i++).uuid());
          } else {
            OVS_TRY_DO(add(column, *targets.strong_key, is.key(j++).uuid()));
          }
        }
        continue;
      }
    }
    if (to) {
      std::optional<DbError> error;
      for_each_strong_ref(table, column, to->datum(column), [&](const Uuid& uuid, Table& target) {
        if (error) return;
        if (auto added = add(column, target, uuid); !added) error = std::move(added).error();
      });
      if (error) return Unexpected{*std::move(error)};
    }
    if (from) {
      for_each_strong_ref(table, column, from->datum(column),
                          [&](const Uuid& uuid, Table& target) { drop(target, uuid); });
    }
  }
  touched_[number].counted = to;
  return {};
}

DbResult<void> Transaction::add_reference(std::size_t from, std::size_t column, Table& to, const Uuid& uuid) {
  Row* target = to.find(uuid);
  if (!target) {
    const Table& table = *touched_[from].table;
    return db_error("referential integrity violation",
                    fmt::format("Table {} column {} row {} references nonexistent row {} in table {}.",
                                table.schema().name, table.schema().columns[column].name,
                                touched_[from].uuid().to_string(), uuid.to_string(), to.schema().name));
  }
  touched_[touch(to, target)].ref_delta++;
  return {};
}

void Transaction::drop_reference(Table& to, const Uuid& uuid) {
  std::size_t number = 0;
  if (Row* target = to.find(uuid)) {
    number = touch(to, target);
  } else if (auto it = deleted_.find(DeletedKey{&to, uuid}); it != deleted_.end()) {
    number = it->second;
  } else {
    return;
  }
  touched_[number].ref_delta--;
  candidates_.push_back(number);
}

void Transaction::collect_garbage() {
  for (std::size_t number : candidates_) {
    const Touched& touched = touched_[number];
    if (!touched.alive() || touched.table->schema().is_root) continue;
    const std::int64_t before = touched.before ? touched.before->strong_refs : 0;
    if (before + touched.ref_delta > 0) continue;
    Row* row = touched.after.get();
    remove(*touched.table, row);
    to_count_.push_back(number);
  }
  candidates_.clear();
}

DbResult<void> Transaction::prune_weak_references() {
  const std::set<WeakRef>& refs = database_.weak_ref_set();
  for (std::size_t i = 0; i < touched_.size(); i++) {
    if (!touched_[i].alive()) {
      if (touched_[i].deletion_seen || !touched_[i].before) continue;
      touched_[i].deletion_seen = true;
      WeakRef first{};
      first.target = touched_[i].before->uuid();
      first.target_table = static_cast<std::uint32_t>(touched_[i].table->number());
      for (auto it = refs.lower_bound(first);
           it != refs.end() && it->target == first.target && it->target_table == first.target_table; ++it) {
        Table& source = *database_.tables()[it->source_table];
        if (Row* row = source.find(it->source)) OVS_TRY_DO(prune(source, row, it->column));
      }
      continue;
    }
    if (!touched_[i].changed()) continue;
    for (std::size_t column : touched_[i].table->weak_columns()) {
      if (touched_[i].before && !touched_[i].columns.contains(column)) continue;
      OVS_TRY_DO(prune(*touched_[i].table, touched_[i].after.get(), column));
    }
  }
  return {};
}

// Removes the weak references to rows that do not exist.
DbResult<void> Transaction::prune(Table& table, Row* row, std::size_t column) {
  const Table::RefTargets& to = table.targets(column);
  const auto dangling = [&](ovsdb::AtomView key, const ovsdb::AtomView* value) {
    return (to.weak_key && !to.weak_key->find(key.uuid())) ||
           (to.weak_value && value && !to.weak_value->find(value->uuid()));
  };
  Datum value = row->datum(column);
  const std::size_t size = value.size();
  if (!value.erase_if(dangling)) return {};
  const ovsdb::ColumnSchema& schema = table.schema().columns[column];
  if (value.size() < schema.type.min) {
    return db_error("constraint violation",
                    fmt::format("Column \"{}\" of row {} in table \"{}\" must not have fewer than {} element(s), but "
                                "{} of its weak references point to rows that do not exist (an all-zeros UUID is the "
                                "default of a column that was not set).",
                                schema.name, row->uuid().to_string(), table.schema().name, schema.type.min,
                                size - value.size()));
  }
  Row& changed = modify(table, row);
  changed.datum(column) = std::move(value);
  const auto number = static_cast<std::size_t>(changed.touched);
  touched_[number].columns.add(column);
  if (to.strong_key || to.strong_value) to_count_.push_back(number);
  return {};
}

DbResult<void> Transaction::check_deletions() {
  for (const Touched& touched : touched_) {
    if (touched.alive() || !touched.before) continue;
    const std::int64_t left = std::int64_t{touched.before->strong_refs} + touched.ref_delta;
    if (left > 0) {
      return db_error("referential integrity violation",
                      fmt::format("cannot delete {} row {} because of {} remaining reference(s)",
                                  touched.table->schema().name, touched.before->uuid().to_string(), left));
    }
  }
  return {};
}

// A row whose values are what they were keeps its version and is no part of the change.
void Transaction::forget_unchanged() {
  for (Touched& touched : touched_) {
    if (!touched.before || !touched.after || !touched.changed()) continue;
    for (std::size_t i = ovsdb::first_column; i < touched.table->schema().columns.size(); i++) {
      if (touched.columns.contains(i) && touched.before->datum(i) == touched.after->datum(i)) touched.columns.remove(i);
    }
    if (!touched.columns.empty()) continue;
    touched.table->replace(touched.before);
    touched.after = touched.before;
  }
}

DbResult<void> Transaction::check_sizes() {
  for (const Touched& touched : touched_) {
    const ovsdb::TableSchema& schema = touched.table->schema();
    if (touched.before || !touched.alive() || touched.table->size() <= schema.max_rows) continue;
    return db_error("constraint violation",
                    fmt::format("transaction causes \"{}\" table to contain {} rows, greater than the schema-defined "
                                "limit of {} row(s)",
                                schema.name, touched.table->size(), schema.max_rows));
  }
  return {};
}

// First all old versions leave the indexes, then the new ones enter: so rows may exchange keys.
DbResult<void> Transaction::update_indexes() {
  for (std::size_t i = 0; i < touched_.size(); i++) {
    if (!touched_[i].changed()) continue;
    for (auto& index : touched_[i].table->indexes()) {
      index_work_.emplace_back(index.get(), i);
      if (touched_[i].before) index->erase(*touched_[i].before);
    }
  }
  for (std::size_t n = 0; n < index_work_.size(); n++) {
    const auto [index, number] = index_work_[n];
    const Touched& touched = touched_[number];
    if (!touched.alive()) continue;
    if (const Row* other = index->insert(touched.after.get())) {
      DbError error = duplicate(*touched.table, *index, *touched.after, *other);
      undo_indexes(n);
      return Unexpected{std::move(error)};
    }
  }
  return {};
}

// `inserted`: how much of index_work_ has entered its index.
void Transaction::undo_indexes(std::size_t inserted) {
  for (std::size_t n = 0; n < inserted; n++) {
    const auto [index, number] = index_work_[n];
    if (touched_[number].alive()) index->erase(*touched_[number].after);
  }
  for (const auto& [index, number] : index_work_) {
    if (touched_[number].before) {
      const Row* other = index->insert(touched_[number].before.get());
      OVS_CHECK(!other, "an index cannot be restored");
    }
  }
  index_work_.clear();
}

DbError Transaction::duplicate(const Table& table, const Index& index, const Row& row, const Row& other) const {
  const auto origin = [&](const Row& r) -> std::string_view {
    if (r.touched < 0) return "which the transaction does not change";
    const Touched& touched = touched_[static_cast<std::size_t>(r.touched)];
    if (!touched.before) return "which the transaction inserts";
    return touched.changed() ? "which the transaction modifies" : "which the transaction does not change";
  };
  std::string columns, values;
  for (std::size_t column : index.columns()) {
    if (!columns.empty()) columns += ", ", values += ", ";
    columns += '"' + table.schema().columns[column].name + '"';
    values += row.datum(column).to_text(table.schema().columns[column].type);
  }
  return DbError{"constraint violation",
                 fmt::format("Two rows of table \"{}\" would have the same value ({}) for the index on {} {}: row {}, "
                             "{}, and row {}, {}.",
                             table.schema().name, values, index.columns().size() == 1 ? "column" : "columns", columns,
                             row.uuid().to_string(), origin(row), other.uuid().to_string(), origin(other)),
                 {}};
}

void Transaction::update_weak_references() {
  std::vector<WeakRef> was, is;
  for (const Touched& touched : touched_) {
    if (!touched.changed()) continue;
    for (std::size_t column : touched.table->weak_columns()) {
      if (touched.before && touched.after && !touched.columns.contains(column)) continue;
      const auto collect = [&](const Row* row, std::vector<WeakRef>& to) {
        to.clear();
        if (!row) return;
        for_each_weak_ref(*touched.table, column, row->datum(column), [&](const Uuid& uuid, Table& target) {
          to.push_back(WeakRef{uuid, static_cast<std::uint32_t>(target.number()),
                               static_cast<std::uint32_t>(touched.table->number()),
                               static_cast<std::uint32_t>(column), row->uuid()});
        });
        std::sort(to.begin(), to.end());
        to.erase(std::unique(to.begin(), to.end()), to.end());
      };
      collect(touched.before.get(), was);
      collect(touched.after.get(), is);
      std::set_difference(was.begin(), was.end(), is.begin(), is.end(), std::back_inserter(weak_removed_));
      std::set_difference(is.begin(), is.end(), was.begin(), was.end(), std::back_inserter(weak_added_));
    }
  }
  std::set<WeakRef>& refs = database_.weak_ref_set();
  for (const WeakRef& ref : weak_removed_) refs.erase(ref);
  for (const WeakRef& ref : weak_added_) refs.insert(ref);
}

void Transaction::publish() {
  auto change = std::make_shared<Change>();
  for (Touched& touched : touched_) {
    if (touched.after) {
      const std::int64_t before = touched.before ? touched.before->strong_refs : 0;
      touched.after->strong_refs = static_cast<std::uint32_t>(before + touched.ref_delta);
      touched.after->touched = -1;
    }
    if (touched.before) touched.before->touched = -1;
    if (touched.changed()) {
      change->rows.push_back(RowChange{touched.table, touched.before, touched.after, touched.columns});
    }
  }
  if (change->empty()) return;
  std::stable_sort(change->rows.begin(), change->rows.end(), [](const RowChange& a, const RowChange& b) {
    return a.table->number() < b.table->number();
  });
  change->id = Uuid::random();
  change_ = std::move(change);
}

void Transaction::restore_rows() {
  for (Touched& touched : touched_) {
    if (touched.after) touched.after->touched = -1;
    if (touched.before) touched.before->touched = -1;
    if (!touched.changed()) continue;
    if (!touched.before) {
      touched.table->remove(touched.after->uuid());
    } else if (!touched.after) {
      touched.table->insert(touched.before);
    } else {
      touched.table->replace(touched.before);
    }
  }
  touched_.clear();
}

void Transaction::rollback() {
  if (state_ == State::committed) {
    undo_indexes(index_work_.size());
    std::set<WeakRef>& refs = database_.weak_ref_set();
    for (const WeakRef& ref : weak_added_) refs.erase(ref);
    for (const WeakRef& ref : weak_removed_) refs.insert(ref);
    for (Touched& touched : touched_) {
      if (touched.changed() || !touched.after) continue;
      touched.after->strong_refs = static_cast<std::uint32_t>(touched.after->strong_refs - touched.ref_delta);
    }
    change_ = nullptr;
  } else {
    OVS_CHECK(state_ == State::running);
  }
  restore_rows();
  state_ = State::over;
}

}  // namespace ovs::dbserver
