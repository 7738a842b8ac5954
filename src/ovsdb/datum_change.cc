#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "ovsdb/block.h"
#include "ovsdb/cell.h"
#include "ovsdb/datum.h"

namespace ovs::ovsdb {

namespace {

// Up to this many elements a binary search and a memmove for each is cheaper than a merge.
constexpr std::size_t few = 16;

}  // namespace

bool Datum::insert_cells(const Cell& key, const Cell* value, bool replace) {
  std::size_t at = size_ ? lower_bound(key) : 0;
  if (at < size_ && compare_cells(key_type_, keys()[at], key) == 0) {
    if (!value || !replace || compare_cells(value_type_, values()[at], *value) == 0) return false;
    make_room(size_);
    Cell& slot = storage_.block->values()[at];
    release(value_type_, slot);
    slot = retain(value_type_, *value);
    return true;
  }
  // What is inserted may be an element of this very datum's memory: take it before that moves.
  Cell new_key = retain(key_type_, key);
  Cell new_value = value ? retain(value_type_, *value) : zero_cell();
  if (size_ == 0 && !value) {
    storage_.one = new_key;
    size_ = 1;
    return true;
  }
  make_room(std::size_t{size_} + 1);
  auto put = [this, at](Cell* cells, const Cell& cell) {
    std::memmove(cells + at + 1, cells + at, (size_ - at) * sizeof(Cell));
    cells[at] = cell;
  };
  put(storage_.block->keys(), new_key);
  if (value) put(storage_.block->values(), new_value);
  ++size_;
  return true;
}

bool Datum::insert(const Atom& key) {
  if (key_type_ == AtomType::none) key_type_ = key.type();
  OVS_CHECK(key.type() == key_type_ && !is_map());
  return insert_cells(key.cell_, nullptr, false);
}

bool Datum::insert(const Atom& key, const Atom& value, bool replace) {
  if (size_ == 0 && key_type_ == AtomType::none) key_type_ = key.type(), value_type_ = value.type();
  OVS_CHECK(key.type() == key_type_ && value.type() == value_type_ && is_map());
  return insert_cells(key.cell_, &value.cell_, replace);
}

void Datum::erase_at(std::size_t at) {
  if (inline_) {
    release(key_type_, storage_.one);
    storage_.one = zero_cell();
    size_ = 0;
    return;
  }
  make_room(size_);
  auto take = [this, at](Cell* cells, AtomType type) {
    release(type, cells[at]);
    std::memmove(cells + at, cells + at + 1, (size_ - at - 1) * sizeof(Cell));
  };
  take(storage_.block->keys(), key_type_);
  if (is_map()) take(storage_.block->values(), value_type_);
  --size_;
  shrink();
}

bool Datum::erase(AtomView key) {
  auto at = find(key);
  if (!at) return false;
  erase_at(*at);
  return true;
}

// Removes the elements whose index `drop` accepts; it is asked once for each, in order.
template <class Drop>
bool Datum::drop_where(Drop drop) {
  std::size_t first = 0;
  while (first < size_ && !drop(first)) ++first;
  if (first == size_) return false;
  if (inline_) {
    erase_at(0);
    return true;
  }
  make_room(size_);
  Cell* k = storage_.block->keys();
  Cell* v = is_map() ? storage_.block->values() : nullptr;
  std::size_t kept = first;
  for (std::size_t i = first; i < size_; ++i) {
    if (i == first || drop(i)) {
      release(key_type_, k[i]);
      if (v) release(value_type_, v[i]);
    } else {
      k[kept] = k[i];
      if (v) v[kept] = v[i];
      ++kept;
    }
  }
  size_ = static_cast<std::uint32_t>(kept);
  shrink();
  return true;
}

bool Datum::erase_if(const std::function<bool(AtomView key, const AtomView* value)>& drop) {
  return drop_where([&](std::size_t i) {
    if (!is_map()) return drop(key(i), nullptr);
    AtomView v = value(i);
    return drop(key(i), &v);
  });
}

bool Datum::unite(const Datum& other, bool replace) {
  if (other.size_ == 0) return false;
  if (size_ == 0) {
    *this = Datum(other);
    return true;
  }
  OVS_CHECK(key_type_ == other.key_type_ && value_type_ == other.value_type_);
  if (other.size_ <= few) {
    Datum held = other;  // `other` may be this very datum
    bool changed = false;
    for (std::size_t i = 0; i < held.size_; ++i)
      changed |= insert_cells(held.keys()[i], is_map() ? &held.values()[i] : nullptr, replace);
    return changed;
  }
  Datum merged(key_type_, value_type_);
  merged.reserve(std::size_t{size_} + other.size_);
  bool changed = false;
  std::size_t i = 0, j = 0;
  auto take = [&merged](const Datum& from, std::size_t at, const Datum& value_from, std::size_t value_at) {
    merged.append(retain(from.key_type_, from.keys()[at]),
                  from.is_map() ? retain(from.value_type_, value_from.values()[value_at]) : zero_cell());
  };
  while (i < size_ || j < other.size_) {
    int c = i == size_ ? 1 : j == other.size_ ? -1 : compare_cells(key_type_, keys()[i], other.keys()[j]);
    if (c < 0) {
      take(*this, i, *this, i);
      ++i;
    } else if (c > 0) {
      take(other, j, other, j);
      changed = true;
      ++j;
    } else {
      bool replaces = replace && is_map() && compare_cells(value_type_, values()[i], other.values()[j]) != 0;
      take(*this, i, replaces ? other : *this, replaces ? j : i);
      changed |= replaces;
      ++i;
      ++j;
    }
  }
  if (changed) *this = std::move(merged);
  return changed;
}

bool Datum::subtract(const Datum& other) {
  Datum held = other;  // `other` may be this very datum
  auto gone = [&](std::size_t i, std::size_t at) {
    return !is_map() || !held.is_map() || compare_cells(value_type_, values()[i], held.values()[at]) == 0;
  };
  if (held.size_ <= few) {
    bool changed = false;
    for (std::size_t j = 0; j < held.size_; ++j)
      if (auto at = find(held.key(j)); at && gone(*at, j)) {
        erase_at(*at);
        changed = true;
      }
    return changed;
  }
  return drop_where([&](std::size_t i) {
    auto at = held.find(key(i));
    return at && gone(i, *at);
  });
}

bool Datum::subtract_keys(const Datum& other) {
  Datum held = other;
  return drop_where([&](std::size_t i) { return held.contains(key(i)); });
}

// --- differences

Datum Datum::diff(const Datum& from, const Datum& to, const ColumnType& type) {
  if (type.max == 1) return to;
  Datum d(type.key.type, type.value.type);
  if (from == to) return d;
  d.reserve(std::size_t{from.size_} + to.size_);
  auto take = [&d](const Datum& of, std::size_t at) {
    d.append(retain(d.key_type_, of.keys()[at]), d.is_map() ? retain(d.value_type_, of.values()[at]) : zero_cell());
  };
  std::size_t i = 0, j = 0;
  while (i < from.size_ || j < to.size_) {
    int c = i == from.size_ ? 1 : j == to.size_ ? -1 : compare_cells(d.key_type_, from.keys()[i], to.keys()[j]);
    if (c < 0) {
      take(from, i++);
    } else if (c > 0) {
      take(to, j++);
    } else {
      if (d.is_map() && compare_cells(d.value_type_, from.values()[i], to.values()[j]) != 0) take(to, j);
      ++i;
      ++j;
    }
  }
  d.shrink();
  return d;
}

DbResult<void> Datum::patch(const Datum& diff, const ColumnType& type) {
  if (type.max == 1) {
    *this = Datum(diff);
  } else if (diff.size_ > few) {
    Datum doomed(key_type_, value_type_);
    Datum added(key_type_, value_type_);
    doomed.reserve(diff.size_);
    added.reserve(diff.size_);
    for (std::size_t i = 0; i < diff.size_; ++i) {
      auto at = find(diff.key(i));
      bool gone = at && (!is_map() || value(*at) == diff.value(i));
      (gone ? doomed : added)
          .append(retain(key_type_, diff.keys()[i]), is_map() ? retain(value_type_, diff.values()[i]) : zero_cell());
    }
    doomed.shrink();
    added.shrink();
    (void)subtract(doomed);
    (void)unite(added, true);
  } else {
    if (key_type_ == AtomType::none) key_type_ = diff.key_type_, value_type_ = diff.value_type_;
    for (std::size_t i = 0; i < diff.size_; ++i) {
      auto at = find(diff.key(i));
      if (at && (!is_map() || value(*at) == diff.value(i)))
        erase_at(*at);
      else
        (void)insert_cells(diff.keys()[i], is_map() ? &diff.values()[i] : nullptr, true);
    }
  }
  if (size_ < type.min || size_ > type.max)
    return db_error("constraint violation", fmt::format("a difference leaves {} elements in {}", size_, type.text()));
  return {};
}

DbResult<Datum> Datum::apply_diff(const Datum& diff, const ColumnType& type) const {
  Datum result = *this;
  OVS_TRY_DO(result.patch(diff, type));
  return result;
}

}  // namespace ovs::ovsdb
