#include "ovsdb/datum.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "ovsdb/block.h"
#include "ovsdb/cell.h"

namespace ovs::ovsdb {

static_assert(sizeof(Datum) == 24);

// --- memory

Datum::Block* Datum::Block::make(std::size_t capacity, bool is_map) {
  void* memory = ::operator new(sizeof(Block) + capacity * (is_map ? 2 : 1) * sizeof(Cell));
  return new (memory) Block{1, static_cast<std::uint32_t>(capacity)};
}

bool Datum::owns_block() const {
  return storage_.block->count.load(std::memory_order_acquire) == 1;
}

void Datum::release_storage() noexcept {
  if (inline_) {
    if (size_) release(key_type_, storage_.one);
    return;
  }
  Block* b = storage_.block;
  if (b->count.load(std::memory_order_acquire) != 1 && b->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (key_type_ == AtomType::string)
    for (std::size_t i = 0; i < size_; ++i) SharedText::release(b->keys()[i].text);
  if (value_type_ == AtomType::string)
    for (std::size_t i = 0; i < size_; ++i) SharedText::release(b->values()[i].text);
  ::operator delete(b);
}

const Cell* Datum::keys() const { return inline_ ? &storage_.one : storage_.block->keys(); }
const Cell* Datum::values() const { return storage_.block->values(); }

// Afterwards this has a block of its own with room for `capacity` elements.
void Datum::make_room(std::size_t capacity) {
  OVS_CHECK(capacity < std::numeric_limits<std::uint32_t>::max());
  bool alone = inline_ || owns_block();
  if (!inline_ && alone && storage_.block->capacity >= capacity) return;
  std::size_t grown = capacity;
  // Room to grow where the block was full; a first copy takes what it needs.
  if (!inline_ && alone) grown = std::max<std::size_t>(capacity, size_ + size_ / 2 + 1);
  Block* fresh = Block::make(grown, is_map());
  for (std::size_t i = 0; i < size_; ++i) fresh->keys()[i] = alone ? keys()[i] : retain(key_type_, keys()[i]);
  if (is_map())
    for (std::size_t i = 0; i < size_; ++i) fresh->values()[i] = alone ? values()[i] : retain(value_type_, values()[i]);
  if (!inline_) {
    if (alone)
      ::operator delete(storage_.block);
    else if (storage_.block->count.fetch_sub(1, std::memory_order_acq_rel) == 1)
      release_copied(storage_.block);
  }
  storage_.block = fresh;
  inline_ = false;
}

// The others who shared `block` went away between our look at its count and our copy.
void Datum::release_copied(Block* block) {
  for (std::size_t i = 0; i < size_; ++i) {
    release(key_type_, block->keys()[i]);
    if (is_map()) release(value_type_, block->values()[i]);
  }
  ::operator delete(block);
}

// Small sets live inside; a block that is half empty or more gives memory back.
void Datum::shrink() {
  if (inline_) return;
  Block* b = storage_.block;
  if (size_ == 0 || (size_ == 1 && !is_map())) {
    Cell one = size_ ? b->keys()[0] : zero_cell();
    ::operator delete(b);
    storage_.one = one;
    inline_ = true;
    return;
  }
  if (b->capacity <= 2 * std::size_t{size_} + 4) return;
  Block* fresh = Block::make(size_, is_map());
  std::copy_n(b->keys(), size_, fresh->keys());
  if (is_map()) std::copy_n(b->values(), size_, fresh->values());
  ::operator delete(b);
  storage_.block = fresh;
}

Datum::Datum() noexcept : size_(0), key_type_(AtomType::none), value_type_(AtomType::none), inline_(true) {
  storage_.one = zero_cell();
}

Datum::Datum(AtomType key, AtomType value) noexcept : size_(0), key_type_(key), value_type_(value), inline_(true) {
  storage_.one = zero_cell();
}

Datum::Datum(Atom only) : size_(1), key_type_(only.type_), value_type_(AtomType::none), inline_(true) {
  storage_.one = only.cell_;
  only.cell_ = zero_cell();
}

Datum::Datum(const Datum& o) noexcept
    : size_(o.size_), key_type_(o.key_type_), value_type_(o.value_type_), inline_(o.inline_), storage_(o.storage_) {
  if (!inline_)
    storage_.block->count.fetch_add(1, std::memory_order_relaxed);
  else if (size_)
    retain(key_type_, storage_.one);
}

Datum::Datum(Datum&& o) noexcept
    : size_(o.size_), key_type_(o.key_type_), value_type_(o.value_type_), inline_(o.inline_), storage_(o.storage_) {
  o.size_ = 0;
  o.inline_ = true;
  o.storage_.one = zero_cell();
}

Datum& Datum::operator=(const Datum& o) noexcept {
  if (this != &o) *this = Datum(o);
  return *this;
}

Datum& Datum::operator=(Datum&& o) noexcept {
  std::swap(size_, o.size_);
  std::swap(key_type_, o.key_type_);
  std::swap(value_type_, o.value_type_);
  std::swap(inline_, o.inline_);
  std::swap(storage_, o.storage_);
  return *this;
}

Datum::~Datum() { release_storage(); }

// --- making

void Datum::append(Cell key, Cell value) {
  storage_.block->keys()[size_] = key;
  if (is_map()) storage_.block->values()[size_] = value;
  ++size_;
}

void Datum::reserve(std::size_t n) {
  OVS_CHECK(size_ == 0 && inline_);
  OVS_CHECK(n < std::numeric_limits<std::uint32_t>::max());
  storage_.block = Block::make(std::max<std::size_t>(n, 1), is_map());
  inline_ = false;
}

// Sorts what append() gathered; returns whether no key stood there twice.  Of equal keys the first
// is kept.
bool Datum::settle() {
  Block* b = storage_.block;
  bool ascending = true;
  for (std::size_t i = 1; i < size_ && ascending; ++i)
    ascending = compare_cells(key_type_, b->keys()[i - 1], b->keys()[i]) < 0;
  bool unique = true;
  if (!ascending) {
    AtomType type = key_type_;
    if (is_map()) {
      std::vector<std::pair<Cell, Cell>> pairs(size_);
      for (std::size_t i = 0; i < size_; ++i) pairs[i] = {b->keys()[i], b->values()[i]};
      std::stable_sort(pairs.begin(), pairs.end(), [type](const auto& x, const auto& y) {
        return compare_cells(type, x.first, y.first) < 0;
      });
      for (std::size_t i = 0; i < size_; ++i) std::tie(b->keys()[i], b->values()[i]) = pairs[i];
    } else {
      std::sort(b->keys(), b->keys() + size_,
                [type](const Cell& x, const Cell& y) { return compare_cells(type, x, y) < 0; });
    }
    std::size_t kept = size_ ? 1 : 0;
    for (std::size_t i = 1; i < size_; ++i) {
      if (compare_cells(type, b->keys()[kept - 1], b->keys()[i]) == 0) {
        unique = false;
        release(type, b->keys()[i]);
        if (is_map()) release(value_type_, b->values()[i]);
        continue;
      }
      b->keys()[kept] = b->keys()[i];
      if (is_map()) b->values()[kept] = b->values()[i];
      ++kept;
    }
    size_ = static_cast<std::uint32_t>(kept);
  }
  shrink();
  return unique;
}

Datum Datum::set_of(AtomType type, std::vector<Atom> atoms) {
  Datum d(type);
  d.reserve(atoms.size());
  for (Atom& a : atoms) {
    OVS_CHECK(a.type_ == type);
    d.append(a.cell_, {});
    a.cell_ = zero_cell();
  }
  (void)d.settle();
  return d;
}

Datum Datum::map_of(AtomType key, AtomType value, std::vector<std::pair<Atom, Atom>> pairs) {
  Datum d(key, value);
  d.reserve(pairs.size());
  for (auto& [k, v] : pairs) {
    OVS_CHECK(k.type_ == key && v.type_ == value);
    d.append(k.cell_, v.cell_);
    k.cell_ = v.cell_ = zero_cell();
  }
  (void)d.settle();
  return d;
}

Datum Datum::default_of(const ColumnType& type) {
  Datum d(type.key.type, type.value.type);
  if (type.min == 0) return d;
  if (type.is_map()) {
    d.reserve(1);
    d.append(zero_cell(), zero_cell());
  } else {
    d.size_ = 1;
  }
  return d;
}

bool Datum::is_default(const ColumnType& type) const {
  if (size_ != type.min) return false;
  if (size_ == 0) return true;
  Cell zero = zero_cell();
  return compare_cells(key_type_, keys()[0], zero) == 0 &&
         (!is_map() || compare_cells(value_type_, values()[0], zero) == 0);
}

// --- looking

std::size_t Datum::lower_bound(const Cell& key) const {
  AtomType type = key_type_;
  const Cell* first = keys();
  return static_cast<std::size_t>(
      std::lower_bound(first, first + size_, key,
                       [type](const Cell& x, const Cell& y) { return compare_cells(type, x, y) < 0; }) -
      first);
}

std::optional<std::size_t> Datum::find(AtomView key) const {
  if (size_ == 0) return std::nullopt;
  OVS_CHECK(key.type() == key_type_);
  std::size_t i = lower_bound(key.cell());
  if (i < size_ && compare_cells(key_type_, keys()[i], key.cell()) == 0) return i;
  return std::nullopt;
}

bool Datum::includes(const Datum& other) const {
  if (other.size_ > size_) return false;
  for (std::size_t i = 0; i < other.size_; ++i) {
    auto at = find(other.key(i));
    if (!at || (is_map() && other.is_map() && value(*at) != other.value(i))) return false;
  }
  return true;
}

bool Datum::excludes(const Datum& other) const {
  for (std::size_t i = 0; i < other.size_ && size_ > 0; ++i) {
    auto at = find(other.key(i));
    if (at && (!is_map() || !other.is_map() || value(*at) == other.value(i))) return false;
  }
  return true;
}

std::size_t Datum::hash() const {
  std::size_t h = size_;
  auto add = [&h](std::size_t x) { h = std::rotl(h, 7) * 0x9e3779b97f4a7c15ULL + x; };
  for (std::size_t i = 0; i < size_; ++i) {
    add(key(i).hash());
    if (is_map()) add(value(i).hash());
  }
  return h;
}

std::strong_ordering operator<=>(const Datum& a, const Datum& b) {
  if (a.size_ != b.size_) return a.size_ <=> b.size_;
  if (a.size_ == 0 || (!a.inline_ && !b.inline_ && a.storage_.block == b.storage_.block))
    return std::strong_ordering::equal;
  OVS_CHECK(a.key_type_ == b.key_type_ && a.value_type_ == b.value_type_);
  const Cell *x = a.keys(), *y = b.keys();
  for (std::size_t i = 0; i < a.size_; ++i)
    if (int c = compare_cells(a.key_type_, x[i], y[i])) return c <=> 0;
  if (!a.is_map()) return std::strong_ordering::equal;
  x = a.values(), y = b.values();
  for (std::size_t i = 0; i < a.size_; ++i)
    if (int c = compare_cells(a.value_type_, x[i], y[i])) return c <=> 0;
  return std::strong_ordering::equal;
}

bool operator==(const Datum& a, const Datum& b) { return (a <=> b) == 0; }

std::size_t Datum::heap_bytes() const {
  std::size_t n = inline_ ? 0 : sizeof(Block) + storage_.block->capacity * sizeof(Cell) * (is_map() ? 2 : 1);
  auto text = [](const Cell& c) { return c.text ? sizeof(SharedText) + c.text->length : 0; };
  for (std::size_t i = 0; i < size_; ++i) {
    if (key_type_ == AtomType::string) n += text(keys()[i]);
    if (value_type_ == AtomType::string) n += text(values()[i]);
  }
  return n;
}

DbResult<void> Datum::check(const ColumnType& type) const {
  if (size_ < type.min || size_ > type.max)
    return db_error("constraint violation",
                    fmt::format("Attempted to store {} elements in {}.", size_, type.text()));
  for (std::size_t i = 0; i < size_; ++i) {
    OVS_TRY_DO(check_atom(key(i), type.key));
    if (is_map()) OVS_TRY_DO(check_atom(value(i), type.value));
  }
  return {};
}

}  // namespace ovs::ovsdb
