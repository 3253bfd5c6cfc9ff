// Reading: single keys, ranges, sizes. Each call holds the opening of the database that it began
// with.
#include <leveldb/iterator.h>

#include <vector>

#include "store.hpp"

namespace rhizome::leveldb_store {

namespace {

constexpr std::size_t kRunBytes = 64 * 1024;

leveldb::Slice slice(ByteView bytes) { return {bytes.data(), bytes.size()}; }

// Entries are copied into one buffer, a run at a time: LevelDB's iterator forgets an entry at its
// next step.
class Cursor final : public plugin::StoreCursor {
 public:
  Cursor(const Store& store, std::shared_ptr<Database> database, ByteView lower, ByteView upper,
         bool reverse)
      : store_(store),
        database_(std::move(database)),
        lower_(lower),
        upper_(upper),
        reverse_(reverse) {
    leveldb::ReadOptions how = checked_reads();
    how.fill_cache = false;  // a scan would push everything else out
    at_.reset(sealed([&] { return database_->db->NewIterator(how); }));
  }

  Result<std::size_t> next(std::span<rz_store_entry> entries) override {
    buffer_.clear();
    places_.clear();
    while (places_.size() < entries.size() && buffer_.size() < kRunBytes) {
      if (started_ && !inside()) break;
      step();
      if (!inside()) break;
      const leveldb::Slice key = at_->key(), value = at_->value();
      places_.push_back({buffer_.size(), key.size(), value.size()});
      buffer_.append(key.data(), key.size()).append(value.data(), value.size());
    }
    if (const leveldb::Status status = at_->status(); !status.ok())
      return store_.describe(status, "read a range");
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const char* key = buffer_.data() + places_[i].offset;
      entries[i] = {{key, places_[i].key_size}, {key + places_[i].key_size, places_[i].value_size}};
    }
    return places_.size();
  }

 private:
  struct Place {
    std::size_t offset, key_size, value_size;
  };

  bool inside() const {
    if (!at_->Valid()) return false;
    return reverse_ ? at_->key().compare(slice(lower_)) >= 0
                    : upper_.empty() || at_->key().compare(slice(upper_)) < 0;
  }
  void step() {
    sealed([&] {
      if (started_) {
        reverse_ ? at_->Prev() : at_->Next();
        return;
      }
      started_ = true;
      if (!reverse_) return at_->Seek(slice(lower_));
      if (upper_.empty()) return at_->SeekToLast();
      at_->Seek(slice(upper_));
      at_->Valid() ? at_->Prev() : at_->SeekToLast();
    });
  }

  const Store& store_;
  const std::shared_ptr<Database> database_;
  std::unique_ptr<leveldb::Iterator> at_;  // ends before the database
  const std::string lower_, upper_;
  const bool reverse_;
  bool started_ = false;
  std::string buffer_;
  std::vector<Place> places_;
};

}  // namespace

Status Store::get(std::span<const rz_bytes> keys, const plugin::StoreFound& found) {
  const std::shared_ptr<Database> database = this->database();
  const leveldb::ReadOptions how = checked_reads();
  std::string value;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const leveldb::Status status =
        sealed([&] { return database->db->Get(how, leveldb_store::slice(keys[i]), &value); });
    if (status.IsNotFound()) continue;
    if (!status.ok()) return describe(status, "get");
    RZ_TRY(found(i, value));
  }
  return {};
}

Result<std::unique_ptr<plugin::StoreCursor>> Store::cursor(ByteView lower, ByteView upper,
                                                           bool reverse) {
  return std::unique_ptr<plugin::StoreCursor>(new Cursor(*this, database(), lower, upper, reverse));
}

Result<std::uint64_t> Store::approximate_size(ByteView lower, ByteView upper) const {
  // Longer than any key, so this is behind all of them.
  const std::string last(RZ_STORE_KEY_MAX_SIZE + 1, '\xff');
  const leveldb::Range range(slice(lower), upper.empty() ? leveldb::Slice(last) : slice(upper));
  std::uint64_t bytes = 0;
  sealed([&] { database()->db->GetApproximateSizes(&range, 1, &bytes); });
  return bytes;
}

Status Store::compact(ByteView lower, ByteView upper) {
  const leveldb::Slice from = slice(lower), to = slice(upper);
  sealed([&] {
    database()->db->CompactRange(lower.empty() ? nullptr : &from, upper.empty() ? nullptr : &to);
  });
  return {};
}

}  // namespace rhizome::leveldb_store
